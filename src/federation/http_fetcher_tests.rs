use super::*;
use crate::federation::fetch::Source;
use std::net::Ipv4Addr;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const STRANGER: Lane = Lane::Stranger(Source::of(IpAddr::V4(Ipv4Addr::LOCALHOST)));

/// A server that sends `answer` to every request, or nothing at all; gives its port.
async fn server(answer: Option<Vec<u8>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    serve(listener, answer);
    port
}

fn serve(listener: TcpListener, answer: Option<Vec<u8>>) {
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = socket.read(&mut request).await;
                match answer {
                    Some(answer) => {
                        let _ = socket.write_all(&answer).await;
                        let _ = socket.shutdown().await;
                    }
                    None => std::future::pending::<()>().await,
                }
            });
        }
    });
}

fn answer(status: &str, headers: &str, body: &str) -> Option<Vec<u8>> {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n{body}"
    );
    Some(text.into_bytes())
}

/// Time limits that only a stalled server reaches.
fn patient() -> FetchLimits {
    FetchLimits {
        per_fetch: Duration::from_secs(60),
        body_bytes: 1000,
        ..FetchLimits::default()
    }
}

fn fetcher(development: bool) -> HttpFetcher {
    HttpFetcher::new(patient(), development, None).unwrap()
}

async fn fact(fetcher: &HttpFetcher, url: &str) -> FetchFact {
    fetcher.get_in(STRANGER, url, "*/*").await.unwrap_err().fact
}

#[tokio::test]
async fn a_document_is_fetched_with_its_content_type() {
    let port = server(answer("200 OK", "Content-Type: text/html\r\n", "hello")).await;
    let url = format!("http://localhost:{port}/x");
    let fetched = fetcher(true).get_in(STRANGER, &url, "*/*").await.unwrap();
    assert_eq!(fetched.body, b"hello");
    assert_eq!(fetched.content_type.as_deref(), Some("text/html"));
    assert_eq!((fetched.status, fetched.final_url), (200, url));
}

#[tokio::test]
async fn a_form_is_posted() {
    let port = server(answer("200 OK", "", "{\"active\": true}")).await;
    let fields = [("trust_mark".to_owned(), "a b".to_owned())];
    let url = format!("http://127.0.0.1:{port}/status");
    let fetched = fetcher(true).post_form(&url, &fields, "*/*").await.unwrap();
    assert_eq!(fetched.body, b"{\"active\": true}");
}

#[tokio::test]
async fn a_server_that_says_nothing_costs_no_more_than_the_time_limit() {
    let port = server(None).await;
    let per_fetch = Duration::from_millis(50);
    let limits = FetchLimits {
        per_fetch,
        ..patient()
    };
    let fetcher = HttpFetcher::new(limits, true, None).unwrap();
    let found = fact(&fetcher, &format!("http://localhost:{port}/")).await;
    assert_eq!(found, FetchFact::Timeout { milliseconds: 50 });
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_given_up_announced_or_not() {
    // SPID/CIE FE-2
    let announced = server(answer("200 OK", "", &"x".repeat(1001))).await;
    let found = fact(&fetcher(true), &format!("http://localhost:{announced}/")).await;
    assert_eq!(found, FetchFact::TooLarge { limit: 1000 });
    let chunks = "3e8\r\n".to_owned() + &"x".repeat(1000) + "\r\n1\r\nx\r\n0\r\n\r\n";
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    let chunked = server(Some(chunked.into_bytes())).await;
    let found = fact(&fetcher(true), &format!("http://localhost:{chunked}/")).await;
    assert_eq!(found, FetchFact::TooLarge { limit: 1000 });
}

#[tokio::test]
async fn encoded_bodies_are_refused_before_they_are_read() {
    // SPID/CIE FE-2: a small body that inflates to a large one
    for encoding in ["gzip", "br", "deflate", "zstd", "gzip, gzip"] {
        let header = format!("Content-Encoding: {encoding}\r\n");
        let port = server(answer("200 OK", &header, "x")).await;
        let found = fact(&fetcher(true), &format!("http://localhost:{port}/")).await;
        let encoding = encoding.to_owned();
        assert_eq!(found, FetchFact::Encoded { encoding });
    }
    let port = server(answer("200 OK", "Content-Encoding: identity\r\n", "x")).await;
    let url = format!("http://localhost:{port}/");
    assert_eq!(
        fetcher(true)
            .get_in(STRANGER, &url, "*/*")
            .await
            .unwrap()
            .body,
        b"x"
    );
}

#[tokio::test]
async fn a_body_that_trickles_costs_no_more_than_the_time_limit() {
    // SPID/CIE FE-2: one byte at a time, each when the one before was taken
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (fed, mut feed) = tokio::sync::mpsc::unbounded_channel::<()>();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await;
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n";
        socket.write_all(head).await.unwrap();
        while feed.recv().await.is_some() {
            let _ = socket.write_all(b"x").await;
        }
    });
    let limits = FetchLimits {
        per_fetch: Duration::from_millis(50),
        ..patient()
    };
    let fetcher = HttpFetcher::new(limits, true, None).unwrap();
    let url = format!("http://localhost:{port}/");
    for _ in 0..10 {
        fed.send(()).unwrap();
    }
    let found = fact(&fetcher, &url).await;
    assert_eq!(found, FetchFact::Timeout { milliseconds: 50 });
    drop(fed);
}

