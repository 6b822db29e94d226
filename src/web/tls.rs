//! TLS without a reverse proxy; the certificate is read again when its file changes.

use crate::config::TlsSettings;
use crate::endpoint::quote;
use arc_swap::ArcSwap;
use openssl::ssl::{NameType, SslAcceptor, SslAcceptorBuilder, SslContext, SslFiletype, SslMethod};
use std::sync::Arc;
use std::time::SystemTime;

/// When certificate and key were last written; each counts, since a copy may keep an old time.
type Changed = [Option<SystemTime>; 2];

/// The certificate that new connections get.
pub(super) struct Certificate {
    settings: TlsSettings,
    context: ArcSwap<SslContext>,
    changed: ArcSwap<Changed>,
}

impl Certificate {
    pub(super) fn load(settings: &TlsSettings) -> Result<Arc<Self>, String> {
        Ok(Arc::new(Self {
            context: ArcSwap::from_pointee(context(settings)?),
            changed: ArcSwap::from_pointee(changed(settings)),
            settings: settings.clone(),
        }))
    }

    /// Reads the files again if they changed; a broken file leaves the old certificate in place.
    pub(super) fn refresh(&self) {
        let now = changed(&self.settings);
        if **self.changed.load() == now {
            return;
        }
        match context(&self.settings) {
            Ok(context) => {
                self.context.store(Arc::new(context));
                self.changed.store(Arc::new(now));
                log::info!("event=tls.reloaded");
            }
            Err(reason) => log::error!("event=tls.kept_old reason={}", quote(reason)),
        }
    }

    /// An acceptor that gives every handshake the current certificate.
    pub(super) fn acceptor(self: &Arc<Self>) -> Result<SslAcceptorBuilder, String> {
        let mut builder = builder(&self.settings)?;
        let current = self.clone();
        builder.set_servername_callback(move |ssl, _alert| {
            let _asked = ssl.servername(NameType::HOST_NAME);
            // A failure keeps the acceptor's own certificate, which was valid at the start.
            let _kept = ssl.set_ssl_context(&current.context.load());
            Ok(())
        });
        Ok(builder)
    }
}

fn context(settings: &TlsSettings) -> Result<SslContext, String> {
    Ok(builder(settings)?.build().into_context())
}

fn builder(settings: &TlsSettings) -> Result<SslAcceptorBuilder, String> {
    let failed = |what: &std::path::Path, error: openssl::error::ErrorStack| {
        format!("tls: {}: {error}", what.display())
    };
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())
        .map_err(|error| format!("tls: {error}"))?;
    builder
        .set_private_key_file(&settings.key_file, SslFiletype::PEM)
        .map_err(|error| failed(&settings.key_file, error))?;
    builder
        .set_certificate_chain_file(&settings.certificate_file)
        .map_err(|error| failed(&settings.certificate_file, error))?;
    builder
        .check_private_key()
        .map_err(|error| failed(&settings.certificate_file, error))?;
    Ok(builder)
}

fn changed(settings: &TlsSettings) -> Changed {
    let time = |file: &std::path::Path| std::fs::metadata(file).ok()?.modified().ok();
    [time(&settings.certificate_file), time(&settings.key_file)]
}
