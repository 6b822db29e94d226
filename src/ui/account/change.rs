//! Changes of the account: each confirmed on a page of its own, with a fresh proof.

use super::super::device::Letters;
use super::super::draft::Typed;
use super::super::visit::{PageFailure, SignedIn, Visit, check_csrf, csrf_token};
use super::super::{
    AccountChange, AccountNotice, ConfirmChangePage, Page as _, ProofError, account::citizen,
    account::sender, proof, proof::Way,
};
use super::{Outcome, PURPOSE, again, data, done, factor, key, may_add, sessions};
use crate::accounts::password::is_long_enough;
use crate::authn::{enrolment, security_key};
use crate::config::Enrolment;
use crate::endpoint::{Note, Reply, Trouble};
use crate::mail::FactorChange;
use crate::model::{Authenticator, Method, Params};
use crate::secret::{self, Secret};
use crate::store::{DbConn, StoreError, account, authenticator, recovery_code};

/// A page of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `/account/factor/add`.
    AddFactor,
    /// `/account/key/add`.
    AddKey,
    /// `/account/factor/remove?id=…`.
    RemoveFactor,
    /// `/account/recovery`.
    RenewCodes,
    /// `/account/password`.
    Password,
    /// `/account/data`: all data as a file.
    Data,
}

impl Change {
    /// Its address below the issuer.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::AddFactor => "/account/factor/add",
            Self::AddKey => "/account/key/add",
            Self::RemoveFactor => "/account/factor/remove",
            Self::RenewCodes => "/account/recovery",
            Self::Password => "/account/password",
            Self::Data => "/account/data",
        }
    }
}

/// A change that this person may make now.
enum Wanted {
    AddFactor,
    AddKey,
    RemoveFactor(Box<Authenticator>, bool),
    RenewCodes,
    Password,
    Data,
}

pub(super) async fn show(visit: &Visit<'_>, change: Change) -> Outcome {
    let citizen = citizen!(visit);
    let wanted = find(visit, &citizen, change).await?;
    let typed = again::typed(visit, &citizen).await?;
    page_with(visit, &citizen, (change, &wanted), None, typed).await
}

pub(super) async fn submit(visit: &Visit<'_>, change: Change) -> Outcome {
    let citizen = sender!(visit);
    let form = visit.form()?;
    check_csrf(&form, citizen.session.id.as_str(), PURPOSE)?;
    let wanted = find(visit, &citizen, change).await?;
    if let Wanted::RemoveFactor(_, last) = wanted
        && !may_remove(visit, &citizen, last)
    {
        return page(visit, &citizen, (change, &wanted), None).await;
    }
    // Whatever can be said without a proof is said first: a code counts once.
    let new_password = match (change, new_password(&form)) {
        (Change::Password, Err(error)) => {
            return page(visit, &citizen, (change, &wanted), Some(error)).await;
        }
        (Change::Password, Ok(new)) => Some(new),
        _ => None,
    };
    if let Err(error) = proof::prove(visit, &citizen, &form).await? {
        return page(visit, &citizen, (change, &wanted), Some(error)).await;
    }
    match wanted {
        Wanted::AddFactor => add(visit, &citizen, &form).await,
        Wanted::AddKey => add_key(visit, &citizen).await,
        Wanted::RemoveFactor(known, last) => remove(visit, &citizen, (known, last)).await,
        Wanted::RenewCodes => renew_codes(visit, &citizen).await,
        Wanted::Data => download(visit, &citizen).await,
        Wanted::Password => match new_password {
            Some(new) => set_password(visit, &citizen, new).await,
            None => Err(NOT_FOUND),
        },
    }
}

const NOT_FOUND: PageFailure =
    PageFailure::Refused(Trouble::NotFound, "there is nothing to change here");

