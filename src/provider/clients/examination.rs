//! Everything that there is to say of an RP: the evaluation of its trust, the provider's verdict, the conformance report.
//!
//! The verdict is the registration's own, from the very facts that it judges; the report adds what an examiner would say.
//!
//! ```text
//! cached: a row that logins use ─► accepted        fresh: the chain, its metadata and keys are asked for anew
//!         a refusal remembered  ─► refused                 ├─ a known RP's row is renewed
//!         else as fresh, with the resolver's caches        └─ a refusal is remembered for half a minute
//! ```

use super::key_look_up::registered_address;
use super::memory::REFUSED;
use super::registration::trust_of;
use super::{ClientError, Provider};
use crate::clock::UtcTime;
use crate::federation::evaluation::{Recorder, Remembered};
use crate::federation::{EntityId, Evaluated, Evaluation, Recheck, Resolved, TrustSettings};
use crate::jose::{KeySet, shown};
use crate::model::{ClientId, ClientMetadata, Origin, RelyingParty};
use crate::profile::conformance::{self, Configuration, Examined, Row};
use crate::profile::metadata::{self, MisshapenMetadata};
use crate::profile::{MetadataFacts, RegistrationType};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Examinations of an issuer at a time: each may cost dozens of fetches.
pub(in crate::provider) const EXAMINATIONS: usize = 4;

/// An RP, examined.
#[derive(Debug)]
pub struct Examination {
    /// Its `client_id`.
    pub client_id: ClientId,
    /// When it was examined.
    pub checked_at: UtcTime,
    /// Why its next login would be refused; none: it would not.
    pub refusal: Option<ClientError>,
    /// Why what was looked at now would be refused, although logins go on until `known.expires_at` with what was found
    /// before (SPID/CIE FE-4).
    pub renewal_refusal: Option<ClientError>,
    /// What is kept of it.
    pub known: Option<KnownRow>,
    /// What was looked at; nothing where what is kept decides.
    pub evaluation: Evaluation,
    /// Until when the chain that was looked at holds.
    pub expires_at: Option<UtcTime>,
    /// The rows of the report; none when nothing of it could be read.
    pub report: Vec<Row>,
}

/// What is kept of an RP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownRow {
    /// `federation`, `explicit` or `registered`: how it became known.
    pub origin: &'static str,
    /// Whether an operator lets it in.
    pub enabled: bool,
    /// When its chain was resolved; none for one that an operator registered.
    pub resolved_at: Option<UtcTime>,
    /// Until when it counts; none: always.
    pub expires_at: Option<UtcTime>,
}

/// Too many examinations are under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{EXAMINATIONS} relying parties are being examined already; try again in a moment")]
pub struct TooManyExaminations;

/// What was found of an RP, for the report.
#[derive(Default)]
struct Seen {
    recorder: Recorder,
    known: Option<KnownRow>,
    /// Why a renewal would fail, while the row still counts.
    renewal_refusal: Option<ClientError>,
    evaluation: Evaluation,
    expires_at: Option<UtcTime>,
    /// Its entity configuration, where it can be read.
    configuration: Option<Configuration>,
    /// What was judged; none when there was no chain that holds, or no keys.
    facts: Option<Result<MetadataFacts, MisshapenMetadata>>,
}

impl Provider {
    /// Examines an RP, known or not. [`Recheck::Cached`] changes nothing that logins use. What [`Recheck::Fresh`] learns
    /// counts for the next login. Bounded like any resolution.
    ///
    /// # Errors
    /// Others are being examined. That the RP is refused is no error.
    pub async fn examine(
        &self,
        client_id: &ClientId,
        recheck: Recheck,
    ) -> Result<Examination, TooManyExaminations> {
        self.examine_to(client_id, recheck, &Recorder::writing())
            .await
    }

