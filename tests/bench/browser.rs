//! A browser: a connection that is kept alive, and its cookies.

use crate::http::{Answer, Connection};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What browsers send, so that negotiation and logging have their work.
const HEADERS: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n\
    Accept-Language: it-IT,it;q=0.9,en;q=0.8\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n";

pub struct Browser {
    address: String,
    pub connection: Connection,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            connection: Connection::open(address),
            cookies: BTreeMap::new(),
        }
    }

    /// The server closes idle connections.
    pub fn connect_again(&mut self) {
        self.connection = Connection::open(&self.address);
    }

    pub fn get(&mut self, path: &str) -> Answer {
        let headers = self.headers();
        let answer = self.connection.get(path, &headers);
        self.keep_cookies(&answer);
        answer
    }

    pub fn post(&mut self, path: &str, fields: &[(String, String)]) -> Answer {
        let headers = self.headers();
        let answer = self.connection.post(path, &headers, fields);
        self.keep_cookies(&answer);
        answer
    }

    /// Fills in the form of a page that has this one token, and sends it.
    pub fn submit(&mut self, page: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = self.get(page);
        let token = [("csrf_token", shown.hidden("csrf_token"))];
        let all: Vec<(String, String)> = token
            .iter()
            .chain(fields)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.post(to, &all)
    }

    fn headers(&self) -> String {
        let mut headers = HEADERS.to_owned();
        for (position, (name, value)) in self.cookies.iter().enumerate() {
            let before = if position == 0 { "Cookie: " } else { "; " };
            write!(headers, "{before}{name}={value}").unwrap();
        }
        if !self.cookies.is_empty() {
            headers.push_str("\r\n");
        }
        headers
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for (name, value) in answer.cookies() {
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