/// A resolver whose answers are these, one after the other; the last one stays.
fn scripted(development: bool, answers: &[&[&str]]) -> (GuardedResolver, Arc<Mutex<usize>>) {
    let parsed = |address: &&str| SocketAddr::new(address.parse().unwrap(), 0);
    let answers: Vec<Vec<SocketAddr>> = answers
        .iter()
        .map(|answer| answer.iter().map(parsed).collect())
        .collect();
    let asked = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&asked);
    let lookup = move |_| -> Lookup {
        let mut asked = counter.lock().unwrap();
        let answer = answers.get(*asked).or(answers.last()).cloned();
        *asked += 1;
        Box::pin(async move { Ok(answer.unwrap()) })
    };
    let resolver = GuardedResolver {
        development,
        lookup: Box::new(lookup),
    };
    (resolver, asked)
}

#[tokio::test]
async fn a_name_is_connected_to_at_the_address_that_was_checked() {
    // Rebinding: the name resolves to something else each time; another answer waits at the same port.
    let first = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = first.local_addr().unwrap().port();
    let second = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    serve(first, answer("200 OK", "", "first"));
    serve(second, answer("200 OK", "", "second"));
    let answers: [&[&str]; 4] = [
        &["127.0.0.2"],
        &["169.254.169.254", "fe80::1"],
        &["169.254.169.254", "127.0.0.1"],
        &["0.0.0.0"],
    ];
    let (resolver, asked) = scripted(true, &answers);
    let fetcher = HttpFetcher::with_resolver(patient(), resolver, None).unwrap();
    let url = format!("http://rebound.example.it:{port}/");
    assert_eq!(
        fetcher.get_in(STRANGER, &url, "*/*").await.unwrap().body,
        b"first"
    );
    assert_eq!(*asked.lock().unwrap(), 1, "one look-up a connection");
    let found = fact(&fetcher, &url).await;
    assert!(matches!(found, FetchFact::ForbiddenAddress { .. }));
    assert_eq!(
        fetcher.get_in(STRANGER, &url, "*/*").await.unwrap().body,
        b"second"
    );
    let found = fact(&fetcher, &url).await;
    assert!(matches!(found, FetchFact::ForbiddenAddress { .. }));
    assert_eq!(*asked.lock().unwrap(), 4);
}

#[tokio::test]
async fn a_look_up_keeps_its_leave_until_it_ends() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let servers = Arc::clone(&gate);
    let lookup = move |_| -> Lookup {
        let servers = Arc::clone(&servers);
        Box::pin(async move {
            servers.acquire().await.unwrap().forget();
            Err(std::io::Error::other("no such name"))
        })
    };
    let resolver = GuardedResolver {
        development: true,
        lookup: Box::new(lookup),
    };
    let limits = FetchLimits {
        per_fetch: Duration::from_millis(20),
        queue_wait: Duration::from_millis(20),
        per_source: 1,
        ..patient()
    };
    let fetcher = HttpFetcher::with_resolver(limits, resolver, None).unwrap();
    let url = "http://slow.example.it/";
    let timeout = FetchFact::Timeout { milliseconds: 20 };
    assert_eq!(fact(&fetcher, url).await, timeout);
    assert_eq!(fact(&fetcher, url).await, FetchFact::Busy);
    gate.add_permits(1);
    assert_eq!(fact(&fetcher, url).await, timeout, "it looks again");
}

#[tokio::test]
async fn outside_development_a_public_name_that_turns_private_is_forbidden() {
    let answers: [&[&str]; 3] = [
        &["8.8.8.8"],
        &["8.8.8.8", "10.0.0.1", "::1"],
        &["127.0.0.1"],
    ];
    let (resolver, _) = scripted(false, &answers);
    let name = || "rebound.example.it".parse::<Name>().unwrap();
    for _ in 0..2 {
        let found: Vec<SocketAddr> = resolver.resolve(name()).await.unwrap().collect();
        assert_eq!(found, [SocketAddr::from(([8, 8, 8, 8], 0))]);
    }
    assert!(resolver.resolve(name()).await.is_err());
    let (resolver, _) = scripted(false, &[&["192.168.1.1"]]);
    let fetcher = HttpFetcher::with_resolver(patient(), resolver, None).unwrap();
    let found = fact(&fetcher, "https://rebound.example.it/").await;
    let address = IpAddr::from([192, 168, 1, 1]);
    assert_eq!(found, FetchFact::ForbiddenAddress { address });
}

