//! What a citizen meets: login, account, history, languages, headers, and what the settings change on them.

mod account;
mod branding;
mod check;
mod headers;
mod history;
mod language;
mod levels;
mod login;
mod own_data;
mod revocation;
mod sessions;
mod settings;
mod throttle;
