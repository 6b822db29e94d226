//! `/account`: second factors, recovery codes, password, sessions.

use crate::harness::{ADA, Answer, Browser, Form, World};
use varco::config::Enrolment;

const ACCOUNT: &str = "/spid/account";

async fn open(world: &World) -> Browser {
    let mut browser = world.browser();
    let stranger = browser.get(&world.url(ACCOUNT)).await;
    let page = browser.follow(stranger, &world.base).await;
    assert!(
        page.text().contains("Acceda al Suo account"),
        "{}",
        page.text()
    );
    let page = world.type_password(&mut browser, &page, ADA).await;
    assert_eq!(page.url.path(), ACCOUNT, "{}", page.body);
    browser
}

/// Fills the form of a change in; follows where it leads.
async fn change(
    world: &World,
    browser: &mut Browser,
    path: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let page = browser.get(&world.url(&format!("{ACCOUNT}{path}"))).await;
    assert_eq!(page.status, 200, "{path}: {}", page.body);
    let mut form = page.form("/account");
    let form_fields = fields.iter();
    form.fields
        .extend(form_fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    form.action = page
        .forms()
        .into_iter()
        .find(|form| form.action.contains("/account/"))
        .unwrap()
        .action;
    let answer = browser.submit(&page, &form).await;
    browser.follow(answer, &world.base).await
}

/// Registers an app, with the code of one that is there; its page of recovery codes or the account.
async fn add(world: &World, browser: &mut Browser, code: &str) -> (Answer, Answer) {
    let fields = [
        ("name", "telefono"),
        ("password", "ada-demo"),
        ("otp", code),
    ];
    let page = change(world, browser, "/factor/add", &fields).await;
    assert!(page.body.contains("class=\"secret\""), "{}", page.body);
    let form = page
        .form("/factor/new")
        .with("otp", &world.code_of_page(&page));
    let answer = browser.submit(&page, &form).await;
    (page, browser.follow(answer, &world.base).await)
}

#[actix_web::test]
async fn an_app_is_added_with_the_password_counts_from_its_first_code_and_brings_recovery_codes() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder
            .issuers(|issuer| issuer.enrolment = Enrolment::Password)
            .start();
        let mut browser = open(&world).await;
        let account = browser.get(&world.url(ACCOUNT)).await;
        assert!(account.text().contains("Nessun secondo fattore registrato"));
        for (password, says) in [
            ("", "Compili tutti i campi"),
            ("wrong", "La password non è corretta"),
        ] {
            let refused = change(
                &world,
                &mut browser,
                "/factor/add",
                &[("password", password)],
            )
            .await;
            assert_eq!(refused.status, 422);
            assert!(refused.text().contains(says), "{}", refused.text());
        }
        let page = change(
            &world,
            &mut browser,
            "/factor/add",
            &[("password", "ada-demo")],
        )
        .await;
        let wrong = browser
            .submit(&page, &page.form("/factor/new").with("otp", "000000"))
            .await;
        assert_eq!(wrong.status, 422);
        let account = browser.get(&world.url(ACCOUNT)).await;
        assert!(account.text().contains("Nessun secondo fattore registrato"));
        // Another session of the same person does not see the secret.
        let mut other = open(&world).await;
        let elsewhere = other
            .get(&world.url(&format!("{ACCOUNT}/factor/new")))
            .await;
        assert_eq!(elsewhere.status, 303);

        let (_, codes) = add(&world, &mut browser, "").await;
        assert_eq!(
            codes.body.matches("<li><code>").count(),
            10,
            "{}",
            codes.body
        );
        assert!(codes.header("cache-control").contains("no-store"));
        let account = browser.get(&world.url(ACCOUNT)).await;
        assert!(account.text().contains("telefono"), "{}", account.text());
        assert!(account.text().contains("Le restano 10 codici"));
        let late = browser
            .get(&world.url(&format!("{ACCOUNT}/factor/new")))
            .await;
        assert_eq!(late.status, 303, "the secret is not shown again");
    }
}

