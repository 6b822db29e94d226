//! `varco keys`.

use super::arguments::{KeysCommand, RingArgument, UseArgument};
use super::output::Output;
use super::{Console, Done, Failure, World};
use crate::administration::keys::{self as administration, Keeper, KeysError};
use crate::administration::readings;
use crate::clock::UtcTime;
use crate::config::IssuerSettings;
use crate::jose::RingName;
use crate::jose::{KeyEncryptionKey, KeyKind, KeyUse};
use crate::keys::{self, Change, KeyError, UNSCHEDULED, When, state_at};
use crate::model::{IssuerId, StoredKey};
use crate::store::{StoreError, signing_key};
use data_encoding::BASE64;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use zeroize::Zeroizing;

pub(super) fn run(
    file: &Path,
    command: KeysCommand,
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    let world = World::open(file, console)?;
    match command {
        KeysCommand::Init { replace_lost } => init(&world, replace_lost, output),
        KeysCommand::List {
            issuer,
            all,
            jwks,
            ring,
            export_private,
        } => {
            let wanted = Wanted {
                all,
                ring: ring.map(ring_name),
            };
            let issuers: Vec<&IssuerSettings> = match &issuer {
                Some(id) => vec![world.issuer(id)?],
                None => world.settings.issuers.iter().collect(),
            };
            let keys = select(&world, &issuers, &wanted)?;
            if jwks {
                return print_jwks(&keys, output);
            }
            list(&world, &keys, export_private, output)
        }
        KeysCommand::Generate {
            issuer,
            ring,
            kind,
            usage,
        } => generate(&world, &issuer, (ring, &kind, usage), output),
        KeysCommand::Rotate {
            issuer,
            ring,
            now,
            at,
            reason,
        } => {
            let settings = world.issuer(&issuer)?;
            let kek = keys::load_key(&world.settings)?;
            let when = match (now, at) {
                (true, _) => When::Immediately,
                (false, Some(at)) => When::At(UtcTime(at.timestamp())),
                (false, None) => When::Soonest,
            };
            let keeper = keeper(&world, settings, Some(&kek), &reason);
            let changes =
                administration::rotate(&keeper, ring_name(ring), when).map_err(wrongly)?;
            tell(&changes, output);
            Ok(())
        }
        KeysCommand::Retire {
            issuer,
            kid,
            now,
            reason,
        } => {
            let settings = world.issuer(&issuer)?;
            let keeper = keeper(&world, settings, None, &reason);
            let done = administration::retire(&keeper, &kid, now)?;
            output.text(&format!(
                "{} no longer signs; it leaves the published keys at {}",
                done.kid,
                done.at.to_rfc3339()
            ));
            output.json(json!({ "keys": [change_json(&done)] }));
            Ok(())
        }
    }
}

/// A time that cannot be is a wrong argument.
fn wrongly(error: KeysError) -> Failure {
    match error {
        KeysError::Past | KeysError::TooFar => Failure::UsedWrongly(format!("--at: {error}")),
        other => other.into(),
    }
}

fn generate(
    world: &World,
    issuer: &str,
    (ring, kind, usage): (RingArgument, &str, UseArgument),
    output: &mut Output,
) -> Done {
    let settings = world.issuer(issuer)?;
    let kind = KeyKind::parse(kind).ok_or_else(|| {
        Failure::UsedWrongly(format!(
            "no kind of key: {kind}; expected RSA-2048, RSA-3072, RSA-4096, P-256, P-384 or P-521"
        ))
    })?;
    let usage = match usage {
        UseArgument::Sig => KeyUse::Signature,
        UseArgument::Enc => KeyUse::Encryption,
    };
    if ring == RingArgument::Federation && usage == KeyUse::Encryption {
        return Err(Failure::UsedWrongly(
            "federation keys only sign: --use sig".to_owned(),
        ));
    }
    let kek = keys::load_key(&world.settings)?;
    let keeper = keeper(world, settings, Some(&kek), "");
    let made = administration::generate(&keeper, (ring_name(ring), kind, usage))?;
    tell(&[made], output);
    Ok(())
}

fn keeper<'a>(
    world: &'a World,
    settings: &'a IssuerSettings,
    key_encryption_key: Option<&'a KeyEncryptionKey>,
    reason: &'a str,
) -> Keeper<'a> {
    Keeper {
        store: &world.store,
        settings,
        key_encryption_key,
        actor: &world.actor,
        reason,
        now: world.now,
    }
}

fn ring_name(ring: RingArgument) -> RingName {
    match ring {
        RingArgument::Protocol => RingName::Protocol,
        RingArgument::Federation => RingName::Federation,
    }
}

fn init(world: &World, replace_lost: bool, output: &mut Output) -> Done {
    let made = if replace_lost {
        keys::replace_lost(&world.store, &world.settings, world.now)?
    } else {
        keys::init(&world.store, &world.settings, world.now)?
    };
    if made.is_empty() {
        output.text("every issuer has its keys; nothing was made");
        output.json(json!({ "keys": [] }));
        return Ok(());
    }
    tell(&made, output);
    if world.settings.key.is_none() {
        output.text(&format!(
            "keep a copy of {} apart from the database's: without it these keys cannot be read",
            world.settings.key_file.display()
        ));
    }
    if made.iter().any(|key| key.ring == RingName::Federation) {
        output.text(
            "`varco keys list --ring federation --jwks` prints what to hand in at the registry",
        );
    }
    Ok(())
}

