//! From checked values to the settings of one issuer.

use super::build::Builder;
use super::external::external_method;
use super::read::{Value, Values};
use super::settings::{
    Branding, ClientCertificateSettings, Enrolment, FiscalNumberFrom, IssuerSettings, Lifetimes,
    ProfileName, ResolveResponseType, RpTolerance, TrustMarkStatus,
};
use super::trust::{read_small_file, trust_anchors, trust_marks};
use crate::model::{Method, RpToleranceOverride, UserinfoContentType};
use crate::secret::Secret;
use std::collections::BTreeMap;
use url::{Host, Url};

/// The salt of development, which anybody can read here.
const DEVELOPMENT_SALT: &str = "development-only";
/// Salts that examples and other providers ship.
const KNOWN_SALTS: &[&str] = &[
    DEVELOPMENT_SALT,
    "CHANGEME",
    "changeme",
    "…",
    "...",
    "(output of: openssl rand -base64 32)",
];
/// A salt shorter than this many bytes may be guessed.
const SHORT_SALT: usize = 16;

/// One issuer; absent when something required is missing.
pub(super) fn issuer(builder: &mut Builder<'_>, values: &Values) -> Option<IssuerSettings> {
    let id = identifier(builder, values);
    let profile = values.text("profile").and_then(ProfileName::from_name);
    let pairwise_salt = salt(builder, values);
    let trust_anchors = trust_anchors(builder, values);
    let trust_marks = trust_marks(builder, values);
    let rp_tolerances = rp_tolerances(builder, values);
    let homepage_uri = builder.web_address(values, "homepage_uri");
    let policy_uri = builder.web_address(values, "policy_uri");
    let logo_uri = builder.web_address(values, "logo_uri");
    let authority_hints = builder.web_addresses(values, "authority_hints");
    let external_method = external_method(builder, values);
    let has_external = matches!(external_method, Some(Some(_)));
    let second_factors = second_factors(builder, values, has_external);
    let client_certificate = client_certificate(builder, values);
    let lifetimes = lifetimes(values.section("lifetimes")?);
    let settings = IssuerSettings {
        id: id?,
        slug: String::new(),
        profile: profile?,
        organization_name: values.owned("organization_name"),
        homepage_uri,
        policy_uri,
        logo_uri,
        contacts: values.texts("contacts")?,
        branding: branding(values.section("branding")?),
        attribute_names: match values.get("attribute_names") {
            Some(Value::Labels(labels)) => labels.clone(),
            _ => BTreeMap::new(),
        },
        authority_hints,
        trust_marks,
        trust_mark_types: values.texts("trust_mark_types")?,
        required_trust_marks: values.texts("required_trust_marks")?,
        trust_mark_status: match values.text("trust_mark_status")? {
            "dynamic" => TrustMarkStatus::Dynamic,
            _ => TrustMarkStatus::Static,
        },
        trust_anchors,
        max_refresh: values.count("max_refresh")?,
        auth_code_max_age: values.integer("auth_code_max_age")?,
        pairwise_salt: pairwise_salt?,
        acr_values_required: values.boolean("acr_values_required")?,
        default_acr: values.owned("default_acr")?,
        refresh_acr: values.owned("refresh_acr")?,
        password_levels: values.texts("password_levels")?,
        second_factor_levels: values.texts("second_factor_levels")?,
        strong_levels: values.texts("strong_levels")?,
        second_factors: second_factors?,
        client_certificate: client_certificate?,
        enrolment: match values.text("enrolment")? {
            "password" => Enrolment::Password,
            "off" => Enrolment::Off,
            _ => Enrolment::Operator,
        },
        external_method: external_method?,
        rp_tolerance: rp_tolerance(values.section("rp_tolerance")?)?,
        rp_tolerances,
        lifetimes: lifetimes?,
        attributes: match values.get("attributes") {
            Some(Value::Lists(map)) => Some(map.clone()),
            _ => None,
        },
        id_token_claims: values.texts("id_token_claims"),
        federation_signing_alg: values.owned("federation_signing_alg")?,
        encrypt_id_token: values.boolean("encrypt_id_token")?,
        resolve_response_typ: match values.text("resolve_response_typ")? {
            "entity-statement+jwt" => ResolveResponseType::EntityStatement,
            _ => ResolveResponseType::ResolveResponse,
        },
    };
    if !settings.is_member() && !settings.authority_hints.is_empty() {
        builder.problems.add(
            values.path_of("trust_anchor"),
            "none, although authority_hints say that the issuer is in a federation",
            "an [[issuer.trust_anchor]] table, or no authority_hints",
        );
    }
    warn(builder, &settings);
    Some(settings)
}

