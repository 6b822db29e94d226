//! Security keys: registered in the account, touched for level 2, verifying their holder for level 3 (SPID/CIE AZ-8).

use crate::harness::{ADA, Answer, Browser, LEVELS, SoftKey, World, answered, options_of};
use serde_json::{Value, json};
use varco::clock::Clock as _;
use varco::config::Enrolment;
use varco::demo::relying_party::{AuthorizationAnswer, unverified_claims};
use varco::demo::{LoginOptions, PreparedRequest};
use varco::model::Method;
use varco::store::account;

fn asking(prompt: &str, level: &str) -> LoginOptions {
    LoginOptions {
        prompt: prompt.to_owned(),
        acr_values: vec![level.to_owned()],
        ..LoginOptions::default()
    }
}

/// Logs in to the account, and registers a key there.
pub async fn register(world: &World, browser: &mut Browser, key: &mut SoftKey) -> Answer {
    let page = key_page(world, browser).await;
    let answer = key.make(&options_of(&page));
    let form = answered(&page, &answer).with("name", "chiave blu");
    let answer = browser.submit(&page, &form).await;
    browser.follow(answer, &world.base).await
}

/// The page that asks for a new key.
pub(super) async fn key_page(world: &World, browser: &mut Browser) -> Answer {
    let stranger = browser.get(&world.url("/spid/account")).await;
    let page = browser.follow(stranger, &world.base).await;
    if page.body.contains("name=\"password\"") {
        world.type_password(browser, &page, ADA).await;
    }
    let page = browser.get(&world.url("/spid/account/key/add")).await;
    let form = page.form("/key/add").with("password", "ada-demo");
    let answer = browser.submit(&page, &form).await;
    let page = browser.follow(answer, &world.base).await;
    assert_eq!(page.url.path(), "/spid/account/key/new", "{}", page.body);
    page
}

/// Signs what a page asks for, and sends it.
pub(super) async fn touch(
    world: &World,
    browser: &mut Browser,
    page: &Answer,
    key: &mut SoftKey,
) -> Answer {
    let answer = key.sign(&options_of(page));
    let answer = browser.submit(page, &answered(page, &answer)).await;
    browser.follow(answer, &format!("{}/", world.base)).await
}

pub(super) fn is_consent(page: &Answer) -> bool {
    page.status == 200 && page.body.contains("name=\"decision\"")
}

async fn claims_after(
    world: &World,
    browser: &mut Browser,
    (profile, prepared): (&'static str, &PreparedRequest),
    consent: &Answer,
) -> Value {
    assert!(is_consent(consent), "{} {}", consent.status, consent.body);
    let issuer = world.issuer(profile).await;
    let answer = world.allow(browser, consent).await;
    let answer = AuthorizationAnswer::parse_address(&answer.location().unwrap());
    let code = answer.code(prepared).unwrap();
    let answer = world.redeem_raw(world.rp(), &issuer, prepared, code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let claims = unverified_claims(answer.json()["id_token"].as_str().unwrap()).unwrap();
    Value::Object(claims)
}

#[actix_web::test]
async fn a_key_is_registered_touched_for_level_two_and_verifies_its_holder_for_level_three() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.with_keys().start();
        let (mut browser, mut key) = (world.browser(), world.key());
        let codes = register(&world, &mut browser, &mut key).await;
        assert_eq!(
            codes.body.matches("<li><code>").count(),
            10,
            "{}",
            codes.body
        );
        let account = browser.get(&world.url("/spid/account")).await;
        assert!(account.text().contains("chiave blu"), "{}", account.text());
        assert!(account.text().contains("Mai usato"), "{}", account.text());
        for (level, verifies, verification) in [
            (LEVELS[1], false, "discouraged"),
            (LEVELS[2], true, "required"),
        ] {
            key.verifies = verifies;
            let issuer = world.issuer("spid").await;
            let prepared = world.request(&issuer, &asking("consent login", level));
            let (mut browser, page) = world.accepted(&prepared).await;
            let page = world.type_password(&mut browser, &page, ADA).await;
            let options = options_of(&page);
            assert_eq!(options["userVerification"], verification);
            assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
            let consent = touch(&world, &mut browser, &page, &mut key).await;
            let claims = claims_after(&world, &mut browser, ("spid", &prepared), &consent).await;
            assert_eq!(claims["acr"], level, "SPID/CIE TK-5");
            let history = world.history(&mut browser, "spid").await;
            world.clock.advance_seconds(30);
            let shown = format!("Livello {}", if verifies { 3 } else { 2 });
            assert!(history.accesses()[0].contains(&shown));
        }
        let account = browser.get(&world.url("/spid/account")).await;
        assert!(account.text().contains("Ultimo uso"), "{}", account.text());
    }
}

