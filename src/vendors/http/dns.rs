//! Refuses host names that resolve to a loopback or private address.
//!
//! The configuration rejects such addresses where they are written down. Here a name is rejected that resolves
//! to one, now or later (DNS rebinding), so that no configured host makes Silta call its own network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves names by the operating system and keeps only public addresses.
#[derive(Debug)]
pub(in crate::vendors) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| !is_private(address.ip())).collect();
            if public.is_empty() {
                return Err("the name has no public address".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is this machine's or of a private network (RFC 6890 and its registries).
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let is_shared = first == 100 && (64..128).contains(&second); // RFC 6598
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || is_shared
        }
        IpAddr::V6(v6) => {
            let mapped: Option<Ipv4Addr> = v6.to_ipv4_mapped();
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.is_multicast()
                || mapped.is_some_and(|v4| is_private(v4.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_public_addresses_are_distinguished() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "::1",
            "::",
            "fd00::1",
            "fe80::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
        ] {
            assert!(private.parse().is_ok_and(is_private), "{private}");
        }
        for public in ["93.184.216.34", "100.128.0.1", "2001:db8::1", "::ffff:93.184.216.34"] {
            assert!(public.parse().is_ok_and(|address| !is_private(address)), "{public}");
        }
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_loopback_is_refused() {
        let name: Name = "localhost".parse().expect("a name");
        let Err(error) = PublicResolver.resolve(name).await else { panic!("it was resolved") };
        assert_eq!(error.to_string(), "the name has no public address");
    }
}
