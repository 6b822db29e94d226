//! Repeated logins (settings `throttle.per_account_per_minute`, `throttle.per_address_per_minute`).

use crate::harness::{Answer, Browser, World, WorldBuilder};

fn limits(builder: WorldBuilder, per_account: u32, per_address: u32) -> World {
    builder
        .server(move |settings| {
            settings.throttle.per_account_per_minute = per_account;
            settings.throttle.per_address_per_minute = per_address;
            settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .start()
}

async fn attempt(world: &World, browser: &mut Browser, name: &str, password: &str) -> Answer {
    world.enter(browser, "spid", (name, password)).await
}

fn from(world: &World, address: &str) -> Browser {
    let mut browser = world.browser();
    browser
        .headers
        .push(("x-forwarded-for", address.to_owned()));
    browser
}

fn assert_throttled(answer: &Answer, seconds: &str) {
    assert_eq!(answer.status, 429, "{}", answer.body);
    assert_eq!(answer.header("retry-after"), seconds);
    assert!(answer.text().contains("Troppi tentativi."));
}

#[actix_web::test]
async fn guesses_at_one_account_wait_longer_each_time_and_do_not_lock_the_owner_out() {
    for (builder, _schema) in World::on_each_database() {
        let world = limits(builder, 2, 0);
        let mut browser = from(&world, "203.0.113.1");
        for _ in 0..2 {
            let answer = attempt(&world, &mut browser, "ada", "wrong").await;
            assert_eq!(answer.status, 422);
        }
        for delay in [1, 2, 4, 8] {
            // This one is judged, and starts the delay.
            let judged = attempt(&world, &mut browser, "ada", "wrong").await;
            assert_eq!(judged.status, 422, "{delay}");
            for password in ["wrong", "ada-demo"] {
                let refused = attempt(&world, &mut browser, "ada", password).await;
                assert_throttled(&refused, &delay.to_string());
            }
            let other = attempt(&world, &mut world.browser(), "bruno", "bruno-demo").await;
            assert_eq!(other.status, 200, "another account is not concerned");
            let mut owner = from(&world, "198.51.100.1");
            let owner = attempt(&world, &mut owner, "ada", "ada-demo").await;
            assert_eq!(owner.status, 200, "nor is the owner elsewhere");
            world.clock.advance_seconds(delay);
        }
        let right = attempt(&world, &mut browser, "ada", "ada-demo").await;
        assert_eq!(right.status, 200, "{}", right.body);
        // A success forgets the failures.
        let mut browser = from(&world, "203.0.113.1");
        for _ in 0..2 {
            let answer = attempt(&world, &mut browser, "ada", "wrong").await;
            assert_eq!(answer.status, 422);
        }
        let answer = attempt(&world, &mut browser, "ada", "ada-demo").await;
        assert_eq!(answer.status, 200);
    }
}

#[actix_web::test]
async fn guesses_at_one_account_from_ever_new_addresses_are_slowed_down_too() {
    let world = limits(World::builder(), 1, 0);
    // Ten times the limit of one address, and the one that starts the delay.
    for number in 0..=10 {
        let mut browser = from(&world, &format!("198.51.100.{number}"));
        let answer = attempt(&world, &mut browser, "ada", "wrong").await;
        assert_eq!(answer.status, 422, "{number}");
    }
    let mut browser = from(&world, "203.0.113.1");
    let refused = attempt(&world, &mut browser, "ada", "ada-demo").await;
    assert_throttled(&refused, "1");
    world.clock.advance_seconds(1);
    let answer = attempt(&world, &mut browser, "ada", "ada-demo").await;
    assert_eq!(answer.status, 200);
}

#[actix_web::test]
async fn guesses_from_one_address_wait_longer_each_time_at_whatever_account() {
    let world = limits(World::builder(), 0, 2);
    let mut browser = from(&world, "198.51.100.1");
    for name in ["a", "b"] {
        let answer = attempt(&world, &mut browser, name, "wrong").await;
        assert_eq!(answer.status, 422);
    }
    for delay in [1, 2, 4] {
        let judged = attempt(&world, &mut browser, "c", "wrong").await;
        assert_eq!(judged.status, 422);
        let refused = attempt(&world, &mut browser, "ada", "ada-demo").await;
        assert_throttled(&refused, &delay.to_string());
        world.clock.advance_seconds(delay);
    }
    let mut elsewhere = from(&world, "198.51.100.2");
    let answer = attempt(&world, &mut elsewhere, "ada", "ada-demo").await;
    assert_eq!(answer.status, 200, "another address is not concerned");
}

#[actix_web::test]
async fn one_ipv6_subscriber_is_one_address() {
    let world = limits(World::builder(), 0, 1);
    for (address, status) in [
        ("2001:db8:0:1::1", 422),
        ("2001:db8:0:1::2", 422),
        ("2001:db8:0:1:ffff:ffff:ffff:ffff", 429),
        ("2001:db8:0:2::1", 422),
    ] {
        let mut browser = from(&world, address);
        let answer = attempt(&world, &mut browser, "nobody", "wrong").await;
        assert_eq!(answer.status, status, "{address}");
    }
}

#[actix_web::test]
async fn zero_switches_a_limit_off() {
    let world = limits(World::builder(), 0, 0);
    let mut browser = world.browser();
    for _ in 0..8 {
        let answer = attempt(&world, &mut browser, "ada", "wrong").await;
        assert_eq!(answer.status, 422);
    }
    let answer = attempt(&world, &mut browser, "ada", "ada-demo").await;
    assert_eq!(answer.status, 200);
}
