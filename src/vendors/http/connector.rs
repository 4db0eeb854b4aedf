//! The only reqwest builder.
//!
//! Sets timeouts for connecting and for the whole call, and follows no redirects: a vendor that moves must be
//! configured, not guessed.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use reqwest::{Proxy, Url};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;

use super::dns::PublicResolver;

/// How calls are made, from `[outbound]`.
#[derive(Clone, Debug)]
pub struct Options {
    /// The timeout of one whole call, connecting included.
    pub timeout: Duration,
    /// Whether a host name may resolve to a loopback or private address. For the sandbox and tests only.
    pub allow_private: bool,
    /// The proxy through which all calls go; `None`: the environment's proxies are ignored too.
    pub proxy: Option<Url>,
}

/// The TLS configuration of every client in the process. The system's certificates are loaded once: that takes
/// longer than everything else about a new client.
pub fn tls_config() -> ClientConfig {
    static CONFIG: LazyLock<ClientConfig> = LazyLock::new(|| {
        // One crypto provider for the whole process; sqlx and lettre use it too.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = ClientConfig::builder()
            .with_platform_verifier()
            .expect("the system has root certificates")
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config
    });
    CONFIG.clone()
}

/// Builds the client that all connections share: it pools connections per host.
pub fn build_client(options: &Options) -> reqwest::Client {
    #[expect(clippy::disallowed_methods, reason = "this is the only builder")]
    let builder = reqwest::Client::builder();
    // Before the configured one: a proxy that merely stands in the environment would see every call, and names would be
    // resolved there, where nobody refuses private addresses.
    let mut builder = builder.no_proxy();
    if !options.allow_private {
        let proxy = options.proxy.as_ref().and_then(Url::host_str).map(ToOwned::to_owned);
        builder = builder.dns_resolver(Arc::new(PublicResolver { proxy }));
    }
    if let Some(url) = &options.proxy {
        builder = builder.proxy(Proxy::all(url.clone()).expect("a URL is a proxy"));
    }
    builder
        .tls_backend_preconfigured(tls_config())
        .user_agent(concat!("silta/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.timeout.min(Duration::from_secs(5)))
        .timeout(options.timeout)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client without files or proxies to read can always be built")
}
