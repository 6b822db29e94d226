//! How an issuer knows its relying parties: from [`memory`], from the database, through a trust chain.
//!
//! A login of a known RP costs one query for it at most, on any node, and nothing is fetched; [`memory`] says why an
//! operator's switch is obeyed all the same. [`key_look_up`] says what happens when an RP signs with a new key.

mod changes;
mod error;
mod examination;
mod explicit;
mod key_look_up;
mod memory;
mod registration;

pub use changes::follow_changes;
pub use error::{ClientError, EndedChain};
pub(super) use examination::EXAMINATIONS;
pub use examination::{Examination, KnownRow, TooManyExaminations};
pub use explicit::Applicant;
pub(super) use explicit::Applications;
pub(super) use key_look_up::KeyLookUps;
pub use memory::ClientStatistics;
pub(super) use memory::Memory;
pub(super) use registration::superior_in;

use super::Provider;
use crate::clock::UtcTime;
use crate::config::RpTolerance;
use crate::federation::evaluation::Recorder;
use crate::federation::{EntityId, Lane, Resolved, Source, TrustSettings};
use crate::jose::{KeySet, SignatureAlgorithm};
use crate::model::{ClientId, ClientMetadata, Origin, RelyingParty, RpToleranceOverride};
use crate::profile::{Profile, RegistrationType};
use crate::store::client;
use crate::store::renewal::{self, KEYS_SECONDS};
use key_look_up::registered_address;
use registration::times_of;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long somebody waits for a registration on behalf of another source; an RP that answers is registered by then.
const PATIENCE: Duration = Duration::from_secs(1);

/// An RP with its keys decoded.
#[derive(Debug)]
pub struct KnownClient {
    /// The row.
    pub party: RelyingParty,
    /// Its protocol keys.
    pub keys: KeySet,
    /// What is tolerated of it (SPID/CIE FE-12).
    pub tolerance: RpTolerance,
}

impl KnownClient {
    /// Its `client_id`.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.party.client_id
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> &ClientMetadata {
        &self.party.metadata
    }

    /// The signature algorithms that count: the one that the RP registered, or the profile's (OIDC Registration §2).
    #[must_use]
    pub fn algorithms(
        &self,
        profile: &Profile,
        registered: Option<&String>,
    ) -> Vec<SignatureAlgorithm> {
        profile
            .signature_algorithms
            .iter()
            .copied()
            .filter(|algorithm| registered.is_none_or(|name| name == algorithm.as_str()))
            .collect()
    }

    /// The name to show, in a language or at all.
    #[must_use]
    pub fn name(&self, language: &str) -> String {
        self.party
            .metadata
            .name_in(language)
            .unwrap_or(self.party.client_id.as_str())
            .to_owned()
    }
}

/// How far to go for an RP that is not known.
#[derive(Clone, Copy, Debug)]
pub enum Discovery {
    /// Only a row that counts.
    Never,
    /// An RP that was known and whose chain has ended may be resolved again (token endpoint and the like), at the expense
    /// of whoever asks: an anonymous caller cannot name hosts there, but a known RP's host may hang.
    Renew(Source),
    /// Automatic registration (SPID/CIE FE-1), at the expense of whoever asks.
    Allowed(Source),
}

