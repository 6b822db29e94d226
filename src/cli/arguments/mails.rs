//! `varco mail …`.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum MailCommand {
    /// Show the mails that wait or were given up, newest first; never what they say
    List(List),
    /// Have mails that were given up tried again by the running server
    Retry(Retry),
}

/// `varco mail list`.
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Which ones
    #[arg(long, default_value = "failed")]
    pub(in crate::cli) state: StateArgument,
    /// Where the last page ended: what `--json` names `next`
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    pub(in crate::cli) after: Option<String>,
    /// How many
    #[arg(long, default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(in crate::cli) limit: u32,
}

/// Where mails are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum StateArgument {
    /// Waiting for their first or next attempt
    Queued,
    /// Given up
    Failed,
}

/// `varco mail retry`; one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct Retry {
    /// This one (`varco mail list` names it)
    #[arg(allow_hyphen_values = true)]
    pub(in crate::cli) id: Option<String>,
    /// All that were given up
    #[arg(long)]
    pub(in crate::cli) all: bool,
}
