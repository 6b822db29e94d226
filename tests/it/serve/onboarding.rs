//! `varco demo ta add`: entities of a developer's machine join the demonstration that runs in another terminal.

use super::process::{Said, Server, own_address, varco, write};
use crate::harness::{Browser, Host, claims_of};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use varco::clock::SystemClock;
use varco::demo::relying_party::{AuthorizationAnswer, TokenAnswer};
use varco::demo::{DemoKeys, LoginOptions, ProviderMetadata, RelyingParty, credentials};

/// A demonstration as a process, with its data folder.
struct Demo {
    folder: tempfile::TempDir,
    address: String,
    server: Server,
}

impl Demo {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = own_address();
        let server = Server::demo(folder.path(), &address);
        Self {
            folder,
            address,
            server,
        }
    }

    fn restart(self) -> Self {
        self.server.signal("TERM");
        assert_eq!(self.server.ended().0, Some(0));
        let server = Server::demo(self.folder.path(), &self.address);
        Self { server, ..self }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `varco demo ta …` in another terminal.
    fn ta(&self, arguments: &[&str]) -> Said {
        let folder = self.folder.path();
        let data = ["demo", "--data", folder.to_str().unwrap(), "ta"];
        varco(folder, &[&data[..], arguments].concat())
    }

    fn ta_json(&self, arguments: &[&str]) -> Value {
        let said = self.ta(&[&["--json"], arguments].concat()).done();
        serde_json::from_str(&said).unwrap()
    }

    /// A relying party of the developer, published.
    fn relying_party(&self, host: &Host, superior: &str) -> RelyingParty {
        let keys = DemoKeys::generate_fast().unwrap().relying_party;
        let names = ["Wolf", "Wolf"];
        let rp = RelyingParty::new(&host.url("/rp/"), names, keys, Arc::new(SystemClock))
            .with_redirect_uris(vec![host.url("/rp/callback")])
            .with_superior(&self.url(superior));
        host.publish("/rp/", &rp.entity_configuration().unwrap());
        rp
    }

    async fn listed(&self, superior: &str) -> Vec<String> {
        let answer = Browser::new()
            .get(&self.url(&format!("/{superior}/list")))
            .await;
        serde_json::from_value(answer.json()).unwrap()
    }

    /// A whole login of the first person; the tokens.
    async fn login(&self, rp: &RelyingParty, issuer: &str) -> TokenAnswer {
        let issuer = self.url(issuer);
        let mut browser = Browser::new();
        let metadata = format!("{issuer}.well-known/openid-configuration");
        let metadata = browser.get(&metadata).await.json();
        let provider = ProviderMetadata::from_json(metadata.as_object().unwrap()).unwrap();
        let prepared = rp.authorization_request(&provider, &LoginOptions::default());
        let prepared = prepared.unwrap();
        let answer = browser.get(&prepared.url).await;
        let page = browser.follow(answer, &issuer).await;
        let (username, password) = credentials()[0];
        let form = page.form("/login").with("username", username);
        let answer = browser
            .submit(&page, &form.with("password", password))
            .await;
        let consent = browser.follow(answer, &issuer).await;
        let form = consent.form("/consent").with("decision", "allow");
        let answer = browser.submit(&consent, &form).await;
        let answer = AuthorizationAnswer::parse_address(&answer.location().unwrap());
        let form = rp.token_request(&provider, &prepared, answer.code(&prepared).unwrap());
        let tokens = browser.post(&provider.token_endpoint, &form.unwrap()).await;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        TokenAnswer::parse(tokens.body.as_bytes()).unwrap()
    }
}

/// The relying party with the mark that it got, published.
fn with_mark(host: &Host, rp: RelyingParty, joined: &Value, mark: &str) -> RelyingParty {
    let mark_type = joined["trust_mark_type"].as_str().unwrap().to_owned();
    let rp = rp.with_trust_marks(vec![(mark_type, mark.to_owned())]);
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    rp
}

