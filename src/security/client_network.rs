//! What counts as one client where something is counted by address.

use std::net::{IpAddr, Ipv6Addr};

/// The network of an address: one IPv6 client has the 2⁶⁴ addresses of its network.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64)).into(),
    }
}
