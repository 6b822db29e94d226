//! Between the RP's request and its answer: tabs, lost cookies, the back button, forms of others (SPID/CIE AZ-12).

use crate::harness::{ADA, Answer, Form, World, assert_shown};
use varco::demo::LoginOptions;

pub(super) const ANSWERED: &str = "the login was answered already";
pub(super) const LOST: &str = "the browser has not the cookie of this login";
pub(super) const FOREIGN: &str = "the form does not belong to this browser";

pub(super) fn sso() -> LoginOptions {
    LoginOptions {
        prompt: "consent".to_owned(),
        ..LoginOptions::default()
    }
}

pub(super) fn is_login(page: &Answer) -> bool {
    page.status == 200 && page.body.contains("name=\"password\"")
}

pub(super) fn is_consent(page: &Answer) -> bool {
    page.status == 200 && page.body.contains("name=\"decision\"")
}

/// The form without its token, or with another one.
pub(super) fn with_token(form: &Form, token: Option<&str>) -> Form {
    let mut form = form.clone();
    form.fields.retain(|(name, _)| name != "csrf_token");
    match token {
        None => form,
        Some(token) => form.with("csrf_token", token),
    }
}

pub(super) fn token_of(form: &Form) -> String {
    let found = form.fields.iter().find(|(name, _)| name == "csrf_token");
    found.unwrap().1.clone()
}

pub(super) fn typed(form: Form) -> Form {
    form.with("username", ADA.0).with("password", ADA.1)
}

/// SPID/CIE AZ-12: the user cancels or denies; the RP is told, once, and gets no code.
#[actix_web::test]
async fn cancelling_and_denying_tell_the_rp_access_denied() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let cancelled = world.request(&issuer, &LoginOptions::default());
        let (mut browser, page) = world.accepted(&cancelled).await;
        let form = page.form("/login").with("cancel", "1");
        let answer = browser.submit(&page, &form).await;
        crate::harness::assert_told(&answer, &cancelled, "access_denied", "cancelled");
        let again = browser.submit(&page, &form).await;
        assert_shown(&again, "invalid_request", ANSWERED);

        let denied = world.request(&issuer, &LoginOptions::default());
        let (mut browser, page) = world.accepted(&denied).await;
        let consent = world.type_password(&mut browser, &page, ADA).await;
        let form = consent.form("/consent").with("decision", "deny");
        let answer = browser.submit(&consent, &form).await;
        crate::harness::assert_told(&answer, &denied, "access_denied", "did not consent");
        let late = world.allow(&mut browser, &consent).await;
        assert_shown(&late, "invalid_request", ANSWERED);

        // Denying one RP is no logout.
        let next = world.request(&issuer, &sso());
        assert!(is_consent(&world.authorize(&mut browser, &next).await));

        let neither = world.request(&issuer, &sso());
        let consent = world.authorize(&mut browser, &neither).await;
        for decision in ["", "ALLOW", "yes"] {
            let form = consent.form("/consent").with("decision", decision);
            let answer = browser.submit(&consent, &form).await;
            assert_shown(&answer, "invalid_request", "decision must be allow or deny");
        }
        assert!(
            world
                .allow(&mut browser, &consent)
                .await
                .redirected("code")
                .is_some()
        );
    }
}

#[actix_web::test]
async fn several_tabs_log_in_beside_each_other() {
    let world = World::start();
    let second_rp = world.federation.aggregated_relying_party();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let mut browser = world.browser();
        let one = world.request(&issuer, &LoginOptions::default());
        let two = world.request_of(second_rp, &issuer, &LoginOptions::default());
        let three = world.request(&issuer, &sso());
        let tab_one = world.authorize(&mut browser, &one).await;
        let tab_two = world.authorize(&mut browser, &two).await;
        let tab_three = world.authorize(&mut browser, &three).await;
        assert!(is_login(&tab_one) && is_login(&tab_two) && is_login(&tab_three));

        let consent_two = world.type_password(&mut browser, &tab_two, ADA).await;
        let consent_one = world.type_password(&mut browser, &tab_one, ADA).await;
        assert!(is_consent(&consent_one) && is_consent(&consent_two));
        assert!(consent_two.body.contains(second_rp.entity_id()));

        // The third tab's login page is still open; reloading it finds the session.
        let reloaded = browser.get(tab_three.url.as_str()).await;
        let consent_three = browser.follow(reloaded, &world.base).await;
        for (consent, prepared, rp) in [
            (&consent_two, &two, second_rp),
            (&consent_three, &three, world.rp()),
            (&consent_one, &one, world.rp()),
        ] {
            let answer = world.allow(&mut browser, consent).await;
            assert_eq!(answer.redirected("state").unwrap(), prepared.state);
            let code = answer.redirected("code").unwrap();
            world.redeem(rp, &issuer, prepared.clone(), &code).await;
        }
        let session = world.provider(profile).cookie_name();
        let kept = ["varco-device".to_owned(), session];
        let mut left = browser.cookies.keys();
        assert_eq!(left.len(), 2);
        assert!(
            left.all(|name| kept.contains(name)),
            "answered logins leave no cookies"
        );
    }
}

