//! The people of the registry, as an operator finds and changes them.

use super::PASSWORD;
use crate::harness::{ADA, Answer, Browser, Form, World};
use varco::model::Role;

/// The page of whoever has this username.
pub async fn page_of(world: &World, browser: &mut Browser, username: &str) -> Answer {
    let list = browser
        .get(&world.url(&format!("/admin/users?by=username&text={username}")))
        .await;
    assert_eq!(list.status, 200);
    let link = list
        .body
        .split("href=\"")
        .map(|rest| rest.split('"').next().unwrap())
        .find(|link| link.starts_with("/admin/users/one?id="))
        .unwrap_or_else(|| panic!("{username}: {}", list.text()))
        .to_owned();
    browser.get(&world.url(&link)).await
}

/// What a search finds: the usernames.
async fn found(world: &World, browser: &mut Browser, query: &str) -> Vec<String> {
    let page = browser
        .get(&world.url(&format!("/admin/users?{query}")))
        .await;
    assert_eq!(page.status, 200, "{query}");
    page.body
        .split("<a href=\"/admin/users/one?id=")
        .skip(1)
        .map(|rest| {
            rest.split('>')
                .nth(1)
                .unwrap()
                .split('<')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect()
}

/// Follows a link of the page to a question, and says yes.
async fn confirm(world: &World, browser: &mut Browser, page: &Answer, change: &str) -> Answer {
    let link = page
        .body
        .split("href=\"")
        .map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"))
        .find(|link| link.contains(&format!("change={change}")))
        .unwrap_or_else(|| panic!("{change}: {}", page.body));
    let question = browser.get(&world.url(&link)).await;
    assert_eq!(question.status, 200, "{}", question.text());
    let form = question.form("/admin/users/change");
    browser.submit(&question, &form).await
}

/// The form of attributes as the page has filled it in.
pub fn filled(page: &Answer) -> Form {
    let mut form = page.form("/admin/users/edit");
    let value = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        let text = rest.split('"').next().unwrap();
        Some(text.replace("&quot;", "\"").replace("&amp;", "&"))
    };
    for tag in page.body.split("<input").skip(1) {
        let tag = tag.split('>').next().unwrap();
        if let Some(name) = value(tag, "name").filter(|name| name.starts_with("a-")) {
            form = form.with(&name, &value(tag, "value").unwrap());
        }
    }
    for select in page.body.split("<select").skip(1) {
        let name = value(select, "name").unwrap();
        let chosen = select.split("</select>").next().unwrap();
        let chosen = chosen
            .split("<option")
            .find(|tag| tag.contains(" selected"));
        if let Some(chosen) = chosen {
            form = form.with(&name, &value(chosen, "value").unwrap());
        }
    }
    form
}

async fn trail_of(world: &World, browser: &mut Browser, page: &Answer) -> Answer {
    let link = page
        .body
        .split("href=\"")
        .map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"))
        .find(|link| link.starts_with("/admin/trail?subject=user"))
        .unwrap();
    browser.get(&world.url(&link)).await
}

#[actix_web::test]
async fn people_are_found_by_username_fiscal_number_and_email_a_page_at_a_time() {
    let world = World::start();
    let mut olga = world.desk().await;
    let all = found(&world, &mut olga, "").await;
    assert!(all.len() > 1, "{all:?}");
    assert!(all.is_sorted());
    assert_eq!(
        found(&world, &mut olga, "by=username&text=nobody").await,
        [""; 0]
    );
    let ada = page_of(&world, &mut olga, ADA.0).await;
    assert!(ada.text().contains("Codice fiscale"), "{}", ada.text());
    for hostile in ["%25", "%00", "%22%3E%3Cscript%3E", "'", "_"] {
        for by in ["username", "fiscal_number", "email"] {
            let query = format!("by={by}&text={hostile}");
            assert_eq!(found(&world, &mut olga, &query).await, [""; 0], "{query}");
        }
    }
    let disabled = found(&world, &mut olga, "state=disabled").await;
    let enabled = found(&world, &mut olga, "state=enabled").await;
    assert_eq!(enabled.len() + disabled.len(), all.len());
    let wrong_cursor = found(&world, &mut olga, "after=%7B%7D").await;
    assert_eq!(wrong_cursor, all);
}

#[actix_web::test]
async fn somebody_is_added_and_what_is_wrong_is_said_at_its_field() {
    let world = World::start();
    let mut olga = world.desk().await;
    let page = olga.get(&world.url("/admin/users/add")).await;
    let filled = |name: &str, number: &str| {
        page.form("/admin/users/add")
            .with("username", name)
            .with("password", PASSWORD)
            .with("a-fiscal_number", number)
            .with("a-email", "Zoe@Example.it")
            .with("a-gender", "female")
            .with("a-address-locality", "Bolzano")
    };
    let wrong = olga.submit(&page, &filled("zoe", "not a number")).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("serve TINIT-"), "{}", wrong.text());
    for kept in [
        "value=\"zoe\"",
        "value=\"not a number\"",
        "value=\"Bolzano\"",
    ] {
        assert!(wrong.body.contains(kept), "{kept}");
    }
    assert!(wrong.body.contains("<option value=\"female\" selected>"));
    assert!(!wrong.body.contains(PASSWORD));
    let number = "TINIT-RSSZOE80A41H501Z";
    let taken = olga.submit(&page, &filled(ADA.0, number)).await;
    assert_eq!(taken.status, 422);
    assert!(taken.text().contains("Esiste già un utente"));
    let added = olga.submit(&page, &filled("zoe", number)).await;
    assert_eq!(added.status, 303, "{}", added.text());
    let zoe = olga.get(&world.url(&added.leads_to())).await;
    assert!(zoe.text().contains("L’utente è stato aggiunto"));
    assert!(zoe.text().contains("Bolzano"));
    for query in [
        "by=fiscal_number&text=rsszoe80a41h501z",
        "by=email&text=zoe%40",
        "by=username&text=zo",
    ] {
        assert_eq!(found(&world, &mut olga, query).await, ["zoe"], "{query}");
    }
    let trail = trail_of(&world, &mut olga, &zoe).await;
    assert!(trail.text().contains("user.add"), "{}", trail.text());
    assert!(trail.text().contains("zoe"));
    assert!(!trail.body.contains("argon2") && !trail.body.contains(PASSWORD));
    // Zoe logs in.
    let mut browser = world.browser();
    let login = browser.get(&world.url("/spid/login")).await;
    let form = login
        .form("/spid/login")
        .with("username", "zoe")
        .with("password", PASSWORD);
    assert_eq!(browser.submit(&login, &form).await.status, 303);
}

