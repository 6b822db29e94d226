//! `/admin`, the operator's desk, at the host root: for the people who run the provider, not for those who log in.
//!
//! ```text
//! request ─► web::desk ─► session alive, everything proven? ─no─► /admin/login ─► … ─► where one wanted to go
//!                              │ yes
//!                              ├─► role of the route (403) ─► form token of a POST (400) ─► handler(&Desk) ─► Reply
//! ```
//!
//! [`ROUTES`] is the one table of its addresses: it says who may open each, and a test walks it with every lesser role and
//! without tokens. A handler is given a [`Desk`], which only the frame makes: whoever holds one was let in. What it changes
//! goes through [`crate::administration`], which keeps the trail.
//!
//! To add a section: a module with `pub(super) static ROUTES`, its line in [`ROUTES`] and in [`Section`], its pages in
//! `ui/pages/desk`, templates in `templates/desk`, messages in `locales/*/desk-NAME.ftl`, samples in `ui/tests`.

mod dashboard;
mod draft;
mod federation;
mod frame;
mod imports;
mod keys;
pub mod login;
mod looking;
mod mails;
mod operators;
mod own;
mod published;
mod rps;
mod sessions;
mod sessions_revoke;
mod sessions_tree;
mod sessions_views;
mod trail;
mod users;
mod visit;

pub use dashboard::sum_up;
pub use frame::{Desk, enter, may_send_file};
pub use visit::{DeskState, DeskVisit, link};

use super::visit::PageFailure;
use crate::config::ServerSettings;
use crate::endpoint::{Method, Reply};
use crate::model::{Params, Role};
use futures_util::future::LocalBoxFuture;

/// The desk's address.
pub const PATH: &str = "/admin";
/// How long a session of the desk lasts, whatever is done in it: a working day.
pub const SESSION_SECONDS: i64 = 8 * 3600;

/// What a handler answers.
pub type Outcome = Result<Reply, PageFailure>;
/// A handler.
pub type Handler = for<'a> fn(&'a Desk<'a>) -> LocalBoxFuture<'a, Outcome>;

/// An address of the desk.
pub struct Route {
    /// The whole path.
    pub path: &'static str,
    /// GET, which changes nothing; or POST, whose form carries the token of the session.
    pub method: Method,
    /// Who may.
    pub least: Role,
    /// What answers.
    pub handler: Handler,
    /// Whether the form may bring a file (`multipart/form-data`).
    pub takes_file: bool,
}

impl Route {
    /// A page that is looked at.
    pub(super) const fn get(path: &'static str, least: Role, handler: Handler) -> Self {
        Self {
            path,
            method: Method::Get,
            least,
            handler,
            takes_file: false,
        }
    }

    /// A form that is sent.
    pub(super) const fn post(path: &'static str, least: Role, handler: Handler) -> Self {
        Self {
            path,
            method: Method::Post,
            least,
            handler,
            takes_file: false,
        }
    }

    /// A form that is sent, with a file or without.
    pub(super) const fn post_file(path: &'static str, least: Role, handler: Handler) -> Self {
        Self {
            takes_file: true,
            ..Self::post(path, least, handler)
        }
    }
}

/// Every address of the desk that needs a login, by section.
pub static ROUTES: &[&[Route]] = &[
    &dashboard::ROUTES,
    &mails::ROUTES,
    &rps::ROUTES,
    &rps::IMPORT_ROUTES,
    &users::ROUTES,
    &users::IMPORT_ROUTES,
    &federation::ROUTES,
    &keys::ROUTES,
    &sessions::ROUTES,
    &operators::ROUTES,
    &trail::ROUTES,
    &own::ROUTES,
];

/// The table, row by row.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().copied().flatten()
}

/// A section: an entry of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What goes on.
    Dashboard,
    /// Relying parties.
    Rps,
    /// The people of the identity registry.
    Users,
    /// What people and relying parties hold.
    Sessions,
    /// What issuers sign with.
    Keys,
    /// How issuers stand in it.
    Federation,
    /// Who may use the desk.
    Operators,
    /// What was done.
    Trail,
    /// One's own password; not in the navigation.
    Own,
}

impl Section {
    /// The navigation, in its order.
    pub const ALL: &[Self] = &[
        Self::Dashboard,
        Self::Rps,
        Self::Users,
        Self::Sessions,
        Self::Keys,
        Self::Federation,
        Self::Operators,
        Self::Trail,
    ];

    /// Its name in message keys: `desk-section-trail`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Rps => "rps",
            Self::Users => "users",
            Self::Sessions => "sessions",
            Self::Keys => "keys",
            Self::Federation => "federation",
            Self::Operators => "operators",
            Self::Trail => "trail",
            Self::Own => "own",
        }
    }

    /// Its first page.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Dashboard => dashboard::PATH,
            Self::Rps => rps::PATH,
            Self::Users => users::PATH,
            Self::Sessions => sessions::PATH,
            Self::Keys => keys::PATH,
            Self::Federation => federation::PATH,
            Self::Operators => operators::PATH,
            Self::Trail => trail::PATH,
            Self::Own => own::PATH,
        }
    }
}

/// Where `/admin` itself leads: the first section that this role may open.
#[must_use]
pub fn first_page(role: Role) -> &'static str {
    Section::ALL
        .iter()
        .copied()
        .map(Section::path)
        .find(|path| may_open(path, role))
        .unwrap_or(own::PATH)
}

/// Whether a role may look at an address.
fn may_open(path: &str, role: Role) -> bool {
    routes().any(|route| route.path == path && route.method == Method::Get && role >= route.least)
}

/// The page that a form stands on, with its query: its own address, or else the section's.
fn page_of(path: &str, query: &Params) -> String {
    let is_page = routes().any(|route| route.path == path && route.method == Method::Get);
    let page = if is_page {
        path
    } else {
        Section::ALL
            .iter()
            .copied()
            .map(Section::path)
            .find(|section| path.starts_with(section))
            .unwrap_or(PATH)
    };
    link(page, &query.iter().collect::<Vec<_>>())
}

/// Where a login leads, if the address is a page of the desk: nobody is sent elsewhere.
fn own_address(to: &str) -> Option<&str> {
    let path = to.split('?').next().unwrap_or_default();
    let is_page = routes().any(|route| route.path == path && route.method == Method::Get);
    (is_page && !to.chars().any(char::is_control)).then_some(to)
}

/// What pages say after something was done: `desk-notice-KEY`.
pub(super) const NOTICES: &[&str] = &[
    "operator_added",
    "operator_changed",
    "password_changed",
    "rp_enabled",
    "rp_disabled",
    "rp_revoked",
    "rp_deleted",
    "user_added",
    "user_changed",
    "user_unverified",
    "user_unlocked",
    "mail_retried",
    "mails_retried",
    "mails_retried_some",
    "keys_changed",
    "keys_replanned",
    "rp_added",
    "rp_changed",
    "rp_tolerated",
];

/// The name of the session's cookie: `__Host-varco-admin`, without the prefix in development, where there is no TLS.
#[must_use]
pub fn cookie_name(server: &ServerSettings) -> String {
    let prefix = if server.development { "" } else { "__Host-" };
    format!("{prefix}varco-admin")
}