/// The change, if this person may make it at this issuer.
async fn find(
    visit: &Visit<'_>,
    citizen: &SignedIn,
    change: Change,
) -> Result<Wanted, PageFailure> {
    let has = proof::available(visit, citizen).await?;
    // Nobody could confirm it: the page of the account says whom to ask.
    Way::of(&citizen.account, &has.methods).ok_or(NOT_FOUND)?;
    let may_register = |method| may_add(visit, has.any()) && visit.op.accepts(method);
    match change {
        Change::AddFactor if may_register(Method::Totp) => Ok(Wanted::AddFactor),
        Change::AddKey if may_register(Method::SecurityKey) => Ok(Wanted::AddKey),
        Change::RenewCodes if has.any() && visit.op.accepts(Method::Recovery) => {
            Ok(Wanted::RenewCodes)
        }
        Change::Password if citizen.account.password_hash.is_some() => Ok(Wanted::Password),
        Change::Data => Ok(Wanted::Data),
        Change::RemoveFactor => {
            let wanted = visit.query().get("id").unwrap_or_default().to_owned();
            let (person, now) = (citizen.account.id.clone(), visit.now());
            let all = visit
                .op
                .shared
                .store
                .read(move |conn| authenticator::search(conn, &person, now))
                .await?;
            let mut all: Vec<Authenticator> = all;
            all.retain(Authenticator::is_active);
            let at = all.iter().position(|known| known.id == wanted);
            let found = all.swap_remove(at.ok_or(NOT_FOUND)?);
            let is_last = match citizen.account.password_hash {
                Some(_) => has.authenticators == 1,
                // Without a key that confirms, nothing could be changed ever after.
                None => !security_key::methods_of(visit.op, &all).contains(&Method::VerifiedKey),
            };
            Ok(Wanted::RemoveFactor(Box::new(found), is_last))
        }
        Change::AddFactor | Change::AddKey | Change::RenewCodes | Change::Password => {
            Err(NOT_FOUND)
        }
    }
}

/// Whether somebody may remove a second factor: not the last one where they could not register another by themselves, as
/// nobody can without a password.
fn may_remove(visit: &Visit<'_>, citizen: &SignedIn, last: bool) -> bool {
    let has_password = citizen.account.password_hash.is_some();
    !last || (has_password && visit.op.settings.enrolment == Enrolment::Password)
}

async fn page(
    visit: &Visit<'_>,
    citizen: &SignedIn,
    wanted: (Change, &Wanted),
    error: Option<ProofError>,
) -> Outcome {
    page_with(visit, citizen, wanted, error, None).await
}

/// With what was typed before the session ended.
async fn page_with(
    visit: &Visit<'_>,
    citizen: &SignedIn,
    (change, wanted): (Change, &Wanted),
    error: Option<ProofError>,
    restored: Option<Typed>,
) -> Outcome {
    let form = visit.inbound.form.clone().unwrap_or_default();
    let kept = restored.as_ref().and_then(|typed| typed.get("name"));
    let typed_name = kept.map_or_else(|| form.get("name").unwrap_or_default(), String::as_str);
    let id = match wanted {
        Wanted::RemoveFactor(known, _) => known.id.as_str(),
        Wanted::AddFactor
        | Wanted::AddKey
        | Wanted::RenewCodes
        | Wanted::Password
        | Wanted::Data => "",
    };
    let has = proof::available(visit, citizen).await?;
    let key_options = proof::ask_key(visit, citizen, &has).await?;
    let needs_password = citizen.account.password_hash.is_some();
    let page = ConfirmChangePage {
        change: match wanted {
            Wanted::AddFactor => AccountChange::AddFactor {
                name: enrolment::tidy_name(typed_name),
            },
            Wanted::AddKey => AccountChange::AddKey,
            Wanted::RemoveFactor(known, last) => AccountChange::RemoveFactor {
                name: known.name.clone(),
                last: *last,
                allowed: may_remove(visit, citizen, *last),
            },
            Wanted::RenewCodes => AccountChange::RenewCodes,
            Wanted::Password => AccountChange::ChangePassword,
            Wanted::Data => AccountChange::DownloadData,
        },
        needs_code: needs_password && has.any() && (has.code() || key_options.is_none()),
        needs_password,
        key_options,
        username: citizen.account.username.clone(),
        restored: restored.is_some(),
        error,
        csrf_token: csrf_token(citizen.session.id.as_str(), PURPOSE),
        action_url: visit.link(change.path(), &[("id", id)]),
        back_url: visit.link("/account", &[]),
    };
    let name = super::super::consent::display_name(&citizen.account);
    let layout = visit.layout(visit.locale(&[]), Some(name), true);
    let html = page.render(visit.pages, &layout)?;
    let Some(error) = error else {
        return Ok(Ok(visit.html(200, html)));
    };
    let (status, retry) = proof::status_of(error, visit.now());
    let mut reply = visit.html(status, html);
    if let Some(seconds) = retry {
        reply = reply.header("Retry-After", seconds.to_string());
    }
    Ok(Ok(reply.noted(
        Note::new(log::Level::Warn, "account.refused").with("reason", proof::name_of(error)),
    )))
}

