//! One conversation with a mail server.

use super::MailText;
use crate::clock::UtcTime;
use crate::config::{SmtpSecurity, SmtpSettings};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::time::{Duration, UNIX_EPOCH};

/// RFC 7468 §5.1.
const END_OF_CERTIFICATE: &str = "-----END CERTIFICATE-----";
/// A server that says nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(20);
/// RFC 4954 and RFC 3463: what is wrong is between us and the server, and has nothing to do with the mail.
const ABOUT_US: [u16; 6] = [500, 502, 530, 534, 535, 538];

/// How an attempt failed; the texts have no personal data: servers repeat addresses in theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server cannot be had: no other mail has to be tried now.
    NoServer(String),
    /// The server does not take this mail now.
    Temporary(String),
    /// The server will never take this mail.
    Permanent(String),
}

/// An open conversation.
pub(super) struct Conversation(AsyncSmtpConnection);

impl Conversation {
    /// Connects, and says who we are.
    pub(super) async fn open(settings: &SmtpSettings, from: &Mailbox) -> Result<Self, Failure> {
        tokio::time::timeout(SILENCE, connect(settings, from))
            .await
            .unwrap_or_else(|_| Err(Failure::NoServer("no answer in time".to_owned())))
    }

    /// Hands over one mail.
    pub(super) async fn send(&mut self, message: &Message) -> Result<(), Failure> {
        let bytes = message.formatted();
        let sent = tokio::time::timeout(SILENCE, self.0.send(message.envelope(), &bytes)).await;
        match sent {
            Ok(Ok(_accepted)) => Ok(()),
            Ok(Err(error)) => Err(of_mail(&error)),
            Err(_elapsed) => Err(Failure::NoServer("no answer in time".to_owned())),
        }
    }

    /// After a refusal the conversation is over.
    pub(super) fn is_over(&self) -> bool {
        self.0.has_broken()
    }

    /// Says good-bye.
    pub(super) async fn close(mut self) {
        let _gone = tokio::time::timeout(SILENCE, self.0.quit()).await;
    }
}

async fn connect(settings: &SmtpSettings, from: &Mailbox) -> Result<Conversation, Failure> {
    let parameters = || tls(settings).map_err(|error| of_server(&error));
    let hello = ClientId::Domain(from.email.domain().to_owned());
    let at_once = match settings.security {
        SmtpSecurity::Tls => Some(parameters()?),
        SmtpSecurity::StartTls | SmtpSecurity::None => None,
    };
    let server = (settings.host.as_str(), settings.port);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(server, Some(SILENCE), &hello, at_once, None)
            .await
            .map_err(|error| of_server(&error))?;
    if settings.security == SmtpSecurity::StartTls {
        // Fails where it is not offered: nothing is said on an open line.
        connection
            .starttls(parameters()?, &hello)
            .await
            .map_err(|error| of_server(&error))?;
    }
    if let Some((username, password)) = &settings.credentials {
        let credentials = Credentials::new(username.clone(), password.expose().clone());
        connection
            .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
            .await
            .map_err(|error| of_server(&error))?;
    }
    Ok(Conversation(connection))
}

/// The server has to be who it says, by the system's authorities or the configured one.
fn tls(settings: &SmtpSettings) -> Result<TlsParameters, Error> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    let pem = settings.ca_pem.as_deref().unwrap_or_default();
    // openssl reads one at a time.
    for one in pem.split_inclusive(END_OF_CERTIFICATE) {
        if one.trim_end().ends_with(END_OF_CERTIFICATE) {
            builder = builder.add_root_certificate(Certificate::from_pem(one.as_bytes())?);
        }
    }
    builder.build()
}

fn of_server(error: &Error) -> Failure {
    Failure::NoServer(in_few_words(error))
}

fn of_mail(error: &Error) -> Failure {
    let words = in_few_words(error);
    let about_us = error
        .status()
        .is_some_and(|code| ABOUT_US.contains(&u16::from(code)));
    if error.is_permanent() && !about_us {
        Failure::Permanent(words)
    } else if error.is_transient() {
        Failure::Temporary(words)
    } else if error.is_client() {
        // An address that this server cannot write to: it lacks SMTPUTF8. Another one may have it tomorrow.
        Failure::Temporary(words)
    } else {
        Failure::NoServer(words)
    }
}

/// The status, or what happened to the connection; never the server's words.
fn in_few_words(error: &Error) -> String {
    match error.status() {
        Some(code) => format!("the server answered {code}"),
        None if error.is_timeout() => "no answer in time".to_owned(),
        None if is_about_tls(error) => {
            "TLS failed, or the certificate is not the server's".to_owned()
        }
        None if error.is_client() => "the server does not offer what is needed".to_owned(),
        None if error.is_response() => "the server's answer cannot be read".to_owned(),
        None => "no connection to the server".to_owned(),
    }
}

/// lettre calls a failed handshake a failed connection; what openssl says of it is told apart by its words only.
fn is_about_tls(error: &Error) -> bool {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let cause = cause.unwrap_or_default();
    error.is_tls()
        || ["certificate", "ssl", "SSL"]
            .iter()
            .any(|word| cause.contains(word))
}

/// The mail as it travels. `None`: an address of it is none.
pub(super) fn message(
    id: &str,
    text: &MailText,
    from: &Mailbox,
    created_at: UtcTime,
) -> Option<Message> {
    let to = Mailbox::new(None, text.to.parse().ok()?);
    let since = Duration::from_secs(u64::try_from(created_at.0).ok()?);
    Message::builder()
        .from(from.clone())
        .to(to)
        .date(UNIX_EPOCH.checked_add(since)?)
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .subject(text.subject.clone())
        // RFC 3834 §5: no vacation notices, please.
        .raw_header(lettre::message::header::HeaderValue::new(
            lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .header(ContentType::TEXT_PLAIN)
        .body(text.body.clone())
        .ok()
}
