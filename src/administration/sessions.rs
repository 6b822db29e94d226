//! Sessions, grants, codes and tokens: finding them by what people have in hand, and ending them.
//!
//! ```text
//! session ─► grant ─► code ─► access token
//!                          └► refresh token ─► access token
//!                                           └► refresh token ─► …
//! ```
//!
//! Revoking a node ends what came of it and leaves what it came of, with one exception that the relying party's own
//! revocation has too: a grant of which nothing is left is revoked, so that the person's history says so.

use super::record;
use crate::clock::UtcTime;
use crate::jose::Unverified;
use crate::model::{
    AccountId, Actor, AuthorizationCode, ClientId, CodeHash, CodeState, Deed, Grant, GrantId,
    IssuerId, Session, SessionId, Token, TokenId, TokenKind, TokenState,
};
use crate::store::grant::GrantsOf;
use crate::store::keyset::{Page, TimeCursor};
use crate::store::{DbConn, StoreError, account, authorization_code, grant, session, token};
use serde::Deserialize;
use serde_json::json;

/// Longest text that is looked for: a token that somebody pasted.
pub const MOST_SOUGHT_BYTES: usize = 16 * 1024;
/// Characters of a reason.
pub const MOST_REASON: usize = 500;
/// Tokens of a tree that are shown at once.
pub const TOKENS: u32 = 40;

/// Why nothing was revoked.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is no such session, grant, code or token; or it has ended and was removed.
    #[error("there is no such session, grant, code or token, or it ended long ago and was removed")]
    Unknown,
    /// Nothing of it could still be used.
    #[error("nothing was revoked: it had ended already, and so had everything that came of it")]
    Ended,
    /// The reason is too long.
    #[error("a reason has at most 500 characters")]
    Reason,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A single sign-on session.
    Session(SessionId),
    /// A grant, and what in its tree was looked for.
    Grant(GrantId, Sought),
    /// A list of grants that is not empty.
    Grants(GrantsOf),
    /// Somebody, who may hold nothing.
    Person(AccountId),
}

/// What in a tree was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// The grant.
    Grant,
    /// Its code.
    Code,
    /// A token.
    Token(TokenId),
}

/// Finds what a text stands for: the identifier of a session, grant or token, a whole token, a code as the relying party
/// got it, a pairwise subject, a `client_id`, somebody's key or username. Nothing of it is kept or logged: a code or token may
/// still be good.
///
/// # Errors
/// The database's.
pub fn find(
    conn: &mut DbConn,
    issuers: &[IssuerId],
    text: &str,
) -> Result<Option<Found>, StoreError> {
    let text = text.trim();
    if text.is_empty() || text.len() > MOST_SOUGHT_BYTES {
        return Ok(None);
    }
    let jti = TokenId::new(jti_of(text).unwrap_or_else(|| text.to_owned()));
    if let Some(found) = token::find(conn, &jti)? {
        return Ok(Some(Found::Grant(found.grant, Sought::Token(found.id))));
    }
    if let Some(found) = session::find(conn, &SessionId::new(text))? {
        return Ok(Some(Found::Session(found.id)));
    }
    if let Some(found) = grant::find(conn, &GrantId::new(text))? {
        return Ok(Some(Found::Grant(found.id, Sought::Grant)));
    }
    if let Some(found) = authorization_code::find(conn, &CodeHash::of(text))? {
        return Ok(Some(Found::Grant(found.grant, Sought::Code)));
    }
    let lists = [
        GrantsOf::Subject(text.to_owned()),
        // The session may be gone while its grants with offline access live on.
        GrantsOf::Session(SessionId::new(text)),
    ];
    for of in lists.into_iter().chain(of_client(issuers, text)) {
        if !grant::search(conn, &of, None, 1)?.rows.is_empty() {
            return Ok(Some(Found::Grants(of)));
        }
    }
    // Last: whoever is called as a relying party is, has a page among the users.
    let person = match account::find(conn, &AccountId::new(text))? {
        None => account::find_by_username(conn, text)?,
        found => found,
    };
    Ok(person.map(|person| Found::Person(person.id)))
}

/// The lists of a relying party's grants, one an issuer.
pub fn of_client(issuers: &[IssuerId], client_id: &str) -> impl Iterator<Item = GrantsOf> {
    issuers
        .iter()
        .map(move |issuer| GrantsOf::Client(issuer.clone(), ClientId::new(client_id)))
}

