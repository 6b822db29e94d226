//! The desk's section of relying parties: the list, one of them, and the switch that every node obeys.

use super::PASSWORD;
use crate::harness::{Answer, Browser, HERE, Host, World};
use varco::demo::LoginOptions;
use varco::demo::RelyingParty;
use varco::model::{ClientId, Role};
use varco::provider::{ClientError, Discovery, follow_changes};

/// The address of a page about an RP.
pub fn about(path: &str, slug: &str, client_id: &str, more: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("issuer", slug), ("client_id", client_id)])
        .extend_pairs(more)
        .finish();
    format!("/admin/rps/{path}?{query}")
}

/// Asks for a change as the page's button does it.
pub async fn change(
    world: &World,
    browser: &mut Browser,
    (slug, client_id): (&str, &str),
    change: &str,
) -> Answer {
    let page = browser.get(&world.url("/admin/rps")).await;
    let mut form = page.form("/admin/logout");
    form.action = "/admin/rps/change".to_owned();
    let form = form
        .with("issuer", slug)
        .with("client_id", client_id)
        .with("change", change);
    browser.submit(&page, &form).await
}

pub async fn known_rp(world: &World, host: &Host) -> RelyingParty {
    let rp = world.stranger(host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let id = ClientId::new(rp.entity_id());
    let op = world.provider("spid");
    op.find_client(&id, Discovery::Allowed(HERE)).await.unwrap();
    rp
}

#[actix_web::test]
async fn the_list_is_searched_filtered_and_paged() {
    let world = World::start();
    for number in 0..60 {
        let id = format!("shop-{number:02}");
        world.register("none", &["--client-id", &id]);
    }
    let mut olga = world.desk().await;
    let page = olga
        .get(&world.url("/admin/rps?issuer=oidc&sort=client_id"))
        .await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("shop-00") && page.text().contains("shop-49"));
    assert!(!page.text().contains("shop-50"));
    let next = page.links("after=").pop().unwrap();
    let next = olga.get(&next).await;
    assert!(next.text().contains("shop-50") && next.text().contains("shop-59"));
    assert!(!next.text().contains("shop-49"));

    let found = olga.get(&world.url("/admin/rps?text=SHOP-1")).await;
    assert!(found.text().contains("shop-17") && !found.text().contains("shop-27"));
    let none = olga
        .get(&world.url("/admin/rps?text=shop&state=disabled"))
        .await;
    assert!(
        none.text().contains("Nessun relying party corrisponde"),
        "{}",
        none.text()
    );
    let other = olga
        .get(&world.url("/admin/rps?text=shop&issuer=spid"))
        .await;
    assert!(!other.text().contains("shop-1"));
    // What is no cursor begins at the beginning; patterns are text.
    for odd in ["after=x", "text=%25", "text=%00", "sort=nothing&state=no"] {
        let page = olga.get(&world.url(&format!("/admin/rps?{odd}"))).await;
        assert_eq!(page.status, 200, "{odd}");
    }
}

#[actix_web::test]
async fn an_rp_of_the_federation_is_shown_with_its_chain_marks_logins_and_refusals() {
    let world = World::start();
    let rp = world.rp();
    let issuer = world.issuer("spid").await;
    world.login(rp, &issuer, &LoginOptions::default()).await;
    let form = [
        ("grant_type".to_owned(), "authorization_code".to_owned()),
        ("client_id".to_owned(), rp.entity_id().to_owned()),
    ];
    let refused = world.post(&issuer.metadata.token_endpoint, &form).await;
    assert_eq!(refused.status, 401);
    let reference = refused.header("x-request-id").to_owned();

    let mut olga = world.desk().await;
    let page = olga
        .get(&world.url(&about("one", "spid", rp.entity_id(), &[])))
        .await;
    assert_eq!(page.status, 200, "{}", page.body);
    let text = page.text();
    assert!(text.contains("Trust anchor") && text.contains("vale fino al"));
    assert!(
        page.body.contains(&format!("{}callback", rp.entity_id()))
            || page.body.contains("callback")
    );
    assert!(page.body.contains("chain-link") && page.body.contains("id=\"marks\""));
    assert!(page.body.contains(&reference), "{text}");
    // The evaluation, by the reference and now.
    let kept = page.links(&reference).pop().unwrap();
    let kept = olga.get(&kept).await;
    assert!(
        kept.text().contains("client_assertion is missing"),
        "{}",
        kept.text()
    );
    let form = kept
        .form("/admin/rps/check")
        .with("issuer", "spid")
        .with("rp", rp.entity_id())
        .with("fresh", "1");
    let begun = olga.submit(&kept, &form).await;
    let checked = super::looking::finished(&world, &mut olga, &begun).await;
    assert!(checked.body.contains("notice-success") && checked.body.contains("class=\"report\""));
}

