//! Everything that there is to say of an RP: the evaluation of its trust, the provider's verdict, the conformance report.

use super::{ClientError, Provider};
use crate::clock::UtcTime;
use crate::federation::evaluation::{Evaluation, Recheck};
use crate::federation::{EntityId, TrustError, TrustSettings};
use crate::jose::KeySet;
use crate::model::{ClientId, Origin, RelyingParty};
use crate::profile::MetadataFacts;
use crate::profile::conformance::{self, Configuration, Examined, Row};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// An RP, examined.
#[derive(Debug)]
pub struct Examination {
    /// Its `client_id`.
    pub client_id: ClientId,
    /// When it was examined.
    pub checked_at: UtcTime,
    /// Why a login of it would be refused now; none: it would not.
    pub refusal: Option<ClientError>,
    /// What was looked at; empty for an RP that an operator registered.
    pub evaluation: Evaluation,
    /// Until when its chain holds.
    pub expires_at: Option<UtcTime>,
    /// The rows of the report; none when nothing of it could be read.
    pub report: Vec<Row>,
}

impl Provider {
    /// Examines an RP, known or not; nothing that logins use is changed, except for what the resolver remembers when
    /// everything is asked for anew. Bounded like any resolution.
    pub async fn examine(&self, client_id: &ClientId, recheck: Recheck) -> Examination {
        let row = match self.find_row(client_id).await {
            Ok(row) => row,
            Err(error) => return self.refused(client_id, error),
        };
        let disabled = row.as_ref().is_some_and(|row| !row.enabled);
        let mut examination = match (row, &self.trust) {
            (Some(row), _) if matches!(row.origin, Origin::Registered) => {
                self.examine_registered(&row)
            }
            (_, Some(trust)) => self.examine_entity(trust, client_id, recheck).await,
            (_, None) => self.refused(client_id, ClientError::Unknown),
        };
        if disabled {
            examination.refusal = Some(ClientError::Disabled);
        }
        examination
    }

    async fn examine_entity(
        &self,
        trust: &TrustSettings,
        client_id: &ClientId,
        recheck: Recheck,
    ) -> Examination {
        let subject = match EntityId::parse(client_id.as_str(), trust.development) {
            Ok(subject) => subject,
            Err(error) => return self.refused(client_id, ClientError::NotAnEntity(error)),
        };
        let tolerant = self.tolerant(trust, client_id);
        let resolver = &self.shared.resolver;
        let evaluated = resolver.explain(&tolerant, &subject, recheck).await;
        let (keys, keys_error) = match evaluated.keys {
            Some(Ok(keys)) => (Some(keys), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let examined = self.examined(trust, client_id, &evaluated.evaluation, keys.as_ref());
        let trusted = |error: TrustError| ClientError::Trust(Arc::new(error));
        let refusal = match (&evaluated.outcome, keys_error) {
            (Err(error), _) => Some(trusted(error.clone())),
            (Ok(_), Some(error)) => Some(trusted(error)),
            (Ok(_), None) => match &examined.facts {
                Err(misshapen) => Some(ClientError::Metadata(misshapen.clone())),
                Ok(facts) => self.profile.broken_by(facts).map(ClientError::Rule),
            },
        };
        let report = match examined.configuration {
            Some(_) => conformance::report(&examined),
            None => Vec::new(),
        };
        Examination {
            client_id: client_id.clone(),
            checked_at: self.now(),
            refusal,
            expires_at: evaluated.outcome.ok().map(|resolved| resolved.expires_at),
            evaluation: evaluated.evaluation,
            report,
        }
    }

    fn examined(
        &self,
        trust: &TrustSettings,
        client_id: &ClientId,
        evaluation: &Evaluation,
        keys: Option<&KeySet>,
    ) -> Examined {
        let own = evaluation.statements.iter().find(|statement| {
            let of_itself = statement.issuer == statement.subject;
            of_itself && statement.subject == client_id.as_str()
        });
        let configuration = own.and_then(|own| Configuration::read(&own.header, &own.claims));
        let stated = configuration.as_ref().and_then(|configuration| {
            let metadata = configuration.claims.get("metadata");
            metadata.and_then(Value::as_object).cloned()
        });
        let declared = evaluation.declared_metadata.clone().or(stated);
        let declared = declared.unwrap_or_default();
        let last = evaluation.final_metadata.clone();
        let last = last.unwrap_or_else(|| declared.clone());
        let inline = || {
            let jwks = last.get("openid_relying_party")?.get("jwks")?;
            KeySet::from_json(jwks).ok()
        };
        let keys = keys.cloned().or_else(inline).unwrap_or_default();
        let development = self.shared.server.development;
        Examined {
            entity_id: client_id.to_string(),
            profile: self.profile,
            development,
            now: self.now(),
            required_trust_marks: trust.required_trust_marks.clone(),
            configuration,
            facts: Examined::facts_of(&last, &keys, development, self.profile),
            declared,
            last,
        }
    }

    /// An RP that an operator registered: its metadata are what he wrote.
    fn examine_registered(&self, row: &RelyingParty) -> Examination {
        let mut members = match serde_json::to_value(&row.metadata) {
            Ok(Value::Object(members)) => members,
            Ok(_) | Err(_) => Map::new(),
        };
        members.retain(|name, value| {
            let says_nothing = value.is_null() || *value == json!([]) || *value == json!({});
            name != "client_secret_sha256" && !says_nothing
        });
        let last: Map<String, Value> =
            std::iter::once(("openid_relying_party".to_owned(), Value::Object(members))).collect();
        let facts = MetadataFacts {
            metadata: row.metadata.clone(),
            keys: KeySet::from_json(&row.jwks).unwrap_or_default(),
            development: self.shared.server.development,
            profile: self.profile,
        };
        let refusal = self.profile.broken_by(&facts).map(ClientError::Rule);
        let examined = Examined {
            entity_id: row.client_id.to_string(),
            profile: self.profile,
            development: self.shared.server.development,
            now: self.now(),
            required_trust_marks: Vec::new(),
            configuration: None,
            declared: last.clone(),
            facts: Ok(facts),
            last: last.clone(),
        };
        let evaluation = Evaluation {
            final_metadata: Some(last),
            ..Evaluation::default()
        };
        Examination {
            client_id: row.client_id.clone(),
            checked_at: self.now(),
            refusal,
            evaluation,
            expires_at: None,
            report: conformance::report(&examined),
        }
    }

    fn refused(&self, client_id: &ClientId, error: ClientError) -> Examination {
        Examination {
            client_id: client_id.clone(),
            checked_at: self.now(),
            refusal: Some(error),
            evaluation: Evaluation::default(),
            expires_at: None,
            report: Vec::new(),
        }
    }
}
