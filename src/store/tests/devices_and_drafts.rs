//! Known browsers, forms that were not lost, consents about to end.

use super::*;
use crate::store::form_draft::FormDraft;

#[test]
fn a_browser_is_new_once_for_each_person() {
    on_both(|db| {
        let (ada, bruno) = (account("ada"), account("bruno"));
        let ids = [ada.id.clone(), bruno.id.clone()];
        db.write(move |conn| {
            account::insert(conn, &ada)?;
            account::insert(conn, &bruno)
        });
        let device = SecretHash::of("cookie");
        let until = NOW.plus_seconds(100);
        for id in &ids {
            let unknown = db.read(|conn| known_device::known_until(conn, id, &device));
            assert_eq!(unknown, None);
            let person = id.clone();
            let new =
                db.at_once(move |conn| known_device::upsert(conn, &person, &device, NOW, until));
            assert_eq!(new.into_iter().filter(|new| *new).count(), 1);
        }
        let (person, later) = (ids[0].clone(), NOW.plus_seconds(900));
        db.write(move |conn| known_device::upsert(conn, &person, &device, NOW, later));
        let known = |id| db.read(|conn| known_device::known_until(conn, id, &device));
        assert_eq!(known(&ids[0]), Some(later));
        assert_eq!(known(&ids[1]), Some(until));
    });
}

#[test]
fn a_draft_is_given_back_once_to_its_owner_on_its_page() {
    on_both(|db| {
        let id = SecretHash::of("cookie");
        db.write(move |conn| {
            form_draft::insert(
                conn,
                &FormDraft {
                    id,
                    owner: "account ada".to_owned(),
                    path: "/account/factor/add".to_owned(),
                    sealed: vec![1, 2],
                    expires_at: NOW.plus_seconds(60),
                },
            )
        });
        let take = |cookie: &str, owner: &'static str, path: &'static str, at: i64| {
            let id = SecretHash::of(cookie);
            db.write(move |conn| form_draft::redeem(conn, &id, (owner, path), NOW.plus_seconds(at)))
        };
        let path = "/account/factor/add";
        assert_eq!(take("other", "account ada", path, 0), None);
        assert_eq!(take("cookie", "account bruno", path, 0), None);
        assert_eq!(take("cookie", "operator ada", path, 0), None);
        assert_eq!(take("cookie", "account ada", "/account/password", 0), None);
        assert_eq!(take("cookie", "account ada", path, 60), None, "too late");
        assert_eq!(take("cookie", "account ada", path, 59), Some(vec![1, 2]));
        assert_eq!(take("cookie", "account ada", path, 59), None, "once");
    });
}

#[test]
fn people_are_told_once_that_a_consent_ends_that_somebody_can_still_use() {
    on_both(|db| {
        let person = account("ada");
        let id = person.id.clone();
        db.write(move |conn| account::insert(conn, &person));
        let days = |days: i64| NOW.plus_seconds(days * 86_400);
        let add = |change: fn(&mut Grant), with_token: bool| {
            let mut new = grant(&id);
            new.created_at = days(-300);
            new.expires_at = days(10);
            change(&mut new);
            let mut refresh = token(&new, TokenKind::Refresh, 1);
            refresh.expires_at = days(9);
            let key = new.id.clone();
            db.write(move |conn| {
                grant::insert(conn, &new)?;
                if with_token {
                    token::insert(conn, &refresh)?;
                }
                Ok(())
            });
            key
        };
        let told = add(|_| {}, true);
        let unusable = add(|_| {}, false);
        add(|grant| grant.offline_access = false, true);
        add(|grant| grant.revoked_at = Some(NOW), true);
        add(
            |grant| grant.expires_at = grant.expires_at.plus_seconds(5 * 86_400),
            true,
        );
        add(|grant| grant.expires_at = NOW, true);
        // Half of its life is still to come: it was given for days.
        add(
            |grant| grant.created_at = NOW.plus_seconds(-5 * 86_400),
            true,
        );
        let found = db.read(|conn| grant::ending_untold(conn, NOW, 14 * 86_400, 9));
        let found: std::collections::BTreeSet<_> = found
            .into_iter()
            .map(|grant| grant.id.to_string())
            .collect();
        assert_eq!(found, [told.to_string(), unusable.to_string()].into());
        let tell = |id: &GrantId| {
            let id = id.clone();
            db.at_once(move |conn| grant::note_end_told(conn, &id, NOW))
        };
        assert_eq!(tell(&told).into_iter().filter(|told| *told).count(), 1);
        assert!(!tell(&unusable).contains(&true));
        let left = db.read(|conn| grant::ending_untold(conn, NOW, 14 * 86_400, 9));
        assert!(left.is_empty());
    });
}

#[test]
fn consents_are_one_row_for_each_rp_by_pages_and_only_while_they_count() {
    on_both(|db| {
        let person = account("ada");
        let id = person.id.clone();
        db.write(move |conn| account::insert(conn, &person));
        for (number, name) in ["b", "a", "c", "a"].into_iter().enumerate() {
            let mut new = grant(&id);
            new.client_id = ClientId::new(format!("https://{name}.example.it/"));
            new.created_at = NOW.plus_seconds(i64::try_from(number).unwrap());
            new.expires_at = NOW.plus_seconds(1_000 * i64::try_from(number + 1).unwrap());
            new.offline_access = number == 3;
            let mut event = event(&new, new.created_at);
            event.rp_name = format!("{name} {number}");
            event.attributes = vec![format!("claim_{number}")];
            db.write(move |conn| {
                grant::insert(conn, &new)?;
                login_event::insert(conn, &event)
            });
        }
        let mut revoked = grant(&id);
        revoked.client_id = ClientId::new("https://0.example.it/");
        revoked.revoked_at = Some(NOW);
        db.write(move |conn| grant::insert(conn, &revoked));
        let page = |after: Option<&str>, at: i64| {
            let after = after.map(ClientId::new);
            let owner = (&issuer(), &id);
            db.read(|conn| consent::search(conn, owner, NOW.plus_seconds(at), after.as_ref(), 2))
        };
        let first = page(None, 0);
        let names: Vec<&str> = first.iter().map(|found| found.rp_name.as_str()).collect();
        assert_eq!(names, ["a 3", "b 0"], "the latest name");
        assert_eq!(first[0].since, NOW.plus_seconds(1));
        assert_eq!(first[0].until, NOW.plus_seconds(4_000));
        assert_eq!(first[0].attributes, ["claim_1", "claim_3"]);
        assert!(first[0].offline_access && !first[1].offline_access);
        let second = page(Some("https://b.example.it/"), 0);
        assert_eq!(second.len(), 1);
        assert_eq!(second[0].rp_name, "c 2");
        let later: Vec<String> = page(None, 3_000)
            .into_iter()
            .map(|found| found.rp_name)
            .collect();
        assert_eq!(later, ["a 3"]);
        assert!(page(Some("\0"), 0).is_empty());
    });
}
