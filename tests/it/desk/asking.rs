//! Asking the superiors at the desk: progress on every node, one question for all who press, and what each attests.

use super::PASSWORD;
use super::looking::{begin, check, finished, id_of, under_way};
use crate::harness::{Answer, Browser, Host, Node, World};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use varco::federation::{
    Fetch, FetchError, FetchFact, FetchLimits, Fetching, HttpFetcher, Lane, ResolutionLimits,
};
use varco::jose::RingName;
use varco::keys::{self, When};
use varco::launch::OPERATOR;
use varco::model::{CheckKind, Role, RpCheck};

/// The path of the anchor that gives statements.
const STATEMENTS: &str = "/ta/fetch";

/// The federation's page about the SPID issuer.
fn page_of(world: &World) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("issuer", world.provider("spid").issuer.as_str())
        .finish();
    format!("/admin/federation?{query}")
}

/// Presses the button of the page at `url`.
pub async fn press(browser: &mut Browser, url: &str) -> Answer {
    let page = browser.get(url).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let form = page.form("/admin/federation");
    browser.submit(&page, &form).await
}

/// Asks, and waits for the answer as a browser does.
async fn ask(world: &World, browser: &mut Browser) -> Answer {
    let begun = press(browser, &world.url(&page_of(world))).await;
    assert!(begun.leads_to().starts_with("/admin/federation/asked?id="));
    finished(world, browser, &begun).await
}

/// The network, in which what `part` names is answered when the test says so, or not at all.
struct Slow {
    network: HttpFetcher,
    part: String,
    gate: Semaphore,
    is_there: bool,
    arrivals: mpsc::UnboundedSender<String>,
}

impl Slow {
    fn new(part: &str, is_there: bool) -> (Arc<Self>, mpsc::UnboundedReceiver<String>) {
        let limits = FetchLimits {
            per_fetch: PATIENT,
            ..FetchLimits::default()
        };
        let (arrivals, arrived) = mpsc::unbounded_channel();
        let slow = Self {
            network: HttpFetcher::new(limits, true, None).unwrap(),
            part: part.to_owned(),
            gate: Semaphore::new(if is_there { 0 } else { 1 }),
            is_there,
            arrivals,
        };
        (Arc::new(slow), arrived)
    }
}

impl Fetch for Slow {
    fn get_in<'a>(&'a self, lane: Lane, url: &'a str, accept: &'a str) -> Fetching<'a> {
        Box::pin(async move {
            if url.contains(&self.part) {
                let _unheard = self.arrivals.send(url.to_owned());
                let _passed = self.gate.acquire().await.unwrap();
                if !self.is_there {
                    return Err(FetchError {
                        url: url.to_owned(),
                        fact: FetchFact::Status { code: 502 },
                    });
                }
            }
            self.network.get_in(lane, url, accept).await
        })
    }

    fn post_form<'a>(
        &'a self,
        url: &'a str,
        fields: &'a [(String, String)],
        accept: &'a str,
    ) -> Fetching<'a> {
        self.network.post_form(url, fields, accept)
    }
}

/// As long as a test may take.
const PATIENT: Duration = Duration::from_secs(60);

impl World {
    fn patient_node(&self, network: &Arc<Slow>) -> Node {
        let limits = ResolutionLimits {
            total: PATIENT,
            ..ResolutionLimits::default()
        };
        self.node_with(network.clone(), limits)
    }
}

