//! Services that lie, are slow or answer for others, and people who make somebody's phone ring.

use crate::harness::{
    Answer, Browser, Hostile, LEVELS, Respond, World, answer_to, external_method, signed, step_page,
};
use serde_json::{Map, Value, json};
use varco::authn::external::protocol::{ANSWER_TYPE, REQUEST_TYPE};
use varco::config::ExternalMethodSettings;
use varco::jose::{KeyKind, PrivateKey};

struct Case {
    world: World,
    service: Hostile,
    browser: Browser,
    waiting: Answer,
}

impl Case {
    async fn begin(change: impl FnOnce(&mut ExternalMethodSettings)) -> Self {
        let service = Hostile::start();
        let mut settings = external_method(&service.url, &service.key);
        change(&mut settings);
        let world = World::with_external(&settings)
            .server(|server| server.throttle.per_address_per_minute = 0)
            .start();
        service.claim("pending", |_| {});
        let (browser, waiting) = waiting_page(&world).await;
        Self {
            world,
            service,
            browser,
            waiting,
        }
    }

    /// Loads the page again, a while later.
    async fn reload(&mut self) -> Answer {
        self.world.clock.advance_seconds(2);
        let answer = self.browser.get(self.waiting.url.as_str()).await;
        let within = format!("{}/", self.world.base);
        self.browser.follow(answer, &within).await
    }
}

async fn waiting_page(world: &World) -> (Browser, Answer) {
    let (mut browser, page) = step_page(world).await;
    let form = page.form("/login").with("begin", "1");
    let answer = browser.submit(&page, &form).await;
    let waiting = browser.follow(answer, &format!("{}/", world.base)).await;
    (browser, waiting)
}

fn is_consent(page: &Answer) -> bool {
    page.body.contains("name=\"decision\"")
}

fn is_waiting(page: &Answer) -> bool {
    page.body.contains("id=\"waiting\"")
}

#[actix_web::test]
async fn an_approval_that_is_not_wholly_right_is_none() {
    type Change = fn(&mut Map<String, Value>);
    let wrong: [(&str, Change); 16] = [
        ("iss", |claims| {
            claims["iss"] = json!("https://evil.example")
        }),
        ("aud", |claims| {
            claims["aud"] = json!("https://other.example/")
        }),
        ("no aud", |claims| drop(claims.remove("aud"))),
        ("sub", |claims| claims["sub"] = json!("somebody else")),
        ("no sub", |claims| drop(claims.remove("sub"))),
        ("txn", |claims| claims["txn"] = json!("another")),
        ("no txn", |claims| drop(claims.remove("txn"))),
        ("nonce", |claims| claims["nonce"] = json!("another")),
        ("no nonce", |claims| drop(claims.remove("nonce"))),
        ("exp", |claims| claims["exp"] = json!(1_768_467_000)),
        ("no exp", |claims| drop(claims.remove("exp"))),
        ("long", |claims| claims["exp"] = json!(1_768_567_600)),
        ("iat", |claims| claims["iat"] = json!(1_768_469_999)),
        ("no acr", |claims| drop(claims.remove("acr"))),
        ("lower", |claims| claims["acr"] = json!(LEVELS[0])),
        ("above", |claims| claims["acr"] = json!(LEVELS[2])),
    ];
    let mut case = Case::begin(|_| {}).await;
    for (name, change) in wrong {
        case.service.claim("approved", change);
        let before = case.service.count();
        let page = case.reload().await;
        assert_eq!(case.service.count(), before + 1, "{name}");
        assert!(is_waiting(&page), "{name}: {}", page.body);
        assert!(page.text().contains("non risponde"), "{name}");
    }
    // The same browser, once the answer is right.
    case.service.claim("approved", |_| {});
    let page = case.reload().await;
    assert!(is_consent(&page), "{}", page.body);
}

#[actix_web::test]
async fn an_answer_of_another_key_another_typ_or_no_jwt_at_all_is_none() {
    let mut case = Case::begin(|_| {}).await;
    let stranger = PrivateKey::generate(KeyKind::P256).unwrap();
    let right = |request: &Map<String, Value>| Value::Object(answer_to(request, "approved"));
    let answers: Vec<Respond> = vec![
        Box::new(move |_, request| {
            (
                200,
                "application/jwt",
                signed(Some(ANSWER_TYPE), &right(request), &stranger),
            )
        }),
        Box::new(move |service, request| {
            (
                200,
                "application/jwt",
                signed(Some(REQUEST_TYPE), &right(request), &service.key),
            )
        }),
        Box::new(move |service, request| {
            (
                200,
                "application/jwt",
                signed(None, &right(request), &service.key),
            )
        }),
        Box::new(move |service, request| {
            (
                200,
                "text/html",
                signed(Some(ANSWER_TYPE), &right(request), &service.key),
            )
        }),
        Box::new(move |service, request| {
            (
                500,
                "application/jwt",
                signed(Some(ANSWER_TYPE), &right(request), &service.key),
            )
        }),
        Box::new(move |_, request| (200, "application/json", right(request).to_string())),
        Box::new(|_, _| (200, "application/jwt", "<html>approved</html>".to_owned())),
        Box::new(|_, _| (200, "application/jwt", "a".repeat(1_000_000))),
        Box::new(|_, _| (200, "application/jwt", String::new())),
        Box::new(|_, _| (302, "application/jwt", String::new())),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        case.service.respond(answer);
        let page = case.reload().await;
        assert!(is_waiting(&page), "{number}: {}", page.body);
        assert!(page.text().contains("non risponde"), "{number}");
    }
    // 202 is an answer as 200 is.
    case.service.respond(move |service, request| {
        (
            202,
            "application/jwt",
            signed(Some(ANSWER_TYPE), &right(request), &service.key),
        )
    });
    assert!(is_consent(&case.reload().await));
}

