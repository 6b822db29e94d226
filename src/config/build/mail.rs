//! `[mail]`: where mails go.

use super::super::read::Values;
use super::super::settings::{MailDelivery, MailSettings, SmtpSecurity, SmtpSettings};
use super::super::trust::read_small_file;
use super::Builder;
use crate::secret::Secret;
use lettre::message::Mailbox;
use std::net::IpAddr;
use url::{Host, Url};

/// The port of submission, where STARTTLS is (RFC 6409 §3.1).
const SUBMISSION: u16 = 587;
/// The port of submission over TLS (RFC 8314 §7.3).
const SUBMISSIONS: u16 = 465;
/// Of the development mailbox, which nothing leaves.
const DEVELOPMENT_SENDER: &str = "Varco <varco@localhost>";

/// Absent: no mails. In development the mailbox that people look at on a page takes the place of a server.
pub(super) fn mail(builder: &mut Builder<'_>, values: &Values) -> Option<MailSettings> {
    let Some(section) = values.section("mail") else {
        if builder.development {
            return Some(MailSettings::development());
        }
        builder.warnings.push(
            "mail: without a [mail] table nobody is told by e-mail of new devices, changed factors or ending consents"
                .to_owned(),
        );
        return None;
    };
    let from = from(builder, section);
    let smtp = smtp(builder, section);
    let wanted = section.get("smtp_url").is_some() || !builder.development;
    Some(MailSettings {
        from: from?,
        delivery: match (wanted, smtp) {
            (false, _) => MailDelivery::Mailbox,
            (true, smtp) => MailDelivery::Smtp(smtp?),
        },
        retention_days: section.count("retention_days")?,
    })
}

impl MailSettings {
    /// The mailbox of a development set-up.
    #[must_use]
    pub fn development() -> Self {
        Self {
            from: DEVELOPMENT_SENDER.to_owned(),
            delivery: MailDelivery::Mailbox,
            retention_days: 30,
        }
    }
}

fn from(builder: &mut Builder<'_>, section: &Values) -> Option<String> {
    if builder.development && section.get("from").is_none() {
        return Some(DEVELOPMENT_SENDER.to_owned());
    }
    let expected = "the sender, such as \"Example Identity <no-reply@login.example.it>\"";
    let text = builder.required(section, "from", expected)?;
    if text.parse::<Mailbox>().is_err() {
        builder
            .problems
            .add(section.path_of("from"), &text, expected);
        return None;
    }
    Some(text)
}

fn smtp(builder: &mut Builder<'_>, section: &Values) -> Option<SmtpSettings> {
    let expected =
        "smtp://HOST:PORT or smtps://HOST:PORT; the credentials are username and password";
    if builder.development && section.get("smtp_url").is_none() {
        return None;
    }
    let text = builder.required(section, "smtp_url", expected)?;
    let url = Url::parse(&text).ok().filter(|url| {
        let bare = matches!(url.path(), "" | "/") && url.query().is_none();
        bare && matches!(url.scheme(), "smtp" | "smtps") && !has_credentials(url)
    });
    let Some((url, host)) = url.and_then(|url| Some((url.clone(), host_of(&url)?))) else {
        // Not shown: people put passwords into such addresses.
        let found = "another kind of address (not shown, it may hold a password)";
        builder
            .problems
            .add(section.path_of("smtp_url"), found, expected);
        return None;
    };
    let (username, password) = (section.owned("username"), section.owned("password"));
    // No password travels readable beyond this machine, in development neither.
    let open = is_loopback(&host) || (builder.development && username.is_none());
    let (security, port) = match (url.scheme(), open) {
        ("smtps", _) => (SmtpSecurity::Tls, SUBMISSIONS),
        (_, true) => (SmtpSecurity::None, SUBMISSION),
        (_, false) => (SmtpSecurity::StartTls, SUBMISSION),
    };
    if username.is_some() != password.is_some() {
        let missing = if username.is_some() {
            "password"
        } else {
            "username"
        };
        let expected = "username and password together, or neither";
        builder
            .problems
            .add(section.path_of(missing), "nothing", expected);
        return None;
    }
    let ca_pem = ca_pem(builder, section)?;
    Some(SmtpSettings {
        ca_pem,
        host,
        port: url.port().unwrap_or(port),
        security,
        credentials: username.zip(password.map(Secret::new)),
    })
}

/// `None`: a problem was noted.
fn ca_pem(builder: &mut Builder<'_>, section: &Values) -> Option<Option<String>> {
    let Some(file) = section.owned("ca_file") else {
        return Some(None);
    };
    let file = builder.folder.join(file);
    let found = match read_small_file(&file) {
        Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => return Some(Some(text)),
        Ok(_) => "a file without certificates".to_owned(),
        Err(error) => format!("{}: {error}", file.display()),
    };
    let expected = "the path of a PEM file with the certificates of the authority";
    builder
        .problems
        .add(section.path_of("ca_file"), found, expected);
    None
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Without the brackets of an IPv6 address. Of a scheme that is not the web's, even IPv4 addresses are names.
fn host_of(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain("") => None,
        Host::Domain(name) => Some(name.to_owned()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
