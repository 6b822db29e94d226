//! Who is on the other side: proxies are believed only when they are configured.

use actix_web::dev::RequestHead;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};

/// Whether the connection comes from a configured proxy.
fn is_trusted(address: IpAddr, proxies: &[IpNet]) -> bool {
    proxies.iter().any(|network| network.contains(&address))
}

fn connected(head: &RequestHead) -> IpAddr {
    head.peer_addr
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())
}

fn header<'a>(head: &'a RequestHead, name: &str) -> Option<&'a str> {
    head.headers().get(name)?.to_str().ok()
}

/// The client's address: the last hop of `X-Forwarded-For` (or `Forwarded`, RFC 7239) that is no proxy of ours.
pub(super) fn address(head: &RequestHead, proxies: &[IpNet]) -> IpAddr {
    let peer = connected(head);
    if !is_trusted(peer, proxies) {
        return peer;
    }
    let hops: Vec<IpAddr> = match header(head, "forwarded") {
        Some(value) => forwarded(value, "for")
            .iter()
            .filter_map(|hop| parse_hop(hop))
            .collect(),
        None => header(head, "x-forwarded-for")
            .unwrap_or_default()
            .split(',')
            .filter_map(|hop| parse_hop(hop.trim()))
            .collect(),
    };
    hops.into_iter()
        .rev()
        .find(|hop| !is_trusted(*hop, proxies))
        .unwrap_or(peer)
}

/// The authority that the client asked for: `Host`, or what a configured proxy says it was.
pub(super) fn authority(head: &RequestHead, proxies: &[IpNet]) -> Option<String> {
    let own =
        header(head, "host").or_else(|| head.uri.authority().map(|authority| authority.as_str()));
    let told = if is_trusted(connected(head), proxies) {
        match header(head, "forwarded") {
            Some(value) => forwarded(value, "host").pop(),
            None => header(head, "x-forwarded-host")
                .and_then(|value| value.rsplit(',').next())
                .map(|value| value.trim().to_owned()),
        }
    } else {
        None
    };
    told.or_else(|| own.map(str::to_owned))
        .map(|authority| authority.to_ascii_lowercase())
}

/// The values of one parameter, in the order of the hops.
fn forwarded(value: &str, parameter: &str) -> Vec<String> {
    value
        .split(',')
        .flat_map(|hop| hop.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| name.eq_ignore_ascii_case(parameter))
        .map(|(_, value)| value.trim_matches('"').to_owned())
        .collect()
}

/// `192.0.2.1`, `192.0.2.1:1234`, `2001:db8::1`, `[2001:db8::1]:1234`.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    if let Ok(address) = hop.parse() {
        return Some(address);
    }
    if let Some(rest) = hop.strip_prefix('[') {
        return rest.split(']').next()?.parse().ok();
    }
    hop.rsplit_once(':')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn head(peer: &str, headers: &[(&'static str, &str)]) -> RequestHead {
        let mut request = TestRequest::get().peer_addr(format!("{peer}:1000").parse().unwrap());
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        let request = request.to_http_request();
        let mut head = RequestHead::default();
        head.headers = request.headers().clone();
        head.peer_addr = request.peer_addr();
        head
    }

    #[test]
    fn a_header_of_a_stranger_is_not_believed() {
        let head = head(
            "203.0.113.9",
            &[
                ("x-forwarded-for", "198.51.100.1"),
                ("x-forwarded-host", "evil"),
                ("host", "op"),
            ],
        );
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(address(&head, &proxies).to_string(), "203.0.113.9");
        assert_eq!(authority(&head, &proxies).as_deref(), Some("op"));
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_of_ours_is_the_client() {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let plain = head(
            "10.0.0.1",
            &[
                ("x-forwarded-for", "6.6.6.6, 198.51.100.1, 10.0.0.2"),
                ("x-forwarded-host", "op.example.it"),
            ],
        );
        assert_eq!(address(&plain, &proxies).to_string(), "198.51.100.1");
        assert_eq!(
            authority(&plain, &proxies).as_deref(),
            Some("op.example.it")
        );
        let standard = head(
            "10.0.0.1",
            &[(
                "forwarded",
                "for=\"[2001:db8::7]:4711\";host=op.example.it;proto=https",
            )],
        );
        assert_eq!(address(&standard, &proxies).to_string(), "2001:db8::7");
        assert_eq!(
            authority(&standard, &proxies).as_deref(),
            Some("op.example.it")
        );
    }
}
