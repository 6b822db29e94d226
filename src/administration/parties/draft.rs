//! What an operator writes down of an RP, field by field as text: as a form has it, an option, a member of a file. So what
//! was typed is kept when it is wrong, and two versions are compared field by field.

use super::field::{Fault, Field, Problem};
use super::{PartyKey, uris};
use crate::clock::UtcTime;
use crate::config::{IssuerSettings, Lifetimes};
use crate::jose::{KeySet, PublicKey};
use crate::model::{
    ClientId, ClientLifetimes, ClientMetadata, Origin, RelyingParty, RpToleranceOverride,
};
use crate::profile::Profile;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Client authentication with a secret (OIDC Core §9).
pub const SECRET_METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

const MOST_NAME: usize = 200;
const MOST_REDIRECT_URIS: usize = 50;
const LEAST_SECONDS: i64 = 30;
/// SPID/CIE TK-6.
const MOST_REFRESH_SECONDS: i64 = 30 * 86_400;

/// What an issuer allows.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Of its profile.
    pub profile: &'static Profile,
    /// Its own lifetimes: an RP's are not longer.
    pub lifetimes: &'a Lifetimes,
    /// http on loopback addresses is good enough for pictures.
    pub development: bool,
}

impl<'a> Rules<'a> {
    /// The rules of an issuer; `None` where RPs register themselves through the federation only.
    #[must_use]
    pub fn of(settings: &'a IssuerSettings, development: bool) -> Option<Self> {
        let profile = Profile::find(settings.profile.as_str())?;
        (!profile.federation.compulsory).then_some(Self {
            profile,
            lifetimes: &settings.lifetimes,
            development,
        })
    }

    /// The longest lifetime of a field that is one.
    #[must_use]
    pub fn most_seconds(&self, field: Field) -> i64 {
        match field {
            Field::AccessSeconds => self.lifetimes.access_token,
            Field::IdTokenSeconds => self.lifetimes.id_token,
            _ => self.lifetimes.refresh_token.min(MOST_REFRESH_SECONDS),
        }
    }
}

