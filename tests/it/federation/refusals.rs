//! The last refusals of each RP: who was refused finds out later, from the reference, and nobody pushes that out.

use crate::harness::{Host, World};
use std::net::{IpAddr, Ipv4Addr};
use varco::cli::{self, Console, Hooks};
use varco::config::Environment;
use varco::demo::LoginOptions;
use varco::endpoint::{self, Inbound, Method};
use varco::model::{ClientId, Params, Refusal};
use varco::oauth::token::TokenEndpoint;

const FLOODER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const DEVELOPER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));

impl World {
    /// `varco …` beside the running server: status, standard output, standard error.
    pub fn varco(&self, arguments: &[&str]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let config = self.folder.path().join("varco.toml");
        let words = ["varco", "--config", config.to_str().unwrap()];
        let words = words.iter().chain(arguments).map(|word| (*word).into());
        let hooks = Hooks {
            serve: |_| unreachable!(),
            demo: |_| unreachable!(),
            demo_ta: |_, _| unreachable!(),
        };
        let mut console = Console {
            out: &mut out,
            err: &mut err,
            input: &mut std::io::empty(),
            ask_secret: |_| unreachable!(),
            environment: Environment::default(),
            clock: &*self.clock,
        };
        let status = cli::run_with(words, hooks, &mut console);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (status, text(out), text(err))
    }

    /// A token request without client authentication; it goes through the endpoint, not through the network.
    async fn refused(&self, profile: &str, address: IpAddr, client_id: &str, reference: &str) {
        let form = format!("grant_type=authorization_code&client_id={client_id}");
        let inbound = Inbound {
            method: Method::Post,
            query: Params::parse(b""),
            repeatable: Vec::new(),
            form: Params::parse(form.as_bytes()),
            posted: None,
            upload: None,
            authorization: None,
            cookies: Vec::new(),
            wants_json: false,
            accept_language: None,
            user_agent: String::new(),
            address,
            client_certificate: None,
            request_id: reference.to_owned(),
        };
        let op = self.provider(profile).clone();
        let reply = endpoint::run::<TokenEndpoint>(op, inbound).await;
        assert_eq!(reply.status, 401, "{reply:?}");
    }

    async fn last(&self, profile: &str, client_id: &str) -> Vec<Refusal> {
        let op = self.provider(profile);
        let found = op.last_refusals(&ClientId::new(client_id)).await;
        found.unwrap()
    }

    async fn references(&self, profile: &str, client_id: &str) -> Vec<String> {
        let last = self.last(profile, client_id).await.into_iter();
        last.map(|refusal| refusal.reference).collect()
    }
}

