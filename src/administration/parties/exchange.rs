//! RPs as JSON, to be kept beside the configuration or taken to another installation. Secrets never leave, and never come:
//! who needs one is given it afterwards.
//!
//! The members are those of OIDC Registration §2, with `issuer`, `client_id`, `enabled` and `lifetimes` beside them.

use super::field::{Fault, Field, Problem};
use super::{
    Accepted, Draft, PartyError, PartyKey, Rules, follow_keys, has_secret, is_client_id, tell,
};
use crate::clock::UtcTime;
use crate::jose::{KeyManagementAlgorithm, SignatureAlgorithm};
use crate::model::{
    Actor, ClientId, ClientLifetimes, ClientMetadata, IssuerId, Origin, RelyingParty,
    RpToleranceOverride,
};
use crate::profile::{Profile, metadata};
use crate::store::client::{ClientFilter, ClientOrder};
use crate::store::{DbConn, StoreError, client, client_desk};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Entries of a file.
pub const MOST_ENTRIES: usize = 20_000;

/// Members of an entry beside `client_name#…` and the algorithms.
const MEMBERS: [&str; 16] = [
    "issuer",
    "client_id",
    "enabled",
    "lifetimes",
    "client_name",
    "organization_name",
    "redirect_uris",
    "token_endpoint_auth_method",
    "jwks",
    "jwks_uri",
    "scope",
    "logo_uri",
    "client_uri",
    "policy_uri",
    "response_types",
    "grant_types",
];
/// Members that name an algorithm, or how subjects are called.
const CHOICES: [&str; 10] = [
    "id_token_signed_response_alg",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "request_object_signing_alg",
    "token_endpoint_auth_signing_alg",
    "subject_type",
    "client_registration_types",
];

/// An RP as an entry of a file.
#[must_use]
pub fn entry(party: &RelyingParty) -> Value {
    let metadata = party.metadata.without_secrets();
    let mut entry = Map::new();
    entry.insert("issuer".into(), json!(party.issuer.as_str()));
    entry.insert("client_id".into(), json!(party.client_id.as_str()));
    entry.insert("enabled".into(), json!(party.enabled));
    for (language, name) in &metadata.client_name {
        let member = match language.is_empty() {
            true => "client_name".to_owned(),
            false => format!("client_name#{language}"),
        };
        entry.insert(member, json!(name));
    }
    if let Ok(Value::Object(members)) = serde_json::to_value(&metadata) {
        let says = |value: &Value| !value.is_null() && *value != json!([]) && *value != json!({});
        let members = members
            .into_iter()
            .filter(|(name, value)| name != "client_name" && says(value));
        entry.extend(members);
    }
    let keys = party.jwks.get("keys").and_then(Value::as_array);
    let has_keys = keys.is_some_and(|keys| !keys.is_empty());
    // What was found at an address is there.
    if has_keys && metadata.jwks_uri.is_none() {
        entry.insert("jwks".into(), party.jwks.clone());
    }
    Value::Object(entry)
}

/// RPs read at once.
const READ: u32 = 500;

/// What a list shows, as entries of a file. `None`: these are more than `most`, and half a file is none.
///
/// # Errors
/// The database's.
pub fn entries_of(
    conn: &mut DbConn,
    filter: &ClientFilter,
    most: usize,
) -> Result<Option<Vec<Value>>, StoreError> {
    let mut entries = Vec::new();
    let mut after = None;
    loop {
        let page = client::search(conn, filter, ClientOrder::default(), after.as_ref(), READ)?;
        entries.extend(page.rows.iter().map(entry));
        if entries.len() > most {
            return Ok(None);
        }
        after = page.next;
        if after.is_none() {
            return Ok(Some(entries));
        }
    }
}

/// A file of these entries.
#[must_use]
pub fn document(entries: Vec<Value>) -> Value {
    json!({ "relying_parties": entries })
}

/// Why nothing of a file can be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// No JSON.
    #[error("it is no JSON: {0}")]
    NotJson(serde_json::Error),
    /// No such file as an export is.
    #[error("expected {{\"relying_parties\": [...]}}, as the export writes it")]
    NotAFile,
    /// Too many entries at once.
    #[error("more than 20000 entries")]
    TooMany,
}

/// An entry of a file, judged.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its place in the file, from 1.
    pub number: usize,
    /// What it says of itself.
    pub issuer: String,
    /// As above.
    pub client_id: String,
    /// What would be written, or everything that is wrong.
    pub judged: Result<Ready, Vec<EntryFault>>,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryFault {
    /// Which member.
    pub member: String,
    /// Which of its values.
    pub value: Option<String>,
    /// What.
    pub problem: Problem,
}

impl EntryFault {
    fn of(member: &str, problem: Problem) -> Self {
        Self {
            member: member.to_owned(),
            value: None,
            problem,
        }
    }
}

impl From<Fault> for EntryFault {
    fn from(fault: Fault) -> Self {
        Self {
            member: fault.field.name().to_owned(),
            value: fault.value,
            problem: fault.problem,
        }
    }
}

