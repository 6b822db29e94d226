//! What an entity that wants to join says of itself: fetched from its own address, verified with its own keys.

use super::JoinError;
use crate::demo::http::HttpRequest;
use crate::demo::{DemoError, DemoFederation, EntityType};
use crate::federation::entity_id::has_loopback_host;
use crate::federation::entity_statement::STATEMENT_MAX_BYTES;
use crate::federation::{EntityId, EntityStatement, Moment};
use crate::jose::Unverified;
use serde_json::{Map, Value};
use url::Url;

const LEEWAY_SECONDS: i64 = 30;
/// Characters of a name in a trust mark.
const NAME_CHARACTERS: usize = 100;

impl DemoFederation {
    /// An identifier of somebody else on this machine.
    pub(super) fn outsider(&self, entity_id: &str) -> Result<EntityId, JoinError> {
        let id = entity(entity_id)?;
        let url = Url::parse(entity_id).ok();
        if !url.as_ref().is_some_and(has_loopback_host) {
            return Err(JoinError::NotLoopback(entity_id.to_owned()));
        }
        let origin = url.map(|url| url.origin().ascii_serialization());
        if origin.as_deref() == Some(self.base_url()) {
            return Err(JoinError::Ours(entity_id.to_owned()));
        }
        Ok(id)
    }

    /// What an entity says of itself, signed with the keys that it shows.
    pub(super) async fn own_configuration(
        &self,
        id: &EntityId,
    ) -> Result<EntityStatement, JoinError> {
        let url = id.configuration_url();
        let request = HttpRequest::Get {
            url: &url,
            bearer: None,
        };
        let unreachable = |reason: String| unreachable(&url, reason);
        let answer = self.http.send(request).await.map_err(|error| match error {
            DemoError::Http { reason, .. } => unreachable(reason),
            other => unreachable(other.to_string()),
        })?;
        if answer.status != 200 {
            return Err(unreachable(format!("HTTP status {}", answer.status)));
        }
        let text = answer.text();
        let jws = text.trim();
        check_parties(&url, jws, id)?;
        let moment = Moment {
            now: self.clock.now(),
            leeway_seconds: LEEWAY_SECONDS,
            subject_leeway_seconds: LEEWAY_SECONDS,
        };
        EntityStatement::verify_configuration(jws, id, None, moment).map_err(|fault| {
            let kid = fault.kid.map(|kid| format!(" (header kid {kid})"));
            JoinError::Statement {
                url,
                fact: fault.fact,
                kid: kid.unwrap_or_default(),
            }
        })
    }
}

pub(super) fn entity(entity_id: &str) -> Result<EntityId, JoinError> {
    EntityId::parse(entity_id, true).map_err(|fact| JoinError::EntityId {
        entity_id: entity_id.to_owned(),
        fact,
    })
}

fn unreachable(url: &str, reason: String) -> JoinError {
    let url = url.to_owned();
    match reason.contains("certificate") {
        true => JoinError::Certificate { url, reason },
        false => JoinError::Unreachable { url, reason },
    }
}

/// A statement about somebody else is told apart from one whose signature is wrong: the remedy is another.
fn check_parties(url: &str, jws: &str, id: &EntityId) -> Result<(), JoinError> {
    let claims = Unverified::parse(jws, STATEMENT_MAX_BYTES)
        .and_then(|statement| statement.unverified_claims::<Map<String, Value>>())
        .map_err(|error| JoinError::NotAConfiguration {
            url: url.to_owned(),
            fact: error.to_string(),
        })?;
    for name in ["sub", "iss"] {
        let Some(party) = claims.get(name).and_then(Value::as_str) else {
            return Err(JoinError::NotAConfiguration {
                url: url.to_owned(),
                fact: format!("claim {name} is missing"),
            });
        };
        if party != id.as_str() {
            return Err(JoinError::OtherSubject {
                url: url.to_owned(),
                subject: party.to_owned(),
                entity_id: id.to_string(),
            });
        }
    }
    Ok(())
}

pub(super) fn role(configuration: &EntityStatement) -> Result<EntityType, JoinError> {
    let metadata = &configuration.metadata;
    let is = |kind: EntityType| metadata.get(kind.as_str()).is_some_and(Value::is_object);
    let entity_id = configuration.subject.clone();
    match (is(EntityType::RelyingParty), is(EntityType::Provider)) {
        (true, true) => Err(JoinError::TwoRoles(entity_id)),
        (true, false) => Ok(EntityType::RelyingParty),
        (false, true) => Ok(EntityType::Provider),
        (false, false) => match configuration.federation_endpoint("federation_fetch_endpoint") {
            Some(_) => Ok(EntityType::Intermediate),
            None => {
                let found: Vec<&str> = metadata.keys().map(String::as_str).collect();
                let found = match found.is_empty() {
                    true => "no entity type".to_owned(),
                    false => found.join(", "),
                };
                Err(JoinError::NoRole { entity_id, found })
            }
        },
    }
}

/// What people call it: the organisation's name, or the client's, or the identifier.
pub(super) fn name(configuration: &EntityStatement) -> String {
    let metadata = &configuration.metadata;
    let named = [
        "federation_entity",
        "openid_relying_party",
        "openid_provider",
    ]
    .into_iter()
    .filter_map(|kind| metadata.get(kind))
    .flat_map(|members| {
        ["organization_name", "client_name"].map(|member| members.get(member)?.as_str())
    })
    .flatten()
    .find(|name| !name.trim().is_empty());
    let name = named.unwrap_or(&configuration.subject);
    name.chars().take(NAME_CHARACTERS).collect()
}
