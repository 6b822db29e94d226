//! The demonstration federation: a trust anchor, an intermediate and two relying parties, for `varco demo`, tests and the
//! benchmark. It uses the library as an outsider would: it knows of the providers what they publish over HTTP.
//!
//! ```text
//!                     {base}/ta/                      trust anchor: every endpoint of OpenID Federation 1.0 §8
//!        ┌───────────────┼──────────────┬─────────────┐
//!   {base}/sa/      {base}/rp/    {base}/spid/   {base}/cie/
//!        │           relying party     the providers (somebody else's: see [`onboarding`])
//!   {base}/rp-aggregated/
//! ```
//!
//! Every identifier ends in a slash (SPID/CIE MD-4). The relying parties' protocol is [`relying_party`], without any HTTP,
//! so that tests and the benchmark drive it with a client of their own; [`web`] puts pages before it.
//! One more relying party: its keys in [`keys`], a line in [`DemoFederation::new`].

pub mod discovery;
mod error;
mod fetch;
mod further;
pub mod http;
pub mod keys;
pub mod onboarding;
pub mod policy;
mod private_file;
pub mod relying_party;
mod resolution;
pub mod statement;
pub mod superior;
#[cfg(test)]
mod tests;
pub mod trust_marks;
mod users;
pub mod web;

pub use error::DemoError;
pub use http::{Http, HttpAnswer, HttpClient, HttpRequest};
pub use keys::{DemoKeys, RelyingPartyKeys};
pub use relying_party::{LoginOptions, PreparedRequest, ProviderMetadata, RelyingParty};
pub use superior::{EntityType, ListFilter, Subordinate, Superior};
pub use trust_marks::MarkStatus;
pub use users::{credentials, users};
pub use web::routes;

use crate::clock::Clock;
use crate::federation::Resolver;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, RwLock};
use url::Url;

/// The path of each entity below the base URL.
pub mod path {
    /// The trust anchor.
    pub const TRUST_ANCHOR: &str = "ta";
    /// The intermediate (aggregator).
    pub const INTERMEDIATE: &str = "sa";
    /// The relying party below the trust anchor.
    pub const RELYING_PARTY: &str = "rp";
    /// The relying party below the intermediate.
    pub const AGGREGATED_RELYING_PARTY: &str = "rp-aggregated";
    /// The SPID provider.
    pub const SPID: &str = "spid";
    /// The CIE provider.
    pub const CIE: &str = "cie";
    /// The plain OpenID Connect provider.
    pub const OIDC: &str = "oidc";
}

const CONTACT: &str = "federazione@pec.example.it";

/// The trust anchor, the intermediate and the relying parties of one base URL.
pub struct DemoFederation {
    base_url: String,
    trust_anchor: Superior,
    intermediate: Superior,
    relying_party: Arc<RelyingParty>,
    aggregated_relying_party: Arc<RelyingParty>,
    further_relying_parties: RwLock<BTreeMap<String, Arc<RelyingParty>>>,
    /// What entities publish instead of their own configurations.
    published: RwLock<BTreeMap<String, String>>,
    http: Arc<dyn Http>,
    resolver: Resolver,
    clock: Arc<dyn Clock>,
    attempts: web::Attempts,
    /// Where entities join; none where nobody can.
    desk: OnceLock<onboarding::Desk>,
}