impl Provider {
    /// The RP of that `client_id`, if it may be used now.
    ///
    /// # Errors
    /// Why not.
    pub async fn find_client(
        &self,
        client_id: &ClientId,
        discovery: Discovery,
    ) -> Result<Arc<KnownClient>, ClientError> {
        let now = self.shared.clock.elapsed();
        if let Some(known) = self
            .clients
            .find(client_id, now)
            .await
            .filter(|known| self.counts(&known.party))
        {
            return Ok(known);
        }
        let row = self.find_row(client_id).await?;
        if row.as_ref().is_some_and(|row| !row.enabled) {
            return Err(ClientError::Disabled);
        }
        let ended = match row {
            Some(row) if self.counts(&row) => {
                let known = Arc::new(self.decode(row)?);
                self.clients.keep(known.clone(), now).await;
                return Ok(known);
            }
            Some(row) => match row.origin {
                Origin::Federation(trust) => Some(trust.expires_at),
                Origin::Explicit(trust) => {
                    return Err(ClientError::RegistrationExpired(trust.expires_at));
                }
                Origin::Registered => None,
            },
            None => None,
        };
        let found = match (discovery, ended) {
            (Discovery::Never, _) | (Discovery::Renew(_), None) => Err(None),
            (Discovery::Renew(source), Some(_)) | (Discovery::Allowed(source), _) => {
                self.discover(client_id, source).await.map_err(Some)
            }
        };
        match (found, ended) {
            (Ok(known), _) => Ok(known),
            (Err(refusal), None) => Err(refusal.unwrap_or(ClientError::Unknown)),
            (Err(refusal), Some(ended_at)) => Err(self.ended(client_id, ended_at, refusal).await),
        }
    }

    /// SPID/CIE FE-4: who was known is told since when its chain could not be renewed, and why.
    async fn ended(
        &self,
        client_id: &ClientId,
        ended_at: UtcTime,
        refusal: Option<ClientError>,
    ) -> ClientError {
        if let Some(ours @ (ClientError::Store(_) | ClientError::Disabled)) = refusal {
            return ours;
        }
        let (issuer, name) = (self.issuer.clone(), client_id.clone());
        let failure = self
            .shared
            .store
            .read(move |connection| renewal::find_failure(connection, &issuer, &name))
            .await;
        match failure {
            Ok(failure) => ClientError::Ended(Arc::new(EndedChain {
                ended_at,
                failure,
                refusal,
            })),
            Err(error) => error.into(),
        }
    }

    /// Resolves the RP's trust chain and stores the result (SPID/CIE FE-1 to FE-4), at the expense of `source`. Callers at
    /// the same time share one registration; but a source that has spent its share waits, and others must not wait with
    /// it: they do it themselves after one second, or when they are told what is no fact about the RP.
    ///
    /// # Errors
    /// The link, mark, policy or rule that fails.
    pub async fn discover(
        &self,
        client_id: &ClientId,
        source: Source,
    ) -> Result<Arc<KnownClient>, ClientError> {
        let now = self.shared.clock.elapsed();
        if let Some((error, _)) = self.clients.refusal(client_id, now) {
            return Err(error);
        }
        let is_own = AtomicBool::new(false);
        let registration = async {
            is_own.store(true, Ordering::Relaxed);
            self.discover_alone(client_id, source).await
        };
        let shared = self
            .clients
            .register(client_id, &*self.shared.clock, registration);
        let patience = async {
            tokio::time::sleep(PATIENCE).await;
            if is_own.load(Ordering::Relaxed) {
                std::future::pending().await
            }
        };
        let shared = tokio::select! {
            biased;
            registered = shared => Some(registered),
            () = patience => None,
        };
        let is_others = |error: &ClientError| {
            let is_own = is_own.load(Ordering::Relaxed);
            !is_own && matches!(error, ClientError::Trust(error) if error.is_of_the_caller())
        };
        match shared {
            Some(Err(error)) if is_others(&error) => self.discover_alone(client_id, source).await,
            Some(registered) => registered,
            None => self.discover_alone(client_id, source).await,
        }
    }

    async fn discover_alone(
        &self,
        client_id: &ClientId,
        source: Source,
    ) -> Result<Arc<KnownClient>, ClientError> {
        let (trust, subject) = self.subject(client_id)?;
        let settings = self.tolerant(trust, client_id).await?;
        let resolved = self
            .shared
            .resolver
            .resolve(&settings, &subject, source, None)
            .await
            .map_err(|error| ClientError::Trust(Arc::new(error)))?;
        let found = (&*resolved, Lane::Stranger(source));
        let registered = self.register(trust, client_id, found).await;
        if let Err(error) = &registered {
            let now = self.shared.clock.elapsed();
            self.clients.refuse(client_id, now, error);
        }
        registered
    }

