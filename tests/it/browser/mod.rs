//! The pages in a real browser: Chromium without a window, driven by clicks and keys (WebDriver).
//!
//! A session costs a second, so that each test is a long story. Nothing sleeps: every step waits for what the next page
//! shows. Pictures of the pages go to `build/screenshots`.

mod account;
mod axe;
mod desk;
mod desk_ops;
mod desk_overview;
mod desk_rps;
mod desk_users;
mod driver;
mod keyboard;
mod logins;
mod other_channels;
mod pages;
mod second_factor;
mod security_key;
mod tabs;

use crate::harness::World;
use driver::Chromium;

/// What only one page has: [`Chromium::see`] waits for it.
mod on {
    /// The login page.
    pub const LOGIN: &str = "input[name=password]";
    /// The consent page.
    pub const CONSENT: &str = "button[name=decision][value=allow]";
    /// What the relying party shows after a login.
    pub const RESULT: &str = ".result";
    /// The page of a refusal.
    pub const REFUSAL: &str = ".refusal";
    /// The citizen's history.
    pub const HISTORY: &str = ".filter";
}

impl World {
    /// The same server under another name: for a browser another site.
    fn at_localhost(&self, path: &str) -> String {
        self.url(path).replace("127.0.0.1", "localhost")
    }
}

impl Chromium {
    /// Fills the login form in and sends it.
    async fn log_in(&self, username: &str, password: &str) {
        self.fill("#username", username).await;
        self.fill("#password", password).await;
        self.follow("form button.btn-primary").await;
    }

    /// Opens a relying party's page and presses one of its buttons.
    async fn enter_with(&self, page: &str, provider: &str) {
        self.open(page).await;
        self.follow(&format!("button[name=provider][value={provider}]"))
            .await;
    }
}