impl DemoFederation {
    /// Founds the federation at `base_url`, such as `http://127.0.0.1:8000`, and puts the intermediate and the relying
    /// parties into it; the providers follow by [`DemoFederation::attest_provider`].
    ///
    /// # Errors
    /// When `base_url` is no origin, or signing the first trust marks fails.
    pub fn new(
        base_url: &str,
        keys: DemoKeys,
        clock: Arc<dyn Clock>,
        http: Arc<dyn Http>,
    ) -> Result<Self, DemoError> {
        let base_url = origin(base_url)?;
        let id = |path: &str| entity_id(&base_url, path);
        let (anchor_id, intermediate_id) = (id(path::TRUST_ANCHOR), id(path::INTERMEDIATE));
        let mark_type = relying_party_mark_type(&base_url);
        let superior = |entity_id: &str, name, key| Superior {
            entity_id: entity_id.to_owned(),
            name,
            key,
            authority_hints: Vec::new(),
            trust_marks: Vec::new(),
            issued_marks: Vec::new(),
            constraints: None,
            clock: Arc::clone(&clock),
            subordinates: RwLock::new(BTreeMap::new()),
            marks: RwLock::default(),
        };
        let trust_anchor = Superior {
            issued_marks: vec![
                mark_type.clone(),
                private_relying_party_mark_type(&base_url),
                provider_mark_type(&base_url),
                intermediary_mark_type(&base_url),
            ],
            constraints: Some(json!({"max_path_length": 1})),
            ..superior(&anchor_id, "Federazione dimostrativa", keys.trust_anchor)
        };
        let aggregator = "Aggregatore dimostrativo";
        let aggregator_mark_type = intermediary_mark_type(&base_url);
        let aggregator_mark =
            trust_anchor.trust_mark(&aggregator_mark_type, &intermediate_id, aggregator)?;
        let intermediate = Superior {
            authority_hints: vec![anchor_id.clone()],
            trust_marks: vec![(aggregator_mark_type, aggregator_mark)],
            ..superior(&intermediate_id, aggregator, keys.intermediate)
        };
        let relying_party = |path: &str, names, superior: &str, keys| {
            let entity_id = id(path);
            let mark = trust_anchor.trust_mark(&mark_type, &entity_id, path)?;
            let relying_party = RelyingParty::new(&entity_id, names, keys, Arc::clone(&clock))
                .with_redirect_uris(redirect_uris(&base_url, path))
                .with_superior(superior)
                .with_trust_marks(vec![(mark_type.clone(), mark)]);
            Ok::<_, DemoError>(Arc::new(relying_party))
        };
        let direct = relying_party(
            path::RELYING_PARTY,
            ["Town of Esempio", "Comune di Esempio"],
            &anchor_id,
            keys.relying_party,
        )?;
        let aggregated = relying_party(
            path::AGGREGATED_RELYING_PARTY,
            ["Esempio Library", "Biblioteca di Esempio"],
            &intermediate_id,
            keys.aggregated_relying_party,
        )?;
        let federation = Self {
            trust_anchor,
            intermediate,
            relying_party: direct,
            aggregated_relying_party: aggregated,
            further_relying_parties: RwLock::default(),
            published: RwLock::default(),
            desk: OnceLock::new(),
            resolver: resolution::resolver(&http, &clock),
            http,
            attempts: web::Attempts::new(Arc::clone(&clock)),
            clock,
            base_url,
        };
        federation.attest_own_entities();
        Ok(federation)
    }

    fn attest_own_entities(&self) {
        self.trust_anchor.attest(
            &self.intermediate.entity_id,
            Subordinate {
                entity_type: EntityType::Intermediate,
                jwks: self.intermediate.jwks(),
                metadata_policy: policy::relying_party_policy(CONTACT),
                constraints: Some(onboarding::intermediate_constraints()),
                extra: Map::new(),
            },
        );
        let relying_parties = [
            (
                &self.trust_anchor,
                &self.relying_party,
                policy::relying_party_policy(CONTACT),
            ),
            (
                &self.intermediate,
                &self.aggregated_relying_party,
                policy::aggregator_policy(onboarding::AGGREGATOR_CONTACT),
            ),
        ];
        for (superior, relying_party, metadata_policy) in relying_parties {
            let subordinate = Subordinate {
                entity_type: EntityType::RelyingParty,
                jwks: relying_party.federation_jwks(),
                metadata_policy,
                constraints: None,
                extra: Map::new(),
            };
            superior.attest(relying_party.entity_id(), subordinate);
        }
    }

    /// The origin that all identifiers begin with, without a final slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The trust anchor.
    #[must_use]
    pub const fn trust_anchor(&self) -> &Superior {
        &self.trust_anchor
    }