    /// The RP of a trust chain that came with a request (SPID/CIE FE-5): verified, but neither stored nor remembered
    /// before its sender has proven to be the RP; then [`Provider::adopt`]. Chains are public, anybody may send one.
    ///
    /// # Errors
    /// The link, mark, policy or rule that fails.
    pub async fn client_of_chain(
        &self,
        client_id: &ClientId,
        source: Source,
        chain: &[String],
    ) -> Result<Arc<KnownClient>, ClientError> {
        let (trust, subject) = self.subject(client_id)?;
        let settings = self.tolerant(trust, client_id).await?;
        let resolved = self
            .shared
            .resolver
            .resolve_provided(&settings, &subject, source, chain)
            .await
            .map_err(|error| ClientError::Trust(Arc::new(error)))?;
        let found = (&*resolved, Lane::Stranger(source));
        let mut party = self.registration(trust, client_id, found).await?;
        party.tolerance = self.own_tolerance(client_id).await?;
        self.decode(party).map(Arc::new)
    }

    /// Stores an RP of [`Provider::client_of_chain`] whose signature was verified.
    ///
    /// # Errors
    /// The operator switched it off meanwhile; the database failed.
    pub async fn adopt(&self, known: &Arc<KnownClient>) -> Result<(), ClientError> {
        let read_at = self.shared.clock.elapsed();
        let stored = self.keep_row(known.party.clone()).await?;
        self.remember(stored, read_at).await.map(drop)
    }

    /// As [`Provider::discover`], for an RP that is known: in lanes that strangers cannot block. Of one that an operator
    /// registered the keys are fetched, where they are at an address.
    ///
    /// # Errors
    /// The link, mark, policy or rule that fails; the old chain stays.
    pub async fn renew(&self, client_id: &ClientId) -> Result<Arc<KnownClient>, ClientError> {
        if self.profile.federation.registration == RegistrationType::Explicit {
            let row = self.find_row(client_id).await?;
            let row = row.ok_or(ClientError::Unknown)?;
            return self.ask_registered(&row, &Recorder::silent()).await;
        }
        let (trust, subject) = self.subject(client_id)?;
        let settings = self.tolerant(trust, client_id).await?;
        let resolved = self
            .shared
            .resolver
            .renew(&settings, &subject)
            .await
            .map_err(|error| ClientError::Trust(Arc::new(error)))?;
        self.register(trust, client_id, (&resolved, Lane::Known))
            .await
    }

    /// What the memory of RPs holds, and how often the database was asked for one.
    #[must_use]
    pub fn client_statistics(&self) -> ClientStatistics {
        self.clients.statistics()
    }

    /// How this issuer trusts RPs, where their first request registers them, and the RP as an entity of the federation.
    pub(super) fn subject(
        &self,
        client_id: &ClientId,
    ) -> Result<(&TrustSettings, EntityId), ClientError> {
        let is_automatic = self.profile.federation.registration == RegistrationType::Automatic;
        let trust = self.trust.as_ref().filter(|_| is_automatic);
        let trust = trust.ok_or(ClientError::Unknown)?;
        let subject = EntityId::parse(client_id.as_str(), trust.development);
        Ok((trust, subject.map_err(ClientError::NotAnEntity)?))
    }

    /// SPID/CIE FE-12: an RP's clock is off in its own statements as well as in its requests; not those of others.
    async fn tolerant(
        &self,
        trust: &TrustSettings,
        client_id: &ClientId,
    ) -> Result<TrustSettings, ClientError> {
        let own = self.own_tolerance(client_id).await?;
        Ok(TrustSettings {
            subject_leeway_seconds: self.tolerance(client_id, &own).clock_leeway_seconds,
            ..trust.clone()
        })
    }

