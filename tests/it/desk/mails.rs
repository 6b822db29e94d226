//! Letters that were given up: seen, tried again, told in the trail; never what they say.

use super::PASSWORD;
use crate::harness::{ADA, Answer, Browser, World};
use varco::clock::Clock as _;
use varco::model::{MailMessage, MailState, Role};
use varco::store::{account, mail_message};

/// A letter to ada as the courier leaves it: given up, or waiting for its next attempt.
pub fn letter(world: &World, id: &str, kind: &str, state: MailState) {
    let now = world.clock.now();
    let later = now.plus_seconds(3_600);
    let (id, kind) = (id.to_owned(), kind.to_owned());
    world
        .app
        .shared
        .store
        .write_blocking(move |tx| {
            let ada = account::find_by_username(tx, ADA.0)?.unwrap();
            let new = MailMessage {
                id: id.clone(),
                account: ada.id,
                kind: kind.clone(),
                distinct: None,
                sealed: b"secret".to_vec(),
                state: MailState::Queued,
                attempts: 0,
                created_at: now,
                next_attempt_at: now,
                give_up_at: later,
                done_at: None,
                reason: None,
                expires_at: later,
            };
            mail_message::insert(tx, &new)?;
            mail_message::claim(tx, &id, "courier", now, later)?.unwrap();
            let (mine, reason) = ((id.as_str(), "courier"), "the server answered 550");
            let done = match state {
                MailState::Failed => mail_message::finish(tx, mine, state, Some(reason), now)?,
                MailState::Queued | MailState::Sent => {
                    mail_message::postpone(tx, mine, reason, later)?
                }
            };
            assert!(done);
            Ok::<_, varco::store::StoreError>(())
        })
        .unwrap();
    world.clock.advance_seconds(1);
}

fn state_of(world: &World, id: &str) -> MailState {
    let store = &world.app.shared.store;
    let found = store.read_blocking(|conn| mail_message::find(conn, id));
    found.unwrap().unwrap().state
}

async fn page(world: &World, desk: &mut Browser, query: &str) -> Answer {
    let page = desk.get(&world.url(&format!("/admin/mails{query}"))).await;
    assert_eq!(page.status, 200, "{}", page.body);
    page
}

/// Presses a button of the page.
async fn press(world: &World, desk: &mut Browser, (name, value): (&str, &str)) -> Answer {
    let shown = page(world, desk, "").await;
    let mut form = shown.form("/admin/logout");
    form.action = "/admin/mails".to_owned();
    let answer = desk.submit(&shown, &form.with(name, value)).await;
    if answer.status != 303 {
        return answer;
    }
    desk.get(&world.url(&answer.leads_to())).await
}

#[actix_web::test]
async fn a_letter_that_was_given_up_is_found_from_the_overview_and_tried_again() {
    for (world, _schema) in World::on_each_database() {
        let world = world.start();
        letter(&world, "waits", "password_changed", MailState::Queued);
        letter(&world, "first", "new_device", MailState::Failed);
        letter(&world, "second", "factor_added", MailState::Failed);
        letter(&world, "code", "email_code", MailState::Failed);
        let mut desk = world.desk().await;
        let overview = desk.get(&world.url("/admin/dashboard")).await;
        assert!(overview.body.contains("href=\"/admin/mails\""));
        let failed = page(&world, &mut desk, "").await;
        for shown in ["Nuovo accesso", "the server answered 550", ADA.0] {
            assert!(failed.text().contains(shown), "{shown}: {}", failed.text());
        }
        assert!(failed.body.contains("href=\"/admin/users/one?id="));
        assert!(!failed.body.contains("secret") && !failed.body.contains("@"));
        // A code that worked for minutes is of no use to anybody.
        assert_eq!(failed.body.matches("name=\"id\"").count(), 2);
        let queued = page(&world, &mut desk, "?state=queued").await;
        assert!(queued.text().contains("Password"), "{}", queued.text());
        assert!(!queued.body.contains("name=\"id\""));

        let told = press(&world, &mut desk, ("id", "first")).await;
        assert!(told.text().contains("sarà ritentata"), "{}", told.text());
        assert_eq!(state_of(&world, "first"), MailState::Queued);
        for (id, says) in [
            ("first", "in attesa o è già partita"),
            ("code", "valeva pochi minuti"),
            ("nothing", "non c’è più"),
            ("", "non c’è più"),
            ("a\0", "non c’è più"),
        ] {
            let refused = press(&world, &mut desk, ("id", id)).await;
            assert_eq!(refused.status, 409, "{id}");
            assert!(refused.text().contains(says), "{id}: {}", refused.text());
        }
        let told = press(&world, &mut desk, ("all", "yes")).await;
        assert!(told.text().contains("saranno ritentate"), "{}", told.text());
        assert_eq!(state_of(&world, "second"), MailState::Queued);
        assert_eq!(state_of(&world, "code"), MailState::Failed);
        let nothing = press(&world, &mut desk, ("all", "yes")).await;
        assert_eq!(nothing.status, 409, "{}", nothing.body);
        let trail = desk.get(&world.url("/admin/trail?action=mail.retry")).await;
        assert_eq!(trail.body.matches("mail first").count(), 1);
        assert!(trail.text().contains("new_device"), "{}", trail.text());
        assert!(!trail.body.contains("mail code"));
    }
}

