//! The networks of IANA's special-purpose registries: none of them is where a vendor's server stands.
//!
//! Sources: iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry (RFC 6890), with multicast, which
//! has registries of its own. All entries count, also the few that are globally reachable: nobody serves an API there.
//! Addresses that hold an IPv4 address (mapped, translated, 6to4, Teredo) are refused whatever they hold: a resolver has no
//! reason to answer with one, and somebody else translates it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u32) -> (Ipv4Addr, u32) {
    (Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u32) -> (Ipv6Addr, u32) {
    (Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// IPv4 networks by their first address and the length of their prefix.
const V4: [(Ipv4Addr, u32); 17] = [
    v4(0, 0, 0, 0, 8),       // this network
    v4(10, 0, 0, 0, 8),      // private
    v4(100, 64, 0, 0, 10),   // shared by carriers' NAT
    v4(127, 0, 0, 0, 8),     // loopback
    v4(169, 254, 0, 0, 16),  // link-local, with the metadata services of clouds
    v4(172, 16, 0, 0, 12),   // private
    v4(192, 0, 0, 0, 24),    // protocol assignments
    v4(192, 0, 2, 0, 24),    // documentation
    v4(192, 31, 196, 0, 24), // AS112
    v4(192, 52, 193, 0, 24), // multicast tunnels
    v4(192, 88, 99, 0, 24),  // relays of 6to4
    v4(192, 168, 0, 0, 16),  // private
    v4(192, 175, 48, 0, 24), // AS112
    v4(198, 18, 0, 0, 15),   // benchmarks
    v4(198, 51, 100, 0, 24), // documentation
    v4(203, 0, 113, 0, 24),  // documentation
    v4(224, 0, 0, 0, 3),     // multicast, reserved, broadcast
];

/// Everything that is allocated to servers of the Internet.
const GLOBAL_V6: (Ipv6Addr, u32) = v6(0x2000, 0, 0, 3);

/// Special networks within it. Outside of it are loopback, mapped and translated IPv4, private, link-local and multicast
/// addresses.
const V6: [(Ipv6Addr, u32); 5] = [
    v6(0x2001, 0, 0, 23),           // protocol assignments: Teredo, benchmarks, ORCHID
    v6(0x2001, 0x0db8, 0, 32),      // documentation
    v6(0x2002, 0, 0, 16),           // 6to4
    v6(0x2620, 0x004f, 0x8000, 48), // AS112
    v6(0x3fff, 0, 0, 20),           // documentation
];

/// Whether an address is this machine's, of a private network, or of another special purpose.
pub fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => V4.iter().any(|(network, prefix)| {
            u32::from(address) >> (u32::BITS - prefix) == u32::from(*network) >> (u32::BITS - prefix)
        }),
        IpAddr::V6(address) => {
            let is_in = |(network, prefix): &(Ipv6Addr, u32)| {
                u128::from(address) >> (u128::BITS - prefix) == u128::from(*network) >> (u128::BITS - prefix)
            };
            !is_in(&GLOBAL_V6) || V6.iter().any(is_in)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_and_public_addresses_are_distinguished() {
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.0.170",
            "192.0.2.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.168.1.1",
            "192.175.48.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:93.184.216.34",
            "64:ff9b::7f00:1",
            "64:ff9b::5db8:d822",
            "64:ff9b:1::1",
            "100::1",
            "100:0:0:1::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2620:4f:8000::1",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "fc00::1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(special.parse().is_ok_and(is_special), "{special}");
        }
        for public in [
            "93.184.216.34",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2620:4f:8001::1",
            "2a00:1450::1",
            "3ffe::1",
        ] {
            assert!(public.parse().is_ok_and(|address| !is_special(address)), "{public}");
        }
    }
}