    /// What an operator set for an RP, also for one whose chain has ended.
    async fn own_tolerance(
        &self,
        client_id: &ClientId,
    ) -> Result<RpToleranceOverride, ClientError> {
        let (issuer, client_id) = (self.issuer.clone(), client_id.clone());
        self.shared
            .store
            .read(move |connection| {
                client::find_tolerance(connection, &issuer, &client_id).map_err(ClientError::from)
            })
            .await
    }

    async fn register(
        &self,
        trust: &TrustSettings,
        client_id: &ClientId,
        (resolved, lane): (&Resolved, Lane),
    ) -> Result<Arc<KnownClient>, ClientError> {
        let party = self
            .registration(trust, client_id, (resolved, lane))
            .await?;
        self.keep(party, resolved).await
    }

    /// Stores what a resolved chain says of an RP and puts it into memory.
    async fn keep(
        &self,
        party: RelyingParty,
        resolved: &Resolved,
    ) -> Result<Arc<KnownClient>, ClientError> {
        let read_at = self.shared.clock.elapsed();
        let stored = self.keep_row(party).await?;
        let known = self.remember(stored, read_at).await?;
        if let Some(configuration) = resolved.chain.first() {
            let (issued_at, expires_at) = times_of(configuration);
            self.times_accepted(&known, issued_at, expires_at);
        }
        Ok(known)
    }

    /// The row as it is stored, with when it is resolved again: an operator's switch and tolerance stay as they are.
    async fn keep_row(&self, party: RelyingParty) -> Result<RelyingParty, ClientError> {
        let schedule = self.schedule(&party);
        self.shared
            .store
            .write(move |tx| {
                let enabled = client::upsert(tx, &party)?;
                let tolerance = client::find_tolerance(tx, &party.issuer, &party.client_id)?;
                if let Some(schedule) = schedule {
                    renewal::insert(tx, &schedule)?;
                }
                Ok(RelyingParty {
                    enabled,
                    tolerance,
                    ..party
                })
            })
            .await
    }

    async fn find_row(&self, client_id: &ClientId) -> Result<Option<RelyingParty>, ClientError> {
        self.clients.count_query();
        let issuer = self.issuer.clone();
        let client_id = client_id.clone();
        self.shared
            .store
            .read(move |connection| {
                client::find(connection, &issuer, &client_id).map_err(ClientError::from)
            })
            .await
    }

    /// Whether its chain holds now.
    fn counts(&self, row: &RelyingParty) -> bool {
        match &row.origin {
            Origin::Federation(trust) => {
                // The end is the earliest of superiors, anchor and marks too: what is tolerated of an RP's clock
                // (SPID/CIE FE-12) is not for these.
                let settings = self.trust.as_ref();
                let leeway = settings.map_or(0, |settings| settings.leeway_seconds);
                self.now() < trust.expires_at.plus_seconds(leeway)
            }
            // We set this end ourselves: no other clock is involved.
            Origin::Explicit(trust) => self.now() < trust.expires_at,
            Origin::Registered => true,
        }
    }

    /// Puts a row into memory whose writing was begun at `read_at`.
    async fn remember(
        &self,
        stored: RelyingParty,
        read_at: Duration,
    ) -> Result<Arc<KnownClient>, ClientError> {
        if !stored.enabled {
            self.clients.forget(&stored.client_id).await;
            return Err(ClientError::Disabled);
        }
        let known = Arc::new(self.decode(stored)?);
        self.clients.keep(known.clone(), read_at).await;
        Ok(known)
    }

    fn decode(&self, party: RelyingParty) -> Result<KnownClient, ClientError> {
        let mut keys =
            KeySet::from_json(&party.jwks).map_err(|error| ClientError::Keys(Arc::new(error)))?;
        let end = party.updated_at.plus_seconds(KEYS_SECONDS);
        if registered_address(&party).is_some() && end <= self.now() {
            keys = KeySet::default();
        }
        Ok(KnownClient {
            tolerance: self.tolerance(&party.client_id, &party.tolerance),
            keys,
            party,
        })
    }
}