    /// The intermediate.
    #[must_use]
    pub const fn intermediate(&self) -> &Superior {
        &self.intermediate
    }

    /// The relying party directly below the trust anchor.
    #[must_use]
    pub fn relying_party(&self) -> &RelyingParty {
        &self.relying_party
    }

    /// The relying party below the intermediate.
    #[must_use]
    pub fn aggregated_relying_party(&self) -> &RelyingParty {
        &self.aggregated_relying_party
    }

    /// The anchor's public keys, `{"keys": […]}`, to pin in the providers' configuration.
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.trust_anchor.jwks()
    }

    /// The identifier of an entity of the demonstration, by its [`path`].
    #[must_use]
    pub fn entity_id(&self, path: &str) -> String {
        entity_id(&self.base_url, path)
    }

    /// The type of trust mark that the providers require of relying parties (SPID/CIE FE-1).
    #[must_use]
    pub fn relying_party_mark_type(&self) -> String {
        relying_party_mark_type(&self.base_url)
    }

    /// The type of trust mark of relying parties that are no public administration; the providers take either.
    #[must_use]
    pub fn private_relying_party_mark_type(&self) -> String {
        private_relying_party_mark_type(&self.base_url)
    }

    /// The type of trust mark of providers.
    #[must_use]
    pub fn provider_mark_type(&self) -> String {
        provider_mark_type(&self.base_url)
    }

    /// Puts a provider into the federation, by its public federation keys `{"keys": […]}`; again after they changed.
    pub fn attest_provider(&self, issuer: &str, jwks: Value) {
        let subordinate = Subordinate {
            entity_type: EntityType::Provider,
            jwks,
            metadata_policy: policy::provider_policy(CONTACT),
            constraints: None,
            extra: Map::new(),
        };
        self.trust_anchor.attest(issuer, subordinate);
    }

    /// A trust mark for a provider, to put into its configuration.
    ///
    /// # Errors
    /// When signing fails.
    pub fn provider_trust_mark(&self, issuer: &str) -> Result<String, DemoError> {
        let mark_type = self.provider_mark_type();
        self.trust_anchor
            .trust_mark(&mark_type, issuer, "Varco, fornitore dimostrativo")
    }
}

fn relying_party_mark_type(base_url: &str) -> String {
    format!("{base_url}/ta/openid_relying_party/public/")
}

fn private_relying_party_mark_type(base_url: &str) -> String {
    format!("{base_url}/ta/openid_relying_party/private/")
}

fn provider_mark_type(base_url: &str) -> String {
    format!("{base_url}/ta/openid_provider/public/")
}

fn intermediary_mark_type(base_url: &str) -> String {
    format!("{base_url}/ta/federation_entity/public/")
}

fn entity_id(base_url: &str, path: &str) -> String {
    format!("{base_url}/{path}/")
}

/// The origin of a base URL as browsers write it.
fn origin(base_url: &str) -> Result<String, DemoError> {
    let refused = || DemoError::BaseUrl(base_url.to_owned());
    let url = Url::parse(base_url).map_err(|_| refused())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if plain {
        Ok(url.origin().ascii_serialization())
    } else {
        Err(refused())
    }
}

/// The redirect addresses: at the base URL, and for a base URL on loopback also at the other loopback name, so that
/// relying party and provider can be two sites on one machine.
fn redirect_uris(base_url: &str, path: &str) -> Vec<String> {
    origins(base_url)
        .into_iter()
        .map(|origin| format!("{origin}/{path}/callback"))
        .collect()
}

/// The origins under which the relying parties may be opened; the base URL is the first.
fn origins(base_url: &str) -> Vec<String> {
    let mut origins = vec![base_url.to_owned()];
    for (one, other) in [("127.0.0.1", "localhost"), ("localhost", "127.0.0.1")] {
        let start = format!("http://{one}");
        if let Some(rest) = base_url.strip_prefix(&start)
            && (rest.is_empty() || rest.starts_with(':'))
        {
            origins.push(format!("http://{other}{rest}"));
        }
    }
    origins
}