#[actix_web::test]
async fn two_who_ask_a_slow_superior_at_once_see_the_same_steps_and_then_the_same_answer() {
    for (world, _schema) in World::on_each_database() {
        let world = world.start();
        world.add_operator("vera", Role::Operator);
        let (network, mut arrived) = Slow::new(STATEMENTS, true);
        let nodes = [world.patient_node(&network), world.patient_node(&network)];
        let mut olga = nodes[0].desk(&world, OPERATOR).await;
        let mut vera = nodes[1].desk(&world, ("vera", PASSWORD)).await;
        let url = world.url(&page_of(&world));
        let (first, second) = (nodes[0].url(&url), nodes[1].url(&url));
        let begun = futures_util::future::join(press(&mut olga, &first), press(&mut vera, &second));
        let (begun, joined) = begun.await;
        assert_eq!(begun.status, 303, "{}", begun.body);
        let asked = begun.leads_to();
        assert!(asked.starts_with("/admin/federation/asked?id="), "{asked}");
        assert_eq!(joined.leads_to(), asked);
        arrived.recv().await.unwrap();
        let asked = world.url(&asked);
        // Our own entity configuration was had; the superior has not answered.
        let running = loop {
            let page = vera.get(&nodes[1].url(&asked)).await;
            assert_eq!(page.header("refresh"), "2");
            if page.text().contains("ottenuto") {
                break page;
            }
        };
        let own = world.provider("spid").issuer.clone();
        let seen = olga.get(&nodes[0].url(&asked)).await;
        for page in [&running, &seen] {
            assert!(page.body.contains("<progress"));
            assert!(page.text().contains("Verifica in corso"));
            assert!(
                page.text()
                    .contains(&format!("entity configuration of {own}"))
            );
            assert!(!page.body.contains("id=\"asked\""));
        }
        network.gate.add_permits(1);
        let ended = loop {
            let page = olga.get(&nodes[0].url(&asked)).await;
            if page.header("refresh").is_empty() {
                break page;
            }
        };
        assert!(arrived.try_recv().is_err(), "nobody asked twice");
        let elsewhere = vera.get(&nodes[1].url(&asked)).await;
        let anchor = world.federation.trust_anchor().entity_id();
        for page in [&ended, &elsewhere] {
            let text = page.text();
            assert!(
                text.contains("Tutte le nostre chiavi sono attestate"),
                "{text}"
            );
            assert!(
                text.contains(anchor) && !text.contains("non attestata"),
                "{text}"
            );
        }
        for (language, words) in [
            ("en", "All our keys are attested"),
            ("de", "Alle unsere Schlüssel"),
        ] {
            let page = vera
                .get(&nodes[1].url(&format!("{asked}&lang={language}")))
                .await;
            assert!(page.text().contains(words), "{}", page.text());
        }
    }
}

#[actix_web::test]
async fn the_superior_attests_our_keys_and_not_one_that_it_has_not_seen() {
    let world = World::start();
    let mut desk = world.desk().await;
    let asked = ask(&world, &mut desk).await;
    let text = asked.text();
    assert!(asked.body.contains("notice-success"), "{text}");
    assert!(text.contains("attestata"), "{text}");
    assert!(!text.contains("non attestata"), "{text}");
    // A new key, of which the superior knows nothing yet.
    let op = world.provider("spid");
    let made = keys::rotate(
        &op.shared.store,
        (&op.settings, &op.shared.key_encryption_key),
        (RingName::Federation, When::Soonest),
        op.now(),
        |_, _| Ok(()),
    )
    .unwrap();
    op.reload_keys().unwrap();
    let asked = ask(&world, &mut desk).await;
    let text = asked.text();
    assert!(text.contains("non attestata"), "{text}");
    assert!(text.contains("Consegni di nuovo"), "what to do: {text}");
    assert!(asked.body.contains(&made[0].kid));
}

#[actix_web::test]
async fn a_superior_that_fails_says_why_and_the_page_what_to_do() {
    let host = Host::start();
    host.fail("/superior/.well-known/openid-federation", 500);
    let superior = host.url("/superior/");
    let hint = superior.clone();
    let world = World::builder()
        .issuers(move |issuer| {
            if issuer.is_member() {
                issuer.authority_hints = vec![hint.clone()];
            }
        })
        .start();
    let mut desk = world.desk().await;
    let asked = ask(&world, &mut desk).await;
    let text = asked.text();
    assert!(
        text.contains("Nessuna autorità superiore ci attesta"),
        "{text}"
    );
    assert!(text.contains("confronti authority_hints"), "{text}");
    assert!(text.contains(&superior) && text.contains("500"), "{text}");
    assert!(text.contains("non ottenuto"), "the step: {text}");
    // The form asks again.
    let again = desk.submit(&asked, &asked.form("/admin/federation")).await;
    finished(&world, &mut desk, &again).await;
}

