//! Whole resolutions, with a chain that came along and by fetching: what is accepted is judged again here, by a verifier
//! of its own.

use super::policy::check_satisfied;
use super::signing::{Signer, claims_of, is_signed_by};
use super::{Outcome, check_text};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;
use varco::clock::{ManualClock, UtcTime};
use varco::federation::{
    EntityId, Fetch, FetchError, FetchFact, Fetched, Fetching, Lane, MetadataPolicy,
    ResolutionLimits, Resolved, Resolver, Source, TrustAnchor, TrustError, TrustMarkStatus,
    TrustSettings,
};
use varco::jose::KeySet;

const NOW: i64 = 1_800_000_000;
const LEEWAY: i64 = 30;
/// The same times, for comparison with what documents say, which may be fractions.
const NOW_EXACTLY: f64 = 1_800_000_000.0;
const LEEWAY_EXACTLY: f64 = 30.0;
const ANCHOR: &str = "https://ta.example.it";
const SUBJECT: &str = "https://rp.example.it/";
const SOMEBODY: Source = Source::of(IpAddr::V4(Ipv4Addr::LOCALHOST));
const OWN: &str = "https://op.example.it/";
const MARK: &str = "https://ta.example.it/openid_relying_party/public/";
const NEEDED: &str = "openid_relying_party";
const NEUTRAL: &str = "federation_entity";
/// Fetches of one resolution, those for the anchor and for mark issuers included.
const FETCHES_MAX: usize = 30 + 1 + 3 * 16;
/// Characters of one error; the limits on its parts make far less.
const ERROR_MAX: usize = 20_000;

/// Pages by address.
struct Pages {
    pages: HashMap<String, String>,
    asked: Mutex<usize>,
}

impl Pages {
    fn answer<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        *self.asked.lock().unwrap() += 1;
        let page = self.pages.get(url).cloned();
        Box::pin(async move {
            let fact = FetchFact::Status { code: 404 };
            let url = url.to_owned();
            match page {
                None => Err(FetchError { url, fact }),
                Some(page) => Ok(Fetched {
                    status: 200,
                    content_type: None,
                    body: page.into_bytes(),
                    final_url: url,
                    elapsed_ms: 0,
                }),
            }
        })
    }
}

impl Fetch for Pages {
    fn get_in<'a>(&'a self, _: Lane, url: &'a str, _: &'a str) -> Fetching<'a> {
        self.answer(url)
    }

    fn post_form<'a>(
        &'a self,
        url: &'a str,
        _: &'a [(String, String)],
        _: &'a str,
    ) -> Fetching<'a> {
        self.answer(url)
    }
}

/// Resolves cases.
pub struct Target {
    runtime: Runtime,
    signer: Signer,
}

impl Target {
    /// With keys of its own.
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        Self {
            runtime: runtime.unwrap(),
            signer: Signer::default(),
        }
    }

    /// Resolves twice: with the provided chain, then by fetching.
    pub fn run(&mut self, input: &Value) -> Outcome {
        let documents = &input["documents"];
        let mut pages = HashMap::new();
        for (url, name) in input["served"].as_object().into_iter().flatten() {
            let name = name.as_str().unwrap_or_default();
            pages.insert(url.clone(), self.signer.compact(documents, name));
        }
        let provided = input["provided"].as_array().into_iter().flatten();
        let provided: Vec<String> = provided
            .map(|name| {
                let name = name.as_str().unwrap_or_default();
                self.signer.compact(documents, name)
            })
            .collect();
        let settings = self.settings(input["status"] == "dynamic");
        let subject = EntityId::parse(SUBJECT, false).unwrap();
        let pages = Arc::new(Pages {
            pages,
            asked: Mutex::default(),
        });
        let clock = Arc::new(ManualClock::starting_at(UtcTime(NOW)));
        let resolver = Resolver::new(pages.clone(), clock, ResolutionLimits::default());
        let with_chain = resolver.resolve_provided(&settings, &subject, SOMEBODY, &provided);
        let with_chain = self.runtime.block_on(with_chain);
        let fetched = resolver.resolve(&settings, &subject, SOMEBODY, None);
        let fetched = self.runtime.block_on(fetched);
        let asked = *pages.asked.lock().unwrap();
        if asked > FETCHES_MAX {
            return Err(format!("{asked} fetches"));
        }
        let judged = [
            self.judge(with_chain, &settings)?,
            self.judge(fetched, &settings)?,
        ];
        Ok(judged.join(", then "))
    }

    fn settings(&mut self, dynamic: bool) -> TrustSettings {
        let id = |text: &str| EntityId::parse(text, false).unwrap();
        TrustSettings {
            issuer_entity_id: id(OWN),
            anchors: vec![TrustAnchor {
                id: id(ANCHOR),
                pinned_keys: Some(KeySet::from_json(&self.signer.jwks("ta")).unwrap()),
            }],
            required_trust_marks: vec![MARK.to_owned()],
            trust_mark_status: match dynamic {
                true => TrustMarkStatus::Dynamic,
                false => TrustMarkStatus::Static,
            },
            leeway_seconds: LEEWAY,
            subject_leeway_seconds: LEEWAY,
            development: false,
            entity_type: NEEDED.to_owned(),
        }
    }

    fn judge(
        &mut self,
        outcome: Result<Arc<Resolved>, TrustError>,
        settings: &TrustSettings,
    ) -> Outcome {
        let resolved = match outcome {
            Ok(resolved) => resolved,
            Err(error) => return refused(&error),
        };
        let keys = self.signer.jwks("ta");
        check_chain(&resolved, &keys)?;
        check_metadata(&resolved)?;
        let mut marks = resolved.trust_marks.iter();
        let required = marks.find(|mark| settings.required_trust_marks.contains(&mark.mark_type));
        check_mark(&required.ok_or("accepted without a mark")?.jwt, &keys)?;
        Ok("accepted".to_owned())
    }
}

