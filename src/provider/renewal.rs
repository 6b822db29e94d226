//! Resolving known RPs anew: before their chains end (SPID/CIE FE-4), and where mark issuers are asked, often enough to
//! notice that a mark was revoked (SPID/CIE TM-2).

use super::{ClientError, Provider};
use crate::clock::UtcTime;
use crate::federation::{TrustError, TrustErrorCode, TrustMarkStatus};
use crate::model::{ClientId, IssuerId};
use crate::store::client::{self, Due};
use crate::store::{DbConn, StoreError};
use std::collections::HashMap;

/// A chain is renewed when it ends within this time (SPID/CIE FE-4).
const RENEWAL_SECONDS: i64 = 900;
/// A revoked mark is noticed within this time.
const RECHECK_SECONDS: i64 = 3600;
/// At most so many rows are looked at in one round.
const LOOKED_AT: u32 = 10_000;
/// After a failure an RP is left alone for this time, or half of what is left of its chain.
const PAUSE_SECONDS: i64 = 300;

/// What became of a renewal.
#[derive(Debug)]
pub enum Renewal {
    /// The new chain is stored.
    Renewed,
    /// The RP has no valid trust mark any more: it does not count from now on.
    Withdrawn(ClientError),
    /// The old chain counts until its end.
    Failed(ClientError),
}

/// The RPs whose renewal failed a moment ago.
#[derive(Debug, Default)]
pub struct Pauses(HashMap<(IssuerId, ClientId), UtcTime>);

impl Pauses {
    /// The RPs that are not left alone now.
    #[must_use]
    pub fn without(&mut self, due: Vec<Due>, now: UtcTime) -> Vec<Due> {
        self.0.retain(|_, until| now < *until);
        due.into_iter()
            .filter(|due| !self.0.contains_key(&key(due)))
            .collect()
    }

    /// After a failure.
    pub fn begin(&mut self, due: &Due, now: UtcTime) {
        let half = due.expires_at.seconds_since(now) / 2;
        let until = now.plus_seconds(half.clamp(0, PAUSE_SECONDS));
        self.0.insert(key(due), until);
    }
}

fn key(due: &Due) -> (IssuerId, ClientId) {
    (due.issuer.clone(), due.client_id.clone())
}

impl Provider {
    /// The RPs of this issuer that are to be resolved anew, the most urgent first.
    ///
    /// # Errors
    /// The database failed.
    pub fn due(&self, connection: &mut DbConn, now: UtcTime) -> Result<Vec<Due>, StoreError> {
        let until = now.plus_seconds(RENEWAL_SECONDS);
        let mut due = client::expiring_before(connection, &self.issuer, now, until, LOOKED_AT)?;
        if self.asks_mark_issuers() {
            let before = now.plus_seconds(-RECHECK_SECONDS);
            let old = client::resolved_before(connection, &self.issuer, now, before, LOOKED_AT)?;
            due.extend(old.into_iter().filter(|due| due.expires_at > until));
        }
        Ok(due)
    }

    /// Resolves an RP anew. Whatever could not be reached or does not hold keeps the old chain until its end; only a
    /// verdict on its marks ends it at once.
    pub async fn renew_due(&self, due: Due) -> Renewal {
        let error = match self.renew(&due.client_id).await {
            Ok(_) => return Renewal::Renewed,
            Err(error) => error,
        };
        let has_lost_its_mark = matches!(&error, ClientError::Trust(error) if self.asks_mark_issuers() && denies_marks(error));
        if !has_lost_its_mark {
            return Renewal::Failed(error);
        }
        let client_id = due.client_id.clone();
        let withdrawn: Result<bool, StoreError> = self
            .shared
            .store
            .write(move |tx| client::withdraw(tx, &due))
            .await;
        self.clients.forget(&client_id).await;
        match withdrawn {
            Ok(_) => Renewal::Withdrawn(error),
            Err(failure) => Renewal::Failed(failure.into()),
        }
    }

    fn asks_mark_issuers(&self) -> bool {
        self.trust.as_ref().is_some_and(|trust| {
            trust.trust_mark_status == TrustMarkStatus::Dynamic
                && !trust.required_trust_marks.is_empty()
        })
    }
}

/// The marks were looked at, and none holds.
fn denies_marks(error: &TrustError) -> bool {
    error.code() == TrustErrorCode::UnauthorizedClient
        && match error {
            TrustError::TrustMark { .. } => true,
            TrustError::NoPath { failures, .. } => failures.iter().any(denies_marks),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::federation::{Defect, RefusedMark};

    fn ending_in(seconds: i64) -> Due {
        Due {
            issuer: IssuerId::new("https://op.example.it"),
            client_id: ClientId::new("https://rp.example.it"),
            expires_at: UtcTime(seconds),
            updated_at: UtcTime(0),
        }
    }

    #[test]
    fn an_rp_that_fails_is_left_alone_for_five_minutes_or_half_its_time() {
        for (left, pause) in [(86_400, 300), (600, 300), (120, 60), (1, 0)] {
            let mut pauses = Pauses::default();
            let due = ending_in(left);
            pauses.begin(&due, UtcTime(0));
            let mut tried = |at| !pauses.without(vec![due.clone()], UtcTime(at)).is_empty();
            assert!(!tried(pause - 1) || pause == 0, "{left}");
            assert!(tried(pause), "{left}");
        }
    }

    #[test]
    fn only_a_verdict_on_marks_denies_them() {
        let mark = |temporary| TrustError::TrustMark {
            subject: "https://rp.example.it".into(),
            required: vec!["https://ta.example.it/public/".into()],
            refused: vec![RefusedMark {
                mark_type: "https://ta.example.it/public/".into(),
                issuer: "https://ta.example.it".into(),
                fact: "its issuer says that its status is revoked".into(),
                defect: Defect::Inactive,
                temporary,
            }],
        };
        let paths = |failures| TrustError::NoPath {
            subject: "https://rp.example.it".into(),
            failures,
        };
        let hintless = TrustError::NoAuthorityHints {
            entity: "https://rp.example.it".into(),
        };
        assert!(denies_marks(&mark(false)));
        assert!(denies_marks(&paths(vec![hintless.clone(), mark(false)])));
        assert!(!denies_marks(&mark(true)), "its issuer is out of reach");
        assert!(!denies_marks(&paths(vec![mark(true), mark(false)])));
        assert!(!denies_marks(&hintless));
    }
}