#[actix_web::test]
async fn a_superior_that_does_not_know_us_demands_too_much_or_was_not_asked_says_so() {
    let host = Host::start();
    host.fail("/superior/.well-known/openid-federation", 500);
    let superior = host.url("/superior/");
    let hint = superior.clone();
    let world = World::builder()
        .issuers(move |issuer| {
            if issuer.is_member() {
                issuer.authority_hints.push(hint.clone());
            }
        })
        .start();
    let mut desk = world.desk().await;
    let op = world.provider("spid");
    // The first holds.
    let asked = ask(&world, &mut desk).await;
    assert!(asked.body.contains("notice-success"), "{}", asked.text());
    assert!(asked.text().contains("Non è stata interrogata"));
    let anchor = world.federation.trust_anchor();
    anchor.change(op.issuer.as_str(), |statement| {
        let refused = json!({"issuer": {"one_of": ["https://other.example.it"]}});
        let policy = &mut statement.metadata_policy;
        policy.insert("openid_provider".to_owned(), refused);
    });
    let asked = ask(&world, &mut desk).await;
    let text = asked.text();
    // The second is asked then, and does not answer.
    assert!(
        text.contains("Un’autorità superiore non ci attesta"),
        "{text}"
    );
    assert!(text.contains("500"), "{text}");
    anchor.expel(op.issuer.as_str());
    let asked = ask(&world, &mut desk).await;
    let text = asked.text();
    assert!(text.contains("does not know this subordinate"), "{text}");
    assert!(text.contains("deve prima registrarci"), "{text}");
}

#[actix_web::test]
async fn without_our_own_configuration_or_a_chain_the_answer_says_which() {
    let world = World::start();
    let (network, _arrived) = Slow::new("/spid/.well-known/openid-federation", false);
    let node = world.patient_node(&network);
    let mut olga = node.desk(&world, OPERATOR).await;
    let begun = press(&mut olga, &node.url(&world.url(&page_of(&world)))).await;
    let mut here = world.desk().await;
    let asked = finished(&world, &mut here, &begun).await;
    let text = asked.text();
    assert!(
        text.contains("leggere la nostra entity configuration"),
        "{text}"
    );
    assert!(
        text.contains("502") && text.contains("reverse proxy"),
        "{text}"
    );
    let anchor = world.federation.trust_anchor();
    anchor.change(world.provider("spid").issuer.as_str(), |statement| {
        let refused = json!({"issuer": {"one_of": ["https://other.example.it"]}});
        let policy = &mut statement.metadata_policy;
        policy.insert("openid_provider".to_owned(), refused);
    });
    let asked = ask(&world, &mut here).await;
    let text = asked.text();
    assert!(
        text.contains("ma nessuna catena di fiducia è valida"),
        "{text}"
    );
}

#[actix_web::test]
async fn what_a_superior_says_is_text_in_the_answer() {
    let hostile = "</code><script>alert(1)</script>";
    for (world, _schema) in World::on_each_database() {
        let host = Host::start();
        let superior = host.url("/superior/");
        let kind = "text/plain;a=<script>alert(1)</script>";
        host.put("/superior/.well-known/openid-federation", kind, hostile);
        let hint = superior.clone();
        let world = world
            .issuers(move |issuer| {
                if issuer.is_member() {
                    issuer.authority_hints.push(hint.clone());
                }
            })
            .start();
        let mut desk = world.desk().await;
        let anchor = world.federation.trust_anchor();
        let issuer = world.provider("spid").issuer.clone();
        anchor.change(issuer.as_str(), |statement| {
            let critical = json!([hostile, "a\u{0}b"]);
            statement.extra.insert("crit".to_owned(), critical);
        });
        let asked = ask(&world, &mut desk).await;
        let text = asked.text();
        assert!(
            text.contains("Una dichiarazione su di noi non è valida"),
            "{text}"
        );
        assert!(text.contains("Segnali l’errore"), "{text}");
        assert!(asked.body.matches("alert(1)").count() > 1, "{}", asked.body);
        assert!(!asked.body.contains("<script>alert"), "{}", asked.body);
    }
}