#[actix_web::test]
async fn whoever_has_a_second_factor_needs_it_for_every_change_and_loses_it_only_knowingly() {
    let world = World::builder()
        .issuers(|issuer| issuer.enrolment = Enrolment::Operator)
        .start();
    let mut browser = open(&world).await;
    // The first one is the operator's to give.
    let none = browser
        .get(&world.url(&format!("{ACCOUNT}/factor/add")))
        .await;
    assert_eq!(none.status, 404, "{}", none.body);
    world.give_app("ada");
    // Second factors are listed by age.
    world.clock.advance_seconds(1);
    let account = browser.get(&world.url(ACCOUNT)).await;
    assert!(account.text().contains("registrato dall’assistenza"));
    let refused = change(
        &world,
        &mut browser,
        "/factor/add",
        &[("password", "ada-demo")],
    )
    .await;
    assert_eq!(refused.status, 422);
    let fields = [("password", "ada-demo"), ("otp", "000000")];
    let refused = change(&world, &mut browser, "/recovery", &fields).await;
    assert!(refused.text().contains("Il codice non è corretto"));
    let code = world.code_now();
    let (secret_page, codes) = add(&world, &mut browser, &code).await;
    assert_eq!(codes.body.matches("<li><code>").count(), 10);
    let first = codes.body.split("<li><code>").nth(1).unwrap();
    let first = first.split('<').next().unwrap().to_owned();
    // New codes instead; those before no longer count.
    world.clock.advance_seconds(30);
    let fields = [("password", "ada-demo"), ("otp", &world.code_now())];
    let renewed = change(&world, &mut browser, "/recovery", &fields).await;
    assert_eq!(
        renewed.body.matches("<li><code>").count(),
        10,
        "{}",
        renewed.body
    );
    let fields = [("password", "ada-demo"), ("otp", first.as_str())];
    let refused = change(&world, &mut browser, "/recovery", &fields).await;
    assert_eq!(refused.status, 422);

    world.clock.advance_seconds(60);
    let account = browser.get(&world.url(ACCOUNT)).await;
    let remove = account.links("/factor/remove").remove(0);
    let page = browser.get(&remove).await;
    assert!(!page.text().contains("unico secondo fattore"));
    let form = page.form("/factor/remove");
    let with_code = form
        .clone()
        .with("password", "ada-demo")
        .with("otp", &world.code_now());
    let done = browser.submit(&page, &with_code).await;
    let done = browser.follow(done, &world.base).await;
    assert!(done.text().contains("è stato rimosso"), "{}", done.text());
    assert!(done.text().contains("Codici di recupero"));
    assert_eq!(browser.get(&remove).await.status, 404, "gone");

    // The last one stays: only the operator could give another.
    world.clock.advance_seconds(60);
    let remove = done.links("/factor/remove").remove(0);
    let page = browser.get(&remove).await;
    assert!(page.text().contains("solo l’assistenza"), "{}", page.text());
    assert!(!page.body.contains("name=\"password\""));
    let mut forced = form
        .with("password", "ada-demo")
        .with("otp", &world.code_of_page(&secret_page));
    forced.action = remove.clone();
    let refused = browser.submit(&page, &forced).await;
    assert!(refused.text().contains("solo l’assistenza"));
    assert_eq!(browser.get(&remove).await.status, 200, "still there");
}

#[actix_web::test]
async fn a_new_password_ends_the_other_sessions_and_the_old_one_no_longer_counts() {
    let world = World::start();
    let mut browser = open(&world).await;
    let mut other = open(&world).await;
    let with = |new: &'static str, again: &'static str| {
        [
            ("password", "ada-demo"),
            ("new_password", new),
            ("new_password_again", again),
        ]
    };
    for (new, again, says) in [
        ("", "", "Compili tutti i campi"),
        ("short", "short", "almeno 8 caratteri"),
        ("long enough", "long enoug", "sono diverse"),
        ("ada-demo", "ada-demo", "è quella che ha già"),
    ] {
        let refused = change(&world, &mut browser, "/password", &with(new, again)).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains(says), "{}", refused.text());
    }
    let fields = with("a better one", "a better one");
    let done = change(&world, &mut browser, "/password", &fields).await;
    assert!(done.text().contains("La Sua password è stata cambiata"));
    assert_eq!(other.get(&world.url(ACCOUNT)).await.status, 303, "ended");
    let mut third = world.browser();
    let refused = world.enter(&mut third, "spid", ADA).await;
    assert_eq!(refused.status, 422);
    let page = world
        .enter(&mut third, "spid", ("ada", "a better one"))
        .await;
    assert_eq!(page.status, 200);
}

