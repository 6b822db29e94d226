//! From checked values to settings: what spans several keys.

mod mail;

use super::environment::Environment;
use super::issuer;
use super::problem::Problems;
use super::read::{Value, Values};
use super::settings::{
    ForwardedHeader, IssuerSettings, ServerSettings, ThrottleSettings, TlsSettings,
};
use crate::model::Method;
use crate::secret::{self, Secret};
use crate::store::SqliteSynchronous;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use url::Url;

/// What every part of the building needs.
pub(super) struct Builder<'a> {
    pub(super) folder: &'a Path,
    pub(super) development: bool,
    pub(super) problems: &'a mut Problems,
    pub(super) warnings: Vec<String>,
}

impl Builder<'_> {
    /// The path of a key, resolved against the configuration's folder.
    pub(super) fn path(&self, values: &Values, key: &str) -> Option<PathBuf> {
        values.text(key).map(|text| self.folder.join(text))
    }

    /// A key that must be there.
    pub(super) fn required(
        &mut self,
        values: &Values,
        key: &str,
        expected: &str,
    ) -> Option<String> {
        let text = values.owned(key);
        if text.is_none() && values.get(key).is_none() {
            self.problems.add(values.path_of(key), "nothing", expected);
        }
        text
    }

    /// A URL as text; plain http is for development.
    pub(super) fn web_address(&mut self, values: &Values, key: &str) -> Option<String> {
        let text = values.owned(key)?;
        self.check_scheme(&text, &values.path_of(key));
        Some(text)
    }

    /// As [`Self::web_address`], for a list.
    pub(super) fn web_addresses(&mut self, values: &Values, key: &str) -> Vec<String> {
        let list = values.texts(key).unwrap_or_default();
        for (number, text) in list.iter().enumerate() {
            self.check_scheme(text, &format!("{}[{number}]", values.path_of(key)));
        }
        list
    }

    fn check_scheme(&mut self, text: &str, path: &str) {
        if !self.development && !text.starts_with("https://") {
            self.problems.add(
                path,
                text,
                "an https URL (http is for `development = true`)",
            );
        }
    }
}

/// The whole; absent when something required is missing, which is then a problem already noted.
pub(super) fn server(
    values: &Values,
    folder: &Path,
    environment: &Environment,
    problems: &mut Problems,
    warnings: Vec<String>,
) -> Option<ServerSettings> {
    let mut builder = Builder {
        folder,
        development: values.boolean("development").unwrap_or(false),
        problems,
        warnings,
    };
    let database_url = database_url(&mut builder, values);
    let public_url = builder
        .web_address(values, "public_url")
        .and_then(|text| Url::parse(&text).ok());
    let tls = tls(&mut builder, values);
    let key = key(&mut builder, environment);
    let mail = mail::mail(&mut builder, values);
    let issuers = issuers(&mut builder, values);
    if mail.is_none() {
        without_mail(&mut builder, issuers.as_deref().unwrap_or_default());
    }
    if builder.development {
        builder.warnings.push(
            "development = true: http, loopback fetches and unpinned trust anchors are allowed; not for real users"
                .to_owned(),
        );
    }
    warn(&mut builder, values, public_url.as_ref());
    let throttle = values.section("throttle")?;
    Some(ServerSettings {
        listen: address(values, "listen")?,
        database_url: database_url?,
        database_pool_size: values.count("database_pool_size")?,
        sqlite_synchronous: match values.text("sqlite_synchronous")? {
            "normal" => SqliteSynchronous::Normal,
            _ => SqliteSynchronous::Full,
        },
        development: builder.development,
        desk_second_factor: values.boolean("desk_second_factor")?,
        public_url,
        trusted_proxies: networks(values, "trusted_proxies")?,
        forwarded_header: match values.text("forwarded_header")? {
            "forwarded" => ForwardedHeader::Forwarded,
            _ => ForwardedHeader::XForwarded,
        },
        key_file: builder.path(values, "key_file")?,
        key,
        metrics_listen: address(values, "metrics_listen"),
        history_per_page: values.count("history_per_page")?,
        history_retention_days: values.count("history_retention_days")?,
        tls,
        throttle: ThrottleSettings {
            per_address_per_minute: throttle.count("per_address_per_minute")?,
            per_account_per_minute: throttle.count("per_account_per_minute")?,
        },
        mail,
        override_dir: builder.path(values, "override_dir"),
        issuers: issuers?,
        warnings: builder.warnings,
    })
}

/// What does not stop the process, but does not do what the operator may think.
fn warn(builder: &mut Builder<'_>, values: &Values, public_url: Option<&Url>) {
    if let Some(address) = address(values, "metrics_listen") {
        builder.warnings.push(format!(
            "metrics_listen: this version has no metrics; nothing will listen at {address}"
        ));
    }
    // Issuers publish their own identifiers; an address that leads elsewhere is a mistake in one of the two.
    let Some(public_url) = public_url else { return };
    for id in values
        .sections("issuer")
        .iter()
        .filter_map(|issuer| issuer.text("id"))
    {
        let elsewhere = Url::parse(id).is_ok_and(|id| id.origin() != public_url.origin());
        if elsewhere {
            builder.warnings.push(format!(
                "public_url: issuer {id} is at another host than {public_url}: requests to it must arrive here too"
            ));
        }
    }
}

fn address(values: &Values, key: &str) -> Option<SocketAddr> {
    match values.get(key) {
        Some(Value::SocketAddress(address)) => Some(*address),
        _ => None,
    }
}

