//! Which browser this is, and what people are told of it by e-mail.
//!
//! A browser that has seen the login page holds a random cookie, at all issuers of the host the same. For each person who
//! logs in with it the database keeps SHA-256 of the person's key and the cookie: that tells a known browser from a new
//! one, and neither people from each other's browsers nor, without the cookie, anything at all.

use super::user_agent;
use super::visit::{Visit, host_cookie};
use crate::clock::UtcTime;
use crate::endpoint::CookieChange;
use crate::mail::{FactorChange, Letter, Origin};
use crate::model::{AccountId, SecretHash};
use crate::provider::Provider;
use crate::random;
use crate::store::{DbConn, StoreError, known_device};
use std::sync::Arc;

/// Browsers keep no cookie for longer (RFC 6265bis §5.5).
const DEVICE_SECONDS: i64 = 400 * 86_400;
/// A browser that is used is noted again when so much of that has gone by: not at every login.
const REFRESH_SECONDS: i64 = 86_400;
/// Characters of the cookie: [`random::token`].
const TOKEN_CHARACTERS: usize = 43;

fn token<'a>(visit: &'a Visit<'_>) -> Option<&'a str> {
    let kept = visit
        .inbound
        .cookie(&host_cookie(&visit.op.shared.server, "device"));
    kept.filter(|token| token.len() == TOKEN_CHARACTERS)
}

/// The cookie that the login page gives, the browser's own if it has one.
pub(super) fn cookie(visit: &Visit<'_>) -> CookieChange {
    let token = token(visit).map_or_else(random::token, str::to_owned);
    CookieChange::Set(
        host_cookie(&visit.op.shared.server, "device"),
        token,
        DEVICE_SECONDS,
    )
}

/// Writes letters about what is done in this visit, in the transaction that does it.
pub(super) struct Letters {
    op: Arc<Provider>,
    origin: Origin,
}

impl Letters {
    pub(super) fn of(visit: &Visit<'_>) -> Self {
        Self {
            op: visit.op.clone(),
            origin: Origin {
                browser: user_agent::in_few_words(&visit.inbound.user_agent),
                address: visit.inbound.address.to_string(),
            },
        }
    }

    /// The account is protected otherwise than before.
    pub(super) fn factor(
        &self,
        tx: &mut DbConn,
        person: &AccountId,
        change: FactorChange,
        name: &str,
    ) -> Result<(), StoreError> {
        let letter = Letter::FactorChanged {
            change,
            name: name.to_owned(),
            origin: Some(self.origin.clone()),
        };
        self.op.queue_mail_to(tx, person, &letter).map(|_queued| ())
    }
}

/// The browser of a login.
pub(super) struct Device {
    token: Option<String>,
    letters: Letters,
    now: UtcTime,
}

impl Device {
    pub(super) fn of(visit: &Visit<'_>) -> Self {
        Self {
            token: token(visit).map(str::to_owned),
            letters: Letters::of(visit),
            now: visit.now(),
        }
    }

    /// The person has logged in: one that has not been seen with this browser is told.
    pub(super) fn greet(&self, tx: &mut DbConn, person: &AccountId) -> Result<(), StoreError> {
        let until = self.now.plus_seconds(DEVICE_SECONDS);
        let is_new = match &self.token {
            // A browser without cookies is a new one every time.
            None => true,
            Some(token) => {
                let device = SecretHash::of(&format!("varco device\n{person}\n{token}"));
                match known_device::known_until(tx, person, &device)? {
                    Some(known) if until.seconds_since(known) < REFRESH_SECONDS => false,
                    Some(known) => {
                        known_device::upsert(tx, person, &device, self.now, until)?;
                        known <= self.now
                    }
                    None => known_device::upsert(tx, person, &device, self.now, until)?,
                }
            }
        };
        if is_new {
            let origin = self.letters.origin.clone();
            let letter = Letter::NewDevice { origin };
            self.letters.op.queue_mail_to(tx, person, &letter)?;
        }
        Ok(())
    }
}