/// An entry without faults; it can be kept until it is applied.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ready {
    issuer: String,
    client_id: String,
    metadata: ClientMetadata,
    jwks: Value,
    enabled: bool,
}

impl Ready {
    fn of(accepted: &Accepted, key: &PartyKey, enabled: bool) -> Self {
        let party = accepted.party(key, UtcTime(0));
        Self {
            issuer: key.issuer.to_string(),
            client_id: key.client_id.to_string(),
            metadata: party.metadata,
            jwks: party.jwks,
            enabled,
        }
    }

    /// Which RP.
    #[must_use]
    pub fn key(&self) -> PartyKey {
        PartyKey {
            issuer: IssuerId::new(self.issuer.as_str()),
            client_id: ClientId::new(self.client_id.as_str()),
        }
    }

    /// The row that it makes, without a secret.
    fn party(&self, now: UtcTime) -> RelyingParty {
        let key = self.key();
        RelyingParty {
            issuer: key.issuer,
            client_id: key.client_id,
            metadata: self.metadata.clone(),
            jwks: self.jwks.clone(),
            origin: Origin::Registered,
            enabled: true,
            tolerance: RpToleranceOverride::default(),
            updated_at: now,
        }
    }
}

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was none.
    Added {
        /// It cannot log anybody in before it is given a secret.
        needs_secret: bool,
    },
    /// It was another.
    Changed,
    /// It is so already.
    Unchanged,
    /// It comes from a federation.
    NotRegistered,
}

/// Reads a whole file. What is wrong with an entry is told with it.
///
/// # Errors
/// It is none.
pub fn read<'r>(
    text: &str,
    rules: impl Fn(&str) -> Option<Rules<'r>>,
) -> Result<Vec<Entry>, FileError> {
    let document: Value = serde_json::from_str(text).map_err(FileError::NotJson)?;
    let entries = match &document {
        Value::Object(members) => members.get("relying_parties").and_then(Value::as_array),
        _ => None,
    };
    let entries = entries.ok_or(FileError::NotAFile)?;
    if entries.len() > MOST_ENTRIES {
        return Err(FileError::TooMany);
    }
    let mut seen = BTreeSet::new();
    Ok(entries
        .iter()
        .zip(1..)
        .map(|(entry, number)| {
            let own = |name: &str| {
                let text = entry.get(name).and_then(Value::as_str).unwrap_or_default();
                text.chars().take(300).collect::<String>()
            };
            let (issuer, client_id) = (own("issuer"), own("client_id"));
            let mut judged = judge(entry, rules(&issuer), (&issuer, &client_id));
            if !seen.insert((issuer.clone(), client_id.clone())) {
                judged = Err(vec![EntryFault::of("client_id", Problem::Twice)]);
            }
            Entry {
                number,
                issuer,
                client_id,
                judged,
            }
        })
        .collect())
}

fn judge(
    entry: &Value,
    rules: Option<Rules<'_>>,
    (issuer, client_id): (&str, &str),
) -> Result<Ready, Vec<EntryFault>> {
    let one = |member: &str, problem| Err(vec![EntryFault::of(member, problem)]);
    let Value::Object(members) = entry else {
        return one("relying_parties", Problem::Misshapen);
    };
    let Some(rules) = rules else {
        return one("issuer", Problem::NotOffered);
    };
    let mut faults: Vec<EntryFault> = members
        .keys()
        .filter(|name| !is_known(name))
        .map(|name| EntryFault {
            member: "relying_parties".to_owned(),
            value: Some(name.chars().take(60).collect()),
            problem: Problem::UnknownMember,
        })
        .collect();
    if !is_client_id(client_id) {
        faults.push(EntryFault::of("client_id", Problem::NotAscii));
    }
    let enabled = match members.get("enabled") {
        None => true,
        Some(Value::Bool(enabled)) => *enabled,
        Some(_) => {
            faults.push(EntryFault::of("enabled", Problem::Misshapen));
            true
        }
    };
    let mut base = match metadata::parse(members) {
        Ok(base) => base,
        Err(misshapen) => {
            faults.push(EntryFault::of(misshapen.member, Problem::Misshapen));
            return Err(faults);
        }
    };
    match members
        .get("lifetimes")
        .map(|own| serde_json::from_value::<ClientLifetimes>(own.clone()))
    {
        None => {}
        Some(Ok(lifetimes)) => base.lifetimes = lifetimes,
        Some(Err(_)) => faults.push(EntryFault::of("lifetimes", Problem::Misshapen)),
    }
    base.jwks_uri = match members.get("jwks_uri") {
        None | Some(Value::Null) => None,
        Some(Value::String(address)) => Some(address.clone()),
        Some(_) => {
            faults.push(EntryFault::of("jwks_uri", Problem::Misshapen));
            None
        }
    };
    choices(members, rules.profile, &mut faults);
    let key = PartyKey {
        issuer: IssuerId::new(issuer),
        client_id: ClientId::new(client_id),
    };
    let mut draft = Draft::of(&RelyingParty {
        issuer: key.issuer.clone(),
        client_id: key.client_id.clone(),
        metadata: base.clone(),
        jwks: json!({ "keys": [] }),
        origin: Origin::Registered,
        enabled,
        tolerance: RpToleranceOverride::default(),
        updated_at: UtcTime(0),
    });
    if let Some(jwks) = members.get("jwks") {
        draft.set(Field::Jwks, &jwks.to_string());
    }
    match draft.check(&rules) {
        Ok(accepted) if faults.is_empty() => Ok(Ready::of(&accepted.over(base), &key, enabled)),
        Ok(_) => Err(faults),
        Err(others) => {
            faults.extend(others.into_iter().map(EntryFault::from));
            Err(faults)
        }
    }
}

