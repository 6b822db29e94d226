//! `varco demo seed`.

use super::*;
use crate::clock::UtcTime;
use crate::model::{AccountId, ClientId, IssuerId};
use crate::provider::CONSENT_NOTICE_SECONDS;
use crate::store::login_count::{self, Span};
use crate::store::login_event::{self, EventsOf};
use crate::store::{account, client, grant, session};

const DAY: i64 = 86_400;

fn seed(shell: &Shell, more: &[&str]) -> Outcome {
    let data = shell.folder.path().to_str().unwrap();
    let arguments = [
        "demo", "--data", data, "seed", "--users", "30", "--rps", "5", "--logins", "400",
    ];
    shell.run(&[arguments.as_slice(), more].concat())
}

fn store(shell: &Shell) -> Store {
    let file = shell.folder.path().join("varco.toml");
    let settings = config::load(&file, &Environment::default()).unwrap();
    Store::open(&settings.database(false)).unwrap()
}

#[test]
fn a_data_set_has_a_year_of_logins_and_the_counters_that_go_with_them() {
    let shell = Shell::new();
    seed(&shell, &[]).done();
    let store = store(&shell);
    let now = shell.clock.now();
    let events = store
        .read_blocking(|conn| login_event::search_recent(conn, &EventsOf::All, None, 1_000))
        .unwrap()
        .rows;
    assert!((300..400).contains(&events.len()), "{}", events.len());
    let ages: Vec<i64> = events
        .iter()
        .map(|event| now.seconds_since(event.occurred_at))
        .collect();
    assert!(ages.iter().all(|age| (0..=366 * DAY).contains(age)));
    assert!(ages.iter().any(|age| *age > 330 * DAY) && ages.iter().any(|age| *age < 30 * DAY));
    // The first person logs in now and then, whoever looks at the data set.
    let first = AccountId::new("seed-1-a0");
    assert!(events.iter().any(|event| event.account == first));
    let person = store
        .read_blocking(|conn| account::find(conn, &first))
        .unwrap();
    assert!(person.unwrap().enabled);
    let sessions = store
        .read_blocking(|conn| session::search(conn, &Default::default(), None, 1_000))
        .unwrap();
    assert!(!sessions.rows.is_empty());
    let times = (now.plus_seconds(-400 * DAY), now.plus_seconds(1));
    let counted = store
        .read_blocking(|conn| login_count::series(conn, (Span::Day, DAY), times))
        .unwrap();
    assert_eq!(counted.iter().map(|sum| sum.number).sum::<i64>(), 400);
    let granted = counted.iter().filter(|sum| sum.result == "granted");
    let granted: i64 = granted.map(|sum| sum.number).sum();
    assert_eq!(usize::try_from(granted).unwrap(), events.len());
    let spid = IssuerId::new(SPID);
    let known = store
        .read_blocking(|conn| {
            client::find(conn, &spid, &ClientId::new("https://rp0.seed1.example.it"))
        })
        .unwrap();
    assert!(known.is_some());
    // Nobody is sent a letter of what a year of use would have told them long ago.
    let untold = |at: UtcTime| {
        let found = store
            .read_blocking(|conn| grant::ending_untold(conn, at, CONSENT_NOTICE_SECONDS, 1_000));
        found.unwrap().len()
    };
    assert_eq!(untold(now), 0);
    assert!(untold(now.plus_seconds(8 * DAY)) > 0, "when it is time");
}

#[test]
fn a_data_set_is_not_made_twice_and_another_one_stands_beside_it() {
    let shell = Shell::new();
    seed(&shell, &[]).done();
    seed(&shell, &[]).refused(1, "--seed 2");
    seed(&shell, &["--seed", "2"]).done();
    let people = store(&shell).read_blocking(account::count).unwrap();
    assert_eq!(people, 60);
}
