//! Without a mouse, and without scripts.

use super::{Chromium, on};
use crate::harness::World;
use fantoccini::key::Key;

/// What has the focus: its id, or what it says.
const FOCUSED: &str = r#"
const element = document.activeElement;
return element.id || element.name && element.value || element.textContent.trim();
"#;

/// Whether what has the focus is drawn with an outline, on the screen.
const IS_VISIBLE: &str = r#"
const element = document.activeElement;
const style = getComputedStyle(element);
const box = element.getBoundingClientRect();
return style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2
    && box.width > 0 && box.top >= 0 && box.left >= 0;
"#;

impl Chromium {
    /// Presses a key where the focus is.
    async fn press(&self, key: char) {
        let focused = self.client.active_element().await.unwrap();
        focused.send_keys(&key.to_string()).await.unwrap();
    }

    /// Presses Enter where the focus is.
    pub async fn press_enter(&self) {
        self.press(Key::Enter.into()).await;
    }

    /// Types where the focus is.
    pub async fn type_here(&self, text: &str) {
        let focused = self.client.active_element().await.unwrap();
        focused.send_keys(text).await.unwrap();
    }

    async fn focused(&self) -> String {
        self.run(FOCUSED).await.as_str().unwrap().to_owned()
    }

    /// Presses Tab until something has the focus; answers what had it on the way.
    pub async fn tab_to(&self, target: &str) -> Vec<String> {
        let mut passed = Vec::new();
        for _ in 0..60 {
            self.press(Key::Tab.into()).await;
            let focused = self.focused().await;
            assert_eq!(
                self.run(IS_VISIBLE).await,
                true,
                "the focus cannot be seen at {focused}"
            );
            if focused == target {
                return passed;
            }
            passed.push(focused);
        }
        panic!("Tab does not reach {target}: {passed:?}");
    }
}

#[actix_web::test]
async fn a_login_needs_no_mouse_and_the_focus_is_always_seen() {
    let world = World::start();
    let browser = Chromium::start().await;
    browser.open(&world.url("/rp/")).await;

    // The first stop skips the header, and the next one is what follows the heading.
    browser.press(Key::Tab.into()).await;
    assert_eq!(browser.focused().await, "Vai al contenuto principale");
    assert_eq!(browser.run(IS_VISIBLE).await, true);
    browser.press_enter().await;
    assert_eq!(browser.focused().await, "main");
    browser.tab_to("spid").await;
    browser.press_enter().await;

    // Language, policy of the service, then the fields in reading order.
    browser.see(on::LOGIN).await;
    let passed = browser.tab_to("username").await;
    assert!(passed.contains(&"Deutsch".to_owned()), "{passed:?}");
    browser.type_here("ada").await;
    assert!(browser.tab_to("password").await.is_empty());
    // Enter sends the form: logging in comes before cancelling.
    browser.type_here("wrong").await;
    browser.press_enter().await;

    // The focus is at the explanation, whose link leads to the field.
    browser.see("#error-summary").await;
    assert_eq!(browser.focused().await, "error-summary");
    browser
        .tab_to(&browser.text("#error-summary a").await)
        .await;
    browser.press_enter().await;
    assert_eq!(browser.focused().await, "username");
    browser.tab_to("password").await;
    browser.type_here("ada-demo").await;
    browser.press_enter().await;

    browser.see(on::CONSENT).await;
    browser.tab_to("allow").await;
    assert!(browser.tab_to("deny").await.is_empty());
    browser.press_with_shift_back_to("allow").await;
    browser.press_enter().await;
    browser.see(on::RESULT).await;
    assert!(!browser.has(".steps .failed").await);
}

impl Chromium {
    async fn press_with_shift_back_to(&self, target: &str) {
        let focused = self.client.active_element().await.unwrap();
        let keys = format!("{}{}", char::from(Key::Shift), char::from(Key::Tab));
        focused.send_keys(&keys).await.unwrap();
        assert_eq!(self.focused().await, target);
    }
}

#[actix_web::test]
async fn a_login_needs_no_scripts() {
    let world = World::start();
    let browser = Chromium::without_scripts().await;
    browser.open(&world.at_localhost("/rp/")).await;
    browser.click("[name=request_method][value=post]").await;
    browser.click("[name=response_mode][value=form_post]").await;
    browser.click("button[name=provider][value=cie]").await;
    // The request's form, then the answer's: each waits for its button.
    browser.click("#form-post button").await;
    browser.see(on::LOGIN).await;
    browser.log_in("chiara", "chiara-demo").await;
    browser.click(on::CONSENT).await;
    browser.see("#form-post").await;
    assert_eq!(browser.path().await, "/cie/consent");
    browser.click("#form-post button").await;
    let result = browser.text(on::RESULT).await;
    assert!(result.contains("Gruber"), "{result}");
}
