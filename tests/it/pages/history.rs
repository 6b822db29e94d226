//! `/history`: what it shows, in which order, to whom, and as a file.

use crate::harness::{Answer, Browser, Issuer, START, World};
use varco::clock::UtcTime;
use varco::demo::{LoginOptions, RelyingParty};
use varco::model::LoginEvent;
use varco::store::keyset::{CursorText, TimeCursor};
use varco::store::login_event::{self, EventsOf};
use varco::store::purge::{PurgeLimits, purge_expired};

const DAY: i64 = 86_400;

fn consent_only() -> LoginOptions {
    LoginOptions {
        prompt: "consent".to_owned(),
        ..LoginOptions::default()
    }
}

fn query(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// Each access shown, by the id of its row.
fn ids(page: &Answer) -> Vec<String> {
    page.body
        .split("id=\"access-")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// Where a page ended whose last access was this one.
fn cursor(occurred_at: i64, id: &str) -> String {
    TimeCursor {
        key: UtcTime(occurred_at),
        id: id.to_owned(),
    }
    .to_text()
}

/// The address of the page of older accesses.
fn older(page: &Answer) -> Option<String> {
    let (_, rest) = page.body.split_once("rel=\"next\" href=\"")?;
    let start = rest.split('"').next().unwrap();
    page.links("after=")
        .into_iter()
        .find(|link| rest.contains(start) && link.ends_with(&unescaped(start)))
}

fn unescaped(text: &str) -> String {
    text.replace("&amp;", "&").replace("&#x2F;", "/")
}

async fn visit(world: &World, browser: &mut Browser, rp: &RelyingParty, issuer: &Issuer) {
    world.code_with(browser, rp, issuer, &consent_only()).await;
}

#[actix_web::test]
async fn each_access_is_shown_with_who_when_what_and_how_newest_first() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder
            .server(|settings| {
                settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
            })
            .start();
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let mut browser = world.browser();
            browser.headers = vec![
                ("user-agent", "Lynx/2.9 <b>".to_owned()),
                ("x-forwarded-for", "198.51.100.7".to_owned()),
            ];
            let options = LoginOptions {
                userinfo_claims: vec![
                    "birthdate".to_owned(),
                    "https://attributes.eid.gov.it/fiscal_number".to_owned(),
                    // Nobody has one of these: not released, so not shown.
                    "https://attributes.eid.gov.it/company_name".to_owned(),
                    "no_such_claim".to_owned(),
                ],
                ..LoginOptions::at_level(1)
            };
            let rp = world.rp();
            world.tokens_of(&mut browser, rp, &issuer, &options).await;
            world.clock.advance_seconds(3600);
            let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0";
            browser.headers[0].1 = firefox.to_owned();
            browser.headers[1].1 = "2001:db8::7".to_owned();
            let nothing = LoginOptions {
                userinfo_claims: Vec::new(),
                ..LoginOptions::default()
            };
            let other = world.federation.aggregated_relying_party();
            world
                .tokens_of(&mut browser, other, &issuer, &nothing)
                .await;

            let rows = world.history(&mut browser, profile).await.accesses();
            assert_eq!(rows.len(), 2, "of this issuer only: {rows:?}");
            let hour = if profile == "spid" { "11:00" } else { "12:00" };
            for part in [
                &format!("15 gennaio 2026, ore {hour}"),
                "Biblioteca di Esempio",
                other.entity_id(),
                "Livello 2",
                "Nessuno",
                "Firefox 146, Linux",
                "2001:db8::7",
                "Attiva",
            ] {
                assert!(rows[0].contains(part), "{part} in {}", rows[0]);
            }
            for part in [
                "Comune di Esempio",
                rp.entity_id(),
                "Livello 1",
                "Data di nascita",
                "Codice fiscale",
                "Lynx/2.9 <b>",
                "198.51.100.7",
                "Scaduta",
            ] {
                assert!(rows[1].contains(part), "{part} in {}", rows[1]);
            }
            assert!(!rows[1].contains("no_such_claim") && !rows[1].contains("Ragione"));
        }
    }
}

