//! The configuration: `varco.toml`, the environment, and what they become.
//!
//! ```text
//! varco.toml ─► table ─┐
//! VARCO_…    ──────────┼─► read against `tables` ─► typed values ─► settings, checked against each other
//! OIDCFED_…  ──────────┘        (unknown keys, wrong kinds: all problems are collected, nothing stops at the first)
//! ```
//!
//! The environment wins over the file, and a `VARCO_…` name over the `OIDCFED_…` name of the same key. A key in a
//! section has its section in its name (`VARCO_THROTTLE_PER_ADDRESS_PER_MINUTE`); with at most one issuer its keys are
//! `VARCO_ISSUER_…` (with several they are refused); lists, maps and whole sections are JSON.
//!
//! One more key: add it to its table in `tables.rs` (which also makes the example configuration and the environment
//! name), take it in `build.rs` or `issuer.rs`, and run the tests with `UPDATE_GOLDEN=1`.

mod build;
mod django;
mod environment;
mod example;
mod external;
mod issuer;
mod machine_account;
mod problem;
mod read;
mod schema;
mod settings;
mod tables;
#[cfg(test)]
mod tests;
mod trust;

pub use environment::Environment;
pub use example::example;
pub use machine_account::MachineAccount;
pub use problem::{ConfigError, Problem};
pub use settings::{
    Branding, ClientCertificateSettings, Enrolment, ExternalMethodSettings, FiscalNumberFrom,
    ForwardedHeader, IssuerSettings, Lifetimes, MailDelivery, MailSettings, ProfileName,
    ResolveResponseType, RpTolerance, ServerSettings, SmtpSecurity, SmtpSettings, ThrottleSettings,
    TlsSettings, TrustAnchorSettings, TrustMarkStatus,
};

use std::path::Path;

/// Reads and checks a configuration file together with the environment.
///
/// A file that does not exist counts as empty when the environment names an issuer, so that a container needs no file.
///
/// # Errors
/// Every problem of the file and the environment at once.
pub fn load(file: &Path, environment: &Environment) -> Result<ServerSettings, ConfigError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error)
            if error.kind() == std::io::ErrorKind::NotFound && environment.names_an_issuer() =>
        {
            String::new()
        }
        Err(error) => return Err(ConfigError::unreadable(file, &error)),
    };
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    parse(&text, folder, environment)
}

/// As [`load`], with the file's text; relative paths resolve against `folder`.
///
/// # Errors
/// Every problem of the text and the environment at once.
pub fn parse(
    text: &str,
    folder: &Path,
    environment: &Environment,
) -> Result<ServerSettings, ConfigError> {
    let mut problems = problem::Problems::default();
    let mut table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => return Err(ConfigError::no_toml(text, &error)),
    };
    let mut warnings = Vec::new();
    environment::overlay(&mut table, environment, &mut problems, &mut warnings);
    let values = read::read_section(&table, &tables::SERVER, "", &mut problems);
    let settings = build::server(&values, folder, environment, &mut problems, warnings);
    problems.finish(settings)
}