/// WebAuthn §7.2: a key that knows its person needs neither name nor password.
#[actix_web::test]
async fn a_key_that_knows_its_person_logs_in_alone() {
    let world = World::with_keys().start();
    let mut key = world.key();
    register(&world, &mut world.browser(), &mut key).await;
    for level in [LEVELS[1], LEVELS[2]] {
        let issuer = world.issuer("cie").await;
        let prepared = world.request(&issuer, &asking("consent login", level));
        let (mut browser, page) = world.accepted(&prepared).await;
        let page = browser.get(&page.links("with=verified_key")[0]).await;
        assert_eq!(options_of(&page)["allowCredentials"], json!([]));
        let consent = touch(&world, &mut browser, &page, &mut key).await;
        let claims = claims_after(&world, &mut browser, ("cie", &prepared), &consent).await;
        assert_eq!(claims["acr"], level);
    }
}

/// SPID/CIE AZ-6: only what is missing is asked for.
#[actix_web::test]
async fn a_session_is_stepped_up_with_the_key_only() {
    let world = World::with_keys().start();
    let (mut browser, mut key) = (world.browser(), world.key());
    register(&world, &mut browser, &mut key).await;
    key.verifies = false;
    let issuer = world.issuer("spid").await;
    for level in [LEVELS[1], LEVELS[2]] {
        key.verifies = level == LEVELS[2];
        let prepared = world.request(&issuer, &asking("consent", level));
        let page = world.authorize(&mut browser, &prepared).await;
        assert!(!page.body.contains("name=\"password\""), "{}", page.body);
        let consent = touch(&world, &mut browser, &page, &mut key).await;
        let claims = claims_after(&world, &mut browser, ("spid", &prepared), &consent).await;
        assert_eq!(claims["acr"], level);
    }
    // From now on the session has level 3.
    let prepared = world.request(&issuer, &asking("consent", LEVELS[2]));
    let consent = world.authorize(&mut browser, &prepared).await;
    assert!(is_consent(&consent), "{}", consent.body);
}

#[actix_web::test]
async fn who_was_verified_for_level_two_is_not_asked_again_for_level_three() {
    let world = World::with_keys().start();
    let (mut browser, mut key) = (world.browser(), world.key());
    register(&world, &mut browser, &mut key).await;
    let issuer = world.issuer("spid").await;
    let prepared = world.request(&issuer, &asking("consent", LEVELS[1]));
    let page = world.authorize(&mut browser, &prepared).await;
    let consent = touch(&world, &mut browser, &page, &mut key).await;
    let claims = claims_after(&world, &mut browser, ("spid", &prepared), &consent).await;
    assert_eq!(claims["acr"], LEVELS[1], "what was asked for");
    let prepared = world.request(&issuer, &asking("consent", LEVELS[2]));
    let consent = world.authorize(&mut browser, &prepared).await;
    let claims = claims_after(&world, &mut browser, ("spid", &prepared), &consent).await;
    assert_eq!(claims["acr"], LEVELS[2]);
}

#[actix_web::test]
async fn a_change_of_the_account_is_confirmed_with_the_key_and_the_last_factor_stays_where_it_must()
{
    let world = World::with_keys()
        .issuers(|issuer| {
            if issuer.profile == varco::config::ProfileName::Cie {
                issuer.enrolment = Enrolment::Operator;
            }
        })
        .start();
    let (mut browser, mut key) = (world.browser(), world.key());
    register(&world, &mut browser, &mut key).await;
    let account = browser.get(&world.url("/spid/account")).await;
    let link = account.links("factor/remove")[0].clone();
    // A password alone removes nothing any more.
    let page = browser.get(&link).await;
    let form = answered(&page, "").with("password", "ada-demo");
    let refused = browser.submit(&page, &form).await;
    assert_eq!(refused.status, 422, "{}", refused.body);

    let stranger = browser.get(&world.url("/cie/account")).await;
    let page = browser.follow(stranger, &world.base).await;
    world.type_password(&mut browser, &page, ADA).await;
    let elsewhere = link.replace("/spid/", "/cie/");
    let page = browser.get(&elsewhere).await;
    assert!(page.text().contains("solo l’assistenza"), "{}", page.text());
    assert!(!page.body.contains("name=\"password\""), "{}", page.body);

    let page = browser.get(&link).await;
    let answer = key.sign(&options_of(&page));
    let form = answered(&page, &answer).with("password", "ada-demo");
    let answer = browser.submit(&page, &form).await;
    let account = browser.follow(answer, &world.base).await;
    assert!(
        account.text().contains("è stato rimosso"),
        "{}",
        account.text()
    );
    assert!(!account.text().contains("chiave blu"));
}