fn networks(values: &Values, key: &str) -> Option<Vec<IpNet>> {
    match values.get(key) {
        Some(Value::Networks(networks)) => Some(networks.clone()),
        _ => None,
    }
}

fn key(builder: &mut Builder<'_>, environment: &Environment) -> Option<Secret<String>> {
    let key = environment.key()?;
    if key.expose().trim().is_empty() {
        builder.problems.add(
            "VARCO_KEY",
            "empty text",
            "the key-encryption key, or no such variable",
        );
        return None;
    }
    Some(key)
}

/// SQLite's file is relative to the configuration's folder like every path.
fn database_url(builder: &mut Builder<'_>, values: &Values) -> Option<Secret<String>> {
    let text = values.text("database_url")?;
    if let Some(file) = text
        .strip_prefix("sqlite://")
        .filter(|file| !file.is_empty())
    {
        let file = builder.folder.join(file);
        return Some(Secret::new(format!("sqlite://{}", file.display())));
    }
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Some(Secret::new(text.to_owned()));
    }
    builder.problems.add(
        values.path_of("database_url"),
        "another kind of address (not shown, it may hold a password)",
        "sqlite://FILE or postgres://user@host/db",
    );
    None
}

fn tls(builder: &mut Builder<'_>, values: &Values) -> Option<TlsSettings> {
    let values = values.section("tls")?;
    let expected = "the path of a PEM file: [tls] needs certificate_file and key_file";
    let certificate = builder.required(values, "certificate_file", expected);
    let key = builder.required(values, "key_file", expected);
    Some(TlsSettings {
        certificate_file: builder.folder.join(certificate?),
        key_file: builder.folder.join(key?),
    })
}

fn issuers(builder: &mut Builder<'_>, values: &Values) -> Option<Vec<IssuerSettings>> {
    let sections = values.sections("issuer");
    if sections.is_empty()
        && values
            .get("issuer")
            .is_none_or(|list| matches!(list, Value::Sections(_)))
    {
        builder.problems.add(
            "issuer",
            "no issuer",
            "at least one [[issuer]] table with an `id`",
        );
    }
    let built: Vec<Option<IssuerSettings>> = sections
        .iter()
        .map(|section| issuer::issuer(builder, section))
        .collect();
    let mut addresses: BTreeMap<String, String> = BTreeMap::new();
    for section in sections {
        let Some(id) = section.text("id") else {
            continue;
        };
        let Some(address) = serving_address(id) else {
            continue;
        };
        let path = section.path_of("id");
        if is_of_the_desk(id) {
            let expected = "another path: /admin is the operator's desk";
            builder.problems.add(path.clone(), id, expected);
        }
        if let Some(other) = addresses.get(&address) {
            builder.problems.add(
                path,
                id,
                format!("another address than that of {other}: one address serves one issuer"),
            );
        } else {
            addresses.insert(address, path);
        }
    }
    let mut issuers: Vec<IssuerSettings> = built.into_iter().collect::<Option<_>>()?;
    give_slugs(&mut issuers);
    Some(issuers)
}

/// What requests are told apart by: host, port and path without a final slash; the scheme does not arrive in a request.
fn serving_address(id: &str) -> Option<String> {
    let url = Url::parse(id).ok()?;
    Some(format!(
        "{}:{}{}",
        url.host_str()?,
        url.port_or_known_default()?,
        url.path().trim_end_matches('/')
    ))
}

/// Whether an issuer would be where the operator's desk is.
fn is_of_the_desk(id: &str) -> bool {
    let first = Url::parse(id).ok().and_then(|url| {
        let mut segments = url.path_segments()?;
        segments.next().map(str::to_owned)
    });
    first.as_deref() == Some("admin")
}

/// A factor that nobody would receive.
fn without_mail(builder: &mut Builder<'_>, issuers: &[IssuerSettings]) {
    for (number, issuer) in issuers.iter().enumerate() {
        if issuer.second_factors.contains(&Method::EmailCode) {
            builder.problems.add(
                format!("issuer[{number}].second_factors"),
                "email, without a [mail] table",
                "[mail] with a mail server, or other second factors",
            );
        }
    }
}

/// `varco-SLUG` is the name of a cookie: these are those of the desk, of the language and of the browser.
const RESERVED_SLUGS: [&str; 3] = ["admin", "lang", "device"];

/// `/spid/` → `spid`, an issuer at the root → its host; where that is not unique, with a hash of the identifier.
fn give_slugs(issuers: &mut [IssuerSettings]) {
    let wanted: Vec<String> = issuers
        .iter()
        .map(|issuer| short_slug(&issuer.id))
        .collect();
    for (issuer, slug) in issuers.iter_mut().zip(&wanted) {
        let sharing = wanted.iter().filter(|other| *other == slug).count();
        issuer.slug = if sharing == 1 && !RESERVED_SLUGS.contains(&slug.as_str()) {
            slug.clone()
        } else {
            let hash = secret::sha256(issuer.id.as_bytes());
            let hash = data_encoding::HEXLOWER.encode(&hash);
            format!("{slug}-{}", hash.get(..12).unwrap_or_default())
        };
    }
}

fn short_slug(id: &str) -> String {
    let Ok(url) = Url::parse(id) else {
        return "issuer".to_owned();
    };
    let path = url.path().trim_matches('/');
    let source = if path.is_empty() {
        url.host_str().unwrap_or_default()
    } else {
        path
    };
    let mut slug = String::new();
    for letter in source.chars().take(64) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_matches('-');
    if slug.is_empty() {
        "issuer".to_owned()
    } else {
        slug.to_owned()
    }
}