#[actix_web::test]
async fn attributes_change_one_by_one_and_the_second_of_two_operators_is_told() {
    let world = World::start();
    world.add_operator("vera", Role::Operator);
    let (mut olga, mut vera) = (world.desk().await, world.desk_as("vera", PASSWORD).await);
    let ada = page_of(&world, &mut olga, ADA.0).await;
    let edit = world.url(&format!("/admin/users/edit?{}", ada.url.query().unwrap()));
    let (first, second) = (olga.get(&edit).await, vera.get(&edit).await);
    let form = |page: &Answer, email: &str| {
        let mut form = filled(page);
        form.fields.retain(|(name, _)| name != "a-email");
        form.with("a-email", email)
    };
    let saved = olga.submit(&first, &form(&first, "new@example.it")).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let told = vera
        .submit(&second, &form(&second, "other@example.it"))
        .await;
    assert_eq!(told.status, 409);
    assert!(
        told.text().contains("qualcun altro ha modificato"),
        "{}",
        told.text()
    );
    assert!(told.text().contains("new@example.it"));
    assert!(told.body.contains("value=\"other@example.it\""));
    let again = filled(&told);
    assert_eq!(vera.submit(&told, &again).await.status, 303);
    let ada = page_of(&world, &mut olga, ADA.0).await;
    assert!(ada.text().contains("other@example.it"));
    let trail = trail_of(&world, &mut olga, &ada).await;
    assert_eq!(trail.body.matches("user.attributes").count(), 2);
    // What stayed is not told.
    assert!(!trail.text().contains("given_name"), "{}", trail.text());
}

