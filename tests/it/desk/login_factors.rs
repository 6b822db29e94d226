//! Who may register the first factor of an operator, what of logins is told, and who is let in again.

use super::PASSWORD;
use super::login::{enrol, send_code, strict};
use crate::harness::{Answer, Browser, World};
use varco::clock::Clock as _;
use varco::launch::OPERATOR;
use varco::model::Role;

/// Half a login of somebody who has no app yet: the page with the secret.
async fn half_way(world: &World, browser: &mut Browser) -> Answer {
    let answer = world.desk_password(browser, OPERATOR.0, OPERATOR.1).await;
    assert_eq!(answer.leads_to(), "/admin/login/enrol");
    browser.get(&world.url("/admin/login/enrol")).await
}

#[actix_web::test]
async fn two_who_know_the_first_password_see_different_secrets_and_only_one_of_them_counts() {
    for first_enrols in [true, false] {
        let world = strict();
        let (mut one, mut two) = (world.browser(), world.browser());
        let page_of_one = half_way(&world, &mut one).await;
        let page_of_two = half_way(&world, &mut two).await;
        let (code_of_one, code_of_two) = (
            world.code_of_page(&page_of_one),
            world.code_of_page(&page_of_two),
        );
        assert_ne!(code_of_one, code_of_two);
        // The page that is looked at again shows the same secret: what was scanned stays right.
        let again = one.get(&world.url("/admin/login/enrol")).await;
        assert_eq!(world.code_of_page(&again), code_of_one);
        // The code of the other one's secret is refused.
        let form = page_of_two.form("/enrol").with("otp", &code_of_one);
        assert_eq!(two.submit(&page_of_two, &form).await.status, 422);

        let ((winner, page, code), (loser, other_page, other_code)) = if first_enrols {
            (
                (&mut one, &page_of_one, code_of_one),
                (&mut two, &page_of_two, code_of_two),
            )
        } else {
            (
                (&mut two, &page_of_two, code_of_two),
                (&mut one, &page_of_one, code_of_one),
            )
        };
        let answer = winner
            .submit(page, &page.form("/enrol").with("otp", &code))
            .await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert_eq!(winner.get(&world.url("/admin/operators")).await.status, 200);
        // The other secret is worth nothing, neither to register nor to log in.
        let form = other_page.form("/enrol").with("otp", &other_code);
        let refused = loser.submit(other_page, &form).await;
        assert_ne!(refused.header("location"), "/admin", "{}", refused.body);
        assert_eq!(loser.get(&world.url("/admin/operators")).await.status, 303);
        let answer = world.desk_password(loser, OPERATOR.0, OPERATOR.1).await;
        assert_eq!(answer.leads_to(), "/admin/login/code");
        let refused = send_code(&world, loser, &other_code).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
    }
}

#[actix_web::test]
async fn a_secret_waits_for_ten_minutes_and_the_next_session_gets_another() {
    let world = strict();
    let mut browser = world.browser();
    let page = half_way(&world, &mut browser).await;
    world.clock.advance_seconds(600);
    let form = page.form("/enrol").with("otp", &world.code_of_page(&page));
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.leads_to(), "/admin/login");
    let next = half_way(&world, &mut browser).await;
    assert_ne!(world.code_of_page(&next), world.code_of_page(&page));
    let form = next.form("/enrol").with("otp", &world.code_of_page(&page));
    assert_eq!(browser.submit(&next, &form).await.status, 422);
}

/// What the trail has of the demonstration's administrator: action, actor, after; the oldest first.
fn told(world: &World) -> Vec<(String, String, serde_json::Value)> {
    let subject = format!("operator {}", OPERATOR.0);
    let told = world.command(&["operator", "trail", "--subject", &subject]);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let mut entries: Vec<_> = told.done()["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                text(&entry["action"]),
                text(&entry["actor"]),
                entry["after"].clone(),
            )
        })
        .collect();
    entries.reverse();
    entries.retain(|(action, ..)| action != "operator.add");
    entries
}