/// Whether a `client_id` can be registered: 1 to 255 visible ASCII characters.
#[must_use]
pub fn is_client_id(id: &str) -> bool {
    (1..=255).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The fields as text, without spaces at their ends; an empty one says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft(BTreeMap<Field, String>);

impl Draft {
    /// With what `text` has of each field.
    pub fn from_fields<'t>(text: impl Fn(Field) -> Option<&'t str>) -> Self {
        let mut draft = Self::default();
        for field in Field::ALL {
            draft.set(field, text(field).unwrap_or_default());
        }
        draft
    }

    /// An RP that is there.
    #[must_use]
    pub fn of(party: &RelyingParty) -> Self {
        let metadata = &party.metadata;
        let keys = KeySet::from_json(&party.jwks).unwrap_or_default();
        // What was found at an address is nobody's to edit.
        let jwks = match keys.keys().is_empty() || metadata.jwks_uri.is_some() {
            true => String::new(),
            false => format!("{:#}", keys.to_json()),
        };
        let seconds = |seconds: Option<i64>| seconds.map(|n| n.to_string()).unwrap_or_default();
        let own = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut draft = Self::default();
        for field in Field::ALL {
            let text = match field {
                Field::Name => metadata.client_name.get("").cloned().unwrap_or_default(),
                Field::Organization => own(&metadata.organization_name),
                Field::RedirectUris => metadata.redirect_uris.join("\n"),
                Field::AuthMethod => own(&metadata.token_endpoint_auth_method),
                Field::Jwks => jwks.clone(),
                Field::JwksUri => own(&metadata.jwks_uri),
                Field::Scope => own(&metadata.scope),
                Field::AccessSeconds => seconds(metadata.lifetimes.access_token),
                Field::IdTokenSeconds => seconds(metadata.lifetimes.id_token),
                Field::RefreshSeconds => seconds(metadata.lifetimes.refresh_token),
                Field::LogoUri => own(&metadata.logo_uri),
                Field::ClientUri => own(&metadata.client_uri),
                Field::PolicyUri => own(&metadata.policy_uri),
            };
            draft.set(field, &text);
        }
        draft
    }

    /// A field; empty when it says nothing.
    #[must_use]
    pub fn get(&self, field: Field) -> &str {
        self.0.get(&field).map(String::as_str).unwrap_or_default()
    }

    /// Writes a field. Browsers send a line break as two characters.
    pub fn set(&mut self, field: Field, text: &str) {
        let text = text.replace("\r\n", "\n");
        let text = text.trim();
        if text.is_empty() {
            self.0.remove(&field);
        } else {
            self.0.insert(field, text.to_owned());
        }
    }

    /// The members that differ, here and there.
    #[must_use]
    pub fn difference(&self, other: &Self) -> (Value, Value) {
        let differ = |field: &Field| self.get(*field) != other.get(*field);
        let fields: Vec<Field> = Field::ALL.into_iter().filter(differ).collect();
        (self.members(&fields), other.members(&fields))
    }

    /// For the trail.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let fields: Vec<Field> = self.0.keys().copied().collect();
        self.members(&fields)
    }

    fn members(&self, fields: &[Field]) -> Value {
        let member = |field: &Field| {
            let text = match field {
                Field::Jwks => key_names(self.get(*field)),
                _ => json!(self.get(*field)),
            };
            (field.name().to_owned(), text)
        };
        Value::Object(fields.iter().map(member).collect::<Map<_, _>>())
    }

    /// The text of a form field that brings this draft back: what the operator saw.
    #[must_use]
    pub fn to_text(&self) -> String {
        let members: BTreeMap<&str, &String> = self
            .0
            .iter()
            .map(|(field, text)| (field.name(), text))
            .collect();
        serde_json::to_string(&members).unwrap_or_default()
    }

    /// From [`Draft::to_text`]; what is none says nothing.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let members: BTreeMap<String, String> = serde_json::from_str(text).unwrap_or_default();
        Self::from_fields(|field| members.get(field.name()).map(String::as_str))
    }

    /// Three versions into one: what only they changed since `base` is taken over, the rest stays as it is here. Returns
    /// the fields that they changed.
    pub fn take_over(&mut self, base: &Self, theirs: &Self) -> Vec<Field> {
        let changed = |field: &Field| base.get(*field) != theirs.get(*field);
        let fields: Vec<Field> = Field::ALL.into_iter().filter(changed).collect();
        for field in &fields {
            if self.get(*field) == base.get(*field) {
                self.set(*field, theirs.get(*field));
            }
        }
        fields
    }

    /// Judges every field.
    ///
    /// # Errors
    /// All that is wrong, in the order of the fields.
    pub fn check(&self, rules: &Rules<'_>) -> Result<Accepted, Vec<Fault>> {
        let mut faults = Vec::new();
        let jwks = self.keys(&mut faults);
        let accepted = Accepted {
            name: self.line(Field::Name, &mut faults),
            organization: self.line(Field::Organization, &mut faults),
            redirect_uris: self.redirect_uris(&mut faults),
            auth_method: self.get(Field::AuthMethod).to_owned(),
            jwks,
            jwks_uri: self.address(Field::JwksUri, rules, &mut faults),
            scope: self.scope(rules, &mut faults),
            lifetimes: ClientLifetimes {
                access_token: self.seconds(Field::AccessSeconds, rules, &mut faults),
                id_token: self.seconds(Field::IdTokenSeconds, rules, &mut faults),
                refresh_token: self.seconds(Field::RefreshSeconds, rules, &mut faults),
            },
            logo_uri: self.address(Field::LogoUri, rules, &mut faults),
            client_uri: self.address(Field::ClientUri, rules, &mut faults),
            policy_uri: self.address(Field::PolicyUri, rules, &mut faults),
            base: None,
        };
        if accepted.name.is_empty() && !faults.iter().any(|fault| fault.field == Field::Name) {
            faults.push(Fault::of(Field::Name, Problem::Missing));
        }
        let methods = rules.profile.client_authentication;
        if !methods.contains(&accepted.auth_method.as_str()) {
            faults.push(Fault::of(Field::AuthMethod, Problem::NotOffered));
        }
        faults.extend(self.about_keys(&faults));
        if faults.is_empty() {
            Ok(accepted)
        } else {
            faults.sort_by_key(|fault| fault.field);
            Err(faults)
        }
    }

    /// Keys or their address, and one of them where they are needed.
    fn about_keys(&self, faults: &[Fault]) -> Option<Fault> {
        let says = |field: Field| !self.get(field).is_empty();
        if says(Field::Jwks) && says(Field::JwksUri) {
            return Some(Fault::of(Field::JwksUri, Problem::EitherKeys));
        }
        let wrong = |fault: &Fault| matches!(fault.field, Field::Jwks | Field::JwksUri);
        let needed = self.get(Field::AuthMethod) == "private_key_jwt";
        let missing = !says(Field::Jwks) && !says(Field::JwksUri);
        (needed && missing && !faults.iter().any(wrong))
            .then(|| Fault::of(Field::Jwks, Problem::KeysNeeded))
    }

    fn line(&self, field: Field, faults: &mut Vec<Fault>) -> String {
        let text = self.get(field);
        if text.chars().count() > MOST_NAME {
            faults.push(Fault::of(field, Problem::TooLong));
        }
        if text.chars().any(char::is_control) {
            faults.push(Fault::of(field, Problem::Control));
        }
        text.to_owned()
    }

    fn redirect_uris(&self, faults: &mut Vec<Fault>) -> Vec<String> {
        let field = Field::RedirectUris;
        let lines = self.get(field).lines().map(str::trim);
        let uris: Vec<String> = lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        if uris.is_empty() {
            faults.push(Fault::of(field, Problem::Missing));
        }
        if uris.len() > MOST_REDIRECT_URIS {
            faults.push(Fault::of(field, Problem::TooMany));
            return uris;
        }
        let mut seen = BTreeSet::new();
        for uri in &uris {
            let twice = if seen.insert(uri) {
                Ok(())
            } else {
                Err(Problem::Twice)
            };
            if let Err(problem) = uris::redirect_uri(uri).and(twice) {
                faults.push(Fault {
                    field,
                    value: Some(uri.chars().take(200).collect()),
                    problem,
                });
            }
        }
        uris
    }

    fn keys(&self, faults: &mut Vec<Fault>) -> KeySet {
        match check_keys(self.get(Field::Jwks)) {
            Ok(keys) => keys,
            Err((problem, reason)) => {
                faults.push(Fault {
                    field: Field::Jwks,
                    value: reason,
                    problem,
                });
                KeySet::default()
            }
        }
    }

    fn scope(&self, rules: &Rules<'_>, faults: &mut Vec<Fault>) -> Option<String> {
        let field = Field::Scope;
        let words: Vec<&str> = self.get(field).split_ascii_whitespace().collect();
        if words.is_empty() {
            return None;
        }
        for word in words
            .iter()
            .filter(|word| rules.profile.scope(word).is_none())
        {
            faults.push(Fault {
                field,
                value: Some(word.chars().take(60).collect()),
                problem: Problem::NotOffered,
            });
        }
        if !words.contains(&"openid") {
            faults.push(Fault::of(field, Problem::NoOpenid));
        }
        Some(words.join(" "))
    }

    fn seconds(&self, field: Field, rules: &Rules<'_>, faults: &mut Vec<Fault>) -> Option<i64> {
        let text = self.get(field);
        if text.is_empty() {
            return None;
        }
        let bounds = LEAST_SECONDS..=rules.most_seconds(field);
        let seconds = text.parse().ok().filter(|seconds| bounds.contains(seconds));
        if seconds.is_none() {
            faults.push(Fault::of(field, Problem::Seconds));
        }
        seconds
    }

    fn address(&self, field: Field, rules: &Rules<'_>, faults: &mut Vec<Fault>) -> Option<String> {
        let text = self.get(field);
        if text.is_empty() {
            return None;
        }
        if let Err(problem) = uris::web_address(text, rules.development) {
            faults.push(Fault::of(field, problem));
        }
        Some(text.to_owned())
    }
}

