//! Putting a process together: `varco serve` and `varco demo`; and `varco demo ta`, which asks a running one.

mod demo;
mod demo_ta;

pub use demo::{Demonstration, OPERATOR, demo};
pub use demo_ta::demo_ta;

use crate::accounts::{PasswordHasher, second_factor};
use crate::cli::ServeOptions;
use crate::clock::{Clock, SystemClock};
use crate::config::ServerSettings;
use crate::endpoint::quote;
use crate::federation::{FetchLimits, HttpFetcher, Resolver, resolver::ResolutionLimits};
use crate::keys;
use crate::provider::{OverviewSums, Provider, Refusals, Shared};
use crate::store::Store;
use crate::ui::{Pages, logo_url};
use crate::web::{self, App};
use std::sync::Arc;

/// Opens database, keys and templates, and makes the issuers.
///
/// In development missing keys are made; otherwise `varco keys init` has to have been run. Blocks.
///
/// # Errors
/// One line that says what is wrong and what to do.
pub fn open(settings: ServerSettings, migrate: bool, clock: Arc<dyn Clock>) -> Result<App, String> {
    let store = Store::open(&settings.database(migrate)).map_err(|error| error.to_string())?;
    if settings.development {
        keys::init(&store, &settings, clock.now()).map_err(|error| error.to_string())?;
    }
    let key_encryption_key = keys::load_key(&settings).map_err(|error| error.to_string())?;
    second_factor::seal_readable(&store, &key_encryption_key, clock.now())
        .map_err(|error| error.to_string())?;
    let fetcher = HttpFetcher::new(FetchLimits::default(), settings.development, None)
        .map_err(|error| error.to_string())?;
    let pages = Pages::new(settings.override_dir.as_deref()).map_err(|error| error.to_string())?;
    let issuers = settings.issuers.clone();
    for issuer in &issuers {
        let logo = issuer.branding.logo.as_deref();
        if let (Some(logo), None) = (logo, logo_url(&issuer.branding, pages.assets())) {
            let what = format!(
                "issuer {}: branding.logo: no static file {logo}; the profile's own is shown",
                issuer.id
            );
            log::warn!("event=configuration.warning what={}", quote(what));
        }
    }
    let shared = Arc::new(Shared {
        resolver: Resolver::new(
            Arc::new(fetcher),
            clock.clone(),
            ResolutionLimits::default(),
        ),
        passwords: PasswordHasher::default(),
        store,
        clock,
        key_encryption_key,
        refusals: Refusals::default(),
        overview: OverviewSums::default(),
        server: settings,
    });
    let mut providers = Vec::new();
    for issuer in issuers {
        let provider = Provider::open(shared.clone(), issuer).map_err(|error| error.to_string())?;
        keys::require_keys(&provider.settings, &provider.rings())
            .map_err(|error| error.to_string())?;
        providers.push(Arc::new(provider));
    }
    Ok(App {
        shared,
        providers,
        pages: Arc::new(pages),
    })
}

/// `varco serve`.
///
/// # Errors
/// Why it did not start, or how it ended.
pub fn serve(options: ServeOptions) -> Result<(), String> {
    start_logging();
    for warning in &options.settings.warnings {
        log::warn!("event=configuration.warning what={}", quote(warning));
    }
    if options.settings.development {
        log::warn!(
            "event=development what=\"not for production: http, loopback and a default salt are allowed\""
        );
    }
    let listen = options.settings.listen;
    run(async move {
        let app = open(options.settings, options.migrate, Arc::new(SystemClock))?;
        let running = web::listen(listen)
            .and_then(|listener| web::serve(app, listener, |_| {}))
            .map_err(|error| error.to_string())?;
        running
            .until_stopped()
            .await
            .map_err(|error| error.to_string())
    })
}

/// What is logged by default: our own events; the web server tells of its threads in another form.
const DEFAULT_LOG: &str = "info,actix_server=warn";

/// One line an event on standard error; `RUST_LOG` sets the level, `info` by default.
pub(crate) fn start_logging() {
    let environment = env_logger::Env::default().default_filter_or(DEFAULT_LOG);
    // A second start in one process (tests) keeps the first logger.
    let _kept = env_logger::Builder::from_env(environment)
        .format_target(false)
        .try_init();
}

pub(crate) fn run<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    actix_web::rt::System::new().block_on(work)
}
