//! The login of operators.

use super::PASSWORD;
use crate::harness::{Answer, Browser, World};
use varco::clock::Clock as _;
use varco::launch::OPERATOR;
use varco::model::Role;

pub fn strict() -> World {
    World::builder()
        .server(|settings| settings.desk_second_factor = true)
        .start()
}

/// The first login: an app is registered.
pub async fn enrol(world: &World, browser: &mut Browser, name: &str, password: &str) -> String {
    let answer = world.desk_password(browser, name, password).await;
    assert_eq!(answer.leads_to(), "/admin/login/enrol");
    let page = browser.get(&world.url("/admin/login/enrol")).await;
    let code = world.code_of_page(&page);
    let form = page.form("/enrol").with("otp", &code);
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    page.body
        .split("class=\"secret\">")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .replace(' ', "")
}

pub async fn send_code(world: &World, browser: &mut Browser, code: &str) -> Answer {
    let page = browser.get(&world.url("/admin/login/code")).await;
    let form = page.form("/code").with("otp", code);
    browser.submit(&page, &form).await
}

#[actix_web::test]
async fn a_stranger_is_sent_to_the_login_and_back_to_what_was_wanted() {
    let world = World::start();
    let mut browser = world.browser();
    let wanted = "/admin/trail?actor=olga";
    let answer = browser.get(&world.url(wanted)).await;
    assert_eq!(answer.status, 303);
    let login = browser.get(&world.url(&answer.leads_to())).await;
    assert!(login.text().contains("amministrazione"), "{}", login.text());
    let form = login
        .form("/admin/login")
        .with("username", OPERATOR.0)
        .with("password", OPERATOR.1);
    let answer = browser.submit(&login, &form).await;
    assert_eq!(answer.leads_to(), wanted);
    assert_eq!(browser.get(&world.url(wanted)).await.status, 200);
}

#[actix_web::test]
async fn a_login_leads_to_pages_of_the_desk_only() {
    let world = World::start();
    for elsewhere in [
        "https://evil.example/",
        "//evil.example/admin/trail",
        "/spid/history",
        "/admin/trail\r\nSet-Cookie: a=b",
        "/admin/logout",
    ] {
        let mut browser = world.browser();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("to", elsewhere)
            .finish();
        let page = browser
            .get(&world.url(&format!("/admin/login?{query}")))
            .await;
        let form = page
            .form("/admin/login")
            .with("username", OPERATOR.0)
            .with("password", OPERATOR.1);
        let answer = browser.submit(&page, &form).await;
        let location = answer.leads_to();
        assert!(location.starts_with("/admin/"), "{elsewhere}: {location}");
        assert!(!location.contains("logout"), "{elsewhere}: {location}");
    }
}

#[actix_web::test]
async fn outside_development_nobody_gets_in_without_a_second_factor() {
    let world = strict();
    let mut browser = world.browser();
    let answer = world
        .desk_password(&mut browser, OPERATOR.0, OPERATOR.1)
        .await;
    assert_eq!(answer.leads_to(), "/admin/login/enrol");
    // The half-way session opens nothing else.
    let page = browser.get(&world.url("/admin/operators")).await;
    assert_eq!(page.status, 303);
    assert!(page.leads_to().starts_with("/admin/login"));
    let secret = enrol(&world, &mut browser, OPERATOR.0, OPERATOR.1).await;
    assert_eq!(
        browser.get(&world.url("/admin/operators")).await.status,
        200
    );

    // From now on the code is asked for; whoever knows the password cannot register another app.
    let mut thief = world.browser();
    let answer = world
        .desk_password(&mut thief, OPERATOR.0, OPERATOR.1)
        .await;
    assert_eq!(answer.leads_to(), "/admin/login/code");
    let page = thief.get(&world.url("/admin/login/enrol")).await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert_eq!(send_code(&world, &mut thief, "000000").await.status, 422);
    // The code of the enrolment is spent.
    let secret = data_encoding::BASE32_NOPAD
        .decode(secret.as_bytes())
        .unwrap();
    let code = |world: &World| varco::authn::totp::code_at(&secret, world.clock.now());
    let again = send_code(&world, &mut thief, &code(&world)).await;
    assert_eq!(again.status, 422);
    assert!(again.text().contains("già stato usato"), "{}", again.text());
    world.clock.advance_seconds(60);
    let answer = send_code(&world, &mut thief, &code(&world)).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

#[actix_web::test]
async fn a_clock_that_is_wrong_is_told_of_and_opens_nothing() {
    let world = strict();
    let mut browser = world.browser();
    world
        .desk_password(&mut browser, OPERATOR.0, OPERATOR.1)
        .await;
    let page = browser.get(&world.url("/admin/login/enrol")).await;
    world.clock.advance_seconds(600);
    let late = world.code_of_page(&page);
    world.clock.advance_seconds(-600);
    let form = page.form("/enrol").with("otp", &late);
    let refused = browser.submit(&page, &form).await;
    assert!(
        refused.text().contains("avanti di 10 minuti"),
        "{}",
        refused.text()
    );
    let secret = enrol(&world, &mut browser, OPERATOR.0, OPERATOR.1).await;
    let secret = data_encoding::BASE32_NOPAD
        .decode(secret.as_bytes())
        .unwrap();
    let code = |seconds| {
        let then = world.clock.now().plus_seconds(seconds);
        varco::authn::totp::code_at(&secret, then)
    };
    let mut other = world.browser();
    world
        .desk_password(&mut other, OPERATOR.0, OPERATOR.1)
        .await;
    let refused = send_code(&world, &mut other, &code(-300)).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text().contains("indietro di 5 minuti"),
        "{}",
        refused.text()
    );
    let guessed = code(300);
    let refused = send_code(&world, &mut other, &guessed).await;
    assert!(
        refused.text().contains("avanti di 5 minuti"),
        "{}",
        refused.text()
    );
    world.clock.advance_seconds(300);
    let refused = send_code(&world, &mut other, &guessed).await;
    assert!(
        refused.text().contains("già stato usato"),
        "{}",
        refused.text()
    );
    world.clock.advance_seconds(60);
    let now = world.clock.now();
    let right = varco::authn::totp::code_at(&secret, now);
    assert_eq!(send_code(&world, &mut other, &right).await.status, 303);
    // Back by an hour: the sessions of the desk were begun later than now, and the code was used later.
    world.clock.advance_seconds(-3_600);
    let page = other.get(&world.url("/admin/operators")).await;
    assert_eq!(page.status, 303, "{}", page.body);
    world
        .desk_password(&mut other, OPERATOR.0, OPERATOR.1)
        .await;
    let right = varco::authn::totp::code_at(&secret, world.clock.now());
    let refused = send_code(&world, &mut other, &right).await;
    assert!(
        refused.text().contains("rimasto indietro"),
        "{}",
        refused.text()
    );
}

