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
