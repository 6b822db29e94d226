//! How an issuer knows its relying parties: from memory for two seconds, from the database, through a trust chain.

mod error;
mod memory;
mod registration;

pub use error::ClientError;
pub(super) use memory::Memory;

use super::Provider;
use crate::config::RpTolerance;
use crate::federation::{EntityId, Resolved, TrustSettings};
use crate::jose::{KeySet, SignatureAlgorithm};
use crate::model::{ClientId, ClientMetadata, Origin, RelyingParty};
use crate::profile::Profile;
use crate::store::client;
use registration::times_of;
use std::sync::Arc;

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
}
