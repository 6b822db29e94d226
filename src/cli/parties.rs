//! `varco rp`.

use super::arguments::{AuthMethod, Party, Register, RpCommand};
use super::output::Output;
use super::{Done, Failure, World};
use crate::config::IssuerSettings;
use crate::jose::KeySet;
use crate::model::{ClientId, ClientMetadata, IssuerId, Origin, RelyingParty};
use crate::profile::Profile;
use crate::store::client::{self, ClientFilter, ClientOrder};
use crate::{random, secret};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::{Host, Url};

/// RPs read at once.
const PAGE: u32 = 500;

pub(super) fn run(world: &World, command: RpCommand, output: &mut Output) -> Done {
    match command {
        RpCommand::Register(register) => register_party(world, register, output),
        RpCommand::List { issuer } => list(world, world.issuer(&issuer)?, output),
        RpCommand::Show(party) => show(&find(world, &party)?, output),
        RpCommand::Check(party) => super::check::run(world, &party, output),
        RpCommand::Disable(party) => set_enabled(world, &party, false, output),
        RpCommand::Enable(party) => set_enabled(world, &party, true, output),
    }
}

fn find(world: &World, party: &Party) -> Result<RelyingParty, Failure> {
    let issuer = IssuerId::new(world.issuer(&party.issuer)?.id.clone());
    let client_id = ClientId::new(party.client_id.clone());
    let found = world
        .store
        .read_blocking(|conn| client::find(conn, &issuer, &client_id))?;
    found.ok_or_else(|| {
        Failure::Failed(format!(
            "issuer {issuer} knows no RP {client_id}; `varco rp list --issuer {issuer}` shows all"
        ))
    })
}

fn set_enabled(world: &World, party: &Party, enabled: bool, output: &mut Output) -> Done {
    let found = find(world, party)?;
    let (issuer, client_id) = (found.issuer, found.client_id);
    let told = client_id.clone();
    world
        .store
        .write_blocking(move |conn| client::set_enabled(conn, &issuer, &client_id, enabled))?;
    output.text(&if enabled {
        format!("{told} is accepted")
    } else {
        format!("{told} is refused until `varco rp enable`")
    });
    output.json(json!({ "client_id": told.as_str(), "enabled": enabled }));
    Ok(())
}

fn list(world: &World, settings: &IssuerSettings, output: &mut Output) -> Done {
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    let filter = ClientFilter {
        issuer: Some(IssuerId::new(settings.id.clone())),
        ..ClientFilter::default()
    };
    let mut after = None;
    loop {
        let page = world.store.read_blocking(|conn| {
            client::search(conn, &filter, ClientOrder::default(), after.as_ref(), PAGE)
        })?;
        for party in &page.rows {
            let document = summary(party);
            rows.push(vec![
                party.client_id.to_string(),
                party.metadata.name_in("it").unwrap_or("-").to_owned(),
                origin(party).to_owned(),
                if party.enabled { "enabled" } else { "disabled" }.to_owned(),
                document
                    .get("expires_at")
                    .and_then(Value::as_str)
                    .unwrap_or("-")
                    .to_owned(),
            ]);
            documents.push(document);
        }
        match page.next {
            Some(cursor) => after = Some(cursor),
            None => break,
        }
    }
    if rows.is_empty() {
        output.text("no RPs: those of a federation appear with their first login or registration, others with `varco rp register`");
    } else {
        output.table(&["client_id", "name", "origin", "state", "ends"], &rows);
    }
    output.json(json!({ "relying_parties": documents }));
    Ok(())
}

fn origin(party: &RelyingParty) -> &'static str {
    match party.origin {
        Origin::Federation(_) => "federation",
        Origin::Explicit(_) => "explicit",
        Origin::Registered => "registered",
    }
}

fn summary(party: &RelyingParty) -> Value {
    let trust = party.origin.trust();
    let trust_anchor = trust.map(|trust| &trust.trust_anchor);
    let expires_at = trust.map(|trust| trust.expires_at.to_rfc3339());
    json!({
        "issuer": party.issuer.as_str(),
        "client_id": party.client_id.as_str(),
        "name": party.metadata.name_in("it"),
        "origin": origin(party),
        "enabled": party.enabled,
        "updated_at": party.updated_at.to_rfc3339(),
        "trust_anchor": trust_anchor,
        "expires_at": expires_at,
    })
}