#[actix_web::test]
async fn guesses_are_slowed_down_and_the_answer_never_says_which_part_was_wrong() {
    let world = World::builder()
        .server(|settings| settings.throttle.per_account_per_minute = 2)
        .start();
    let mut browser = world.browser();
    let mut texts = Vec::new();
    for name in [OPERATOR.0, "nobody"] {
        let answer = world.desk_password(&mut browser, name, "wrong").await;
        assert_eq!(answer.status, 422);
        texts.push(answer.text().replace(name, ""));
        assert_eq!(
            world
                .desk_password(&mut browser, name, "wrong")
                .await
                .status,
            422
        );
        let _first_block = world.desk_password(&mut browser, name, "wrong").await;
        let blocked = world.desk_password(&mut browser, name, "wrong").await;
        assert_eq!(blocked.status, 429, "{}", blocked.body);
        assert!(!blocked.header("retry-after").is_empty());
    }
    assert!(texts[0].contains("Nome o password non sono corretti"));
}

#[actix_web::test]
async fn a_disabled_operator_and_a_role_taken_away_count_at_the_next_click() {
    let world = World::start();
    world.add_operator("vera", Role::Administrator);
    let mut vera = world.desk_as("vera", PASSWORD).await;
    let mut olga = world.desk().await;
    let change = |change: &'static str, role: &'static str| {
        vec![
            ("name".to_owned(), "vera".to_owned()),
            ("change".to_owned(), change.to_owned()),
            ("role".to_owned(), role.to_owned()),
        ]
    };
    let page = olga.get(&world.url("/admin/operators/one?name=vera")).await;
    let mut form = page.form("/admin/operators/change");
    form.fields.retain(|(name, _)| name == "csrf_token");
    let token = form.fields.clone();
    form.fields.extend(change("role", "viewer"));
    assert_eq!(olga.submit(&page, &form).await.status, 303);
    let refused = vera.get(&world.url("/admin/operators")).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("ruolo"), "{}", refused.text());
    assert_eq!(vera.get(&world.url("/admin/trail")).await.status, 200);
    form.fields = token;
    form.fields.extend(change("disable", ""));
    assert_eq!(olga.submit(&page, &form).await.status, 303);
    assert_eq!(vera.get(&world.url("/admin/trail")).await.status, 303);
}

#[actix_web::test]
async fn a_login_from_another_site_and_a_fixed_session_are_refused() {
    let world = World::start();
    let mut browser = world.browser();
    let fields = [
        ("username".to_owned(), OPERATOR.0.to_owned()),
        ("password".to_owned(), OPERATOR.1.to_owned()),
        // What everybody can compute of an empty secret.
        (
            "csrf_token".to_owned(),
            varco::ui::visit::csrf_token("", "desk login"),
        ),
    ];
    let answer = browser.post(&world.url("/admin/login"), &fields).await;
    assert_eq!(answer.status, 400);
    // The cookie of the first step is not that of the session.
    let strict = strict();
    let mut browser = strict.browser();
    strict
        .desk_password(&mut browser, OPERATOR.0, OPERATOR.1)
        .await;
    let before = browser.cookies.get("varco-admin").cloned().unwrap();
    enrol(&strict, &mut browser, OPERATOR.0, OPERATOR.1).await;
    let after = browser.cookies.get("varco-admin").cloned().unwrap();
    assert_ne!(before, after);
    browser.cookies.insert("varco-admin".to_owned(), before);
    let answer = browser.get(&strict.url("/admin/trail")).await;
    assert_eq!(answer.status, 303);
}

#[actix_web::test]
async fn a_session_ends_by_logging_out_and_after_a_working_day() {
    let world = World::start();
    let mut browser = world.desk().await;
    let page = browser.get(&world.url("/admin/trail")).await;
    let kept = browser.cookies.clone();
    let answer = browser.submit(&page, &page.form("/admin/logout")).await;
    assert_eq!(answer.leads_to(), "/admin/login");
    browser.cookies = kept;
    assert_eq!(browser.get(&world.url("/admin/trail")).await.status, 303);
    let mut browser = world.desk().await;
    world
        .clock
        .advance_seconds(varco::ui::desk::SESSION_SECONDS);
    assert_eq!(browser.get(&world.url("/admin/trail")).await.status, 303);
}
