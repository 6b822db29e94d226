//! How an issuer's pages look and what they call things, by configuration.

use super::settings::*;
use crate::harness::World;
use serde_json::json;
use varco::demo::LoginOptions;

#[actix_web::test]
async fn attribute_names_replace_those_of_the_catalogue_on_consent_and_history() {
    let names = json!({
        "https://attributes.eid.gov.it/fiscal_number": {"it": "Il codice <CF>", "en": "The code"},
        "email": "Posta",
    });
    for (name, world) in worlds(
        "spid",
        ["VARCO_ISSUER_ATTRIBUTE_NAMES", "OIDCFED_ATTRNAME_I18N"],
        &names.to_string(),
        |issuer, from| issuer.attribute_names = from.attribute_names.clone(),
    ) {
        let issuer = world.issuer("spid").await;
        let mut browser = world.browser();
        let prepared = world
            .rp()
            .authorization_request(&issuer.metadata, &LoginOptions::default())
            .unwrap();
        let login = world.authorize(&mut browser, &prepared).await;
        assert!(login.text().contains("Il codice <CF>"), "{name}");
        let consent = world
            .type_password(&mut browser, &login, ("ada", "ada-demo"))
            .await;
        for words in ["Il codice <CF>", "Posta", "Cognome"] {
            assert!(consent.text().contains(words), "{name}: {}", consent.text());
        }
        assert!(!consent.text().contains("Codice fiscale"), "{name}");
        assert!(!consent.body.contains("<CF>"), "escaped");
        world.allow(&mut browser, &consent).await;
        let italian = world.history(&mut browser, "spid").await.accesses();
        assert!(italian[0].contains("Il codice <CF>") && italian[0].contains("Posta"));
        let english = browser
            .get(&world.url("/spid/history?lang=en"))
            .await
            .accesses();
        assert!(
            english[0].contains("The code") && english[0].contains("Posta"),
            "{english:?}"
        );
        let german = browser
            .get(&world.url("/spid/history?lang=de"))
            .await
            .accesses();
        assert!(german[0].contains("Steuernummer"), "{german:?}");
    }
}

#[actix_web::test]
async fn branding_gives_the_pages_a_name_a_logo_and_colours() {
    let branding = json!({
        "name": "Provincia di Esempio",
        "logo": "brand/cie.svg",
        "primary_colour": "#123456",
        "text_colour": "#fedcba",
    });
    for (name, world) in worlds(
        "spid",
        ["VARCO_ISSUER_BRANDING", "OIDCFED_PROVIDER_PROFILES_MEDIA"],
        &branding.to_string(),
        |issuer, from| issuer.branding = from.branding.clone(),
    ) {
        let mut browser = world.browser();
        let page = browser.get(&world.url("/spid/login")).await;
        assert!(
            page.text().contains("Accesso con Provincia di Esempio"),
            "{name}"
        );
        assert!(
            page.body.contains("<img src=\"/static/brand/cie.svg?v="),
            "{name}: {}",
            page.body
        );
        let style = page.links("/spid/brand.css");
        let style = browser.get(&style[0]).await;
        assert_eq!(style.status, 200, "{name}");
        assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
        assert!(style.header("cache-control").contains("immutable"));
        for part in ["#123456", "#fedcba"] {
            assert!(style.body.contains(part), "{name}: {}", style.body);
        }
        let tag = style.header("etag").to_owned();
        browser.headers.push(("if-none-match", tag));
        assert_eq!(browser.get(style.url.as_str()).await.status, 304);
    }
    let plain = World::start();
    let mut browser = plain.browser();
    let page = browser.get(&plain.url("/spid/login")).await;
    assert!(page.links("brand.css").is_empty());
    assert_eq!(browser.get(&plain.url("/spid/brand.css")).await.status, 404);
}
