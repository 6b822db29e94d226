//! `varco rp`.

use super::*;

#[test]
fn a_client_is_registered_and_its_secret_shown_once() {
    let shell = Shell::new();
    let plain = ["--issuer", OIDC, "--client-id", "shop"];
    let made = shell.register(&plain).done().json();
    let secret = made["client_secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 43);
    shell.register(&plain).refused(1, "--replace");
    let shown = shell.shop("show", &[]).done();
    assert!(!shown.out.contains(&secret) && !shown.out.contains("sha256"));
    assert_eq!(shown.json()["metadata"]["redirect_uris"][0], CALLBACK);
    shell.shop("disable", &[]).done();
    let list = shell
        .run(&["rp", "list", "--issuer", OIDC, "--json"])
        .done();
    assert_eq!(list.json()["relying_parties"][0]["enabled"], false);
    shell.shop("enable", &[]).done();
    shell
        .run(&["rp", "enable", "--issuer", OIDC, "nobody"])
        .refused(1, "rp list");
    shell
        .register(&["--issuer", SPID])
        .refused(2, "through the federation");
}

#[test]
fn a_redirect_uri_is_https_loopback_or_a_scheme_of_its_own() {
    let shell = Shell::new();
    let register = |uri: &str| {
        shell.run(&[
            "rp",
            "register",
            "--issuer",
            OIDC,
            "--name",
            "App",
            "--auth-method",
            "none",
            "--redirect-uri",
            uri,
        ])
    };
    for uri in [
        "https://app.example.it/cb?x=1",
        "http://127.0.0.1:3000/cb",
        "http://[::1]/cb",
        "http://localhost/cb",
        "it.example.app:/cb",
    ] {
        let outcome = register(uri).done();
        assert!(!outcome.out.contains("client_secret"), "{uri}");
    }
    for uri in [
        "http://app.example.it/cb",
        "https://app.example.it/cb#x",
        "https://me@app.example.it/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "/cb",
        "https://app.example.it/c b",
    ] {
        register(uri).refused(2, "--redirect-uri");
    }
}

#[test]
fn a_client_with_keys_needs_public_ones() {
    let shell = Shell::new();
    let register = |more: &[&str]| {
        let words = ["--issuer", OIDC, "--auth-method", "private_key_jwt"];
        shell.register(&[&words, more].concat())
    };
    register(&[]).refused(2, "--jwks-file");
    let empty = shell.write("empty.json", "{\"keys\": []}");
    register(&["--jwks-file", &empty]).refused(1, "no usable public key");
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let (good, _keys) = shell.keys_file(&key);
    register(&["--jwks-file", &good]).done();
    register(&["--jwks-file", &good, "--scope", "openid shoes"]).refused(2, "--scope shoes");
}

#[test]
fn a_secret_is_rotated_tokens_revoked_and_a_client_deleted_with_a_trail() {
    let shell = Shell::with_shop(&["--access-token-seconds", "60"]);
    let rotated = shell.shop("rotate-secret", &[]).done().json();
    assert_eq!(rotated["client_secret"].as_str().unwrap().len(), 43);
    shell
        .shop("rotate-secret", &["--overlap-seconds", "2592001"])
        .refused(1, "30 days");
    assert_eq!(
        shell.shop("revoke-tokens", &[]).done().json()["grants_revoked"],
        0
    );
    let shown = shell.shop("show", &[]).done();
    assert!(!shown.out.contains("sha256"), "{}", shown.out);
    assert_eq!(shown.json()["metadata"]["lifetimes"]["access_token"], 60);
    shell.shop("delete", &[]).done();
    shell.shop("show", &[]).refused(1, "rp list");
    let trail = shell.run(&["operator", "trail", "--json"]).done();
    for action in ["rp.register", "rp.rotate_secret", "rp.delete"] {
        assert!(trail.out.contains(action), "{action}: {}", trail.out);
    }
    let secret = rotated["client_secret"].as_str().unwrap();
    assert!(!trail.out.contains(secret));
}

#[test]
fn clients_are_exported_and_imported_whole_or_not_at_all() {
    let shell = Shell::with_shop(&[]);
    let exported = shell.run(&["rp", "export", "--json"]).done();
    assert!(!exported.out.contains("sha256"), "{}", exported.out);
    let other = Shell::new();
    let mut document = exported.json();
    let file = other.write("rps.json", &document.to_string());
    let dry = other
        .run(&["rp", "import", &file, "--dry-run", "--json"])
        .done();
    assert_eq!(dry.json()["written"], 0);
    other.run(&["rp", "import", &file]).done();
    assert_eq!(
        other.run(&["rp", "export", "--json"]).done().json(),
        document
    );

    // A large file says how far it is, and the same file again changes nothing.
    let one = document["relying_parties"][0].clone();
    let many: Vec<Value> = (0..250)
        .map(|number| {
            let mut entry = one.clone();
            entry["client_id"] = format!("shop-{number}").into();
            entry
        })
        .collect();
    let large = serde_json::json!({ "relying_parties": many }).to_string();
    let third = Shell::new();
    let file = third.write("large.json", &large);
    let said = third.run(&["rp", "import", &file]).done();
    assert!(said.err.contains("200 of 250 written"), "{}", said.err);
    let again = third.run(&["rp", "import", &file, "--json"]).done().json();
    let entries = again["entries"].as_array().unwrap();
    assert!(entries.iter().all(|entry| entry["outcome"] == "unchanged"));

    let mut bad = document["relying_parties"][0].clone();
    bad["client_id"] = "bad".into();
    bad["logo_uri"] = "javascript:alert(1)".into();
    let mut good = bad.clone();
    good["client_id"] = "good".into();
    good["logo_uri"] = "https://shop.example.it/logo.png".into();
    let entries = document["relying_parties"].as_array_mut().unwrap();
    entries.extend([bad, good]);
    let file = other.write("more.json", &document.to_string());
    let refused = other.run(&["rp", "import", &file]);
    assert_eq!(refused.status, 1, "{}", refused.out);
    assert!(
        refused.out.contains("logo_uri: expected an https address"),
        "{}",
        refused.out
    );
    let show = |id: &str| other.run(&["rp", "show", "--issuer", OIDC, id]);
    show("good").refused(1, "rp list");
    other.run(&["rp", "import", &file, "--skip-bad"]).done();
    show("good").done();
    show("bad").refused(1, "rp list");
}
