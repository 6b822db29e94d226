//! `varco rp register` and `varco rp edit`: what of a relying party is said by options, with the checks of the desk's form.

use super::arguments::parties::{AuthMethod, Edit, PartyFields, Register};
use super::output::Output;
use super::parties::find;
use super::{Done, Failure, World};
use crate::administration::parties::{
    self, Accepted, Draft, Edited, Fault, Field, PartyError, PartyKey, Rules, check_keys,
    is_client_id,
};
use crate::model::{ClientId, IssuerId};
use crate::random;
use crate::secret::Secret;
use serde_json::json;
use std::ffi::OsStr;
use std::path::Path;

pub(super) fn register(world: &World, register: &Register, output: &mut Output) -> Done {
    let rules = rules(world, &register.issuer)?;
    let given = register.client_id.as_ref();
    if given.is_some_and(|id| !is_client_id(id)) {
        return Err(Failure::UsedWrongly(
            "--client-id: expected 1 to 255 visible ASCII characters".to_owned(),
        ));
    }
    let mut draft = Draft::default();
    draft.set(Field::AuthMethod, AuthMethod::default().as_str());
    write(&mut draft, &register.fields)?;
    let accepted = checked(&draft, &rules)?;
    let key = PartyKey {
        issuer: IssuerId::new(register.issuer.clone()),
        client_id: ClientId::new(given.cloned().unwrap_or_else(random::identifier)),
    };
    let (actor, now, new) = (world.actor.clone(), world.now, key.clone());
    let replace = register.replace;
    let client_secret = world
        .store
        .write_blocking(move |tx| parties::register(tx, &actor, (&new, &accepted, replace), now))?;
    output.text(&format!("client_id: {}", key.client_id));
    tell(&key, &draft, client_secret.as_ref(), output);
    Ok(())
}

/// Changes what is named; the rest stays as it is.
pub(super) fn edit(world: &World, edit: &Edit, output: &mut Output) -> Done {
    let rules = rules(world, &edit.party.issuer)?;
    let found = find(world, &edit.party)?;
    let base = Draft::of(&found);
    let mut draft = base.clone();
    write(&mut draft, &edit.fields)?;
    let key = PartyKey {
        issuer: found.issuer,
        client_id: found.client_id,
    };
    if draft == base {
        output.text("it is so already; nothing was changed");
        tell(&key, &draft, None, output);
        return Ok(());
    }
    let accepted = checked(&draft, &rules)?;
    let (actor, now, of) = (world.actor.clone(), world.now, key.clone());
    let edited = world
        .store
        .write_blocking(move |tx| parties::edit(tx, &actor, (&of, &base, &accepted), now))?;
    let new_secret = match edited {
        Edited::Saved(new_secret) => new_secret,
        Edited::Changed(_) => return Err(PartyError::Changed.into()),
    };
    output.text(&format!("{} is changed", key.client_id));
    tell(&key, &draft, new_secret.as_ref(), output);
    Ok(())
}

fn rules<'w>(world: &'w World, issuer: &str) -> Result<Rules<'w>, Failure> {
    let settings = world.issuer(issuer)?;
    Rules::of(settings, world.settings.development).ok_or_else(|| {
        Failure::UsedWrongly(format!(
            "issuer {} is of the {} profile: its RPs register themselves through the federation; nothing needs to be done for them",
            settings.id,
            settings.profile.as_str()
        ))
    })
}

fn checked(draft: &Draft, rules: &Rules<'_>) -> Result<Accepted, Failure> {
    draft.check(rules).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(Fault::line).collect();
        Failure::UsedWrongly(lines.join("\n"))
    })
}

fn tell(key: &PartyKey, draft: &Draft, secret: Option<&Secret<String>>, output: &mut Output) {
    if let Some(secret) = secret {
        tell_secret(secret, output);
    }
    let redirect_uris: Vec<&str> = draft.get(Field::RedirectUris).lines().collect();
    output.json(json!({
        "issuer": key.issuer.as_str(),
        "client_id": key.client_id.as_str(),
        "client_secret": secret.map(Secret::expose),
        "token_endpoint_auth_method": draft.get(Field::AuthMethod),
        "redirect_uris": redirect_uris,
    }));
}

pub(super) fn tell_secret(secret: &Secret<String>, output: &mut Output) {
    output.text(&format!("client_secret: {}", secret.expose()));
    output.text("the secret is not kept and cannot be shown again");
}

/// Writes down what was named.
fn write(draft: &mut Draft, fields: &PartyFields) -> Result<(), Failure> {
    let uris = fields.redirect_uris.as_ref().map(|uris| uris.join("\n"));
    let jwks = match &fields.jwks_file {
        Some(file) => Some(read_jwks(file)?),
        None => None,
    };
    for field in Field::ALL {
        let text = match field {
            Field::Name => fields.name.as_deref(),
            Field::Organization => fields.organization.as_deref(),
            Field::RedirectUris => uris.as_deref(),
            Field::AuthMethod => fields.auth_method.map(AuthMethod::as_str),
            Field::Jwks => jwks.as_deref(),
            Field::JwksUri => fields.jwks_uri.as_deref(),
            Field::Scope => fields.scope.as_deref(),
            Field::AccessSeconds => fields.access_token_seconds.as_deref(),
            Field::IdTokenSeconds => fields.id_token_seconds.as_deref(),
            Field::RefreshSeconds => fields.refresh_token_seconds.as_deref(),
            Field::LogoUri => fields.logo_uri.as_deref(),
            Field::ClientUri => fields.client_uri.as_deref(),
            Field::PolicyUri => fields.policy_uri.as_deref(),
        };
        if let Some(text) = text {
            draft.set(field, text);
        }
    }
    Ok(())
}

/// The keys of a file; none of no file.
fn read_jwks(file: &OsStr) -> Result<String, Failure> {
    if file.is_empty() {
        return Ok(String::new());
    }
    let file = Path::new(file);
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
