//! A citizen registers a security key and uses it at every level.

use super::{Chromium, on};
use crate::harness::{LEVELS, World};
use varco::demo::LoginOptions;

const KEY: &str = "[data-key-start]";

impl Chromium {
    /// Asks the RP for a login at a level, as its page does.
    async fn ask_level(&self, world: &World, level: &str, prompt: &str) {
        let issuer = world.issuer("spid").await;
        let options = LoginOptions {
            prompt: prompt.to_owned(),
            acr_values: vec![level.to_owned()],
            ..LoginOptions::default()
        };
        let prepared = world.request(&issuer, &options);
        self.open(&prepared.url).await;
    }

    async fn add_key(&self, world: &World) {
        self.open(&world.url("/spid/account")).await;
        self.log_in("ada", "ada-demo").await;
        self.see("a[href*='key/add']").await;
        self.click("a[href*='key/add']").await;
        self.fill("#password", "ada-demo").await;
        self.inspect("key-add").await;
        self.click("form.panel .btn-primary").await;
        self.see(KEY).await;
        self.inspect("key-new").await;
        self.fill("#name", "Chiave di Ada").await;
        self.click(KEY).await;
        self.see(".codes").await;
        self.click("main .btn-primary").await;
        self.see("a[href*='factor/remove']").await;
        self.inspect("account-with-key").await;
    }
}

#[actix_web::test]
async fn a_security_key_is_registered_and_used_for_both_levels_for_a_step_up_and_alone() {
    let world = World::with_keys().start();
    let browser = Chromium::start().await;
    let key = browser.plug_key_in().await;
    browser.add_key(&world).await;

    // Step-up: the session has level 1, the key is touched.
    browser.set_verified(&key, false).await;
    browser.ask_level(&world, LEVELS[1], "consent").await;
    browser.see(KEY).await;
    browser.inspect("key-step-up").await;
    browser.click(KEY).await;
    browser.see(on::CONSENT).await;
    browser.inspect("key-level-2").await;

    // Level 3: the key has to verify its holder.
    browser.ask_level(&world, LEVELS[2], "consent login").await;
    browser.log_in("ada", "ada-demo").await;
    browser.see(KEY).await;
    browser.inspect("key-level-3-asked").await;
    browser.expect_quiet().await;
    browser.click(KEY).await;
    browser
        .see("[data-key-error=cancelled]:not([hidden])")
        .await;
    browser.inspect("key-not-verified").await;
    browser.set_verified(&key, true).await;
    browser.click(KEY).await;
    browser.see(on::CONSENT).await;
    browser.inspect("key-level-3").await;

    // Without a password.
    browser.ask_level(&world, LEVELS[2], "consent login").await;
    browser.see("a[href*='with=verified_key']").await;
    browser.inspect("login-with-key-offered").await;
    browser.click("a[href*='with=verified_key']").await;
    browser.see(KEY).await;
    browser.inspect("key-alone").await;
    browser.click(KEY).await;
    browser.see(on::CONSENT).await;

    // A change of the account, confirmed with the key.
    browser.open(&world.url("/spid/account")).await;
    browser.click("a[href*='factor/remove']").await;
    browser.fill("#password", "ada-demo").await;
    browser.inspect("key-confirms-change").await;
    browser.click(KEY).await;
    browser.see(".notice-success").await;
    browser.expect_quiet().await;
}

#[actix_web::test]
async fn without_scripts_the_page_says_what_a_key_needs_and_offers_another_way() {
    let world = World::with_keys().start();
    let browser = Chromium::without_scripts().await;
    browser.ask_level(&world, LEVELS[2], "consent login").await;
    browser.click("a[href*='with=verified_key']").await;
    let text = browser.text("[data-key-without]").await;
    assert!(text.contains("JavaScript"), "{text}");
    assert!(!browser.see(KEY).await.is_displayed().await.unwrap());
    browser.keep_picture("key-without-scripts-1280").await;
    browser.click("main ul a[href*=login]").await;
    browser.see(on::LOGIN).await;
    browser.expect_quiet().await;
}
