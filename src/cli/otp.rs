//! `varco user otp`: a person's second factors.

use super::arguments::users::{Otp, OtpAction};
use super::output::Output;
use super::users::require;
use super::{Console, Done, Failure, World, people};
use crate::accounts::second_factor::{self, SECRET_BYTES, SecondFactorError};
use crate::administration::readings;
use crate::administration::users::{self, Change};
use crate::authn::totp;
use crate::keys;
use crate::model::{Account, Authenticator};
use crate::random;
use crate::secret::Secret;
use crate::store::{StoreError, authenticator, recovery_code};
use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};
use std::io::Read;

pub(super) fn run(
    world: &World,
    command: Otp,
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    let account = require(world, &command.username)?;
    match command.action {
        OtpAction { set: true, .. } => set(world, &account, &command, console, output),
        OtpAction { show_uri: true, .. } => show_uri(world, &account, &command, output),
        OtpAction { unlock: true, .. } => unlock(world, account, output),
        OtpAction { remove: true, .. } => remove(world, account, output),
        OtpAction { .. } => list(world, &account, output),
    }
}

fn set(
    world: &World,
    account: &Account,
    command: &Otp,
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    let key = keys::load_key(&world.settings)?;
    let base32 = if command.secret_stdin {
        let mut text = String::new();
        console.input.take(4096).read_to_string(&mut text)?;
        let line = text.lines().next().unwrap_or_default();
        second_factor::read_base32(line)?
    } else {
        BASE32_NOPAD.encode(&random::byte_vec(SECRET_BYTES))
    };
    let (id, now, given) = (account.id.clone(), world.now, base32.clone());
    let actor = world.actor.clone();
    let post = people::Post::of(world, account, Some(users::factor_given()))?;
    world
        .store
        .write_blocking(move |conn| -> Result<(), SecondFactorError> {
            users::give_totp(conn, &actor, (&key, &id, &given), now)?;
            Ok(post.queue(conn)?)
        })?;
    let secret = Secret::new(
        BASE32_NOPAD
            .decode(base32.as_bytes())
            .map_err(|_| SecondFactorError::NotBase32)?,
    );
    let uri = uri(world, command, account, &secret)?;
    output.text(&format!(
        "{} has a secret for one-time codes, which counts from now on. Hand it over safely; it is not shown again without --show-uri\n{}\n{uri}",
        account.username,
        totp::readable(secret.expose())
    ));
    output.json(json!({ "username": account.username, "secret": base32, "uri": uri }));
    Ok(())
}

fn show_uri(world: &World, account: &Account, command: &Otp, output: &mut Output) -> Done {
    let key = keys::load_key(&world.settings)?;
    let given = world
        .store
        .read_blocking(|conn| second_factor::given(conn, &account.id, world.now))?;
    let Some(given) = given else {
        return Err(Failure::Failed(format!(
            "no operator gave {} a secret; --set makes one (those that people register themselves are never shown)",
            account.username
        )));
    };
    let secret = second_factor::open(&key, &given)?;
    let uri = uri(world, command, account, &secret)?;
    let (actor, id, now) = (world.actor.clone(), account.id.clone(), world.now);
    world
        .store
        .write_blocking(move |tx| readings::factor(tx, &actor, &id, now))?;
    output.text(&uri);
    output.json(json!({ "username": account.username, "uri": uri }));
    Ok(())
}

/// The address for an app, which shows the issuer's name.
fn uri(
    world: &World,
    command: &Otp,
    account: &Account,
    secret: &Secret<Vec<u8>>,
) -> Result<String, Failure> {
    let issuer = match &command.issuer {
        Some(id) => Some(world.issuer(id)?),
        None => world.settings.issuers.first(),
    };
    let name = issuer.map_or("Varco", |issuer| {
        issuer.organization_name.as_deref().unwrap_or(&issuer.id)
    });
    Ok(totp::uri(secret.expose(), name, &account.username)?)
}

fn unlock(world: &World, account: Account, output: &mut Output) -> Done {
    people::change(world, &account, Change::Unlock)?;
    let username = account.username;
    output.text(&format!("{username} can try again"));
    output.json(json!({ "username": username, "unlocked": true }));
    Ok(())
}

fn remove(world: &World, account: Account, output: &mut Output) -> Done {
    let removed = people::change(world, &account, Change::ResetFactors)?;
    let username = account.username;
    output.text(&format!(
        "removed {removed} second factors of {username} and the recovery codes; the sessions have ended. `varco user otp {username} --set` gives a new one"
    ));
    output.json(json!({ "username": username, "removed": removed }));
    Ok(())
}

fn list(world: &World, account: &Account, output: &mut Output) -> Done {
    let (all, left) = world.store.read_blocking(|conn| -> Result<_, StoreError> {
        let mut all = authenticator::search(conn, &account.id, world.now)?;
        all.retain(Authenticator::is_active);
        Ok((all, recovery_code::count_left(conn, &account.id)?))
    })?;
    let used = |known: &Authenticator| known.last_used_at.map(|time| time.to_rfc3339());
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|known| {
            vec![
                known.method.name().to_owned(),
                known.created_at.to_rfc3339(),
                used(known).unwrap_or_else(|| "never".to_owned()),
                if known.name.is_empty() {
                    "(given by an operator)".to_owned()
                } else {
                    known.name.clone()
                },
            ]
        })
        .collect();
    if rows.is_empty() {
        output.text(&format!(
            "{} has no second factor; --set gives one",
            account.username
        ));
    } else {
        output.table(&["method", "registered", "last used", "name"], &rows);
    }
    output.text(&format!("recovery codes left: {left}"));
    let list: Vec<Value> = all
        .iter()
        .map(|known| {
            json!({
                "method": known.method.name(),
                "name": known.name,
                "registered": known.created_at.to_rfc3339(),
                "last_used": used(known),
            })
        })
        .collect();
    output.json(json!({
        "username": account.username, "second_factors": list, "recovery_codes_left": left,
    }));
    Ok(())
}