    /// As [`Provider::examine`], for somebody who looks on: what is written can be read while it is.
    ///
    /// # Errors
    /// As there.
    pub async fn examine_to(
        &self,
        client_id: &ClientId,
        recheck: Recheck,
        recorder: &Recorder,
    ) -> Result<Examination, TooManyExaminations> {
        let slot = self.examinations.try_acquire();
        let _slot = slot.map_err(|_| TooManyExaminations)?;
        let checked_at = self.now();
        let mut seen = Seen {
            recorder: recorder.clone(),
            ..Seen::default()
        };
        let judged = self.look(client_id, recheck, &mut seen).await;
        let report = self.report(client_id, checked_at, &mut seen);
        Ok(Examination {
            client_id: client_id.clone(),
            checked_at,
            refusal: judged.err(),
            renewal_refusal: seen.renewal_refusal,
            known: seen.known,
            evaluation: seen.evaluation,
            expires_at: seen.expires_at,
            report,
        })
    }

    async fn look(
        &self,
        client_id: &ClientId,
        recheck: Recheck,
        seen: &mut Seen,
    ) -> Result<(), ClientError> {
        let row = self.find_row(client_id).await?;
        seen.known = row.as_ref().map(KnownRow::of);
        let row = match row {
            Some(row) if self.decides(&row, recheck) => return self.look_at_row(row, seen),
            Some(row) if matches!(row.origin, Origin::Registered) => {
                return self.look_at_keys(row, seen).await;
            }
            row => row,
        };
        let resolves = self.profile.federation.registration == RegistrationType::Automatic;
        let disabled = row.as_ref().is_some_and(|row| !row.enabled);
        let counts = row.as_ref().is_some_and(|row| self.counts(row));
        let judged = match resolves {
            true => self.look_anew(client_id, (row, recheck), seen).await,
            false => {
                self.look_at_applicant(client_id, (row, recheck), seen)
                    .await
            }
        };
        match judged {
            _ if disabled => Err(ClientError::Disabled),
            // Our own outage is ours for logins too.
            Err(error) if counts && !matches!(error, ClientError::Store(_)) => {
                seen.renewal_refusal = Some(error);
                Ok(())
            }
            judged => judged,
        }
    }

    /// Whether nobody else is asked: a login is answered from this row alone.
    fn decides(&self, row: &RelyingParty, recheck: Recheck) -> bool {
        match (&row.origin, recheck) {
            (Origin::Registered, Recheck::Fresh) => registered_address(row).is_none(),
            (Origin::Registered | Origin::Explicit(_), Recheck::Cached) => true,
            (Origin::Federation(_), Recheck::Cached) => !row.enabled || self.counts(row),
            (Origin::Federation(_) | Origin::Explicit(_), Recheck::Fresh) => false,
        }
    }

    /// One that an operator registered, whose keys are at an address: they are fetched; until that works those count that
    /// were found before.
    async fn look_at_keys(&self, row: RelyingParty, seen: &mut Seen) -> Result<(), ClientError> {
        let found = self.ask_registered(&row, &seen.recorder).await;
        let (row, failure) = match found {
            Ok(known) => (known.party.clone(), None),
            Err(error) => (row, Some(error)),
        };
        let has_none = self.decode(row.clone())?.keys.keys().is_empty();
        let judged = self.look_at_row(row, seen);
        seen.evaluation.fetches = seen.recorder.fetches();
        match failure {
            // Our own outage, or the operator's switch, is no matter of keys.
            Some(ours @ ClientError::Store(_)) => Err(ours),
            Some(error) if judged.is_ok() && has_none => Err(error),
            Some(error) if judged.is_ok() => {
                seen.renewal_refusal = Some(error);
                Ok(())
            }
            Some(_) | None => judged,
        }
    }

    fn look_at_row(&self, row: RelyingParty, seen: &mut Seen) -> Result<(), ClientError> {
        let judged = match &row.origin {
            _ if !row.enabled => Err(ClientError::Disabled),
            Origin::Explicit(trust) if !self.counts(&row) => {
                Err(ClientError::RegistrationExpired(trust.expires_at))
            }
            Origin::Federation(_) | Origin::Explicit(_) | Origin::Registered => Ok(()),
        };
        let known = self.decode(row)?;
        let kept = match &known.party.origin {
            Origin::Federation(trust) => {
                let statement = trust.chain.first().map(String::as_str);
                let (header, claims) = shown(statement.unwrap_or_default(), usize::MAX);
                seen.configuration = Configuration::read(&header, &claims);
                trust.metadata.clone()
            }
            // Its chain begins with a registration request, which is shown to nobody.
            Origin::Explicit(_) | Origin::Registered => stated(&known.party.metadata),
        };
        let trust = known.party.origin.trust();
        seen.expires_at = trust.map(|trust| trust.expires_at);
        seen.evaluation.final_metadata = Some(kept);
        seen.facts = Some(Ok(self.facts(known.party.metadata, known.keys)));
        judged
    }

