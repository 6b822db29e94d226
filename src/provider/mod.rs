//! [`Provider`]: one issuer's configuration, profile and keys; [`Shared`]: what all issuers of a process share.
//!
//! Endpoints receive `&Provider` and know nothing of the other issuers. It holds no pages.

mod clients;
mod document;
mod ending_consents;
mod levels;
mod mail;
mod overview;
mod own_marks;
mod refusals;
mod registered_keys;
mod renewal;
mod task;
mod tolerances;

pub use clients::{
    Applicant, ClientError, ClientStatistics, Discovery, EndedChain, Examination, KnownClient,
    KnownRow, TooManyExaminations, follow_changes,
};
pub use document::{Document, DocumentCell};
pub use ending_consents::{CONSENT_NOTICE_SECONDS, tell_of_ending_consents};
pub use mail::Letterhead;
pub use overview::{OverviewSums, Past};
pub use own_marks::MarkKeeper;
pub use refusals::{Refusals, Refused};
pub use registered_keys::keys_due;
pub use renewal::{Renewal, Round, renew_all};
pub use task::Task;
pub use tolerances::Tolerance;

use crate::accounts::PasswordHasher;
use crate::clock::{Clock, UtcTime};
use crate::config::{IssuerSettings, ServerSettings};
use crate::federation::{EntityId, Resolver, TrustAnchor, TrustMarkStatus, TrustSettings};
use crate::jose::{KeyEncryptionKey, KeySet};
use crate::keys::{self, KeyError, Rings};
use crate::model::{ClientId, InteractionId, IssuerId, OwnTrustMark, RpToleranceOverride};
use crate::profile::{Path, Profile};
use crate::store::Store;
use arc_swap::ArcSwap;
use own_marks::OwnMarks;
use std::sync::Arc;

/// What all issuers of a process share.
pub struct Shared {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Trust resolution, with its own caches.
    pub resolver: Resolver,
    /// argon2id off the async threads, bounded.
    pub passwords: PasswordHasher,
    /// Opens the private keys in the database.
    pub key_encryption_key: KeyEncryptionKey,
    /// Refusals that are not in the database yet.
    pub refusals: Refusals,
    /// What the overview need not sum up.
    pub overview: OverviewSums,
    /// The configuration of the process.
    pub server: ServerSettings,
}

/// One issuer.
pub struct Provider {
    /// What it shares with the others.
    pub shared: Arc<Shared>,
    /// Its configuration.
    pub settings: IssuerSettings,
    /// What its federation asks.
    pub profile: &'static Profile,
    /// Its identifier.
    pub issuer: IssuerId,
    /// How it trusts RPs; `None` for an issuer that is in no federation.
    pub trust: Option<TrustSettings>,
    /// Documents that are made once a change or lifetime, not once a request.
    pub documents: Documents,
    rings: ArcSwap<Rings>,
    configured_marks: Vec<OwnTrustMark>,
    own_marks: ArcSwap<OwnMarks>,
    clients: clients::Memory,
    applications: clients::Applications,
    key_look_ups: clients::KeyLookUps,
    tolerances: tolerances::ToleranceLog,
    examinations: tokio::sync::Semaphore,
}

/// The published documents of an issuer.
#[derive(Default)]
pub struct Documents {
    /// SPID/CIE MD-1.
    pub entity_configuration: DocumentCell,
    /// SPID/CIE MD-5.
    pub discovery: DocumentCell,
    /// The protocol keys.
    pub jwks: DocumentCell,
    /// The protocol keys, signed with a federation key.
    pub signed_jwks: DocumentCell,
    /// SPID/CIE FE-11.
    pub historical_keys: DocumentCell,
    /// SPID/CIE FE-8: signed once a subject and chain.
    pub resolved: document::DocumentMap,
}

/// Why an issuer cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The keys could not be loaded.
    #[error("issuer {0}: {1}")]
    Keys(String, KeyError),
    /// A configured identifier or key set is unusable; configuration checks should have said so.
    #[error("issuer {0}: {1}")]
    Configuration(String, String),
}

