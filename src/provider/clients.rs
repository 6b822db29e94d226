//! How an issuer knows its relying parties: from memory for two seconds, from the database, through a trust chain.

use super::Provider;
use crate::clock::UtcTime;
use crate::config::RpTolerance;
use crate::federation::{
    EntityId, EntityIdError, Resolved, TrustError, TrustErrorCode, TrustSettings,
};
use crate::jose::{JoseError, KeySet, Unverified};
use crate::model::{
    ClientId, ClientMetadata, ErrorCode, KeptTrustMark, Origin, RelyingParty, ResolvedTrust,
};
use crate::profile::metadata::{self, MisshapenMetadata};
use crate::profile::{MetadataFacts, Rule};
use crate::store::{StoreError, client};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// How long an RP is used from memory: an operator's switch is obeyed by every node within this time.
const MEMORY: Duration = Duration::from_secs(2);
/// How long an RP whose metadata was refused is refused from memory; the resolver does the same for broken chains.
const REFUSED_SECONDS: i64 = 30;
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
pub enum Discovery<'a> {
    /// Only a row that counts.
    Never,
    /// An RP that was known and whose chain has ended may be resolved again (token endpoint and the like): an
    /// anonymous caller cannot name hosts there.
    Renew,
    /// Automatic registration, with the chain of the request object if it brought one (SPID/CIE FE-5).
    Allowed(Option<&'a [String]>),
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
    known: moka::sync::Cache<ClientId, Arc<KnownClient>>,
    refused: moka::sync::Cache<ClientId, (UtcTime, ClientError)>,
}

impl Memory {
    pub(super) fn new() -> Self {
        let known = moka::sync::Cache::builder()
            .max_capacity(MAX_CLIENTS)
            .time_to_live(MEMORY)
            .build();
        Self {
            known,
            refused: moka::sync::Cache::new(MAX_CLIENTS),
        }
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
        discovery: Discovery<'_>,
    ) -> Result<Arc<KnownClient>, ClientError> {
        if let Some(known) = self
            .clients
            .known
            .get(client_id)
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
            return self.remember(row);
        }
        match discovery {
            Discovery::Never => Err(ClientError::Unknown),
            Discovery::Renew if !was_known => Err(ClientError::Unknown),
            Discovery::Renew => self.discover(client_id, None).await,
            Discovery::Allowed(chain) => self.discover(client_id, chain).await,
        }
    }

    /// Resolves the RP's trust chain and stores the result (SPID/CIE FE-1 to FE-4).
    ///
    /// # Errors
    /// The link, mark, policy or rule that fails.
    pub async fn discover(
        &self,
        client_id: &ClientId,
        chain: Option<&[String]>,
    ) -> Result<Arc<KnownClient>, ClientError> {
        let trust = self.trust.as_ref().ok_or(ClientError::Unknown)?;
        if let Some(error) = self.clients.refusal(client_id, self.now()) {
            return Err(error);
        }
        let subject = EntityId::parse(client_id.as_str(), trust.development)
            .map_err(ClientError::NotAnEntity)?;
        let resolved = self
            .shared
            .resolver
            .resolve(&self.tolerant(trust, client_id), &subject, chain)
            .await
            .map_err(|error| ClientError::Trust(Arc::new(error)))?;
        let registered = self.register(trust, client_id, &resolved).await;
        if let Err(error @ (ClientError::Metadata(_) | ClientError::Rule(_))) = &registered {
            let until = self.now().plus_seconds(REFUSED_SECONDS);
            self.clients
                .refused
                .insert(client_id.clone(), (until, error.clone()));
        }
        registered
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

    /// SPID/CIE FE-12: an RP's clock is off in its statements as well as in its requests.
    fn tolerant(&self, trust: &TrustSettings, client_id: &ClientId) -> TrustSettings {
        TrustSettings {
            leeway_seconds: self.tolerance(client_id).clock_leeway_seconds,
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
        let row = party.clone();
        self.shared
            .store
            .write(move |tx| client::upsert(tx, &row).map_err(ClientError::from))
            .await?;
        let known = self.remember(party)?;
        if let Some(configuration) = resolved.chain.first() {
            let (issued_at, expires_at) = times_of(configuration);
            self.times_accepted(&known, issued_at, expires_at);
        }
        Ok(known)
    }

    /// Forgets what is in memory, after a change of the row.
    pub fn forget_client(&self, client_id: &ClientId) {
        self.clients.known.invalidate(client_id);
        self.clients.refused.invalidate(client_id);
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

    fn remember(&self, party: RelyingParty) -> Result<Arc<KnownClient>, ClientError> {
        let keys =
            KeySet::from_json(&party.jwks).map_err(|error| ClientError::Keys(Arc::new(error)))?;
        let known = Arc::new(KnownClient {
            tolerance: self.tolerance(&party.client_id),
            keys,
            party,
        });
        self.clients.known.insert(known.id().clone(), known.clone());
        Ok(known)
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

/// `iat` and `exp` of a statement that was verified.
fn times_of(statement: &str) -> (Option<UtcTime>, Option<UtcTime>) {
    let claims: Map<String, Value> = Unverified::parse(statement, statement.len())
        .and_then(|token| token.unverified_claims())
        .unwrap_or_default();
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(UtcTime);
    (time("iat"), time("exp"))
}