#[actix_web::test]
async fn an_old_approval_opens_neither_another_login_nor_the_same_one_again() {
    let mut case = Case::begin(|_| {}).await;
    case.service.claim("approved", |_| {});
    assert!(is_consent(&case.reload().await));
    let requests = case.service.requests.lock().unwrap().clone();
    let last = crate::harness::claims_of(requests.last().unwrap());
    let old = signed(
        Some(ANSWER_TYPE),
        &Value::Object(answer_to(&last, "approved")),
        &case.service.key,
    );
    // The answer to another request, of another login.
    case.service
        .respond(move |_, _| (200, "application/jwt", old.clone()));
    let (mut browser, page) = waiting_page(&case.world).await;
    assert!(is_waiting(&page));
    case.world.clock.advance_seconds(2);
    let page = browser.get(page.url.as_str()).await;
    assert!(is_waiting(&page), "{}", page.body);
    // The login that was done is done: nothing is spent twice, and its page asks nobody any more.
    let count = case.service.count();
    case.reload().await;
    assert_eq!(case.service.count(), count);
}

#[actix_web::test]
async fn an_approval_counts_in_the_browser_that_began_the_login_only() {
    let mut case = Case::begin(|_| {}).await;
    case.service.claim("approved", |_| {});
    let mut stranger = case.world.browser();
    case.world.clock.advance_seconds(2);
    let refused = stranger.get(case.waiting.url.as_str()).await;
    assert_eq!(refused.status, 400);
    assert!(!refused.body.contains("App Esempio"), "{}", refused.body);
    // Somebody else who logs in in this browser has to confirm for themselves.
    let page = case.browser.get(case.waiting.url.as_str()).await;
    assert_eq!(page.status, 303);
}

#[actix_web::test]
async fn somebody_else_in_the_same_login_does_not_inherit_what_was_asked() {
    let mut case = Case::begin(|_| {}).await;
    let form = case.waiting.form("/login").with("restart", "1");
    let login = case.browser.submit(&case.waiting, &form).await;
    case.service.claim("approved", |_| {});
    case.world.clock.advance_seconds(2);
    let page = case
        .world
        .type_password(&mut case.browser, &login, ("chiara", "chiara-demo"))
        .await;
    let count = case.service.count();
    let page = case.browser.get(page.url.as_str()).await;
    assert!(page.body.contains("name=\"begin\""), "{}", page.body);
    assert_eq!(case.service.count(), count, "nobody is asked for ada");
}

#[actix_web::test]
async fn polls_reach_the_service_once_a_second_and_no_more_often_than_there_are_seconds() {
    let mut case = Case::begin(|settings| settings.timeout_seconds = 30).await;
    let url = case.waiting.url.to_string();
    for _ in 0..5 {
        case.browser.get(&url).await;
    }
    assert_eq!(case.service.count(), 1, "five within the same second");
    for _ in 0..40 {
        case.world.clock.advance_seconds(1);
        case.browser.get(&url).await;
        case.browser.get(&url).await;
    }
    assert_eq!(case.service.count(), 30);
}

#[actix_web::test]
async fn a_service_that_is_down_keeps_the_person_waiting_with_a_way_on() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/app", gone.local_addr().unwrap());
    drop(gone);
    let mut case = Case::begin(|settings| settings.url = url).await;
    let page = case.reload().await;
    assert!(is_waiting(&page) && page.text().contains("non risponde"));
    let form = page.form("/login").with("cancel", "1");
    let answer = case.browser.submit(&page, &form).await;
    assert_eq!(answer.redirected("error").unwrap(), "access_denied");
}

#[actix_web::test]
async fn whoever_knows_the_password_does_not_make_the_phone_ring_all_night() {
    let mut case = Case::begin(|_| {}).await;
    let mut begun = 1;
    let locked = loop {
        let (_, page) = waiting_page(&case.world).await;
        match page.status {
            200 => begun += 1,
            429 => break page,
            other => panic!("{other}: {}", page.body),
        }
        assert!(begun < 10);
    };
    assert_eq!(begun, 6, "five, and the one that locks");
    assert!(
        locked.text().contains("troppe richieste"),
        "{}",
        locked.body
    );
    let seconds: i64 = locked.header("retry-after").parse().unwrap();
    assert!((800..=900).contains(&seconds), "{seconds}");
    // Whoever did begin one may still confirm it, which ends the lock.
    case.service.claim("approved", |_| {});
    assert!(is_consent(&case.reload().await));
    let (_, page) = waiting_page(&case.world).await;
    assert_eq!(page.status, 200);
}

#[actix_web::test]
async fn refusals_in_the_app_count_more_than_attempts() {
    let mut case = Case::begin(|_| {}).await;
    case.service.claim("denied", |_| {});
    case.reload().await;
    let (_, page) = waiting_page(&case.world).await;
    assert_eq!(page.status, 200);
    let (_, page) = waiting_page(&case.world).await;
    assert_eq!(page.status, 429, "the second refusal was the sixth count");
}

#[actix_web::test]
async fn the_form_that_begins_needs_its_token() {
    let service = Hostile::start();
    let world = World::with_external(&external_method(&service.url, &service.key)).start();
    let (mut browser, page) = step_page(&world).await;
    let mut form = page.form("/login").with("begin", "1");
    form.fields.retain(|(name, _)| name != "csrf_token");
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 400);
    assert_eq!(service.count(), 0);
}