/// The `jti` that a pasted token claims to have; the row is what counts.
fn jti_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        jti: String,
    }
    let token = Unverified::parse(text, MOST_SOUGHT_BYTES).ok()?;
    token
        .unverified_claims()
        .ok()
        .map(|claims: Claims| claims.jti)
}

/// A grant with what came of it.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The grant.
    pub grant: Grant,
    /// Its session, until that is purged.
    pub session: Option<Session>,
    /// Its code, until that is purged.
    pub code: Option<AuthorizationCode>,
    /// A page of its tokens, in the order in which they came of one another; those that ended are purged.
    pub tokens: Vec<Token>,
    /// Where older tokens are.
    pub older: Option<TimeCursor>,
    /// The last generation that can be used.
    pub live: Option<i64>,
}

impl Tree {
    /// Whether something came of this token, or is the token, that can still be used: what [`revoke`] would end.
    #[must_use]
    pub fn can_be_revoked(&self, token: &Token, now: UtcTime) -> bool {
        let itself = token.state == TokenState::Live && now < token.expires_at;
        let later = token.kind == TokenKind::Refresh
            && self.live.is_some_and(|live| live > token.generation);
        itself || later
    }

    /// Whether the code could still be redeemed.
    #[must_use]
    pub fn code_is_open(&self, now: UtcTime) -> bool {
        self.code
            .as_ref()
            .is_some_and(|code| code.state == CodeState::Issued && now < code.expires_at)
    }
}

/// The tree of a grant: its newest tokens, or those before a page that was seen.
///
/// # Errors
/// The database's.
pub fn tree(
    conn: &mut DbConn,
    id: &GrantId,
    before: Option<&TimeCursor>,
    now: UtcTime,
) -> Result<Option<Tree>, StoreError> {
    let Some(grant) = grant::find(conn, id)? else {
        return Ok(None);
    };
    let Page {
        rows: mut tokens,
        next,
    } = token::search(conn, id, before, TOKENS)?;
    let order = |token: &Token| (token.generation, token.kind == TokenKind::Refresh);
    tokens.sort_by_key(order);
    Ok(Some(Tree {
        session: session::find(conn, &grant.session)?,
        code: authorization_code::search(conn, id, 1)?.pop(),
        live: token::last_live_generation(conn, id, now)?,
        tokens,
        older: next,
        grant,
    }))
}

/// What is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A token: an access token alone; a refresh token with all that came of it.
    Token(TokenId),
    /// A grant's code with all that came of it.
    Code(GrantId),
    /// A grant.
    Grant(GrantId),
    /// A session with its grants, as a logout does: access that was given for the person's absence stays.
    Session(SessionId),
    /// A session with all its grants.
    SessionAndOffline(SessionId),
}

impl Target {
    /// As in the trail.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Token(_) => "token.revoke",
            Self::Code(_) => "code.revoke",
            Self::Grant(_) => "grant.revoke",
            Self::Session(_) | Self::SessionAndOffline(_) => "session.end",
        }
    }
}

/// What was ended that could still have been used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Sessions: one or none.
    pub sessions: usize,
    /// Grants.
    pub grants: usize,
    /// Codes that nobody had redeemed.
    pub codes: usize,
    /// Access tokens.
    pub access_tokens: usize,
    /// Refresh tokens.
    pub refresh_tokens: usize,
}

