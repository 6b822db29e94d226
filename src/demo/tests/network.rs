//! The outgoing client against the demonstration on a loopback port.

use super::*;
use crate::demo::http::{HttpClient, HttpRequest};
use crate::ui::Pages;
use actix_web::{App, HttpResponse, HttpServer, web as actix};

#[actix_web::test]
async fn the_client_gives_every_answer_as_it_came_and_no_endless_one() {
    let world = world();
    let pages = Arc::new(Pages::new(None).unwrap());
    let federation = Arc::clone(&world.federation);
    let server = HttpServer::new(move || {
        let (federation, pages) = (Arc::clone(&federation), Arc::clone(&pages));
        let echo = |request: actix_web::HttpRequest| async move {
            let header = request.headers().get("authorization").cloned();
            HttpResponse::Unauthorized().body(header.unwrap().to_str().unwrap().to_owned())
        };
        App::new()
            .route("/bearer", actix::get().to(echo))
            .route(
                "/long",
                actix::get().to(|| async { "x".repeat(256 * 1024 + 1) }),
            )
            .route(
                "/moved",
                actix::get().to(|| async {
                    HttpResponse::Found()
                        .insert_header(("location", "/long"))
                        .finish()
                }),
            )
            .configure(|config| routes(config, federation, pages))
    })
    .workers(1)
    .bind(("127.0.0.1", 0))
    .unwrap();
    let base = format!("http://{}", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    let served = actix_web::rt::spawn(server);

    let client = HttpClient::new().unwrap();
    let url = |path: &str| format!("{base}{path}");
    let (moved, long) = (url("/moved"), url("/long"));
    let (known, unknown) = (url("/ta/list"), url("/ta/fetch?sub=https://x/"));
    let get = |url| client.send(HttpRequest::Get { url, bearer: None });
    assert_eq!(get(&known).await.unwrap().status, 200);
    let answer = get(&unknown).await.unwrap();
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("not_found"));
    assert_eq!(get(&moved).await.unwrap().status, 302, "not followed");
    let error = get(&long).await.unwrap_err().to_string();
    assert!(error.contains("larger than 262144 bytes"), "{error}");

    let bearer = Some("the token");
    let request = HttpRequest::Get {
        url: &url("/bearer"),
        bearer,
    };
    let answer = client.send(request).await.unwrap();
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (401, "Bearer the token")
    );

    let mark_type = world.federation.relying_party_mark_type();
    let sub = world.federation.relying_party().entity_id().to_owned();
    let fields = [
        ("trust_mark_type".to_owned(), mark_type),
        ("sub".to_owned(), sub),
    ];
    let request = HttpRequest::PostForm {
        url: &url("/ta/trust_mark_status"),
        fields: &fields,
    };
    assert_eq!(
        client.send(request).await.unwrap().text(),
        r#"{"active":true}"#
    );

    handle.stop(false).await;
    served.await.unwrap().unwrap();
    // Nobody listens at port 1; the port that was this server's may be that of another test by now.
    assert!(get("http://127.0.0.1:1/").await.is_err());
}