#[actix_web::test]
async fn sessions_are_shown_with_browser_and_address_and_ended_one_by_one_or_all() {
    let world = World::start();
    let mut browser = open(&world).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        let mut other = world.browser();
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0";
        other.headers.push(("user-agent", agent.to_owned()));
        world.enter(&mut other, "cie", ADA).await;
        others.push(other);
    }
    let page = browser.get(&world.url(ACCOUNT)).await;
    assert_eq!(
        page.text().matches("Firefox 146").count(),
        6,
        "{}",
        page.text()
    );
    assert!(page.text().contains("127.0.0.1") && page.text().contains("questa"));
    let alive = async |others: &mut Vec<Browser>| {
        let mut count = 0;
        for other in others {
            let answer = other.get(&world.url("/cie/history")).await;
            count += usize::from(answer.status == 200);
        }
        count
    };
    let one = page
        .forms()
        .into_iter()
        .find(|form| form.fields.iter().any(|(name, _)| name == "session"))
        .unwrap();
    let done = browser.submit(&page, &one).await;
    let done = browser.follow(done, &world.base).await;
    assert!(done.text().contains("La sessione è stata chiusa"));
    assert_eq!(alive(&mut others).await, 2);
    let all = page.form("/account/sessions").with("others", "1");
    browser.submit(&page, &all).await;
    assert_eq!(alive(&mut others).await, 0);
    let page = browser.get(&world.url(ACCOUNT)).await;
    assert!(page.text().contains("Non ci sono altre sessioni"));
}

#[actix_web::test]
async fn no_form_of_the_account_counts_without_its_token_or_without_a_session() {
    let world = World::builder()
        .issuers(|issuer| issuer.enrolment = Enrolment::Password)
        .start();
    world.give_app("ada");
    let mut browser = open(&world).await;
    let account = browser.get(&world.url(ACCOUNT)).await;
    let remove = account.links("/factor/remove").remove(0);
    let addresses = [
        world.url(&format!("{ACCOUNT}/factor/add")),
        world.url(&format!("{ACCOUNT}/factor/new")),
        world.url(&format!("{ACCOUNT}/recovery")),
        world.url(&format!("{ACCOUNT}/password")),
        world.url(&format!("{ACCOUNT}/sessions")),
        remove,
    ];
    for address in &addresses {
        for fields in [vec![], vec![("csrf_token".to_owned(), "x".to_owned())]] {
            let refused = browser.post(address, &fields).await;
            assert_eq!(refused.status, 400, "{address}: {}", refused.body);
            let stranger = world.browser().post(address, &fields).await;
            assert_eq!(stranger.status, 303, "{address}");
            assert!(stranger.location().unwrap().contains("/login?to=account"));
        }
    }
    let still = browser.get(&world.url(ACCOUNT)).await;
    assert!(still.text().contains("registrato dall’assistenza"));
}

/// A form with these fields instead of what it offers.
fn filled(form: &Form, fields: &[(&str, &str)]) -> Form {
    let mut form = form.clone();
    for (name, value) in fields {
        form.fields.retain(|(known, _)| known != name);
        form = form.with(name, value);
    }
    form
}

#[actix_web::test]
async fn a_second_factor_gets_another_name_from_its_owner_only_and_never_none() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        world.give_app("ada");
        world.give_app("bruno");
        let mut browser = open(&world).await;
        let page = browser.get(&world.url(ACCOUNT)).await;
        let form = page.form("/factor/rename");
        let empty = browser
            .submit(&page, &filled(&form, &[("name", "  ")]))
            .await;
        assert_eq!(empty.status, 422);
        assert!(empty.text().contains("Scriva un nome"), "{}", empty.text());
        let named = filled(&form, &[("name", " <b>Telefono</b>  blu\n")]);
        let done = browser.submit(&page, &named).await;
        let done = browser.follow(done, &world.base).await;
        assert!(done.text().contains("ha un nuovo nome"), "{}", done.text());
        assert_eq!(world.factors("ada").remove(0).name, "<b>Telefono</b> blu");
        assert!(!done.body.contains("<b>"), "{}", done.body);
        // Somebody else's, and a form of another page.
        let theirs = world.factors("bruno").remove(0);
        let other = filled(&form, &[("id", &theirs.id), ("name", "mine")]);
        assert_eq!(browser.submit(&page, &other).await.status, 404);
        assert_eq!(world.factors("bruno").remove(0).name, theirs.name);
        let forged = filled(&form, &[("csrf_token", "made-up"), ("name", "mine")]);
        assert_eq!(browser.submit(&page, &forged).await.status, 400);
        // A form that outlives the session is back with what was typed.
        world.clock.advance_seconds(1_801);
        let late = browser.submit(&page, &named).await;
        let login = browser.follow(late, &world.base).await;
        let back = world.type_password(&mut browser, &login, ADA).await;
        assert!(back.body.contains("<details open>"), "{}", back.body);
    }
}