fn show(party: &RelyingParty, output: &mut Output) -> Done {
    let mut document = summary(party);
    let mut metadata = serde_json::to_value(&party.metadata)?;
    if let Some(members) = metadata.as_object_mut() {
        // Of no use to a reader.
        members.remove("client_secret_sha256");
        members.retain(|_, value| !is_empty(value));
    }
    if let Some(members) = document.as_object_mut() {
        members.insert("metadata".to_owned(), metadata);
        members.insert("jwks".to_owned(), party.jwks.clone());
        if let Some(trust) = party.origin.trust() {
            members.insert("trust_chain".to_owned(), json!(trust.chain));
            members.insert("trust_marks".to_owned(), json!(trust.trust_marks));
            members.insert(
                "resolved_at".to_owned(),
                json!(trust.resolved_at.to_rfc3339()),
            );
        }
    }
    output.text(&format!("{document:#}"));
    output.json(document);
    Ok(())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn register_party(world: &World, register: Register, output: &mut Output) -> Done {
    let settings = world.issuer(&register.issuer)?;
    let method = register.auth_method;
    check(settings, &register)?;
    let jwks = match &register.jwks_file {
        Some(file) => read_jwks(file)?,
        None => json!({ "keys": [] }),
    };
    let issuer = IssuerId::new(settings.id.clone());
    let client_id = ClientId::new(
        register
            .client_id
            .clone()
            .unwrap_or_else(random::identifier),
    );
    let known = world
        .store
        .read_blocking(|conn| client::find(conn, &issuer, &client_id))?;
    if known.is_some() && !register.replace {
        return Err(Failure::Failed(format!(
            "issuer {issuer} has an RP {client_id} already; --replace replaces it and its secret"
        )));
    }
    let client_secret = method.has_secret().then(random::token);
    let party = RelyingParty {
        issuer,
        client_id: client_id.clone(),
        metadata: metadata(&register, client_secret.as_deref()),
        jwks,
        origin: Origin::Registered,
        enabled: true,
        updated_at: world.now,
    };
    world
        .store
        .write_blocking(move |conn| client::upsert(conn, &party))?;
    output.text(&format!("client_id: {client_id}"));
    if let Some(text) = &client_secret {
        output.text(&format!("client_secret: {text}"));
        output.text("the secret is not kept and cannot be shown again");
    }
    output.json(json!({
        "issuer": settings.id,
        "client_id": client_id.as_str(),
        "client_secret": client_secret,
        "token_endpoint_auth_method": method.as_str(),
        "redirect_uris": register.redirect_uris,
    }));
    Ok(())
}

fn metadata(register: &Register, client_secret: Option<&str>) -> ClientMetadata {
    ClientMetadata {
        client_name: BTreeMap::from([(String::new(), register.name.clone())]),
        redirect_uris: register.redirect_uris.clone(),
        response_types: vec!["code".to_owned()],
        grant_types: vec!["authorization_code".to_owned(), "refresh_token".to_owned()],
        token_endpoint_auth_method: Some(register.auth_method.as_str().to_owned()),
        client_secret_sha256: client_secret
            .map(|text| BASE64URL_NOPAD.encode(&secret::sha256(text.as_bytes()))),
        scope: register.scope.clone(),
        ..ClientMetadata::default()
    }
}

fn check(settings: &IssuerSettings, register: &Register) -> Done {
    let wrong = |message: String| Err(Failure::UsedWrongly(message));
    let Some(profile) = Profile::find(settings.profile.as_str()) else {
        return wrong(format!("no profile {}", settings.profile.as_str()));
    };
    if profile.federation.compulsory {
        return wrong(format!(
            "issuer {} is of the {} profile: its RPs register themselves through the federation; nothing needs to be done for them",
            settings.id, profile.name
        ));
    }
    let method = register.auth_method;
    if !profile.client_authentication.contains(&method.as_str()) {
        return wrong(format!(
            "issuer {} does not offer {}; it has: {}",
            settings.id,
            method.as_str(),
            profile.client_authentication.join(", ")
        ));
    }
    if method == AuthMethod::PrivateKeyJwt && register.jwks_file.is_none() {
        return wrong("private_key_jwt needs the RP's public keys: --jwks-file FILE".to_owned());
    }
    if register.client_id.as_ref().is_some_and(|id| {
        id.is_empty() || id.len() > 255 || !id.bytes().all(|b| b.is_ascii_graphic())
    }) {
        return wrong("--client-id: expected 1 to 255 visible ASCII characters".to_owned());
    }
    if register.name.trim().is_empty() {
        return wrong("--name: expected a name that people recognise".to_owned());
    }
    let scopes = register.scope.as_deref().unwrap_or("openid");
    for scope in scopes.split(' ') {
        if profile.scope(scope).is_none() {
            let known: Vec<&str> = profile.scopes.iter().map(|scope| scope.name).collect();
            return wrong(format!(
                "--scope {scope}: expected some of {}, separated by single spaces",
                known.join(" ")
            ));
        }
    }
    if !scopes.split(' ').any(|scope| scope == "openid") {
        return wrong("--scope: expected openid among them".to_owned());
    }
    register
        .redirect_uris
        .iter()
        .try_for_each(|uri| check_redirect_uri(uri))
}

/// RFC 6749 §3.1.2, RFC 8252 §7: https, http on a loopback address, or a private-use scheme.
fn check_redirect_uri(uri: &str) -> Done {
    let wrong = |expected: &str| {
        Err(Failure::UsedWrongly(format!(
            "--redirect-uri {uri}: expected {expected}"
        )))
    };
    if !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("a URI in ASCII without spaces");
    }
    let Ok(url) = Url::parse(uri) else {
        return wrong("an absolute URI");
    };
    if uri.contains('#') {
        return wrong("a URI without fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("a URI without credentials");
    }
    match (url.scheme(), url.host()) {
        ("https", _) => Ok(()),
        ("http", Some(Host::Domain("localhost"))) => Ok(()),
        ("http", Some(Host::Ipv4(address))) if address.is_loopback() => Ok(()),
        ("http", Some(Host::Ipv6(address))) if address.is_loopback() => Ok(()),
        ("http", _) => wrong("https; http is for loopback addresses"),
        (
            "javascript" | "data" | "file" | "vbscript" | "blob" | "about" | "ftp" | "ws" | "wss",
            _,
        ) => wrong("https, http on a loopback address, or a scheme of the application's own"),
        (_, _) => Ok(()),
    }
}

fn read_jwks(file: &std::path::Path) -> Result<Value, Failure> {
    let failed = |reason: String| Failure::Failed(format!("{}: {reason}", file.display()));
    let bytes = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    let keys = KeySet::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
    if keys.keys().is_empty() {
        let reasons: Vec<String> = keys
            .skipped()
            .iter()
            .map(|skipped| format!("{skipped:?}"))
            .collect();
        return Err(failed(format!(
            "no usable public key; expected {{\"keys\": [...]}} {}",
            reasons.join("; ")
        )));
    }
    Ok(keys.to_json())
}