    /// Where the first request registers RPs: as that request would do it.
    async fn look_anew(
        &self,
        client_id: &ClientId,
        (row, recheck): (Option<RelyingParty>, Recheck),
        seen: &mut Seen,
    ) -> Result<(), ClientError> {
        let (trust, subject) = self.subject(client_id)?;
        let remembered = self.clients.refusal(client_id, self.shared.clock.elapsed());
        let judged = match remembered.filter(|_| recheck == Recheck::Cached) {
            Some((error, left)) => {
                seen.evaluation.remembered = Some(self.remembered(left));
                Err(error)
            }
            None => self.resolve_anew(trust, &subject, recheck, seen).await,
        };
        let judged = match (judged, recheck) {
            (judged, Recheck::Cached) => judged.map(drop),
            (Ok((party, resolved)), Recheck::Fresh) => {
                self.clients.accept(client_id);
                match row.is_some() {
                    true => {
                        let kept = self.keep(party, &resolved).await;
                        let row = self.find_row(client_id).await?;
                        seen.known = row.as_ref().map(KnownRow::of);
                        kept.map(drop)
                    }
                    false => Ok(()),
                }
            }
            (Err(error), Recheck::Fresh) => {
                // The resolver remembers a chain that fails; what failed before it does not count any more.
                self.clients.accept(client_id);
                if seen.expires_at.is_some() {
                    self.clients
                        .refuse(client_id, self.shared.clock.elapsed(), &error);
                }
                Err(error)
            }
        };
        match (judged, row.map(|row| (self.counts(&row), row.origin))) {
            (Err(error), Some((false, Origin::Federation(trust)))) => {
                Err(self.ended(client_id, trust.expires_at, Some(error)).await)
            }
            (judged, _) => judged,
        }
    }

    /// A refusal of the provider's memory that counts for so long yet.
    fn remembered(&self, left: Duration) -> Remembered {
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        let until = self.now().plus_seconds(seconds(left));
        Remembered {
            since: until.plus_seconds(seconds(REFUSED).saturating_neg()),
            until,
        }
    }

    /// Where RPs register themselves: whether a registration would find that the chain holds; logins need a row.
    async fn look_at_applicant(
        &self,
        client_id: &ClientId,
        (row, recheck): (Option<RelyingParty>, Recheck),
        seen: &mut Seen,
    ) -> Result<(), ClientError> {
        let trust = self.trust.as_ref().ok_or(ClientError::Unknown)?;
        // Here a client_id may be any text: one that is no entity is just not known.
        let subject = EntityId::parse(client_id.as_str(), trust.development);
        if let (Ok(subject), Recheck::Fresh) = (subject, recheck) {
            self.resolve_anew(trust, &subject, recheck, seen).await?;
        }
        match row {
            Some(row) if self.counts(&row) => Ok(()),
            Some(row) => Err(match row.origin {
                Origin::Explicit(trust) => ClientError::RegistrationExpired(trust.expires_at),
                Origin::Federation(_) | Origin::Registered => ClientError::Unknown,
            }),
            None => Err(ClientError::Unknown),
        }
    }

