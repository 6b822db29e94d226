//! The plain OpenID Connect issuer, for clients that `varco rp register` makes.

use crate::harness::registered_client::{CALLBACK, Client, Pair, VERIFIER, basic};
use crate::harness::{World, claims_of, header_of, with_assertion};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use varco::jose::KeyUse;

/// OIDC Core §9, RFC 6749 §2.3.1: each method, and only the registered one.
#[actix_web::test]
async fn a_registered_client_logs_in_with_the_method_that_it_registered() {
    let world = World::start();
    let jwks = world
        .rp()
        .keys()
        .signing
        .public_jwk(KeyUse::Signature, None);
    let file = world.folder.path().join("client-jwks.json");
    std::fs::write(&file, json!({"keys": [jwks]}).to_string()).unwrap();
    let secret_basic = world.register("client_secret_basic", &[]);
    let secret_post = world.register("client_secret_post", &["--client-id", "posting"]);
    let public = world.register("none", &["--client-id", "public"]);
    // The client_id of its assertions is the demonstration RP's.
    let rp = world.rp();
    let signing = world.register(
        "private_key_jwt",
        &[
            "--client-id",
            rp.entity_id(),
            "--jwks-file",
            file.to_str().unwrap(),
        ],
    );
    for (registered, client) in [&secret_basic, &secret_post, &public, &signing]
        .into_iter()
        .enumerate()
    {
        let code = world.oidc_code(client, &[]).await;
        let right = basic(client, &client.secret);
        let wrong = basic(client, "wrong");
        let claims = world.assertion_claims(rp, &format!("{}token", world.oidc()));
        let assertion = rp.sign_protocol_token(&claims).unwrap();
        let assertion = with_assertion(rp, &assertion, &[]);
        let assertion: Vec<(&str, &str)> = assertion
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let id = ("client_id", client.id.as_str());
        // Wrong secrets and other methods first: none of them spends the code.
        let ways: [(&[Pair<'_>], Vec<Pair<'_>>); 4] = [
            (&[("authorization", &right)], vec![]),
            (&[], vec![id, ("client_secret", &client.secret)]),
            (&[], vec![id]),
            (&[], assertion),
        ];
        world
            .oidc_token(&[("authorization", &wrong)], &code, &[])
            .await
            .is_refused(401, "invalid_client", "");
        world
            .oidc_token(&[], &code, &[id, ("client_secret", "wrong")])
            .await
            .is_refused(401, "invalid_client", "");
        for (way, (headers, fields)) in ways.iter().enumerate() {
            // A client without secret sends none; an assertion speaks for its own client only.
            let impossible =
                way == 1 && client.secret.is_empty() || way == 3 && client.id != rp.entity_id();
            if way != registered && !impossible {
                world.oidc_token(headers, &code, fields).await.is_refused(
                    401,
                    "invalid_client",
                    "must authenticate with",
                );
            }
        }
        let (headers, fields) = &ways[registered];
        let answer = world.oidc_token(headers, &code, fields).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let answer = answer.granted();
        assert_eq!(answer.get("refresh_token"), None);
        let id_token = answer["id_token"].as_str().unwrap();
        let claims = world.oidc_verified(id_token, client).await;
        assert_eq!(claims["nonce"], "a nonce");
        assert!(claims["auth_time"].is_number(), "OIDC Core §2");
        assert_eq!(claims["amr"], json!(["pwd"]), "RFC 8176 §2");
        let access = answer["access_token"].as_str().unwrap();
        let digest = openssl::sha::sha256(access.as_bytes());
        assert_eq!(claims["at_hash"], BASE64URL_NOPAD.encode(&digest[..16]));
        let userinfo = world.oidc_userinfo(&answer["access_token"]).await;
        assert_eq!(userinfo.header("content-type"), "application/json");
        assert_eq!(
            userinfo.granted(),
            json!({"sub": claims["sub"]}),
            "only openid"
        );
    }
}

/// OIDC Core §5.3.2, §5.4, §5.5: plain JSON, as asked by scopes and claims.
#[actix_web::test]
async fn userinfo_is_plain_json_with_what_was_asked() {
    let world = World::start();
    let client = world.register("none", &[]);
    let claims = r#"{"userinfo":{"gender":null},"id_token":{"family_name":{"essential":true}}}"#;
    let code = world
        .oidc_code(&client, &[("scope", "openid email"), ("claims", claims)])
        .await;
    let answer = world
        .oidc_token(&[], &code, &[("client_id", &client.id)])
        .await
        .granted();
    let id_token = world
        .oidc_verified(answer["id_token"].as_str().unwrap(), &client)
        .await;
    assert_eq!(id_token["family_name"], "Rossi");
    assert_eq!(id_token.get("email"), None, "OIDC Core §5.4");
    let userinfo = world.oidc_userinfo(&answer["access_token"]).await.granted();
    assert_eq!(
        userinfo,
        json!({
            "sub": id_token["sub"],
            "email": "ada.rossi@example.it",
            "email_verified": true,
            "gender": "female",
        })
    );
}

/// OIDC Core §5.3.2: signed, with `iss` and `aud`, when the client registered an algorithm.
#[actix_web::test]
async fn userinfo_is_signed_for_a_client_that_registered_an_algorithm() {
    let world = World::start();
    for algorithm in ["RS256", "ES256", "PS384"] {
        let client = world.register("client_secret_post", &["--client-id", algorithm]);
        world.change_client(&client, move |metadata| {
            metadata.userinfo_signed_response_alg = Some(algorithm.to_owned());
            metadata.id_token_signed_response_alg = Some(algorithm.to_owned());
        });
        let code = world
            .oidc_code(&client, &[("scope", "openid profile")])
            .await;
        let credentials = [
            ("client_id", client.id.as_str()),
            ("client_secret", client.secret.as_str()),
        ];
        let answer = world.oidc_token(&[], &code, &credentials).await.granted();
        let id_token = answer["id_token"].as_str().unwrap();
        assert_eq!(header_of(id_token)["alg"], algorithm);
        let subject = world.oidc_verified(id_token, &client).await["sub"].clone();
        let userinfo = world.oidc_userinfo(&answer["access_token"]).await;
        assert_eq!(userinfo.header("content-type"), "application/jwt");
        assert_eq!(header_of(&userinfo.body)["alg"], algorithm);
        let claims = world.oidc_verified(&userinfo.body, &client).await;
        assert_eq!(claims["sub"], subject);
        assert_eq!(claims["given_name"], "Ada");
    }
}

/// Issue 2: refresh, introspection, revocation and everything of the federation are not offered there, nor advertised.
#[actix_web::test]
async fn what_is_not_offered_is_neither_there_nor_advertised() {
    let world = World::builder()
        .issuers(|settings| settings.trust_anchors.clear())
        .start();
    let client = world.register("client_secret_basic", &[]);
    let credentials = basic(&client, &client.secret);
    let headers = [
        ("authorization", credentials.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let token = format!("{}token", world.oidc());
    for grant in [
        "refresh_token&refresh_token=a.b.c",
        "client_credentials",
        "password",
        "implicit",
    ] {
        world
            .send("POST", &token, &headers, format!("grant_type={grant}"))
            .await
            .is_refused(400, "unsupported_grant_type", "grant_type");
    }
    for path in [
        "introspection",
        "revocation",
        "par",
        "registration",
        "resolve",
        "end_session",
        ".well-known/openid-federation",
        ".well-known/openid-federation-historical-jwks",
        "jwks.jose",
    ] {
        for method in ["GET", "POST"] {
            let url = format!("{}{path}", world.oidc());
            let answer = world.send(method, &url, &headers, "token=x").await;
            assert_eq!(answer.status, 404, "{method} {path}");
        }
    }
    let url = format!("{}.well-known/openid-configuration", world.oidc());
    let metadata = world.browser().get(&url).await.json();
    assert_eq!(metadata["issuer"], world.oidc());
    assert_eq!(
        metadata["grant_types_supported"],
        json!(["authorization_code"])
    );
    for absent in [
        "introspection_endpoint",
        "revocation_endpoint",
        "registration_endpoint",
        "pushed_authorization_request_endpoint",
        "end_session_endpoint",
        "federation_registration_endpoint",
        "client_registration_types_supported",
        "request_authentication_methods_supported",
    ] {
        assert_eq!(metadata.get(absent), None, "{absent}");
    }
    let scopes = metadata["scopes_supported"].as_array().unwrap();
    assert!(!scopes.contains(&json!("offline_access")));
    let methods = metadata["token_endpoint_auth_methods_supported"]
        .as_array()
        .unwrap();
    for method in [
        "client_secret_basic",
        "client_secret_post",
        "none",
        "private_key_jwt",
    ] {
        assert!(methods.contains(&json!(method)), "{method}");
    }
    // `offline_access` is no scope of this issuer.
    let refused = world
        .browser()
        .get(&world.authorization_url(&client, &[("scope", "openid offline_access")]))
        .await;
    assert_eq!(
        refused.redirected("error").as_deref(),
        Some("invalid_scope")
    );
}

/// OIDC Core §3.1.2.6: nothing is shown, the client is told.
#[actix_web::test]
async fn prompt_none_is_answered_without_a_page() {
    let world = World::start();
    let client = world.register("none", &[]);
    let url = world.authorization_url(&client, &[("prompt", "none")]);
    let answer = world.browser().get(&url).await;
    assert_eq!(
        answer.redirected("error").as_deref(),
        Some("login_required")
    );
    assert_eq!(answer.redirected("state").as_deref(), Some("a state"));
    assert_eq!(answer.redirected("iss"), Some(world.oidc()), "RFC 9207");
    assert!(answer.location().unwrap().starts_with(CALLBACK));
}

/// RFC 7636 §4.4.1, RFC 9700 §2.1.1: PKCE for every client; S256 only.
#[actix_web::test]
async fn pkce_is_required_and_compared() {
    let world = World::start();
    let client = world.register("none", &[]);
    for changes in [
        [("code_challenge", ""), ("code_challenge_method", "")],
        [("code_challenge_method", "plain"), ("nonce", "x")],
        [("code_challenge_method", ""), ("nonce", "x")],
    ] {
        let answer = world
            .browser()
            .get(&world.authorization_url(&client, &changes))
            .await;
        assert_eq!(
            answer.redirected("error").as_deref(),
            Some("invalid_request"),
            "{changes:?}"
        );
        let description = answer.redirected("error_description").unwrap();
        assert!(description.contains("code_challenge"), "{description}");
    }
    let code = world
        .oidc_code(&client, &[("code_challenge", &"x".repeat(43))])
        .await;
    let id = [("client_id", client.id.as_str())];
    world
        .oidc_token(&[], &code, &id)
        .await
        .is_refused(400, "invalid_grant", "code_verifier");
}

/// RFC 6749 §4.1.2, §4.1.3: bound to the client and its redirect_uri, usable once.
#[actix_web::test]
async fn a_code_is_bound_and_used_once() {
    let world = World::start();
    let client = world.register("none", &["--client-id", "owner"]);
    let other = world.register("none", &["--client-id", "other"]);
    let id = [("client_id", client.id.as_str())];
    let code = world.oidc_code(&client, &[]).await;
    world
        .oidc_token(&[], &code, &[("client_id", &other.id)])
        .await
        .is_refused(400, "invalid_grant", "another client");
    let answer = world.oidc_token(&[], &code, &id).await.granted();
    world.oidc_token(&[], &code, &id).await.is_refused(
        400,
        "invalid_grant",
        "code was used before",
    );
    let userinfo = world.oidc_userinfo(&answer["access_token"]).await;
    userinfo.is_refused(401, "invalid_token", "revoked");
    // redirect_uri is required here, and the same.
    let code = world.oidc_code(&client, &[]).await;
    let url = format!("{}token", world.oidc());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!(
        "grant_type=authorization_code&client_id=owner&code={code}&code_verifier={VERIFIER}"
    );
    world
        .send("POST", &url, &form, body.as_str())
        .await
        .is_refused(400, "invalid_request", "redirect_uri is missing");
    world
        .send(
            "POST",
            &url,
            &form,
            format!("{body}&redirect_uri=https%3A%2F%2Fclient.example%2F"),
        )
        .await
        .is_refused(400, "invalid_grant", "redirect_uri");
}

/// An RP of the federation is a stranger at this issuer, and its tokens are no tokens here.
#[actix_web::test]
async fn the_federation_ends_before_this_issuer() {
    let world = World::start();
    let stranger = Client {
        id: world.rp().entity_id().to_owned(),
        secret: String::new(),
    };
    let answer = world
        .send(
            "GET",
            &world.authorization_url(&stranger, &[]),
            &[("accept", "application/json")],
            "",
        )
        .await;
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (400, "invalid_client")
    );
    let spid = world.issuer("spid").await;
    let tokens = world
        .login(world.rp(), &spid, &varco::demo::LoginOptions::default())
        .await;
    let foreign = json!(tokens.answer.access_token);
    world
        .oidc_userinfo(&foreign)
        .await
        .is_refused(401, "invalid_token", "access token");
    assert_eq!(
        claims_of(&tokens.answer.access_token)["iss"],
        spid.metadata.issuer
    );
}
