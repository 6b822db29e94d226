//! `varco operator …`.

use crate::model::Role;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum OperatorCommand {
    /// Add somebody who may use the desk; the password is asked for
    Add {
        /// What they type to log in
        name: String,
        /// What they may do
        #[arg(long, value_enum, default_value = "viewer")]
        role: RoleArgument,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Show who may use the desk
    List,
    /// Set a password; their sessions end
    Password {
        /// The operator
        name: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give another role
    Role {
        /// The operator
        name: String,
        /// What they may do
        #[arg(value_enum)]
        role: RoleArgument,
    },
    /// Let an operator log in no more; their sessions end
    Disable(Named),
    /// Let an operator log in again
    Enable(Named),
    /// Forget the second factor, and the wrong codes: a new one is registered at the next login; their sessions end
    ResetFactor(Named),
    /// Let an operator try again whose passwords or codes are refused after too many wrong ones
    Unlock(Named),
    /// End their sessions
    EndSessions(Named),
    /// Show what operators did, newest first
    Trail(TrailArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    /// The operator
    pub(in crate::cli) name: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TrailArguments {
    /// By exactly this operator
    #[arg(long)]
    pub(in crate::cli) actor: Option<String>,
    /// Exactly this action, such as rp.disable
    #[arg(long)]
    pub(in crate::cli) action: Option<String>,
    /// Done to exactly this subject
    #[arg(long)]
    pub(in crate::cli) subject: Option<String>,
    /// Not earlier than this time, such as 2026-12-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) since: Option<chrono::DateTime<chrono::Utc>>,
    /// Earlier than this time
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) until: Option<chrono::DateTime<chrono::Utc>>,
    /// Entries before this number
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) before: Option<i64>,
    /// How many
    #[arg(long, default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(in crate::cli) limit: u32,
}

/// What an operator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum RoleArgument {
    /// Looks, and changes nothing
    Viewer,
    /// Runs relying parties, users, sessions and keys
    Operator,
    /// Also says who the operators are
    Administrator,
}

impl From<RoleArgument> for Role {
    fn from(role: RoleArgument) -> Self {
        match role {
            RoleArgument::Viewer => Self::Viewer,
            RoleArgument::Operator => Self::Operator,
            RoleArgument::Administrator => Self::Administrator,
        }
    }
}
