use super::Browser;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use varco::clock::{Clock, ManualClock, UtcTime};
use varco::config::{IssuerSettings, ServerSettings};
use varco::demo::{DemoFederation, DemoKeys, RelyingParty};
use varco::jose::KeyEncryptionKey;
use varco::keys;
use varco::launch::Demonstration;
use varco::model::IssuerId;
use varco::provider::Provider;
use varco::store::{StoreError, signing_key};
use varco::web::{App, Running};

/// The time at which every world begins: 2026-01-15 09:00 UTC.
pub const START: UtcTime = UtcTime(1_768_467_600);

/// What the template's issuers are called; replaced by the world's own address.
const TEMPLATE_BASE: &str = "http://127.0.0.1:1";

/// A database with keys and users, made once a process: key generation and password hashing take a second.
static TEMPLATE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::starting_at(START));
    let demonstration = Demonstration::open(
        TEMPLATE_BASE,
        folder.path(),
        DemoKeys::generate_fast().unwrap(),
        clock,
        fast,
    )
    .unwrap();
    // Closing folds the write-ahead log into the file that is copied.
    let store = demonstration.app.shared.store.clone();
    drop(demonstration);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    std::thread::spawn(move || runtime.block_on(store.close()))
        .join()
        .unwrap();
    folder
});

/// Smaller keys, and no waiting for the disk: worlds are thrown away.
fn fast(settings: &mut ServerSettings) {
    for issuer in &mut settings.issuers {
        issuer.federation_signing_alg = "ES256".to_owned();
    }
}

/// A running world.
pub struct World {
    /// `http://127.0.0.1:PORT`, or `http://localhost:PORT`.
    pub base: String,
    /// Stands still until it is moved.
    pub clock: Arc<ManualClock>,
    /// The issuers.
    pub app: App,
    /// Trust anchor, intermediate, relying parties.
    pub federation: Arc<DemoFederation>,
    /// The database and key file.
    pub folder: tempfile::TempDir,
    /// Serves as long as the test's runtime lives.
    _running: Running,
}

/// A change of the settings.
type Change = Box<dyn FnOnce(&mut ServerSettings)>;

/// A world to be, with changes.
#[derive(Default)]
pub struct WorldBuilder {
    changes: Vec<Change>,
    has_name: bool,
}

impl WorldBuilder {
    /// Changes the settings of the process.
    #[must_use]
    pub fn server(mut self, change: impl FnOnce(&mut ServerSettings) + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Changes the settings of every issuer.
    #[must_use]
    pub fn issuers(self, change: impl Fn(&mut IssuerSettings) + 'static) -> Self {
        self.server(move |settings| settings.issuers.iter_mut().for_each(&change))
    }

    /// At `localhost` instead of an address: browsers use security keys only where there is a name.
    #[must_use]
    pub fn at_a_name(mut self) -> Self {
        self.has_name = true;
        self
    }

    /// Starts it.
    pub fn start(self) -> World {
        let folder = tempfile::tempdir().unwrap();
        World::in_folder(folder, self)
    }
}

impl World {
    /// A world as the demonstration is, with smaller keys.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// A world with changed settings.
    pub fn builder() -> WorldBuilder {
        WorldBuilder::default()
    }

    fn in_folder(folder: tempfile::TempDir, builder: WorldBuilder) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut base = format!("http://{}", listener.local_addr().unwrap());
        if builder.has_name {
            base = base.replace("127.0.0.1", "localhost");
        }
        let changes = builder.changes;
        copy_template(folder.path(), &base);
        let clock = Arc::new(ManualClock::starting_at(START));
        let demonstration = Demonstration::open(
            &base,
            folder.path(),
            DemoKeys::generate_fast().unwrap(),
            clock.clone(),
            |settings| {
                fast(settings);
                changes.into_iter().for_each(|change| change(settings));
            },
        )
        .unwrap();
        let running = demonstration.serve(listener).unwrap();
        Self {
            base,
            clock,
            app: demonstration.app,
            federation: demonstration.federation,
            folder,
            _running: running,
        }
    }

    /// An address of this world.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A new browser without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new()
    }

    /// The RP directly below the trust anchor.
    pub fn rp(&self) -> &RelyingParty {
        self.federation.relying_party()
    }

    /// One of the issuers: `spid`, `cie`, `oidc`.
    pub fn provider(&self, profile: &str) -> &Arc<Provider> {
        self.app
            .providers
            .iter()
            .find(|op| op.profile.name == profile)
            .unwrap()
    }
}

/// Copies database and key file, and seals the keys anew for this world's issuers.
fn copy_template(folder: &Path, base: &str) {
    for name in ["varco.db", "varco.key"] {
        std::fs::copy(TEMPLATE.path().join(name), folder.join(name)).unwrap();
    }
    let store = varco::store::Store::open(&varco::store::DatabaseSettings {
        url: format!("sqlite://{}", folder.join("varco.db").display()),
        pool_size: 1,
        sqlite_synchronous: varco::store::SqliteSynchronous::Normal,
        migrate: false,
    })
    .unwrap();
    let text = std::fs::read_to_string(folder.join("varco.key")).unwrap();
    let key = KeyEncryptionKey::parse(text.trim()).unwrap();
    let base = base.to_owned();
    store
        .write_blocking(move |connection| -> Result<(), StoreError> {
            for path in ["spid", "cie", "oidc"] {
                let template = IssuerId::new(format!("{TEMPLATE_BASE}/{path}/"));
                let issuer = IssuerId::new(format!("{base}/{path}/"));
                for mut stored in signing_key::search(connection, &template)? {
                    let private = keys::open(&key, &stored).unwrap();
                    stored.sealed = keys::seal(&key, &issuer, &private).unwrap();
                    stored.issuer = issuer.clone();
                    signing_key::insert(connection, &stored)?;
                }
            }
            Ok(())
        })
        .unwrap();
}
