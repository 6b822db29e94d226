//! Stopping: requests in flight finish.

use super::process::{Server, varco, write};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

#[actix_web::test]
async fn a_request_in_flight_is_answered_after_sigterm_and_none_is_taken_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let text = "listen = \"127.0.0.1:0\"\ndevelopment = true\n\
        [[issuer]]\nid = \"http://127.0.0.1/oidc\"\nprofile = \"oidc\"\n";
    write(folder.path(), "varco.toml", text);
    varco(folder.path(), &["keys", "init"]).done();
    for signal in ["TERM", "INT"] {
        let server = Server::start(folder.path());
        let stream = TcpStream::connect(&server.address).unwrap();
        let mut answer = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        let body = "grant_type=authorization_code&code=x";
        write!(
            stream,
            "POST /oidc/token HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .unwrap();
        // The request is in the handler's hands now, which waits for its body.
        let mut line = String::new();
        answer.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 100"), "{line}");
        answer.read_line(&mut line).unwrap();
        server.signal(signal);
        server.line("event=stopping");
        stream.write_all(body.as_bytes()).unwrap();
        let mut line = String::new();
        answer.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 4"), "{signal}: {line}");
        let mut head = String::new();
        while answer.read_line(&mut head).unwrap() > 2 {}
        let length: usize = head
            .to_ascii_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.lines().next()?.parse().ok())
            .unwrap();
        let mut json = vec![0; length];
        answer.read_exact(&mut json).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert!(json["error"].is_string(), "{json}");
        drop((answer, stream));
        let address = server.address.clone();
        let (status, lines) = server.ended();
        assert_eq!(status, Some(0), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("event=stopped")));
        assert!(TcpStream::connect(address).is_err());
    }
}
