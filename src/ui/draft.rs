//! Forms that are sent after the session has ended: what was typed is kept, and put back once its owner has logged in
//! again in the same browser. Passwords and codes are never kept.
//!
//! ```text
//! POST, session over ─► keep: sealed row, named by a cookie ─► login ─► GET of the form ─► take: once, by its owner
//! ```
//!
//! The ended session still tells whose form it was, and its form token that this browser sent it: cookie and row outlive
//! the session by [`SESSION_GRACE_SECONDS`], in which they are good for nothing else.
//!
//! [`SESSION_GRACE_SECONDS`]: crate::store::purge::SESSION_GRACE_SECONDS

use crate::endpoint::CookieChange;
use crate::model::{Params, SecretHash};
use crate::provider::Shared;
use crate::random;
use crate::store::form_draft::{self, FormDraft};
use crate::store::{DbConn, StoreError};
use std::collections::BTreeMap;

/// How long somebody may take to log in again.
const DRAFT_SECONDS: i64 = 1_800;
/// More is not kept.
const MOST_BYTES: usize = 64 * 1024;
/// What is in the names of fields that are never kept.
const SECRET: [&str; 5] = ["password", "otp", "code", "secret", "csrf_token"];

/// What was typed, by field.
pub type Typed = BTreeMap<String, String>;

/// Whose form it is, and where: `account ID` or `operator ID`, and the path of the form's page.
#[derive(Clone, Debug)]
pub struct Place {
    /// Whose.
    pub owner: String,
    /// Where.
    pub path: String,
}

impl Place {
    fn associated_data(&self) -> Vec<u8> {
        format!("form_draft.sealed {} {}", self.owner, self.path).into_bytes()
    }
}

/// Keeps what was typed; the cookie named `cookie` gives it back. `None`: there was nothing to keep.
///
/// # Errors
/// The database's.
pub async fn keep(
    shared: &Shared,
    cookie: String,
    place: Place,
    form: &Params,
) -> Result<Option<CookieChange>, StoreError> {
    let typed: Typed = form
        .iter()
        .filter(|(name, value)| {
            let name = name.to_ascii_lowercase();
            !value.is_empty() && !SECRET.iter().any(|secret| name.contains(secret))
        })
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let json = serde_json::to_vec(&typed).unwrap_or_default();
    if typed.is_empty() || json.len() > MOST_BYTES {
        return Ok(None);
    }
    let key = &shared.key_encryption_key;
    let Ok(sealed) = key.seal(&json, &place.associated_data()) else {
        log::error!("event=form_draft.not_sealed");
        return Ok(None);
    };
    let token = random::token();
    let new = FormDraft {
        id: SecretHash::of(&token),
        owner: place.owner,
        path: place.path,
        sealed,
        expires_at: shared.clock.now().plus_seconds(DRAFT_SECONDS),
    };
    shared
        .store
        .write(move |tx: &mut DbConn| form_draft::insert(tx, &new))
        .await?;
    Ok(Some(CookieChange::Set(cookie, token, DRAFT_SECONDS)))
}

/// What the owner typed on this page before; once.
///
/// # Errors
/// The database's.
pub async fn take(
    shared: &Shared,
    token: Option<&str>,
    place: Place,
) -> Result<Option<Typed>, StoreError> {
    let Some(token) = token else {
        return Ok(None);
    };
    let (id, now) = (SecretHash::of(token), shared.clock.now());
    let data = place.associated_data();
    let sealed = shared
        .store
        .write(move |tx: &mut DbConn| -> Result<_, StoreError> {
            form_draft::redeem(tx, &id, (&place.owner, &place.path), now)
        })
        .await?;
    Ok(sealed.and_then(|sealed| {
        let json = shared.key_encryption_key.open(&sealed, &data).ok()?;
        serde_json::from_slice(json.expose()).ok()
    }))
}
