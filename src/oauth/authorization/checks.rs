//! The checks after the destination is verified, in their order.

use super::error::Fact;
use super::sender::{Sender, as_members};
use crate::model::{AuthorizationRequest, ClaimRequest, Params, Prompt};
use crate::profile::message::{count, words};
use crate::provider::Provider;
use serde_json::{Map, Value};

/// At most so many claims are read from one request.
const MAX_CLAIMS: usize = 100;

/// What the checks look at.
struct Facts<'a> {
    op: &'a Provider,
    params: &'a Params,
    sender: &'a Sender,
    has_session: bool,
}

type Check = fn(&Facts<'_>) -> Result<(), Fact>;

/// The checks, first to last; the first that fails is the answer.
static CHECKS: &[Check] = &[
    request_object_members,
    request_object_claims,
    parameters,
    scopes_agree,
    challenges_agree,
    openid_is_asked,
    scopes_are_known,
    prompt_is_possible,
    level_is_reachable,
];

/// Runs every check and reads the request.
///
/// # Errors
/// The first fact that is wrong.
pub fn accept(
    op: &Provider,
    params: &Params,
    sender: &Sender,
    has_session: bool,
) -> Result<AuthorizationRequest, Fact> {
    let facts = Facts {
        op,
        params,
        sender,
        has_session,
    };
    CHECKS.iter().try_for_each(|check| check(&facts))?;
    read(&facts)
}

fn request_object_members(facts: &Facts<'_>) -> Result<(), Fact> {
    let Some(message) = facts.op.profile.request_object else {
        return Ok(());
    };
    message
        .check(
            facts.sender.members(),
            !facts.op.settings.acr_values_required,
        )
        .map_err(Fact::Member)
}

fn request_object_claims(facts: &Facts<'_>) -> Result<(), Fact> {
    facts.sender.check_claims(facts.op)
}

fn parameters(facts: &Facts<'_>) -> Result<(), Fact> {
    facts
        .op
        .profile
        .authorization
        .check(&as_members(facts.params), false)
        .map_err(Fact::Member)
}

/// SPID/CIE AZ-3.
fn scopes_agree(facts: &Facts<'_>) -> Result<(), Fact> {
    let mut outside: Vec<&str> = facts
        .params
        .get("scope")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .collect();
    let inside = member_words(facts, "scope");
    let mut inside: Vec<&str> = inside.iter().map(String::as_str).collect();
    outside.sort_unstable();
    inside.sort_unstable();
    if outside == inside {
        Ok(())
    } else {
        Err(Fact::ScopesDiffer)
    }
}

fn challenges_agree(facts: &Facts<'_>) -> Result<(), Fact> {
    if facts.params.get("code_challenge") == member_text(facts, "code_challenge") {
        Ok(())
    } else {
        Err(Fact::ChallengesDiffer)
    }
}

/// SPID/CIE AZ-7.
fn openid_is_asked(facts: &Facts<'_>) -> Result<(), Fact> {
    if member_words(facts, "scope")
        .iter()
        .any(|scope| scope == "openid")
    {
        Ok(())
    } else {
        Err(Fact::OpenidMissing)
    }
}

/// SPID/CIE AZ-7; an RP whose metadata has `scope` gets nothing beyond it (OIDC Registration, RFC 7591 §2).
fn scopes_are_known(facts: &Facts<'_>) -> Result<(), Fact> {
    let own = facts.sender.client().metadata().scope.as_deref();
    let unknown = member_words(facts, "scope").into_iter().find(|scope| {
        let registered = own.is_none_or(|own| own.split_ascii_whitespace().any(|one| one == scope));
        facts.op.profile.scope(scope).is_none() || !registered
    });
    unknown.map_or(Ok(()), |scope| Err(Fact::UnknownScope(scope)))
}

/// SPID/CIE AZ-6; `none` cannot succeed where consent is always asked.
fn prompt_is_possible(facts: &Facts<'_>) -> Result<(), Fact> {
    let prompt = member_text(facts, "prompt")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    if prompt == "none" {
        return Err(if facts.has_session {
            Fact::ConsentRequired
        } else {
            Fact::LoginRequired
        });
    }
    let required = facts.op.profile.request_object.is_some();
    if (prompt.is_empty() && !required) || facts.op.profile.prompts.contains(&prompt.as_str()) {
        Ok(())
    } else {
        Err(Fact::UnsupportedPrompt(facts.op.profile.prompts))
    }
}

/// SPID/CIE AZ-8.
fn level_is_reachable(facts: &Facts<'_>) -> Result<(), Fact> {
    match facts.op.level_for(&member_words(facts, "acr_values")) {
        Some(_) => Ok(()),
        None => Err(Fact::LevelUnreachable),
    }
}

fn member_text<'a>(facts: &'a Facts<'_>, name: &str) -> Option<&'a str> {
    facts.sender.members().get(name).and_then(Value::as_str)
}

fn member_words(facts: &Facts<'_>, name: &str) -> Vec<String> {
    facts
        .sender
        .members()
        .get(name)
        .and_then(words)
        .unwrap_or_default()
}

fn read(facts: &Facts<'_>) -> Result<AuthorizationRequest, Fact> {
    let members = facts.sender.members();
    let text = |name| member_text(facts, name).map(str::to_owned);
    let prompt = member_words(facts, "prompt");
    let asked = |word: &str| prompt.iter().any(|prompt| prompt == word);
    let mut scope: Vec<String> = Vec::new();
    for token in member_words(facts, "scope") {
        if !scope.contains(&token) {
            scope.push(token);
        }
    }
    let mut ui_locales = member_words(facts, "ui_locales");
    if ui_locales.is_empty() {
        ui_locales = facts
            .params
            .get("ui_locales")
            .unwrap_or_default()
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect();
    }
    ui_locales.truncate(10);
    Ok(AuthorizationRequest {
        client_id: facts.sender.client_id().clone(),
        destination: facts.sender.destination().clone(),
        scope,
        nonce: text("nonce"),
        code_challenge: text("code_challenge"),
        prompt: Prompt {
            login: asked("login"),
            consent: asked("consent"),
            none: false,
        },
        acr_values: member_words(facts, "acr_values"),
        userinfo_claims: claims(members, "userinfo")?,
        id_token_claims: if facts.op.profile.claims_in_id_token {
            claims(members, "id_token")?
        } else {
            Vec::new()
        },
        max_age: members.get("max_age").and_then(count),
        ui_locales,
    })
}

/// OIDC Core §5.5: each member is null or an object with `essential`, `value`, `values`.
fn claims(members: &Map<String, Value>, place: &str) -> Result<Vec<ClaimRequest>, Fact> {
    let Some(all) = members.get("claims").and_then(|claims| claims.get(place)) else {
        return Ok(Vec::new());
    };
    if all.is_null() {
        return Ok(Vec::new());
    }
    let all = all
        .as_object()
        .ok_or(Fact::Claims("userinfo and id_token must be JSON objects"))?;
    if all.len() > MAX_CLAIMS {
        return Err(Fact::Claims("more than 100 claims are asked for"));
    }
    all.iter()
        .map(|(name, wish)| {
            if !wish.is_null() && !wish.is_object() {
                return Err(Fact::Claims(
                    "each claim must be null or an object with essential, value or values",
                ));
            }
            let one = wish.get("value").cloned();
            let several = wish.get("values").and_then(Value::as_array).cloned();
            Ok(ClaimRequest {
                name: name.clone(),
                essential: wish.get("essential").and_then(Value::as_bool) == Some(true),
                values: one.into_iter().chain(several.unwrap_or_default()).collect(),
            })
        })
        .collect()
}
