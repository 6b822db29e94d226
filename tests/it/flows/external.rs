//! A login that is confirmed in the identity provider's own app: the service of `examples/` runs for real.

#[path = "../../../examples/external_authenticator.rs"]
mod example;

use crate::harness::{
    Browser, Form, Hostile, LEVELS, World, claims_of, external_method, header_of, step_page,
};
use example::Service;
use std::net::TcpListener;
use std::sync::Arc;
use varco::authn::external::protocol::REQUEST_TYPE;
use varco::config::ExternalMethodSettings;
use varco::demo::LoginOptions;
use varco::demo::relying_party::AuthorizationAnswer;
use varco::jose::{KeyKind, PrivateKey};

/// A world with the example's service, and the address of its page.
pub fn with_example() -> (World, String) {
    with_example_of(|_| {})
}

/// As [`with_example`], with other settings.
pub fn with_example_of(change: impl FnOnce(&mut ExternalMethodSettings)) -> (World, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let app = format!("http://{}/", listener.local_addr().unwrap());
    let url = format!("{}{}", app.trim_end_matches('/'), example::PATH);
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let mut settings = external_method(&url, &key);
    settings.jwks = example::jwks(&key);
    change(&mut settings);
    let world = World::with_external(&settings).start();
    let issuer = world.url("/spid/");
    let service = Service::new(url, issuer, key, world.clock.clone());
    let server = example::serve(Arc::new(service), listener).unwrap();
    actix_web::rt::spawn(server);
    (world, app)
}

/// What a person does in the app: the form that asks, with the number that they see on the page.
pub async fn in_the_app(app: &str, decision: &str, number: &str) {
    let mut browser = Browser::new();
    let page = browser.get(app).await;
    let form: Form = page.forms().remove(0);
    let form = form.with("number", number).with("decision", decision);
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 303);
}

/// The number of the waiting page.
pub fn number_of(body: &str) -> String {
    let shown = body.split("class=\"match-number\"").nth(1).unwrap();
    let number = shown.split("<strong>").nth(1).unwrap();
    number.split('<').next().unwrap().to_owned()
}

#[actix_web::test]
async fn a_login_at_level_2_is_confirmed_in_the_app_of_the_example() {
    let (world, app) = with_example();
    let issuer = world.issuer("spid").await;
    let options = LoginOptions {
        prompt: "consent login".to_owned(),
        acr_values: vec![LEVELS[1].to_owned()],
        ..LoginOptions::default()
    };
    let prepared = world.request(&issuer, &options);
    let (mut browser, page) = world.accepted(&prepared).await;
    let page = world
        .type_password(&mut browser, &page, crate::harness::ADA)
        .await;
    // Nothing is sent before the person asks for it.
    assert!(page.body.contains("App Esempio") && page.body.contains("name=\"begin\""));
    let mut phone = world.browser();
    assert!(!phone.get(&app).await.body.contains("Number on the page"));
    let within = format!("{}/", world.base);
    let begun = browser
        .submit(&page, &page.form("/login").with("begin", "1"))
        .await;
    assert_eq!(begun.status, 303);
    let waiting = browser.follow(begun, &within).await;
    let number = number_of(&waiting.body);
    // Without JavaScript the page loads itself again; with it, its script may ask this host.
    assert!(
        waiting
            .body
            .contains("<noscript><meta http-equiv=\"refresh\" content=\"5;url=/spid/login?")
    );
    assert!(waiting.body.contains("/static/waiting.js?v="));
    let policy = waiting.header("content-security-policy");
    assert!(policy.contains("connect-src 'self';"), "{policy}");
    assert!(
        !page
            .header("content-security-policy")
            .contains("connect-src")
    );
    let poll = waiting.body.split("data-poll=\"").nth(1).unwrap();
    let poll = world.url(
        &poll
            .split('"')
            .next()
            .unwrap()
            .replace("&amp;", "&")
            .replace("&#x2F;", "/"),
    );
    world.clock.advance_seconds(2);
    assert_eq!(browser.get(&poll).await.json()["state"], "waiting");

    in_the_app(&app, "approve", &number).await;
    world.clock.advance_seconds(2);
    assert_eq!(browser.get(&poll).await.json()["state"], "approved");
    // Another browser with the address gets nothing.
    let mut stranger = world.browser();
    let refused = stranger.get(&poll).await;
    assert_eq!(refused.status, 400, "{}", refused.body);

    let again = browser
        .submit(&waiting, &waiting.form("/login").with("check", "1"))
        .await;
    let consent = browser.follow(again, &within).await;
    let answer = world.allow(&mut browser, &consent).await;
    let location = answer.location().unwrap();
    let code = AuthorizationAnswer::parse_address(&location);
    let code = code.code(&prepared).unwrap().to_owned();
    let tokens = world.redeem(world.rp(), &issuer, prepared, &code).await;
    assert_eq!(tokens.id_token["acr"], LEVELS[1]);
}

