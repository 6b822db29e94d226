//! What the desk does, by commands: the same checks, the same trail.

use super::rps::known_rp;
use super::sessions::{jti, offline_login};
use crate::harness::{HERE, Host, World};
use serde_json::Value;
use varco::demo::LoginOptions;
use varco::model::ClientId;
use varco::provider::Discovery;

/// What the trail has of a subject, newest first: action and what was after it.
fn trail(world: &World, subject: &str) -> Vec<(String, Value)> {
    let told = world.command(&["operator", "trail", "--subject", subject]);
    let told = told.done();
    let entries = told["entries"].as_array().unwrap();
    let entry = |entry: &Value| {
        assert_eq!(entry["via"], "command line");
        let action = entry["action"].as_str().unwrap().to_owned();
        (action, entry["after"].clone())
    };
    entries.iter().map(entry).collect()
}

#[actix_web::test]
async fn a_chain_is_refreshed_by_a_command_as_by_the_button_with_the_same_trail() {
    let world = World::start();
    let host = Host::start();
    let rp = known_rp(&world, &host).await;
    let issuer = world.issuer("spid").await.metadata.issuer;
    let refresh = ["rp", "refresh", "--issuer", &issuer, rp.entity_id()];
    host.forget_requests();
    world.clock.advance_seconds(60);
    let done = world.command_asking(&refresh).await.done();
    assert_eq!(done["accepted"], true);
    assert!(done["expires_at"].is_string());
    assert!(!host.requests().is_empty(), "it asks, whatever is known");

    host.fail("/rp/.well-known/openid-federation", 500);
    let failed = world.command_asking(&refresh).await;
    let out = failed.refused(1, "what was known of it counts until it ends");
    let out: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(out["accepted"], false);
    assert!(out["reason"].as_str().unwrap().contains("500"), "{out}");
    let op = world.provider("spid");
    let id = ClientId::new(rp.entity_id());
    op.find_client(&id, Discovery::Never).await.unwrap();

    let subject = format!("rp {} at {issuer}", rp.entity_id());
    let told = trail(&world, &subject);
    let accepted: Vec<&Value> = told.iter().map(|(_, after)| &after["accepted"]).collect();
    assert_eq!(accepted, [false, true]);
    assert!(told.iter().all(|(action, _)| action == "rp.refresh"));

    // One that an operator wrote down has nobody to ask, and one that nobody knows is not made known by this.
    world.register("none", &["--client-id", "shop"]);
    let oidc = world.oidc();
    world
        .command_asking(&["rp", "refresh", "--issuer", &oidc, "shop"])
        .await
        .refused(1, "nobody is asked");
    let stranger = world.stranger(&host, "/other/");
    let words = ["rp", "refresh", "--issuer", &issuer, stranger.entity_id()];
    world.command_asking(&words).await.refused(1, "rp list");
    let id = ClientId::new(stranger.entity_id());
    assert!(op.find_client(&id, Discovery::Never).await.is_err());
    assert!(op.find_client(&id, Discovery::Renew(HERE)).await.is_err());
}

