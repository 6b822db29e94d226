//! How an issuer knows its relying parties: from memory for two seconds, from the database, through a trust chain.

use super::Provider;
use crate::clock::UtcTime;
use crate::config::RpTolerance;
use crate::federation::{
    EntityId, EntityIdError, Resolved, TrustError, TrustErrorCode, TrustSettings,
};
use crate::jose::{JoseError, KeySet, PublicKey, SignatureAlgorithm, Unverified};
use crate::model::{
    ClientId, ClientMetadata, ErrorCode, KeptTrustMark, Origin, RelyingParty, ResolvedTrust,
};
use crate::profile::metadata::{self, MisshapenMetadata};
use crate::profile::{MetadataFacts, Profile, Rule};
use crate::store::{StoreError, client};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// How long an RP is used from memory: an operator's switch is obeyed by every node within this time.
const MEMORY: Duration = Duration::from_secs(2);
/// How long an RP whose metadata was refused is refused from memory; the resolver does the same for broken chains.
const REFUSED_SECONDS: i64 = 30;
/// An unknown `kid` makes an RP's keys be looked up anew at most this often.
const LOOK_UP_SECONDS: i64 = 60;
/// At most so many RPs are kept in memory.
const MAX_CLIENTS: u64 = 10_000;

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
    /// An RP that was known and whose chain has ended may be resolved again (token endpoint and the like): an
    /// anonymous caller cannot name hosts there.
    Renew,
    /// Automatic registration (SPID/CIE FE-1).
    Allowed,
}

/// Why an RP is refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no such client, and none can be found.
    #[error("client_id is not known to this provider")]
    Unknown,
    /// An operator switched it off.
    #[error("the relying party was disabled by the operator of this provider")]
    Disabled,
    /// SPID/CIE FE-1.
    #[error("client_id {0}")]
    NotAnEntity(EntityIdError),
    /// The chain, a trust mark or a policy fails.
    #[error("{}", .0.description())]
    Trust(Arc<TrustError>),
    /// A metadata member has the wrong type.
    #[error("{0}")]
    Metadata(MisshapenMetadata),
    /// Final metadata breaks a rule of the profile (SPID/CIE FE-10).
    #[error("RP metadata: {}", .0.says)]
    Rule(&'static Rule<MetadataFacts>),
    /// The stored key set cannot be read.
    #[error("RP jwks: {0}")]
    Keys(Arc<JoseError>),
    /// The database failed.
    #[error("the provider cannot reach its database")]
    Store(Arc<StoreError>),
}

impl From<StoreError> for ClientError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl ClientError {
    /// SPID/CIE FE-6.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unknown | Self::NotAnEntity(_) | Self::Keys(_) => ErrorCode::InvalidClient,
            Self::Disabled | Self::Metadata(_) => ErrorCode::UnauthorizedClient,
            Self::Rule(rule) => rule.code,
            Self::Trust(error) => match error.code() {
                TrustErrorCode::TemporarilyUnavailable => ErrorCode::TemporarilyUnavailable,
                TrustErrorCode::InvalidClient => ErrorCode::InvalidClient,
                TrustErrorCode::UnauthorizedClient => ErrorCode::UnauthorizedClient,
                TrustErrorCode::InvalidRequest => ErrorCode::InvalidRequest,
            },
            Self::Store(_) => ErrorCode::TemporarilyUnavailable,
        }
    }

    /// The whole reason, for the log.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Trust(error) => error.reason(),
            Self::Rule(rule) => format!("{} ({})", rule.says, rule.source),
            Self::Store(error) => error.to_string(),
            other => other.to_string(),
        }
    }
}

/// RPs in memory: those that may be used, and those that were refused a moment ago.
pub(super) struct Memory {
    known: moka::future::Cache<ClientId, Arc<KnownClient>>,
    refused: moka::sync::Cache<ClientId, (UtcTime, ClientError)>,
    /// When an RP's keys were last looked up anew because of an unknown `kid`.
    looked_up: moka::sync::Cache<ClientId, UtcTime>,
}

