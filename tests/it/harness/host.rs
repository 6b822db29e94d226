//! Somebody else's web server: relying parties and superiors outside the world's own process, every request counted.

use super::World;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use varco::demo::relying_party::unverified_claims;
use varco::demo::{DemoKeys, EntityType, RelyingParty, RelyingPartyKeys, Subordinate, policy};
use varco::federation::Source;
use varco::jose::{PrivateKey, SignHeader, SignatureAlgorithm, sign};

/// The path of an entity configuration.
pub const CONFIGURATION: &str = ".well-known/openid-federation";

/// Where the requests of tests come from, when they do not come over HTTP.
pub const HERE: Source = Source::of(IpAddr::V4(Ipv4Addr::LOCALHOST));

/// What is answered at a path.
#[derive(Clone, Debug)]
enum Served {
    Document(&'static str, String),
    Redirect(String),
    Status(u16),
    /// These bytes, whatever they are.
    Raw(Arc<Vec<u8>>),
    /// Nothing, until [`Host::release`].
    Held,
}

struct State {
    served: Mutex<HashMap<String, Served>>,
    requests: Mutex<Vec<String>>,
    arrivals: tokio::sync::mpsc::UnboundedSender<String>,
    released: Mutex<bool>,
    release: Condvar,
    stopping: AtomicBool,
}

/// A web server on loopback.
pub struct Host {
    address: SocketAddr,
    state: Arc<State>,
    arrivals: tokio::sync::mpsc::UnboundedReceiver<String>,
}

impl Host {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, arrivals) = tokio::sync::mpsc::unbounded_channel();
        let state = Arc::new(State {
            served: Mutex::default(),
            requests: Mutex::default(),
            arrivals: sender,
            released: Mutex::new(false),
            release: Condvar::new(),
            stopping: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let _gone = shared.answer(connection.unwrap());
                });
            }
        });
        Self {
            address,
            state,
            arrivals,
        }
    }

    /// An address of this server; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Serves a text at a path.
    pub fn put(&self, path: &str, content_type: &'static str, body: &str) {
        self.serve(path, Served::Document(content_type, body.to_owned()));
    }

    pub fn redirect(&self, path: &str, to: &str) {
        self.serve(path, Served::Redirect(to.to_owned()));
    }

    /// Answers with a whole HTTP message, right or wrong.
    pub fn answer_raw(&self, path: &str, message: Vec<u8>) {
        self.serve(path, Served::Raw(Arc::new(message)));
    }

    pub fn fail(&self, path: &str, status: u16) {
        self.serve(path, Served::Status(status));
    }

    /// Takes requests for a path and does not answer them before [`Host::release`].
    pub fn hold(&self, path: &str) {
        self.serve(path, Served::Held);
    }

    /// Ends what is held: such requests are answered 503.
    pub fn release(&self) {
        *self.state.released.lock().unwrap() = true;
        self.state.release.notify_all();
    }

    /// Waits for the next request; answers its path.
    pub async fn next_request(&mut self) -> String {
        self.arrivals.recv().await.unwrap()
    }

    /// The paths asked for so far, in order.
    pub fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }

    pub fn forget_requests(&self) {
        self.state.requests.lock().unwrap().clear();
    }

    /// Serves what a relying party (or anybody below `path`) says of itself.
    pub fn publish(&self, path: &str, statement: &str) {
        let content_type = "application/entity-statement+jwt";
        self.put(&format!("{path}{CONFIGURATION}"), content_type, statement);
    }

    fn serve(&self, path: &str, served: Served) {
        let mut all = self.state.served.lock().unwrap();
        all.insert(path.to_owned(), served);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.release();
        self.state.stopping.store(true, Ordering::SeqCst);
        let _woken = TcpStream::connect(self.address);
    }
}