#[actix_web::test]
async fn the_trail_tells_of_the_first_factor_of_logins_and_of_failed_ones_but_not_of_every_guess() {
    let world = strict();
    let mut browser = world.browser();
    enrol(&world, &mut browser, OPERATOR.0, OPERATOR.1).await;
    let entries = told(&world);
    let actions: Vec<&str> = entries.iter().map(|(action, ..)| action.as_str()).collect();
    assert_eq!(actions, ["operator.enrol", "operator.login"]);
    assert!(entries.iter().all(|(_, actor, _)| actor == OPERATOR.0));

    let mut stranger = world.browser();
    for _ in 0..4 {
        for name in [OPERATOR.0, "nobody"] {
            world.desk_password(&mut stranger, name, "wrong").await;
        }
        world.clock.advance_seconds(61);
    }
    let failed = &told(&world)[2..];
    assert_eq!(failed.len(), 2, "{failed:?}");
    for (action, actor, after) in failed {
        assert_eq!(
            (action.as_str(), actor.as_str()),
            ("operator.login_failed", "(not logged in)")
        );
        assert_eq!(after["refused"], "password");
    }
    let of_nobody = world.command(&["operator", "trail", "--subject", "operator nobody"]);
    assert_eq!(of_nobody.done()["entries"].as_array().unwrap().len(), 0);

    // Whoever knows the password and guesses codes is told of too, and that they are locked out.
    let answer = world
        .desk_password(&mut stranger, OPERATOR.0, OPERATOR.1)
        .await;
    assert_eq!(answer.leads_to(), "/admin/login/code");
    for _ in 0..40 {
        send_code(&world, &mut stranger, "000000").await;
        world.clock.advance_seconds(17);
    }
    let reasons: Vec<String> = told(&world)[4..]
        .iter()
        .map(|(_, _, after)| after["refused"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(reasons, ["code", "code", "locked_out", "locked_out"]);
}

#[actix_web::test]
async fn an_operator_who_was_locked_out_is_unlocked_by_an_administrator_or_a_command_or_a_new_factor()
 {
    let world = strict();
    world.add_operator("vera", Role::Administrator);
    let mut browser = world.browser();
    let secret = enrol(&world, &mut browser, OPERATOR.0, OPERATOR.1).await;
    let secret = data_encoding::BASE32_NOPAD
        .decode(secret.as_bytes())
        .unwrap();
    let mut vera = world.browser();
    let page = {
        world.desk_password(&mut vera, "vera", PASSWORD).await;
        vera.get(&world.url("/admin/login/enrol")).await
    };
    let form = page.form("/enrol").with("otp", &world.code_of_page(&page));
    assert_eq!(vera.submit(&page, &form).await.status, 303);

    for way in ["desk", "command", "reset"] {
        let mut guesser = world.browser();
        let lock = async |guesser: &mut Browser| {
            world.desk_password(guesser, OPERATOR.0, OPERATOR.1).await;
            for _ in 0..22 {
                send_code(&world, guesser, "000000").await;
                world.clock.advance_seconds(17);
            }
            let right = varco::authn::totp::code_at(&secret, world.clock.now());
            send_code(&world, guesser, &right).await
        };
        let locked = lock(&mut guesser).await;
        assert_eq!(locked.status, 429, "{way}: {}", locked.body);
        match way {
            "command" => {
                let done = world.command(&["operator", "unlock", OPERATOR.0]).done();
                assert_eq!(done["action"], "operator.unlock");
            }
            _ => {
                let change = if way == "desk" {
                    "unlock"
                } else {
                    "reset_factor"
                };
                let asked = format!(
                    "/admin/operators/confirm?name={}&change={change}",
                    OPERATOR.0
                );
                let asked = vera.get(&world.url(&asked)).await;
                let form = asked.form("/admin/operators/change");
                assert_eq!(vera.submit(&asked, &form).await.status, 303);
            }
        }
        if way == "reset" {
            enrol(&world, &mut guesser, OPERATOR.0, OPERATOR.1).await;
        } else {
            let right = varco::authn::totp::code_at(&secret, world.clock.now());
            let answer = send_code(&world, &mut guesser, &right).await;
            assert_eq!(answer.status, 303, "{way}: {}", answer.body);
        }
    }
    let actions: Vec<String> = told(&world)
        .into_iter()
        .map(|(action, ..)| action)
        .collect();
    for (action, times) in [("operator.unlock", 2), ("operator.reset_factor", 1)] {
        let count = actions.iter().filter(|known| *known == action).count();
        assert_eq!(count, times, "{actions:?}");
    }
}