#[actix_web::test]
async fn the_reference_on_the_error_page_leads_to_the_refusal() {
    // SPID/CIE FE-6
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    let issuer = world.issuer("spid").await;
    let prepared = world.request_of(&rp, &issuer, &LoginOptions::default());
    let mut browser = world.browser();
    let refused = browser.get(&prepared.url).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    let reference = refused.header("x-request-id").to_owned();
    let link = refused.links("/spid/check?reference=").remove(0);
    assert!(link.ends_with(&reference), "{link}");

    let page = browser.get(&format!("{link}&lang=en")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let text = page.text();
    for part in [
        &*format!("The refusal with reference {reference}"),
        "at the authorization endpoint",
        "HTTP status 404",
        "Last refusals of this relying party",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The form is for this RP already.
    let filled_in = format!("value=\"{}\"", rp.entity_id());
    assert!(
        page.body.replace("&#x2F;", "/").contains(&filled_in),
        "{}",
        page.body
    );
    let form = page
        .form("/check")
        .with("rp", rp.entity_id())
        .with("fresh", "1");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let checked = browser.submit(&page, &form).await.text();
    assert!(checked.contains("is accepted"), "{checked}");
    assert!(checked.contains(&reference), "{checked}");

    let id = world.url("/spid/");
    let (status, out, err) =
        world.varco(&["rp", "check", "--issuer", &id, "--reference", &reference]);
    assert_eq!(status, 0, "{err}");
    for part in [reference.as_str(), rp.entity_id(), "HTTP status 404"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    // At its issuer only.
    let elsewhere = format!("{}?reference={reference}&lang=en", world.url("/cie/check"));
    let elsewhere = browser.get(&elsewhere).await.text();
    assert!(
        elsewhere.contains("No refusal with this reference"),
        "{elsewhere}"
    );
    let id = world.url("/cie/");
    let (status, _, err) =
        world.varco(&["rp", "check", "--issuer", &id, "--reference", &reference]);
    assert_eq!(status, 1);
    assert!(err.contains("keeps no refusal with reference"), "{err}");
}

#[actix_web::test]
async fn every_endpoint_names_the_rp_and_nothing_that_could_be_used_again() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let rp = world.rp();
    let metadata = &issuer.metadata;
    let tokens = world.offline_login(rp, &issuer).await;
    let access_token = tokens.answer.access_token.clone();
    world.revoke(rp, &issuer, &access_token).await;
    let mut references = Vec::new();

    let options = LoginOptions::default().without_claim("nonce");
    let login = world.request(&issuer, &options);
    let told = world.browser().get(&login.url).await;
    assert!(told.location().is_some(), "{}", told.body);
    references.push(told.header("x-request-id").to_owned());

    let (prepared, code) = world.code(rp, &issuer, &LoginOptions::default()).await;
    let fields = rp.token_request(metadata, &prepared, &code).unwrap();
    let first = world.post(&metadata.token_endpoint, &fields).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let asked = rp.introspection_request(metadata, "").unwrap();
    let revoked = rp.revocation_request(metadata, "").unwrap();
    for (endpoint, form) in [
        (&metadata.token_endpoint, &fields),
        (&metadata.introspection_endpoint, &asked),
        (&metadata.revocation_endpoint, &revoked),
    ] {
        let refused = world.post(endpoint, form).await;
        assert!(refused.status >= 400, "{endpoint}: {}", refused.body);
        references.push(refused.header("x-request-id").to_owned());
    }
    let refused = world.userinfo(&issuer, &access_token).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    references.push(refused.header("x-request-id").to_owned());

    let kept = world.last("cie", rp.entity_id()).await;
    let found: Vec<&str> = kept.iter().rev().map(|one| &*one.reference).collect();
    assert_eq!(found, references);
    let endpoints: Vec<&str> = kept.iter().rev().map(Refusal::endpoint).collect();
    let expected = [
        "authorization",
        "token",
        "introspection",
        "revocation",
        "userinfo",
    ];
    assert_eq!(endpoints, expected);
    let all = format!("{kept:?}");
    let sent = [&fields, &asked, &revoked].into_iter().flatten();
    let assertions = sent.filter(|(name, _)| name == "client_assertion");
    let assertions = assertions.map(|(_, value)| value.as_str());
    let secrets = [
        &*login.state,
        &*login.nonce,
        &*login.request_object,
        &*prepared.code_verifier,
        &*code,
        &*access_token,
    ];
    for secret in secrets.into_iter().chain(assertions) {
        let parts = secret.split('.').filter(|part| part.len() > 8);
        for part in parts {
            assert!(!all.contains(part), "{part}: {all}");
        }
    }
}

#[actix_web::test]
async fn made_up_names_push_out_nobody_and_a_known_rp_keeps_its_last_twenty() {
    let world = World::start();
    let known = world.rp().entity_id().to_owned();
    let issuer = world.issuer("spid").await;
    world
        .code(world.rp(), &issuer, &LoginOptions::default())
        .await;
    let made_up = |n: usize| format!("https://made-up-{n}.example/");
    for n in 0..5_000 {
        if n == 2_500 {
            world
                .refused("spid", DEVELOPER, "https://honest.example/", "honest")
                .await;
        }
        if n % 200 == 0 {
            let reference = format!("known {}", n / 200);
            world.refused("spid", DEVELOPER, &known, &reference).await;
        }
        world
            .refused("spid", FLOODER, &made_up(n), &format!("made up {n}"))
            .await;
    }
    let honest = world.references("spid", "https://honest.example/").await;
    assert_eq!(honest, ["honest"]);
    let last: Vec<String> = (5..25).rev().map(|n: i32| format!("known {n}")).collect();
    assert_eq!(world.references("spid", &known).await, last);
    let mut of_flood = 0;
    for n in 0..5_000 {
        of_flood += world.references("spid", &made_up(n)).await.len();
    }
    assert_eq!(of_flood, 20, "a source has so many a minute");
    world.clock.advance_seconds(60);
    world
        .refused("spid", FLOODER, &made_up(0), "a minute later")
        .await;
    assert_eq!(world.references("spid", &made_up(0)).await.len(), 2);
}

#[actix_web::test]
async fn a_name_that_is_nobodys_is_not_kept() {
    let world = World::start();
    let long = format!("https://{}.example/", "x".repeat(2_048));
    for (client_id, reference) in [("", "empty"), (&*long, "long"), ("%00", "odd")] {
        world.refused("spid", DEVELOPER, client_id, reference).await;
        let kept = world.provider("spid").find_refusal(reference).await;
        assert_eq!(kept.unwrap(), None, "{reference}");
    }
}