#[actix_web::test]
async fn a_refused_or_cancelled_login_is_no_access() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let mut browser = world.browser();
    let prepared = world
        .rp()
        .authorization_request(&issuer.metadata, &LoginOptions::default())
        .unwrap();
    let page = world.authorize(&mut browser, &prepared).await;
    let consent = world
        .type_password(&mut browser, &page, ("ada", "ada-demo"))
        .await;
    let denied = consent.form("/consent").with("decision", "deny");
    let answer = browser.submit(&consent, &denied).await;
    assert_eq!(answer.redirected("error").as_deref(), Some("access_denied"));
    let page = world.history(&mut browser, "spid").await;
    assert!(page.accesses().is_empty());
    assert!(
        page.text()
            .contains("Non risultano ancora accessi ai servizi.")
    );
}

/// Setting `history_per_page`.
#[actix_web::test]
async fn pages_follow_each_other_without_gap_or_repetition_and_keep_filter_and_language() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder
            .server(|settings| settings.history_per_page = 2)
            .start();
        let issuer = world.issuer("spid").await;
        let mut browser = world.browser();
        world
            .code_with(&mut browser, world.rp(), &issuer, &LoginOptions::default())
            .await;
        // Several in the same second.
        for pause in [0, 0, 60, 0] {
            world.clock.advance_seconds(pause);
            visit(&world, &mut browser, world.rp(), &issuer).await;
        }
        let other = world.federation.aggregated_relying_party();
        visit(&world, &mut browser, other, &issuer).await;

        let start = format!(
            "/spid/history?rp={}&from=2026-01-15&to=2026-01-15&lang=en",
            query(world.rp().entity_id())
        );
        let mut page = browser.get(&world.url(&start)).await;
        let mut seen = Vec::new();
        let mut lengths = Vec::new();
        loop {
            assert_eq!(page.language(), "en");
            assert!(page.body.contains("value=\"2026-01-15\""));
            assert!(page.accesses().iter().all(|row| row.contains("Comune")));
            let found = ids(&page);
            lengths.push(found.len());
            seen.extend(found);
            let Some(next) = older(&page) else { break };
            for kept in ["from=2026-01-15", "to=2026-01-15", "rp=", "lang=en"] {
                assert!(next.contains(kept), "{kept} in {next}");
            }
            page = browser.get(&next).await;
        }
        assert_eq!(lengths, [2, 2, 1]);
        let mut distinct = seen.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), 5, "{seen:?}");
        // An access that comes meanwhile moves nothing on later pages.
        let second = browser
            .get(&world.url(&format!(
                "/spid/history?after={}",
                cursor(START.0 + 60, &seen[0])
            )))
            .await;
        world.clock.advance_seconds(1);
        visit(&world, &mut browser, other, &issuer).await;
        let again = browser.get(second.url.as_str()).await;
        assert_eq!(ids(&second), ids(&again));
        // What is no cursor is the first page.
        for cursor in ["x", "1.", ".", "99999999999999999999.a", "-1.x", "%00.%00"] {
            let page = browser
                .get(&world.url(&format!("/spid/history?after={cursor}")))
                .await;
            assert_eq!(page.status, 200, "{cursor}");
        }
    }
}

