//! Which addresses may be asked: the public internet; in development also this machine and private networks.
//!
//! The filter stands at two places, because neither suffices: on the URL (an IP literal never reaches a resolver, and
//! `2130706433` or `0x7f.1` are spellings of 127.0.0.1), and in the resolver at every connect (a name may resolve to
//! anything, and to something else the next time).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Whether an address may be connected to. Link-local addresses (cloud metadata services) never are.
#[must_use]
pub fn is_allowed(address: IpAddr, development: bool) -> bool {
    is_public(address) || (development && is_local(address))
}

/// The IP literal of a URL in whatever spelling, when it may not be asked.
#[must_use]
pub fn forbidden_literal(url: &Url, development: bool) -> Option<IpAddr> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) | None => return None,
    };
    (!is_allowed(address, development)).then_some(address)
}

/// Loopback and private networks.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_local(IpAddr::V4(v4)),
            None => v6.is_loopback() || v6.is_unique_local(),
        },
    }
}

/// Globally reachable unicast, by the IANA special-purpose registries (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224 // multicast, reserved, broadcast
        || (a == 100 && b & 0xc0 == 64) // shared by carriers, RFC 6598
        || (a == 192 && b == 0 && c == 0) // protocol assignments
        || (a == 192 && b == 88 && c == 99) // 6to4 relays
        || (a == 198 && b & 0xfe == 18); // benchmarks
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let [s0, s1, s2, s3, s4, s5, s6, s7] = address.segments();
    if [s0, s1, s2, s3, s4, s5] == [0x64, 0xff9b, 0, 0, 0, 0] {
        // NAT64: the IPv4 address behind the translator counts.
        let [a, b] = s6.to_be_bytes();
        let [c, d] = s7.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    let global_unicast = s0 & 0xe000 == 0x2000;
    let special = (s0 == 0x2001 && s1 < 0x200) // Teredo, ORCHID, protocol assignments
        || (s0 == 0x2001 && s1 == 0xdb8) // documentation
        || s0 == 0x2002 // 6to4: hides an IPv4 address
        || (s0 == 0x3fff && s1 < 0x1000); // documentation
    global_unicast && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_may_be_asked() {
        for address in [
            "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
            "192.0.0.8", "192.88.99.1", "198.18.0.1", "203.0.113.7", "224.0.0.1", "255.255.255.255", "::", "::1",
            "::ffff:127.0.0.1", "::127.0.0.1", "fe80::1", "fc00::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::1",
            "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1",
        ] {
            assert!(!is_allowed(address.parse().unwrap(), false), "{address}");
        }
        for address in ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(is_allowed(address.parse().unwrap(), false), "{address}");
        }
    }

    #[test]
    fn development_adds_this_machine_and_private_networks_but_no_link_local() {
        for address in ["127.0.0.1", "::1", "192.168.0.1", "fd00::1", "::ffff:10.0.0.1"] {
            assert!(is_allowed(address.parse().unwrap(), true), "{address}");
        }
        for address in ["169.254.169.254", "fe80::1", "0.0.0.0"] {
            assert!(!is_allowed(address.parse().unwrap(), true), "{address}");
        }
    }

    #[test]
    fn every_spelling_of_a_loopback_literal_is_found() {
        for url in [
            "https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/",
            "https://[::1]/", "https://[::ffff:7f00:1]/", "https://[::ffff:127.0.0.1]/",
        ] {
            let url = Url::parse(url).unwrap();
            assert!(forbidden_literal(&url, false).is_some(), "{url}");
        }
        let named = Url::parse("https://rp.example.it/").unwrap();
        assert_eq!(forbidden_literal(&named, false), None);
    }
}
