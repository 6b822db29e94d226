use super::*;
use crate::ui::Pages;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::{App, test};

struct Got {
    status: StatusCode,
    location: String,
    cookie: Option<String>,
    policy: String,
    kind: String,
    body: String,
}

async fn got(response: ServiceResponse<impl MessageBody>) -> Got {
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    };
    let set_cookie = header("set-cookie");
    Got {
        status: response.status(),
        location: header("location"),
        cookie: set_cookie
            .split(';')
            .next()
            .filter(|c| !c.is_empty())
            .map(str::to_owned),
        policy: header("content-security-policy"),
        kind: header("content-type"),
        body: String::from_utf8(test::read_body(response).await.to_vec()).unwrap(),
    }
}

/// Sends one request to the routes: method, address, cookie, host, body.
macro_rules! send {
    ($world:expr, $method:ident $address:expr $(, cookie $cookie:expr)? $(, host $host:expr)? $(, form $form:expr)?) => {{
        let pages = Arc::new(Pages::new(None).unwrap());
        let federation = Arc::clone(&$world.federation);
        let app = test::init_service(App::new().configure(|config| routes(config, federation, pages))).await;
        let request = test::TestRequest::$method().uri($address);
        $(let request = request.insert_header(("cookie", $cookie));)?
        $(let request = request.insert_header(("host", $host));)?
        $(let request = request
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload($form.to_owned());)?
        got(test::call_service(&app, request.to_request()).await).await
    }};
}

const FORM: &str = "provider=spid&level=2&attribute=given_name&attribute=evil&response_mode=query&offline_access=1";

struct Begun {
    cookie: String,
    state: String,
    request: Map<String, Value>,
}

fn begun(login: &Got, world: &World) -> Begun {
    assert_eq!(login.status, StatusCode::SEE_OTHER, "{}", login.body);
    let url = url::Url::parse(&login.location).unwrap();
    let request = url
        .query_pairs()
        .find(|(name, _)| name == "request")
        .unwrap()
        .1;
    let request = relying_party::unverified_claims(&request).unwrap();
    let text = |name: &str| request[name].as_str().unwrap().to_owned();
    *world.provider.nonce.lock().unwrap() = text("nonce");
    Begun {
        cookie: login.cookie.clone().unwrap(),
        state: text("state"),
        request,
    }
}

fn answer(world: &World, state: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("code", "the-code")
        .append_pair("state", state)
        .append_pair("iss", &world.provider.issuer)
        .finish()
}

#[actix_web::test]
async fn a_login_shows_the_claims_and_what_each_step_said() {
    let world = world();
    let login = send!(world, post "/rp/login", form FORM);
    let begun = begun(&login, &world);
    assert!(
        login
            .location
            .starts_with(&format!("{BASE}/spid/authorization?"))
    );
    assert_eq!(
        begun.request["claims"],
        json!({"userinfo": {"given_name": null}})
    );
    assert_eq!(begun.request["scope"], "openid offline_access");
    assert_eq!(begun.request["prompt"], "consent");

    let callback = format!("/rp/callback?{}", answer(&world, &begun.state));
    let back = send!(world, get & callback, cookie begun.cookie.as_str());
    assert_eq!(back.status, StatusCode::SEE_OTHER);
    let result = send!(world, get & back.location, cookie begun.cookie.as_str());
    assert_eq!(result.status, StatusCode::OK);
    assert!(result.body.contains("RSSDAA85T50H501C"), "{}", result.body);
    assert!(!result.body.contains("role=\"alert\""), "{}", result.body);
    assert!(
        result
            .body
            .contains("POST http://127.0.0.1:8000/spid/token: HTTP 200")
    );
    let sent = world.provider.sent_to("token");
    assert!(sent[0].contains(&("code".to_owned(), "the-code".to_owned())));

    let again = send!(world, get & back.location, cookie begun.cookie.as_str());
    assert!(again.body.contains("RSSDAA85T50H501C"));
    assert_eq!(
        world.provider.sent_to("token").len(),
        1,
        "a reload redeems nothing"
    );
}

#[actix_web::test]
async fn an_answer_by_a_form_of_another_site_comes_without_the_cookie_and_works() {
    let world = world();
    let login = send!(world, post "/rp/login", form "provider=spid&response_mode=form_post");
    let begun = begun(&login, &world);
    assert_eq!(begun.request["response_mode"], "form_post");
    let back = send!(world, post "/rp/callback", form answer(&world, &begun.state));
    assert_eq!(back.status, StatusCode::SEE_OTHER);
    let result = send!(world, get & back.location, cookie begun.cookie.as_str());
    assert!(result.body.contains("RSSDAA85T50H501C"));
}

