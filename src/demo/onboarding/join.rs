//! Taking an entity in, and out again.

use super::{Below, JoinError, Member};
use crate::demo::http::HttpRequest;
use crate::demo::{
    CONTACT, DemoError, DemoFederation, EntityType, Subordinate, Superior, intermediary_mark_type,
    policy, provider_mark_type, relying_party_mark_type,
};
use crate::federation::entity_id::has_loopback_host;
use crate::federation::{EntityId, EntityStatement, Moment};
use crate::jose::Unverified;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

const LEEWAY_SECONDS: i64 = 30;
const STATEMENT_BYTES: usize = crate::federation::entity_statement::STATEMENT_MAX_BYTES;
/// Characters of a name in a trust mark.
const NAME_CHARACTERS: usize = 100;

/// What one of the demonstration's entities makes of a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Who looked at it.
    pub by: String,
    /// Why it does not accept it; none: it does.
    pub refusal: Option<String>,
}

/// What was done for an entity that joined, and what it still has to do itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Joined {
    /// Who.
    pub entity_id: String,
    /// What it is.
    pub entity_type: EntityType,
    /// The identifier of its superior.
    pub superior: String,
    /// Whether it had joined before.
    pub refreshed: bool,
    /// The type of its trust mark.
    pub trust_mark_type: String,
    /// Its trust mark.
    pub trust_mark: String,
    /// Where it finds the mark by itself, now and when it ends (OIDC Federation §8.6).
    pub trust_mark_address: String,
    /// Whether its entity configuration names the superior in `authority_hints`.
    pub names_superior: bool,
    /// Whether its entity configuration shows a valid mark of the type.
    pub shows_mark: bool,
    /// The anchor and its keys, for the configuration of providers.
    pub trust_anchor: TrustAnchorKeys,
    /// Who would accept it now.
    pub judgements: Vec<Judgement>,
}

/// A trust anchor as others configure it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrustAnchorKeys {
    /// Its identifier.
    pub id: String,
    /// Its public keys, `{"keys": […]}`.
    pub jwks: Value,
}

impl DemoFederation {
    /// Takes an entity of this machine in, or looks at it again: fetches its entity configuration, verifies it with its own
    /// keys, puts it below a superior with the mark of its kind, and asks whether it would be accepted now.
    ///
    /// # Errors
    /// What happened, and what to do; nothing has changed then.
    pub async fn join(
        &self,
        entity_id: &str,
        below: Below,
        private: bool,
    ) -> Result<Joined, JoinError> {
        let desk = self.desk.get().ok_or_else(closed)?;
        let id = self.outsider(entity_id)?;
        let configuration = self.own_configuration(&id).await?;
        let entity_type = role(&configuration)?;
        let kind = entity_type.as_str();
        let entity_id = entity_id.to_owned();
        if below == Below::Intermediate && entity_type != EntityType::RelyingParty {
            return Err(JoinError::NotBelowIntermediate { entity_id, kind });
        }
        if private && entity_type != EntityType::RelyingParty {
            return Err(JoinError::NotPrivate { entity_id, kind });
        }
        let now = self.clock.now();
        let (member, old) = desk.members.keep(Member {
            entity_id,
            entity_type,
            name: name(&configuration),
            below,
            private,
            jwks: configuration.keys.to_json(),
            joined_at: now,
            refreshed_at: now,
        })?;
        if let Some(old) = &old {
            self.make_way(old, &member);
        }
        let trust_mark = self.take_in(&member)?;
        let judgements = match entity_type {
            EntityType::RelyingParty => desk.judges.judge(&id).await,
            EntityType::Provider | EntityType::Intermediate => {
                vec![self.judged_by_ourselves(&id, entity_type).await]
            }
        };
        Ok(self.joined(
            &member,
            &configuration,
            trust_mark,
            (old.is_some(), judgements),
        ))
    }

    /// Who joined, in order.
    ///
    /// # Errors
    /// Nobody can join here.
    pub fn members(&self) -> Result<Vec<Member>, JoinError> {
        Ok(self.desk.get().ok_or_else(closed)?.members.all())
    }

    /// Takes an entity that joined out again and revokes its mark.
    ///
    /// # Errors
    /// It never joined, or the file cannot be written.
    pub fn leave(&self, entity_id: &str) -> Result<Member, JoinError> {
        let desk = self.desk.get().ok_or_else(closed)?;
        let member = desk.members.forget(entity_id)?;
        self.superior_of(&member).expel(entity_id);
        let mark_type = self.mark_type_of(&member);
        self.trust_anchor.revoke_mark(&mark_type, entity_id);
        Ok(member)
    }

    /// Fetches a provider's entity configuration, verifies it with its own keys, and puts it into the federation: what a
    /// registry's clerk does when a provider joins, or changes its keys. Nothing is kept beyond this process.
    ///
    /// # Errors
    /// When it cannot be fetched, or is not signed by the keys it shows.
    pub async fn onboard(&self, issuer: &str) -> Result<(), JoinError> {
        let id = entity(issuer)?;
        let configuration = self.own_configuration(&id).await?;
        self.attest_provider(issuer, configuration.keys.to_json());
        Ok(())
    }