/// The person has no password any more.
fn forget_password(world: &World, username: &str) {
    let (id, now) = (world.account(username).id, world.clock.now());
    let store = &world.app.shared.store;
    store
        .write_blocking(move |tx| account::set_password(tx, &id, None, now))
        .unwrap();
}

#[actix_web::test]
async fn who_has_no_password_confirms_changes_with_a_key_that_verifies_its_holder() {
    let world = World::with_keys().start();
    let (mut browser, mut key) = (world.browser(), world.key());
    register(&world, &mut browser, &mut key).await;
    forget_password(&world, "ada");
    let account = browser.get(&world.url("/spid/account")).await;
    let remove = account.links("factor/remove")[0].clone();
    // Neither a password, which nobody has, nor a code, nor nothing.
    let renew = world.url("/spid/account/recovery");
    let page = browser.get(&renew).await;
    assert!(!page.body.contains("name=\"password\""), "{}", page.body);
    assert!(!page.body.contains("name=\"otp\""), "{}", page.body);
    assert_eq!(options_of(&page)["userVerification"], "required");
    for (password, code) in [("", ""), ("ada-demo", ""), ("x", "123456")] {
        let page = browser.get(&renew).await;
        let form = answered(&page, "");
        let form = form.with("password", password).with("otp", code);
        let refused = browser.submit(&page, &form).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
    }
    // Whoever found the key knows no PIN.
    let page = browser.get(&renew).await;
    key.verifies = false;
    let answer = key.sign(&options_of(&page));
    let refused = browser.submit(&page, &answered(&page, &answer)).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    key.verifies = true;
    // Another key than the person's.
    let page = browser.get(&renew).await;
    let answer = world.key().sign(&options_of(&page));
    let refused = browser.submit(&page, &answered(&page, &answer)).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    let page = browser.get(&renew).await;
    let answer = key.sign(&options_of(&page));
    let form = answered(&page, &answer);
    let renewed = browser.submit(&page, &form).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    // Once.
    assert_eq!(browser.submit(&page, &form).await.status, 422);
    // Without it nothing could be changed any more.
    let page = browser.get(&remove).await;
    assert!(page.text().contains("solo l’assistenza"), "{}", page.text());
    assert!(!page.body.contains("data-options"), "{}", page.body);
}

#[actix_web::test]
async fn who_can_confirm_nothing_is_offered_no_change_and_told_whom_to_ask() {
    let world = World::with_keys().start();
    let mut browser = world.browser();
    world.enter(&mut browser, "spid", ADA).await;
    world.give_app("ada");
    forget_password(&world, "ada");
    let account = browser.get(&world.url("/spid/account")).await;
    assert_eq!(account.status, 200);
    assert!(
        account.text().contains("Le può dare una password"),
        "{}",
        account.text()
    );
    let changes = [
        "/account/factor/add",
        "/account/key/add",
        "/account/factor/remove",
        "/account/recovery",
        "/account/password",
        "/account/data",
    ];
    for path in changes {
        assert!(!account.body.contains(path), "{path}");
        let id = &world.factors("ada")[0].id;
        let page = browser
            .get(&world.url(&format!("/spid{path}?id={id}")))
            .await;
        assert_eq!(page.status, 404, "{path}: {}", page.text());
    }
}

/// WebAuthn §5.1.3, step 8: an address is no name.
#[actix_web::test]
async fn at_an_address_without_a_name_keys_are_not_offered_and_the_page_says_why() {
    let world = World::builder()
        .issuers(|issuer| issuer.second_factors = vec![Method::Totp, Method::SecurityKey])
        .start();
    let mut browser = world.browser();
    let stranger = browser.get(&world.url("/spid/account")).await;
    let page = browser.follow(stranger, &world.base).await;
    let account = world.type_password(&mut browser, &page, ADA).await;
    assert!(
        account.text().contains("ha un indirizzo IP"),
        "{}",
        account.text()
    );
    assert_eq!(account.links("key/add"), Vec::<String>::new());
    let page = browser.get(&world.url("/spid/account/key/add")).await;
    assert_eq!(page.status, 404);
}