/// A double click: one answer, one code.
#[actix_web::test]
async fn a_consent_that_is_sent_several_times_at_once_gives_one_code() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        let (mut browser, page) = world.accepted(&prepared).await;
        let consent = world.type_password(&mut browser, &page, ADA).await;
        let cookies = browser.cookies.clone();
        let clicks = (0..6).map(|_| {
            let mut browser = world.browser();
            browser.cookies = cookies.clone();
            let (world, consent) = (&world, &consent);
            async move { world.allow(&mut browser, consent).await }
        });
        let answers = futures_util::future::join_all(clicks).await;
        let (codes, pages): (Vec<Answer>, Vec<Answer>) = answers
            .into_iter()
            .partition(|answer| answer.location().is_some());
        assert_eq!(codes.len(), 1);
        for page in &pages {
            assert_shown(page, "invalid_request", ANSWERED);
        }
        let code = codes[0].redirected("code").unwrap();
        world.redeem(world.rp(), &issuer, prepared, &code).await;
    }
}

/// SPID/CIE AZ-11, AZ-12: a denial travels by the response mode of the request.
#[actix_web::test]
async fn a_denial_is_posted_where_the_rp_wants_a_form() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions {
            response_mode: Some("form_post".to_owned()),
            ..LoginOptions::default()
        };
        let prepared = world.request(&issuer, &options);
        let (mut browser, page) = world.accepted(&prepared).await;
        let form = page.form("/login").with("cancel", "1");
        let answer = browser.submit(&page, &form).await;
        assert_eq!((answer.status, answer.location()), (200, None));
        let fields = answer.form(&prepared.redirect_uri).fields;
        for (name, value) in [
            ("error", "access_denied"),
            ("state", prepared.state.as_str()),
            ("iss", issuer.metadata.issuer.as_str()),
        ] {
            let field = (name.to_owned(), value.to_owned());
            assert!(fields.contains(&field), "{fields:?}");
        }
    }
}

/// Two people at one browser: what the first began is not given in the name of the second without a look.
#[actix_web::test]
async fn a_consent_page_of_one_person_is_not_answered_in_the_name_of_another() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let of_ada = world.request(&issuer, &LoginOptions::default());
        let (mut browser, page) = world.accepted(&of_ada).await;
        let consent_of_ada = world.type_password(&mut browser, &page, ADA).await;
        assert!(consent_of_ada.body.contains("Ada Rossi"));

        let of_bruno = world.request(&issuer, &LoginOptions::default());
        let page = world.authorize(&mut browser, &of_bruno).await;
        let bruno = ("bruno", "bruno-demo");
        let consent = world.type_password(&mut browser, &page, bruno).await;
        assert!(consent.body.contains("Bruno De Luca"));

        let answer = world.allow(&mut browser, &consent_of_ada).await;
        assert!(
            answer.location().unwrap().contains("/login?"),
            "{:?}",
            answer.location()
        );
        let code = world.allow(&mut browser, &consent).await;
        assert!(code.redirected("code").is_some());
    }
}

#[actix_web::test]
async fn a_lost_cookie_gets_a_page_that_says_so_and_how_to_go_on() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        let (mut browser, page) = world.accepted(&prepared).await;
        let kept = std::mem::take(&mut browser.cookies);
        browser.headers.push(("accept-language", "en".to_owned()));
        let lost = browser.get(page.url.as_str()).await;
        assert_shown(&lost, "invalid_request", LOST);
        assert!(lost.body.contains("Allow cookies for this site"));
        let form = typed(page.form("/login"));
        let lost = browser.submit(&page, &form).await;
        assert_shown(&lost, "invalid_request", LOST);
        // With the cookie the login goes on where it was.
        browser.cookies = kept;
        let answer = world.log_in_and_allow(&mut browser, &page).await;
        assert!(answer.redirected("code").is_some());
    }
}

#[actix_web::test]
async fn the_back_button_works_before_the_answer_and_explains_itself_after() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        let (mut browser, login) = world.accepted(&prepared).await;
        assert!(is_login(&browser.get(login.url.as_str()).await));
        let consent = world.type_password(&mut browser, &login, ADA).await;
        // Back to the login page: the person is logged in for this request already.
        let back = browser.get(login.url.as_str()).await;
        assert!(is_consent(&browser.follow(back, &world.base).await));
        // The page of the browser's cache is sent again: nothing breaks.
        let again = world.type_password(&mut browser, &login, ADA).await;
        assert!(is_consent(&again));
        assert!(is_consent(&browser.get(consent.url.as_str()).await));
        let answer = world.allow(&mut browser, &consent).await;
        assert!(answer.redirected("code").is_some());

        browser.headers.push(("accept-language", "en".to_owned()));
        for url in [login.url.as_str(), consent.url.as_str()] {
            let page = browser.get(url).await;
            assert_shown(&page, "invalid_request", ANSWERED);
            assert!(page.body.contains("This login is already complete"));
        }
        let page = world.allow(&mut browser, &consent).await;
        assert_shown(&page, "invalid_request", ANSWERED);
        let page = browser.submit(&login, &typed(login.form("/login"))).await;
        assert_shown(&page, "invalid_request", ANSWERED);
    }
}