#[actix_web::test]
async fn a_disabled_user_is_logged_out_everywhere_and_comes_back_when_enabled() {
    let world = World::start();
    let mut browser = world.browser();
    let login = browser.get(&world.url("/spid/login")).await;
    let form = login
        .form("/spid/login")
        .with("username", ADA.0)
        .with("password", ADA.1);
    assert_eq!(browser.submit(&login, &form).await.status, 303);
    assert_eq!(browser.get(&world.url("/spid/history")).await.status, 200);
    let mut olga = world.desk().await;
    let ada = page_of(&world, &mut olga, ADA.0).await;
    let done = confirm(&world, &mut olga, &ada, "disable").await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(browser.get(&world.url("/spid/history")).await.status, 303);
    let ada = olga.get(&world.url(&done.leads_to())).await;
    assert!(ada.text().contains("disabilitato"), "{}", ada.text());
    let mut form = ada.form("/admin/users/change");
    form.fields
        .retain(|(name, _)| name == "csrf_token" || name == "id");
    let enabled = olga.submit(&ada, &form.with("change", "enable")).await;
    assert_eq!(enabled.status, 303, "{}", enabled.text());
    let again = browser.get(&world.url("/spid/login")).await;
    let form = again
        .form("/spid/login")
        .with("username", ADA.0)
        .with("password", ADA.1);
    assert_eq!(browser.submit(&again, &form).await.status, 303);
    // One session, then all.
    let ada = page_of(&world, &mut olga, ADA.0).await;
    let done = confirm(&world, &mut olga, &ada, "end_session&").await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(browser.get(&world.url("/spid/history")).await.status, 303);
    let trail = trail_of(&world, &mut olga, &ada).await;
    for action in ["user.disable", "user.enable", "user.end_session"] {
        assert!(trail.body.contains(action), "{action}");
    }
}

#[actix_web::test]
async fn a_viewer_sees_people_and_nothing_to_press() {
    let world = World::start();
    world.add_operator("vera", Role::Viewer);
    let mut vera = world.desk_as("vera", PASSWORD).await;
    let ada = page_of(&world, &mut vera, ADA.0).await;
    assert!(
        !ada.body.contains("/admin/users/change") && !ada.body.contains("/admin/users/confirm")
    );
    let id = ada.url.query().unwrap().to_owned();
    let refused = vera
        .get(&world.url(&format!("/admin/users/edit?{id}")))
        .await;
    assert_eq!(refused.status, 403);
}

#[actix_web::test]
async fn a_password_and_second_factors_are_set_and_reset_without_being_told() {
    let world = World::start();
    let mut olga = world.desk().await;
    let ada = page_of(&world, &mut olga, ADA.0).await;
    let form = |word: &str| {
        let mut form = ada.form("/admin/users/change");
        form.fields
            .retain(|(name, _)| name == "csrf_token" || name == "id");
        form.with("change", "password").with("password", word)
    };
    let long = "x".repeat(1025);
    for word in [long.as_str(), "x", "seven77", ""] {
        let wrong = olga.submit(&ada, &form(word)).await;
        assert_eq!(wrong.status, 422, "{word}");
        assert!(wrong.text().contains("almeno 8 caratteri"), "{word}");
        assert!(wrong.body.contains("id=\"password-error\""), "{word}");
    }
    let add = olga.get(&world.url("/admin/users/add")).await;
    let zoe = add.form("/admin/users/add").with("username", "zoe");
    let wrong = olga.submit(&add, &zoe.with("password", "seven77")).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.body.contains("id=\"password-error\""),
        "{}",
        wrong.text()
    );
    assert!(wrong.text().contains("almeno 8 caratteri"));
    assert_eq!(olga.submit(&ada, &form("another secret")).await.status, 303);
    let mut browser = world.browser();
    for (word, status) in [(ADA.1, 422), ("another secret", 303)] {
        let login = browser.get(&world.url("/spid/login")).await;
        let form = login
            .form("/spid/login")
            .with("username", ADA.0)
            .with("password", word);
        assert_eq!(browser.submit(&login, &form).await.status, status);
    }
    let done = confirm(&world, &mut olga, &ada, "no_password").await;
    assert_eq!(done.status, 303);
    let ada = olga.get(&world.url(&done.leads_to())).await;
    if ada.body.contains("change=remove_factor") {
        let done = confirm(&world, &mut olga, &ada, "reset_factors").await;
        assert_eq!(done.status, 303);
    }
    let ada = page_of(&world, &mut olga, ADA.0).await;
    assert!(!ada.body.contains("change=remove_factor"));
    let trail = trail_of(&world, &mut olga, &ada).await;
    assert!(trail.body.contains("user.password"));
    assert!(!trail.body.contains("another secret") && !trail.body.contains("argon2"));
}
