//! Logins that are confirmed over another channel: in the identity provider's app, and with a code by e-mail.

use super::{Chromium, on};
use crate::flows::email_code;
use crate::flows::external::{in_the_app, with_example, with_example_of};
use crate::harness::{LEVELS, World};
use varco::config::Enrolment;

#[actix_web::test]
async fn the_page_goes_on_by_itself_once_the_app_confirms() {
    let (world, app) = with_example();
    let browser = Chromium::start().await;
    browser.enter_with(&world.url("/rp/"), "spid").await;
    browser.log_in("ada", "ada-demo").await;
    browser.see("button[name=begin]").await;
    browser.inspect("elsewhere-begin").await;
    browser.click("button[name=begin]").await;
    browser.see("#waiting").await;
    browser.inspect("elsewhere-waiting").await;
    in_the_app(&app, "deny", "").await;
    world.clock.advance_seconds(2);
    browser.see(".notice-error").await;
    browser.inspect("elsewhere-denied").await;
    browser.click("button[name=begin]").await;
    let number = browser.text(".match-number strong").await;
    in_the_app(&app, "approve", &number).await;
    world.clock.advance_seconds(2);
    browser.see(on::CONSENT).await;
    browser.click(on::CONSENT).await;
    assert!(browser.text(on::RESULT).await.contains("SpidL2"));
    browser.expect_quiet().await;
}

#[actix_web::test]
async fn without_javascript_the_page_loads_itself_again_until_the_app_confirms() {
    let (world, app) = with_example();
    let browser = Chromium::without_scripts().await;
    browser.enter_with(&world.url("/rp/"), "spid").await;
    browser.log_in("ada", "ada-demo").await;
    browser.click("button[name=begin]").await;
    let number = browser.text(".match-number strong").await;
    browser
        .keep_picture("elsewhere-waiting-without-scripts")
        .await;
    in_the_app(&app, "approve", &number).await;
    world.clock.advance_seconds(2);
    browser.see(on::CONSENT).await;
    browser.expect_quiet().await;
}

#[actix_web::test]
async fn a_name_and_the_app_log_in_without_a_password_with_scripts_and_without() {
    let (world, app) = with_example_of(|settings| {
        settings.levels_alone = vec![LEVELS[1].to_owned()];
    });
    for scripts in [true, false] {
        let browser = match scripts {
            true => Chromium::start().await,
            false => Chromium::without_scripts().await,
        };
        browser.enter_with(&world.url("/rp/"), "spid").await;
        browser.click("a[href*='with=external']").await;
        browser.see("button[name=begin]").await;
        if scripts {
            browser.inspect("elsewhere-alone-begin").await;
        }
        browser.fill("#username", "ada").await;
        browser.click("button[name=begin]").await;
        let number = browser.text(".match-number strong").await;
        if scripts {
            browser.inspect("elsewhere-alone-waiting").await;
        }
        in_the_app(&app, "approve", &number).await;
        world.clock.advance_seconds(2);
        browser.see(on::CONSENT).await;
        browser.click(on::CONSENT).await;
        assert!(browser.text(on::RESULT).await.contains("SpidL2"));
        browser.expect_quiet().await;
    }
}

#[actix_web::test]
async fn a_phone_whose_clock_is_wrong_is_told_so() {
    let world = World::with_levels(Enrolment::Operator).start();
    world.give_app("ada");
    let browser = Chromium::start().await;
    browser.enter_with(&world.url("/rp/"), "spid").await;
    browser.log_in("ada", "ada-demo").await;
    browser.see("#otp").await;
    browser.fill("#otp", &world.code_after(720)).await;
    browser.click("form.panel .btn-primary").await;
    browser.see("#proof-error").await;
    browser.inspect("second-factor-clock").await;
    browser.expect_status(422).await;
}

#[actix_web::test]
async fn a_code_by_e_mail_is_sent_and_typed() {
    let world = email_code::world();
    let browser = Chromium::start().await;
    browser.enter_with(&world.url("/rp/"), "spid").await;
    browser.log_in("ada", "ada-demo").await;
    browser.see("button[name=send]").await;
    browser.inspect("email-code-begin").await;
    browser.click("button[name=send]").await;
    browser.see("#otp").await;
    browser.inspect("email-code").await;
    browser.expect_quiet().await;
    browser.fill("#otp", "no code").await;
    browser.click("form.panel .btn-primary").await;
    browser.see("#proof-error").await;
    browser.inspect("email-code-wrong").await;
    browser.expect_status(422).await;
    browser.fill("#otp", &email_code::code_of(&world)).await;
    browser.click("form.panel .btn-primary").await;
    browser.see(on::CONSENT).await;
    browser.expect_quiet().await;
}
