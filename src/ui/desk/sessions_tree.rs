//! The picture of a grant: from the session down to the newest tokens.

use super::super::TreeNodeView;
use super::sessions::list_url;
use super::sessions_views::{grant_state, revoke_url, session_state};
use crate::administration::sessions::Tree;
use crate::clock::UtcTime;
use crate::model::{CodeState, Token, TokenKind, TokenState};
use crate::store::grant::GrantsOf;

/// Hexadecimal digits of a code's hash that are shown: enough to tell it, too few to look for it.
const HASH_DIGITS: usize = 16;

/// The trunk's beginning (session, grant, code), and the tokens.
pub(super) fn roots_and_nodes(
    tree: &Tree,
    sought: &str,
    (now, may_revoke): (UtcTime, bool),
) -> (Vec<TreeNodeView>, Vec<TreeNodeView>) {
    let nodes = tree
        .tokens
        .iter()
        .map(|token| {
            let can = may_revoke && tree.can_be_revoked(token, now);
            TreeNodeView {
                sought: token.id.as_str() == sought,
                revoke_url: can.then(|| revoke_url("token", token.id.as_str())),
                ..token_node(token, now)
            }
        })
        .collect();
    (roots(tree, sought, (now, may_revoke)), nodes)
}

fn roots(tree: &Tree, sought: &str, (now, may_revoke): (UtcTime, bool)) -> Vec<TreeNodeView> {
    let grant = &tree.grant;
    let grant_is_live = grant_state(grant, now) == "live";
    let of_session = &tree.session;
    let alive = of_session
        .as_ref()
        .is_some_and(|session| session.is_alive(now));
    let session = TreeNodeView {
        kind: "session",
        key: grant.session.to_string(),
        generation: None,
        state: of_session
            .as_ref()
            .map_or("removed", |session| session_state(session, now)),
        from: Some(grant.authenticated_at),
        until: of_session
            .as_ref()
            .map(|session| session.ended_at.unwrap_or(session.expires_at)),
        sought: false,
        leaf: false,
        url: Some(list_url(&GrantsOf::Session(grant.session.clone()))),
        revoke_url: (may_revoke && alive).then(|| revoke_url("session", grant.session.as_str())),
    };
    let given = TreeNodeView {
        kind: "grant",
        key: grant.id.to_string(),
        state: grant_state(grant, now),
        from: Some(grant.created_at),
        until: Some(grant.revoked_at.unwrap_or(grant.expires_at)),
        url: None,
        revoke_url: (may_revoke && grant_is_live).then(|| revoke_url("grant", grant.id.as_str())),
        ..session.clone()
    };
    let mut all = vec![session, given];
    if let Some(code) = &tree.code {
        let state = match code.state {
            CodeState::Redeemed => "redeemed",
            CodeState::Issued if now < code.expires_at => "live",
            CodeState::Issued => "expired",
        };
        let digits = data_encoding::HEXLOWER.encode(&code.hash.0);
        let revocable = may_revoke && grant_is_live && (tree.live.is_some() || state == "live");
        all.push(TreeNodeView {
            kind: "code",
            key: format!("SHA-256 {}…", digits.get(..HASH_DIGITS).unwrap_or_default()),
            generation: None,
            state,
            from: None,
            until: Some(code.expires_at),
            sought: sought == "code",
            leaf: false,
            url: None,
            revoke_url: revocable.then(|| revoke_url("code", grant.id.as_str())),
        });
    }
    all
}

fn token_node(token: &Token, now: UtcTime) -> TreeNodeView {
    TreeNodeView {
        kind: match token.kind {
            TokenKind::Access => "access",
            TokenKind::Refresh => "refresh",
        },
        key: token.id.to_string(),
        generation: Some(token.generation),
        state: match token.state {
            TokenState::Live if now < token.expires_at => "live",
            TokenState::Live => "expired",
            TokenState::Rotated => "rotated",
            TokenState::Revoked => "revoked",
        },
        from: Some(token.issued_at),
        until: Some(token.expires_at),
        sought: false,
        leaf: token.kind == TokenKind::Access,
        url: None,
        revoke_url: None,
    }
}