#[actix_web::test]
async fn sessions_are_found_shown_and_ended_by_commands() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let mut browser = world.browser();
    let (code, tokens) = offline_login(&world, &mut browser, &issuer).await;
    let access = tokens.answer.access_token.as_str();
    let refresh = tokens.answer.refresh_token.as_deref().unwrap();
    let tree = world.command(&["session", "find", access]).done();
    let grant = tree["grant"]["id"].as_str().unwrap().to_owned();
    assert_eq!(tree["code"]["state"], "redeemed");
    assert_eq!(tree["tokens"].as_array().unwrap().len(), 2);
    assert!(!tree.to_string().contains(access));
    // A code is read from standard input, where no other account of the machine sees it.
    for sought in [&code, refresh, &jti(refresh), &grant] {
        let found = world.command_reading(&["session", "find", "-"], &format!("{sought}\n"));
        assert_eq!(found.done()["grant"]["id"], grant.as_str(), "{sought}");
    }
    for sought in [
        tokens.id_token["sub"].as_str().unwrap(),
        world.rp().entity_id(),
    ] {
        let found = world.command(&["session", "find", sought]).done();
        assert_eq!(found["grants"][0]["id"], grant.as_str(), "{sought}");
    }
    let session = tree["session"]["id"].as_str().unwrap().to_owned();
    let shown = world.command(&["session", "show", &session]).done();
    assert_eq!(shown["session"]["alive"], true);
    assert_eq!(shown["grants"][0]["state"], "live");
    let shown = world.command(&["session", "show", &grant]).done();
    assert_eq!(shown["grant"]["client_id"], world.rp().entity_id());

    // Access in absence survives the end of the session, unless it is named.
    let end = ["session", "end", &session, "--reason", "asked for"];
    let ended = world.command(&end).done();
    assert_eq!(ended["revoked"]["sessions"], 1, "{ended}");
    assert!(!world.is_active(world.rp(), &issuer, access).await);
    assert!(world.is_active(world.rp(), &issuer, refresh).await);
    let ended = world.command(&[&end[..], &["--offline"]].concat()).done();
    assert_eq!(ended["revoked"]["grants"], 1, "{ended}");
    assert!(!world.is_active(world.rp(), &issuer, refresh).await);
    world.command(&end).refused(1, "ended already");
    let told = trail(&world, &format!("session {session}"));
    assert_eq!(told.len(), 2, "what did nothing is not told: {told:?}");
    for (action, after) in &told {
        assert_eq!(action, "session.end");
        assert_eq!(after["reason"], "asked for");
    }
}

#[actix_web::test]
async fn any_part_of_a_grant_is_revoked_by_a_command() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let mut browser = world.browser();
    let (_, tokens) = offline_login(&world, &mut browser, &issuer).await;
    let access = tokens.answer.access_token.as_str();
    let refresh = tokens.answer.refresh_token.as_deref().unwrap();
    let tree = world.command(&["session", "find", access]).done();
    let grant = tree["grant"]["id"].as_str().unwrap().to_owned();
    let revoke = |words: &[&str]| world.command(&[&["session", "revoke"], words].concat());
    let long = "x".repeat(501);
    revoke(&["--grant", &grant, "--reason", &long]).refused(1, "500 characters");
    assert!(world.is_active(world.rp(), &issuer, access).await);
    let done = revoke(&["--token", &jti(access)]).done();
    assert_eq!(done["revoked"]["access_tokens"], 1, "{done}");
    assert!(!world.is_active(world.rp(), &issuer, access).await);
    assert!(world.is_active(world.rp(), &issuer, refresh).await);
    let done = revoke(&["--code-of", &grant]).done();
    assert_eq!(done["revoked"]["refresh_tokens"], 1, "{done}");
    assert!(!world.is_active(world.rp(), &issuer, refresh).await);
    let actions: Vec<String> = trail(&world, &format!("grant {grant}"))
        .into_iter()
        .map(|(action, _)| action)
        .collect();
    assert_eq!(actions, ["code.revoke", "token.revoke"]);

    let (code_prepared, code) = world
        .code(world.rp(), &issuer, &LoginOptions::default())
        .await;
    let found = world
        .command_reading(&["session", "find", "-"], &code)
        .done();
    let open = found["grant"]["id"].as_str().unwrap().to_owned();
    revoke(&["--grant", &open]).done();
    world
        .redeem_raw(world.rp(), &issuer, &code_prepared, &code)
        .await
        .is_refused(400, "invalid_grant", "");
    revoke(&[]).refused(2, "--token");
    revoke(&["--grant", &open, "--token", "x"]).refused(2, "cannot be used with");
    for made_up in ["", "x", "' OR 1=1 --"] {
        revoke(&["--grant", made_up]).refused(1, "there is no such");
        world
            .command(&["session", "end", made_up])
            .refused(1, "there is no such");
        world
            .command(&["session", "show", made_up])
            .refused(1, "no such");
        world
            .command(&["session", "find", made_up])
            .refused(1, "nothing was found");
    }
    world
        .command(&["session", "find", "x", "--after", "x"])
        .refused(2, "--after");
}