impl State {
    fn answer(&self, mut connection: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(connection.try_clone()?).lines();
        let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
        while lines
            .next()
            .transpose()?
            .is_some_and(|line| !line.is_empty())
        {}
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        self.requests.lock().unwrap().push(path.clone());
        let _unheard = self.arrivals.send(path.clone());
        let served = self.served.lock().unwrap().get(&path).cloned();
        let (head, body) = match served {
            None => ("404 Not Found".to_owned(), String::new()),
            Some(Served::Raw(message)) => return connection.write_all(&message),
            Some(Served::Status(status)) => (format!("{status} Whatever"), String::new()),
            Some(Served::Redirect(to)) => (format!("302 Found\r\nLocation: {to}"), String::new()),
            Some(Served::Document(kind, body)) => (format!("200 OK\r\nContent-Type: {kind}"), body),
            Some(Served::Held) => {
                let released = self.released.lock().unwrap();
                let _released = self.release.wait_while(released, |released| !*released);
                ("503 Service Unavailable".to_owned(), String::new())
            }
        };
        write!(
            connection,
            "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

impl World {
    /// A relying party at `path` of another host, with a valid mark, below the anchor, which attests it with its usual
    /// policy; not published yet.
    pub fn stranger(&self, host: &Host, path: &str) -> RelyingParty {
        let keys = DemoKeys::generate_fast().unwrap().relying_party;
        self.stranger_with(host, path, keys)
    }

    /// As [`World::stranger`], with keys of its own.
    pub fn stranger_with(&self, host: &Host, path: &str, keys: RelyingPartyKeys) -> RelyingParty {
        let entity_id = host.url(path);
        let anchor = self.federation.trust_anchor();
        let mark_type = self.federation.relying_party_mark_type();
        let mark = anchor.trust_mark(&mark_type, &entity_id, path).unwrap();
        let rp = RelyingParty::new(&entity_id, [path, path], keys, self.clock.clone())
            .with_redirect_uris(vec!["https://rp.example.it/callback".to_owned()])
            .with_superior(anchor.entity_id())
            .with_trust_marks(vec![(mark_type, mark)]);
        self.attest(&rp, policy::relying_party_policy("anchor@example.it"));
        rp
    }

    /// The anchor attests a relying party with this policy.
    pub fn attest(&self, rp: &RelyingParty, metadata_policy: Map<String, Value>) {
        let subordinate = Subordinate {
            entity_type: EntityType::RelyingParty,
            jwks: rp.federation_jwks(),
            metadata_policy,
            constraints: None,
            extra: Map::new(),
        };
        let anchor = self.federation.trust_anchor();
        anchor.attest(rp.entity_id(), subordinate);
    }

    /// What the anchor publishes of itself is changed.
    pub fn change_anchor(&self, change: impl FnOnce(&mut Map<String, Value>)) {
        let anchor = self.federation.trust_anchor();
        let mut claims = claims_of(&anchor.entity_configuration().unwrap());
        change(&mut claims);
        let typ = Some("entity-statement+jwt");
        let changed = signed(typ, &Value::Object(claims), anchor.key());
        self.federation.publish_instead("ta", Some(changed));
    }
}

/// Signs any claims with any `typ`.
pub fn signed(typ: Option<&str>, claims: &Value, key: &PrivateKey) -> String {
    signed_with(key.default_signature_algorithm(), typ, claims, key)
}

/// As [`signed`], with another algorithm of the key.
pub fn signed_with(
    alg: SignatureAlgorithm,
    typ: Option<&str>,
    claims: &Value,
    key: &PrivateKey,
) -> String {
    let header = SignHeader {
        alg,
        typ,
        cty: None,
        kid: key.kid(),
        extra: None,
    };
    sign(&header, claims, key).unwrap()
}

/// The claims of a JWS, unverified.
pub fn claims_of(jws: &str) -> Map<String, Value> {
    unverified_claims(jws).unwrap()
}

/// The header of a JWS, unverified.
pub fn header_of(jws: &str) -> Value {
    let part = jws.split('.').next().unwrap();
    let bytes = data_encoding::BASE64URL_NOPAD
        .decode(part.as_bytes())
        .unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// `{"keys": […]}` of private keys, for signatures.
pub fn public_keys(keys: &[&PrivateKey]) -> Value {
    let keys = keys
        .iter()
        .map(|key| key.public_jwk(varco::jose::KeyUse::Signature, None));
    json!({"keys": keys.collect::<Vec<_>>()})
}