/// The public keys of a JWKS text; none of an empty one.
///
/// # Errors
/// The problem, with the reasons why keys were left out.
pub fn check_keys(text: &str) -> Result<KeySet, (Problem, Option<String>)> {
    if text.is_empty() {
        return Ok(KeySet::default());
    }
    let keys = KeySet::from_slice(text.as_bytes()).map_err(|_| (Problem::NotJwks, None))?;
    let reason = |wanted: &dyn Fn(&str) -> bool| {
        let mut skipped = keys.skipped().iter().filter(|key| wanted(key.reason));
        skipped.next().map(|key| key.reason.to_owned())
    };
    if reason(&|reason| reason == crate::jose::jwks::PRIVATE_KEY).is_some() {
        return Err((Problem::PrivateKey, None));
    }
    if keys.keys().is_empty() {
        return Err((Problem::NoUsableKey, reason(&|_| true)));
    }
    Ok(keys)
}

/// The `kid`s of a key set: its whole text is too much for the trail.
fn key_names(text: &str) -> Value {
    let keys = KeySet::from_slice(text.as_bytes()).unwrap_or_default();
    let name = |key: &PublicKey| key.kid().map_or_else(|| key.thumbprint(), str::to_owned);
    json!(keys.keys().iter().map(name).collect::<Vec<_>>())
}

