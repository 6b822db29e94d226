//! Starting and stopping.

use super::around::around;
use super::background;
use super::routes::{App, configure};
use super::tls::Certificate;
use crate::config::TlsSettings;
use crate::endpoint::quote;
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use actix_web::{App as ActixApp, HttpServer};
use std::net::{SocketAddr, TcpListener};

/// Requests in flight may take this long after the signal to stop.
const SHUTDOWN_SECONDS: u64 = 30;
/// Threads of a worker for what blocks, beside one for each connection to the database: a look-up of a name for each of the
/// fetcher's connections, and passwords. They are started when they are needed; without a number, many cores have few each,
/// and names that do not resolve would hold up the database.
const BLOCKING_THREADS: usize = 64;

/// Why the server did not start or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error("cannot listen at {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The certificate or its key.
    #[error("{0}")]
    Tls(String),
    /// The server failed.
    #[error("the server failed: {0}")]
    Server(std::io::Error),
}

/// A server that is running.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Stops it.
    pub handle: ServerHandle,
    finished: tokio::task::JoinHandle<std::io::Result<()>>,
    background: tokio::task::JoinHandle<()>,
    app: App,
}

impl Running {
    /// Waits for SIGTERM, SIGINT or [`ServerHandle::stop`]; requests in flight finish first, then the database's
    /// writer.
    ///
    /// # Errors
    /// The server failed.
    pub async fn until_stopped(self) -> Result<(), ServeError> {
        let handle = self.handle.clone();
        let signals = tokio::spawn(async move {
            wait_for_signal().await;
            log::info!("event=stopping");
            handle.stop(true).await;
        });
        let outcome = match self.finished.await {
            Ok(outcome) => outcome.map_err(ServeError::Server),
            Err(error) => Err(ServeError::Server(std::io::Error::other(error))),
        };
        signals.abort();
        self.background.abort();
        if let Err(error) = self.app.shared.flush_refusals().await {
            log::warn!("event=refusals.lost reason={}", quote(error));
        }
        self.app.shared.store.close().await;
        log::info!("event=stopped");
        outcome
    }
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}

/// Takes an address.
///
/// # Errors
/// It is taken, or not ours.
pub fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).map_err(|error| ServeError::Listen(address, error))
}

/// Starts the server on a listening socket. `further` adds addresses beside the issuers' (the demonstration).
///
/// # Errors
/// The address or the certificate.
pub fn serve(
    app: App,
    listener: TcpListener,
    further: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Result<Running, ServeError> {
    let address = listener.local_addr().map_err(ServeError::Server)?;
    let failed = |error| ServeError::Listen(address, error);
    let development = app.shared.server.development;
    let tls = app
        .shared
        .server
        .tls
        .as_ref()
        .map(certificate)
        .transpose()?;
    let pool = usize::try_from(app.shared.server.database_pool_size).unwrap_or_default();
    let blocking_threads = BLOCKING_THREADS.saturating_add(pool);
    let served = app.clone();
    let server = HttpServer::new(move || {
        let (app, further) = (served.clone(), further.clone());
        ActixApp::new()
            .wrap(from_fn(move |request, next| {
                around(development, request, next)
            }))
            .configure(move |config| {
                // The issuers first: they win, and no request of theirs is compared with the patterns of the others.
                configure(&app, config);
                further(config);
            })
    })
    .disable_signals()
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .worker_max_blocking_threads(blocking_threads)
    .client_request_timeout(std::time::Duration::from_secs(10));
    let server = match &tls {
        None => server.listen(listener).map_err(failed)?,
        Some(certificate) => server
            .listen_openssl(listener, certificate.acceptor().map_err(ServeError::Tls)?)
            .map_err(failed)?,
    }
    .run();
    log::info!("event=started address={address}");
    Ok(Running {
        address,
        handle: server.handle(),
        finished: tokio::spawn(server),
        background: tokio::spawn(background::run(app.clone(), address, tls)),
        app,
    })
}

fn certificate(settings: &TlsSettings) -> Result<std::sync::Arc<Certificate>, ServeError> {
    Certificate::load(settings).map_err(ServeError::Tls)
}
