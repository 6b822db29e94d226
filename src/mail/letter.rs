//! What mails say: each what happened, when, from where, and what to do if it was somebody else.

use super::{DAY_SECONDS, MailError, Sender};
use crate::clock::UtcTime;
use crate::language::Locale;
use crate::language::catalog::{Arguments, translate};
use crate::language::dates;
use crate::model::{Account, ClientId, GrantId};
use crate::secret::{self, Secret};
use fluent_bundle::FluentValue;
use std::borrow::Cow;

/// After so long a mail server that does not answer is no longer asked.
pub(super) const PATIENCE_SECONDS: i64 = 5 * DAY_SECONDS;
/// Characters of a name that came from outside.
const MOST_CHARACTERS: usize = 200;

/// Where something was done from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The browser in few words.
    pub browser: String,
    /// The address.
    pub address: String,
}

/// What changed about an account's protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorChange {
    /// A second factor was added.
    Added,
    /// One was removed.
    Removed,
    /// New recovery codes took the place of the old ones.
    RecoveryRenewed,
    /// A recovery code was used.
    RecoveryUsed,
    /// The password is another one.
    Password,
    /// An operator removed every second factor.
    Reset,
    /// An operator changed or removed the address, to which codes and these letters go.
    Email,
    /// An operator changed the fiscal number, by which services and certificates know the person.
    FiscalNumber,
}

impl FactorChange {
    /// Every change.
    pub const ALL: [Self; 8] = [
        Self::Added,
        Self::Removed,
        Self::RecoveryRenewed,
        Self::RecoveryUsed,
        Self::Password,
        Self::Reset,
        Self::Email,
        Self::FiscalNumber,
    ];

    fn kind(self) -> &'static str {
        match self {
            Self::Added => "factor_added",
            Self::Removed => "factor_removed",
            Self::RecoveryRenewed => "recovery_renewed",
            Self::RecoveryUsed => "recovery_used",
            Self::Password => "password_changed",
            Self::Reset => "factors_reset",
            Self::Email => "email_changed",
            Self::FiscalNumber => "fiscal_number_changed",
        }
    }
}

/// A mail to a person.
#[derive(Clone, Debug)]
pub enum Letter {
    /// Somebody logged in with a browser that the person has not used before. At most one mail an address, browser and
    /// day.
    NewDevice {
        /// From where.
        origin: Origin,
    },
    /// A relying party used the access that outlives the session (SPID/CIE AZ-10). At most one mail an RP and day.
    OfflineAccessUsed {
        /// Who.
        client_id: ClientId,
        /// What people call it.
        rp_name: String,
    },
    /// The account is protected otherwise than before.
    FactorChanged {
        /// How.
        change: FactorChange,
        /// The name that the person gave to the factor; empty for none.
        name: String,
        /// From where; absent: an operator did it.
        origin: Option<Origin>,
    },
    /// What a relying party may do ends soon. Once each.
    ConsentExpiring {
        /// What ends.
        grant: GrantId,
        /// Who has it.
        rp_name: String,
        /// When it ends.
        until: UtcTime,
    },
    /// A one-time code to log in with.
    EmailCode {
        /// The code.
        code: Secret<String>,
        /// How long it works; after that it is not sent any more.
        valid_seconds: i64,
        /// What people call the relying party that the login is for.
        rp_name: String,
        /// From where it was asked for.
        origin: Origin,
    },
}

