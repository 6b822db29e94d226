//! Who may use the desk, and what the trail says of it.

use super::PASSWORD;
use crate::harness::{Answer, Browser, World};
use varco::launch::OPERATOR;
use varco::model::Role;

async fn change(world: &World, browser: &mut Browser, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get(&world.url("/admin/operators")).await;
    let mut form = page.form("/admin/logout");
    form.action = "/admin/operators/change".to_owned();
    for (name, value) in fields {
        form = form.with(name, value);
    }
    browser.submit(&page, &form).await
}

#[actix_web::test]
async fn an_administrator_adds_an_operator_who_logs_in() {
    let world = World::start();
    let mut olga = world.desk().await;
    let page = olga.get(&world.url("/admin/operators/add")).await;
    let form = page
        .form("/admin/operators/add")
        .with("name", "vera")
        .with("role", "operator")
        .with("password", "too short");
    let wrong = olga.submit(&page, &form).await;
    assert_eq!(wrong.status, 422);
    // What was typed is kept, but for the password.
    assert!(wrong.body.contains("value=\"vera\""), "{}", wrong.body);
    assert!(wrong.body.contains("<option value=\"operator\" selected>"));
    assert!(!wrong.body.contains("too short"));
    assert!(wrong.text().contains("almeno 12 caratteri"));
    let mut form = form;
    form.fields.retain(|(name, _)| name != "password");
    let answer = olga.submit(&page, &form.with("password", PASSWORD)).await;
    assert_eq!(answer.status, 303);
    let list = olga.get(&world.url(&answer.leads_to())).await;
    assert!(list.text().contains("vera"));
    world.desk_as("vera", PASSWORD).await;
    let trail = olga
        .get(&world.url("/admin/trail?subject=operator+vera"))
        .await;
    assert!(trail.text().contains("operator.add"), "{}", trail.text());
    assert!(trail.text().contains("olga"));
    assert!(!trail.body.contains("argon2") && !trail.body.contains(PASSWORD));
}

#[actix_web::test]
async fn the_last_administrator_and_oneself_cannot_be_locked_out() {
    let world = World::start();
    let mut olga = world.desk().await;
    let own = [("name", OPERATOR.0), ("change", "disable")];
    let refused = change(&world, &mut olga, &own).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("Non può disabilitare se stesso"));
    // By the command line it is the rule of the last one that refuses.
    let actor = varco::administration::command_line_actor(Some("test"));
    let now = world.app.shared.clock.now();
    let disable = varco::administration::operators::Change::Enabled(false);
    let error = world
        .app
        .shared
        .store
        .write_blocking(move |tx| {
            varco::administration::operators::change(tx, &actor, (OPERATOR.0, &disable), now)
        })
        .unwrap_err();
    assert!(error.to_string().contains("last administrator"), "{error}");
    world.add_operator("vera", Role::Administrator);
    let mut vera = world.desk_as("vera", PASSWORD).await;
    let answer = change(&world, &mut vera, &own).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(olga.get(&world.url("/admin/trail")).await.status, 303);
}

#[actix_web::test]
async fn an_own_password_is_changed_with_the_old_one_and_ends_the_sessions() {
    let world = World::start();
    let mut olga = world.desk().await;
    let page = olga.get(&world.url("/admin/password")).await;
    let filled = |current: &str| {
        page.form("/admin/password")
            .with("password", current)
            .with("new_password", PASSWORD)
            .with("again", PASSWORD)
    };
    let wrong = olga.submit(&page, &filled("not the old one")).await;
    assert_eq!(wrong.status, 422);
    let answer = olga.submit(&page, &filled(OPERATOR.1)).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(olga.get(&world.url("/admin/trail")).await.status, 303);
    let mut old = world.browser();
    let refused = world.desk_password(&mut old, OPERATOR.0, OPERATOR.1).await;
    assert_eq!(refused.status, 422);
    world.desk_as(OPERATOR.0, PASSWORD).await;
}

#[actix_web::test]
async fn what_needs_a_proof_of_oneself_is_not_done_on_ones_own_page() {
    let world = World::start();
    world.add_operator("vera", Role::Administrator);
    let mut olga = world.desk().await;
    let page = olga
        .get(&world.url(&format!("/admin/operators/one?name={}", OPERATOR.0)))
        .await;
    assert!(
        page.body.contains("href=\"/admin/password\""),
        "{}",
        page.body
    );
    assert!(!page.body.contains("name=\"password\"") && !page.body.contains("change=unlock"));
    for what in ["password", "reset_factor", "unlock"] {
        let fields = [
            ("name", OPERATOR.0),
            ("change", what),
            ("password", PASSWORD),
        ];
        let refused = change(&world, &mut olga, &fields).await;
        assert_eq!(refused.status, 409, "{what}");
        assert!(
            refused.text().contains("altro amministratore"),
            "{}",
            refused.text()
        );
        assert!(refused.body.contains("href=\"/admin/password\""));
    }
    // The password is the old one, and the session goes on.
    assert_eq!(olga.get(&world.url("/admin/trail")).await.status, 200);
    world.desk().await;
    // Another administrator may.
    let mut vera = world.desk_as("vera", PASSWORD).await;
    let fields = [
        ("name", OPERATOR.0),
        ("change", "password"),
        ("password", PASSWORD),
    ];
    assert_eq!(change(&world, &mut vera, &fields).await.status, 303);
    world.desk_as(OPERATOR.0, PASSWORD).await;
}