#[actix_web::test]
async fn the_filter_takes_an_rp_and_italian_days_and_names_what_is_wrong() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let mut browser = world.browser();
    let rp = world.rp();
    let other = world.federation.aggregated_relying_party();
    // 2026-01-15 10:00, 2026-01-15 23:59:59 and 2026-01-16 00:00 in Italy.
    for (pause, rp) in [(0, rp), (13 * 3600 + 3599, other), (1, rp)] {
        world.clock.advance_seconds(pause);
        world
            .code_with(&mut browser, rp, &issuer, &LoginOptions::default())
            .await;
    }
    let rp_id = query(rp.entity_id());
    let other_id = query(other.entity_id());
    for (filter, count) in [
        ("", 3),
        ("from=2026-01-16", 1),
        ("to=2026-01-15", 2),
        ("from=2026-01-15&to=2026-01-16", 3),
        ("from=2026-01-17", 0),
        (&format!("rp={rp_id}"), 2),
        (&format!("rp={other_id}&to=2026-01-15"), 1),
        (&format!("rp={other_id}&from=2026-01-16"), 0),
        ("rp=https%3A%2F%2Funknown.example.it", 0),
    ] {
        let page = browser
            .get(&world.url(&format!("/cie/history?{filter}")))
            .await;
        assert_eq!(page.accesses().len(), count, "{filter}");
        let empty = page
            .text()
            .contains("Nessun accesso corrisponde ai criteri scelti");
        assert_eq!(empty, count == 0, "{filter}");
    }
    for (filter, words) in [
        ("from=yesterday", "La data iniziale non è valida."),
        ("to=2026-02-30", "La data finale non è valida."),
        (
            "from=2026-01-16&to=2026-01-15",
            "La data finale precede la data iniziale.",
        ),
    ] {
        let page = browser
            .get(&world.url(&format!("/cie/history?{filter}")))
            .await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains(words), "{filter}");
        assert!(page.body.contains("aria-invalid=\"true\""), "{filter}");
    }
}

#[actix_web::test]
async fn nobody_sees_the_history_of_another() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let mut hers = world.browser();
    visit(&world, &mut hers, world.rp(), &issuer).await;
    let hers = ids(&world.history(&mut hers, "spid").await);
    assert_eq!(hers.len(), 1);
    let mut his = world.browser();
    let page = world.enter(&mut his, "spid", ("bruno", "bruno-demo")).await;
    assert!(page.accesses().is_empty());
    let rp = query(world.rp().entity_id());
    for path in [
        "/spid/history".to_owned(),
        format!("/spid/history?rp={rp}"),
        format!("/spid/history?after={}", cursor(i64::MAX, "zzzz")),
        format!("/spid/history?account=ada&rp={rp}"),
        "/spid/history.csv".to_owned(),
        "/spid/history.json".to_owned(),
        "/cie/history.json".to_owned(),
    ] {
        let answer = his.get(&world.url(&path)).await;
        assert!(!answer.body.contains(&hers[0]), "{path}");
        assert!(!answer.body.contains("Comune di Esempio"), "{path}");
    }
    for path in ["/spid/history.csv", "/spid/history.json"] {
        let stranger = world.browser().get(&world.url(path)).await;
        assert_eq!(stranger.status, 303, "{path}");
        assert!(stranger.body.is_empty());
    }
}

#[actix_web::test]
async fn the_export_is_whole_filtered_and_harmless_in_a_spreadsheet() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder
            .server(|settings| settings.history_per_page = 1)
            .start();
        let issuer = world.issuer("spid").await;
        let mut browser = world.browser();
        let attack = "=HYPERLINK(\"http://evil.example\",\"a,b\")";
        browser.headers = vec![("user-agent", attack.to_owned())];
        world
            .tokens_of(&mut browser, world.rp(), &issuer, &LoginOptions::default())
            .await;
        let other = world.federation.aggregated_relying_party();
        for (number, agent) in ["+1", "-1", "@x", "\tx", "Mozilla/5.0 (X11)"]
            .iter()
            .enumerate()
        {
            browser.headers = vec![("user-agent", (*agent).to_owned())];
            world
                .clock
                .advance_seconds(i64::try_from(number).unwrap() + 1);
            visit(&world, &mut browser, other, &issuer).await;
        }

        let csv = browser.get(&world.url("/spid/history.csv")).await;
        assert_eq!(csv.status, 200);
        assert!(csv.header("content-type").starts_with("text/csv"));
        assert_eq!(
            csv.header("content-disposition"),
            "attachment; filename=\"history.csv\""
        );
        assert_eq!(csv.header("cache-control"), "no-store");
        let mut reader = csv::Reader::from_reader(csv.body.as_bytes());
        let columns: Vec<String> = reader
            .headers()
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect();
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), 6, "all pages");
        let column = |name: &str| columns.iter().position(|known| known == name).unwrap();
        for record in &records {
            for cell in record {
                assert!(
                    !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                    "{cell}"
                );
            }
        }
        let oldest = &records[5];
        assert_eq!(&oldest[column("browser")], format!("'{attack}"));
        assert_eq!(&oldest[column("time")], "2026-01-15T09:00:00Z");
        assert_eq!(&oldest[column("rp_name")], "Comune di Esempio");
        assert_eq!(&oldest[column("entity_id")], world.rp().entity_id());
        assert_eq!(&oldest[column("level")], "https://www.spid.gov.it/SpidL2");
        assert_eq!(
            &oldest[column("attributes")],
            "given_name family_name fiscal_number email"
        );
        assert_eq!(&oldest[column("tokens")], "active");

        let path = format!("/spid/history.json?rp={}", query(world.rp().entity_id()));
        let json = browser.get(&world.url(&path)).await;
        assert_eq!(json.header("content-type"), "application/json");
        let json = json.json();
        assert_eq!(
            json.as_array().unwrap().len(),
            1,
            "the filter counts: {json}"
        );
        assert_eq!(json[0]["browser"], attack);
        assert_eq!(json[0]["attributes"][2], "fiscal_number");
        assert_eq!(json[0]["tokens"], "active");
        let page = world.history(&mut browser, "spid").await;
        for link in ["/spid/history.csv", "/spid/history.json"] {
            assert_eq!(page.links(link).len(), 1, "{link}");
        }
    }
}