fn tell(changes: &[Change], output: &mut Output) {
    for change in changes {
        let when = if change.at == UNSCHEDULED {
            match change.ring {
                RingName::Protocol => "published; signs after `varco keys rotate`".to_owned(),
                RingName::Federation => format!(
                    "published; hand it in at the superior, and when that attests it run `varco keys rotate --issuer {} --ring federation`",
                    change.issuer
                ),
            }
        } else {
            format!("in use from {}", change.at.to_rfc3339())
        };
        let instead = change.was.map_or_else(String::new, |was| {
            format!(", instead of {} as planned before", was.to_rfc3339())
        });
        output.text(&format!(
            "{} {} {} {} {}: {when}{instead}",
            change.issuer,
            change.ring.as_str(),
            change.usage,
            change.kind,
            change.kid
        ));
    }
    let list: Vec<Value> = changes.iter().map(change_json).collect();
    output.json(json!({ "keys": list }));
}

fn change_json(change: &Change) -> Value {
    json!({
        "issuer": change.issuer,
        "ring": change.ring.as_str(),
        "kid": change.kid,
        "kind": change.kind,
        "use": change.usage,
        "at": time(change.at),
        "planned_before": change.was.and_then(time),
    })
}

fn time(at: UtcTime) -> Option<String> {
    (at != UNSCHEDULED).then(|| at.to_rfc3339())
}

struct Wanted {
    all: bool,
    ring: Option<RingName>,
}

fn select(
    world: &World,
    issuers: &[&IssuerSettings],
    wanted: &Wanted,
) -> Result<Vec<StoredKey>, Failure> {
    let mut found = Vec::new();
    for issuer in issuers {
        let id = IssuerId::new(issuer.id.clone());
        let keys = world
            .store
            .read_blocking(|conn| signing_key::search(conn, &id))?;
        found.extend(keys.into_iter().filter(|key| {
            wanted.ring.is_none_or(|ring| ring == key.ring)
                && (wanted.all || state_at(key, world.now).is_some())
        }));
    }
    Ok(found)
}

fn print_jwks(keys: &[StoredKey], output: &mut Output) -> Done {
    let keys: Result<Vec<Value>, _> = keys
        .iter()
        .map(|key| serde_json::from_str(&key.public_jwk))
        .collect();
    let document = json!({ "keys": keys? });
    output.text(&format!("{document:#}"));
    output.json(document);
    Ok(())
}

fn list(world: &World, found: &[StoredKey], export_private: bool, output: &mut Output) -> Done {
    let kek = if export_private {
        Some(keys::load_key(&world.settings)?)
    } else {
        None
    };
    if export_private {
        record_export(world, found)?;
    }
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    let mut private_keys = Vec::new();
    for key in found {
        let state = state_at(key, world.now).map_or("ended", |state| state.as_str());
        let date = |at: Option<UtcTime>| at.and_then(time).unwrap_or_else(|| "-".to_owned());
        rows.push(vec![
            key.issuer.to_string(),
            key.ring.as_str().to_owned(),
            key.usage.clone(),
            key.kind.clone(),
            state.to_owned(),
            key.created_at.to_rfc3339(),
            date(Some(key.activates_at)),
            date(key.retired_at),
            date(key.ends_at),
            key.kid.clone(),
        ]);
        let private = kek.as_ref().map(|kek| pem(kek, key)).transpose()?;
        documents.push(json!({
            "issuer": key.issuer.as_str(),
            "ring": key.ring.as_str(),
            "use": key.usage,
            "kind": key.kind,
            "state": state,
            "kid": key.kid,
            "created_at": time(key.created_at),
            "activates_at": time(key.activates_at),
            "retired_at": key.retired_at.and_then(time),
            "ends_at": key.ends_at.and_then(time),
            "private_key": private.as_deref(),
        }));
        private_keys.extend(private.map(|text| format!("{}\n{}", key.kid, text.as_str())));
    }
    if rows.is_empty() {
        output.text("no keys: `varco keys init` makes them");
    } else {
        let heads = [
            "issuer",
            "ring",
            "use",
            "kind",
            "state",
            "created",
            "signs from",
            "retired",
            "ends",
            "kid",
        ];
        output.table(&heads, &rows);
    }
    for text in private_keys {
        output.text(text.trim_end());
    }
    output.json(json!({ "keys": documents }));
    Ok(())
}

/// Tells the trail, of each issuer whose private keys are about to be printed.
fn record_export(world: &World, found: &[StoredKey]) -> Done {
    let mut issuers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for key in found {
        let kids = issuers.entry(key.issuer.to_string()).or_default();
        kids.push(key.kid.clone());
    }
    let (actor, now) = (world.actor.clone(), world.now);
    world
        .store
        .write_blocking(move |tx| -> Result<(), StoreError> {
            for (issuer, kids) in &issuers {
                let kids: Vec<&str> = kids.iter().map(String::as_str).collect();
                readings::keys(tx, &actor, (issuer, &kids), now)?;
            }
            Ok(())
        })?;
    Ok(())
}

/// PKCS#8 in PEM (RFC 7468 §10).
fn pem(kek: &KeyEncryptionKey, key: &StoredKey) -> Result<Zeroizing<String>, KeyError> {
    let private = keys::open(kek, key)?;
    let der = private.to_pkcs8_der().map_err(|reason| KeyError::Jose {
        kid: key.kid.clone(),
        reason,
    })?;
    let encoded = Zeroizing::new(BASE64.encode(der.expose()));
    let mut text = Zeroizing::new("-----BEGIN PRIVATE KEY-----\n".to_owned());
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    Ok(text)
}
