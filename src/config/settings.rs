//! What the configuration becomes: one struct per concern.

use crate::model::{Method, RpToleranceOverride, UserinfoContentType};
use crate::profile::Profile;
use crate::secret::Secret;
use crate::store::{DatabaseSettings, SqliteSynchronous};
use ipnet::IpNet;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

/// One process.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Where the issuers are served.
    pub listen: SocketAddr,
    /// `sqlite://PATH` (absolute, or below the configuration's folder) or `postgres://…`; it may hold a password.
    pub database_url: Secret<String>,
    /// Connections kept open: all of PostgreSQL's, SQLite's readers.
    pub database_pool_size: u32,
    /// How durable a commit on SQLite is.
    pub sqlite_synchronous: SqliteSynchronous,
    /// Allows http issuers and loopback fetches, unpinned anchors and a default salt.
    pub development: bool,
    /// Whether operators need a second factor in development too; see [`Self::desk_needs_second_factor`].
    pub desk_second_factor: bool,
    /// The address of the host behind a reverse proxy.
    pub public_url: Option<Url>,
    /// Peers whose forwarding headers count.
    pub trusted_proxies: Vec<IpNet>,
    /// Which headers these are; the others are ignored.
    pub forwarded_header: ForwardedHeader,
    /// The file that holds the key-encryption key.
    pub key_file: PathBuf,
    /// The key-encryption key itself, from `VARCO_KEY`; wins over `key_file`.
    pub key: Option<Secret<String>>,
    /// Where `/metrics` is served; absent: nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Events on one page of the citizen's history.
    pub history_per_page: u32,
    /// How long history is kept.
    pub history_retention_days: u32,
    /// TLS without a reverse proxy.
    pub tls: Option<TlsSettings>,
    /// Limits of repeated logins.
    pub throttle: ThrottleSettings,
    /// How mails go out; absent: there are none.
    pub mail: Option<MailSettings>,
    /// A folder whose `templates/` and `static/` replace embedded files of the same name.
    pub override_dir: Option<PathBuf>,
    /// At least one; no two at one address.
    pub issuers: Vec<IssuerSettings>,
    /// What an operator should know although it does not stop the start; to be logged.
    pub warnings: Vec<String>,
}

impl ServerSettings {
    /// What [`crate::store::Store::open`] needs.
    #[must_use]
    pub fn database(&self, migrate: bool) -> DatabaseSettings {
        DatabaseSettings {
            url: self.database_url.expose().clone(),
            pool_size: self.database_pool_size,
            sqlite_synchronous: self.sqlite_synchronous,
            migrate,
        }
    }

    /// Whether the desk opens with a second factor only: always outside development.
    #[must_use]
    pub fn desk_needs_second_factor(&self) -> bool {
        !self.development || self.desk_second_factor
    }

    /// The settings of the issuer with exactly this identifier.
    #[must_use]
    pub fn issuer(&self, id: &str) -> Option<&IssuerSettings> {
        self.issuers.iter().find(|issuer| issuer.id == id)
    }
}

/// The headers in which reverse proxies say for whom they ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, `X-Forwarded-Host`.
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// A certificate and its key, PEM; reloaded when the files change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// The chain, leaf first.
    pub certificate_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
}

/// How mails go out.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// `Example Identity <no-reply@login.example.it>`; checked.
    pub from: String,
    /// Where they go.
    pub delivery: MailDelivery,
    /// Days that a mail is kept after the last moment at which it could be sent.
    pub retention_days: u32,
}

/// Where mails go.
#[derive(Clone, Debug)]
pub enum MailDelivery {
    /// Nowhere: a page shows them. Development only.
    Mailbox,
    /// To a mail server.
    Smtp(SmtpSettings),
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// A name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub security: SmtpSecurity,
    /// Username and password.
    pub credentials: Option<(String, Secret<String>)>,
    /// Certificates of a private authority (PEM), trusted beside the system's.
    pub ca_pem: Option<String>,
}

/// How the way to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the beginning (RFC 8314 §3.3).
    Tls,
    /// STARTTLS, without which nothing is sent (RFC 3207).
    StartTls,
    /// Not at all: on this machine, or in development.
    None,
}

/// Failed or repeated logins; 0 switches a limit off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleSettings {
    /// Attempts from one address.
    pub per_address_per_minute: u32,
    /// Attempts for one account.
    pub per_account_per_minute: u32,
}

/// Which rules an issuer follows; the rules themselves are in `profile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProfileName {
    /// SPID.
    Spid,
    /// CIE id.
    Cie,
    /// Plain OpenID Connect.
    Oidc,
}

