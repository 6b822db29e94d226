//! The load program of `make bench`: browsers and a relying party against a server in a process of its own.
//!
//! ```text
//! bench (this process, its own cores)                 bench serve (one core)
//!   N clients, keep-alive ──── HTTP on loopback ────►   the demonstration on SQLite, synchronous FULL, RS256
//!   reads /proc/<pid>/stat and status of ─────────────►
//!   bench floor (the server's core): the same cryptography in a tight loop, while the server rests
//! ```
//! A login is: authorization, login (single sign-on, no password), consent page, consent, token, userinfo; the relying
//! party verifies every token. Load, userinfo, entity configuration and floor take turns, round by round, so that a
//! noisy machine disturbs all of them alike; the report has the medians of the rounds.
//!
//! After the rounds: logins while ten thousand requests name hosts that never answer ([`flood`]), and what the resolution of
//! a relying party costs ([`resolution`], in this process).
//!
//! - `VARCO_BENCH_LOGINS=100000`: so many logins instead of a fixed time, for the memory after them.
//! - `VARCO_BENCH_ROUNDS`, `VARCO_BENCH_CLIENTS`, `VARCO_BENCH_PROFILE` (`spid`, `cie`).
//! - `VARCO_BENCH_HOLD=login` (or `userinfo`, `configuration`): that load alone, for a profiler.
//! - `VARCO_BENCH=pages`: something else, the pages of people and operators over a large data set ([`pages`]).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for developers: it prints, and what it does not expect has to stop it"
)]

mod browser;
mod child;
mod flood;
mod floor;
mod http;
mod load;
mod options;
mod pages;
mod report;
mod resolution;
mod rounds;
mod server;

fn main() {
    // `cargo bench` adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] if std::env::var("VARCO_BENCH").as_deref() == Ok("pages") => pages::run(),
        [] => rounds::run(&options::Options::from_environment()),
        ["serve", folder, address, base, database] => server::Node {
            folder: folder.as_ref(),
            address,
            base,
            database: Some(*database).filter(|url| !url.is_empty()),
        }
        .serve(),
        ["floor", sizes] => floor::serve(sizes),
        ["varco", database, rest @ ..] => pages::varco(database, rest),
        other => panic!("unknown arguments {other:?}"),
    }
}
