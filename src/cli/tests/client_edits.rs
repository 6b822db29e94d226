//! `varco rp edit`.

use super::*;

fn metadata(shell: &Shell) -> Value {
    shell.shop("show", &[]).done().json()["metadata"].clone()
}

fn edits(shell: &Shell) -> Vec<Value> {
    let told = shell
        .run(&["operator", "trail", "--action", "rp.edit", "--json"])
        .done()
        .json();
    told["entries"].as_array().unwrap().clone()
}

#[test]
fn an_edit_changes_what_is_named_and_nothing_else() {
    let shell = Shell::with_shop(&[
        "--scope",
        "openid profile",
        "--logo-uri",
        "https://shop.example.it/logo.png",
        "--access-token-seconds",
        "60",
    ]);
    let before = metadata(&shell);
    let done = shell
        .shop(
            "edit",
            &[
                "--name",
                "Bottega",
                "--redirect-uri",
                "https://shop.example.it/a",
                "--redirect-uri",
                "https://shop.example.it/b",
            ],
        )
        .done()
        .json();
    assert_eq!(
        done["client_secret"],
        Value::Null,
        "it keeps the one it has"
    );
    let mut expected = before;
    expected["client_name"][""] = "Bottega".into();
    expected["redirect_uris"] =
        serde_json::json!(["https://shop.example.it/a", "https://shop.example.it/b"]);
    assert_eq!(metadata(&shell), expected);

    // An empty value takes away what may be absent.
    shell
        .shop(
            "edit",
            &[
                "--logo-uri",
                "",
                "--scope",
                "",
                "--access-token-seconds",
                "",
            ],
        )
        .done();
    let members = expected.as_object_mut().unwrap();
    for gone in ["logo_uri", "scope", "lifetimes"] {
        members.remove(gone);
    }
    assert_eq!(metadata(&shell), expected);

    let told = edits(&shell);
    assert_eq!(told.len(), 2);
    let first = &told[1];
    assert_eq!(first["subject"], format!("rp shop at {OIDC}"));
    assert_eq!(first["before"]["name"], "Shop");
    assert_eq!(first["after"]["name"], "Bottega");
    assert_eq!(first["after"]["scope"], Value::Null, "only what differs");
    // What is so already is no change.
    shell.shop("edit", &["--name", "Bottega"]).done();
    shell.shop("edit", &[]).done();
    assert_eq!(edits(&shell).len(), 2);
}

#[test]
fn an_edit_is_judged_as_the_desks_form_is() {
    let shell = Shell::with_shop(&[]);
    let before = metadata(&shell);
    for (option, value, says) in [
        ("--name", "", "--name: expected a value"),
        ("--redirect-uri", "", "--redirect-uri: expected a value"),
        ("--redirect-uri", "http://shop.example.it/cb", "https"),
        ("--redirect-uri", "javascript:alert(1)", "--redirect-uri"),
        ("--auth-method", "private_key_jwt", "--jwks-file"),
        ("--auth-method", "tls_client_auth", "possible values"),
        ("--scope", "openid shoes", "--scope shoes"),
        ("--scope", "profile", "openid"),
        ("--refresh-token-seconds", "1", "--refresh-token-seconds"),
        ("--logo-uri", "javascript:alert(1)", "--logo-uri"),
    ] {
        shell.shop("edit", &[option, value]).refused(2, says);
    }
    assert_eq!(metadata(&shell), before);
    assert!(edits(&shell).is_empty());
    let other =
        |issuer: &str, id: &str| shell.run(&["rp", "edit", "--issuer", issuer, id, "--name", "x"]);
    other(OIDC, "nobody").refused(1, "rp list");
    other(SPID, "shop").refused(2, "through the federation");
}

