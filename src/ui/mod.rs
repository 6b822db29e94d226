//! What people see: typed pages, rendered by Tera with Fluent translations.
//!
//! This module renders and nothing else: it knows no requests, no database and no web server. A handler fills a page's
//! struct and a [`Layout`], and calls [`Page::render`]:
//!
//! ```text
//! handler ─► LoginPage { … } ─► Page::render(&pages, &layout) ─► templates/login.html ─► HTML
//!                                                     t(key) ─► locales/<language>/*.ftl
//!                                              asset(path=…) ─► static/… with its content's hash
//! ```
//!
//! - A new page: a struct in `pages/`, its `impl Page`, a template, its messages in every language, an entry in `tests.rs`
//!   (which renders every page in every language, and attacks it).
//! - A new language: see [`Locale`].
//! - Templates and static files can be replaced by a folder, see [`Pages::new`].
//!
//! The pages need `Content-Security-Policy: default-src 'none'; style-src 'self'; font-src 'self' data:; script-src 'self';
//! img-src 'self' data: <the RP's logo's origin>; form-action …; base-uri 'none'; frame-ancestors 'none'`: no page has an
//! inline script or style; the `data:` images and font are within Bootstrap Italia's style sheet.

pub mod account;
pub mod advice;
mod assets;
mod brand;
pub mod chart;
pub mod check;
pub mod consent;
pub mod desk;
mod device;
pub mod draft;
pub mod history;
mod interaction;
pub mod login;
mod pages;
mod proof;
mod qr;
#[cfg(test)]
mod tests;
mod user_agent;
mod values;
pub mod visit;

pub use crate::language::catalog::{
    Arguments, Level, TranslationError, attribute_name, level_name, text, translate,
};
pub use crate::language::{Locale, dates};
pub use assets::{Asset, Assets, STATIC_PATH};
pub use brand::{BRAND_STYLE_PATH, attribute_names, brand_style, logo_url};
pub use pages::account::{
    AccountChange, AccountNotice, AccountPage, ConfirmChangePage, FactorView, LanguageChoice,
    RecoveryView, RenamingView, SessionView,
};
pub use pages::check::{
    CheckPage, CheckView, DocumentView, FetchView, KeptView, KnownView, NodeView, PathView,
    PolicyView, RowView, StateView,
};
pub use pages::consent::{AttributeView, ConsentPage};
pub use pages::consents::{ConsentView, ConsentsPage};
pub use pages::demo::{
    ActionKind, DemoAction, DemoAttribute, DemoHomePage, DemoLink, DemoLinkKind, DemoOptions,
    DemoResultPage, DemoRpPage, DemoStep, DemoUser, StepKind,
};
pub use pages::desk::dashboard::{
    AliveView, BusyView, ChartView, DashboardPage, EndingView, KeyAgeView, KeyAgesView,
    KeyGroupView, RangeView,
};
pub use pages::desk::federation::{
    AnchorView, AskedPage, AskedVerdict, AskedView, AttestationView, AttestedView, FederationPage,
    OwnMarkView, RenewalView, SuperiorSays,
};
pub use pages::desk::imports::{
    ImportEntryView, ImportPage, ImportPartyView, ImportRowView, ImportsPage,
};
pub use pages::desk::keys::{
    IssuerKeysView, KeyView, KeysPage, PublishedPage, PublishedView, RingView, RotatePage,
};
pub use pages::desk::login::{DeskCodePage, DeskLoginPage, OwnPasswordPage};
pub use pages::desk::looking::{CheckProgressView, CheckStepView};
pub use pages::desk::mails::{DeskMailView, DeskMailsPage};
pub use pages::desk::operators::{OperatorAddPage, OperatorPage, OperatorView, OperatorsPage};
pub use pages::desk::reasoned::ReasonedPage;
pub use pages::desk::rps::{
    ChainNodeView, ConflictView, KeptMarkView, OptionView, RpActionsView, RpCheckPage, RpFormPage,
    RpLoginView, RpPage, RpRotatePage, RpRowView, RpSecretPage, RpTolerancePage, RpsPage,
    ScopeView, ToleranceView,
};
pub use pages::desk::sessions::{
    DeskSessionView, GrantView, HolderView, RevokedView, SessionsPage, TreeNodeView, TreePage,
};
pub use pages::desk::trail::{TrailPage, TrailRowView};
pub use pages::desk::users::{
    AttributeField, EditedUser, UserActions, UserEditPage, UserFactorView, UserHistoryPage,
    UserPage, UserRowView, UserSessionView, UsersPage,
};
pub use pages::desk::{ConfirmPage, DeskView, Field, OutcomeView, SectionView};
pub use pages::history::{
    FilterError, HistoryEntry, HistoryFilter, HistoryPage, LoggedOutPage, Notice,
    RevokeConfirmPage, RpChoice, TokenState,
};
pub use pages::login::{LoginError, LoginPage};
pub use pages::mailbox::{MailView, MailboxPage};
pub use pages::message::{FormPostPage, HomePage, MessagePage};
pub use pages::other_channel::{
    AskElsewherePage, AskError, ConfirmElsewherePage, EmailCodePage, Stands,
};
pub use pages::refusal::{RefusalKind, RefusalPage};
pub use pages::second_factor::{
    CertificatePage, CodeKind, EnrolPage, KeyPage, NewKeyPage, NoSecondFactorPage, OtherWay,
    ProofError, QrView, RecoveryCodesPage, SecondFactorPage, StepView,
};
pub use pages::{Brand, Layout, Link, Page, Pages, RpView};
pub use values::attribute_value;

use crate::language::catalog;
use std::path::PathBuf;

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A template is wrong, or a message or static file that it names misses.
    #[error("page `{template}`: {}", chain(source))]
    Template {
        /// The template's name.
        template: String,
        /// What Tera said.
        source: tera::Error,
    },
    /// The templates do not fit together.
    #[error("templates: {}", chain(.0))]
    Templates(tera::Error),
    /// The folder that overrides templates or static files cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An overriding template is not UTF-8.
    #[error("template `{0}` is not UTF-8")]
    Encoding(String),
}

/// An error and its causes in one line.
fn chain(error: &tera::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
