//! An authentication service that accepts and says nothing, answers late, or answers too much: whoever waits sees a page at
//! once, is told what to do, and may go another way.

use super::security_key::is_consent;
use crate::harness::{Answer, Browser, Hostile, World, external_method, step_page};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;
use varco::jose::{KeyKind, PrivateKey};

/// Nothing here takes so long; it only keeps a broken test from waiting for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that reads, and answers only when whoever asked has gone. Tells each time that somebody went.
fn silent() -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/app", listener.local_addr().unwrap());
    let (gone, told) = channel();
    std::thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let gone = gone.clone();
            std::thread::spawn(move || {
                let mut connection = connection;
                let mut buffer = [0; 4096];
                while connection.read(&mut buffer).is_ok_and(|read| read > 0) {}
                let late = b"HTTP/1.1 200 OK\r\ncontent-type: application/jwt\r\ncontent-length: 4\r\n\r\nlate";
                let _nobody_hears = connection.write_all(late);
                let _the_test_is_over = gone.send(());
            });
        }
    });
    (url, told)
}

async fn begin(world: &World) -> (Browser, Answer) {
    let (mut browser, page) = step_page(world).await;
    // Somebody who has an app for codes too is asked for that first.
    let page = match page.links("with=external").first() {
        Some(link) => browser.get(link).await,
        None => page,
    };
    let form = page.form("/login").with("begin", "1");
    let answer = browser.submit(&page, &form).await;
    let waiting = browser.follow(answer, &format!("{}/", world.base)).await;
    (browser, waiting)
}

fn is_waiting(page: &Answer) -> bool {
    page.body.contains("id=\"waiting\"")
}

/// Loads the page until it says so.
async fn until_it_says(browser: &mut Browser, page: &Answer, says: &str) -> Answer {
    let url = page.url.to_string();
    let says_it = async {
        loop {
            let page = browser.get(&url).await;
            if page.text().contains(says) {
                return page;
            }
        }
    };
    tokio::time::timeout(PATIENCE, says_it).await.unwrap()
}

#[actix_web::test]
async fn a_service_that_hangs_keeps_no_page_from_being_shown_and_no_other_way_from_being_gone() {
    let (url, gone) = silent();
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let world = World::with_external(&external_method(&url, &key)).start();
    world.give_app("ada");
    let (mut browser, waiting) = begin(&world).await;
    // Varco is still asking.
    assert_eq!(gone.try_recv(), Err(TryRecvError::Empty));
    assert!(is_waiting(&waiting), "{}", waiting.body);
    assert!(waiting.text().contains("Aspettiamo la Sua conferma"));
    let way = waiting.links("with=totp").remove(0);
    // The script is answered too, and nobody else waits for this service.
    let poll = world.url("/spid/login/waiting?interaction=");
    let id = waiting
        .url
        .query_pairs()
        .find(|(name, _)| name == "interaction");
    let poll = format!("{poll}{}", id.unwrap().1);
    assert_eq!(browser.get(&poll).await.json()["state"], "waiting");
    let other = world
        .enter(&mut world.browser(), "spid", ("chiara", "chiara-demo"))
        .await;
    assert_eq!(other.status, 200);
    assert_eq!(gone.try_recv(), Err(TryRecvError::Empty));
    // When it gives up, it says so; what comes after that is heard by nobody.
    tokio::task::spawn_blocking(move || gone.recv_timeout(PATIENCE).unwrap())
        .await
        .unwrap();
    let page = until_it_says(&mut browser, &waiting, "non risponde").await;
    assert!(is_waiting(&page) && page.text().contains("scelga un altro modo qui sotto"));
    let code = browser.get(&way).await;
    let consent = world
        .type_code(&mut browser, &code, &world.code_now())
        .await;
    assert!(is_consent(&consent), "{}", consent.body);
}

#[actix_web::test]
async fn an_answer_that_comes_after_the_page_counts_for_the_next_page() {
    let service = Hostile::start();
    let world = World::with_external(&external_method(&service.url, &service.key)).start();
    let (answer, may_answer) = channel::<()>();
    service.respond(move |service, request| {
        let _told_to = may_answer.recv_timeout(PATIENCE);
        let claims = crate::harness::answer_to(request, "approved");
        let jwt = crate::harness::signed(
            Some(varco::authn::external::protocol::ANSWER_TYPE),
            &serde_json::Value::Object(claims),
            &service.key,
        );
        (200, "application/jwt", jwt)
    });
    let (mut browser, waiting) = begin(&world).await;
    assert!(is_waiting(&waiting), "{}", waiting.body);
    answer.send(()).unwrap();
    let url = waiting.url.to_string();
    let goes_on = async {
        loop {
            let page = browser.get(&url).await;
            if page.status == 303 {
                return page;
            }
        }
    };
    let page = tokio::time::timeout(PATIENCE, goes_on).await.unwrap();
    assert!(
        page.leads_to().contains("/consent"),
        "{:?}",
        page.location()
    );
}

#[actix_web::test]
async fn a_service_that_answers_ten_megabytes_or_noise_is_one_that_does_not_answer() {
    let service = Hostile::start();
    let world = World::with_external(&external_method(&service.url, &service.key)).start();
    world.give_app("ada");
    for body in [
        "a".repeat(10_000_000),
        "\u{0}\u{1}\u{fffd}".repeat(100),
        "{}".to_owned(),
    ] {
        service.respond(move |_, _| (200, "application/jwt", body.clone()));
        let (mut browser, waiting) = begin(&world).await;
        let page = until_it_says(&mut browser, &waiting, "non risponde").await;
        assert!(is_waiting(&page));
        let code = browser.get(&page.links("with=totp")[0]).await;
        assert!(code.body.contains("name=\"otp\""), "{}", code.body);
    }
}
