//! Varco, an OpenID Connect Provider for the Italian digital identity federations SPID and CIE (OpenID Federation 1.0).
//!
//! # What one process is
//!
//! A process serves one or more **issuers**. An issuer is an OP: an identifier (its URL), a [`profile`] (`spid`, `cie` or
//! `oidc`), keys, membership in a federation, lifetimes. [`provider::Provider`] holds one issuer; endpoints receive
//! `&Provider` and know nothing of the others. All issuers share one [`store::Store`] and one registry of people.
//! All state is in the database, so that nodes are interchangeable.
//!
//! # The map
//!
//! Who may use whom, from the bottom up; `tests/it/architecture.rs` reads the `use` lines and checks it.
//!
//! ```text
//! clock random secret jose language model ◄─ store profile federation ◄─ config accounts keys mail ◄─ provider
//!     ◄─ endpoint ◄─ oauth authn administration ◄─ ui ◄─ web cli ◄─ launch ◄─ main
//! demo: beside them; it uses jose, federation and ui's pages, and the issuers over HTTP only, like an outsider
//! ```
//!
//! - [`clock`], [`random`], [`secret`]: the only uses of the system clock and of random bytes; constant-time comparison.
//! - [`jose`]: JWS, JWE, JWK and the key ring. The only user of biscuit and of openssl's ciphers.
//! - [`language`]: the languages of pages and mails, their messages and dates.
//! - [`model`]: plain data, no I/O.
//! - [`store`]: SQLite and PostgreSQL behind one set of queries. The only user of diesel. SQLite writes go through one
//!   thread that commits waiting transactions in groups.
//! - [`federation`]: entity statements, trust chains, metadata policies, trust marks, fetching, and our own documents.
//! - [`profile`]: what SPID, CIE and plain OpenID Connect ask, as tables. The same tables refuse messages and are
//!   published as JSON Schemas. Nothing outside asks which profile it is.
//! - [`config`]: `varco.toml` and the environment; every problem of a file reported at once.
//! - [`accounts`]: the registry of people: import, export, argon2id, sealed second factors. [`keys`]: making,
//!   rotating and retiring keys.
//! - [`mail`]: letters to people, their queue in the database, and the way out. The only user of lettre.
//! - [`provider`]: one issuer: how it comes to know relying parties (by hand, by themselves through [`oauth::registration`],
//!   or by their first request), keeps them known, keeps its own trust marks, and knows which factors reach which level.
//! - [`endpoint`]: the steps every protocol endpoint goes through. [`oauth`]: the endpoints, a module each.
//! - [`authn`]: how people prove who they are.
//! - [`administration`]: what operators do, by the desk and by the command line alike, each deed in the trail.
//! - [`ui`]: pages, and the handlers of the pages for people; [`ui::desk`] is the operator's desk.
//! - [`web`]: the only user of actix-web: route table, sessions, headers, TLS, background work.
//! - [`cli`]: the commands. [`launch`]: putting a process together. [`demo`]: the demonstration federation.
//!
//! # A SPID login, step by step
//!
//! 1. The browser arrives at `/authorization` ([`oauth::authorization`]) with a signed request object. Its unverified
//!    `client_id` is looked up: in memory, in the database, or through a trust chain ([`provider::Provider::find_client`],
//!    [`federation::Resolver`]). The chain's end is a configured anchor with pinned keys; the RP's keys come out of it.
//! 2. The request object's signature is verified with those keys, and `redirect_uri` compared exactly with the RP's
//!    metadata. From here on, and not earlier, errors travel to the RP.
//! 3. The profile's tables and the ordered checks accept the request. One transaction spends the request object
//!    and inserts an interaction bound to a cookie of this browser; the browser is sent to `/login`.
//! 4. [`ui::login`] uses the single sign-on session if its level suffices, or asks for what is missing: a password
//!    ([`authn::password`]: throttled first, argon2id in a bounded queue), then a second factor
//!    ([`authn::second_factor`]); what was proven so far is kept in the interaction. [`ui::consent`] shows what would be released.
//! 5. "Allow" is one transaction: the interaction is answered (a conditional UPDATE, so only once), grant, code and
//!    history entry are written. The browser returns to the RP with the code; the database has its SHA-256 only.
//! 6. The RP calls `/token` ([`oauth::token`]) with a client assertion ([`oauth::client_auth`]). One transaction
//!    spends the assertion's `jti` and the code and inserts the tokens' rows; they are signed after the commit.
//! 7. `/userinfo` ([`oauth::userinfo`]) verifies the access token's signature, requires its row to be live, and
//!    answers a JWS inside a JWE for the RP's key.
//!
//! # A refresh, step by step
//!
//! 1. `/token` with `grant_type=refresh_token`: the token's signature, `typ` and `aud` are verified, the RP authenticated.
//! 2. In one transaction the row goes from live to rotated by a conditional UPDATE. If it was rotated before, somebody
//!    holds a copy: the whole grant is revoked and the refusal committed.
//! 3. Every live token of the grant is revoked, new rows are inserted with the next generation, bounded by the end of
//!    consent; `profile::Refresh` says how often and whether a new id_token comes along (SPID/CIE TK-7).
//! 4. After the commit the new tokens are signed and answered.

pub mod accounts;
pub mod administration;
pub mod authn;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod endpoint;
pub mod federation;
pub mod jose;
pub mod keys;
pub mod language;
pub mod launch;
pub mod mail;
pub mod model;
pub mod oauth;
pub mod profile;
pub mod provider;
pub mod random;
pub mod secret;
pub mod store;
pub mod ui;
pub mod web;
