//! `varco user find`, `show`, and what changes somebody: the desk's section "users" for scripts.

use super::arguments::users::{Find, UserCommand};
use super::output::Output;
use super::users::require;
use super::{Done, Failure, World, holdings};
use crate::administration::Office;
use crate::administration::users::{self, Change, Edit};
use crate::clock::UtcTime;
use crate::config::ServerSettings;
use crate::jose::KeyEncryptionKey;
use crate::keys;
use crate::mail::Letter;
use crate::model::attribute::canonical_claim;
use crate::model::{Account, Authenticator, Session};
use crate::provider::Letterhead;
use crate::store::account::{self, AccountFilter, AccountKey};
use crate::store::keyset::{CursorText as _, TextCursor};
use crate::store::{DbConn, StoreError, authenticator, recovery_code, session};
use serde_json::{Map, Value, json};

/// Sessions that are shown.
const MOST_SESSIONS: u32 = 100;

pub(super) fn run(world: &World, command: UserCommand, output: &mut Output) -> Done {
    match command {
        UserCommand::Find(wanted) => find(world, wanted, output),
        UserCommand::Show(of) => show(world, &require(world, &of.username)?, output),
        UserCommand::Disable(of) => told(world, &of.username, Change::Enabled(false), output),
        UserCommand::Enable(of) => told(world, &of.username, Change::Enabled(true), output),
        UserCommand::Unlock(of) => told(world, &of.username, Change::Unlock, output),
        UserCommand::ResetFactors { username, only } => {
            let change = only.map_or(Change::ResetFactors, Change::RemoveFactor);
            told(world, &username, change, output)
        }
        UserCommand::EndSessions { username, only } => {
            let change = only.map_or(Change::EndSessions, Change::EndSession);
            told(world, &username, change, output)
        }
        UserCommand::Revoke { username, reason } => {
            holdings::revoke(world, &require(world, &username)?, &reason, output)
        }
        UserCommand::History(wanted) => {
            let known = require(world, &wanted.username)?;
            holdings::history(world, &known, &wanted, output)
        }
        // In the file of its subject.
        UserCommand::Add { .. }
        | UserCommand::Import(_)
        | UserCommand::Imports(_)
        | UserCommand::Export { .. }
        | UserCommand::Edit { .. }
        | UserCommand::Otp(_)
        | UserCommand::Password { .. } => Ok(()),
    }
}

/// Changes somebody; how many sessions or factors that ended.
pub(super) fn change(world: &World, known: &Account, change: Change) -> Result<usize, Failure> {
    let (actor, now, id) = (world.actor.clone(), world.now, known.id.clone());
    let post = Post::of(world, known, change.letter())?;
    let changed = world
        .store
        .write_blocking(move |tx| -> Result<usize, users::UserError> {
            let count = users::change(tx, &actor, (&id, &change), now)?;
            post.queue(tx)?;
            Ok(count)
        });
    Ok(changed?)
}

/// A letter to somebody about what a command does, to be queued in the transaction that does it.
pub(super) struct Post(Option<Written>);

struct Written {
    letter: Letter,
    to: Account,
    server: ServerSettings,
    key: KeyEncryptionKey,
    now: UtcTime,
}

impl Post {
    /// For somebody whom mails reach; whoever has no address needs no key to seal them with.
    pub(super) fn of(world: &World, to: &Account, letter: Option<Letter>) -> Result<Self, Failure> {
        let server = &world.settings;
        let reaches = |issuer| Letterhead::of(server, issuer).address(to).is_some();
        let (Some(letter), true) = (letter, server.issuers.first().is_some_and(reaches)) else {
            return Ok(Self(None));
        };
        Ok(Self(Some(Written {
            letter,
            to: to.clone(),
            server: server.clone(),
            key: keys::load_key(server)?,
            now: world.now,
        })))
    }

    pub(super) fn queue(&self, tx: &mut DbConn) -> Result<(), StoreError> {
        let Self(Some(written)) = self else {
            return Ok(());
        };
        if let Some(issuer) = written.server.issuers.first() {
            let head = Letterhead::of(&written.server, issuer);
            let with = (&written.key, written.now);
            head.queue(tx, with, &written.to, &written.letter)?;
        }
        Ok(())
    }
}

fn told(world: &World, username: &str, wanted: Change, output: &mut Output) -> Done {
    let known = require(world, username)?;
    let action = wanted.action();
    let mut document = json!({ "username": username, "action": action });
    let text = match &wanted {
        Change::Enabled(true) => format!("{username} can log in"),
        Change::Enabled(false) => {
            format!("{username} cannot log in, and the tokens given for them no longer work")
        }
        Change::Unlock => format!("{username} can try again"),
        Change::ResetFactors | Change::RemoveFactor(_) => {
            format!("{username}: second factors were removed, and the sessions have ended")
        }
        _ => format!("{username}: sessions have ended"),
    };
    if let (Change::Enabled(enabled), Value::Object(members)) = (&wanted, &mut document) {
        members.insert("enabled".to_owned(), json!(enabled));
    }
    let count = change(world, &known, wanted)?;
    if let Value::Object(members) = &mut document {
        members.insert("ended".to_owned(), json!(count));
    }
    output.text(&text);
    output.json(document);
    Ok(())
}

