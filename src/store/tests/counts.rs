//! What the dashboard draws: counted logins and refusals, and the nodes that are alive.

use super::*;
use crate::store::login_count::{EndedLogin, HOURS_KEPT_SECONDS, LoginResult, Span};
use crate::store::node::Node;
use crate::store::purge::{PurgeLimits, purge_expired_blocking};

const DAY: i64 = 86_400;

fn login(client_id: ClientId, result: LoginResult, seconds: i64) -> EndedLogin {
    EndedLogin {
        issuer: issuer(),
        client_id,
        acr: "L2".into(),
        result,
        at: NOW.plus_seconds(seconds),
    }
}

#[test]
fn logins_are_summed_by_bucket_and_relying_party() {
    on_both(|db| {
        db.write(|conn| {
            for n in 0..6 {
                login_count::count(conn, &login(rp(), LoginResult::Granted, n * 3_600))?;
            }
            login_count::count(conn, &login(rp(), LoginResult::Failed, 0))?;
            login_count::count(conn, &login(other_rp(), LoginResult::Granted, 2 * DAY))
        });
        let (from, until) = (NOW, NOW.plus_seconds(3 * DAY));
        let sums = |span: Span| -> Vec<(String, i64)> {
            let bars = (span, span.seconds());
            let found = db.read(|conn| login_count::series(conn, bars, (from, until)));
            found
                .into_iter()
                .map(|sum| (sum.result, sum.number))
                .collect()
        };
        let of = |text: &str, number| (text.to_owned(), number);
        assert_eq!(sums(Span::Hour).len(), 8);
        let days = sums(Span::Day);
        assert_eq!(days.iter().map(|(_, number)| number).sum::<i64>(), 8);
        assert!(days.contains(&of("failed", 1)));
        let all = db.read(|conn| {
            let bars = (Span::Hour, 2 * DAY);
            login_count::series(conn, bars, (from, until))
        });
        let bars: Vec<_> = all.iter().map(|sum| (sum.bucket_at, sum.number)).collect();
        let second = from.plus_seconds(2 * DAY);
        assert_eq!(
            bars,
            [(from, 1), (from, 6), (second, 1)],
            "failed, granted; granted"
        );
        for span in [Span::Day, Span::Month] {
            let (busy, counters) =
                db.read(|conn| login_count::busiest(conn, span, (from, until), 9));
            // PostgreSQL has several for a bucket.
            assert!(counters >= 2);
            let numbers: Vec<_> = busy
                .iter()
                .map(|one| (one.client_id.as_str(), one.number))
                .collect();
            assert_eq!(
                numbers,
                [(rp().as_str(), 6), (other_rp().as_str(), 1)],
                "{span:?}"
            );
        }
        let (one, counters) =
            db.read(|conn| login_count::busiest(conn, Span::Day, (from, until), 1));
        assert_eq!(one.len(), 1);
        assert!(counters >= 2);
    });
}

#[test]
fn granted_logins_of_some_relying_parties_are_summed_by_bucket() {
    on_both(|db| {
        db.write(|conn| {
            for (client_id, result, day) in [
                (rp(), LoginResult::Granted, 0),
                (rp(), LoginResult::Granted, 0),
                (rp(), LoginResult::Failed, 0),
                (rp(), LoginResult::Granted, 2),
                (other_rp(), LoginResult::Granted, 1),
                (other_rp(), LoginResult::Denied, 1),
            ] {
                login_count::count(conn, &login(client_id, result, day * DAY))?;
            }
            Ok(())
        });
        let times = (NOW, NOW.plus_seconds(3 * DAY));
        let sums = |clients: &[ClientId], span| -> Vec<(String, UtcTime, i64)> {
            let found = db.read(|conn| login_count::granted_of(conn, clients, span, times));
            assert!(found.iter().all(|sum| sum.issuer == issuer().as_str()));
            found
                .into_iter()
                .map(|sum| (sum.client_id, sum.bucket_at, sum.number))
                .collect()
        };
        let of = |client_id: ClientId, span: Span, day, number| {
            let at = span.bucket_of(NOW.plus_seconds(day * DAY));
            (client_id.to_string(), at, number)
        };
        let others = of(other_rp(), Span::Day, 1, 1);
        let mut days = [
            of(rp(), Span::Day, 0, 2),
            of(rp(), Span::Day, 2, 1),
            others.clone(),
        ];
        days.sort();
        assert_eq!(sums(&[rp(), other_rp()], Span::Day), days);
        assert_eq!(sums(&[other_rp()], Span::Day), [others]);
        let month = sums(&[other_rp()], Span::Month);
        assert_eq!(month, [of(other_rp(), Span::Month, 1, 1)]);
        assert_eq!(sums(&[], Span::Day), []);
        let nobody = ClientId::new("https://nobody.example.it");
        assert_eq!(sums(&[nobody], Span::Day), []);
    });
}

