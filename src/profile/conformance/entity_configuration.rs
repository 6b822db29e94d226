//! What an RP says of itself: statement, `federation_entity`. Of the latter SPID/CIE MD-2 speaks for providers: an RP
//! whose page of presentation is thinner is warned and does not fail.

use super::{Check, Configuration, Finding, RELYING_PARTY, absent, checks, show};
use crate::jose::SignatureAlgorithm;
use serde_json::Value;
use url::Url;

/// From `iat` to `exp`: shorter, and clocks and caches get in the way; longer, and a stolen key stays attested.
const LIFETIME_SECONDS: std::ops::RangeInclusive<i64> = 600..=31 * 86_400;

pub(super) static ROWS: &[Check] = checks! {
    "statement.typ", "OIDC Federation §3.1, SPID/CIE MD-4",
        "header typ is entity-statement+jwt",
        "sign the entity configuration with header typ entity-statement+jwt", "header.typ" =>
        |e| e.of_configuration(|c| {
            let typ = c.header.get("typ").map_or_else(absent, show);
            Finding::warn_unless(typ == "entity-statement+jwt", typ)
        });
    "statement.alg", "SPID/CIE AL-1, AL-4",
        "header alg is one of the profile's signature algorithms",
        "sign the entity configuration with RS256 or another algorithm of the list", "header.alg" =>
        |e| e.of_configuration(|c| {
            let alg = c.header.get("alg").map_or_else(absent, show);
            let known = SignatureAlgorithm::parse(&alg);
            let fits = known.is_some_and(|alg| e.profile.signature_algorithms.contains(&alg));
            Finding::fail_unless(fits, alg)
        });
    "statement.kid", "OIDC Federation §3.1",
        "header kid names a key of claim jwks",
        "put the kid of the signing key, as in claim jwks, into the header", "header.kid" =>
        |e| e.of_configuration(|c| {
            let kid = c.header.get("kid").map_or_else(absent, show);
            Finding::fail_unless(c.keys.find(&kid).is_some() || c.keys.keys().is_empty(), kid)
        });
    "statement.iss_sub", "OIDC Federation §3.1, SPID/CIE MD-1",
        "iss and sub are the entity identifier, byte for byte",
        "write the entity identifier exactly as it is used, with or without its final slash", "iss, sub", refuses =>
        |e| e.of_configuration(|c| {
            let claim = |name| c.claims.get(name).map_or_else(absent, show);
            let (iss, sub) = (claim("iss"), claim("sub"));
            let fits = iss == e.entity_id && sub == e.entity_id;
            Finding::fail_unless(fits, format!("iss {iss}, sub {sub}"))
        });
    "statement.iat", "OIDC Federation §3.1",
        "iat is there and not in the future",
        "write the time of signing in UTC, seconds since 1970, and synchronise the clock", "iat", refuses =>
        |e| e.of_configuration(|c| match time(c, "iat") {
            Some(at) => Finding::fail_unless(at <= e.now.0.saturating_add(30), date(at)),
            None => Finding::Fail(absent()),
        });
    "statement.exp", "OIDC Federation §3.1, SPID/CIE MD-1",
        "exp is there and in the future",
        "sign the entity configuration anew, well before it ends", "exp", refuses =>
        |e| e.of_configuration(|c| match time(c, "exp") {
            Some(at) => Finding::fail_unless(at > e.now.0, date(at)),
            None => Finding::Fail(absent()),
        });
    "statement.lifetime", "SPID/CIE MD-1, FE-4",
        "from iat to exp it is ten minutes at least and 31 days at most",
        "let the entity configuration live for a day or two", "exp" =>
        |e| e.of_configuration(|c| match (time(c, "iat"), time(c, "exp")) {
            (Some(iat), Some(exp)) => {
                let seconds = exp.saturating_sub(iat);
                Finding::warn_unless(LIFETIME_SECONDS.contains(&seconds), format!("{seconds} seconds"))
            }
            _ => Finding::NotApplicable("iat or exp is absent"),
        });
    "statement.authority_hints", "OIDC Federation §3.1.1, SPID/CIE FE-2",
        "authority_hints is a list of the immediate superiors",
        "add the entity identifier of the trust anchor or intermediate that registered the RP", "authority_hints" =>
        |e| e.of_configuration(|c| {
            let hints = c.claims.get("authority_hints");
            let list = hints.and_then(Value::as_array).filter(|list| !list.is_empty());
            let urls = list.is_some_and(|list| list.iter().all(is_web_address));
            Finding::fail_unless(urls, hints.map_or_else(absent, show))
        });
    "statement.leaf", "OIDC Federation §3.1.1",
        "an RP, which has no subordinates, states no metadata_policy and no constraints",
        "remove metadata_policy and constraints: they are for superiors", "metadata_policy, constraints" =>
        |e| e.of_configuration(|c| {
            let noise = ["metadata_policy", "metadata_policy_crit", "constraints"];
            let found = noise.into_iter().filter(|name| c.claims.contains_key(*name));
            Finding::unless_any(&found.map(str::to_owned).collect::<Vec<_>>(), Finding::Warning)
        });
    "statement.metadata", "SPID/CIE FE-10",
        "metadata has the entity type openid_relying_party",
        "publish the RP's metadata as metadata.openid_relying_party", "metadata.openid_relying_party" =>
        |e| e.of_configuration(|_| {
            let types: Vec<&str> = e.last.keys().map(String::as_str).collect();
            Finding::fail_unless(e.last.get(RELYING_PARTY).is_some_and(Value::is_object), types.join(", "))
        });
    "federation_entity.organization_name", "OIDC Federation §5.2.2",
        "federation_entity names the organisation",
        "add organization_name, the name that people know", "metadata.federation_entity.organization_name" =>
        |e| e.of_configuration(|_| {
            let name = e.entity("organization_name").or_else(|| e.entity("organization_name#it"));
            let named = name.and_then(Value::as_str).is_some_and(|name| !name.trim().is_empty());
            Finding::warn_unless(named, name.map_or_else(absent, show))
        });
    "federation_entity.contacts", "OIDC Federation §5.2.2",
        "federation_entity has contacts, a list of e-mail addresses (PEC)",
        "add contacts with the certified e-mail address of the organisation", "metadata.federation_entity.contacts" =>
        |e| e.of_configuration(|_| {
            let contacts = e.entity("contacts");
            let list = contacts.and_then(Value::as_array).filter(|list| !list.is_empty());
            let is_mail = |item: &Value| item.as_str().is_some_and(|text| text.contains('@'));
            Finding::warn_unless(
                list.is_some_and(|list| list.iter().all(is_mail)),
                contacts.map_or_else(absent, show),
            )
        });
    "federation_entity.homepage_uri", "SPID/CIE MD-2",
        "federation_entity has homepage_uri (or organization_uri), a web address",
        "add homepage_uri with the address of the organisation's site", "metadata.federation_entity.homepage_uri", italian =>
        |e| e.of_configuration(|_| {
            web(e.entity("homepage_uri").or_else(|| e.entity("organization_uri")))
        });
    "federation_entity.policy_uri", "SPID/CIE MD-2",
        "federation_entity has policy_uri, a web address",
        "add policy_uri with the address of the privacy notice", "metadata.federation_entity.policy_uri", italian =>
        |e| e.of_configuration(|_| web(e.entity("policy_uri")));
    "federation_entity.logo_uri", "SPID/CIE MD-2",
        "federation_entity has logo_uri, the address of an SVG",
        "add logo_uri with the address of the logo as SVG", "metadata.federation_entity.logo_uri", italian =>
        |e| e.of_configuration(|_| {
            let logo = e.entity("logo_uri");
            let path = logo.and_then(Value::as_str).and_then(|uri| Url::parse(uri).ok());
            let svg = path.is_some_and(|uri| uri.path().to_ascii_lowercase().ends_with(".svg"));
            Finding::warn_unless(svg && logo.is_some_and(is_web_address), logo.map_or_else(absent, show))
        });
};

fn time(configuration: &Configuration, name: &str) -> Option<i64> {
    configuration.claims.get(name)?.as_i64()
}

fn date(seconds: i64) -> String {
    crate::clock::UtcTime(seconds).to_rfc3339()
}

fn web(value: Option<&Value>) -> Finding {
    let found = value.map_or_else(absent, show);
    Finding::warn_unless(value.is_some_and(is_web_address), found)
}

/// http is for development; whether it is allowed, the identifiers' own check says.
fn is_web_address(value: &Value) -> bool {
    value
        .as_str()
        .and_then(|text| Url::parse(text).ok())
        .is_some_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
}