#[actix_web::test]
async fn the_list_of_letters_goes_on_a_page_at_a_time() {
    let world = World::start();
    for n in 0..51 {
        letter(&world, &format!("m{n}"), "new_device", MailState::Failed);
    }
    let mut desk = world.desk().await;
    let first = page(&world, &mut desk, "").await;
    assert_eq!(first.body.matches("name=\"id\"").count(), 50);
    let next = first.body.split("href=\"/admin/mails?").skip(1);
    let next = next
        .map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"))
        .find(|query| query.contains("after="))
        .unwrap();
    let second = page(&world, &mut desk, &format!("?{next}")).await;
    assert_eq!(second.body.matches("name=\"id\"").count(), 1);
    assert!(second.body.contains("value=\"m0\""));
    let told = press(&world, &mut desk, ("all", "yes")).await;
    assert!(told.text().contains("Non ci sono e-mail non consegnate"));
}

#[actix_web::test]
async fn a_viewer_sees_letters_and_sends_none() {
    let world = World::start();
    world.add_operator("vera", Role::Viewer);
    letter(&world, "first", "new_device", MailState::Failed);
    let mut vera = world.desk_as("vera", PASSWORD).await;
    let shown = page(&world, &mut vera, "").await;
    assert!(shown.text().contains("the server answered 550"));
    assert!(!shown.body.contains("action=\"/admin/mails\""));
    let refused = press(&world, &mut vera, ("all", "yes")).await;
    assert_eq!(refused.status, 403);
    assert_eq!(state_of(&world, "first"), MailState::Failed);
}

#[actix_web::test]
async fn letters_are_listed_and_tried_again_by_commands() {
    let world = World::start();
    letter(&world, "waits", "password_changed", MailState::Queued);
    letter(&world, "-first", "new_device", MailState::Failed);
    letter(&world, "second", "new_device", MailState::Failed);
    letter(&world, "code", "email_code", MailState::Failed);
    let list = |words: &[&str]| world.command(&[&["mail", "list"], words].concat()).done();
    let failed = list(&[]);
    let mails = failed["mails"].as_array().unwrap();
    assert_eq!(mails.len(), 3, "{failed}");
    assert_eq!(mails[2]["id"], "-first");
    assert_eq!(mails[2]["username"], ADA.0);
    assert_eq!(mails[2]["reason"], "the server answered 550");
    assert_eq!(mails[0]["can_be_retried"], false);
    let page = list(&["--limit", "2"]);
    let rest = list(&["--limit", "2", "--after", page["next"].as_str().unwrap()]);
    assert_eq!(rest["mails"][0]["id"], "-first", "{rest}");
    assert!(rest["next"].is_null());
    assert_eq!(list(&["--state", "queued"])["mails"][0]["id"], "waits");
    let retry = |words: &[&str]| world.command(&[&["mail", "retry"], words].concat());
    retry(&[]).refused(2, "--all");
    retry(&["second", "--all"]).refused(2, "cannot be used with");
    retry(&["nothing"]).refused(1, "no such mail");
    retry(&["code"]).refused(1, "of no use");
    assert_eq!(retry(&["-first"]).done()["retried"], 1);
    retry(&["-first"]).refused(1, "not among those");
    assert_eq!(retry(&["--all"]).done()["retried"], 1);
    assert_eq!(retry(&["--all"]).done()["retried"], 0);
    let trail = world
        .command(&["operator", "trail", "--action", "mail.retry"])
        .done();
    assert_eq!(trail["entries"].as_array().unwrap().len(), 2, "{trail}");
}
