//! `varco session …`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SessionCommand {
    /// Find by whatever of it is at hand: a session, a grant, a token (or its jti), an authorization code, a subject, a client_id, a username
    Find {
        /// What is looked for; `-` reads it from standard input, where no other account of the machine sees it
        sought: String,
        #[command(flatten)]
        page: PageArguments,
    },
    /// Show the grants of a session, or the tree of a grant
    Show {
        /// A session's or a grant's identifier
        id: String,
        #[command(flatten)]
        page: PageArguments,
    },
    /// End a session and revoke its grants, as a logout does
    End {
        /// The session
        id: String,
        /// Also the grants that were given for the person's absence
        #[arg(long)]
        offline: bool,
        #[command(flatten)]
        reason: ReasonArgument,
    },
    /// Revoke a token, a code or a grant, with all that came of it
    Revoke {
        #[command(flatten)]
        node: NodeArguments,
        #[command(flatten)]
        reason: ReasonArgument,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PageArguments {
    /// Those after this: `next` of the output before
    #[arg(long, value_name = "NEXT", allow_hyphen_values = true)]
    pub(in crate::cli) after: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReasonArgument {
    /// Why, for the trail
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(in crate::cli) reason: String,
}

/// What is to end; one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct NodeArguments {
    /// A token; a refresh token with all that came of it
    #[arg(long, value_name = "JTI", allow_hyphen_values = true)]
    pub(in crate::cli) token: Option<String>,
    /// The code of this grant with all that came of it
    #[arg(long, value_name = "GRANT", allow_hyphen_values = true)]
    pub(in crate::cli) code_of: Option<String>,
    /// A grant
    #[arg(long, value_name = "GRANT", allow_hyphen_values = true)]
    pub(in crate::cli) grant: Option<String>,
}