#[actix_web::test]
async fn the_kill_switch_is_obeyed_by_every_node_after_its_next_poll() {
    for (world, _schema) in World::on_each_database() {
        let world = world.start();
        let host = Host::start();
        let rp = known_rp(&world, &host).await;
        let id = ClientId::new(rp.entity_id());
        let node = world.another_node();
        let there = node.provider("spid");
        follow_changes(&node.app.shared, &node.app.providers)
            .await
            .unwrap();
        there.find_client(&id, Discovery::Never).await.unwrap();

        let mut olga = world.desk().await;
        let asks = olga
            .get(&world.url(&about(
                "confirm",
                "spid",
                rp.entity_id(),
                &[("change", "disable")],
            )))
            .await;
        assert!(asks.text().contains("su ogni nodo"), "{}", asks.text());
        let done = olga.submit(&asks, &asks.form("/admin/rps/change")).await;
        assert_eq!(done.status, 303, "{}", done.body);
        let shown = olga.get(&world.url(&done.leads_to())).await;
        assert!(
            shown.text().contains("entro due secondi"),
            "{}",
            shown.text()
        );
        // This node at once, the other one with its poll, which comes every second.
        let here = world.provider("spid");
        let error = here.find_client(&id, Discovery::Never).await.unwrap_err();
        assert!(matches!(error, ClientError::Disabled), "{error}");
        follow_changes(&node.app.shared, &node.app.providers)
            .await
            .unwrap();
        let error = there.find_client(&id, Discovery::Never).await.unwrap_err();
        assert!(matches!(error, ClientError::Disabled), "{error}");

        let done = change(&world, &mut olga, ("spid", rp.entity_id()), "enable").await;
        assert_eq!(done.status, 303, "{}", done.body);
        here.find_client(&id, Discovery::Never).await.unwrap();
        let subject = format!("rp {} at {}", rp.entity_id(), here.issuer);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("subject", &subject)
            .finish();
        let trail = olga.get(&world.url(&format!("/admin/trail?{query}"))).await;
        assert!(trail.text().contains("rp.disable") && trail.text().contains("rp.enable"));
    }
}

#[actix_web::test]
async fn all_tokens_of_an_rp_are_revoked_and_those_of_others_stay() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let (one, other) = (world.rp(), world.federation.aggregated_relying_party());
    let options = LoginOptions::default();
    let theirs = world.login(one, &issuer, &options).await;
    let others = world.login(other, &issuer, &options).await;
    let mut olga = world.desk().await;
    let asks = olga
        .get(&world.url(&about(
            "confirm",
            "spid",
            one.entity_id(),
            &[("change", "revoke")],
        )))
        .await;
    assert!(
        asks.text().contains("Consensi ancora validi 1"),
        "{}",
        asks.text()
    );
    let done = olga.submit(&asks, &asks.form("/admin/rps/change")).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let active = async |rp, token: &str| world.is_active(rp, &issuer, token).await;
    assert!(!active(one, &theirs.answer.access_token).await);
    assert!(active(other, &others.answer.access_token).await);
    let shown = olga.get(&world.url(&done.leads_to())).await;
    assert!(shown.text().contains("revocato"), "{}", shown.text());
}

#[actix_web::test]
async fn an_rp_is_found_at_its_own_issuer_only_and_viewers_change_nothing() {
    let world = World::start();
    world.register("none", &["--client-id", "shop"]);
    let mut olga = world.desk().await;
    for (slug, client_id) in [
        ("spid", "shop"),
        ("", "shop"),
        ("nothing", "shop"),
        ("oidc", "Shop"),
        ("oidc", "shop "),
        ("oidc", "shop\0"),
        ("oidc", ""),
    ] {
        let page = olga
            .get(&world.url(&about("one", slug, client_id, &[])))
            .await;
        assert_eq!(page.status, 404, "{slug} {client_id:?}");
        for wanted in ["disable", "revoke", "delete"] {
            let answer = change(&world, &mut olga, (slug, client_id), wanted).await;
            assert_eq!(answer.status, 404, "{slug} {client_id:?}");
        }
    }
    let answer = change(&world, &mut olga, ("oidc", "shop"), "explode").await;
    assert_eq!(answer.status, 400);
    world.add_operator("vera", Role::Viewer);
    let mut vera = world.desk_as("vera", PASSWORD).await;
    let page = vera
        .get(&world.url(&about("one", "oidc", "shop", &[])))
        .await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("btn-outline-danger"));
    let answer = change(&world, &mut vera, ("oidc", "shop"), "disable").await;
    assert_eq!(answer.status, 403);
    // One of the federation is not removed here.
    let issuer = world.issuer("spid").await;
    world
        .login(world.rp(), &issuer, &LoginOptions::default())
        .await;
    let answer = change(
        &world,
        &mut olga,
        ("spid", world.rp().entity_id()),
        "delete",
    )
    .await;
    assert_eq!(answer.status, 409);
    let answer = change(&world, &mut olga, ("oidc", "shop"), "delete").await;
    assert_eq!(answer.leads_to(), "/admin/rps?done=rp_deleted");
    let page = olga
        .get(&world.url(&about("one", "oidc", "shop", &[])))
        .await;
    assert_eq!(page.status, 404);
}
