//! Letters to the people of an issuer.

use super::Provider;
use crate::clock::UtcTime;
use crate::config::{IssuerSettings, MailSettings, ServerSettings};
use crate::jose::KeyEncryptionKey;
use crate::mail::{self, Letter, MailError, Queued, Sender};
use crate::model::{Account, AccountId};
use crate::profile::Profile;
use crate::store::{DbConn, StoreError, account};

/// Where the citizen's account is, below the issuer.
const ACCOUNT: &str = "/account";
/// The attribute that holds the address, unless the configuration says otherwise.
const EMAIL: &str = "email";

/// In whose name letters are written; known without serving the issuer, for commands.
#[derive(Clone, Copy, Debug)]
pub struct Letterhead<'a> {
    issuer: &'a IssuerSettings,
    settings: Option<&'a MailSettings>,
}

impl<'a> Letterhead<'a> {
    /// An issuer's. People have one registry for all of them: what is told by operators is in the first one's name.
    #[must_use]
    pub fn of(server: &'a ServerSettings, issuer: &'a IssuerSettings) -> Self {
        Self {
            issuer,
            settings: server.mail.as_ref(),
        }
    }

    /// Tells a person something by e-mail: queued in the transaction of what it tells of, sent afterwards.
    ///
    /// A letter that cannot be written stops nothing: the log says so.
    ///
    /// # Errors
    /// The database's.
    pub fn queue(
        self,
        tx: &mut DbConn,
        (key, now): (&KeyEncryptionKey, UtcTime),
        person: &Account,
        letter: &Letter,
    ) -> Result<Queued, StoreError> {
        let issuer = self.issuer;
        let sender = Sender {
            key,
            settings: self.settings,
            name: name_of(issuer, Profile::find(issuer.profile.as_str())),
            account_url: &format!("{}{ACCOUNT}", issuer.id.trim_end_matches('/')),
            address_attributes: &self.address_attributes(),
            now,
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

    /// Where mails to a person go; `None` for whoever gets none.
    #[must_use]
    pub fn address(self, person: &Account) -> Option<String> {
        self.settings?;
        mail::address_of(person, &self.address_attributes())
    }

    /// Whether another address, or none any more, is written where mails to a person would go.
    #[must_use]
    pub fn address_differs(self, before: &Account, after: &Account) -> bool {
        let attributes = self.address_attributes();
        mail::written_address(before, &attributes) != mail::written_address(after, &attributes)
    }

    fn address_attributes(self) -> Vec<String> {
        let map = self.issuer.attributes.as_ref();
        let named = map.and_then(|map| map.get(EMAIL));
        named.map_or_else(|| vec![EMAIL.to_owned()], Clone::clone)
    }
}

/// What people call an issuer.
pub(super) fn name_of<'a>(issuer: &'a IssuerSettings, profile: Option<&'a Profile>) -> &'a str {
    let name = issuer.organization_name.as_deref();
    let name = name.or(issuer.branding.name.as_deref());
    name.or(profile.map(|profile| profile.brand))
        .unwrap_or(&issuer.id)
}

impl Provider {
    fn letterhead(&self) -> Letterhead<'_> {
        Letterhead::of(&self.shared.server, &self.settings)
    }

    /// As [`Letterhead::queue`], of this issuer.
    ///
    /// # Errors
    /// The database's.
    pub fn queue_mail(
        &self,
        tx: &mut DbConn,
        person: &Account,
        letter: &Letter,
    ) -> Result<Queued, StoreError> {
        let with = (&self.shared.key_encryption_key, self.now());
        self.letterhead().queue(tx, with, person, letter)
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
        self.letterhead().address(person)
    }
}