#[actix_web::test]
async fn another_browser_gets_neither_the_result_nor_the_buttons() {
    let world = world();
    let begun = begun(&send!(world, post "/rp/login", form FORM), &world);
    send!(world, post "/rp/callback", form answer(&world, &begun.state));
    let address = format!("/rp/result?state={}", begun.state);
    let other = format!("varco-demo-rp={}", random_cookie());
    assert_eq!(send!(world, get & address).status, StatusCode::FORBIDDEN);
    let stranger = send!(world, get & address, cookie other.as_str());
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    assert!(world.provider.sent_to("token").is_empty());
    let form = format!("state={}", begun.state);
    let action = send!(world, post "/rp/action/revoke-access", cookie other.as_str(), form form);
    assert_eq!(action.status, StatusCode::FORBIDDEN);
    let elsewhere = format!("/rp-aggregated/result?state={}", begun.state);
    let elsewhere = send!(world, get & elsewhere, cookie begun.cookie.as_str());
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
}

fn random_cookie() -> String {
    crate::random::token()
}

#[actix_web::test]
async fn what_fails_is_shown_plainly() {
    let world = world();
    let begun_login = begun(&send!(world, post "/rp/login", form FORM), &world);
    let callback = format!(
        "/rp/callback?error=access_denied&error_description=%3Cscript%3Ex&iss={}&state={}",
        world.provider.issuer, begun_login.state
    );
    let back = send!(world, get & callback, cookie begun_login.cookie.as_str());
    let result = send!(world, get & back.location, cookie begun_login.cookie.as_str());
    assert!(result.body.contains("access_denied"));
    assert!(!result.body.contains("<script>x"));

    let low = json!({"acr": policy::LEVELS[0]});
    *world.provider.id_token_changes.lock().unwrap() = low.as_object().unwrap().clone();
    let again = begun(&send!(world, post "/rp/login", form FORM), &world);
    let back = send!(world, post "/rp/callback", form answer(&world, &again.state));
    let result = send!(world, get & back.location, cookie again.cookie.as_str());
    assert!(result.body.contains("id_token: acr is"), "{}", result.body);

    let unknown = send!(world, get "/rp/callback?code=c&state=unknown");
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert!(unknown.body.contains("unknown_state"));
    let nobody = send!(world, post "/rp/login", form "provider=evil");
    assert_eq!(nobody.status, StatusCode::BAD_REQUEST);

    *world.provider.refusal.lock().unwrap() =
        Some((503, json!({"error": "temporarily_unavailable"})));
    let unreachable = send!(world, post "/rp/login", form FORM);
    assert_eq!(unreachable.status, StatusCode::BAD_GATEWAY);
    assert!(unreachable.body.contains("temporarily_unavailable"));
}

