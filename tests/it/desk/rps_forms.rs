//! Relying parties that operators register: forms, secrets, lifetimes, files.

use super::rps::about;
use crate::harness::registered_client::{CALLBACK, Client, basic};
use crate::harness::{Answer, Browser, Form, World};

/// A field that a page shows, whatever kind it is.
fn value(page: &Answer, id: &str) -> String {
    let from = page.body.split(&format!("id=\"{id}\"")).nth(1).unwrap();
    let area = page
        .body
        .contains(&format!("<textarea class=\"form-control\" id=\"{id}\""));
    let text = if area {
        from.split('>')
            .nth(1)
            .unwrap()
            .split("</textarea")
            .next()
            .unwrap()
    } else {
        from.split("value=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
    };
    let text = text.split("</textarea").next().unwrap();
    text.replace("&quot;", "\"")
        .replace("&amp;", "&")
        .trim()
        .to_owned()
}

/// The form of a page, filled in as it stands and with changes.
pub fn filled(page: &Answer, action: &str, changes: &[(&str, &str)]) -> Form {
    let mut form = page.form(action);
    for id in [
        "name",
        "organization_name",
        "redirect_uris",
        "jwks",
        "jwks_uri",
        "access_token",
        "id_token",
        "refresh_token",
        "logo_uri",
        "client_uri",
        "policy_uri",
    ] {
        form = form.with(id, &value(page, id));
    }
    let method = page.body.split("id=\"auth_method\"").nth(1).unwrap();
    let method = method.split(" selected").next().unwrap();
    let method = method
        .rsplit("value=\"")
        .next()
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    form = form.with("auth_method", method);
    for scope in ["profile", "email", "address", "phone"] {
        form = form.with(&format!("scope.{scope}"), "1");
    }
    for (name, value) in changes {
        form.fields.retain(|(known, _)| known != name);
        form = form.with(name, value);
    }
    form
}

pub async fn add(world: &World, browser: &mut Browser, changes: &[(&str, &str)]) -> Answer {
    let page = browser.get(&world.url("/admin/rps/add")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let mut all = vec![
        ("issuer", "oidc"),
        ("client_id", "shop"),
        ("name", "Il negozio"),
        ("redirect_uris", CALLBACK),
    ];
    all.extend_from_slice(changes);
    browser
        .submit(&page, &filled(&page, "/admin/rps/add", &all))
        .await
}

fn secret_of(page: &Answer) -> String {
    let rest = page.body.split("class=\"secret\">").nth(1).unwrap();
    rest.split('<').next().unwrap().to_owned()
}

async fn edit(world: &World, browser: &mut Browser) -> Answer {
    let page = browser
        .get(&world.url(&about("edit", "oidc", "shop", &[])))
        .await;
    assert_eq!(page.status, 200, "{}", page.body);
    page
}

#[actix_web::test]
async fn an_rp_is_registered_at_the_desk_and_logs_people_in_with_its_own_lifetimes() {
    let world = World::start();
    let mut olga = world.desk().await;
    let shown = add(
        &world,
        &mut olga,
        &[("access_token", "60"), ("id_token", "90")],
    )
    .await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    assert!(shown.header("cache-control").contains("no-store"));
    let client = Client {
        id: "shop".to_owned(),
        secret: secret_of(&shown),
    };
    let code = world.oidc_code(&client, &[]).await;
    let header = basic(&client, &client.secret);
    let answer = world
        .oidc_token(&[("authorization", &header)], &code, &[])
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["expires_in"], 60);
    let id_token = world
        .oidc_verified(answer.json()["id_token"].as_str().unwrap(), &client)
        .await;
    assert_eq!(
        id_token["exp"].as_i64().unwrap() - id_token["iat"].as_i64().unwrap(),
        90
    );
    // The secret is nowhere any more.
    for path in [
        about("one", "oidc", "shop", &[]),
        about("edit", "oidc", "shop", &[]),
        about("export", "oidc", "shop", &[]),
        "/admin/trail".to_owned(),
    ] {
        let page = olga.get(&world.url(&path)).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            !page.body.contains(&client.secret) && !page.body.contains("sha256"),
            "{path}"
        );
    }
    let again = add(&world, &mut olga, &[]).await;
    assert_eq!(again.status, 422);
    assert!(
        again.text().contains("già un relying party"),
        "{}",
        again.text()
    );
}