fn is_known(name: &str) -> bool {
    MEMBERS.contains(&name) || CHOICES.contains(&name) || name.starts_with("client_name#")
}

/// Algorithms that the issuer does not have would lock the RP out at its first login.
fn choices(members: &Map<String, Value>, profile: &Profile, faults: &mut Vec<EntryFault>) {
    for name in CHOICES {
        let Some(value) = members.get(name).and_then(Value::as_str) else {
            continue;
        };
        let offered = match name {
            "subject_type" => matches!(value, "public" | "pairwise"),
            _ if name.ends_with("_encrypted_response_alg") => KeyManagementAlgorithm::parse(value)
                .is_some_and(|algorithm| profile.key_management.contains(&algorithm)),
            _ if name.ends_with("_enc") => profile
                .content_encryption
                .iter()
                .any(|known| known.as_str() == value),
            _ => SignatureAlgorithm::parse(value)
                .is_some_and(|algorithm| profile.signature_algorithms.contains(&algorithm)),
        };
        if !offered {
            faults.push(EntryFault {
                member: name.to_owned(),
                value: Some(value.chars().take(60).collect()),
                problem: Problem::NotOffered,
            });
        }
    }
}

/// What would become of an entry.
///
/// # Errors
/// The database's.
pub fn preview(conn: &mut DbConn, ready: &Ready) -> Result<Outcome, StoreError> {
    let key = ready.key();
    let found = client::find(conn, &key.issuer, &key.client_id)?;
    Ok(outcome(found.as_ref(), ready))
}

fn outcome(found: Option<&RelyingParty>, ready: &Ready) -> Outcome {
    let Some(found) = found else {
        let needs_secret = has_secret(&ready.metadata);
        return Outcome::Added { needs_secret };
    };
    if !matches!(found.origin, Origin::Registered) {
        return Outcome::NotRegistered;
    }
    let new = merged(found, ready);
    match new.metadata == found.metadata && new.jwks == found.jwks && found.enabled == ready.enabled
    {
        true => Outcome::Unchanged,
        false => Outcome::Changed,
    }
}

/// The RP as it will be: all of the entry, with the secrets that it has.
fn merged(found: &RelyingParty, ready: &Ready) -> RelyingParty {
    let mut new = ready.party(found.updated_at);
    if has_secret(&new.metadata) {
        new.metadata.client_secret_sha256 = found.metadata.client_secret_sha256.clone();
        new.metadata.previous_secret = found.metadata.previous_secret.clone();
    }
    if new.metadata.jwks_uri.is_some() && new.metadata.jwks_uri == found.metadata.jwks_uri {
        new.jwks = found.jwks.clone();
    }
    new
}

/// Writes an entry.
///
/// # Errors
/// `Changed`; the database's.
pub fn apply(
    conn: &mut DbConn,
    actor: &Actor,
    ready: &Ready,
    now: UtcTime,
) -> Result<Outcome, PartyError> {
    let key = &ready.key();
    let found = client::find(conn, &key.issuer, &key.client_id)?;
    let outcome = outcome(found.as_ref(), ready);
    match (outcome, &found) {
        (Outcome::Unchanged | Outcome::NotRegistered, _) => return Ok(outcome),
        (_, None) => {
            let party = ready.party(now);
            let is = Draft::of(&party).to_json();
            client::insert_or_replace(conn, &party, |_| Err::<(), _>(PartyError::Changed))?;
            follow_keys(conn, None, &party)?;
            tell(conn, actor, ("rp.import", key), (None, Some(is)), now)?;
        }
        (_, Some(before)) => {
            let written = client_desk::replace(conn, key.parts(), now, |party| {
                Ok::<_, PartyError>(merged(&party, ready))
            })?;
            let party = written.ok_or(PartyError::Changed)?;
            follow_keys(conn, Some(before), &party)?;
            let (was, is) = Draft::of(before).difference(&Draft::of(&party));
            tell(conn, actor, ("rp.import", key), (Some(was), Some(is)), now)?;
        }
    }
    let was_enabled = found.is_none_or(|found| found.enabled);
    if was_enabled != ready.enabled {
        super::set_enabled(conn, actor, (key, ready.enabled), now)?;
    }
    Ok(outcome)
}