#[tokio::test]
async fn redirects_never_leave_the_host_and_end_after_three() {
    // SPID/CIE FE-2
    let away = server(answer(
        "302 Found",
        "Location: http://127.0.0.1:1/secret\r\n",
        "",
    ))
    .await;
    let found = fact(&fetcher(true), &format!("http://127.0.0.1:{away}/")).await;
    let to = "http://127.0.0.1:1/secret".to_owned();
    assert_eq!(found, FetchFact::RedirectLeavesHost { to });
    let round = server(answer("301 Moved", "Location: /again\r\n", "")).await;
    let found = fact(&fetcher(true), &format!("http://127.0.0.1:{round}/")).await;
    assert_eq!(found, FetchFact::TooManyRedirects { limit: 3 });
    let lost = server(answer("302 Found", "", "")).await;
    let found = fact(&fetcher(true), &format!("http://127.0.0.1:{lost}/")).await;
    assert_eq!(found, FetchFact::Status { code: 302 });
}

#[tokio::test]
async fn only_status_200_is_an_answer() {
    let port = server(answer("404 Not Found", "", "{}")).await;
    let found = fact(&fetcher(true), &format!("http://localhost:{port}/")).await;
    assert_eq!(found, FetchFact::Status { code: 404 });
}

#[tokio::test]
async fn outside_development_no_local_address_is_asked_in_any_spelling() {
    let port = server(answer("200 OK", "", "secret")).await;
    let fetcher = fetcher(false);
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "localhost",
    ] {
        let found = fact(&fetcher, &format!("https://{host}:{port}/")).await;
        assert!(
            matches!(found, FetchFact::ForbiddenAddress { .. }),
            "{host}: {found:?}"
        );
    }
    let plain = fact(&fetcher, &format!("http://rp.example.it:{port}/")).await;
    assert_eq!(plain, FetchFact::NotHttps);
    assert_eq!(
        fact(&fetcher, "https://u:p@rp.example.it/").await,
        FetchFact::InvalidUrl
    );
    assert_eq!(fact(&fetcher, "nothing").await, FetchFact::InvalidUrl);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_named_so() {
    let port = server(answer("200 OK", "", "plain")).await;
    let found = fact(&fetcher(true), &format!("https://localhost:{port}/")).await;
    assert!(matches!(found, FetchFact::Tls(_)), "{found:?}");
    let dead = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let found = fact(&fetcher(true), &format!("http://127.0.0.1:{dead}/")).await;
    assert!(matches!(found, FetchFact::Connect(_)), "{found:?}");
}

#[tokio::test]
async fn a_host_that_stalls_holds_up_only_itself() {
    let stalled = server(None).await;
    let good = server(answer("200 OK", "", "ok")).await;
    let queue_wait = Duration::from_millis(20);
    let limits = FetchLimits {
        queue_wait,
        ..patient()
    };
    let fetcher = Arc::new(HttpFetcher::new(limits, true, None).unwrap());
    let stalled = format!("http://localhost:{stalled}/");
    let hung: Vec<_> = (1_u8..=5)
        .map(|n| {
            let (fetcher, url) = (Arc::clone(&fetcher), stalled.clone());
            let lane = Lane::Stranger(Source::of(Ipv4Addr::new(192, 0, 2, n).into()));
            tokio::spawn(async move { fetcher.get_in(lane, &url, "*/*").await.map(drop) })
        })
        .collect();
    tokio::task::yield_now().await;
    assert_eq!(fact(&fetcher, &stalled).await, FetchFact::Busy);
    let good = format!("http://127.0.0.1:{good}/");
    assert!(fetcher.get_in(STRANGER, &good, "*/*").await.is_ok());
    assert!(hung.iter().all(|fetch| !fetch.is_finished()));
}

/// A server with a certificate of its own authority; gives its port and the certificate.
fn tls_server() -> (u16, Vec<u8>) {
    use openssl::asn1::Asn1Time;
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;
    use openssl::ssl::{SslAcceptor, SslMethod};
    use openssl::x509::extension::SubjectAlternativeName;
    use openssl::x509::{X509, X509NameBuilder};
    use std::io::{Read, Write};

    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "localhost").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(1).unwrap())
        .unwrap();
    let context = builder.x509v3_context(None, None);
    let names = SubjectAlternativeName::new()
        .dns("localhost")
        .build(&context)
        .unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let certificate = builder.build();
    let mut acceptor = SslAcceptor::mozilla_intermediate(SslMethod::tls()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.set_certificate(&certificate).unwrap();
    let acceptor = acceptor.build();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let Ok(mut stream) = acceptor.accept(socket.unwrap()) else {
                continue;
            };
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            let _ = stream.shutdown();
        }
    });
    (port, certificate.to_pem().unwrap())
}

#[tokio::test]
async fn a_private_authority_is_trusted_only_when_configured() {
    let (port, authority) = tls_server();
    let limits = patient;
    let url = format!("https://localhost:{port}/");
    let without = HttpFetcher::new(limits(), true, None).unwrap();
    let found = fact(&without, &url).await;
    assert!(matches!(found, FetchFact::Tls(_)), "{found:?}");
    let with = HttpFetcher::new(limits(), true, Some(&authority)).unwrap();
    assert_eq!(
        with.get_in(STRANGER, &url, "*/*").await.unwrap().body,
        b"ok"
    );
    assert!(HttpFetcher::new(limits(), true, Some(b"-----BEGIN CERTIFICATE-----\nx\n")).is_err());
}
