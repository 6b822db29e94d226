//! `varco user …`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum UserCommand {
    /// Add a person; the password is asked for, or read from standard input
    Add {
        username: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
        /// Add the person without a password
        #[arg(long, conflicts_with = "password_stdin")]
        no_password: bool,
        /// An attribute: CLAIM=VALUE; a value that begins with { is JSON. Repeatable
        #[arg(long = "attribute", value_name = "CLAIM=VALUE")]
        attributes: Vec<String>,
    },
    /// Add or update people from a file; nothing is written unless every line is valid
    Import(Import),
    /// Show the imports, newest first; let one go on, or stop it
    Imports(Imports),
    /// Print everybody in the import format; never passwords
    Export {
        /// jsonl or csv
        #[arg(long, default_value = "jsonl")]
        format: FormatArgument,
        /// With password hashes and the one-time-code secrets that operators gave, to move to another provider. The trail
        /// tells of it. What people registered themselves is left out: they register anew there
        #[arg(long)]
        with_hashes: bool,
    },
    /// Look people up: by the beginning of the username, or by one of the options
    Find(Find),
    /// Show what is known of a person
    Show(Named),
    /// Change attributes; what is not named stays
    Edit {
        username: String,
        /// An attribute: CLAIM=VALUE; a value that begins with { is JSON. Repeatable
        #[arg(long = "attribute", value_name = "CLAIM=VALUE")]
        attributes: Vec<String>,
        /// An attribute that goes. Repeatable
        #[arg(long = "remove", value_name = "CLAIM")]
        removed: Vec<String>,
    },
    /// Keep a person from logging in; their sessions end and their tokens stop working
    Disable(Named),
    /// Let a disabled person log in again
    Enable(Named),
    /// Let a person try again at once after too many wrong passwords or codes
    Unlock(Named),
    /// Remove all second factors and recovery codes, or one factor; the sessions end
    ResetFactors {
        username: String,
        /// Only this one (`varco user show` names them)
        #[arg(long, value_name = "ID", allow_hyphen_values = true)]
        only: Option<String>,
    },
    /// End a person's sessions, or one
    EndSessions {
        username: String,
        /// Only this one (`varco user show` names them)
        #[arg(long, value_name = "KEY")]
        only: Option<String>,
    },
    /// End everything of a person: all sessions, and all that relying parties got, offline access too
    Revoke {
        username: String,
        /// Why, for the trail
        #[arg(long)]
        reason: String,
    },
    /// Show where a person logged in, newest first
    History(History),
    /// Show a person's second factors, give or remove them
    Otp(Otp),
    /// Set a person's password; the sessions end
    Password {
        username: String,
        /// Remove it: the person does not log in with a password
        #[arg(long, conflicts_with = "password_stdin")]
        none: bool,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
}

/// `varco user otp`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Otp {
    /// Without an option: show what the person has
    pub(in crate::cli) username: String,
    #[command(flatten)]
    pub(in crate::cli) action: OtpAction,
    /// With --set: read the secret (Base32) from the first line of standard input instead of making one
    #[arg(long, requires = "set")]
    pub(in crate::cli) secret_stdin: bool,
    /// Whose name the app shows; without it, the first issuer's
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) issuer: Option<String>,
}

/// What `varco user otp` does; one at a time.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(in crate::cli) struct OtpAction {
    /// Give the person a secret for one-time codes, instead of the one given before, and print it
    #[arg(long)]
    pub(in crate::cli) set: bool,
    /// Print the address (otpauth://…) of the secret given before. Whoever has it can make the codes: the trail tells of
    /// it. Those that people registered themselves are never shown
    #[arg(long)]
    pub(in crate::cli) show_uri: bool,
    /// Let a person try again whose codes are refused after too many wrong ones
    #[arg(long)]
    pub(in crate::cli) unlock: bool,
    /// Remove all second factors and recovery codes, and end the person's sessions
    #[arg(long)]
    pub(in crate::cli) remove: bool,
}

/// A person.
#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    /// Compared exactly
    pub(in crate::cli) username: String,
}

/// `varco user history`.
#[derive(Debug, Args)]
pub(in crate::cli) struct History {
    /// Compared exactly
    pub(in crate::cli) username: String,
    /// From this time on, such as 2026-12-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) since: Option<chrono::DateTime<chrono::Utc>>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) until: Option<chrono::DateTime<chrono::Utc>>,
    /// Where the last page ended: what `--json` names `next`
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    pub(in crate::cli) after: Option<String>,
    /// How many
    #[arg(long, default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(in crate::cli) limit: u32,
}

/// `varco user find`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Find {
    /// How usernames begin; without it, everybody
    #[arg(conflicts_with_all = ["fiscal_number", "email"])]
    pub(in crate::cli) username: Option<String>,
    /// This fiscal number, with or without TINIT-
    #[arg(long, value_name = "NUMBER", conflicts_with = "email")]
    pub(in crate::cli) fiscal_number: Option<String>,
    /// How e-mail addresses begin, whatever the case
    #[arg(long, value_name = "ADDRESS")]
    pub(in crate::cli) email: Option<String>,
    /// Only those who may log in
    #[arg(long, conflicts_with = "disabled")]
    pub(in crate::cli) enabled: bool,
    /// Only those who may not
    #[arg(long)]
    pub(in crate::cli) disabled: bool,
    /// Where the last page ended: what `--json` names `next`
    #[arg(long, value_name = "CURSOR")]
    pub(in crate::cli) after: Option<String>,
    /// How many
    #[arg(long, default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(in crate::cli) limit: u32,
}

/// The formats of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FormatArgument {
    /// One JSON object a line
    Jsonl,
    /// A header line, then one line a person
    Csv,
}

/// `varco user import`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// JSON lines or CSV; `-` is standard input
    pub(in crate::cli) file: PathBuf,
    /// Only check the file
    #[arg(long)]
    pub(in crate::cli) check: bool,
    /// Leave lines out that are wrong, instead of doing nothing
    #[arg(long, conflicts_with = "check")]
    pub(in crate::cli) skip_bad: bool,
    /// jsonl or csv; without it, what the file looks like
    #[arg(long)]
    pub(in crate::cli) format: Option<FormatArgument>,
}

/// `varco user imports`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Imports {
    /// Go on with this one, which was interrupted; a running server does so by itself
    #[arg(long, value_name = "ID", allow_hyphen_values = true, conflicts_with_all = ["cancel", "report"])]
    pub(in crate::cli) resume: Option<String>,
    /// Stop this one; what was applied stays
    #[arg(
        long,
        value_name = "ID",
        allow_hyphen_values = true,
        conflicts_with = "report"
    )]
    pub(in crate::cli) cancel: Option<String>,
    /// Show what is wrong with the lines of this one
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(in crate::cli) report: Option<String>,
}