#[actix_web::test]
async fn the_buttons_after_a_login_ask_the_provider_and_show_its_answers() {
    let world = world();
    let begun = begun(&send!(world, post "/rp/login", form FORM), &world);
    let back = send!(world, post "/rp/callback", form answer(&world, &begun.state));
    let cookie = begun.cookie.as_str();
    send!(world, get & back.location, cookie cookie);
    let form = format!("state={}", begun.state);
    for (action, endpoint) in [
        ("introspect", "introspection"),
        ("refresh", "token"),
        ("revoke-refresh", "revocation"),
        ("revoke-access", "revocation"),
        ("userinfo", ""),
    ] {
        let address = format!("/rp/action/{action}");
        let before = world.provider.sent_to(endpoint).len();
        let done = send!(world, post & address, cookie cookie, form form);
        assert_eq!(done.location, format!("{}#last", back.location), "{action}");
        if !endpoint.is_empty() {
            assert_eq!(
                world.provider.sent_to(endpoint).len(),
                before + 1,
                "{action}"
            );
        }
    }
    *world.provider.refusal.lock().unwrap() = Some((
        401,
        json!({"error": "invalid_token", "error_description": "the token is revoked"}),
    ));
    send!(world, post "/rp/action/userinfo", cookie cookie, form form);
    let result = send!(world, get & back.location, cookie cookie);
    assert!(
        result.body.contains("the token is revoked"),
        "{}",
        result.body
    );
    assert!(result.body.contains("HTTP 401"));
    send!(world, post "/rp/action/logout", cookie cookie, form form);
    let result = send!(world, get & back.location, cookie cookie);
    assert!(!result.body.contains("action/introspect"));
    let nothing = send!(world, post "/rp/action/dance", cookie cookie, form form);
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn the_address_under_which_the_page_was_opened_decides_where_the_answer_goes() {
    let world = world();
    for (host, expected) in [
        ("localhost:8000", "http://localhost:8000/rp/callback"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000/rp/callback"),
        ("evil.example", "http://127.0.0.1:8000/rp/callback"),
    ] {
        let login = send!(world, post "/rp/login", host host, form FORM);
        assert_eq!(begun(&login, &world).request["redirect_uri"], expected);
    }
}

#[actix_web::test]
async fn the_request_can_also_be_posted() {
    // SPID/CIE AZ-1
    let world = world();
    let login = send!(world, post "/rp/login", form "provider=spid&request_method=post");
    assert_eq!(login.status, StatusCode::OK);
    assert!(
        login
            .body
            .contains("action=\"http://127.0.0.1:8000/spid/authorization\"")
            || login.body.contains("spid&#x2F;authorization"),
        "{}",
        login.body
    );
    assert!(login.body.contains("name=\"request\""));
    assert!(
        login
            .policy
            .contains("form-action 'self' http://127.0.0.1:8000")
    );
}

#[actix_web::test]
async fn every_page_and_document_is_served_in_its_form() {
    let world = world();
    for lang in ["it", "en", "de"] {
        for page in ["/", "/rp/", "/rp-aggregated/"] {
            let address = format!("{page}?lang={lang}");
            let page = send!(world, get & address);
            assert_eq!(page.status, StatusCode::OK, "{address}");
            assert!(page.body.contains(&format!("lang=\"{lang}\"")), "{address}");
            assert!(page.body.contains("ada-demo"));
            assert!(!page.policy.contains("unsafe-inline"));
        }
    }
    for entity in ["ta", "sa", "rp", "rp-aggregated"] {
        let address = format!("/{entity}/.well-known/openid-federation");
        let document = send!(world, get & address);
        assert_eq!(document.kind, "application/entity-statement+jwt");
        let claims = relying_party::unverified_claims(&document.body).unwrap();
        assert_eq!(claims["sub"], format!("{BASE}/{entity}/"));
    }
    assert_eq!(send!(world, get "/rp").location, "/rp/");
    assert_eq!(send!(world, get "/rp/logo.svg").kind, "image/svg+xml");
    assert_eq!(send!(world, get "/rp/policy").status, StatusCode::OK);
}

#[actix_web::test]
async fn the_anchor_answers_fetch_list_and_trust_mark_status() {
    let world = world();
    let fetched = send!(world, get "/ta/fetch?sub=http://127.0.0.1:8000/rp/");
    assert_eq!(fetched.kind, "application/entity-statement+jwt");
    let unknown = send!(world, get "/ta/fetch?sub=https://x/");
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.body.contains("not_found"));
    let foreign = send!(world, get "/ta/fetch?sub=http://127.0.0.1:8000/rp/&iss=https://x/");
    assert_eq!(foreign.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        send!(world, get "/sa/list").body,
        r#"["http://127.0.0.1:8000/rp-aggregated/"]"#
    );
    assert_eq!(
        send!(world, get "/rp/fetch?sub=x").status,
        StatusCode::NOT_FOUND
    );

    let anchor = world.federation.trust_anchor();
    let mark_type = world.federation.relying_party_mark_type();
    let mark = anchor
        .trust_mark(&mark_type, "https://rp.example.it/", "RP")
        .unwrap();
    let form = format!("trust_mark={mark}");
    let status = send!(world, post "/ta/trust_mark_status", form form);
    assert_eq!(status.kind, "application/trust-mark-status-response+jwt");
    let form = format!("sub=https://rp.example.it/&trust_mark_id={mark_type}");
    let older = send!(world, post "/ta/trust_mark_status", form form);
    assert_eq!(older.body, r#"{"active":true}"#);
    let nothing = send!(world, post "/ta/trust_mark_status", form "");
    assert_eq!(nothing.status, StatusCode::BAD_REQUEST);
}