#[test]
fn the_address_of_keys_stands_in_their_place() {
    let shell = Shell::with_shop(&[]);
    let address = "https://shop.example.it/keys";
    for wrong in [
        "http://shop.example.it/keys",
        "/keys",
        "https://me@shop.example.it/keys",
    ] {
        shell
            .shop("edit", &["--jwks-uri", wrong])
            .refused(2, "--jwks-uri");
    }
    let words = ["--auth-method", "private_key_jwt", "--jwks-uri", address];
    shell.shop("edit", &words).done();
    assert_eq!(metadata(&shell)["jwks_uri"], address);
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let (file, keys) = shell.keys_file(&key);
    shell
        .shop("edit", &["--jwks-file", &file])
        .refused(2, "not both");

    let exported = shell.run(&["rp", "export", "--json"]).done().json();
    let entry = &exported["relying_parties"][0];
    assert_eq!(entry["jwks_uri"], address);
    assert_eq!(entry["jwks"], Value::Null, "what is found there is there");
    let other = Shell::new();
    let copy = other.write("rps.json", &exported.to_string());
    other.run(&["rp", "import", &copy]).done();
    let again = other.run(&["rp", "export", "--json"]).done().json();
    assert_eq!(again, exported);
    for (member, value, says) in [
        (
            "jwks_uri",
            serde_json::json!(7),
            "jwks_uri: a value of another kind",
        ),
        (
            "jwks_uri",
            serde_json::json!("ftp://shop.example.it/"),
            "jwks_uri: expected an https",
        ),
        ("jwks", keys, "not both"),
    ] {
        let mut wrong = exported.clone();
        wrong["relying_parties"][0][member] = value;
        let file = other.write("wrong.json", &wrong.to_string());
        let refused = other.run(&["rp", "import", &file]);
        assert_eq!(refused.status, 1, "{member}");
        assert!(refused.out.contains(says), "{says}: {}", refused.out);
    }
    let words = ["--jwks-uri", "", "--jwks-file", &file];
    shell.shop("edit", &words).done();
    assert_eq!(metadata(&shell)["jwks_uri"], Value::Null);
}

#[test]
fn another_way_to_authenticate_brings_or_takes_the_secret() {
    let shell = Shell::with_shop(&[]);
    let method = |name: &str| shell.shop("edit", &["--auth-method", name]).done();
    assert_eq!(
        method("client_secret_post").json()["client_secret"],
        Value::Null
    );
    assert_eq!(method("none").json()["client_secret"], Value::Null);
    shell
        .shop("rotate-secret", &[])
        .refused(1, "no client secret");
    let back = method("client_secret_basic");
    let secret = back.json()["client_secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 43);
    let shown = shell.shop("show", &[]).done().out;
    let trail = shell.run(&["operator", "trail", "--json"]).done().out;
    assert!(!shown.contains(&secret) && !trail.contains(&secret));

    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let (file, _keys) = shell.keys_file(&key);
    let words = ["--auth-method", "private_key_jwt", "--jwks-file", &file];
    shell.shop("edit", &words).done();
    let kid = key.kid();
    assert!(shell.shop("show", &[]).done().out.contains(kid));
    shell
        .shop("edit", &["--jwks-file", ""])
        .refused(2, "needs the RP's public keys");
    shell
        .shop("edit", &["--jwks-file", "", "--auth-method", "none"])
        .done();
    assert!(!shell.shop("show", &[]).done().out.contains(kid));
}

#[test]
fn a_peculiarity_of_one_client_is_tolerated_with_bounds_and_a_trail() {
    // SPID/CIE FE-12
    let shell = Shell::with_shop(&[]);
    let tolerate = |more: &[&str]| shell.shop("tolerate", more);
    let shown = tolerate(&[]).done().json();
    assert_eq!(shown["tolerance"]["clock_leeway_seconds"], 30);
    assert_eq!(shown["own"], serde_json::json!({}));
    for (option, value) in [
        ("--clock-leeway-seconds", "14401"),
        ("--clock-leeway-seconds", "-1"),
        ("--clock-leeway-seconds", "two hours"),
        ("--missing-exp", "perhaps"),
        ("--userinfo-content-type", "text/html"),
    ] {
        tolerate(&[option, value]).refused(2, option);
    }
    let set = tolerate(&["--clock-leeway-seconds", "7200", "--missing-exp", "true"]);
    let own = serde_json::json!({ "clock_leeway_seconds": 7200, "missing_exp": true });
    assert_eq!(set.done().json()["own"], own);
    // What is not named stays; an empty value leaves it to the configuration.
    let set = tolerate(&["--clock-leeway-seconds", ""]).done().json();
    assert_eq!(set["own"], serde_json::json!({ "missing_exp": true }));
    tolerate(&["--missing-exp", "true"]).done();
    // A change of the registration leaves it as it is, and no login is needed for it.
    shell.shop("edit", &["--name", "Bottega"]).done();
    assert_eq!(tolerate(&[]).done().json()["own"], set["own"]);
    let told = shell
        .run(&["operator", "trail", "--action", "rp.tolerate", "--json"])
        .done()
        .json();
    let told = told["entries"].as_array().unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[1]["before"], serde_json::json!({}));
    assert_eq!(told[1]["after"], own);
    assert_eq!(told[0]["subject"], format!("rp shop at {OIDC}"));
    shell
        .run(&["rp", "tolerate", "--issuer", OIDC, "nobody"])
        .refused(1, "rp list");
}