impl Memory {
    pub(super) fn new() -> Self {
        let known = moka::future::Cache::builder()
            .max_capacity(MAX_CLIENTS)
            .time_to_live(MEMORY)
            .build();
        Self {
            known,
            refused: moka::sync::Cache::new(MAX_CLIENTS),
            looked_up: moka::sync::Cache::new(MAX_CLIENTS),
        }
    }

    fn refuse(&self, client_id: &ClientId, now: UtcTime, error: &ClientError) {
        // Our own outage is no verdict on the RP.
        if !matches!(error, ClientError::Store(_)) {
            let until = now.plus_seconds(REFUSED_SECONDS);
            self.refused
                .insert(client_id.clone(), (until, error.clone()));
        }
    }

    /// Whether the keys may be looked up anew: once a minute an RP, whoever asks.
    fn may_look_up(&self, client_id: &ClientId, now: UtcTime) -> bool {
        let recently = self
            .looked_up
            .get(client_id)
            .is_some_and(|at| now < at.plus_seconds(LOOK_UP_SECONDS));
        if !recently {
            self.looked_up.insert(client_id.clone(), now);
        }
        !recently
    }

    fn refusal(&self, client_id: &ClientId, now: UtcTime) -> Option<ClientError> {
        let (until, error) = self.refused.get(client_id)?;
        (now < until).then_some(error)
    }
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
        if let Some(known) = self
            .clients
            .known
            .get(client_id)
            .await
            .filter(|known| self.counts(known))
        {
            return Ok(known);
        }
        let row = self.find_row(client_id).await?;
        if row.as_ref().is_some_and(|row| !row.enabled) {
            return Err(ClientError::Disabled);
        }
        let was_known = row.is_some();
        if let Some(row) = row.filter(|row| self.row_counts(row)) {
            return self.remember(row).await;
        }
        match discovery {
            Discovery::Never => Err(ClientError::Unknown),
            Discovery::Renew if !was_known => Err(ClientError::Unknown),
            Discovery::Renew | Discovery::Allowed => self.discover(client_id).await,
        }
    }

    /// Resolves the RP's trust chain and stores the result (SPID/CIE FE-1 to FE-4); callers at the same time share
    /// one registration.
    ///
    /// # Errors
    /// The link, mark, policy or rule that fails.
    pub async fn discover(&self, client_id: &ClientId) -> Result<Arc<KnownClient>, ClientError> {
        let trust = self.trust.as_ref().ok_or(ClientError::Unknown)?;
        if let Some(error) = self.clients.refusal(client_id, self.now()) {
            return Err(error);
        }
        let subject = EntityId::parse(client_id.as_str(), trust.development)
            .map_err(ClientError::NotAnEntity)?;
        // What is there does not count any more, or nobody would have come here.
        self.clients.known.invalidate(client_id).await;
        let registration = async {
            let resolved = self
                .shared
                .resolver
                .resolve(&self.tolerant(trust, client_id), &subject, None)
                .await
                .map_err(|error| ClientError::Trust(Arc::new(error)))?;
            let registered = self.register(trust, client_id, &resolved).await;
            if let Err(error) = &registered {
                self.clients.refuse(client_id, self.now(), error);
            }
            registered
        };
        self.clients
            .known
            .try_get_with(client_id.clone(), registration)
            .await
            .map_err(|error: Arc<ClientError>| ClientError::clone(&error))
    }

    /// The RP of a trust chain that came with a request (SPID/CIE FE-5): verified, but neither stored nor remembered
    /// before its sender has proven to be the RP; then [`Provider::adopt`]. Chains are public, anybody may send one.
    ///
    /// # Errors
    /// The link, mark, policy or rule that fails.
    pub async fn client_of_chain(
        &self,
        client_id: &ClientId,
        chain: &[String],
    ) -> Result<Arc<KnownClient>, ClientError> {
        let trust = self.trust.as_ref().ok_or(ClientError::Unknown)?;
        let subject = EntityId::parse(client_id.as_str(), trust.development)
            .map_err(ClientError::NotAnEntity)?;
        let resolved = self
            .shared
            .resolver
            .resolve_provided(&self.tolerant(trust, client_id), &subject, chain)
            .await
            .map_err(|error| ClientError::Trust(Arc::new(error)))?;
        let party = self.registration(trust, client_id, &resolved).await?;
        self.decode(party).map(Arc::new)
    }

    /// Stores an RP of [`Provider::client_of_chain`] whose signature was verified.
    ///
    /// # Errors
    /// The database failed.
    pub async fn adopt(&self, known: &Arc<KnownClient>) -> Result<(), ClientError> {
        self.keep_row(&known.party).await?;
        self.clients
            .known
            .insert(known.id().clone(), known.clone())
            .await;
        Ok(())
    }

    /// An RP that signed with a key that is not known may have a new one: its chain is resolved again, at most once
    /// a minute, so that nobody can make us fetch at will. `None`: it was just looked up, or nothing can be found.
    pub async fn look_up_keys(&self, known: &KnownClient) -> Option<Arc<KnownClient>> {
        let federated = matches!(known.party.origin, Origin::Federation(_));
        if !federated || !self.clients.may_look_up(known.id(), self.now()) {
            return None;
        }
        self.renew(known.id()).await.ok()
    }

    /// As [`Provider::discover`], for an RP that is known: in lanes that strangers cannot block.
    ///
    /// # Errors
    /// The link, mark, policy or rule that fails; the old chain stays.
    pub async fn renew(&self, client_id: &ClientId) -> Result<Arc<KnownClient>, ClientError> {
        let trust = self.trust.as_ref().ok_or(ClientError::Unknown)?;
        let subject = EntityId::parse(client_id.as_str(), trust.development)
            .map_err(ClientError::NotAnEntity)?;
        let resolved = self
            .shared
            .resolver
            .renew(&self.tolerant(trust, client_id), &subject)
            .await
            .map_err(|error| ClientError::Trust(Arc::new(error)))?;
        self.register(trust, client_id, &resolved).await
    }

    /// SPID/CIE FE-12: an RP's clock is off in its own statements as well as in its requests; not those of others.
    fn tolerant(&self, trust: &TrustSettings, client_id: &ClientId) -> TrustSettings {
        TrustSettings {
            subject_leeway_seconds: self.tolerance(client_id).clock_leeway_seconds,
            ..trust.clone()
        }
    }

    async fn register(
        &self,
        trust: &TrustSettings,
        client_id: &ClientId,
        resolved: &Resolved,
    ) -> Result<Arc<KnownClient>, ClientError> {
        let party = self.registration(trust, client_id, resolved).await?;
        self.keep_row(&party).await?;
        let known = self.remember(party).await?;
        if let Some(configuration) = resolved.chain.first() {
            let (issued_at, expires_at) = times_of(configuration);
            self.times_accepted(&known, issued_at, expires_at);
        }
        Ok(known)
    }

    async fn keep_row(&self, party: &RelyingParty) -> Result<(), ClientError> {
        let row = party.clone();
        self.shared
            .store
            .write(move |tx| client::upsert(tx, &row).map_err(ClientError::from))
            .await
    }

    async fn find_row(&self, client_id: &ClientId) -> Result<Option<RelyingParty>, ClientError> {
        let issuer = self.issuer.clone();
        let client_id = client_id.clone();
        self.shared
            .store
            .read(move |connection| {
                client::find(connection, &issuer, &client_id).map_err(ClientError::from)
            })
            .await
    }

    fn counts(&self, known: &KnownClient) -> bool {
        self.row_counts(&known.party)
    }

    fn row_counts(&self, row: &RelyingParty) -> bool {
        match &row.origin {
            Origin::Federation(trust) => {
                let leeway = self.tolerance(&row.client_id).clock_leeway_seconds;
                self.now() < trust.expires_at.plus_seconds(leeway)
            }
            Origin::Registered => true,
        }
    }

    async fn remember(&self, party: RelyingParty) -> Result<Arc<KnownClient>, ClientError> {
        let known = Arc::new(self.decode(party)?);
        self.clients
            .known
            .insert(known.id().clone(), known.clone())
            .await;
        Ok(known)
    }

    fn decode(&self, party: RelyingParty) -> Result<KnownClient, ClientError> {
        let keys =
            KeySet::from_json(&party.jwks).map_err(|error| ClientError::Keys(Arc::new(error)))?;
        Ok(KnownClient {
            tolerance: self.tolerance(&party.client_id),
            keys,
            party,
        })
    }

    /// From a resolved chain to a row, judged by the profile's rules.
    async fn registration(
        &self,
        trust: &TrustSettings,
        client_id: &ClientId,
        resolved: &Resolved,
    ) -> Result<RelyingParty, ClientError> {
        let none = Map::new();
        let members = resolved
            .metadata
            .get("openid_relying_party")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        let mut parsed = metadata::parse(members).map_err(ClientError::Metadata)?;
        parsed.organization_name = parsed.organization_name.or_else(|| {
            let entity = resolved.metadata.get("federation_entity")?;
            entity.get("organization_name")?.as_str().map(str::to_owned)
        });
        let keys = self
            .shared
            .resolver
            .fetch_rp_keys(trust, &resolved.subject, members, &resolved.federation_keys)
            .await
            .map_err(|error| ClientError::Trust(Arc::new(error)))?;
        warn_of_shared_keys(client_id, &keys, &resolved.federation_keys);
        let facts = MetadataFacts {
            metadata: parsed,
            keys,
            development: self.shared.server.development,
            profile: self.profile,
        };
        if let Some(rule) = self.profile.broken_by(&facts) {
            return Err(ClientError::Rule(rule));
        }
        Ok(RelyingParty {
            issuer: self.issuer.clone(),
            client_id: client_id.clone(),
            metadata: facts.metadata,
            jwks: facts.keys.to_json(),
            origin: Origin::Federation(ResolvedTrust {
                trust_anchor: resolved.anchor.as_str().to_owned(),
                chain: resolved.chain.clone(),
                trust_marks: resolved
                    .trust_marks
                    .iter()
                    .map(|mark| KeptTrustMark {
                        mark_type: mark.mark_type.clone(),
                        issuer: mark.issuer.clone(),
                        jwt: mark.jwt.clone(),
                        expires_at: mark.expires_at,
                    })
                    .collect(),
                metadata: resolved.metadata.clone(),
                expires_at: resolved.expires_at,
                resolved_at: resolved.resolved_at,
            }),
            enabled: true,
            updated_at: self.now(),
        })
    }
}

/// SPID/CIE AL-6: sharing keys is a warning, not a refusal.
fn warn_of_shared_keys(client_id: &ClientId, protocol: &KeySet, federation: &KeySet) {
    let federation: Vec<String> = federation
        .keys()
        .iter()
        .map(PublicKey::thumbprint)
        .collect();
    let shared = protocol
        .keys()
        .iter()
        .map(PublicKey::thumbprint)
        .find(|thumbprint| federation.contains(thumbprint));
    if let Some(thumbprint) = shared {
        log::warn!(
            "event=rp.shared_key client_id={client_id} thumbprint={thumbprint} \
             mend=\"use different keys for federation and protocol (SPID/CIE AL-6)\""
        );
    }
}

/// `iat` and `exp` of a statement that was verified.
fn times_of(statement: &str) -> (Option<UtcTime>, Option<UtcTime>) {
    let claims: Map<String, Value> = Unverified::parse(statement, statement.len())
        .and_then(|token| token.unverified_claims())
        .unwrap_or_default();
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(UtcTime);
    (time("iat"), time("exp"))
}
