//! A form whose session ended while somebody wrote: what was typed comes back, to them and to nobody else.

use super::PASSWORD;
use crate::harness::{Answer, Browser, World};
use varco::launch::OPERATOR;
use varco::model::Role;
use varco::ui::desk::SESSION_SECONDS;

const FORM: &str = "/admin/operators/add";

/// Fills the form in, sends it after the session has ended, and returns where the login is.
async fn send_too_late(world: &World, browser: &mut Browser) -> String {
    let page = browser.get(&world.url(FORM)).await;
    let form = page
        .form(FORM)
        .with("name", "vera.typed")
        .with("role", "operator")
        .with("password", "a secret that nobody keeps");
    world.clock.advance_seconds(SESSION_SECONDS);
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 303);
    let login = answer.leads_to();
    assert!(login.starts_with("/admin/login"), "{login}");
    login
}

/// Logs in at this login page and follows where it leads.
async fn log_in(
    world: &World,
    browser: &mut Browser,
    login: &str,
    (name, password): (&str, &str),
) -> (String, Answer) {
    let page = browser.get(&world.url(login)).await;
    let form = page
        .form("/admin/login")
        .with("username", name)
        .with("password", password);
    let answer = browser.submit(&page, &form).await;
    let to = answer.leads_to();
    let page = browser.get(&world.url(&to)).await;
    (to, page)
}

#[actix_web::test]
async fn a_form_sent_after_the_session_ended_comes_back_filled_in_once_and_without_secrets() {
    let world = World::start();
    let mut olga = world.desk().await;
    let login = send_too_late(&world, &mut olga).await;
    let (to, page) = log_in(&world, &mut olga, &login, OPERATOR).await;
    assert!(to.starts_with(FORM), "{to}");
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("value=\"vera.typed\""), "{}", page.body);
    assert!(page.body.contains("<option value=\"operator\" selected>"));
    assert!(!page.body.contains("nobody keeps"));
    // It can be sent now; and what came back is gone.
    let form = page
        .form(FORM)
        .with("name", "vera.typed")
        .with("password", PASSWORD);
    assert_eq!(olga.submit(&page, &form).await.status, 303);
    let again = olga.get(&world.url(&to)).await;
    assert!(!again.body.contains("vera.typed"));
}

#[actix_web::test]
async fn the_reason_of_a_revocation_comes_back_to_its_confirmation() {
    let world = World::start();
    let mut olga = world.desk().await;
    let issuer = world.issuer("spid").await;
    let (_, code) = world
        .code(world.rp(), &issuer, &varco::demo::LoginOptions::default())
        .await;
    let page = olga.get(&world.url("/admin/sessions")).await;
    let form = page.form("/admin/sessions").with("sought", &code);
    let tree = olga.submit(&page, &form).await.leads_to();
    let tree = olga.get(&world.url(&tree)).await;
    let address = "/admin/sessions/revoke?what=grant&amp;id=";
    let id = tree.body.split(address).nth(1).unwrap();
    let id = id.split('"').next().unwrap();
    let url = format!("/admin/sessions/revoke?what=grant&id={id}");
    let page = olga.get(&world.url(&url)).await;
    let form = page
        .form("/admin/sessions/revoke")
        .with("reason", "the person asked on the telephone");
    world.clock.advance_seconds(SESSION_SECONDS);
    let login = olga.submit(&page, &form).await.leads_to();
    let (to, page) = log_in(&world, &mut olga, &login, OPERATOR).await;
    assert!(to.starts_with("/admin/sessions/revoke?"), "{to}");
    assert!(
        page.body
            .contains("value=\"the person asked on the telephone\""),
        "{}",
        page.body
    );
    // What is looked for may be a code: it is not kept.
    let page = olga.get(&world.url("/admin/sessions")).await;
    let form = page.form("/admin/sessions").with("sought", "a code");
    world.clock.advance_seconds(SESSION_SECONDS);
    let login = olga.submit(&page, &form).await.leads_to();
    assert!(!login.contains("draft"), "{login}");
}

#[actix_web::test]
async fn another_operator_another_browser_and_a_late_one_see_nothing() {
    let world = World::start();
    world.add_operator("vera", Role::Administrator);
    // Another operator at the same browser.
    let mut browser = world.desk().await;
    let login = send_too_late(&world, &mut browser).await;
    let (to, page) = log_in(&world, &mut browser, &login, ("vera", PASSWORD)).await;
    assert!(to.starts_with(FORM) && page.status == 200, "{to}");
    assert!(!page.body.contains("vera.typed"), "{}", page.body);
    // Nor does it come back to the first one later.
    let (_, page) = log_in(&world, &mut world.browser(), &login, OPERATOR).await;
    assert!(!page.body.contains("vera.typed"));
    // The same operator at another browser, with the address of the draft.
    let mut first = world.desk().await;
    let login = send_too_late(&world, &mut first).await;
    let mut second = world.browser();
    let (to, page) = log_in(&world, &mut second, &login, OPERATOR).await;
    assert!(to.contains("draft="), "{to}");
    assert!(!page.body.contains("vera.typed"));
    // Too late.
    world.clock.advance_seconds(601);
    let (_, page) = log_in(&world, &mut first, &login, OPERATOR).await;
    assert!(!page.body.contains("vera.typed"));
}

#[actix_web::test]
async fn a_form_of_another_site_is_not_laid_before_an_operator() {
    let world = World::start();
    let mut olga = world.desk().await;
    // A browser sends none of our cookies with the form of another site (SameSite=Lax).
    let mut elsewhere = world.browser();
    let fields = [("name".to_owned(), "mallory".to_owned())];
    let answer = elsewhere.post(&world.url(FORM), &fields).await;
    assert_eq!(answer.status, 303);
    assert!(!answer.leads_to().contains("draft"));
    // Nor is a made-up number anything.
    let page = olga.get(&world.url(&format!("{FORM}?draft=made-up"))).await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("mallory"));
}
