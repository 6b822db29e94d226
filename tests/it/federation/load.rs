//! The figures of the trust resolution, counted: known RPs cost no fetch, and strangers' hosts cost nobody else anything.

use crate::harness::{Browser, CONFIGURATION, Host, World};
use futures_util::stream::{self, StreamExt};
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use varco::demo::{DemoKeys, LoginOptions, RelyingParty};
use varco::federation::{
    Fetch, FetchError, FetchFact, FetchLimits, Fetching, HttpFetcher, Lane, ResolutionLimits,
};
use varco::model::{ClientId, RelyingParty as Row};
use varco::provider::follow_changes;
use varco::store::{DbConn, StoreError, client};

/// Logins, and requests with made-up names.
const MANY: usize = 10_000;
/// Logins at a time.
const AT_ONCE: usize = 8;
/// Machines that a flood comes from.
const MACHINES: usize = 5;
/// Longer than any test: what hangs is ended by the test, not by time.
const FOREVER: Duration = Duration::from_secs(86_400);

/// No network; counts who would use it.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Counting {
    fn refuse<'a>(&self, url: &str) -> Fetching<'a> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let error = FetchError {
            url: url.to_owned(),
            fact: FetchFact::Other("no network".to_owned()),
        };
        Box::pin(async move { Err(error) })
    }
}

impl Fetch for Counting {
    fn get_in<'a>(&'a self, _lane: Lane, url: &'a str, _accept: &'a str) -> Fetching<'a> {
        self.refuse(url)
    }

    fn post_form<'a>(
        &'a self,
        url: &'a str,
        _fields: &'a [(String, String)],
        _accept: &'a str,
    ) -> Fetching<'a> {
        self.refuse(url)
    }
}

/// Rows like that of `template`, under other names, written long ago.
fn known_rps(connection: &mut DbConn, template: &Row) -> Result<(), StoreError> {
    use diesel::RunQueryDsl;
    for number in 0..MANY {
        let row = Row {
            client_id: ClientId::new(name_of(number)),
            ..template.clone()
        };
        client::upsert(connection, &row)?;
    }
    diesel::sql_query("UPDATE client_change SET changed_at = 0").execute(connection)?;
    Ok(())
}

fn name_of(number: usize) -> String {
    format!("https://rp{number}.example.it/")
}

/// A session suffices: no password is typed.
fn single_sign_on() -> LoginOptions {
    LoginOptions {
        prompt: "consent".to_owned(),
        ..LoginOptions::default()
    }
}

#[actix_web::test]
async fn ten_thousand_logins_of_known_rps_fetch_nothing_and_ask_for_each_rp_once() {
    let world = World::builder()
        .server(|settings| settings.throttle.per_address_per_minute = 0)
        .server(|settings| settings.throttle.per_account_per_minute = 0)
        .start();
    let issuer = world.issuer("spid").await;
    let first = world.federation.aggregated_relying_party();
    world.login(first, &issuer, &LoginOptions::default()).await;
    let (of, id) = (
        world.provider("spid").issuer.clone(),
        ClientId::new(first.entity_id()),
    );
    let store = &world.app.shared.store;
    let template = store
        .read_blocking(|c| client::find(c, &of, &id))
        .unwrap()
        .unwrap();
    store
        .write_blocking(move |c| known_rps(c, &template))
        .unwrap();

    let network = Arc::new(Counting::default());
    let node = world.node_with(network.clone(), ResolutionLimits::default());
    // The rows were written a moment ago: the node knows that, and everything below is read after it. The clock stands
    // still otherwise, so that all would be read at the very time of that change.
    follow_changes(&node.app.shared, &node.app.providers)
        .await
        .unwrap();
    world.clock.advance_seconds(1);
    let keys = DemoKeys::generate_fast().unwrap().aggregated_relying_party;
    let options = single_sign_on();
    let log_in = async |number: usize, browser: &mut Browser| {
        let rp = RelyingParty::new(
            &name_of(number),
            ["", ""],
            keys.clone(),
            world.clock.clone(),
        )
        .with_redirect_uris(first.redirect_uris().to_vec());
        node.login(browser, (&rp, &issuer), &options).await;
    };
    let statistics = || node.provider("spid").client_statistics();
    let slots = (0..AT_ONCE).map(|slot| {
        let log_in = &log_in;
        async move {
            let mut browser = Browser::new();
            for number in (slot..MANY).step_by(AT_ONCE) {
                log_in(number, &mut browser).await;
            }
        }
    });
    futures_util::future::join_all(slots).await;
    assert_eq!(network.0.load(Ordering::SeqCst), 0, "nothing is fetched");
    let statistics = statistics();
    assert!(
        statistics.queries <= u64::try_from(MANY).unwrap(),
        "at most one query a login: {statistics:?}"
    );
    assert!(statistics.bytes <= 32 * 1024 * 1024, "{statistics:?}");
}

/// Hosts that take every connection and say nothing until the end.
struct TarPit {
    port: u16,
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    end: watch::Sender<bool>,
    opened: watch::Receiver<usize>,
}