/// Setting `history_retention_days`.
#[actix_web::test]
async fn a_long_history_is_exported_whole_though_it_is_read_in_parts() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        let issuer = world.issuer("spid").await;
        let mut browser = world.browser();
        visit(&world, &mut browser, world.rp(), &issuer).await;
        let store = &world.app.shared.store;
        let first = store
            .read_blocking(|conn| login_event::search_recent(conn, &EventsOf::All, None, 1))
            .unwrap()
            .rows
            .remove(0);
        store
            .write_blocking(move |tx| {
                (0..1_100).try_for_each(|n| {
                    let copy = LoginEvent {
                        id: format!("copy-{n}"),
                        occurred_at: first.occurred_at.plus_seconds(-n - 1),
                        ..first.clone()
                    };
                    login_event::insert(tx, &copy)
                })
            })
            .unwrap();
        let json = browser.get(&world.url("/spid/history.json")).await.json();
        let times: Vec<&str> = json
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["time"].as_str().unwrap())
            .collect();
        assert_eq!(times.len(), 1_101);
        assert!(
            times.is_sorted_by(|one, next| one > next),
            "newest first, each once"
        );
        let csv = browser.get(&world.url("/spid/history.csv")).await;
        assert_eq!(csv.body.lines().count(), 1_102);
    }
}

#[actix_web::test]
async fn the_history_outlives_the_purge_of_tokens_until_its_own_end() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder
            .server(|settings| settings.history_retention_days = 500)
            .start();
        let issuer = world.issuer("cie").await;
        let tokens = world
            .login(
                world.rp(),
                &issuer,
                &LoginOptions::default().with_offline_access(),
            )
            .await;
        let limits = PurgeLimits {
            history_retention_days: i64::from(world.app.shared.server.history_retention_days),
        };
        let store = &world.app.shared.store;
        // Beyond tokens (30 days) and consent (a year).
        for (days, remembered) in [(40, 1), (360, 1), (99, 1), (2, 0)] {
            world.clock.advance_seconds(days * DAY);
            let now = world.app.shared.clock.now();
            purge_expired(store, now, limits).await.unwrap();
            let mut browser = world.browser();
            let page = world.enter(&mut browser, "cie", ("ada", "ada-demo")).await;
            let rows = page.accesses();
            assert_eq!(rows.len(), remembered, "after {days} more days");
            assert!(rows.iter().all(|row| row.contains("Scaduta")));
        }
        let gone = world.userinfo(&issuer, &tokens.answer.access_token).await;
        assert_eq!(gone.status, 401);
    }
}
