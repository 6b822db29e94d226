//! What relying parties hold of one person, ended in batches.

use super::*;

#[test]
fn what_is_held_of_a_person_ends_in_batches_and_what_others_hold_stays() {
    on_both(|db| {
        let first = db.with_grant("ada");
        let other = db.with_grant("bruno");
        let ada = first.account.clone();
        let mut all = vec![first];
        for seconds in [1, 2] {
            let more = Grant {
                created_at: NOW.plus_seconds(seconds),
                ..grant(&ada)
            };
            all.push(more);
        }
        let expired = Grant {
            expires_at: NOW,
            ..grant(&ada)
        };
        let (new, others) = (all.clone(), other.clone());
        db.write(move |conn| {
            for more in new.iter().skip(1).chain([&expired]) {
                grant::insert(conn, more)?;
            }
            for of in new.iter().chain([&others]) {
                token::insert(conn, &token(of, TokenKind::Refresh, 0))?;
            }
            Ok(())
        });
        let of = ada.clone();
        let count = |most: u32| {
            let of = of.clone();
            db.read(move |conn| grant::count_live_of(conn, &of, NOW, most))
        };
        assert_eq!((count(10), count(2)), (3, 2));
        let revoke = || {
            let of = ada.clone();
            db.write(move |conn| grant::revoke_live_of(conn, &of, NOW, 2))
        };
        assert_eq!(revoke(), 2);
        assert_eq!(count(10), 1);
        assert_eq!(revoke(), 1);
        assert_eq!(revoke(), 0);
        for of in &all {
            let id = of.id.clone();
            let live = db.read(move |conn| token::count_live(conn, &id, NOW));
            assert_eq!(live, (0, 0));
        }
        let id = other.id.clone();
        let live = db.read(move |conn| token::count_live(conn, &id, NOW));
        assert_eq!(live, (0, 1), "somebody else's");
        let strange = AccountId::new("a\0");
        let none = db.write(move |conn| grant::revoke_live_of(conn, &strange, NOW, 2));
        assert_eq!(none, 0);
        let asked = [ada.clone(), AccountId::new("nobody")];
        let named = db.read(move |conn| account::usernames(conn, &asked));
        assert_eq!(named.get(&ada).map(String::as_str), Some("ada"));
        assert_eq!(named.len(), 1);
    });
}
