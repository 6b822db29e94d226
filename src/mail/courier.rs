//! The way out: due mails, one after the other, over one conversation.

use super::letter::Letter;
use super::smtp::{Conversation, Failure, message};
use super::{MailError, open};
use crate::clock::Clock;
use crate::config::{MailDelivery, MailSettings, SmtpSettings};
use crate::jose::KeyEncryptionKey;
use crate::model::{MailMessage, MailState};
use crate::random;
use crate::store::{Store, StoreError, mail_message};
use lettre::message::Mailbox;

/// A sender that died is replaced after this time; longer than any attempt.
const CLAIM_SECONDS: i64 = 180;
/// Mails of one turn.
const BATCH: u32 = 50;
/// The first wait after a failure; every further one is twice as long.
const FIRST_WAIT_SECONDS: i64 = 15;
/// No wait is longer: a server that comes back is found.
const LONGEST_WAIT_SECONDS: i64 = 3_600;

/// What a turn did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Taken by the server.
    pub sent: u32,
    /// To be tried again.
    pub postponed: u32,
    /// Never to be tried again.
    pub failed: u32,
}

/// Carries mails away; each node has one.
pub struct Courier<'a> {
    /// Where they wait.
    pub store: &'a Store,
    /// Opens them.
    pub key: &'a KeyEncryptionKey,
    /// Where they go.
    pub settings: &'a MailSettings,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// What becomes of a claimed mail.
enum Outcome {
    Sent,
    Again(String),
    GivenUp(String),
}

impl Courier<'_> {
    /// Sends what is due; several nodes may do so at once.
    ///
    /// # Errors
    /// The database failed: what was not finished is tried again by whoever claims it next.
    pub async fn turn(&self) -> Result<Round, StoreError> {
        let mut round = Round::default();
        let now = self.clock.now();
        let due = self
            .store
            .read(move |conn| mail_message::due(conn, now, BATCH))
            .await?;
        let mut conversation = None;
        for id in due {
            let claim = random::identifier();
            let Some(mail) = self.claim(&id, &claim).await? else {
                continue;
            };
            let (outcome, server_is_gone) = self.attempt(&mail, &mut conversation).await;
            self.settle(&mail, &claim, outcome, &mut round).await?;
            if server_is_gone {
                break;
            }
        }
        if let Some(open) = conversation {
            open.close().await;
        }
        Ok(round)
    }

    async fn claim(&self, id: &str, claim: &str) -> Result<Option<MailMessage>, StoreError> {
        let (id, claim, now) = (id.to_owned(), claim.to_owned(), self.clock.now());
        let until = now.plus_seconds(CLAIM_SECONDS);
        self.store
            .write(move |tx| mail_message::claim(tx, &id, &claim, now, until))
            .await
    }

    /// The outcome, and whether the server is gone.
    async fn attempt(
        &self,
        mail: &MailMessage,
        conversation: &mut Option<Conversation>,
    ) -> (Outcome, bool) {
        let late = self.clock.now() >= mail.give_up_at;
        if late && Letter::is_worthless_late(&mail.kind) {
            return (Outcome::GivenUp("too late to be of use".to_owned()), false);
        }
        let text = match open(self.key, mail) {
            Ok(text) => text,
            Err(error @ (MailError::Seal(..) | MailError::Unreadable(_))) => {
                return (Outcome::GivenUp(error.to_string()), false);
            }
            Err(error) => return (Outcome::Again(error.to_string()), false),
        };
        let MailDelivery::Smtp(server) = &self.settings.delivery else {
            return (Outcome::Sent, false);
        };
        let Ok(from) = self.settings.from.parse::<Mailbox>() else {
            return (Outcome::Again("the sender is no address".to_owned()), true);
        };
        let Some(message) = message(&mail.id, &text, &from, mail.created_at) else {
            return (Outcome::GivenUp("the address is none".to_owned()), false);
        };
        let sent = match conversing(conversation, server, &from).await {
            Ok(open) => {
                let sent = open.send(&message).await;
                if open.is_over() {
                    *conversation = None;
                }
                sent
            }
            Err(failure) => Err(failure),
        };
        match sent {
            Ok(()) => (Outcome::Sent, false),
            Err(Failure::Permanent(reason)) => (Outcome::GivenUp(reason), false),
            Err(Failure::Temporary(reason)) => (again_or_never(mail, late, reason), false),
            Err(Failure::NoServer(reason)) => {
                *conversation = None;
                (again_or_never(mail, late, reason), true)
            }
        }
    }

    async fn settle(
        &self,
        mail: &MailMessage,
        claim: &str,
        outcome: Outcome,
        round: &mut Round,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let (id, kind, attempts) = (mail.id.clone(), &mail.kind, mail.attempts);
        let claim = claim.to_owned();
        let kept = match outcome {
            Outcome::Sent => {
                round.sent += 1;
                log::info!("event=mail.sent mail={id} kind={kind} attempt={attempts}");
                self.store
                    .write(move |tx| {
                        mail_message::finish(tx, (&id, &claim), MailState::Sent, None, now)
                    })
                    .await?
            }
            Outcome::Again(reason) => {
                round.postponed += 1;
                let until = now.plus_seconds(wait_after(attempts));
                log::warn!(
                    "event=mail.postponed mail={id} kind={kind} attempt={attempts} until={} reason={reason:?}",
                    until.to_rfc3339()
                );
                self.store
                    .write(move |tx| mail_message::postpone(tx, (&id, &claim), &reason, until))
                    .await?
            }
            Outcome::GivenUp(reason) => {
                round.failed += 1;
                log::error!(
                    "event=mail.given_up mail={id} account={} kind={kind} attempt={attempts} reason={reason:?}",
                    mail.account
                );
                self.store
                    .write(move |tx| {
                        let failed = MailState::Failed;
                        mail_message::finish(tx, (&id, &claim), failed, Some(&reason), now)
                    })
                    .await?
            }
        };
        if !kept {
            log::warn!("event=mail.taken_over mail={}", mail.id);
        }
        Ok(())
    }
}

/// The conversation that is open, or a new one.
async fn conversing<'a>(
    conversation: &'a mut Option<Conversation>,
    server: &SmtpSettings,
    from: &Mailbox,
) -> Result<&'a mut Conversation, Failure> {
    let open = match conversation.take() {
        Some(open) => open,
        None => Conversation::open(server, from).await?,
    };
    Ok(conversation.insert(open))
}

/// Whoever was away so long that the time for a mail had passed tries once all the same: nothing is lost unsent.
fn again_or_never(mail: &MailMessage, late: bool, reason: String) -> Outcome {
    if late {
        log::debug!("event=mail.late mail={}", mail.id);
        Outcome::GivenUp(reason)
    } else {
        Outcome::Again(reason)
    }
}

/// Seconds until the next attempt.
pub(super) fn wait_after(attempts: i64) -> i64 {
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 20)).unwrap_or(20);
    FIRST_WAIT_SECONDS
        .saturating_mul(2_i64.saturating_pow(doublings))
        .min(LONGEST_WAIT_SECONDS)
}