    /// Attests a member and gives it its mark.
    pub(super) fn take_in(&self, member: &Member) -> Result<String, DemoError> {
        let metadata_policy = match (member.entity_type, member.below) {
            (EntityType::Provider, _) => policy::provider_policy(CONTACT),
            (EntityType::RelyingParty, Below::Intermediate) => {
                policy::aggregator_policy(AGGREGATOR_CONTACT)
            }
            (EntityType::RelyingParty | EntityType::Intermediate, _) => {
                policy::relying_party_policy(CONTACT)
            }
        };
        let constraints = match member.entity_type {
            EntityType::Intermediate => Some(intermediate_constraints()),
            EntityType::Provider | EntityType::RelyingParty => None,
        };
        let subordinate = Subordinate {
            entity_type: member.entity_type,
            jwks: member.jwks.clone(),
            metadata_policy,
            constraints,
            extra: Map::new(),
        };
        let mark_type = self.mark_type_of(member);
        let anchor = &self.trust_anchor;
        let mark = match anchor.current_mark(&mark_type, &member.entity_id)? {
            Some(mark) => mark,
            None => anchor.trust_mark(&mark_type, &member.entity_id, &member.name)?,
        };
        self.superior_of(member)
            .attest(&member.entity_id, subordinate);
        Ok(mark)
    }

    /// Ends what an earlier membership has and the new one has not.
    fn make_way(&self, old: &Member, new: &Member) {
        if old.below != new.below {
            self.superior_of(old).expel(&old.entity_id);
        }
        let mark_type = self.mark_type_of(old);
        if mark_type != self.mark_type_of(new) {
            self.trust_anchor.revoke_mark(&mark_type, &old.entity_id);
        }
    }

    fn superior_of(&self, member: &Member) -> &Superior {
        match member.below {
            Below::TrustAnchor => &self.trust_anchor,
            Below::Intermediate => &self.intermediate,
        }
    }

    fn mark_type_of(&self, member: &Member) -> String {
        match (member.entity_type, member.private) {
            (EntityType::RelyingParty, true) => self.private_relying_party_mark_type(),
            (EntityType::RelyingParty, false) => relying_party_mark_type(&self.base_url),
            (EntityType::Provider, _) => provider_mark_type(&self.base_url),
            (EntityType::Intermediate, _) => intermediary_mark_type(&self.base_url),
        }
    }

    /// An identifier of somebody else on this machine.
    fn outsider(&self, entity_id: &str) -> Result<EntityId, JoinError> {
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
    async fn own_configuration(&self, id: &EntityId) -> Result<EntityStatement, JoinError> {
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

    /// As the demonstration's relying parties would look at a provider, and everybody at an intermediate.
    async fn judged_by_ourselves(&self, id: &EntityId, entity_type: EntityType) -> Judgement {
        let resolved = self.resolve(id.as_str(), entity_type).await;
        let refusal = match (resolved, entity_type) {
            (Err(error), _) => Some(error.reason()),
            (Ok(_), EntityType::Provider) => {
                let discovered = self.discover(id.as_str()).await;
                discovered.err().map(|error| error.to_string())
            }
            (Ok(_), EntityType::RelyingParty | EntityType::Intermediate) => None,
        };
        Judgement {
            by: self.trust_anchor.entity_id().to_owned(),
            refusal,
        }
    }

    fn joined(
        &self,
        member: &Member,
        configuration: &EntityStatement,
        trust_mark: String,
        (refreshed, judgements): (bool, Vec<Judgement>),
    ) -> Joined {
        let superior = self.superior_of(member).entity_id().to_owned();
        let trust_mark_type = self.mark_type_of(member);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("trust_mark_type", &trust_mark_type)
            .append_pair("sub", &member.entity_id)
            .finish();
        let anchor = &self.trust_anchor;
        let shown = configuration.trust_marks.iter();
        let mut shown = shown.filter_map(|shown| shown.get("trust_mark")?.as_str());
        Joined {
            entity_id: member.entity_id.clone(),
            entity_type: member.entity_type,
            refreshed,
            trust_mark_address: format!("{}trust_mark?{query}", anchor.entity_id()),
            names_superior: configuration.authority_hints.contains(&superior),
            shows_mark: shown
                .any(|mark| anchor.is_good_mark(mark, &trust_mark_type, &member.entity_id)),
            superior,
            trust_mark_type,
            trust_mark,
            trust_anchor: TrustAnchorKeys {
                id: anchor.entity_id().to_owned(),
                jwks: anchor.jwks(),
            },
            judgements,
        }
    }
}

/// The contact that the intermediate adds.
pub(in crate::demo) const AGGREGATOR_CONTACT: &str = "aggregatore@pec.example.it";

/// One entity, the intermediate itself, may stand between the anchor and a relying party (OIDC Federation §6.2.1).
pub(in crate::demo) fn intermediate_constraints() -> Value {
    json!({
        "max_path_length": 1,
        "allowed_entity_types": ["openid_relying_party"],
    })
}

fn closed() -> JoinError {
    JoinError::Demo(DemoError::Policy("nobody can join here".to_owned()))
}

fn entity(entity_id: &str) -> Result<EntityId, JoinError> {
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
    let claims = Unverified::parse(jws, STATEMENT_BYTES)
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

fn role(configuration: &EntityStatement) -> Result<EntityType, JoinError> {
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
fn name(configuration: &EntityStatement) -> String {
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
