//! How our issuers stand in the federation.

use crate::harness::World;
use varco::demo::LoginOptions;

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