#[actix_web::test]
async fn a_viewer_sees_the_answer_and_cannot_ask() {
    let world = World::start();
    world.add_operator("vito", Role::Viewer);
    let mut olga = world.desk().await;
    let begun = press(&mut olga, &world.url(&page_of(&world))).await;
    finished(&world, &mut olga, &begun).await;
    let mut vito = world.desk_as("vito", PASSWORD).await;
    let answer = vito.get(&world.url(&begun.leads_to())).await;
    assert!(answer.body.contains("id=\"asked\""), "{}", answer.body);
    let page = vito.get(&world.url(&page_of(&world))).await;
    for seen in [&answer, &page] {
        assert_eq!(seen.status, 200);
        let mut forms = seen.forms().into_iter();
        assert!(forms.all(|form| !form.action.contains("federation")));
    }
    let token = page.form("/admin/logout").fields;
    let refused = vito.post(&world.url(&page_of(&world)), &token).await;
    assert_eq!(refused.status, 403);
}

/// A question that goes on at some node, as the database has it.
fn asking(world: &World, id: &str) -> RpCheck {
    let own = world.provider("spid").issuer.to_string();
    RpCheck {
        kind: CheckKind::Superiors,
        ..under_way(world, id, &own)
    }
}

#[actix_web::test]
async fn a_question_and_a_check_share_the_places_and_no_page() {
    let world = World::start();
    let mut olga = world.desk().await;
    begin(&world, asking(&world, "asked"));
    let joined = press(&mut olga, &world.url(&page_of(&world))).await;
    assert_eq!(joined.leads_to(), "/admin/federation/asked?id=asked");
    let rp = world.rp().entity_id();
    let checked = check(&world, &mut olga, "spid", rp).await;
    finished(&world, &mut olga, &checked).await;
    // Not even of the issuer as if it were an RP.
    let own = world.provider("spid").issuer.to_string();
    let as_rp = check(&world, &mut olga, "spid", &own).await;
    assert_ne!(id_of(&as_rp), "asked");
    finished(&world, &mut olga, &as_rp).await;
    for wrong in [
        "/admin/rps/check?id=asked".to_owned(),
        format!("/admin/federation/asked?id={}", id_of(&checked)),
        "/admin/federation/asked?id=%00".to_owned(),
        "/admin/federation/asked".to_owned(),
    ] {
        assert_eq!(olga.get(&world.url(&wrong)).await.status, 404, "{wrong}");
    }
    for number in 0..3 {
        let id = format!("other-{number}");
        begin(&world, under_way(&world, &id, &id));
    }
    let other = check(&world, &mut olga, "spid", rp).await;
    assert_eq!(other.status, 503, "{}", other.body);
}

#[actix_web::test]
async fn too_many_are_refused_and_a_question_whose_node_died_says_so() {
    for (world, _schema) in World::on_each_database() {
        let world = world.start();
        for number in 0..4 {
            let id = format!("rp-{number}");
            begin(&world, under_way(&world, &id, &id));
        }
        let mut olga = world.desk().await;
        let page = world.url(&page_of(&world));
        let refused = press(&mut olga, &page).await;
        assert_eq!(refused.status, 503, "{}", refused.body);
        assert!(refused.body.contains("<h1"), "a page: {}", refused.body);
        world.clock.advance_seconds(30);
        begin(&world, asking(&world, "lost"));
        world.clock.advance_seconds(30);
        let lost = olga
            .get(&world.url("/admin/federation/asked?id=lost"))
            .await;
        assert_eq!(lost.status, 200);
        assert!(lost.header("refresh").is_empty());
        assert!(
            lost.text().contains("è stata interrotta"),
            "{}",
            lost.text()
        );
        // The form is there to ask again.
        let begun = olga.submit(&lost, &lost.form("/admin/federation")).await;
        let asked = finished(&world, &mut olga, &begun).await;
        assert!(asked.body.contains("notice-success"), "{}", asked.text());
        // Something else that is kept there is no answer, and takes the page with it no more than a fault does.
        begin(&world, asking(&world, "odd"));
        let (store, now) = (&world.app.shared.store, world.app.shared.clock.now());
        store
            .write_blocking(move |tx| varco::store::rp_check::finish(tx, "odd", "{}", now))
            .unwrap();
        let odd = olga.get(&world.url("/admin/federation/asked?id=odd")).await;
        assert!(odd.text().contains("per un guasto"), "{}", odd.text());
    }
}
