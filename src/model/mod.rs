//! Plain data of the provider: what the store keeps and the endpoints speak of. No I/O, no clock.

mod account;
pub mod attribute;
mod authenticator;
mod authorization_request;
mod client;
mod error_code;
mod external_login;
mod grant;
mod identifier;
mod interaction;
mod login_event;
mod mail;
mod method;
mod operator;
mod own_trust_mark;
mod params;
mod refusal;
mod rp_check;
mod session;
mod signing_key;
mod user_import;

pub use account::Account;
pub use authenticator::{Authenticator, KeyCredential, Pending};
pub use authorization_request::{
    AuthorizationRequest, ClaimRequest, Destination, Prompt, ResponseMode,
};
pub use client::{
    ClientLifetimes, ClientMetadata, EncryptionChoice, KeptTrustMark, Origin, PreviousSecret,
    RelyingParty, ResolvedTrust, RpToleranceOverride, UserinfoContentType,
};
pub use error_code::ErrorCode;
pub use external_login::{ExternalLogin, ExternalState, ExternalTrouble};
pub use grant::{
    AuthorizationCode, CodeState, Grant, Redeemed, Token, TokenKind, TokenState, TokenStatus,
};
pub use identifier::{
    AccountId, ClientId, CodeHash, GrantId, InteractionId, IssuerId, OperatorId, SecretHash,
    SessionId, TokenId,
};
pub use interaction::{Interaction, InteractionState, PartialProof};
pub use login_event::{AccessState, HistoryFilter, LoginEvent, LoginEventId};
pub use mail::{MailCounts, MailCursor, MailMessage, MailState};
pub use method::{Factor, Method, Methods};
pub use operator::{Actor, Deed, Operator, OperatorSession, Role, TrailEntry, TrailFilter, Via};
pub use own_trust_mark::OwnTrustMark;
pub use params::{ParamError, Params};
pub use refusal::Refusal;
pub use rp_check::{CheckKind, RpCheck};
pub use session::Session;
pub use signing_key::StoredKey;
pub use user_import::{ImportKind, ImportState, UserImport};