#[actix_web::test]
async fn every_field_says_what_is_wrong_and_keeps_what_was_typed() {
    let world = World::start();
    let mut olga = world.desk().await;
    let private = varco::jose::PrivateKey::generate(varco::jose::KeyKind::P256).unwrap();
    let public = private.public_jwk(varco::jose::KeyUse::Signature, None);
    let mut leaked = public.clone();
    leaked["d"] = "AAAA".into();
    let leaked = serde_json::json!({ "keys": [leaked] }).to_string();
    for (field, typed, says) in [
        ("name", "", "è obbligatorio"),
        ("redirect_uris", "http://shop.example/cb", "usi https"),
        (
            "redirect_uris",
            "javascript:alert(1)",
            "schema non è ammesso",
        ),
        ("redirect_uris", "https://shop.example/*", "asterischi"),
        ("redirect_uris", "https://shop.example/cb#x", "tolga #"),
        ("redirect_uris", "https://me@shop.example/cb", "chiocciola"),
        ("redirect_uris", "/cb", "indirizzo completo"),
        ("auth_method", "tls_client_auth", "non lo offre"),
        (
            "auth_method",
            "private_key_jwt",
            "chiavi pubbliche del servizio",
        ),
        ("jwks", "no keys", "JWKS"),
        ("jwks", &leaked, "chiave privata"),
        ("jwks_uri", "http://shop.example/keys", "https"),
        ("jwks_uri", "https://me@shop.example/keys", "chiocciola"),
        ("access_token", "999999999", "numero intero di secondi"),
        ("id_token", "1.5", "numero intero di secondi"),
        ("refresh_token", "-1", "numero intero di secondi"),
        ("logo_uri", "javascript:alert(1)", "https"),
        ("policy_uri", "http://shop.example", "https"),
        ("client_id", "two words", "senza spazi"),
    ] {
        let answer = add(&world, &mut olga, &[(field, typed)]).await;
        assert_eq!(answer.status, 422, "{field} {typed}");
        assert!(
            answer.text().contains(says),
            "{field} {typed}: {}",
            answer.text()
        );
        assert!(answer.body.contains("value=\"Il negozio\"") || field == "name");
        if !["auth_method", "name"].contains(&field) {
            assert_eq!(value(&answer, field), typed, "{field}");
        }
    }
    // At a federation's issuer nobody is registered by hand.
    let page = olga.get(&world.url("/admin/rps/add")).await;
    let form = filled(
        &page,
        "/admin/rps/add",
        &[("issuer", "spid"), ("name", "x")],
    );
    assert_eq!(olga.submit(&page, &form).await.status, 404);
}

#[actix_web::test]
async fn of_two_operators_the_second_is_told_what_changed_and_nothing_is_lost() {
    let world = World::start();
    let mut olga = world.desk().await;
    let mut vera = world.desk().await;
    assert_eq!(
        add(&world, &mut olga, &[("auth_method", "none")])
            .await
            .status,
        303
    );
    let (hers, his) = (edit(&world, &mut olga).await, edit(&world, &mut vera).await);
    let first = [
        ("name", "Il negozio nuovo"),
        ("logo_uri", "https://shop.example/logo.png"),
    ];
    let saved = olga
        .submit(&hers, &filled(&hers, "/admin/rps/edit", &first))
        .await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let second = [
        ("name", "La bottega"),
        ("client_uri", "https://shop.example/"),
    ];
    let told = vera
        .submit(&his, &filled(&his, "/admin/rps/edit", &second))
        .await;
    assert_eq!(told.status, 409, "{}", told.body);
    let text = told.text();
    assert!(
        text.contains("Il negozio nuovo (modificato da olga, 15") && text.contains("La bottega"),
        "{text}"
    );
    // What only the other changed is taken over, what was typed is kept.
    assert_eq!(value(&told, "logo_uri"), "https://shop.example/logo.png");
    assert_eq!(value(&told, "name"), "La bottega");
    assert_eq!(value(&told, "client_uri"), "https://shop.example/");
    let saved = vera
        .submit(&told, &filled(&told, "/admin/rps/edit", &[]))
        .await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let now = edit(&world, &mut olga).await;
    assert_eq!(value(&now, "name"), "La bottega");
    assert_eq!(value(&now, "logo_uri"), "https://shop.example/logo.png");
    let trail = olga.get(&world.url("/admin/trail?action=rp.edit")).await;
    assert!(trail.text().contains("La bottega"), "{}", trail.text());
    // A base that was made up is no way past this.
    let forged = filled(&now, "/admin/rps/edit", &[("base", "{\"name\":\"x\"}")]);
    assert_eq!(olga.submit(&now, &forged).await.status, 409);
}

