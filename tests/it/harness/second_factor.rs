//! Second factors: worlds that ask for them, and an app that makes the codes.

use super::{Answer, Browser, LEVELS, World, WorldBuilder};
use varco::accounts::second_factor;
use varco::authn::totp;
use varco::clock::Clock as _;
use varco::config::Enrolment;
use varco::model::{Account, Authenticator};
use varco::store::{StoreError, account, authenticator};

/// What the app of [`World::give_app`] holds (RFC 6238 appendix B).
const SECRET: &[u8] = b"12345678901234567890";
const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

impl World {
    /// The password reaches level 1, a second factor level 2, as in production.
    pub fn with_levels(enrolment: Enrolment) -> WorldBuilder {
        Self::builder().issuers(move |issuer| {
            issuer.password_levels = vec![LEVELS[0].to_owned()];
            issuer.second_factor_levels = vec![LEVELS[1].to_owned()];
            issuer.enrolment = enrolment;
        })
    }

    /// A person as the database has them.
    pub fn account(&self, username: &str) -> Account {
        let store = &self.app.shared.store;
        let found = store.read_blocking(|conn| account::find_by_username(conn, username));
        let found: Result<_, StoreError> = found;
        found.unwrap().unwrap()
    }

    /// A person's second factors, the oldest first.
    pub fn factors(&self, username: &str) -> Vec<Authenticator> {
        let (id, now) = (self.account(username).id, self.clock.now());
        let store = &self.app.shared.store;
        let found: Result<_, StoreError> =
            store.read_blocking(|conn| authenticator::search(conn, &id, now));
        found.unwrap()
    }

    /// The operator gives a person an app.
    pub fn give_app(&self, username: &str) {
        let (id, now) = (self.account(username).id, self.clock.now());
        let key = self.app.shared.key_encryption_key.clone();
        self.app
            .shared
            .store
            .write_blocking(move |conn| second_factor::give_totp(conn, &key, &id, BASE32, now))
            .unwrap();
    }

    /// What that app shows now.
    pub fn code_now(&self) -> String {
        totp::code_at(SECRET, self.clock.now())
    }

    /// What that app shows so many seconds later; negative: earlier.
    pub fn code_after(&self, seconds: i64) -> String {
        totp::code_at(SECRET, self.clock.now().plus_seconds(seconds))
    }

    /// What an app shows that was given the secret of a page.
    pub fn code_of_page(&self, page: &Answer) -> String {
        let secret = page.body.split("class=\"secret\">").nth(1).unwrap();
        let secret = secret.split('<').next().unwrap().replace(' ', "");
        let secret = data_encoding::BASE32_NOPAD
            .decode(secret.as_bytes())
            .unwrap();
        totp::code_at(&secret, self.clock.now())
    }

    /// Types a code into the page that asks for one.
    pub async fn type_code(&self, browser: &mut Browser, page: &Answer, code: &str) -> Answer {
        let form = page.form("/login").with("otp", code);
        let answer = browser.submit(page, &form).await;
        browser.follow(answer, &format!("{}/", self.base)).await
    }
}

/// The page that asks for a code, and for nothing else.
pub fn assert_asks_code(page: &Answer) {
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("name=\"otp\""), "{}", page.body);
    assert!(page.body.contains("autocomplete=\"one-time-code\""));
    assert!(!page.body.contains("name=\"password\""), "{}", page.body);
}
