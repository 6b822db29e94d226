//! `redirect_uris`: what an attacker, or a slip, makes of them. Scheme and fragment are the profile's own rule.

use super::{Check, Examined, Finding, checks};
use std::collections::BTreeSet;
use url::{Host, Url};

pub(super) static ROWS: &[Check] = checks! {
    "redirect_uris.host", "SPID/CIE FE-10, RFC 8252 §7.3",
        "no https redirect URI names this machine or an IP address",
        "use the public host name of the service", "metadata.openid_relying_party.redirect_uris" =>
        |e| if e.development {
            Finding::NotApplicable("development")
        } else {
            // Loopback addresses of applications are http, and whether these are allowed is the profile's own rule.
            each(e, Finding::Warning, |_, _, url| url.scheme() == "https" && match url.host() {
                Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
                Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
                None => false,
            })
        };
    "redirect_uris.wildcard", "SPID/CIE FE-10, OIDC Core §3.1.2.1",
        "no redirect URI has a wildcard: they are compared byte for byte",
        "list every redirect URI in full", "metadata.openid_relying_party.redirect_uris" =>
        |e| each(e, Finding::Fail, |_, uri, _| uri.contains('*'));
    "redirect_uris.credentials", "RFC 6749 §3.1.2",
        "no redirect URI has user information",
        "remove what is before the @", "metadata.openid_relying_party.redirect_uris" =>
        |e| each(e, Finding::Fail, |_, _, url| !url.username().is_empty() || url.password().is_some());
    "redirect_uris.custom_scheme", "RFC 8252 §7.1",
        "a custom scheme is a domain name of the organisation in reverse order",
        "use a scheme such as it.example.app, or an https link that the application claims",
        "metadata.openid_relying_party.redirect_uris" =>
        |e| each(e, Finding::Warning, |_, uri, url| is_custom(uri) && !url.scheme().contains('.'));
    "redirect_uris.once", "SPID/CIE FE-10",
        "every redirect URI is there once",
        "remove the repetitions", "metadata.openid_relying_party.redirect_uris" =>
        |e| e.of_metadata(|metadata| {
            let mut seen = BTreeSet::new();
            let uris = metadata.redirect_uris.iter();
            let again: Vec<String> = uris.filter(|uri| !seen.insert(*uri)).cloned().collect();
            Finding::unless_any(&again, Finding::Warning)
        });
    "redirect_uris.same_host", "SPID/CIE FE-10",
        "https redirect URIs are on the entity's own host or below it",
        "make sure that the other host is the organisation's; one host is easier to trust",
        "metadata.openid_relying_party.redirect_uris", italian =>
        |e| e.of_configuration(|_| each(e, Finding::Warning, |e, _, url| {
            let entity = Url::parse(&e.entity_id).ok();
            let own = entity.as_ref().and_then(Url::host_str).unwrap_or_default();
            // An IP address or a wildcard is another row's.
            let Some(Host::Domain(host)) = url.host() else { return false };
            let below = host.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
            url.scheme() == "https" && !below && host != "localhost" && !host.contains('*')
        }));
};

/// Judges every redirect URI that is a URL: `fault` says whether one is out of order.
fn each(
    examined: &Examined,
    worse: fn(String) -> Finding,
    fault: fn(&Examined, &str, &Url) -> bool,
) -> Finding {
    examined.of_metadata(|metadata| {
        let faults: Vec<String> = metadata
            .redirect_uris
            .iter()
            .filter(|uri| Url::parse(uri).is_ok_and(|url| fault(examined, uri, &url)))
            .cloned()
            .collect();
        Finding::unless_any(&faults, worse)
    })
}

/// A scheme of an application's own.
pub(super) fn is_custom(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| !matches!(url.scheme(), "https" | "http"))
}
