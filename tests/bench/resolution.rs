//! What a whole resolution costs: a relying party two levels below the anchor, every document at hand without delay, every
//! cache empty. So what is measured is signatures, policies, trust marks and JSON.

use crate::child::cpu_time;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use varco::clock::{Clock, SystemClock};
use varco::demo::{DemoFederation, DemoKeys, HttpClient};
use varco::federation::{
    EntityId, Fetch, FetchError, FetchFact, Fetched, Fetching, Lane, ResolutionLimits, Resolver,
    Source, TrustAnchor, TrustMarkStatus, TrustSettings,
};
use varco::jose::KeySet;

/// How long resolutions are repeated.
const TIME: Duration = Duration::from_secs(2);
const BASE: &str = "http://127.0.0.1:1";

/// CPU time of one resolution.
#[derive(Clone, Copy, Debug)]
pub struct Resolutions {
    /// RSA-2048 federation keys everywhere.
    pub rsa: Duration,
    /// ES256 federation keys everywhere.
    pub elliptic: Duration,
    /// Documents fetched for each.
    pub fetches: usize,
}

pub fn measure(folder: &Path) -> Resolutions {
    let rsa = DemoKeys::load_or_create(&folder.join("resolution-keys")).unwrap();
    let elliptic = DemoKeys::generate_fast().unwrap();
    let (rsa, fetches) = cost(rsa);
    let (elliptic, _) = cost(elliptic);
    Resolutions {
        rsa,
        elliptic,
        fetches,
    }
}

/// CPU time of one, and how many documents it takes.
fn cost(keys: DemoKeys) -> (Duration, usize) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let client = Arc::new(HttpClient::new().unwrap());
    let federation = DemoFederation::new(BASE, keys, clock.clone(), client).unwrap();
    let subject = federation.aggregated_relying_party().entity_id().to_owned();
    let settings = TrustSettings {
        issuer_entity_id: EntityId::parse(&format!("{BASE}/spid/"), true).unwrap(),
        anchors: vec![TrustAnchor {
            id: EntityId::parse(federation.trust_anchor().entity_id(), true).unwrap(),
            pinned_keys: Some(KeySet::from_json(&federation.jwks()).unwrap()),
        }],
        required_trust_marks: vec![federation.relying_party_mark_type()],
        trust_mark_status: TrustMarkStatus::Static,
        leeway_seconds: 30,
        subject_leeway_seconds: 30,
        development: true,
        entity_type: "openid_relying_party".to_owned(),
    };
    let documents = Arc::new(Documents {
        federation,
        made: Mutex::default(),
    });
    let subject = EntityId::parse(&subject, true).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let resolve = || {
        let fetch: Arc<dyn Fetch> = documents.clone();
        let resolver = Resolver::new(fetch, clock.clone(), ResolutionLimits::default());
        let here = Source::of([127, 0, 0, 1].into());
        let resolved = runtime.block_on(resolver.resolve(&settings, &subject, here, None));
        assert_eq!(resolved.unwrap().chain.len(), 4);
    };
    // The first makes the documents.
    resolve();
    let own = std::process::id();
    let (began, before) = (Instant::now(), cpu_time(own));
    let mut times = 0;
    while began.elapsed() < TIME {
        resolve();
        times += 1;
    }
    let cost = (cpu_time(own) - before) / times;
    let fetches = documents.made.lock().unwrap().len();
    (cost, fetches)
}

/// The federation's documents by address, each signed once.
struct Documents {
    federation: DemoFederation,
    made: Mutex<HashMap<String, String>>,
}

impl Documents {
    fn find(&self, url: &str) -> Option<String> {
        if let Some(known) = self.made.lock().unwrap().get(url) {
            return Some(known.clone());
        }
        let made = self.make(url)?;
        let mut all = self.made.lock().unwrap();
        all.insert(url.to_owned(), made.clone());
        Some(made)
    }

    fn make(&self, url: &str) -> Option<String> {
        let parsed = url::Url::parse(url).unwrap();
        let superiors = [
            self.federation.trust_anchor(),
            self.federation.intermediate(),
        ];
        if let Some((_, subject)) = parsed.query_pairs().find(|(name, _)| name == "sub") {
            let mut asked = superiors.into_iter();
            let superior = asked.find(|superior| url.starts_with(superior.entity_id()))?;
            return superior.statement_about(&subject, None).unwrap().ok();
        }
        let entity = url.strip_suffix(".well-known/openid-federation")?;
        for superior in superiors {
            if superior.entity_id() == entity {
                return Some(superior.entity_configuration().unwrap());
            }
        }
        let rp = self.federation.aggregated_relying_party();
        (rp.entity_id() == entity).then(|| rp.entity_configuration().unwrap())
    }

    fn answer<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        let found = self.find(url);
        Box::pin(async move {
            let body = found.ok_or_else(|| FetchError {
                url: url.to_owned(),
                fact: FetchFact::Status { code: 404 },
            })?;
            Ok(Fetched {
                status: 200,
                content_type: Some("application/entity-statement+jwt".to_owned()),
                body: body.into_bytes(),
                final_url: url.to_owned(),
                elapsed_ms: 0,
            })
        })
    }
}

impl Fetch for Documents {
    fn get_in<'a>(&'a self, _lane: Lane, url: &'a str, _accept: &'a str) -> Fetching<'a> {
        self.answer(url)
    }

    fn post_form<'a>(
        &'a self,
        url: &'a str,
        _fields: &'a [(String, String)],
        _accept: &'a str,
    ) -> Fetching<'a> {
        self.answer(url)
    }
}
