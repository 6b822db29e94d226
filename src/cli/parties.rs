//! `varco rp`.

use super::arguments::parties::{Party, Register, RpCommand};
use super::output::Output;
use super::{Done, Failure, World, party_files};
use crate::administration::parties::{
    self, Draft, Fault, Field, PartyError, PartyKey, REVOKED_AT_ONCE, Rules, check_keys,
    is_client_id,
};
use crate::config::IssuerSettings;
use crate::model::{ClientId, IssuerId, Origin, RelyingParty};
use crate::random;
use crate::secret::Secret;
use crate::store::client::{self, ClientFilter, ClientOrder};
use serde_json::{Value, json};

/// RPs read at once.
const PAGE: u32 = 500;

pub(super) fn run(world: &World, command: RpCommand, output: &mut Output) -> Done {
    match command {
        RpCommand::Register(register) => register_party(world, &register, output),
        RpCommand::List { issuer, search } => list(world, (world.issuer(&issuer)?, search), output),
        RpCommand::Show(party) => show(&find(world, &party)?, output),
        RpCommand::Check(party) => super::check::run(world, &party, output),
        RpCommand::Disable(party) => set_enabled(world, &party, false, output),
        RpCommand::Enable(party) => set_enabled(world, &party, true, output),
        RpCommand::RevokeTokens(party) => revoke_tokens(world, &party, output),
        RpCommand::RotateSecret {
            party,
            overlap_seconds,
        } => rotate(world, &party, overlap_seconds, output),
        RpCommand::Delete(party) => delete(world, &party, output),
        RpCommand::Export { issuer } => party_files::export(world, issuer.as_deref(), output),
        RpCommand::Import {
            file,
            dry_run,
            skip_bad,
        } => party_files::import(world, &file, (dry_run, skip_bad), output),
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

fn key(world: &World, party: &Party) -> Result<PartyKey, Failure> {
    let found = find(world, party)?;
    Ok(PartyKey {
        issuer: found.issuer,
        client_id: found.client_id,
    })
}

fn set_enabled(world: &World, party: &Party, enabled: bool, output: &mut Output) -> Done {
    let key = key(world, party)?;
    let told = key.client_id.clone();
    let (actor, now) = (world.actor.clone(), world.now);
    world
        .store
        .write_blocking(move |tx| parties::set_enabled(tx, &actor, (&key, enabled), now))?;
    output.text(&if enabled {
        format!("{told} is accepted")
    } else {
        format!("{told} is refused until `varco rp enable`")
    });
    output.json(json!({ "client_id": told.as_str(), "enabled": enabled }));
    Ok(())
}

fn list(world: &World, (settings, text): (&IssuerSettings, String), output: &mut Output) -> Done {
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    let filter = ClientFilter {
        issuer: Some(IssuerId::new(settings.id.clone())),
        text,
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
    let mut metadata = serde_json::to_value(party.metadata.without_secrets())?;
    if let Some(members) = metadata.as_object_mut() {
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

fn register_party(world: &World, register: &Register, output: &mut Output) -> Done {
    let settings = world.issuer(&register.issuer)?;
    let wrong = |message: String| Err(Failure::UsedWrongly(message));
    let Some(rules) = Rules::of(settings, world.settings.development) else {
        return wrong(format!(
            "issuer {} is of the {} profile: its RPs register themselves through the federation; nothing needs to be done for them",
            settings.id,
            settings.profile.as_str()
        ));
    };
    if register
        .client_id
        .as_ref()
        .is_some_and(|id| !is_client_id(id))
    {
        return wrong("--client-id: expected 1 to 255 visible ASCII characters".to_owned());
    }
    let accepted = draft(register)?.check(&rules).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(Fault::line).collect();
        Failure::UsedWrongly(lines.join("\n"))
    })?;
    let key = PartyKey {
        issuer: IssuerId::new(settings.id.clone()),
        client_id: ClientId::new(
            register
                .client_id
                .clone()
                .unwrap_or_else(random::identifier),
        ),
    };
    let (actor, now, new, replace) = (
        world.actor.clone(),
        world.now,
        key.clone(),
        register.replace,
    );
    let client_secret = world
        .store
        .write_blocking(move |tx| parties::register(tx, &actor, (&new, &accepted, replace), now))?;
    output.text(&format!("client_id: {}", key.client_id));
    if let Some(secret) = &client_secret {
        tell_secret(secret, output);
    }
    output.json(json!({
        "issuer": settings.id,
        "client_id": key.client_id.as_str(),
        "client_secret": client_secret.as_ref().map(Secret::expose),
        "token_endpoint_auth_method": register.auth_method.as_str(),
        "redirect_uris": register.redirect_uris,
    }));
    Ok(())
}

fn tell_secret(secret: &Secret<String>, output: &mut Output) {
    output.text(&format!("client_secret: {}", secret.expose()));
    output.text("the secret is not kept and cannot be shown again");
}

fn draft(register: &Register) -> Result<Draft, Failure> {
    let uris = register.redirect_uris.join("\n");
    let jwks = match &register.jwks_file {
        Some(file) => read_jwks(file)?,
        None => String::new(),
    };
    Ok(Draft::from_fields(|field| match field {
        Field::Name => Some(&register.name),
        Field::Organization => register.organization.as_deref(),
        Field::RedirectUris => Some(&uris),
        Field::AuthMethod => Some(register.auth_method.as_str()),
        Field::Jwks => Some(&jwks),
        Field::Scope => register.scope.as_deref(),
        Field::AccessSeconds => register.access_token_seconds.as_deref(),
        Field::IdTokenSeconds => register.id_token_seconds.as_deref(),
        Field::RefreshSeconds => register.refresh_token_seconds.as_deref(),
        Field::LogoUri => register.logo_uri.as_deref(),
        Field::ClientUri => register.client_uri.as_deref(),
        Field::PolicyUri => register.policy_uri.as_deref(),
    }))
}

fn read_jwks(file: &std::path::Path) -> Result<String, Failure> {
    let failed = |reason: String| Failure::Failed(format!("{}: {reason}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    match check_keys(text.trim()) {
        Ok(_) => Ok(text),
        Err((problem, reason)) => Err(failed(format!(
            "{} {}",
            problem.expected(),
            reason.unwrap_or_default()
        ))),
    }
}

fn rotate(world: &World, party: &Party, overlap_seconds: i64, output: &mut Output) -> Done {
    let key = key(world, party)?;
    let (actor, now, of) = (world.actor.clone(), world.now, key.clone());
    let secret = world.store.write_blocking(move |tx| {
        parties::rotate_secret(tx, &actor, (&of, overlap_seconds, None), now)
    })?;
    tell_secret(&secret, output);
    let until = now.plus_seconds(overlap_seconds).to_rfc3339();
    output.text(&format!("the old secret counts until {until}"));
    output.json(json!({
        "client_id": key.client_id.as_str(),
        "client_secret": secret.expose(),
        "old_secret_until": until,
    }));
    Ok(())
}

/// In batches, so that logins get through.
fn revoke(world: &World, key: &PartyKey) -> Result<usize, Failure> {
    let full = usize::try_from(REVOKED_AT_ONCE).unwrap_or(usize::MAX);
    let mut total = 0_usize;
    loop {
        let (actor, now, of) = (world.actor.clone(), world.now, key.clone());
        let revoked = world
            .store
            .write_blocking(move |tx| parties::revoke_tokens(tx, &actor, &of, now))?;
        total = total.saturating_add(revoked);
        if revoked < full {
            return Ok(total);
        }
    }
}

fn revoke_tokens(world: &World, party: &Party, output: &mut Output) -> Done {
    let key = key(world, party)?;
    let revoked = revoke(world, &key)?;
    output.text(&format!("{revoked} grants of {} revoked", key.client_id));
    output.json(json!({ "client_id": key.client_id.as_str(), "grants_revoked": revoked }));
    Ok(())
}

fn delete(world: &World, party: &Party, output: &mut Output) -> Done {
    let found = find(world, party)?;
    if !matches!(found.origin, Origin::Registered) {
        return Err(PartyError::NotRegistered.into());
    }
    let key = key(world, party)?;
    let revoked = revoke(world, &key)?;
    let (actor, now, of) = (world.actor.clone(), world.now, key.clone());
    world
        .store
        .write_blocking(move |tx| parties::delete(tx, &actor, &of, now))?;
    output.text(&format!("{} removed", key.client_id));
    output.json(json!({ "client_id": key.client_id.as_str(), "grants_revoked": revoked }));
    Ok(())
}
