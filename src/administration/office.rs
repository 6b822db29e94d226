//! Letters to people about what operators change of them, one by one or by files.

use crate::clock::UtcTime;
use crate::config::ServerSettings;
use crate::jose::KeyEncryptionKey;
use crate::mail::{FactorChange, Letter};
use crate::model::Account;
use crate::provider::Letterhead;
use crate::store::{DbConn, StoreError};
use std::sync::Arc;

/// The attribute by which cards and services know a person.
const FISCAL_NUMBER: &str = "fiscal_number";

/// Who writes them: the first issuer, since people have one registry for all.
#[derive(Clone, Default)]
pub struct Office(Option<Arc<(ServerSettings, KeyEncryptionKey)>>);

impl Office {
    /// One that seals letters with this key.
    #[must_use]
    pub fn of(server: &ServerSettings, key: &KeyEncryptionKey) -> Self {
        let is_open = server.mail.is_some();
        Self(is_open.then(|| Arc::new((server.clone(), key.clone()))))
    }

    /// One that writes none: there is no way out for mails.
    #[must_use]
    pub fn closed() -> Self {
        Self(None)
    }

    /// Tells somebody what is different about how they log in, in the transaction that changed it. Letters go to the
    /// address that was known before: whoever was given another one is not told of it by whoever may be at that one.
    ///
    /// # Errors
    /// The database's.
    pub fn tell(
        &self,
        tx: &mut DbConn,
        (before, after, factor_given): (&Account, &Account, bool),
        now: UtcTime,
    ) -> Result<(), StoreError> {
        let Some((server, key)) = self.0.as_deref() else {
            return Ok(());
        };
        let Some(issuer) = server.issuers.first() else {
            return Ok(());
        };
        let head = Letterhead::of(server, issuer);
        let fiscal_number = |of: &Account| of.attributes.get(FISCAL_NUMBER).cloned();
        let changes = [
            (before.password_hash != after.password_hash).then_some(FactorChange::Password),
            factor_given.then_some(FactorChange::Added),
            head.address_differs(before, after)
                .then_some(FactorChange::Email),
            (fiscal_number(before) != fiscal_number(after)).then_some(FactorChange::FiscalNumber),
        ];
        let to = match head.address(before) {
            Some(_) => before,
            None => after,
        };
        for change in changes.into_iter().flatten() {
            head.queue(tx, (key, now), to, &by_operator(change))?;
        }
        Ok(())
    }
}

/// A letter about what an operator did.
pub(super) fn by_operator(change: FactorChange) -> Letter {
    Letter::FactorChanged {
        change,
        name: String::new(),
        origin: None,
    }
}
