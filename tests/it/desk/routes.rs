//! The whole route table, walked by those who may not.

use super::PASSWORD;
use crate::harness::World;
use varco::endpoint::Method;
use varco::model::Role;
use varco::ui::desk::routes;

#[actix_web::test]
async fn every_route_of_the_desk_refuses_strangers_lesser_roles_and_forms_without_a_token() {
    let world = World::start();
    for role in Role::ALL {
        world.add_operator(role.name(), role);
    }
    let mut stranger = world.browser();
    let mut walked = 0;
    for route in routes() {
        let url = world.url(route.path);
        let what = format!("{:?} {}", route.method, route.path);
        let answer = match route.method {
            Method::Get => stranger.get(&url).await,
            Method::Post => stranger.post(&url, &[]).await,
        };
        assert_eq!(answer.status, 303, "{what}");
        let to = answer.leads_to();
        assert!(to.starts_with("/admin/login"), "{what}: {to}");
        walked += 1;
    }
    assert!(walked > 8);
    for role in Role::ALL {
        let mut browser = world.desk_as(role.name(), PASSWORD).await;
        for route in routes() {
            let url = world.url(route.path);
            let what = format!("{} {:?} {}", role.name(), route.method, route.path);
            let answer = match route.method {
                Method::Get => browser.get(&url).await,
                Method::Post => browser.post(&url, &[]).await,
            };
            match (role < route.least, route.method) {
                (true, _) => assert_eq!(answer.status, 403, "{what}"),
                (false, Method::Post) => {
                    assert_eq!(answer.status, 400, "{what}");
                    assert!(answer.text().contains("non è più valido"), "{what}");
                }
                // Without what it needs to know a page may say that there is nothing.
                (false, Method::Get) => {
                    assert!(
                        [200, 303, 400, 404].contains(&answer.status),
                        "{what}: {}",
                        answer.status
                    );
                }
            }
        }
        // A token of another session is none.
        let mut other = world.desk().await;
        let page = other.get(&world.url("/admin/trail")).await;
        let stolen = page.form("/admin/logout").fields;
        for route in routes().filter(|route| route.method == Method::Post && role >= route.least) {
            let answer = browser.post(&world.url(route.path), &stolen).await;
            assert_eq!(answer.status, 400, "{}", route.path);
        }
    }
}

#[actix_web::test]
async fn what_is_not_in_the_table_does_not_exist_and_other_methods_are_refused() {
    let world = World::start();
    let mut browser = world.desk().await;
    let answer = browser.get(&world.url("/admin/nothing")).await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.starts_with("<!doctype html>"));
    let answer = browser.get(&world.url("/admin/operators/change")).await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), "POST");
}