#[actix_web::test]
async fn a_refusal_and_the_wrong_number_end_it_with_a_way_on() {
    for (decision, number) in [("deny", ""), ("approve", "00")] {
        let (world, app) = with_example();
        let (mut browser, page) = step_page(&world).await;
        let within = format!("{}/", world.base);
        let form = page.form("/login").with("begin", "1");
        let answer = browser.submit(&page, &form).await;
        let waiting = browser.follow(answer, &within).await;
        in_the_app(&app, decision, number).await;
        world.clock.advance_seconds(2);
        let url = waiting.url.to_string();
        let refused = browser.get(&url).await;
        assert!(
            refused.text().contains("è stata rifiutata in"),
            "{}",
            refused.body
        );
        // It stays so, however often one asks; a new request may be sent.
        world.clock.advance_seconds(2);
        let refused = browser.get(&url).await;
        let form = refused.form("/login").with("begin", "1");
        let answer = browser.submit(&refused, &form).await;
        let waiting = browser.follow(answer, &within).await;
        let number = number_of(&waiting.body);
        in_the_app(&app, "approve", &number).await;
        world.clock.advance_seconds(2);
        let answer = browser.get(&url).await;
        let consent = browser.follow(answer, &within).await;
        assert!(
            consent.body.contains("name=\"decision\""),
            "{}",
            consent.body
        );
    }
}

#[actix_web::test]
async fn a_request_is_signed_and_says_what_the_app_has_to_show() {
    let service = Hostile::start();
    let world = World::with_external(&external_method(&service.url, &service.key)).start();
    let (mut browser, page) = step_page(&world).await;
    let form = page.form("/login").with("begin", "1");
    let answer = browser.submit(&page, &form).await;
    let waiting = browser.follow(answer, &format!("{}/", world.base)).await;
    let request = service.requests.lock().unwrap()[0].clone();
    let (header, claims) = (header_of(&request), claims_of(&request));
    assert_eq!(header["typ"], REQUEST_TYPE);
    assert_eq!(claims["iss"], world.url("/spid/"));
    assert_eq!(claims["aud"], service.url);
    assert_eq!(claims["sub"], world.account("ada").id.as_str());
    assert_eq!(claims["username"], "ada");
    assert_eq!(claims["acr"], LEVELS[1]);
    assert_eq!(claims["number"], number_of(&waiting.body));
    assert_eq!(claims["ui_locales"], "it");
    assert_eq!(claims["iat"], world.now());
    assert_eq!(claims["exp"], world.now() + 60);
    assert_eq!(claims["txn_exp"], world.now() + 180);
    // Its failure is told, and it is asked again: of the same transaction, with a request of its own.
    assert!(waiting.text().contains("in questo momento non risponde"));
    world.clock.advance_seconds(1);
    browser.get(waiting.url.as_str()).await;
    let second = claims_of(&service.requests.lock().unwrap()[1]);
    assert_eq!(second["txn"], claims["txn"]);
    assert_ne!(second["jti"], claims["jti"]);
}

#[actix_web::test]
async fn a_service_that_does_not_know_the_person_and_time_that_runs_out_are_told() {
    let service = Hostile::start();
    let world = World::with_external(&external_method(&service.url, &service.key)).start();
    service.claim("unavailable", |_| {});
    let (mut browser, page) = step_page(&world).await;
    let within = format!("{}/", world.base);
    let form = page.form("/login").with("begin", "1");
    let answer = browser.submit(&page, &form).await;
    let unknown = browser.follow(answer, &within).await;
    assert!(
        unknown.text().contains("forse non è attivata"),
        "{}",
        unknown.body
    );
    service.claim("pending", |_| {});
    let answer = browser
        .submit(&unknown, &unknown.form("/login").with("begin", "1"))
        .await;
    let waiting = browser.follow(answer, &within).await;
    number_of(&waiting.body);
    // An approval that comes too late is none.
    service.claim("approved", |_| {});
    world.clock.advance_seconds(180);
    let late = browser.get(waiting.url.as_str()).await;
    assert!(late.text().contains("in tempo"), "{}", late.body);
}