/// Attributes that are named change, the others stay.
pub(super) fn edit(
    world: &World,
    known: &Account,
    (given, removed): (Map<String, Value>, &[String]),
    output: &mut Output,
) -> Done {
    let mut new = known.attributes.clone();
    for claim in removed {
        let name = canonical_claim(claim).unwrap_or(claim);
        if new.remove(name).is_none() {
            return Err(Failure::Failed(format!(
                "{} has no attribute {claim}; nothing was changed",
                known.username
            )));
        }
    }
    let vouches = given.contains_key("email_verified");
    new.extend(given);
    // Whoever is told nothing needs no key to seal a letter with.
    let is_different = new != known.attributes;
    let office = match world.settings.mail.is_some() && is_different {
        true => Office::of(&world.settings, &keys::load_key(&world.settings)?),
        false => Office::closed(),
    };
    let wanted = Edit {
        version: Some(users::version(&known.attributes)),
        new,
        vouches,
    };
    let (actor, now, id) = (world.actor.clone(), world.now, known.id.clone());
    let edited = world
        .store
        .write_blocking(move |tx| users::edit(tx, (&actor, &office), (&id, &wanted), now))?;
    output.text(&match edited.changed.is_empty() {
        true => format!("{}: nothing is different", known.username),
        false => format!("{}: changed {}", known.username, edited.changed.join(", ")),
    });
    if edited.unverified {
        output.text(
            "the new address is not verified, and gets neither codes nor notices: once it is known to be the person's, `--attribute email_verified=true` says so",
        );
    }
    output.json(json!({
        "username": known.username, "changed": edited.changed, "unverified": edited.unverified,
    }));
    Ok(())
}

fn find(world: &World, wanted: Find, output: &mut Output) -> Done {
    let by = match (wanted.fiscal_number, wanted.email) {
        (Some(number), _) => AccountKey::FiscalNumber(number),
        (None, Some(email)) => AccountKey::Email(email),
        (None, None) => AccountKey::Username(wanted.username.unwrap_or_default()),
    };
    let filter = AccountFilter {
        by,
        enabled: (wanted.enabled || wanted.disabled).then_some(wanted.enabled),
    };
    let after = match wanted.after.as_deref().map(TextCursor::from_text) {
        None => None,
        Some(Some(cursor)) => Some(cursor),
        Some(None) => {
            return Err(Failure::UsedWrongly(
                "--after: expected what `next` was".to_owned(),
            ));
        }
    };
    let page = world
        .store
        .read_blocking(|conn| account::search(conn, &filter, after.as_ref(), wanted.limit))?;
    let text = |known: &Account, claim: &str| {
        let value = known.attributes.get(claim).and_then(Value::as_str);
        value.unwrap_or("-").to_owned()
    };
    let rows: Vec<Vec<String>> = page
        .rows
        .iter()
        .map(|known| {
            vec![
                known.username.clone(),
                if known.enabled { "enabled" } else { "disabled" }.to_owned(),
                text(known, "fiscal_number"),
                text(known, "email"),
            ]
        })
        .collect();
    let next = page.next.map(|next| next.to_text());
    if rows.is_empty() {
        output.text("nobody was found");
    } else {
        output.table(&["USERNAME", "STATE", "FISCAL NUMBER", "E-MAIL"], &rows);
    }
    if let Some(next) = &next {
        output.text(&format!("there are more: --after {next}"));
    }
    let found: Vec<Value> = page.rows.iter().map(document).collect();
    output.json(json!({ "users": found, "next": next }));
    Ok(())
}

fn document(known: &Account) -> Value {
    json!({
        "id": known.id.as_str(),
        "username": known.username,
        "enabled": known.enabled,
        "password": known.password_hash.is_some(),
        "attributes": known.attributes,
        "created_at": known.created_at.to_rfc3339(),
        "updated_at": known.updated_at.to_rfc3339(),
    })
}

fn show(world: &World, known: &Account, output: &mut Output) -> Done {
    let now = world.now;
    let (mut factors, left, sessions) =
        world.store.read_blocking(|conn| -> Result<_, StoreError> {
            Ok((
                authenticator::search(conn, &known.id, now)?,
                recovery_code::count_left(conn, &known.id)?,
                session::alive_of(conn, &known.id, now, MOST_SESSIONS)?,
            ))
        })?;
    factors.retain(Authenticator::is_active);
    let state = if known.enabled { "enabled" } else { "disabled" };
    let password = if known.password_hash.is_some() {
        "a"
    } else {
        "no"
    };
    output.text(&format!(
        "{} ({state}, {password} password), key {}",
        known.username, known.id
    ));
    for (claim, value) in &known.attributes {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        output.text(&format!("  {claim}: {value}"));
    }
    output.text(&format!(
        "{} second factors, {left} recovery codes, {} sessions",
        factors.len(),
        sessions.len()
    ));
    for factor in &factors {
        output.text(&format!(
            "  factor {}  {}  {}",
            factor.id,
            factor.method.name(),
            factor.name
        ));
    }
    for open in &sessions {
        output.text(&format!(
            "  session {}  {}  {}  {}",
            users::session_handle(&open.id),
            open.authenticated_at.to_rfc3339(),
            open.address,
            open.issuer
        ));
    }
    let mut all = document(known);
    if let Value::Object(members) = &mut all {
        let factors = factors.iter().map(factor_document).collect();
        let sessions = sessions.iter().map(session_document).collect();
        members.insert("second_factors".to_owned(), Value::Array(factors));
        members.insert("recovery_codes_left".to_owned(), json!(left));
        members.insert("sessions".to_owned(), Value::Array(sessions));
    }
    output.json(all);
    Ok(())
}

fn factor_document(factor: &Authenticator) -> Value {
    json!({
        "id": factor.id,
        "method": factor.method.name(),
        "name": factor.name,
        "registered": factor.created_at.to_rfc3339(),
        "last_used": factor.last_used_at.map(|at| at.to_rfc3339()),
    })
}

fn session_document(open: &Session) -> Value {
    json!({
        "key": users::session_handle(&open.id),
        "issuer": open.issuer.as_str(),
        "acr": open.acr,
        "browser": open.browser,
        "address": open.address,
        "since": open.authenticated_at.to_rfc3339(),
    })
}
