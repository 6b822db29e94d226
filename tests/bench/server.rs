//! `bench serve`: the demonstration as a process of its own, until its input ends.

use crate::child::{Cores, Process};
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use varco::clock::SystemClock;
use varco::config::ServerSettings;
use varco::demo::DemoKeys;
use varco::launch::Demonstration;

/// Starts the server process; returns once it listens.
pub fn start(cores: &Cores, folder: &Path, address: &str) -> Process {
    let log = std::fs::File::create(folder.join("server.log")).unwrap();
    let folder = folder.to_str().unwrap();
    let mut process = Process::start(cores, &["serve", folder, address], Stdio::from(log));
    assert_eq!(process.line(), "ready", "see {folder}/server.log");
    process
}

/// The keys of the demonstration's entities: the load process signs with those of the relying party.
pub fn keys(folder: &Path) -> DemoKeys {
    DemoKeys::load_or_create(&folder.join("demo-keys")).unwrap()
}

pub fn serve(folder: &Path, address: &str) {
    // As `varco serve` logs.
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info"))
        .format_target(false)
        .init();
    // actix-web starts as many workers as this process has cores: one.
    actix_web::rt::System::new().block_on(async {
        let listener = TcpListener::bind(address).unwrap();
        let demonstration = Demonstration::open(
            &format!("http://{address}"),
            folder,
            keys(folder),
            Arc::new(SystemClock),
            without_throttle,
        )
        .unwrap();
        let running = demonstration.serve(listener).unwrap();
        println!("ready");
        let handle = running.handle.clone();
        std::thread::spawn(move || {
            let _ended = std::io::stdin().read_to_end(&mut Vec::new());
            drop(handle.stop(true));
        });
        running.until_stopped().await.unwrap();
    });
}

/// The clients log in once each, at one address and with few accounts.
fn without_throttle(settings: &mut ServerSettings) {
    settings.throttle.per_address_per_minute = 0;
    settings.throttle.per_account_per_minute = 0;
}