impl Letter {
    /// Which one, for the database and the log; the messages are `mail-KIND-…`, with hyphens.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NewDevice { .. } => "new_device",
            Self::OfflineAccessUsed { .. } => "offline_access_used",
            Self::FactorChanged { change, .. } => change.kind(),
            Self::ConsentExpiring { .. } => "consent_expiring",
            Self::EmailCode { .. } => "email_code",
        }
    }

    /// How long it is worth trying to send it.
    pub(super) fn useful_seconds(&self) -> i64 {
        match self {
            Self::EmailCode { valid_seconds, .. } => *valid_seconds,
            _ => PATIENCE_SECONDS,
        }
    }

    /// Whether a mail of this kind is worthless when it is late.
    pub(super) fn is_worthless_late(kind: &str) -> bool {
        kind == "email_code"
    }

    /// What at most one mail tells of.
    pub(super) fn distinct(&self, person: &Account, now: UtcTime) -> Option<[u8; 32]> {
        let day = now.0.div_euclid(DAY_SECONDS);
        let what = match self {
            // A browser that keeps no cookies is not told of every time.
            Self::NewDevice { origin } => format!("{day} {} {}", origin.address, origin.browser),
            Self::OfflineAccessUsed { client_id, .. } => format!("{day} {client_id}"),
            Self::ConsentExpiring { grant, .. } => grant.to_string(),
            Self::FactorChanged { .. } | Self::EmailCode { .. } => return None,
        };
        let text = format!("{} {} {what}", self.kind(), person.id);
        Some(secret::sha256(text.as_bytes()))
    }

    /// Subject and text.
    pub(super) fn write(
        &self,
        locale: Locale,
        sender: &Sender<'_>,
    ) -> Result<(String, String), MailError> {
        let messages = Messages {
            locale,
            prefix: format!("mail-{}", self.kind().replace('_', "-")),
            arguments: self.arguments(locale, sender),
        };
        let mut paragraphs = vec![
            messages.common("greeting")?,
            messages.own("what")?,
            messages.common("when")?,
        ];
        if self.name().is_some() {
            paragraphs.push(messages.common("named")?);
        }
        if self.origin().is_some() {
            paragraphs.push(messages.common("where")?);
        }
        paragraphs.push(messages.own("advice")?);
        // A letter with a code is what others imitate: it never has a link, so that a link in one is suspicious.
        if !matches!(self, Self::EmailCode { .. }) {
            paragraphs.push(messages.common("account")?);
        }
        paragraphs.push(messages.common("footer")?);
        Ok((messages.own("subject")?, paragraphs.join("\n\n") + "\n"))
    }

    fn origin(&self) -> Option<&Origin> {
        match self {
            Self::NewDevice { origin } | Self::EmailCode { origin, .. } => Some(origin),
            Self::FactorChanged { origin, .. } => origin.as_ref(),
            Self::OfflineAccessUsed { .. } | Self::ConsentExpiring { .. } => None,
        }
    }

    /// What the person called the factor.
    fn name(&self) -> Option<&str> {
        match self {
            Self::FactorChanged { name, .. } => Some(name.as_str()).filter(|name| !name.is_empty()),
            _ => None,
        }
    }

    fn arguments(&self, locale: Locale, sender: &Sender<'_>) -> Arguments {
        let mut arguments = Arguments::new();
        let mut put = |name: &'static str, value: String| {
            arguments.insert(Cow::Borrowed(name), FluentValue::from(value));
        };
        put("issuer", one_line(sender.name));
        put("url", sender.account_url.to_owned());
        put("when", dates::date_time(locale, sender.now));
        if let Some(origin) = self.origin() {
            put("browser", one_line(&origin.browser));
            put("address", one_line(&origin.address));
        }
        match self {
            Self::NewDevice { .. } => {}
            Self::OfflineAccessUsed { rp_name, .. } => put("rp", one_line(rp_name)),
            Self::FactorChanged { name, .. } => put("name", one_line(name)),
            Self::ConsentExpiring { rp_name, until, .. } => {
                put("rp", one_line(rp_name));
                put("until", dates::date_time(locale, *until));
            }
            Self::EmailCode {
                code,
                valid_seconds,
                rp_name,
                ..
            } => {
                put("rp", one_line(rp_name));
                put("code", code.expose().clone());
                put("minutes", valid_seconds.div_euclid(60).max(1).to_string());
            }
        }
        arguments
    }
}

struct Messages {
    locale: Locale,
    prefix: String,
    arguments: Arguments,
}

impl Messages {
    fn own(&self, part: &str) -> Result<String, MailError> {
        self.text(&format!("{}-{part}", self.prefix))
    }

    fn common(&self, part: &str) -> Result<String, MailError> {
        self.text(&format!("mail-{part}"))
    }

    fn text(&self, key: &str) -> Result<String, MailError> {
        Ok(translate(self.locale, key, &self.arguments)?)
    }
}

/// Names come from relying parties and browsers: no line of theirs becomes one of ours.
fn one_line(text: &str) -> String {
    let plain: String = text
        .chars()
        .take(MOST_CHARACTERS)
        .map(|letter| {
            // Also the marks that turn the direction of writing round, with which one address can look like another.
            let hidden = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if letter.is_control() || hidden { ' ' } else { letter }
        })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
