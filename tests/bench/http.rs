//! HTTP/1.1 on one connection that is kept alive; as little work as possible, since it shares the machine with the server.

use std::io::{Read, Write};
use std::net::TcpStream;

pub struct Connection {
    stream: TcpStream,
    host: String,
    received: Vec<u8>,
}

pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Connection {
    pub fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            host: address.to_owned(),
            received: Vec::new(),
        }
    }

    pub fn get(&mut self, path: &str, headers: &str) -> Answer {
        let host = &self.host;
        self.exchange(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n"
        ))
    }

    pub fn post(&mut self, path: &str, headers: &str, fields: &[(String, String)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let (host, length) = (&self.host, body.len());
        self.exchange(&format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    fn exchange(&mut self, request: &str) -> Answer {
        self.stream.write_all(request.as_bytes()).unwrap();
        self.received.clear();
        let head_end = loop {
            if let Some(end) = self
                .received
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
            {
                break end + 4;
            }
            self.receive();
        };
        let head = String::from_utf8(self.received[..head_end].to_vec()).unwrap();
        let length = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
        while self.received.len() < head_end + length {
            self.receive();
        }
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            body: String::from_utf8(self.received[head_end..].to_vec()).unwrap(),
            head,
        }
    }

    fn receive(&mut self) {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the server closed the connection");
        self.received.extend_from_slice(&buffer[..count]);
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    values(head, name).next()
}

fn values<'a>(head: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

impl Answer {
    /// Where a redirect leads to: the address, and its path with query.
    pub fn location(&self) -> (&str, &str) {
        let address = header(&self.head, "location")
            .unwrap_or_else(|| panic!("no redirect: {} {}", self.status, self.body));
        let path = match address.split_once("://") {
            Some((_, rest)) => &rest[rest.find('/').unwrap()..],
            None => address,
        };
        (address, path)
    }

    /// Name and value of each cookie; removed ones are empty.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        values(&self.head, "set-cookie").map(|cookie| {
            let pair = cookie.split(';').next().unwrap();
            pair.split_once('=').unwrap()
        })
    }

    /// The value of a page's hidden field.
    pub fn hidden(&self, name: &str) -> &str {
        let found = self
            .body
            .split("<input")
            .find(|input| input.contains(&format!("name=\"{name}\"")));
        let found =
            found.unwrap_or_else(|| panic!("no field {name}: {} {}", self.status, self.body));
        let (_, value) = found.split_once("value=\"").unwrap();
        value.split('"').next().unwrap()
    }
}
