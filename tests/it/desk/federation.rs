//! How our issuers stand in the federation.

use crate::harness::{Answer, Browser, World};
use varco::demo::LoginOptions;
use varco::jose::RingName;
use varco::keys::{self, When};

async fn ask(world: &World, desk: &mut Browser) -> Answer {
    let page = desk.get(&world.url("/admin/federation")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let form = page.form("/admin/federation");
    desk.submit(&page, &form).await
}

#[actix_web::test]
async fn the_superior_attests_our_keys_and_not_one_that_it_has_not_seen() {
    let world = World::start();
    let mut desk = world.desk().await;
    let asked = ask(&world, &mut desk).await;
    assert_eq!(asked.status, 200);
    let text = asked.text();
    assert!(text.contains("attestata"), "{text}");
    assert!(!text.contains("non attestata"), "{text}");
    // A new key, of which the superior knows nothing yet.
    let first = desk.get(&world.url("/admin/federation")).await;
    let profile = ["spid", "cie"]
        .into_iter()
        .find(|profile| {
            let issuer = world.provider(profile).issuer.clone();
            first.body.contains(&format!("<strong>{issuer}</strong>"))
        })
        .unwrap();
    let op = world.provider(profile);
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
    assert!(asked.text().contains("non attestata"), "{}", asked.text());
    assert!(asked.body.contains(&made[0].kid));
}

#[actix_web::test]
async fn the_page_shows_configuration_anchors_marks_and_renewals() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    world
        .login(world.rp(), &issuer, &LoginOptions::default())
        .await;
    let mut desk = world.desk().await;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("issuer", world.provider("spid").issuer.as_str())
        .finish();
    let url = world.url(&format!("/admin/federation?{query}"));
    let page = desk.get(&url).await;
    assert_eq!(page.status, 200);
    let op = world.provider("spid");
    let trust = op.trust.as_ref().unwrap();
    let text = page.text();
    assert!(text.contains(trust.anchors[0].id.as_str()), "{text}");
    assert!(text.contains("openid_provider"), "the decoded document");
    assert!(text.contains(world.rp().entity_id()), "{text}");
    let failing = desk.get(&format!("{url}&failing=1")).await;
    assert!(failing.text().contains("Nessuna verifica è prevista"));
    let nobody = desk.get(&world.url("/admin/federation?issuer=x")).await;
    assert_eq!(nobody.status, 404);
}
