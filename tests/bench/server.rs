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
use varco::secret::Secret;

/// A server process.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    /// Keys, configuration, log, and the database if it is SQLite.
    pub folder: &'a Path,
    /// Where it listens.
    pub address: &'a str,
    /// Where the demonstration's entities are: at another node, if this is a second one.
    pub base: &'a str,
    /// PostgreSQL.
    pub database: Option<&'a str>,
}

impl<'a> Node<'a> {
    /// The only one, on SQLite.
    pub fn single(folder: &'a Path, address: &'a str) -> Self {
        Self {
            folder,
            address,
            base: address,
            database: None,
        }
    }

    /// Starts the process; returns once it listens.
    pub fn start(&self, cores: &Cores) -> Process {
        let port = self.address.rsplit(':').next().unwrap();
        let log = self.folder.join(format!("server-{port}.log"));
        let file = std::fs::File::create(&log).unwrap();
        let folder = self.folder.to_str().unwrap();
        let database = self.database.unwrap_or_default();
        let arguments = ["serve", folder, self.address, self.base, database];
        let mut process = Process::start(cores, &arguments, Stdio::from(file));
        assert_eq!(process.line(), "ready", "see {}", log.display());
        process
    }

    /// The process itself.
    pub fn serve(&self) {
        // As `varco serve` logs.
        env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info"))
            .format_target(false)
            .init();
        // actix-web starts as many workers as this process has cores: one.
        actix_web::rt::System::new().block_on(async {
            let listener = TcpListener::bind(self.address).unwrap();
            let demonstration = Demonstration::open(
                &format!("http://{}", self.base),
                self.folder,
                keys(self.folder),
                Arc::new(SystemClock),
                |settings| self.adjust(settings),
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

    fn adjust(&self, settings: &mut ServerSettings) {
        // The clients log in once each, at one address and with few accounts.
        settings.throttle.per_address_per_minute = 0;
        settings.throttle.per_account_per_minute = 0;
        if let Some(url) = self.database {
            settings.database_url = Secret::new(url.to_owned());
        }
    }
}

/// The keys of the demonstration's entities: the load process signs with those of the relying party.
pub fn keys(folder: &Path) -> DemoKeys {
    DemoKeys::load_or_create(&folder.join("demo-keys")).unwrap()
}
