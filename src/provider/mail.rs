//! Letters to the people of an issuer.

use super::Provider;
use crate::mail::{self, Letter, MailError, Queued, Sender};
use crate::model::{Account, AccountId};
use crate::store::{DbConn, StoreError, account};

/// Where the citizen's account is, below the issuer.
const ACCOUNT: &str = "/account";
/// The attribute that holds the address, unless the configuration says otherwise.
const EMAIL: &str = "email";

impl Provider {
    /// Tells a person something by e-mail: queued in the transaction of what it tells of, sent afterwards.
    ///
    /// A letter that cannot be written stops nothing: the log says so.
    ///
    /// # Errors
    /// The database's.
    pub fn queue_mail(
        &self,
        tx: &mut DbConn,
        person: &Account,
        letter: &Letter,
    ) -> Result<Queued, StoreError> {
        let default = [EMAIL.to_owned()];
        let sender = Sender {
            key: &self.shared.key_encryption_key,
            settings: self.shared.server.mail.as_ref(),
            name: self.display_name(),
            account_url: &self.url_of(ACCOUNT),
            address_attributes: self.address_attributes().unwrap_or(&default),
            now: self.now(),
        };
        match mail::queue(tx, &sender, person, letter) {
            Err(MailError::Store(error)) => Err(error),
            Err(error) => {
                let kind = letter.kind();
                log::error!("event=mail.not_written kind={kind} reason={error:?}");
                Ok(Queued::Nobody)
            }
            Ok(queued) => Ok(queued),
        }
    }

    /// As [`Provider::queue_mail`], for whoever has the person's key only.
    ///
    /// # Errors
    /// As there.
    pub fn queue_mail_to(
        &self,
        tx: &mut DbConn,
        person: &AccountId,
        letter: &Letter,
    ) -> Result<Queued, StoreError> {
        match account::find(tx, person)? {
            Some(person) => self.queue_mail(tx, &person, letter),
            None => Ok(Queued::Nobody),
        }
    }

    /// Where mails to a person go; `None` for whoever gets none here.
    #[must_use]
    pub fn mail_address(&self, person: &Account) -> Option<String> {
        self.shared.server.mail.as_ref()?;
        let default = [EMAIL.to_owned()];
        mail::address_of(person, self.address_attributes().unwrap_or(&default))
    }

    fn address_attributes(&self) -> Option<&[String]> {
        let map = self.settings.attributes.as_ref()?;
        map.get(EMAIL).map(Vec::as_slice)
    }
}
