//! What can be typed.

pub(super) mod mails;
pub(super) mod operators;
pub(super) mod parties;
pub(super) mod sessions;
pub(super) mod users;

use crate::federation::EntityId;
use crate::federation::entity_id::{WELL_KNOWN, has_loopback_host};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

/// OpenID Connect Provider for the Italian digital identity federations (SPID and CIE).
#[derive(Debug, Parser)]
#[command(name = "varco", version)]
pub(super) struct Arguments {
    /// The configuration; relative paths in it are relative to its folder
    #[arg(long, global = true, default_value = "varco.toml", value_name = "FILE")]
    pub(super) config: PathBuf,
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the configured issuers
    Serve(Serve),
    /// Run the demonstration federation: three issuers, a trust anchor and relying parties
    Demo(Demo),
    /// Change or show the database's schema
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// Check a configuration, or print an example
    #[command(subcommand)]
    Config(ConfigCommand),
    /// The issuers' keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The people of the identity registry
    #[command(subcommand)]
    User(users::UserCommand),
    /// Relying parties
    #[command(subcommand)]
    Rp(parties::RpCommand),
    /// The people who may use the pages at /admin, and what they did
    #[command(subcommand)]
    Operator(operators::OperatorCommand),
    /// Sessions of citizens, and what relying parties hold of them
    #[command(subcommand)]
    Session(sessions::SessionCommand),
    /// E-mails that wait, and those that were given up
    #[command(subcommand)]
    Mail(mails::MailCommand),
    /// Remove what has expired, once; `serve` does it by itself
    Purge,
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Do not apply missing migrations
    #[arg(long)]
    pub(super) no_migrate: bool,
}

#[derive(Debug, Args)]
pub(super) struct Demo {
    #[command(flatten)]
    pub(super) options: DemoOptions,
    #[command(subcommand)]
    pub(super) command: Option<DemoCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum DemoCommand {
    /// The trust anchor of the demonstration that runs in another terminal
    #[command(subcommand)]
    Ta(TaCommand),
    /// Fill the database with made-up people, RPs and logins, to see how it fares
    Seed(SeedOptions),
}

/// What `varco demo seed` was asked.
#[derive(Clone, Debug, Args)]
pub(super) struct SeedOptions {
    /// People
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub(super) users: u64,
    /// Relying parties
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(super) rps: u64,
    /// Logins, spread over a year
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    pub(super) logins: u64,
    /// Another number makes another data set beside it
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) seed: u64,
}

/// What `varco demo ta` was asked.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum TaCommand {
    /// Take an OP, an RP or an intermediate of this machine into the federation; again after its keys changed
    Add {
        /// Its entity identifier, such as http://127.0.0.1:9000/
        #[arg(value_name = "URL", value_parser = entity_of_this_machine)]
        entity_id: String,
        /// Its superior: the trust anchor, or the intermediate
        #[arg(long, value_enum, default_value = "ta")]
        below: Superior,
        /// An RP that is no public administration: it gets the trust mark of private ones
        #[arg(long)]
        private: bool,
    },
    /// Show who joined
    List,
    /// Take an entity out again and revoke its trust mark
    Remove {
        /// Its entity identifier
        #[arg(value_name = "URL", value_parser = entity_of_this_machine)]
        entity_id: String,
    },
}

/// The two superiors of the demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Superior {
    /// The trust anchor
    Ta,
    /// The intermediate (aggregator)
    Sa,
}

/// An entity identifier; the address of its entity configuration does as well.
fn entity_of_this_machine(text: &str) -> Result<String, String> {
    let entity_id = text.strip_suffix(WELL_KNOWN).unwrap_or(text);
    let here = "expected a URL of this machine, such as http://127.0.0.1:9000/";
    let id = EntityId::parse(entity_id, true).map_err(|fact| format!("{fact}; {here}"))?;
    match Url::parse(id.as_str()) {
        Ok(url) if has_loopback_host(&url) => Ok(entity_id.to_owned()),
        _ => Err(here.to_owned()),
    }
}

/// What `varco demo` was asked.
#[derive(Clone, Debug, Args)]
pub struct DemoOptions {
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// The folder that keeps database, keys and who joined between runs
    #[arg(long, global = true, default_value = "demo-data", value_name = "DIR")]
    pub data: PathBuf,
    /// Ask for a second factor at level 2, as in production; without it the password reaches every level
    #[arg(long)]
    pub second_factor: bool,
    /// Call the address localhost instead of its number: browsers use security keys only where there is a name
    #[arg(long)]
    pub localhost: bool,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum MigrateCommand {
    /// Apply every missing migration
    Up,
    /// Take back the newest migration
    Down,
    /// Show which migrations the database has
    Status,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Report every problem of the configuration
    Check,
    /// Print a commented configuration with every key and default
    Example,
}

/// One of the two rings of an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RingArgument {
    /// Tokens, userinfo, decryption
    Protocol,
    /// Entity configuration and other federation documents
    Federation,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum UseArgument {
    /// Signing
    Sig,
    /// Encryption
    Enc,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make the key file, and the keys that an issuer lacks
    Init {
        /// The key file is lost for good: end the keys that it had sealed, and make new ones
        #[arg(long)]
        replace_lost: bool,
    },
    /// Show an issuer's keys
    List {
        /// The issuer; without it, all
        #[arg(long, value_name = "ID")]
        issuer: Option<String>,
        /// Also keys that have ended
        #[arg(long)]
        all: bool,
        /// Print the public keys as a JWKS, to be handed in at a registry
        #[arg(long, conflicts_with = "export_private")]
        jwks: bool,
        /// Only this ring
        #[arg(long)]
        ring: Option<RingArgument>,
        /// Also print the private keys (PKCS#8, PEM). Whoever has them is the issuer
        #[arg(long)]
        export_private: bool,
    },
    /// Make a key that is published and does not sign until `rotate`
    Generate {
        /// The issuer
        #[arg(long, value_name = "ID")]
        issuer: String,
        /// Into which ring
        #[arg(long, default_value = "protocol")]
        ring: RingArgument,
        /// RSA-2048, RSA-3072, RSA-4096, P-256, P-384 or P-521
        #[arg(long, default_value = "RSA-2048")]
        kind: String,
        /// What for
        #[arg(long = "use", default_value = "sig")]
        usage: UseArgument,
    },
    /// Replace the current keys of a ring; the new ones are published before they sign
    Rotate {
        /// The issuer
        #[arg(long, value_name = "ID")]
        issuer: String,
        /// Which ring
        #[arg(long, default_value = "protocol")]
        ring: RingArgument,
        /// In an emergency: the new keys sign at once; say why (--reason)
        #[arg(long)]
        now: bool,
        /// Not before this time, such as 2026-12-01T03:00:00Z, within 400 days; never before the new keys were published
        /// long enough. It replaces what was planned before
        #[arg(long, value_name = "TIME", conflicts_with = "now")]
        at: Option<chrono::DateTime<chrono::Utc>>,
        /// Why, for the trail
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Take a key out of use; it verifies until the last token signed with it has ended
    Retire {
        /// The issuer
        #[arg(long, value_name = "ID")]
        issuer: String,
        /// The key; its name may begin with a hyphen
        #[arg(long, allow_hyphen_values = true)]
        kid: String,
        /// In an emergency: tokens signed with it no longer count; say why (--reason)
        #[arg(long)]
        now: bool,
        /// Why, for the trail
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
}
