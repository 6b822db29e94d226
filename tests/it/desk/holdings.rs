//! From a person to what is held of them and back, and everything of theirs ended at once.

use super::PASSWORD;
use super::sessions::{find, jti, offline_login};
use super::users::page_of;
use crate::harness::{ADA, Answer, Browser, Issuer, World};
use varco::demo::LoginOptions;
use varco::model::Role;

/// Where the first link of a page leads that begins so.
fn link(page: &Answer, begins: &str) -> String {
    page.body
        .split("href=\"")
        .map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"))
        .find(|link| link.starts_with(begins))
        .unwrap_or_else(|| panic!("{begins}: {}", page.body))
}

async fn follow(world: &World, desk: &mut Browser, page: &Answer, begins: &str) -> Answer {
    let next = desk.get(&world.url(&link(page, begins))).await;
    assert_eq!(next.status, 200, "{begins}: {}", next.body);
    next
}

/// Whether a token counts, as another node answers.
async fn is_active_there(world: &World, issuer: &Issuer, token: &str) -> bool {
    let node = world.another_node();
    let form = world
        .rp()
        .introspection_request(&issuer.metadata, token)
        .unwrap();
    let endpoint = node.url(&issuer.metadata.introspection_endpoint);
    let answer = Browser::new().post(&endpoint, &form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["active"].as_bool().unwrap()
}

#[actix_web::test]
async fn from_a_person_one_comes_to_their_sessions_and_grants_and_back() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let mut browser = world.browser();
    let (_, tokens) = offline_login(&world, &mut browser, &issuer).await;
    let mut desk = world.desk().await;
    let ada = page_of(&world, &mut desk, ADA.0).await;
    let of_person = "/admin/sessions?account=";
    let grants = follow(&world, &mut desk, &ada, of_person).await;
    assert!(grants.text().contains("Consensi della persona"));
    assert!(grants.text().contains(world.rp().entity_id()));
    let tree = follow(&world, &mut desk, &grants, "/admin/sessions/grant?id=").await;
    assert!(tree.text().contains(&jti(&tokens.answer.access_token)));
    // Back from the grant, and from the session; by its name, not its key alone.
    let id = ada.url.query().unwrap().to_owned();
    let back = format!("/admin/users/one?{id}");
    assert_eq!(link(&tree, "/admin/users/one?"), back);
    link(&tree, of_person);
    let session = follow(&world, &mut desk, &tree, "/admin/sessions?session=").await;
    assert_eq!(link(&session, "/admin/users/one?"), back);
    let sessions = follow(&world, &mut desk, &grants, "/admin/sessions?sessions_of=").await;
    assert!(sessions.text().contains("Sessioni della persona"));
    link(&sessions, "/admin/sessions?session=");
    link(&sessions, of_person);
    let newest = desk.get(&world.url("/admin/sessions")).await;
    assert_eq!(link(&newest, "/admin/users/one?"), back);
    // By what an operator has of somebody.
    let key = id.trim_start_matches("id=");
    for sought in [ADA.0, key] {
        let to = find(&world, &mut desk, sought).await.leads_to();
        assert_eq!(to, format!("{of_person}{key}"), "{sought}");
        let found = world.command(&["session", "find", sought]).done();
        assert_eq!(found["user"]["username"], ADA.0, "{found}");
        assert_eq!(found["user"]["id"], key);
        assert_eq!(found["sessions"][0]["alive"], true);
        assert_eq!(found["grants"][0]["offline_access"], true);
        assert_eq!(found["grants"].as_array().unwrap().len(), 1);
    }
    // Somebody who holds nothing is found all the same; nobody is nobody.
    let add = ["user", "add", "zoe", "--no-password"];
    world.command(&add).done();
    let to = find(&world, &mut desk, "zoe").await.leads_to();
    let zoe = desk.get(&world.url(&to)).await;
    assert!(zoe.text().contains("Qui non c’è nulla"), "{}", zoe.text());
    let found = world.command(&["session", "find", "zoe"]).done();
    assert_eq!(found["grants"].as_array().unwrap().len(), 0, "{found}");
    let nobody = desk.get(&world.url("/admin/sessions?account=nobody")).await;
    assert_eq!(nobody.status, 200);
    assert!(!nobody.body.contains("/admin/users/revoke"));
}