impl ProfileName {
    /// The name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spid => "spid",
            Self::Cie => "cie",
            Self::Oidc => "oidc",
        }
    }

    /// The profile of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "spid" => Some(Self::Spid),
            "cie" => Some(Self::Cie),
            "oidc" => Some(Self::Oidc),
            _ => None,
        }
    }
}

/// One issuer.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    /// Its URL, byte for byte the entity identifier.
    pub id: String,
    /// Lower-case letters, digits and hyphens; unique in the process and fit for a cookie name.
    pub slug: String,
    /// Whose rules it follows.
    pub profile: ProfileName,
    /// `federation_entity` metadata (SPID/CIE MD-2).
    pub organization_name: Option<String>,
    /// As above.
    pub homepage_uri: Option<String>,
    /// As above; linked from every page.
    pub policy_uri: Option<String>,
    /// As above; an SVG.
    pub logo_uri: Option<String>,
    /// As above; PEC addresses.
    pub contacts: Vec<String>,
    /// Name, logo and colour on the pages; what is absent is the profile's.
    pub branding: Branding,
    /// Labels of attributes that replace those of `locales/*/attributes`: canonical claim → language (empty: every) → label.
    pub attribute_names: BTreeMap<String, BTreeMap<String, String>>,
    /// Superiors in the federation.
    pub authority_hints: Vec<String>,
    /// Own trust marks as compact JWS: those of `trust_marks`, then those of the files in `trust_marks_dir`.
    pub trust_marks: Vec<String>,
    /// Types of own trust marks that are asked for where no mark is configured (OIDC Federation §8.6).
    pub trust_mark_types: Vec<String>,
    /// Types of which an RP needs one valid mark (SPID/CIE FE-1); empty: none needed.
    pub required_trust_marks: Vec<String>,
    /// Whether marks are also checked at their issuer (SPID/CIE TM-2).
    pub trust_mark_status: TrustMarkStatus,
    /// Where chains may end.
    pub trust_anchors: Vec<TrustAnchorSettings>,
    /// How often tokens may be refreshed; 0: without limit (SPID/CIE TK-7).
    pub max_refresh: u32,
    /// Life of an authorization code in seconds (SPID/CIE AZ-11).
    pub auth_code_max_age: i64,
    /// Salt of pairwise subjects (SPID/CIE TM-3).
    pub pairwise_salt: Secret<String>,
    /// Whether a request of a federated RP must have `acr_values` (SPID/CIE AZ-8).
    pub acr_values_required: bool,
    /// The level of a request without `acr_values`, where they are not required.
    pub default_acr: String,
    /// The level that a refreshed id_token states (SPID/CIE TK-7).
    pub refresh_acr: String,
    /// Levels that a password alone satisfies.
    pub password_levels: Vec<String>,
    /// Levels that a password together with a second factor satisfies.
    pub second_factor_levels: Vec<String>,
    /// Levels that a key which verifies its holder satisfies, alone.
    pub strong_levels: Vec<String>,
    /// Second factors that count, each once; the external method too, where there is one.
    pub second_factors: Vec<Method>,
    /// Cards whose certificates a reverse proxy passes on; absent: none.
    pub client_certificate: Option<ClientCertificateSettings>,
    /// How people come by their first second factor.
    pub enrolment: Enrolment,
    /// The identity provider's own authentication service.
    pub external_method: Option<ExternalMethodSettings>,
    /// What is tolerated of RPs (SPID/CIE FE-12).
    pub rp_tolerance: RpTolerance,
    /// What is tolerated of single RPs, by `client_id`.
    pub rp_tolerances: BTreeMap<String, RpToleranceOverride>,
    /// Seconds.
    pub lifetimes: Lifetimes,
    /// Claim (canonical name) → attributes of the registry, the first one that a user has counts; absent: the table in
    /// spec "Attributes", that is the attribute of the same name.
    pub attributes: Option<BTreeMap<String, Vec<String>>>,
    /// Claims (canonical names) that may be asked for the id_token; absent: the profile's.
    pub id_token_claims: Option<Vec<String>>,
    /// Algorithm of entity configuration, resolve answers and other federation documents (SPID/CIE MD-4).
    pub federation_signing_alg: String,
    /// Publish id_token encryption for SPID too (SPID/CIE MD-3).
    pub encrypt_id_token: bool,
    /// `typ` of resolve answers (SPID/CIE FE-8).
    pub resolve_response_typ: ResolveResponseType,
}

impl IssuerSettings {
    /// What the configuration tolerates of one RP: the issuer's tolerance with what was set for this RP.
    #[must_use]
    pub fn tolerance_for(&self, client_id: &str) -> RpTolerance {
        let special = self.rp_tolerances.get(client_id);
        special.map_or(self.rp_tolerance, |own| self.rp_tolerance.with(own))
    }

