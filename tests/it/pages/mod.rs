//! What a citizen meets: login, history, languages, headers, and what the settings change on them.

mod check;
mod headers;
mod history;
mod language;
mod login;
mod revocation;
mod sessions;
mod settings;
mod throttle;