/// A draft without faults. Only [`Draft::check`] makes one.
#[derive(Clone, Debug)]
pub struct Accepted {
    name: String,
    organization: String,
    redirect_uris: Vec<String>,
    auth_method: String,
    jwks: KeySet,
    jwks_uri: Option<String>,
    scope: Option<String>,
    lifetimes: ClientLifetimes,
    logo_uri: Option<String>,
    client_uri: Option<String>,
    policy_uri: Option<String>,
    /// What has no field: names in other languages, algorithms.
    base: Option<Box<ClientMetadata>>,
}

impl Accepted {
    /// With metadata for what has no field.
    #[must_use]
    pub(super) fn over(self, base: ClientMetadata) -> Self {
        Self {
            base: Some(Box::new(base)),
            ..self
        }
    }

    /// Writes the fields into an RP; what has no field stays.
    pub(super) fn apply(&self, party: &mut RelyingParty) {
        let metadata = &mut party.metadata;
        metadata
            .client_name
            .insert(String::new(), self.name.clone());
        let organization = Some(self.organization.clone());
        metadata.organization_name = organization.filter(|name| !name.is_empty());
        metadata.redirect_uris = self.redirect_uris.clone();
        metadata.token_endpoint_auth_method = Some(self.auth_method.clone());
        metadata.scope = self.scope.clone();
        metadata.lifetimes = self.lifetimes;
        metadata.logo_uri = self.logo_uri.clone();
        metadata.client_uri = self.client_uri.clone();
        metadata.policy_uri = self.policy_uri.clone();
        let moved = metadata.jwks_uri != self.jwks_uri;
        metadata.jwks_uri = self.jwks_uri.clone();
        // Keys of another address are not this one's; those of this one stay until it is asked again.
        if moved || self.jwks_uri.is_none() {
            party.jwks = self.jwks.to_json();
        }
    }

    /// The row of a new RP, without a secret.
    pub(super) fn party(&self, key: &PartyKey, now: UtcTime) -> RelyingParty {
        let base = self.base.as_deref().cloned().unwrap_or_default();
        let mut party = RelyingParty {
            issuer: key.issuer.clone(),
            client_id: ClientId::new(key.client_id.as_str()),
            metadata: ClientMetadata {
                response_types: vec!["code".to_owned()],
                grant_types: vec!["authorization_code".to_owned(), "refresh_token".to_owned()],
                ..base
            },
            jwks: self.jwks.to_json(),
            origin: Origin::Registered,
            enabled: true,
            tolerance: RpToleranceOverride::default(),
            updated_at: now,
        };
        self.apply(&mut party);
        party
    }
}