impl Revoked {
    /// The counts with their names, as the trail and programs are told.
    #[must_use]
    pub const fn counts(&self) -> [(&'static str, usize); 5] {
        [
            ("sessions", self.sessions),
            ("grants", self.grants),
            ("codes", self.codes),
            ("access_tokens", self.access_tokens),
            ("refresh_tokens", self.refresh_tokens),
        ]
    }

    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn count_tokens(&mut self, before: (usize, usize), after: (usize, usize)) {
        self.access_tokens += before.0.saturating_sub(after.0);
        self.refresh_tokens += before.1.saturating_sub(after.1);
    }
}

/// Revokes a node and what came of it; tells what could still have been used of it.
///
/// # Errors
/// `Unknown`, `Ended`, `Reason`.
pub fn revoke(
    conn: &mut DbConn,
    actor: &Actor,
    (target, reason): (&Target, &str),
    now: UtcTime,
) -> Result<Revoked, SessionError> {
    let reason = reason.trim();
    if reason.chars().count() > MOST_REASON {
        return Err(SessionError::Reason);
    }
    let (subject, of, revoked) = match target {
        Target::Token(id) => {
            let found = token::find(conn, id)?.ok_or(SessionError::Unknown)?;
            let revoked = revoke_token(conn, &found, now)?;
            (format!("grant {}", found.grant), Some(id), revoked)
        }
        Target::Code(id) | Target::Grant(id) => {
            let known = grant::find(conn, id)?.ok_or(SessionError::Unknown)?;
            let revoked = revoke_grant(conn, &known, now)?;
            (format!("grant {id}"), None, revoked)
        }
        Target::Session(id) => {
            let revoked = end_session(conn, id, false, now)?;
            (format!("session {id}"), None, revoked)
        }
        Target::SessionAndOffline(id) => {
            let revoked = end_session(conn, id, true, now)?;
            (format!("session {id}"), None, revoked)
        }
    };
    if revoked.is_nothing() {
        return Err(SessionError::Ended);
    }
    let mut after = serde_json::Map::new();
    if let Some(token) = of {
        after.insert("token".to_owned(), json!(token));
    }
    for (name, count) in revoked.counts() {
        if count > 0 {
            after.insert(name.to_owned(), json!(count));
        }
    }
    if !reason.is_empty() {
        after.insert("reason".to_owned(), json!(reason));
    }
    let deed = Deed {
        action: target.action(),
        subject,
        before: None,
        after: Some(after.into()),
    };
    record(conn, actor, &deed, now)?;
    Ok(revoked)
}

fn revoke_token(conn: &mut DbConn, found: &Token, now: UtcTime) -> Result<Revoked, StoreError> {
    let mut revoked = Revoked::default();
    let before = token::count_live(conn, &found.grant, now)?;
    token::revoke(conn, &found.id)?;
    if found.kind == TokenKind::Refresh {
        token::revoke_later(conn, &found.grant, found.generation)?;
    }
    let after = token::count_live(conn, &found.grant, now)?;
    revoked.count_tokens(before, after);
    if before != after && after == (0, 0) && grant::revoke(conn, &found.grant, now)? {
        revoked.grants = 1;
    }
    Ok(revoked)
}

fn revoke_grant(conn: &mut DbConn, known: &Grant, now: UtcTime) -> Result<Revoked, StoreError> {
    let mut revoked = Revoked::default();
    if known.revoked_at.is_some() || known.expires_at <= now {
        return Ok(revoked);
    }
    revoked.codes = authorization_code::spend_of_grant(conn, &known.id, now)?;
    let before = token::count_live(conn, &known.id, now)?;
    if grant::revoke(conn, &known.id, now)? {
        revoked.grants = 1;
        revoked.count_tokens(before, (0, 0));
    }
    Ok(revoked)
}

fn end_session(
    conn: &mut DbConn,
    id: &SessionId,
    with_offline: bool,
    now: UtcTime,
) -> Result<Revoked, SessionError> {
    let known = session::find(conn, id)?;
    let grants = match grant::unrevoked_of_session(conn, id)? {
        grants if grants.is_empty() && known.is_none() => return Err(SessionError::Unknown),
        grants => grants,
    };
    let mut revoked = Revoked::default();
    if known.is_some_and(|session| session.is_alive(now)) && session::end(conn, id, now)? {
        revoked.sessions = 1;
    }
    for known in &grants {
        if known.offline_access && !with_offline {
            // SPID/CIE AZ-10: the refresh tokens outlive the session, the access tokens do not.
            let before = token::count_live(conn, &known.id, now)?;
            token::revoke_live_of_grant(conn, &known.id, Some(TokenKind::Access))?;
            revoked.count_tokens(before, token::count_live(conn, &known.id, now)?);
            continue;
        }
        let of_grant = revoke_grant(conn, known, now)?;
        revoked.grants += of_grant.grants;
        revoked.codes += of_grant.codes;
        revoked.access_tokens += of_grant.access_tokens;
        revoked.refresh_tokens += of_grant.refresh_tokens;
    }
    Ok(revoked)
}