/// OIDC Discovery §3: an https URL without query and fragment, spelled as every reader of URLs would spell it.
fn identifier(builder: &mut Builder<'_>, values: &Values) -> Option<String> {
    let id = builder.required(values, "id", "the issuer's URL")?;
    let path = values.path_of("id");
    let url = Url::parse(&id).ok()?;
    let spelled = url.as_str();
    if url.query().is_some() || url.fragment().is_some() {
        builder
            .problems
            .add(path, id, "a URL without query and fragment");
    } else if !url.username().is_empty() || url.password().is_some() {
        builder
            .problems
            .add(path, "a URL with credentials", "a URL without them");
    } else if spelled != id && spelled.strip_suffix('/') != Some(id.as_str()) {
        builder
            .problems
            .add(path, id, format!("the usual spelling: {spelled}"));
    } else if url.scheme() != "https" && !builder.development {
        builder
            .problems
            .add(path, id, "an https URL (http is for `development = true`)");
    } else if url.scheme() != "https" && !is_loopback(&url) {
        builder.problems.add(
            path,
            id,
            "an https URL, or http on a loopback address (127.0.0.1, [::1], localhost)",
        );
    } else {
        return Some(id);
    }
    None
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Recovery codes stand in for another second factor: alone they would be used up after ten logins.
fn second_factors(
    builder: &mut Builder<'_>,
    values: &Values,
    has_external: bool,
) -> Option<Vec<Method>> {
    let names = values.texts("second_factors")?;
    let mut methods: Vec<Method> = names
        .iter()
        .filter_map(|name| Method::from_name(name))
        .collect();
    if methods == [Method::Recovery] {
        builder.problems.add(
            values.path_of("second_factors"),
            "recovery alone",
            "another second factor beside it, such as totp: recovery codes stand in for one",
        );
        return None;
    }
    if has_external {
        methods.push(Method::External);
    }
    Some(methods)
}

/// `None`: something is wrong; `Some(None)`: no cards.
fn client_certificate(
    builder: &mut Builder<'_>,
    values: &Values,
) -> Option<Option<ClientCertificateSettings>> {
    let Some(section) = values.section("client_certificate") else {
        return Some(None);
    };
    let header = section.owned("header")?;
    let is_name = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
    if !header.bytes().all(is_name) {
        let path = section.path_of("header");
        builder
            .problems
            .add(path, header, "the name of an HTTP header");
        return None;
    }
    let expected = "the path of a PEM file with the certificates that cards are issued by";
    let file = builder.required(section, "ca_file", expected)?;
    let file = builder.folder.join(file);
    let authorities = match read_small_file(&file) {
        Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => text,
        Ok(_) => {
            let path = section.path_of("ca_file");
            builder
                .problems
                .add(path, "a file without certificates", expected);
            return None;
        }
        Err(error) => {
            let found = format!("{}: {error}", file.display());
            builder
                .problems
                .add(section.path_of("ca_file"), found, expected);
            return None;
        }
    };
    Some(Some(ClientCertificateSettings {
        header,
        authorities,
        fiscal_number_from: match section.text("fiscal_number_from")? {
            "common_name" => FiscalNumberFrom::CommonName,
            _ => FiscalNumberFrom::SerialNumber,
        },
    }))
}

/// SPID/CIE TM-3.
fn salt(builder: &mut Builder<'_>, values: &Values) -> Option<Secret<String>> {
    let path = values.path_of("pairwise_salt");
    let text = values.owned("pairwise_salt");
    if builder.development {
        return Some(Secret::new(
            text.unwrap_or_else(|| DEVELOPMENT_SALT.to_owned()),
        ));
    }
    let make_one = "a secret of your own, kept for ever: `openssl rand -base64 32` makes one";
    match text {
        None => {
            if values.get("pairwise_salt").is_none() {
                builder.problems.add(path, "nothing", make_one);
            }
            None
        }
        Some(salt) if KNOWN_SALTS.contains(&salt.as_str()) => {
            builder
                .problems
                .add(path, "a salt that everybody knows", make_one);
            None
        }
        Some(salt) => {
            if salt.len() < SHORT_SALT {
                builder.warnings.push(format!(
                    "{path}: shorter than {SHORT_SALT} characters; who guesses it can link users between RPs"
                ));
            }
            Some(Secret::new(salt))
        }
    }
}

fn rp_tolerance(values: &Values) -> Option<RpTolerance> {
    Some(RpTolerance {
        clock_leeway_seconds: values.integer("clock_leeway_seconds")?,
        missing_exp: values.boolean("missing_exp")?,
        userinfo_content_type: media_type(values)?,
    })
}

fn media_type(values: &Values) -> Option<UserinfoContentType> {
    Some(match values.text("userinfo_content_type")? {
        "application/jose" => UserinfoContentType::Jose,
        _ => UserinfoContentType::Jwt,
    })
}

fn rp_tolerances(
    builder: &mut Builder<'_>,
    values: &Values,
) -> BTreeMap<String, RpToleranceOverride> {
    let mut map = BTreeMap::new();
    for section in values.sections("rp") {
        let Some(id) = builder.required(section, "id", "the RP's client_id") else {
            continue;
        };
        let tolerance = RpToleranceOverride {
            clock_leeway_seconds: section.integer("clock_leeway_seconds"),
            missing_exp: section.boolean("missing_exp"),
            userinfo_content_type: media_type(section),
        };
        if map.insert(id.clone(), tolerance).is_some() {
            builder
                .problems
                .add(section.path_of("id"), id, "every RP once");
        }
    }
    map
}

fn lifetimes(values: &Values) -> Option<Lifetimes> {
    Some(Lifetimes {
        access_token: values.integer("access_token")?,
        id_token: values.integer("id_token")?,
        refresh_token: values.integer("refresh_token")?,
        session: values.integer("session")?,
        consent: values.integer("consent")?,
        interaction: values.integer("interaction")?,
        entity_configuration: values.integer("entity_configuration")?,
    })
}

fn branding(values: &Values) -> Branding {
    Branding {
        name: values.owned("name"),
        logo: values.owned("logo"),
        primary_colour: values.owned("primary_colour"),
        text_colour: values.owned("text_colour"),
    }
}

/// What does not stop an issuer, but what its operator will be asked about.
fn warn(builder: &mut Builder<'_>, issuer: &IssuerSettings) {
    if !issuer.is_member() {
        return;
    }
    let missing: Vec<&str> = [
        ("organization_name", issuer.organization_name.is_none()),
        ("homepage_uri", issuer.homepage_uri.is_none()),
        ("policy_uri", issuer.policy_uri.is_none()),
        ("logo_uri", issuer.logo_uri.is_none()),
        ("contacts", issuer.contacts.is_empty()),
        ("authority_hints", issuer.authority_hints.is_empty()),
        ("trust_anchor", issuer.trust_anchors.is_empty()),
        (
            "required_trust_marks",
            issuer.required_trust_marks.is_empty(),
        ),
    ]
    .into_iter()
    .filter_map(|(key, missing)| missing.then_some(key))
    .collect();
    if !missing.is_empty() {
        builder.warnings.push(format!(
            "issuer {}: not set, although the federation asks for it: {}",
            issuer.id,
            missing.join(", ")
        ));
    }
}