async fn add(visit: &Visit<'_>, citizen: &SignedIn, form: &Params) -> Outcome {
    let (op, person) = (visit.op.clone(), citizen.account.id.clone());
    let place = factor::begun_in(citizen);
    let name = form.get("name").unwrap_or_default().to_owned();
    let begun = visit
        .op
        .shared
        .store
        .write(move |tx| enrolment::begin(tx, &op, (&person, &place), &name))
        .await?;
    if !begun {
        let error = Some(ProofError::TooMany);
        return page(
            visit,
            citizen,
            (Change::AddFactor, &Wanted::AddFactor),
            error,
        )
        .await;
    }
    Ok(Ok(Reply::see_other(visit.link("/account/factor/new", &[]))))
}

/// Asks for the new key; the next page hands that to the browser.
async fn add_key(visit: &Visit<'_>, citizen: &SignedIn) -> Outcome {
    if !key::begin(visit, citizen).await? {
        let error = Some(ProofError::TooMany);
        return page(visit, citizen, (Change::AddKey, &Wanted::AddKey), error).await;
    }
    Ok(Ok(Reply::see_other(visit.link("/account/key/new", &[]))))
}

/// With the last one the recovery codes go, which only stand in for it.
async fn remove(
    visit: &Visit<'_>,
    citizen: &SignedIn,
    (known, last): (Box<Authenticator>, bool),
) -> Outcome {
    let person = citizen.account.id.clone();
    let method = known.method.name();
    let letters = Letters::of(visit);
    visit
        .op
        .shared
        .store
        .write(move |tx: &mut DbConn| -> Result<(), StoreError> {
            authenticator::remove(tx, &person, &known.id)?;
            if last {
                recovery_code::remove_all(tx, &person)?;
            }
            letters.factor(tx, &person, FactorChange::Removed, &known.name)
        })
        .await?;
    Ok(Ok(done(visit, AccountNotice::Removed).noted(
        Note::new(log::Level::Info, "account.factor_removed")
            .with("method", method)
            .with("last", last.to_string()),
    )))
}

async fn download(visit: &Visit<'_>, citizen: &SignedIn) -> Outcome {
    let bytes = data::document(visit, citizen).await?;
    Ok(Ok(Reply::bytes(200, "application/json", bytes)
        .header("Cache-Control", "no-store")
        .header(
            "Content-Disposition",
            "attachment; filename=\"account.json\"",
        )
        .noted(Note::new(
            log::Level::Info,
            "account.data_downloaded",
        ))))
}

async fn renew_codes(visit: &Visit<'_>, citizen: &SignedIn) -> Outcome {
    let (person, now) = (citizen.account.id.clone(), visit.now());
    let letters = Letters::of(visit);
    let codes = visit
        .op
        .shared
        .store
        .write(move |tx: &mut DbConn| -> Result<_, StoreError> {
            letters.factor(tx, &person, FactorChange::RecoveryRenewed, "")?;
            enrolment::new_recovery_codes(tx, &person, now)
        })
        .await?;
    let reply = factor::codes_page(visit, citizen, codes, false)?;
    Ok(Ok(reply.noted(Note::new(
        log::Level::Info,
        "account.recovery_codes_renewed",
    ))))
}

/// The new password, if it is suitable.
fn new_password(form: &Params) -> Result<Secret<String>, ProofError> {
    let new = form.get("new_password").unwrap_or_default();
    let again = form.get("new_password_again").unwrap_or_default();
    let current = form.get("password").unwrap_or_default();
    if new.is_empty() || again.is_empty() {
        Err(ProofError::Missing)
    } else if !is_long_enough(new) {
        Err(ProofError::PasswordLength)
    } else if !secret::equal(new.as_bytes(), again.as_bytes()) {
        Err(ProofError::PasswordsDiffer)
    } else if secret::equal(new.as_bytes(), current.as_bytes()) {
        Err(ProofError::SamePassword)
    } else {
        Ok(Secret::new(new.to_owned()))
    }
}

async fn set_password(visit: &Visit<'_>, citizen: &SignedIn, new: Secret<String>) -> Outcome {
    let Ok(hash) = visit.op.shared.passwords.hash(new).await else {
        let (change, wanted) = (Change::Password, Wanted::Password);
        return page(visit, citizen, (change, &wanted), Some(ProofError::Busy)).await;
    };
    let (person, own, now) = (
        citizen.account.id.clone(),
        citizen.session.id.clone(),
        visit.now(),
    );
    let letters = Letters::of(visit);
    visit
        .op
        .shared
        .store
        .write(move |tx: &mut DbConn| -> Result<(), StoreError> {
            letters.factor(tx, &person, FactorChange::Password, "")?;
            account::set_password(tx, &person, Some(&hash), now)?;
            sessions::end_where(tx, &person, now, |id| *id != own)?;
            Ok(())
        })
        .await?;
    let note = Note::new(log::Level::Info, "account.password_changed");
    Ok(Ok(done(visit, AccountNotice::Password).noted(note)))
}