#[actix_web::test]
async fn a_relying_party_joins_in_one_command_and_logs_people_in_also_after_a_restart() {
    let demo = Demo::start();
    let host = Host::start();
    let rp = demo.relying_party(&host, "/ta/");
    let id = rp.entity_id().to_owned();

    let said = demo.ta(&["add", &id]).done();
    for words in [
        "joined as a relying party (openid_relying_party), below",
        "[done]  add to authority_hints",
        "[to do] put this trust mark into trust_marks",
        &format!("{}: no: ", demo.url("/spid/")),
        "trust_marks has none of",
        &format!("rp check {id} --issuer {}", demo.url("/spid/")),
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    // It may also fetch its mark by itself.
    let joined = demo.ta_json(&["add", &id]);
    let address = joined["trust_mark_address"].as_str().unwrap();
    let mark = Browser::new().get(address).await;
    assert_eq!(mark.header("content-type"), "application/trust-mark+jwt");
    assert_eq!(mark.body, joined["trust_mark"]);
    let rp = with_mark(&host, rp, &joined, &mark.body);
    let said = demo.ta(&["add", &id]).done();
    for words in [
        "was looked at again",
        "[done]  put this trust mark into trust_marks",
        &format!("{}: yes", demo.url("/spid/")),
        &format!("{}: yes", demo.url("/cie/")),
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    assert!(!said.contains("rp check"), "{said}");
    for issuer in ["/spid/", "/cie/"] {
        demo.login(&rp, issuer).await;
    }

    let demo = demo.restart();
    assert!(demo.listed("ta").await.contains(&id));
    assert!(demo.ta(&["list"]).done().contains(&id));
    let again = demo.ta_json(&["add", &id]);
    assert_eq!(
        again["shows_mark"], true,
        "the mark of the first run still counts"
    );
    demo.login(&rp, "/cie/").await;

    // New keys, and another superior and kind of mark.
    let keys = DemoKeys::generate_fast().unwrap().aggregated_relying_party;
    let rp = RelyingParty::new(&id, ["Wolf", "Wolf"], keys, Arc::new(SystemClock))
        .with_redirect_uris(vec![host.url("/rp/callback")])
        .with_superior(&demo.url("/sa/"));
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let moved = demo.ta_json(&["add", &id, "--below", "sa", "--private"]);
    assert_eq!(moved["superior"], demo.url("/sa/"));
    let mark_type = moved["trust_mark_type"].as_str().unwrap();
    assert!(
        mark_type.ends_with("/openid_relying_party/private/"),
        "{mark_type}"
    );
    assert!(!demo.listed("ta").await.contains(&id));
    let mark = moved["trust_mark"].as_str().unwrap();
    assert_eq!(claims_of(mark)["organization_type"], "private");
    let rp = with_mark(&host, rp, &moved, mark);
    let moved = demo.ta_json(&["add", &id, "--below", "sa", "--private"]);
    for judgement in moved["judgements"].as_array().unwrap() {
        assert_eq!(judgement["refusal"], Value::Null, "{moved:#}");
    }
    demo.login(&rp, "/spid/").await;

    demo.ta(&["remove", &id]).done();
    assert!(!demo.listed("sa").await.contains(&id));
    assert!(demo.ta(&["list"]).done().contains("nobody has joined"));
    let demo = demo.restart();
    assert!(!demo.listed("sa").await.contains(&id));
    let fields = [("trust_mark".to_owned(), mark.to_owned())];
    let status = Browser::new()
        .post(&demo.url("/ta/trust_mark_status"), &fields)
        .await;
    assert_eq!(
        status.status, 404,
        "nobody has such a mark: {}",
        status.body
    );
}

#[actix_web::test]
async fn another_varco_joins_as_a_provider() {
    let demo = Demo::start();
    let anchor = demo.url("/ta/");
    let own = format!("{anchor}.well-known/openid-federation");
    let own = claims_of(&Browser::new().get(&own).await.body);
    let folder = tempfile::tempdir().unwrap();
    let address = own_address();
    let issuer = format!("http://{address}/spid/");
    let text = format!(
        "listen = \"{address}\"\ndevelopment = true\n[[issuer]]\nid = \"{issuer}\"\nfederation_signing_alg = \"ES256\"\n\
         authority_hints = [\"{anchor}\"]\n[[issuer.trust_anchor]]\nid = \"{anchor}\"\njwks = '{}'\n",
        own["jwks"]
    );
    write(folder.path(), "varco.toml", &text);
    let _provider = Server::start(folder.path());
    let said = demo.ta(&["add", &issuer]).done();
    for words in [
        "joined as a provider (openid_provider)",
        "[done]  add to authority_hints",
        &format!("the trust anchor {anchor} with the keys"),
        &format!("{anchor}: yes"),
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("sub", &issuer)
        .append_pair("trust_anchor", &anchor)
        .finish();
    let resolved = Browser::new()
        .get(&format!("{anchor}resolve?{query}"))
        .await;
    assert_eq!(resolved.status, 200, "{}", resolved.body);
    let metadata = claims_of(&resolved.body)["metadata"]["openid_provider"].clone();
    assert_eq!(metadata["issuer"], issuer);
}

#[actix_web::test]
async fn orders_need_the_token_of_this_run_which_no_web_page_has() {
    let demo = Demo::start();
    let host = Host::start();
    let id = demo.relying_party(&host, "/ta/").entity_id().to_owned();
    let file = demo.folder.path().join("onboarding.json");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let read = || -> Value { serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap() };
    let token = read()["token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 43);
    let url = demo.url("/ta/members");
    let order =
        json!({"order": "add", "entity_id": id, "below": "ta", "private": false}).to_string();
    let form = "application/x-www-form-urlencoded";
    for (content_type, authorization) in [
        ("application/json", None),
        ("application/json", Some("Bearer ".to_owned())),
        ("application/json", Some("Bearer x".to_owned())),
        ("application/json", Some(format!("Bearer {token}x"))),
        ("application/json", Some(format!("Basic {token}"))),
        // What a form of another site can send.
        (form, None),
        ("text/plain", None),
    ] {
        let mut browser = Browser::new();
        browser
            .headers
            .push(("origin", "https://evil.example".to_owned()));
        if let Some(value) = authorization {
            browser.headers.push(("authorization", value));
        }
        let answer = browser.post_text(&url, content_type, order.clone()).await;
        assert_eq!(answer.status, 403, "{content_type} {}", answer.body);
        assert_eq!(answer.error(), "access_denied");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    let with_token = format!("order=add&entity_id={id}&below=ta&private=false&token={token}");
    let answer = Browser::new().post_text(&url, form, with_token).await;
    assert_eq!(answer.status, 403);
    assert!(!demo.listed("ta").await.contains(&id));
    assert!(host.requests().is_empty(), "nothing was fetched either");
    assert_eq!(Browser::new().get(&url).await.status, 405);

    let mut browser = Browser::new();
    browser
        .headers
        .push(("authorization", format!("Bearer {token}")));
    for wrong in [
        "",
        "[]",
        "{\"order\": \"burn\"}",
        "{\"order\": \"list\", \"x\": 1",
    ] {
        let answer = browser
            .post_text(&url, "application/json", wrong.to_owned())
            .await;
        assert_eq!(
            (answer.status, answer.error()),
            (400, "invalid_request".to_owned()),
            "{wrong}"
        );
    }
    let demo = demo.restart();
    let answer = browser.post_text(&url, "application/json", order).await;
    assert_eq!(answer.status, 403, "a token is of one run");
    assert_ne!(read()["token"], token);
    demo.ta(&["add", &id]).done();
}

#[actix_web::test]
async fn what_keeps_an_entity_out_is_said_with_what_to_do() {
    let demo = Demo::start();
    let host = Host::start();
    let rp = demo.relying_party(&host, "/ta/");
    let own = rp.entity_configuration().unwrap();
    host.fail("/down/.well-known/openid-federation", 500);
    host.publish("/page/", "<!DOCTYPE html>");
    host.publish("/other/", &own);
    let signature = own.rfind('.').unwrap() + 1;
    let forged = format!("{}{}", &own[..signature], "A".repeat(own.len() - signature));
    host.publish("/rp/", &forged);
    let with_metadata = |path: &str, metadata: Value| {
        let keys = rp.keys().clone();
        let entity = RelyingParty::new(&host.url(path), ["x", "x"], keys, Arc::new(SystemClock));
        let entity = entity.with_statement_claim("metadata", metadata);
        host.publish(path, &entity.entity_configuration().unwrap());
    };
    with_metadata("/none/", json!({"oauth_client": {}}));
    with_metadata(
        "/both/",
        json!({"openid_relying_party": {}, "openid_provider": {}}),
    );
    with_metadata("/op/", json!({"openid_provider": {}}));
    with_metadata(
        "/int/",
        json!({"federation_entity": {"federation_fetch_endpoint": "http://127.0.0.1/f"}}),
    );
    let nobody = format!("http://{}/", own_address());
    let hint = format!("varco demo ta add {}", host.url("/rp/"));
    for (id, more, says, remedy) in [
        (nobody, &[][..], "could not be fetched", "Start the entity"),
        (
            host.url("/nothing/"),
            &[],
            "HTTP status 404",
            "Start the entity",
        ),
        (
            host.url("/down/"),
            &[],
            "HTTP status 500",
            "Start the entity",
        ),
        (
            host.url("/page/"),
            &[],
            "is not an entity configuration",
            "signed JWT",
        ),
        (host.url("/other/"), &[], "compared byte for byte", &hint),
        (host.url("/rp"), &[], "compared byte for byte", &hint),
        (
            host.url("/rp/"),
            &[],
            "the signature does not match",
            "its own claim jwks (header kid",
        ),
        (
            host.url("/none/"),
            &[],
            "names oauth_client",
            "openid_relying_party, openid_provider",
        ),
        (
            host.url("/both/"),
            &[],
            "openid_relying_party and openid_provider",
            "two entities",
        ),
        (
            host.url("/op/"),
            &["--below", "sa"],
            "relying parties only",
            "leave out `--below sa`",
        ),
        (
            host.url("/int/"),
            &["--private"],
            "is for relying parties",
            "leave it out",
        ),
        (
            demo.url("/rp/"),
            &[],
            "belongs to the demonstration",
            "nothing to join",
        ),
    ] {
        let said = demo.ta(&[&["add", &id], more].concat());
        assert_eq!(said.status, 1, "{id} {}{}", said.out, said.err);
        for words in [says, remedy] {
            assert!(said.err.contains(words), "{id}: {words}\n{}", said.err);
        }
    }
    let said = demo.ta(&["remove", &host.url("/rp/")]);
    assert!(
        said.status == 1 && said.err.contains("has not joined"),
        "{}",
        said.err
    );
    let list = demo.ta_json(&["list"]);
    assert_eq!(list, json!({"members": []}), "nothing was changed");
    // An intermediate joins, although it cannot be resolved yet.
    let joined = demo.ta_json(&["add", &host.url("/int/")]);
    assert_eq!(joined["entity_type"], "federation_entity");
    assert_eq!(
        (&joined["names_superior"], &joined["shows_mark"]),
        (&json!(false), &json!(false))
    );

    demo.server.signal("TERM");
    let folder = demo.folder.path().to_owned();
    let (status, _) = demo.server.ended();
    assert_eq!(status, Some(0));
    let data = folder.to_str().unwrap();
    let said = varco(&folder, &["demo", "ta", "list", "--data", data]);
    let start = format!("start it in another terminal with `varco demo --data {data}`");
    assert!(
        said.status == 1 && said.err.contains(&start),
        "{}",
        said.err
    );
    let empty = tempfile::tempdir().unwrap();
    let data = empty.path().to_str().unwrap();
    let said = varco(empty.path(), &["demo", "ta", "list", "--data", data]);
    assert!(
        said.status == 1 && said.err.contains("no demonstration has run"),
        "{}",
        said.err
    );
}