impl Provider {
    /// An issuer with its keys loaded.
    ///
    /// # Errors
    /// The profile is unknown, a trust anchor is unusable or the keys cannot be opened.
    pub fn open(shared: Arc<Shared>, settings: IssuerSettings) -> Result<Self, ProviderError> {
        let unusable = |what: String| ProviderError::Configuration(settings.id.clone(), what);
        let profile = Profile::find(settings.profile.as_str())
            .ok_or_else(|| unusable(format!("unknown profile {}", settings.profile.as_str())))?;
        let trust = if settings.is_member() {
            Some(trust_settings(&shared.server, &settings).map_err(unusable)?)
        } else {
            None
        };
        let issuer = IssuerId::new(settings.id.clone());
        let rings = keys::load_rings(
            &shared.store,
            &shared.key_encryption_key,
            &issuer,
            shared.clock.now(),
        )
        .map_err(|error| ProviderError::Keys(settings.id.clone(), error))?;
        let (configured_marks, own_marks) = own_marks::open(&shared.store, &settings, &issuer)
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Self {
            key_look_ups: clients::KeyLookUps::new(shared.clock.elapsed()),
            shared,
            settings,
            profile,
            issuer,
            trust,
            documents: Documents::default(),
            rings: ArcSwap::from_pointee(rings),
            configured_marks,
            own_marks: ArcSwap::from_pointee(own_marks),
            clients: clients::Memory::new(),
            applications: clients::Applications::default(),
            tolerances: tolerances::ToleranceLog::default(),
            examinations: tokio::sync::Semaphore::new(clients::EXAMINATIONS),
        })
    }

    /// Whether it is in a federation.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.trust.is_some()
    }

    /// Whether an address exists under this issuer.
    #[must_use]
    pub fn offers(&self, path: Path) -> bool {
        self.profile.offers(path, self.is_member())
    }

    /// What people call it: the organisation, or the federation's brand.
    #[must_use]
    pub fn display_name(&self) -> &str {
        mail::name_of(&self.settings, Some(self.profile))
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> UtcTime {
        self.shared.clock.now()
    }

    /// The keys as they are now.
    #[must_use]
    pub fn rings(&self) -> Arc<Rings> {
        self.rings.load_full()
    }

    /// Loads the keys again after a change; documents are made anew. Blocks.
    ///
    /// # Errors
    /// The database or the key-encryption key failed; the old keys stay.
    pub fn reload_keys(&self) -> Result<(), KeyError> {
        let rings = keys::load_rings(
            &self.shared.store,
            &self.shared.key_encryption_key,
            &self.issuer,
            self.now(),
        )?;
        self.rings.store(Arc::new(rings));
        self.documents.forget();
        Ok(())
    }

    /// The published URL of an endpoint: from the configuration, never from a request.
    #[must_use]
    pub fn url(&self, path: Path) -> String {
        self.url_of(path.as_str())
    }

    /// The published URL of a path that starts with a slash.
    #[must_use]
    pub fn url_of(&self, path: &str) -> String {
        format!("{}{path}", self.settings.id.trim_end_matches('/'))
    }

    /// The path of the issuer on its host, without a final slash: `/spid`, or nothing.
    #[must_use]
    pub fn base_path(&self) -> String {
        url::Url::parse(&self.settings.id)
            .map(|url| url.path().trim_end_matches('/').to_owned())
            .unwrap_or_default()
    }

    /// The name of a cookie: `__Host-varco-spid`, without the prefix in development, where there is no TLS.
    #[must_use]
    pub fn cookie_name(&self) -> String {
        let prefix = if self.shared.server.development {
            ""
        } else {
            "__Host-"
        };
        format!("{prefix}varco-{}", self.settings.slug())
    }

    /// The name of the cookie that binds one interaction to its browser. One cookie each, so that a cross-site
    /// POST, which comes without cookies, cannot overwrite that of another tab.
    #[must_use]
    pub fn interaction_cookie_name(&self, id: &InteractionId) -> String {
        let short: String = id.as_str().chars().take(12).collect();
        format!("{}.{short}", self.cookie_name())
    }

    /// What is tolerated of an RP (SPID/CIE FE-12): what an operator set for it, else the configuration's.
    #[must_use]
    pub fn tolerance(
        &self,
        client_id: &ClientId,
        own: &RpToleranceOverride,
    ) -> crate::config::RpTolerance {
        self.settings.tolerance_for(client_id.as_str()).with(own)
    }
}

impl Documents {
    /// After a change of keys or settings: everything is signed anew when it is next asked for.
    pub fn forget(&self) {
        self.entity_configuration.forget();
        self.discovery.forget();
        self.jwks.forget();
        self.signed_jwks.forget();
        self.historical_keys.forget();
        self.resolved.forget();
    }
}

fn trust_settings(
    server: &ServerSettings,
    settings: &IssuerSettings,
) -> Result<TrustSettings, String> {
    let entity = |text: &str| {
        EntityId::parse(text, server.development).map_err(|error| format!("{text}: {error}"))
    };
    let anchors = settings
        .trust_anchors
        .iter()
        .map(|anchor| {
            let pinned_keys = anchor
                .jwks
                .as_ref()
                .map(KeySet::from_json)
                .transpose()
                .map_err(|error| format!("keys of trust anchor {}: {error}", anchor.id))?;
            Ok(TrustAnchor {
                id: entity(&anchor.id)?,
                pinned_keys,
            })
        })
        .collect::<Result<_, String>>()?;
    Ok(TrustSettings {
        issuer_entity_id: entity(&settings.id)?,
        anchors,
        required_trust_marks: settings.required_trust_marks.clone(),
        trust_mark_status: match settings.trust_mark_status {
            crate::config::TrustMarkStatus::Static => TrustMarkStatus::Static,
            crate::config::TrustMarkStatus::Dynamic => TrustMarkStatus::Dynamic,
        },
        leeway_seconds: settings.rp_tolerance.clock_leeway_seconds,
        subject_leeway_seconds: settings.rp_tolerance.clock_leeway_seconds,
        development: server.development,
        entity_type: "openid_relying_party".to_owned(),
    })
}
