//! The main job: a citizen logs in.

use crate::harness::World;
use varco::demo::LoginOptions;

#[actix_web::test]
async fn a_citizen_logs_in_with_spid_and_the_rp_reads_the_attributes() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let tokens = world
        .login(world.rp(), &issuer, &LoginOptions::default())
        .await;
    let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/jwt");
    let subject = tokens.id_token["sub"].as_str().unwrap();
    let claims = world
        .rp()
        .open_userinfo(&issuer.metadata, &answer.body, subject)
        .unwrap();
    assert_eq!(claims["given_name"], "Ada");
}