#[test]
fn logins_that_end_at_the_same_time_are_all_counted() {
    on_both(|db| {
        db.at_once(|conn| login_count::count(conn, &login(rp(), LoginResult::Granted, 0)));
        let times = (NOW, NOW.plus_seconds(1));
        let found = db.read(|conn| login_count::series(conn, (Span::Hour, 3_600), times));
        assert_eq!(found.iter().map(|sum| sum.number).sum::<i64>(), 20);
    });
}

#[test]
fn every_refusal_is_counted_once_though_only_the_last_ones_are_kept() {
    on_both(|db| {
        let refusals: Vec<Refusal> = (0..50)
            .map(|n| Refusal {
                reference: (n / 2).to_string(),
                issuer: issuer(),
                unverified_client_id: rp(),
                refused_at: NOW,
                event: "token.refused".to_owned(),
                code: "invalid_grant".to_owned(),
                description: String::new(),
                reason: String::new(),
            })
            .collect();
        db.write(move |conn| refusal::insert(conn, &refusals));
        for span in [Span::Hour, Span::Day] {
            let times = (NOW, NOW.plus_seconds(1));
            let found = db.read(|conn| login_count::refusals(conn, span, times));
            assert_eq!((found.len(), found[0].number), (1, 25));
            assert_eq!(found[0].code, "invalid_grant");
        }
    });
}

#[test]
fn counts_end_with_the_history_and_hours_sooner_and_a_node_that_is_gone_in_a_day() {
    on_both(|db| {
        let node = Node {
            clock_off: Some(-7),
            id: "one".into(),
            address: "192.0.2.1:443".into(),
            version: "0".into(),
            started_at: NOW,
            seen_at: NOW,
        };
        let mut again = node.clone();
        again.seen_at = NOW.plus_seconds(5);
        db.write(move |conn| {
            login_count::count(conn, &login(rp(), LoginResult::Granted, 0))?;
            node::upsert(conn, &node)?;
            node::upsert(conn, &again)
        });
        let alive = |seconds| {
            db.read(|conn| node::search(conn, NOW.plus_seconds(seconds)))
                .len()
        };
        assert_eq!((alive(5), alive(6)), (1, 0));
        let limits = PurgeLimits {
            history_retention_days: 730,
        };
        let rows = |seconds: i64| {
            let count = purge_expired_blocking(&db.store, NOW.plus_seconds(seconds), limits);
            let of = |table| {
                let all = count.as_ref().unwrap().0.iter();
                all.filter(|(name, _)| *name == table)
                    .map(|(_, rows)| rows)
                    .sum::<u64>()
            };
            (of("login_count"), of("node"))
        };
        assert_eq!(rows(DAY), (0, 0));
        assert_eq!(rows(DAY + 6), (0, 1));
        assert_eq!(rows(HOURS_KEPT_SECONDS + 3_600), (1, 0));
        assert_eq!(rows(760 * DAY), (3, 0));
    });
}
