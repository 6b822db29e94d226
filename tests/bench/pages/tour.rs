//! The pages of [`super::stops`], asked for again and again.

use super::stops::{Landmarks, Request, Stop, of_citizen, of_desk};
use super::{Place, Sizes, milliseconds, percentile};
use crate::browser::Browser;
use std::time::{Duration, Instant};
use varco::launch::OPERATOR;

/// What every page shall take at most, at the 99th percentile.
const GOAL: Duration = Duration::from_millis(50);
/// How long they took.
struct Timed {
    name: String,
    /// Sorted.
    times: Vec<Duration>,
    /// Of the largest page.
    bytes: usize,
    /// Of the list.
    pages: usize,
}

pub struct Tour(Vec<Timed>);

pub fn measure(sizes: &Sizes, place: &Place) -> Tour {
    let found = Landmarks::find(place);
    let mut citizen = citizen(place, (&found.person.username, "varco-seed-password"));
    let mut desk = desk(place);
    let mut all = Vec::new();
    for stop in of_citizen(&mut citizen, &found) {
        all.push(time(&mut citizen, stop, sizes.repeats));
    }
    for stop in of_desk(&mut desk, &found) {
        all.push(time(&mut desk, stop, sizes.repeats));
    }
    Tour(all)
}

/// Somebody who logged in at the SPID issuer.
pub fn citizen(place: &Place, (username, password): (&str, &str)) -> Browser {
    let mut browser = Browser::new(&place.address);
    let fields = [("username", username), ("password", password)];
    let answer = browser.submit("/spid/login", "/spid/login", &fields);
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser
}

/// The operator.
pub fn desk(place: &Place) -> Browser {
    let mut browser = Browser::new(&place.address);
    let fields = [("username", OPERATOR.0), ("password", OPERATOR.1)];
    let answer = browser.submit("/admin/login", "/admin/login", &fields);
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser
}

fn time(browser: &mut Browser, stop: Stop, repeats: usize) -> Timed {
    browser.connect_again();
    let (mut times, mut bytes, mut refused) = (Vec::new(), 0, Vec::new());
    let mut token = String::new();
    for request in stop.requests.iter().cycle().take(repeats) {
        let answer = match request {
            Request::Get(path) => {
                let began = Instant::now();
                let answer = browser.get(path);
                times.push(began.elapsed());
                if answer.status != 200 {
                    refused.push(format!("{path}: status {}", answer.status));
                }
                answer
            }
            Request::Find(path, sought) => {
                if token.is_empty() {
                    browser
                        .get(path)
                        .hidden("csrf_token")
                        .clone_into(&mut token);
                }
                let fields = [("csrf_token", &token), ("sought", sought)]
                    .map(|(name, value)| (name.to_owned(), value.clone()));
                let began = Instant::now();
                let answer = browser.post(path, &fields);
                times.push(began.elapsed());
                assert!(matches!(answer.status, 303 | 422), "{}", answer.body);
                answer
            }
        };
        bytes = bytes.max(answer.body.len());
    }
    for line in refused.iter().take(3) {
        println!("NOT SHOWN {line}");
    }
    times.sort_unstable();
    Timed {
        name: stop.name,
        times,
        bytes,
        pages: stop.requests.len(),
    }
}

impl Tour {
    pub fn print(&self) {
        println!(
            "\n{:<52}{:>7}{:>9}{:>9}{:>9}{:>9}",
            "ms until the page is there", "pages", "p50", "p99", "max", "KiB"
        );
        for timed in &self.0 {
            let at = |percent| percentile(&timed.times, percent);
            let missed = if at(99) > milliseconds(GOAL) {
                "  MISSED"
            } else {
                ""
            };
            println!(
                "  {:<50}{:>7}{:>9.2}{:>9.2}{:>9.2}{:>9}{missed}",
                timed.name,
                timed.pages,
                at(50),
                at(99),
                at(100),
                timed.bytes / 1024,
            );
        }
        let mut all: Vec<Duration> = self
            .0
            .iter()
            .flat_map(|timed| timed.times.clone())
            .collect();
        all.sort_unstable();
        let slowest = self.0.iter().map(|timed| percentile(&timed.times, 99));
        println!(
            "  all pages: p50 {:.2}, p99 {:.2}, max {:.2}; slowest page's p99 {:.2} (goal 50)",
            percentile(&all, 50),
            percentile(&all, 99),
            percentile(&all, 100),
            slowest.fold(0.0, f64::max),
        );
    }
}
