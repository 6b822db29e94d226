//! Addresses that an operator writes down for an RP.

use super::field::Problem;
use url::{Host, Url};

/// Bytes of an address.
const MOST_BYTES: usize = 2_048;
/// Schemes of browsers: an answer sent there would run as a script, or open a file.
const BROWSERS_OWN: [&str; 9] = [
    "javascript",
    "data",
    "file",
    "vbscript",
    "blob",
    "about",
    "ftp",
    "ws",
    "wss",
];

/// RFC 6749 §3.1.2, RFC 8252 §7: https, http on a loopback address, or a private-use scheme.
pub(super) fn redirect_uri(uri: &str) -> Result<(), Problem> {
    let url = absolute(uri)?;
    if uri.contains('*') {
        return Err(Problem::Wildcard);
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err(Problem::NotHttps),
        scheme if BROWSERS_OWN.contains(&scheme) => Err(Problem::Scheme),
        _ => Ok(()),
    }
}

/// An address that people open, or whose picture they see.
pub(super) fn web_address(uri: &str, development: bool) -> Result<(), Problem> {
    let url = absolute(uri)?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if development && is_loopback(&url) => Ok(()),
        _ => Err(Problem::NotWeb),
    }
}

fn absolute(uri: &str) -> Result<Url, Problem> {
    if uri.len() > MOST_BYTES {
        return Err(Problem::TooLong);
    }
    // The parser drops control characters, which would break the Location header.
    if !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Problem::NotAscii);
    }
    let url = Url::parse(uri).map_err(|_| Problem::NotAbsolute)?;
    if uri.contains('#') {
        return Err(Problem::Fragment);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Problem::Credentials);
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