    /// Whether the issuer is in a federation: where its profile asks for that, or a trust anchor is named.
    #[must_use]
    pub fn is_member(&self) -> bool {
        let profile = Profile::find(self.profile.as_str());
        !self.trust_anchors.is_empty() || profile.is_some_and(|known| known.federation.compulsory)
    }

    /// Lower-case letters, digits and hyphens; unique in the process and fit for a cookie name.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }
}

/// How certificates of cards come to us, and which count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificateSettings {
    /// The header in which the proxy passes a certificate on.
    pub header: String,
    /// The authorities, PEM.
    pub authorities: String,
    /// Where the subject has the fiscal number.
    pub fiscal_number_from: FiscalNumberFrom,
}

/// Where the subject of a certificate has the fiscal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FiscalNumberFrom {
    /// `serialNumber`: `TINIT-…`.
    SerialNumber,
    /// `CN`: the number, or the number and a slash, as on the cards CIE and CNS.
    CommonName,
}

/// How people come by second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrolment {
    /// The first one is given by an operator; whoever has one may add further ones with it.
    Operator,
    /// Whoever has just proven the password may register the first one.
    Password,
    /// All are given by an operator.
    Off,
}

/// The identity provider's own authentication service; see [`crate::authn::external`].
#[derive(Clone, Debug, PartialEq)]
pub struct ExternalMethodSettings {
    /// What people call it: language (empty: every) → text.
    pub name: BTreeMap<String, String>,
    /// Where it is asked; also its name in what is signed.
    pub url: String,
    /// Its pinned public keys.
    pub jwks: Value,
    /// Levels that it reaches together with a password.
    pub levels: Vec<String>,
    /// Levels that it reaches alone, for whoever has typed a username.
    pub levels_alone: Vec<String>,
    /// How long a person has to confirm.
    pub timeout_seconds: i64,
    /// What tokens call it (RFC 8176).
    pub amr: Vec<&'static str>,
}

/// What the pages of an issuer look like; what is absent is the profile's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branding {
    /// Shown in the header.
    pub name: Option<String>,
    /// Path of a static file, or an https URL of this host.
    pub logo: Option<String>,
    /// `#rrggbb` of header and buttons.
    pub primary_colour: Option<String>,
    /// `#rrggbb` of text on the primary colour.
    pub text_colour: Option<String>,
}

/// Where the status of trust marks comes from (SPID/CIE TM-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustMarkStatus {
    /// The mark itself.
    Static,
    /// Also its issuer's status endpoint, cached.
    Dynamic,
}

/// A trust anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustAnchorSettings {
    /// Its entity identifier.
    pub id: String,
    /// Its pinned keys as a JWKS; absent in development only.
    pub jwks: Option<Value>,
}

/// What is tolerated of RPs (SPID/CIE FE-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpTolerance {
    /// How far an RP's clock may be off.
    pub clock_leeway_seconds: i64,
    /// A request object without `exp` counts until `iat` + 300 s (SPID/CIE AZ-4).
    pub missing_exp: bool,
    /// Media type of userinfo (SPID/CIE UI-2).
    pub userinfo_content_type: UserinfoContentType,
}

impl RpTolerance {
    /// With what is set for one RP.
    #[must_use]
    pub fn with(self, own: &RpToleranceOverride) -> Self {
        Self {
            clock_leeway_seconds: own
                .clock_leeway_seconds
                .unwrap_or(self.clock_leeway_seconds),
            missing_exp: own.missing_exp.unwrap_or(self.missing_exp),
            userinfo_content_type: own
                .userinfo_content_type
                .unwrap_or(self.userinfo_content_type),
        }
    }
}

/// Seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Access tokens.
    pub access_token: i64,
    /// id_tokens.
    pub id_token: i64,
    /// Refresh tokens; at most 30 days (SPID/CIE TK-6).
    pub refresh_token: i64,
    /// Single sign-on sessions.
    pub session: i64,
    /// From consent to the end of every token that came of it.
    pub consent: i64,
    /// From the RP's request to the user's answer.
    pub interaction: i64,
    /// Signed federation documents; also how long a new key is published before it signs.
    pub entity_configuration: i64,
}

/// `typ` of resolve answers (SPID/CIE FE-8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveResponseType {
    /// `resolve-response+jwt`.
    ResolveResponse,
    /// `entity-statement+jwt`, of the older draft.
    EntityStatement,
}

impl ResolveResponseType {
    /// The header's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResolveResponse => "resolve-response+jwt",
            Self::EntityStatement => "entity-statement+jwt",
        }
    }
}
