//! `varco rp …`.

use clap::{Args, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RpCommand {
    /// Register (or replace) a relying party at an issuer of the oidc profile
    Register(Box<Register>),
    /// Change a registered relying party: only what is named; an empty value ('') takes away what may be absent
    Edit(Box<Edit>),
    /// Show an issuer's relying parties
    List {
        /// The issuer
        #[arg(long, value_name = "ID")]
        issuer: String,
        /// Only those whose name or client_id contains this
        #[arg(long, default_value = "")]
        search: String,
    },
    /// Show what is known of a relying party
    Show(Party),
    /// Explain whether and why a relying party would be accepted, with a conformance report; works without a running server
    Check(CheckParty),
    /// Resolve its trust chain, or fetch its keys, now; the old ones count until they end if that fails
    Refresh(Party),
    /// Refuse a relying party, at every node within two seconds
    Disable(Party),
    /// Accept it again
    Enable(Party),
    /// Revoke everything that people allowed a relying party
    RevokeTokens(Party),
    /// Give a registered relying party a new secret
    RotateSecret {
        #[command(flatten)]
        party: Party,
        /// For how long the old secret counts beside the new one; at most 30 days
        #[arg(long, value_name = "SECONDS", default_value = "86400")]
        overlap_seconds: i64,
    },
    /// Tolerate a peculiarity of one relying party, or show what is tolerated of it; an empty value ('') leaves it to the
    /// configuration
    Tolerate {
        #[command(flatten)]
        party: Party,
        /// How far its clock may be off; at most 14400 (four hours)
        #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
        clock_leeway_seconds: Option<String>,
        /// Accept request objects without exp until five minutes after iat: true or false
        #[arg(long, value_name = "BOOLEAN")]
        missing_exp: Option<String>,
        /// application/jwt, or application/jose of the older text
        #[arg(long, value_name = "TYPE")]
        userinfo_content_type: Option<String>,
    },
    /// Remove a registered relying party; its tokens are revoked, people's history stays
    Delete(Party),
    /// Write registered relying parties as JSON, without secrets
    Export {
        /// Only those of this issuer
        #[arg(long, value_name = "ID")]
        issuer: Option<String>,
    },
    /// Read relying parties from such a file: all of it, or nothing when an entry is wrong
    Import {
        /// The file
        file: PathBuf,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
        /// Leave out entries that are wrong
        #[arg(long)]
        skip_bad: bool,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Party {
    /// The issuer
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) issuer: String,
    /// The relying party
    pub(in crate::cli) client_id: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckParty {
    /// The issuer
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) issuer: String,
    /// The relying party's entity identifier (or client_id)
    #[arg(value_name = "ENTITY_ID", required_unless_present = "reference")]
    pub(in crate::cli) client_id: Option<String>,
    /// Show instead what was refused under this reference (on the error page, in X-Request-Id and in the log)
    #[arg(long, value_name = "REF", allow_hyphen_values = true, conflicts_with_all = ["client_id", "cached"])]
    pub(in crate::cli) reference: Option<String>,
    /// Use what is known already instead of asking for everything anew
    #[arg(long)]
    pub(in crate::cli) cached: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Register {
    /// The issuer
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) issuer: String,
    /// Its client_id; without it, a random one
    #[arg(long)]
    pub(in crate::cli) client_id: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) fields: PartyFields,
    /// Replace a relying party of this client_id (and its secret)
    #[arg(long)]
    pub(in crate::cli) replace: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Edit {
    #[command(flatten)]
    pub(in crate::cli) party: Party,
    #[command(flatten)]
    pub(in crate::cli) fields: PartyFields,
}

/// What the desk's form has.
#[derive(Debug, Args)]
pub(in crate::cli) struct PartyFields {
    /// The name that people see
    #[arg(long)]
    pub(in crate::cli) name: Option<String>,
    /// The organisation behind it
    #[arg(long)]
    pub(in crate::cli) organization: Option<String>,
    /// A redirect URI, compared exactly: https, http on a loopback address, or a custom scheme. Repeatable
    #[arg(long = "redirect-uri", value_name = "URI")]
    pub(in crate::cli) redirect_uris: Option<Vec<String>>,
    /// How it authenticates at the token endpoint; client_secret_basic, if nothing is said
    #[arg(long)]
    pub(in crate::cli) auth_method: Option<AuthMethod>,
    /// Its public keys, a JWKS
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) jwks_file: Option<OsString>,
    /// Where it publishes its public keys, instead: https. They are fetched, and again when it signs with a key that is new
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) jwks_uri: Option<String>,
    /// Scopes that it may ask for; without it, all that the issuer has
    #[arg(long)]
    pub(in crate::cli) scope: Option<String>,
    /// Lifetime of its access tokens; without it, the issuer's, which is also the longest
    #[arg(long, value_name = "SECONDS")]
    pub(in crate::cli) access_token_seconds: Option<String>,
    /// Lifetime of its id_tokens, likewise
    #[arg(long, value_name = "SECONDS")]
    pub(in crate::cli) id_token_seconds: Option<String>,
    /// Lifetime of its refresh tokens, likewise
    #[arg(long, value_name = "SECONDS")]
    pub(in crate::cli) refresh_token_seconds: Option<String>,
    /// A picture for the consent page
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) logo_uri: Option<String>,
    /// Its home page
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) client_uri: Option<String>,
    /// Its privacy policy
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) policy_uri: Option<String>,
}

/// Client authentication (OIDC Core §9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(in crate::cli) enum AuthMethod {
    /// A signed assertion; needs --jwks-file or --jwks-uri
    PrivateKeyJwt,
    /// The secret in the Authorization header
    #[default]
    ClientSecretBasic,
    /// The secret in the form
    ClientSecretPost,
    /// None: a public client, with PKCE
    None,
}

impl AuthMethod {
    /// The name in metadata.
    pub(in crate::cli) fn as_str(self) -> &'static str {
        match self {
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }
}
