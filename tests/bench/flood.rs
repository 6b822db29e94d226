//! Honest logins while ten thousand requests name relying parties that nobody has heard of, at hosts that never answer.

use crate::load::{Action, Budget, Client, Latencies, Target, slice};
use futures_util::stream::{self, StreamExt};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Requests with made-up names.
const REQUESTS: usize = 10_000;
/// Of these, at a time.
const AT_ONCE: usize = 200;
/// Addresses that they come from.
const MACHINES: u8 = 16;
/// Logins in a slice; slices follow each other until the flood ends.
const LOGINS: u32 = 16;

/// What a flood did.
pub struct Flood {
    /// Of the honest logins meanwhile.
    pub latencies: Vec<Latencies>,
    /// Connections at a time that the hosts saw at most.
    pub connections: usize,
    /// Answers other than "temporarily unavailable".
    pub other_answers: usize,
}

pub fn measure(target: &Target, clients: &mut [Client]) -> Flood {
    for client in clients.iter_mut() {
        client.latencies = Default::default();
    }
    let pit = TarPit::start();
    let others = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let flooding = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(flood(target, pit.port, &others));
        });
        while !flooding.is_finished() {
            slice(clients, Action::Login, &Budget::count(LOGINS));
        }
    });
    Flood {
        latencies: clients.iter().map(|one| one.latencies.clone()).collect(),
        connections: pit.most.load(Ordering::SeqCst),
        other_answers: others.into_inner(),
    }
}

/// Takes connections and keeps them without a word; counts those that are open.
struct TarPit {
    port: u16,
    most: Arc<AtomicUsize>,
}

impl TarPit {
    fn start() -> Self {
        // Every address of 127.0.0.0/8 is a host of its own.
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let most = Arc::new(AtomicUsize::new(0));
        let (seen, open) = (most.clone(), Arc::new(Mutex::new(0)));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let count = {
                    let mut open = open.lock().unwrap();
                    *open += 1;
                    *open
                };
                seen.fetch_max(count, Ordering::SeqCst);
                let open = open.clone();
                // Until the other side gives up.
                std::thread::spawn(move || {
                    let _ended = std::io::copy(&mut connection, &mut std::io::sink());
                    *open.lock().unwrap() -= 1;
                });
            }
        });
        Self { port, most }
    }
}

async fn flood(target: &Target, port: u16, others: &AtomicUsize) {
    let machines: Vec<_> = (1..=MACHINES)
        .map(|last| {
            reqwest::Client::builder()
                .no_proxy()
                // The server closes idle connections; a request on one that is about to close would fail.
                .pool_max_idle_per_host(0)
                .local_address(IpAddr::V4(Ipv4Addr::new(127, 0, 9, last)))
                .build()
                .unwrap()
        })
        .collect();
    let requests = (0..REQUESTS).map(|number| {
        let (high, low) = (number / 200 % 200, number % 200);
        let client_id = format!("http://127.7.{high}.{low}:{port}/rp{number}/");
        let mut url = url::Url::parse(&target.provider.authorization_endpoint).unwrap();
        url.query_pairs_mut()
            .append_pair("client_id", &client_id)
            .append_pair("request", &made_up(&client_id));
        let machine = &machines[number % machines.len()];
        let request = machine.get(url).header("accept", "application/json");
        async move {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            if status != 400 || !text.contains("temporarily_unavailable") {
                others.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let sent = stream::iter(requests).buffer_unordered(AT_ONCE);
    sent.for_each(async |()| {}).await;
}

/// A request object that nobody gets as far as verifying.
fn made_up(client_id: &str) -> String {
    let part = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let header = part(r#"{"alg":"RS256","kid":"made-up","typ":"JWT"}"#);
    let claims = part(&format!(
        r#"{{"client_id":"{client_id}","iss":"{client_id}"}}"#
    ));
    format!("{header}.{claims}.AAAA")
}