#[actix_web::test]
async fn a_secret_is_rotated_with_overlap_and_a_form_sent_twice_rotates_once() {
    let world = World::start();
    let client = world.register("client_secret_basic", &["--client-id", "shop"]);
    let mut olga = world.desk().await;
    let asks = olga
        .get(&world.url(&about("secret", "oidc", "shop", &[])))
        .await;
    assert_eq!(asks.status, 200, "{}", asks.body);
    // What is not chosen, or made up, does not end the old secret.
    for overlap in [None, Some("for ever")] {
        let mut form = asks.form("/admin/rps/secret");
        form.fields.retain(|(name, _)| name != "overlap");
        if let Some(overlap) = overlap {
            form = form.with("overlap", overlap);
        }
        let refused = olga.submit(&asks, &form).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.body.contains("id=\"overlap-error\""));
    }
    let form = asks.form("/admin/rps/secret").with("overlap", "hour");
    let shown = olga.submit(&asks, &form).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let new = secret_of(&shown);
    assert_ne!(new, client.secret);
    let again = olga.submit(&asks, &form).await;
    assert_eq!(again.status, 409, "{}", again.body);
    let works = async |secret: &str| {
        let code = world.oidc_code(&client, &[]).await;
        let header = basic(&client, secret);
        let answer = world
            .oidc_token(&[("authorization", &header)], &code, &[])
            .await;
        answer.status
    };
    assert_eq!(works(&new).await, 200);
    assert_eq!(works(&client.secret).await, 200);
    assert_eq!(works("").await, 401);
    world.clock.advance_seconds(3_600);
    assert_eq!(works(&client.secret).await, 401);
    assert_eq!(works(&new).await, 200);
    // At once: the one that counted until now does not any more.
    let asks = olga
        .get(&world.url(&about("secret", "oidc", "shop", &[])))
        .await;
    let form = asks.form("/admin/rps/secret").with("overlap", "none");
    let newest = secret_of(&olga.submit(&asks, &form).await);
    assert_eq!(works(&new).await, 401);
    assert_eq!(works(&newest).await, 200);
}

#[actix_web::test]
async fn hostile_metadata_of_an_rp_is_text_on_every_page() {
    let world = World::start();
    let hostile = "\"><script>alert(1)</script>";
    world.register("none", &["--client-id", "<script>alert(2)</script>"]);
    let mut olga = world.desk().await;
    let added = add(
        &world,
        &mut olga,
        &[("name", hostile), ("auth_method", "none")],
    )
    .await;
    assert_eq!(added.status, 303, "{}", added.body);
    for path in [
        "/admin/rps".to_owned(),
        format!(
            "/admin/rps?{}",
            url::form_urlencoded::Serializer::new(String::new())
                .append_pair("text", hostile)
                .finish()
        ),
        about("one", "oidc", "shop", &[]),
        about("one", "oidc", "<script>alert(2)</script>", &[]),
        about("edit", "oidc", "shop", &[]),
        about("confirm", "oidc", "shop", &[("change", "delete")]),
        about("check", "oidc", hostile, &[]),
        "/admin/trail".to_owned(),
    ] {
        let page = olga.get(&world.url(&path)).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.body.contains("<script"), "{path}");
    }
}