#[actix_web::test]
async fn everything_of_a_person_ends_at_every_node_and_the_trail_says_why() {
    for (world, _schema) in World::on_each_database() {
        let world = world.start();
        let mut browser = world.browser();
        let mut given = Vec::new();
        for profile in ["cie", "spid"] {
            let issuer = world.issuer(profile).await;
            let (_, tokens) = offline_login(&world, &mut browser, &issuer).await;
            given.push((issuer, tokens));
        }
        let cie = world.issuer("cie").await;
        let (prepared, code) = world
            .code_with(&mut browser, world.rp(), &cie, &LoginOptions::default())
            .await;
        let mut desk = world.desk().await;
        let ada = page_of(&world, &mut desk, ADA.0).await;
        let question = follow(&world, &mut desk, &ada, "/admin/users/revoke?id=").await;
        assert!(question.text().contains("anche l’accesso dato"));
        let form = |reason: &str| question.form("/admin/users/revoke").with("reason", reason);
        for (reason, says) in [
            ("  ", "Scriva perché"),
            (&"x".repeat(501), "al massimo 500"),
        ] {
            let answer = desk.submit(&question, &form(reason)).await;
            assert_eq!(answer.status, 422, "{}", answer.body);
            assert!(answer.text().contains(says), "{}", answer.text());
        }
        for (issuer, tokens) in &given {
            assert!(is_active_there(&world, issuer, &tokens.answer.access_token).await);
        }
        let done = desk.submit(&question, &form("password leaked")).await;
        assert_eq!(done.status, 303, "{}", done.body);
        let told = desk.get(&world.url(&done.leads_to())).await;
        assert!(
            told.text().contains("Consensi revocati: 3"),
            "{}",
            told.text()
        );
        assert!(told.text().contains("Sessioni terminate: 2"));
        for (issuer, tokens) in &given {
            let refresh = tokens.answer.refresh_token.as_deref().unwrap();
            for token in [tokens.answer.access_token.as_str(), refresh] {
                assert!(!is_active_there(&world, issuer, token).await);
            }
            world.refresh(world.rp(), issuer, refresh).await.is_refused(
                400,
                "invalid_grant",
                "revoked",
            );
        }
        world
            .redeem_raw(world.rp(), &cie, &prepared, &code)
            .await
            .is_refused(400, "invalid_grant", "");
        // The browser has to prove anew who is there.
        let prepared = world.request(&cie, &LoginOptions::default());
        let page = world.authorize(&mut browser, &prepared).await;
        assert!(page.body.contains("name=\"password\""), "{}", page.body);
        // Once more: nothing is left, which is said, and not told in the trail.
        let again = desk.submit(&question, &form("again")).await;
        assert_eq!(again.status, 409, "{}", again.body);
        assert!(again.body.contains("value=\"again\""));
        let id = ada.url.query().unwrap().trim_start_matches("id=");
        let trail = format!("/admin/trail?subject=user+{id}");
        let trail = desk.get(&world.url(&trail)).await;
        assert_eq!(trail.body.matches("user.revoke").count(), 1);
        assert!(trail.text().contains("password leaked"));
    }
}

#[actix_web::test]
async fn a_viewer_sees_what_is_held_and_ends_nothing() {
    let world = World::start();
    world.add_operator("vera", Role::Viewer);
    let issuer = world.issuer("spid").await;
    let mut browser = world.browser();
    let (_, tokens) = offline_login(&world, &mut browser, &issuer).await;
    let mut vera = world.desk_as("vera", PASSWORD).await;
    let ada = page_of(&world, &mut vera, ADA.0).await;
    assert!(!ada.body.contains("/admin/users/revoke"));
    let grants = follow(&world, &mut vera, &ada, "/admin/sessions?account=").await;
    assert!(!grants.body.contains("/admin/users/revoke"));
    let url = format!("/admin/users/revoke?{}", ada.url.query().unwrap());
    assert_eq!(vera.get(&world.url(&url)).await.status, 403);
    let mut form = grants.form("/admin/sessions").with("reason", "x");
    form.action = url;
    assert_eq!(vera.submit(&grants, &form).await.status, 403);
    let access = &tokens.answer.access_token;
    assert!(world.is_active(world.rp(), &issuer, access).await);
}

