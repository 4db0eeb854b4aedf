//! The IP address of a client, also behind trusted proxies.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Once,
};

use axum::http::HeaderMap;

/// The peer of the connection that a request came in on; the server adds it to every request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's IP address: the connection's peer, or the address that the outermost of `proxies` trusted proxies saw.
pub fn client_ip(peer: Option<Peer>, headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let peer = peer.map(|Peer(address)| address.ip());
    if proxies == 0 {
        if headers.contains_key(FORWARDED_FOR) {
            warn_of_missing_proxies();
        }
        return peer;
    }
    let forwarded = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<_> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    // Each proxy appends its own peer. Anybody can write the entries before those of our proxies.
    hops.len().checked_sub(proxies).and_then(|at| hops[at].parse().ok()).or(peer)
}

/// Warns once per process: anybody can send the header, and must not fill the log with it.
fn warn_of_missing_proxies() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "X-Forwarded-For arrived while [http] proxies is 0: if Silta is behind a proxy, all clients count as one; set proxies"
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_for_is_trusted_only_from_own_proxies() {
        let peer = Some(Peer("192.0.2.9:1".parse().expect("an address")));
        let headers = |value: &str| {
            HeaderMap::from_iter([(
                "x-forwarded-for".parse().expect("a name"),
                value.parse().expect("a value"),
            )])
        };
        let seen = |value, proxies| client_ip(peer, &headers(value), proxies).map(|ip| ip.to_string());
        assert_eq!(seen("203.0.113.1", 0).as_deref(), Some("192.0.2.9"));
        assert_eq!(
            seen("10.0.0.1, 203.0.113.1", 1).as_deref(),
            Some("203.0.113.1"),
            "the client wrote the first entry"
        );
        assert_eq!(seen("198.51.100.1, 203.0.113.1", 2).as_deref(), Some("198.51.100.1"));
        assert_eq!(seen("203.0.113.1", 2).as_deref(), Some("192.0.2.9"), "fewer entries than proxies");
        assert_eq!(seen("nonsense", 1).as_deref(), Some("192.0.2.9"));
    }
}
