//! What was typed into a form when the session had ended: after the login the form shows it again.
//!
//! ```text
//! login ─► cookie (random, operator)              POST without a session, with the cookie ─► sealed, kept ten minutes
//!                                                        └► login ─► the form's page?draft=… ─► shown once
//! ```
//!
//! Nobody can check the token of such a form: its session is gone. What stands in for it is the cookie, which a browser
//! sends with no form of another site (SameSite=Lax): otherwise any site could lay a filled-in form before an operator.
//! The cookie names the operator, too: another one who logs in at the same browser does not see what was typed.

use super::visit::DeskVisit;
use super::{cookie_name, link, page_of};
use crate::endpoint::CookieChange;
use crate::model::{OperatorId, Params, SecretHash};
use crate::random;
use crate::store::form_draft::FormDraft;
use crate::store::{StoreError, form_draft};

/// How long what was typed is kept.
const DRAFT_SECONDS: i64 = 600;
/// How long after a login the cookie lives: longer than the session, whose end it is for.
const COOKIE_SECONDS: i64 = 2 * super::SESSION_SECONDS;
/// Larger forms are not kept.
const MOST_BYTES: usize = 64 * 1024;
/// The parameter of an address that names what was kept.
const PARAMETER: &str = "draft";
/// Parts of names of fields that are not kept: secrets, tokens, what opens something.
const SECRET: [&str; 8] = [
    "csrf", "password", "again", "otp", "secret", "code", "token", "sought",
];

fn name(visit: &DeskVisit<'_>) -> String {
    format!("{}.form", cookie_name(&visit.shared().server))
}

/// The cookie's text and the operator that it names.
fn cookie<'a>(visit: &'a DeskVisit<'_>) -> Option<(&'a str, &'a str)> {
    let text = visit.inbound.cookie(&name(visit))?;
    let (random, operator) = text.split_once('.')?;
    (!random.is_empty() && !operator.is_empty()).then_some((text, operator))
}

/// The cookie for whoever logged in, unless the browser has theirs: what it stands for is still to be shown.
pub(super) fn cookie_for(visit: &DeskVisit<'_>, operator: &OperatorId) -> Option<CookieChange> {
    let known = cookie(visit).is_some_and(|(_, named)| named == operator.as_str());
    (!known).then(|| {
        let value = format!("{}.{operator}", random::identifier());
        CookieChange::Set(name(visit), value, COOKIE_SECONDS)
    })
}

fn owner(operator: &str) -> String {
    format!("operator {operator}")
}

fn key(cookie: &str, number: &str) -> SecretHash {
    SecretHash::of(&format!("{cookie} {number}"))
}

fn associated_data(owner: &str, path: &str) -> Vec<u8> {
    format!("form_draft.sealed {owner} {path}").into_bytes()
}

/// Where a form without a session leads after the login: to its page, with what was typed if that could be kept.
pub(super) async fn keep(visit: &DeskVisit<'_>) -> Result<String, StoreError> {
    let query = visit.query();
    let page = page_of(visit.path, &query);
    let Some(text) = kept_fields(visit) else {
        return Ok(page);
    };
    let Some((cookie, operator)) = cookie(visit) else {
        return Ok(page);
    };
    let (number, owner) = (random::identifier(), owner(operator));
    let path = page.split('?').next().unwrap_or_default().to_owned();
    let sealed = visit
        .shared()
        .key_encryption_key
        .seal(text.as_bytes(), &associated_data(&owner, &path));
    // What cannot be sealed is lost, and the page opens empty.
    let Ok(sealed) = sealed else {
        return Ok(page);
    };
    let draft = FormDraft {
        id: key(cookie, &number),
        owner,
        path: path.clone(),
        sealed,
        expires_at: visit.now().plus_seconds(DRAFT_SECONDS),
    };
    visit
        .shared()
        .store
        .write(move |tx| form_draft::insert(tx, &draft))
        .await?;
    let query = Params::parse(
        page.split_once('?')
            .map_or("", |(_, query)| query)
            .as_bytes(),
    )
    .unwrap_or_default();
    let mut all: Vec<(&str, &str)> = query
        .iter()
        .filter(|(name, _)| *name != PARAMETER)
        .collect();
    all.push((PARAMETER, &number));
    Ok(link(&path, &all))
}

/// What may be kept of the form, as a form; nothing of one that is too large, or has nothing worth it.
fn kept_fields(visit: &DeskVisit<'_>) -> Option<String> {
    let form = visit.inbound.form.as_ref().ok()?;
    let mut kept = url::form_urlencoded::Serializer::new(String::new());
    let mut some = false;
    for (name, value) in form.iter() {
        let lower = name.to_ascii_lowercase();
        if !SECRET.iter().any(|part| lower.contains(part)) {
            kept.append_pair(name, value);
            some = some || !value.is_empty();
        }
    }
    let kept = kept.finish();
    (some && kept.len() <= MOST_BYTES).then_some(kept)
}

/// What this operator typed into the form of this page, once; empty in most cases.
pub(super) async fn redeem(
    visit: &DeskVisit<'_>,
    operator: &OperatorId,
) -> Result<Params, StoreError> {
    let query = visit.query();
    let Some(number) = query.get(PARAMETER).filter(|number| !number.is_empty()) else {
        return Ok(Params::default());
    };
    let Some((cookie, _)) = cookie(visit) else {
        return Ok(Params::default());
    };
    let (id, owner, path, now) = (
        key(cookie, number),
        owner(operator.as_str()),
        visit.path,
        visit.now(),
    );
    let of = owner.clone();
    let sealed = visit
        .shared()
        .store
        .write(move |tx| form_draft::redeem(tx, &id, (&of, path), now))
        .await?;
    let opened = sealed.and_then(|sealed| {
        visit
            .shared()
            .key_encryption_key
            .open(&sealed, &associated_data(&owner, path))
            .ok()
    });
    Ok(opened
        .and_then(|text| Params::parse(text.expose()).ok())
        .unwrap_or_default())
}