impl TarPit {
    async fn start() -> Self {
        // Every address of 127.0.0.0/8 is a host of its own.
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, most) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let (end, ended) = watch::channel(false);
        let (arrivals, opened) = watch::channel(0);
        let counts = (open.clone(), most.clone());
        actix_web::rt::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let now = counts.0.fetch_add(1, Ordering::SeqCst) + 1;
                counts.1.fetch_max(now, Ordering::SeqCst);
                arrivals.send_modify(|count| *count += 1);
                let (open, mut ended) = (counts.0.clone(), ended.clone());
                actix_web::rt::spawn(async move {
                    let mut bytes = [0; 4096];
                    tokio::select! {
                        _ = ended.wait_for(|ended| *ended) => {}
                        () = async { while socket.read(&mut bytes).await.is_ok_and(|n| n > 0) {} } => {}
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self {
            port,
            open,
            most,
            end,
            opened,
        }
    }

    /// An entity that nobody has heard of, on a host of its own.
    fn made_up(&self, number: usize) -> String {
        let (high, low) = (number / 200 % 200, number % 200);
        format!("http://127.7.{high}.{low}:{}/rp{number}/", self.port)
    }
}

/// What a browser sends for an RP that anybody can make up; nobody will get as far as its signature.
fn made_up_request(client_id: &str) -> String {
    let part = |value: serde_json::Value| {
        data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes())
    };
    let header = part(json!({"alg": "RS256", "kid": "made-up", "typ": "JWT"}));
    let claims = part(json!({"client_id": client_id, "iss": client_id}));
    format!("{header}.{claims}.AAAA")
}

/// One of the machines that flood asks once, on a connection of its own: status and `error` of the answer. Without an HTTP
/// client, whose work between connecting and sending grows with the flood: the server gives slow senders ten seconds.
async fn ask(machine: u8, server: SocketAddr, path: &str) -> (u16, String) {
    let socket = TcpSocket::new_v4().unwrap();
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 9, machine));
    socket.bind((address, 0).into()).unwrap();
    let mut stream = socket.connect(server).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {server}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let error = body["error"].as_str().unwrap_or_default().to_owned();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), error)
}

#[actix_web::test]
async fn ten_thousand_made_up_names_take_few_connections_and_no_login_waits_for_them() {
    // SPID/CIE FE-6. The proof is in the order: the hosts that hang are released after the last login.
    let world = World::start();
    let host = Host::start();
    let mut pit = TarPit::start().await;
    let issuer = world.issuer("spid").await;
    let limits = FetchLimits {
        per_fetch: FOREVER,
        queue_wait: FOREVER,
        ..FetchLimits::default()
    };
    let fetcher = Arc::new(HttpFetcher::new(limits, true, None).unwrap());
    let node = world.node_with(
        fetcher,
        ResolutionLimits {
            total: FOREVER,
            ..ResolutionLimits::default()
        },
    );
    world
        .login(world.rp(), &issuer, &LoginOptions::default())
        .await;

    let endpoint = url::Url::parse(&node.url(&issuer.metadata.authorization_endpoint)).unwrap();
    let server = endpoint.socket_addrs(|| None).unwrap()[0];
    let (answers, mut answered) = tokio::sync::mpsc::unbounded_channel();
    let flood: Vec<_> = (0..MANY)
        .map(|number| {
            let client_id = pit.made_up(number);
            let mut url = endpoint.clone();
            url.query_pairs_mut()
                .append_pair("client_id", &client_id)
                .append_pair("request", &made_up_request(&client_id));
            let machine = u8::try_from(1 + number % MACHINES).unwrap();
            let answers = answers.clone();
            async move {
                let path = &url[url::Position::BeforePath..];
                answers.send(ask(machine, server, path).await).unwrap();
            }
        })
        .collect();
    drop(answers);
    let flood = actix_web::rt::spawn(stream::iter(flood).for_each_concurrent(100, |one| one));
    let refused = (400, "temporarily_unavailable".to_owned());
    // Each machine has eight resolutions, of which three have a connection; all others are told at once.
    for _ in 0..MANY - MACHINES * 8 {
        assert_eq!(answered.recv().await.unwrap(), refused, "SPID/CIE FE-6");
    }
    pit.opened
        .wait_for(|count| *count == MACHINES * 3)
        .await
        .unwrap();

    let known = (world.rp(), &issuer);
    node.login(&mut Browser::new(), known, &LoginOptions::default())
        .await;
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    node.login(
        &mut Browser::new(),
        (&rp, &issuer),
        &LoginOptions::default(),
    )
    .await;
    assert_eq!(host.requests(), [format!("/rp/{CONFIGURATION}")]);
    assert_eq!(
        pit.open.load(Ordering::SeqCst),
        MACHINES * 3,
        "all still hang"
    );
    assert!(pit.most.load(Ordering::SeqCst) <= 32);

    pit.end.send(true).unwrap();
    for _ in 0..MACHINES * 8 {
        assert_eq!(answered.recv().await.unwrap(), refused, "SPID/CIE FE-6");
    }
    flood.await.unwrap();
    assert!(pit.most.load(Ordering::SeqCst) <= 32);
}
