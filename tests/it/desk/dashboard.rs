//! The overview: what was counted of real logins, and who may see it.

use super::PASSWORD;
use crate::harness::World;
use varco::demo::LoginOptions;
use varco::model::Role;

#[actix_web::test]
async fn a_login_shows_in_the_overview_at_once_as_a_picture_and_as_a_table() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        world.add_operator("vera", Role::Viewer);
        let mut vera = world.desk_as("vera", PASSWORD).await;
        let url = world.url("/admin/dashboard");
        let before = vera.get(&url).await;
        assert_eq!(before.status, 200, "{}", before.body);
        assert!(!before.body.contains("class=\"chart\""));
        let issuer = world.issuer("spid").await;
        let mut citizen = world.browser();
        let options = LoginOptions::default();
        world
            .code_with(&mut citizen, world.rp(), &issuer, &options)
            .await;
        for range in ["day", "week", "month", "year", "nonsense"] {
            let page = vera
                .get(&world.url(&format!("/admin/dashboard?range={range}")))
                .await;
            assert_eq!(page.status, 200, "{}", page.body);
            // By result, level, issuer and relying party; nothing was refused.
            assert_eq!(page.body.matches("class=\"chart\"").count(), 4, "{range}");
            assert!(page.body.contains("concessi: 1"), "{}", page.body);
            assert!(page.body.contains("<rect class=\"chart-0\""));
            assert!(!page.body.contains("style="));
            assert!(page.text().contains(world.rp().entity_id()));
        }
    }
}
