//! Refuses host names that resolve to a loopback or private address.
//!
//! The configuration rejects such addresses where they are written down. Here a name is rejected that resolves
//! to one, now or later (DNS rebinding), so that no configured host makes Silta call its own network.

use std::net::{IpAddr, SocketAddr};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

pub use super::special_networks::is_special;

/// Resolves names by the operating system and keeps only public addresses.
#[derive(Debug, Default)]
pub(in crate::vendors) struct PublicResolver {
    /// The host of the configured proxy, which usually has a private address.
    pub(super) proxy: Option<String>,
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let is_proxy = self.proxy.as_deref() == Some(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> =
                found.filter(|address| is_proxy || !is_special(address.ip())).collect();
            if public.is_empty() {
                return Err("the name has no public address".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether a URL names this machine or an address of a special purpose, so that no name is resolved for it.
pub fn names_private_host(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).trim_end_matches('.');
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(is_special)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_hosts_are_found_however_they_are_written() {
        for url in [
            "https://localhost",
            "https://LOCALHOST.",
            "https://a.localhost",
            "https://127.1",
            "https://2130706433",
            "https://0x7f.1",
            "https://[::1]",
            "https://[::ffff:10.0.0.1]",
            "https://[64:ff9b::a00:1]",
            "https://169.254.169.254",
        ] {
            assert!(Url::parse(url).is_ok_and(|url| names_private_host(&url)), "{url}");
        }
        for url in ["https://example.fi", "https://93.184.216.34", "https://localhost.example.fi"] {
            assert!(Url::parse(url).is_ok_and(|url| !names_private_host(&url)), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_loopback_is_refused() {
        let name: Name = "localhost".parse().expect("a name");
        let Err(error) = PublicResolver::default().resolve(name).await else { panic!("it was resolved") };
        assert_eq!(error.to_string(), "the name has no public address");
    }

    #[tokio::test]
    async fn only_the_proxy_may_have_a_private_address() {
        let resolver = PublicResolver { proxy: Some("localhost".to_owned()) };
        assert!(resolver.resolve("localhost".parse().expect("a name")).await.is_ok());
        assert!(resolver.resolve("ip6-localhost".parse().expect("a name")).await.is_err());
    }
}
