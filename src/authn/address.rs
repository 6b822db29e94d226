//! Attempts counted by address: logins with a password and those that begin without one count together.

use crate::provider::Shared;
use crate::store::throttle::{self, Allowance};
use crate::store::{DbConn, StoreError};
use std::net::{IpAddr, Ipv6Addr};

/// What logins of citizens are counted by.
pub(super) const CITIZENS: &str = "login";

/// Any account from this address; `kind` keeps logins of different registries apart.
pub(super) fn key(kind: &str, address: IpAddr) -> String {
    format!("{kind} address {}", subscriber(address))
}

/// Counts an attempt to log in without a password, before it is judged. The seconds to wait: then it must not be judged.
///
/// # Errors
/// The database's.
pub fn reserve(
    conn: &mut DbConn,
    shared: &Shared,
    address: IpAddr,
) -> Result<Option<i64>, StoreError> {
    let now = shared.clock.now();
    let allowance = Allowance::per_minute(shared.server.throttle.per_address_per_minute);
    let until = throttle::reserve(conn, &key(CITIZENS, address), now, allowance)?;
    Ok(until.map(|until| until.seconds_since(now).max(1)))
}

/// The attempt was none of somebody who tries.
///
/// # Errors
/// The database's.
pub fn give_back(conn: &mut DbConn, address: IpAddr) -> Result<(), StoreError> {
    throttle::give_back(conn, &key(CITIZENS, address))
}

/// What one subscriber has of the address space: all of an IPv4 address, the first half of an IPv6 address (RFC 6177),
/// whose other half anybody may choose anew for every attempt.
pub(super) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}
