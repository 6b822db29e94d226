//! Taking an entity in, and out again.

use super::configuration::{entity, name, role};
use super::{Below, JoinError, Member};
use crate::demo::{
    CONTACT, DemoError, DemoFederation, EntityType, Subordinate, Superior, intermediary_mark_type,
    policy, provider_mark_type, relying_party_mark_type,
};
use crate::federation::{EntityId, EntityStatement};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

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
