//! `varco rp`.

use super::arguments::parties::{Party, RpCommand};
use super::output::{Output, one_line};
use super::party_fields::{edit, register, tell_secret};
use super::{Console, Done, Failure, World, check, party_files, tolerance};
use crate::administration::parties::{self, PartyError, PartyKey, REVOKED_AT_ONCE};
use crate::config::IssuerSettings;
use crate::federation::evaluation::Recorder;
use crate::model::{ClientId, IssuerId, Origin, RelyingParty};
use crate::provider::ClientError;
use crate::store::client::{self, ClientFilter, ClientOrder};
use serde_json::{Value, json};

/// RPs read at once.
const PAGE: u32 = 500;

pub(super) fn run(
    world: &World,
    command: RpCommand,
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    match command {
        RpCommand::Register(wanted) => register(world, &wanted, output),
        RpCommand::Edit(wanted) => edit(world, &wanted, output),
        RpCommand::List { issuer, search } => list(world, (world.issuer(&issuer)?, search), output),
        RpCommand::Show(party) => show(&find(world, &party)?, output),
        RpCommand::Check(party) => check::run(world, &party, output),
        RpCommand::Refresh(party) => refresh(world, &party, output),
        RpCommand::Disable(party) => set_enabled(world, &party, false, output),
        RpCommand::Enable(party) => set_enabled(world, &party, true, output),
        RpCommand::RevokeTokens(party) => revoke_tokens(world, &party, output),
        RpCommand::RotateSecret {
            party,
            overlap_seconds,
        } => rotate(world, &party, overlap_seconds, output),
        RpCommand::Tolerate {
            party,
            clock_leeway_seconds,
            missing_exp,
            userinfo_content_type,
        } => {
            let texts = [clock_leeway_seconds, missing_exp, userinfo_content_type];
            tolerance::run(world, &party, &texts, output)
        }
        RpCommand::Delete(party) => delete(world, &party, output),
        RpCommand::Export { issuer } => party_files::export(world, issuer.as_deref(), output),
        RpCommand::Import {
            file,
            dry_run,
            skip_bad,
        } => party_files::import(world, (&file, dry_run, skip_bad), console, output),
    }
}

pub(super) fn find(world: &World, party: &Party) -> Result<RelyingParty, Failure> {
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

/// As the desk's button does it; what fails is told as by `varco rp check`.
fn refresh(world: &World, party: &Party, output: &mut Output) -> Done {
    let key = key(world, party)?;
    let op = check::provider(world, world.issuer(&party.issuer)?.clone())?;
    let runtime = check::runtime()?;
    let recorder = Recorder::writing();
    let refreshed = parties::refresh(&op, &world.actor, (&key, &recorder));
    let examination = runtime.block_on(refreshed)?;
    let failure = parties::failure(&examination);
    let until = examination.expires_at.map(|until| until.to_rfc3339());
    output.json(json!({
        "client_id": key.client_id.as_str(),
        "accepted": failure.is_none(),
        "expires_at": until,
        "reason": failure.map(ClientError::reason),
    }));
    match failure {
        None => output.text(&format!(
            "{} is accepted; its chain holds until {}",
            key.client_id,
            until.unwrap_or_else(|| "-".to_owned())
        )),
        Some(error) => {
            output.text(&one_line(&error.reason()));
            output.failed(format!(
                "{} is not accepted as it is now; what was known of it counts until it ends. `varco rp check {} --issuer {}` says more",
                key.client_id, key.client_id, key.issuer
            ));
        }
    }
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