fn refused(error: &TrustError) -> Outcome {
    let description = error.description();
    let is_plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    if description.chars().count() > 300 || !description.chars().all(is_plain) {
        return Err(format!("no error_description: {description}"));
    }
    check_text(&error.to_string(), ERROR_MAX)?;
    check_text(&error.reason(), ERROR_MAX)?;
    let shown = format!("{error:?}");
    let kind = shown.split(['(', '{', ' ']).next().unwrap_or_default();
    Ok(format!("refused {kind}"))
}

/// Every document is signed with the keys that the next one attests, and says what a document at this place may say.
fn check_chain(resolved: &Resolved, anchor_keys: &Value) -> Result<(), String> {
    let claims: Result<Vec<Value>, String> = resolved.chain.iter().map(|d| claims_of(d)).collect();
    let claims = claims?;
    let [own, statements @ .., anchor] = &claims[..] else {
        return Err("a chain without an end".to_owned());
    };
    let is = |claims: &Value, name: &str, expected: &Value| claims[name] == *expected;
    let subject = Value::from(SUBJECT);
    if !is(own, "iss", &subject) || !is(own, "sub", &subject) {
        return Err("the chain is of another subject".to_owned());
    }
    if !is(anchor, "iss", &ANCHOR.into()) || !is(anchor, "sub", &ANCHOR.into()) {
        return Err("the chain ends at another anchor".to_owned());
    }
    for (position, claims) in claims.iter().enumerate() {
        check_times(claims, resolved)?;
        let crit = claims["crit"].as_array().is_none_or(Vec::is_empty);
        if !crit
            || claims["metadata_policy_crit"]
                .as_array()
                .is_some_and(|c| !c.is_empty())
        {
            return Err("something critical was passed over".to_owned());
        }
        let keys = match resolved.chain.len() - position {
            0..=2 => anchor_keys,
            _ => &claims_at(&resolved.chain, position + 1)?["jwks"].clone(),
        };
        if !is_signed_by(&resolved.chain[position], keys)? {
            return Err(format!(
                "document {position} is not signed with attested keys"
            ));
        }
    }
    let mut below = own;
    for (intermediates, statement) in statements.iter().enumerate() {
        if statement["sub"] != below["iss"] || statement["iss"] == statement["sub"] {
            return Err(format!("statement {intermediates} is about another"));
        }
        let hints = statement["authority_hints"].is_null();
        let limit = &statement["constraints"]["max_path_length"];
        if !hints
            || limit
                .as_u64()
                .is_some_and(|limit| u64::try_from(intermediates).unwrap() > limit)
        {
            return Err(format!("statement {intermediates} holds and should not"));
        }
        below = statement;
    }
    Ok(())
}

fn claims_at(chain: &[String], position: usize) -> Result<Value, String> {
    claims_of(chain.get(position).ok_or("a chain without an end")?)
}

fn check_times(claims: &Value, resolved: &Resolved) -> Result<(), String> {
    let time = |name: &str| claims[name].as_f64();
    let expires = time("exp").ok_or("accepted without exp")?;
    let issued = time("iat").ok_or("accepted without iat")?;
    let (now, leeway) = (NOW_EXACTLY, LEEWAY_EXACTLY);
    if expires <= now - leeway || issued >= now + leeway + 1.0 {
        return Err(format!("accepted from {issued} to {expires}"));
    }
    let end = Value::from(resolved.expires_at.0).as_f64();
    if end.is_none_or(|end| end > expires) {
        return Err("the chain ends after one of its documents".to_owned());
    }
    Ok(())
}

/// The metadata satisfies the policy of each superior on its own, and has only types that all of them allow.
fn check_metadata(resolved: &Resolved) -> Result<(), String> {
    let statements = resolved.chain.iter().skip(1);
    let own = claims_at(&resolved.chain, 0)?;
    for document in statements {
        let claims = claims_of(document)?;
        let empty = Map::new();
        let policy = claims["metadata_policy"].as_object().unwrap_or(&empty);
        let policy = MetadataPolicy::parse(policy, &[]).map_err(|error| error.to_string())?;
        check_satisfied(&policy, &resolved.metadata)?;
        let allowed = claims["constraints"]["allowed_entity_types"].as_array();
        for entity_type in resolved.metadata.keys() {
            let is_allowed =
                allowed.is_none_or(|types| types.contains(&entity_type.as_str().into()));
            if entity_type != NEUTRAL && !is_allowed {
                return Err(format!("{entity_type} is not allowed"));
            }
            if own["metadata"].get(entity_type).is_none() {
                return Err(format!("{entity_type} comes from nowhere"));
            }
        }
    }
    Ok(())
}

/// The required mark is this subject's, of the anchor, and has not ended.
fn check_mark(token: &str, anchor_keys: &Value) -> Result<(), String> {
    let claims = claims_of(token)?;
    let ended = claims["exp"]
        .as_f64()
        .is_some_and(|exp| exp <= NOW_EXACTLY - LEEWAY_EXACTLY);
    if claims["sub"] != SUBJECT || claims["iss"] != ANCHOR || ended {
        return Err("accepted with the mark of another or an old one".to_owned());
    }
    match is_signed_by(token, anchor_keys)? {
        true => Ok(()),
        false => Err("accepted with a forged mark".to_owned()),
    }
}