#[actix_web::test]
async fn everything_of_a_person_is_ended_by_a_command_too() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let mut browser = world.browser();
    let (_, tokens) = offline_login(&world, &mut browser, &issuer).await;
    let refresh = tokens.answer.refresh_token.as_deref().unwrap();
    let revoke = |words: &[&str]| world.command(&[&["user", "revoke", ADA.0], words].concat());
    revoke(&[]).refused(2, "--reason");
    revoke(&["--reason", " "]).refused(1, "say why");
    revoke(&["--reason", &"x".repeat(501)]).refused(1, "500 characters");
    world
        .command(&["user", "revoke", "nobody", "--reason", "x"])
        .refused(1, "no user nobody");
    assert!(world.is_active(world.rp(), &issuer, refresh).await);
    let done = revoke(&["--reason", "asked for"]).done();
    assert_eq!(done["revoked"]["sessions"], 1, "{done}");
    assert_eq!(done["revoked"]["grants"], 1);
    assert!(!world.is_active(world.rp(), &issuer, refresh).await);
    let again = revoke(&["--reason", "asked for"]).done();
    assert_eq!(again["revoked"]["grants"], 0, "{again}");
    let shown = world.command(&["user", "show", ADA.0]).done();
    let subject = format!("user {}", shown["id"].as_str().unwrap());
    let trail = world
        .command(&["operator", "trail", "--subject", &subject])
        .done();
    let entries = trail["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["action"], "user.revoke");
    assert_eq!(entries[0]["after"]["reason"], "asked for");
}

#[actix_web::test]
async fn the_history_of_a_person_is_read_by_a_command_a_page_at_a_time() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let mut browser = world.browser();
    for _ in 0..3 {
        offline_login(&world, &mut browser, &issuer).await;
        world.clock.advance_seconds(60);
    }
    let history = |words: &[&str]| world.command(&[&["user", "history", ADA.0], words].concat());
    let all = history(&[]).done();
    let logins = all["logins"].as_array().unwrap().clone();
    assert_eq!(logins.len(), 3, "{all}");
    assert!(all["next"].is_null());
    assert_eq!(logins[0]["client_id"], world.rp().entity_id());
    let at = |n: usize| logins[n]["at"].as_str().unwrap();
    assert!(at(0) > at(1) && at(1) > at(2));
    let first = history(&["--limit", "2"]).done();
    assert_eq!(first["logins"].as_array().unwrap()[..], logins[..2]);
    let next = first["next"].as_str().unwrap();
    let rest = history(&["--limit", "2", "--after", next]).done();
    assert_eq!(rest["logins"].as_array().unwrap()[..], logins[2..]);
    // From a time on, and before one.
    let middle = history(&["--since", at(1), "--until", at(0)]).done();
    assert_eq!(middle["logins"].as_array().unwrap()[..], logins[1..2]);
    let since = history(&["--since", at(1), "--limit", "2"]).done();
    assert_eq!(since["logins"].as_array().unwrap()[..], logins[..2]);
    let none = history(&["--until", at(2)]).done();
    assert_eq!(none["logins"].as_array().unwrap().len(), 0, "{none}");
    history(&["--after", "x"]).refused(2, "--after");
    history(&["--since", "yesterday"]).refused(2, "--since");
    let nobody = world.command(&["user", "history", "nobody"]);
    let said: serde_json::Value = serde_json::from_str(&nobody.err).unwrap();
    assert!(said["error"].as_str().unwrap().contains("no user nobody"));
    nobody.refused(1, "no user nobody");
}
