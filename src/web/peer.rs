//! Who is on the other side: proxies are believed only when they are configured.
//!
//! Proxies add what they know at the right of a list, or as a further line; whatever the client sent itself is at the left.
//! So lists are read from the right, as far as proxies of ours go. Only one of the two families of headers counts: a proxy
//! that writes one passes the other on as the client sent it.

use crate::config::{ForwardedHeader, ServerSettings};
use actix_web::dev::RequestHead;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};

/// The proxies of ours and the headers that they write.
#[derive(Clone, Copy)]
pub(super) struct Proxies<'a> {
    networks: &'a [IpNet],
    header: ForwardedHeader,
}

impl<'a> Proxies<'a> {
    pub(super) fn of(settings: &'a ServerSettings) -> Self {
        Self {
            networks: &settings.trusted_proxies,
            header: settings.forwarded_header,
        }
    }

    fn has(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }

    /// The client's address: the last hop that is no proxy of ours. Where the list ends early or cannot be read, the last
    /// that is known.
    pub(super) fn client_address(&self, head: &RequestHead) -> IpAddr {
        let mut nearest = connected(head);
        if !self.has(nearest) {
            return nearest;
        }
        let hops = match self.header {
            ForwardedHeader::XForwarded => elements(head, "x-forwarded-for"),
            ForwardedHeader::Forwarded => elements(head, "forwarded")
                .iter()
                .map(|element| parameter(element, "for").unwrap_or_default())
                .collect(),
        };
        for hop in hops.iter().rev() {
            let Some(address) = parse_hop(hop) else { break };
            nearest = address;
            if !self.has(address) {
                break;
            }
        }
        nearest
    }

    /// What a proxy of ours says in a header of its own; `None` from anybody else, and where the header came twice: one of the
    /// two may be the client's.
    pub(super) fn told(&self, head: &RequestHead, name: &str) -> Option<String> {
        if !self.has(connected(head)) {
            return None;
        }
        let mut lines = head.headers().get_all(name);
        match (lines.next(), lines.next()) {
            (Some(line), None) => line.to_str().ok().map(str::to_owned),
            _ => None,
        }
        .filter(|text| !text.is_empty())
    }

    /// The authority that the client asked for: `Host`, or what a configured proxy says it was.
    pub(super) fn authority(&self, head: &RequestHead) -> Option<String> {
        let told = if self.has(connected(head)) {
            match self.header {
                ForwardedHeader::XForwarded => elements(head, "x-forwarded-host").pop(),
                ForwardedHeader::Forwarded => elements(head, "forwarded")
                    .last()
                    .and_then(|element| parameter(element, "host")),
            }
        } else {
            None
        };
        let own = || {
            let host = head.headers().get("host");
            host.and_then(|host| host.to_str().ok())
                .or_else(|| head.uri.authority().map(|authority| authority.as_str()))
                .map(str::to_owned)
        };
        told.or_else(own).map(|authority| comparable(&authority))
    }
}

/// An authority as it is compared: in lower case, without the port that goes without saying.
pub(super) fn comparable(authority: &str) -> String {
    let authority = authority.to_ascii_lowercase();
    let short = authority
        .strip_suffix(":443")
        .or_else(|| authority.strip_suffix(":80"));
    short.unwrap_or(&authority).to_owned()
}

/// IPv4 addresses as such, also where the socket is IPv6.
fn connected(head: &RequestHead) -> IpAddr {
    head.peer_addr
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| {
            peer.ip().to_canonical()
        })
}

/// The elements of a list, all lines of the header together (RFC 9110 §5.3). A comma within quotes divides too: what is at
/// the right of it was not written by the client.
fn elements(head: &RequestHead, name: &str) -> Vec<String> {
    head.headers()
        .get_all(name)
        // A line that cannot be read is an element that cannot be read.
        .flat_map(|line| line.to_str().unwrap_or("unreadable").split(','))
        .map(|element| element.trim().to_owned())
        .filter(|element| !element.is_empty())
        .collect()
}

/// One parameter of an element of `Forwarded` (RFC 7239 §4).
fn parameter(element: &str, name: &str) -> Option<String> {
    element
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim_matches('"').to_owned())
}