    async fn resolve_anew(
        &self,
        trust: &TrustSettings,
        subject: &EntityId,
        recheck: Recheck,
        seen: &mut Seen,
    ) -> Result<(RelyingParty, Arc<Resolved>), ClientError> {
        let client_id = ClientId::new(subject.as_str());
        let settings = self.tolerant(trust, &client_id).await?;
        let resolver = &self.shared.resolver;
        let look = (recheck, &seen.recorder);
        let evaluated = resolver.explain_to(&settings, subject, look).await;
        let Evaluated {
            evaluation,
            outcome,
            keys,
        } = evaluated;
        let own = evaluation.statements.iter().find(|statement| {
            let of_itself = statement.issuer == statement.subject;
            of_itself && statement.subject == subject.as_str()
        });
        seen.configuration = own.and_then(|own| Configuration::read(&own.header, &own.claims));
        seen.evaluation = evaluation;
        let untrusted = |error| ClientError::Trust(Arc::new(error));
        let resolved = outcome.map_err(untrusted)?;
        seen.expires_at = Some(resolved.expires_at);
        let metadata = metadata::of_entity(&resolved.metadata).map_err(|misshapen| {
            seen.facts = Some(Err(misshapen.clone()));
            ClientError::Metadata(misshapen)
        })?;
        // A chain that holds has metadata of the type that keys are looked for in.
        let keys = keys.unwrap_or_else(|| Ok(KeySet::default()));
        let facts = self.facts(metadata, keys.map_err(untrusted)?);
        seen.facts = Some(Ok(facts.clone()));
        self.judged(&facts)?;
        let origin = Origin::Federation(trust_of(&resolved));
        Ok((self.party(&client_id, origin, facts), resolved))
    }

    fn report(&self, client_id: &ClientId, now: UtcTime, seen: &mut Seen) -> Vec<Row> {
        let configuration = seen.configuration.take();
        if configuration.is_none() && seen.facts.is_none() {
            return Vec::new();
        }
        let own_word = configuration.as_ref().and_then(|configuration| {
            let metadata = configuration.claims.get("metadata")?;
            metadata.as_object().cloned()
        });
        let last = seen.evaluation.final_metadata.clone();
        let declared = seen.evaluation.declared_metadata.clone().or(own_word);
        let declared = declared.or_else(|| last.clone()).unwrap_or_default();
        let last = last.unwrap_or_else(|| declared.clone());
        // Without a chain that holds, what the RP says of itself is judged.
        let judged = seen.facts.take();
        let inline = inline_keys(&last);
        let keys_were_read = judged.is_some() || inline.is_some();
        let facts = judged.unwrap_or_else(|| {
            let parsed = metadata::of_entity(&last);
            parsed.map(|parsed| self.facts(parsed, inline.unwrap_or_default()))
        });
        let trust = self.trust.as_ref();
        let required = trust.map(|trust| trust.required_trust_marks.clone());
        let mut report = conformance::report(&Examined {
            entity_id: client_id.to_string(),
            profile: self.profile,
            development: self.shared.server.development,
            now,
            required_trust_marks: required.unwrap_or_default(),
            configuration,
            declared,
            last,
            facts,
            keys_were_read,
        });
        let registered = seen.known.as_ref();
        if registered.is_some_and(|known| known.origin == REGISTERED) {
            // No login judges what an operator wrote.
            report.iter_mut().for_each(|row| row.refuses_logins = false);
        }
        report
    }
}

const REGISTERED: &str = "registered";

impl KnownRow {
    fn of(row: &RelyingParty) -> Self {
        let trust = row.origin.trust();
        Self {
            origin: match &row.origin {
                Origin::Federation(_) => "federation",
                Origin::Explicit(_) => "explicit",
                Origin::Registered => REGISTERED,
            },
            enabled: row.enabled,
            resolved_at: trust.map(|trust| trust.resolved_at),
            expires_at: trust.map(|trust| trust.expires_at),
        }
    }
}

/// The keys that need no fetch; none where others are meant, or these cannot be read.
fn inline_keys(metadata: &Map<String, Value>) -> Option<KeySet> {
    let stated = |member: &str| metadata.get("openid_relying_party")?.get(member);
    match stated("jwks") {
        Some(jwks) => KeySet::from_json(jwks).ok(),
        None if stated("signed_jwks_uri").or(stated("jwks_uri")).is_some() => None,
        None => Some(KeySet::default()),
    }
}

/// The metadata of a row, without what says nothing.
fn stated(metadata: &ClientMetadata) -> Map<String, Value> {
    let mut members = match serde_json::to_value(metadata.without_secrets()) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    };
    members.retain(|_, value| {
        let says_nothing = value.is_null() || *value == json!([]) || *value == json!({});
        !says_nothing
    });
    let entry = ("openid_relying_party".to_owned(), Value::Object(members));
    std::iter::once(entry).collect()
}
