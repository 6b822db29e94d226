//! The database goes away and comes back; the process says so and loses nothing.

use crate::harness::World;
use varco::demo::LoginOptions;

#[actix_web::test]
async fn without_its_database_an_issuer_says_503_and_goes_on_when_it_is_back() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let rp = world.rp();
    let mut browser = world.browser();
    let tokens = world
        .tokens_of(&mut browser, rp, &issuer, &LoginOptions::default())
        .await;
    let (prepared, code) = world
        .code_with(&mut browser, rp, &issuer, &LoginOptions::default())
        .await;
    let request = rp
        .authorization_request(&issuer.metadata, &LoginOptions::default())
        .unwrap();
    assert_eq!(browser.get(&world.url("/readyz")).await.status, 200);

    let away = world.folder.path().with_extension("away");
    std::fs::rename(world.folder.path(), &away).unwrap();
    let ready = browser.get(&world.url("/readyz")).await;
    assert_eq!(ready.status, 503);
    assert!(!ready.header("retry-after").is_empty());
    assert_eq!(browser.get(&world.url("/healthz")).await.status, 200);
    browser.headers.push(("accept-language", "de".to_owned()));
    for path in ["/spid/history", "/spid/login", "/spid/history/revoke?rp=x"] {
        let page = browser.get(&world.url(path)).await;
        assert_eq!(page.status, 503, "{path}: {}", page.body);
        assert_eq!(page.header("retry-after"), "5", "{path}");
        assert_eq!(page.language(), "de", "{path}");
        assert!(page.body.contains(page.header("x-request-id")), "{path}");
        assert!(page.body.contains("temporarily_unavailable"), "{path}");
    }
    let form = rp
        .token_request(&issuer.metadata, &prepared, &code)
        .unwrap();
    for answer in [
        world.post(&issuer.metadata.token_endpoint, &form).await,
        world.userinfo(&issuer, &tokens.access_token).await,
        world
            .post(
                &issuer.metadata.revocation_endpoint,
                &rp.revocation_request(&issuer.metadata, &tokens.access_token)
                    .unwrap(),
            )
            .await,
    ] {
        assert_eq!(answer.status, 503, "SPID/CIE TK-8: {}", answer.body);
        assert_eq!(answer.error(), "temporarily_unavailable");
        assert!(!answer.header("retry-after").is_empty());
    }
    let authorization = world.browser().get(&request.url).await;
    assert!(
        authorization.status == 503
            || authorization.redirected("error").as_deref() == Some("temporarily_unavailable"),
        "SPID/CIE AZ-12: {} {}",
        authorization.status,
        authorization.body
    );
    // What is in memory goes on.
    let statement = browser
        .get(&world.url("/spid/.well-known/openid-federation"))
        .await;
    assert_eq!(statement.status, 200);

    std::fs::rename(&away, world.folder.path()).unwrap();
    assert_eq!(browser.get(&world.url("/readyz")).await.status, 200);
    assert_eq!(
        world.history(&mut browser, "spid").await.status,
        200,
        "the session is there"
    );
    let form = rp
        .token_request(&issuer.metadata, &prepared, &code)
        .unwrap();
    let answer = world.post(&issuer.metadata.token_endpoint, &form).await;
    assert_eq!(answer.status, 200, "the code was not lost: {}", answer.body);
    let page = world.authorize(&mut world.browser(), &request).await;
    assert_eq!(page.status, 200);
    assert!(
        world.is_active(rp, &issuer, &tokens.access_token).await,
        "nothing was revoked"
    );
}