/// `192.0.2.1`, `192.0.2.1:1234`, `2001:db8::1`, `[2001:db8::1]:1234`.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let text = if let Some(rest) = hop.strip_prefix('[') {
        rest.split(']').next()?
    } else if hop.parse::<IpAddr>().is_ok() {
        hop
    } else {
        hop.rsplit_once(':')?.0
    };
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn head(peer: &str, headers: &[(&'static str, &str)]) -> RequestHead {
        let mut request = TestRequest::get().peer_addr(format!("{peer}:1000").parse().unwrap());
        for (name, value) in headers {
            request = request.append_header((*name, *value));
        }
        let request = request.to_http_request();
        let mut head = RequestHead::default();
        head.headers = request.headers().clone();
        head.peer_addr = request.peer_addr();
        head
    }

    /// Address and authority, with proxies at 10.0.0.0/8.
    fn seen(
        header: ForwardedHeader,
        peer: &str,
        headers: &[(&'static str, &str)],
    ) -> (String, String) {
        let networks = ["10.0.0.0/8".parse().unwrap()];
        let proxies = Proxies {
            networks: &networks,
            header,
        };
        let head = head(peer, headers);
        let address = proxies.client_address(&head).to_string();
        (address, proxies.authority(&head).unwrap_or_default())
    }

    fn is(address: &str, authority: &str) -> (String, String) {
        (address.to_owned(), authority.to_owned())
    }

    use ForwardedHeader::{Forwarded, XForwarded};

    #[test]
    fn a_header_of_a_stranger_is_not_believed() {
        let headers = [
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-host", "evil"),
            ("forwarded", "for=198.51.100.1;host=evil"),
            ("host", "op"),
        ];
        for header in [XForwarded, Forwarded] {
            let found = seen(header, "203.0.113.9", &headers);
            assert_eq!(found, is("203.0.113.9", "op"));
        }
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_of_ours_is_the_client() {
        let plain = [
            ("x-forwarded-for", "6.6.6.6, 198.51.100.1, 10.0.0.2"),
            ("x-forwarded-host", "op.example.it"),
        ];
        let found = seen(XForwarded, "10.0.0.1", &plain);
        assert_eq!(found, is("198.51.100.1", "op.example.it"));
        let standard = [(
            "forwarded",
            "for=6.6.6.6;host=evil, for=\"[2001:db8::7]:4711\";host=op.example.it;proto=https",
        )];
        let found = seen(Forwarded, "10.0.0.1", &standard);
        assert_eq!(found, is("2001:db8::7", "op.example.it"));
    }

    #[test]
    fn the_header_that_the_proxy_does_not_write_is_ignored() {
        // nginx passes the client's Forwarded on.
        let headers = [
            ("forwarded", "for=6.6.6.6;host=evil"),
            ("x-forwarded-for", "198.51.100.1"),
            ("host", "op"),
        ];
        let found = seen(XForwarded, "10.0.0.1", &headers);
        assert_eq!(found, is("198.51.100.1", "op"));
        let headers = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-host", "evil"),
            ("forwarded", "for=198.51.100.1"),
            ("host", "op"),
        ];
        let found = seen(Forwarded, "10.0.0.1", &headers);
        assert_eq!(found, is("198.51.100.1", "op"));
    }

    #[test]
    fn a_line_that_the_proxy_appends_counts_before_the_clients_own() {
        // HAProxy's `option forwardfor` appends a line.
        let headers = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "198.51.100.1"),
        ];
        let found = seen(XForwarded, "10.0.0.1", &headers);
        assert_eq!(found, is("198.51.100.1", ""));
    }

    #[test]
    fn what_is_left_of_an_unreadable_hop_is_not_believed() {
        for hops in ["6.6.6.6, unknown", "6.6.6.6, unknown, 10.0.0.1"] {
            let headers = [("x-forwarded-for", hops)];
            let found = seen(XForwarded, "10.0.0.1", &headers);
            assert_eq!(found, is("10.0.0.1", ""), "{hops}");
        }
        let headers = [("forwarded", "for=6.6.6.6;host=evil, proto=https")];
        let found = seen(Forwarded, "10.0.0.1", &headers);
        assert_eq!(found, is("10.0.0.1", ""));
    }

    #[test]
    fn mapped_addresses_and_default_ports_are_the_same_as_plain_ones() {
        let headers = [
            ("x-forwarded-for", "::ffff:198.51.100.1"),
            ("host", "OP.example.it:443"),
        ];
        let found = seen(XForwarded, "[::ffff:10.0.0.1]", &headers);
        assert_eq!(found, is("198.51.100.1", "op.example.it"));
        assert_eq!(comparable("op.example.it:80"), "op.example.it");
        assert_eq!(comparable("op.example.it:8443"), "op.example.it:8443");
    }
}