#[actix_web::test]
async fn the_login_survives_ten_minutes_of_typing_and_ends_after_half_an_hour() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let slow = world.request(&issuer, &LoginOptions::default());
        let (mut browser, page) = world.accepted(&slow).await;
        world.clock.advance_seconds(600);
        let consent = world.type_password(&mut browser, &page, ADA).await;
        world.clock.advance_seconds(600);
        let answer = world.allow(&mut browser, &consent).await;
        let code = answer.redirected("code").unwrap();
        world.redeem(world.rp(), &issuer, slow, &code).await;

        let forgotten = world.request(&issuer, &LoginOptions::default());
        let (mut browser, page) = world.accepted(&forgotten).await;
        world.clock.advance_seconds(1_799);
        assert!(is_login(&browser.get(page.url.as_str()).await));
        let consent = world.type_password(&mut browser, &page, ADA).await;
        world.clock.advance_seconds(1);
        for late in [
            browser.get(page.url.as_str()).await,
            browser.submit(&page, &typed(page.form("/login"))).await,
            browser.get(consent.url.as_str()).await,
            world.allow(&mut browser, &consent).await,
        ] {
            assert_shown(&late, "invalid_request", "the login took too long");
        }
    }
}

/// The setting behind it: `issuer.lifetimes.interaction`.
#[actix_web::test]
async fn how_long_a_login_may_take_is_configurable() {
    let world = World::builder()
        .issuers(|issuer| issuer.lifetimes.interaction = 60)
        .start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        let (mut browser, page) = world.accepted(&prepared).await;
        world.clock.advance_seconds(60);
        let late = browser.submit(&page, &typed(page.form("/login"))).await;
        assert_shown(&late, "invalid_request", "the login took too long");
    }
}

#[actix_web::test]
async fn an_address_without_a_known_interaction_is_explained() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let mut browser = world.browser();
        for id in ["x", "%00", "%ff", &"a".repeat(4000), "%3Cscript%3E"] {
            for page in ["login", "consent"] {
                let url = world.url(&format!("/{profile}/{page}?interaction={id}"));
                let answer = browser.get(&url).await;
                assert!(
                    answer.status == 400 || (id == "%ff" && answer.status == 200),
                    "{url} {}",
                    answer.status
                );
                assert!(!answer.body.contains("<script>"), "{}", answer.body);
            }
        }
        let url = world.url(&format!("/{profile}/consent"));
        let page = browser.get(&url).await;
        assert_shown(&page, "invalid_request", "needs the parameter interaction");
        // An interaction of the other issuer.
        let other = if profile == "spid" { "cie" } else { "spid" };
        let issuer = world.issuer(other).await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        let (mut browser, page) = world.accepted(&prepared).await;
        let url = page
            .url
            .as_str()
            .replace(&format!("/{other}/login"), &format!("/{profile}/login"));
        assert_shown(
            &browser.get(&url).await,
            "invalid_request",
            "not known any more",
        );
    }
}

/// SPID/CIE AZ-4: `ui_locales`, after a choice made on the page, before the browser's own languages.
#[actix_web::test]
async fn the_rp_may_suggest_the_language_and_the_person_decides() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let wish = |locales: &str| LoginOptions {
            ui_locales: Some(locales.to_owned()),
            ..LoginOptions::default()
        };
        for (locales, language) in [
            ("de", "de"),
            ("de-AT it", "de"),
            ("xx en", "en"),
            ("xx zz", "it"),
        ] {
            let prepared = world.request(&issuer, &wish(locales));
            let mut browser = world.browser();
            browser.headers.push(("accept-language", "it".to_owned()));
            let page = world.authorize(&mut browser, &prepared).await;
            let expected = format!("<html lang=\"{language}\"");
            assert!(page.body.contains(&expected), "{locales}: {}", page.body);
        }
        let as_array = LoginOptions::default().with_claim("ui_locales", serde_json::json!(["en"]));
        let (_, page) = world.accepted(&world.request(&issuer, &as_array)).await;
        assert!(page.body.contains("<html lang=\"en\""));
        let outside = LoginOptions::default().with_parameter("ui_locales", "de");
        let (_, page) = world.accepted(&world.request(&issuer, &outside)).await;
        assert!(page.body.contains("<html lang=\"de\""));

        let (mut browser, page) = world.accepted(&world.request(&issuer, &wish("de"))).await;
        let chosen = format!("{}&lang=en", page.url);
        let page = browser.get(&chosen).await;
        assert!(page.body.contains("<html lang=\"en\""));
        let consent = world.type_password(&mut browser, &page, ADA).await;
        assert!(
            consent.body.contains("<html lang=\"en\""),
            "{}",
            consent.body
        );
    }
}
