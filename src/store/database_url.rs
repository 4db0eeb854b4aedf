//! The URL of a database that is not our own private one.
//!
//! A password and every order cross the network to it. So its certificate and name are verified, unless the server is on
//! this machine or the URL says otherwise.

use std::net::IpAddr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// A parsed URL.
#[derive(Debug)]
pub struct DatabaseUrl {
    /// How to connect.
    pub options: PgConnectOptions,
    /// True where the URL itself asks for less than a verified server, across a network.
    pub is_unverified: bool,
}

/// The names of the parameter that says how TLS is used.
const TLS_PARAMETERS: [&str; 2] = ["sslmode", "ssl-mode"];

impl DatabaseUrl {
    /// Parses a `postgres://` URL; `None` if it is none.
    pub fn parse(url: &str) -> Option<Self> {
        let options: PgConnectOptions = url.parse().ok()?;
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let is_explicit =
            query.split('&').any(|pair| TLS_PARAMETERS.contains(&pair.split('=').next().unwrap_or_default()));
        if is_local(&options) {
            return Some(Self { options, is_unverified: false });
        }
        if !is_explicit {
            let options = options.ssl_mode(PgSslMode::VerifyFull);
            return Some(Self { options, is_unverified: false });
        }
        let is_unverified = !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
        Some(Self { options, is_unverified })
    }
}

/// Whether the server is on this machine: behind a socket, or on loopback.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> (String, bool) {
        let DatabaseUrl { options, is_unverified } = DatabaseUrl::parse(url).expect("a URL");
        (format!("{:?}", options.get_ssl_mode()), is_unverified)
    }

    #[test]
    fn server_across_a_network_is_verified_unless_the_url_says_otherwise() {
        for url in [
            "postgres://silta:p@db.example.fi/silta",
            "postgresql://silta:p@10.0.0.5:5432/silta?application_name=silta",
            "postgres://silta:p@[2001:db8::1]/silta",
            "postgres://silta:p@localhost.example.fi/silta",
            "postgres://silta:p@db.example.fi/silta?sslmode=verify-full",
        ] {
            assert_eq!(mode(url), ("VerifyFull".to_owned(), false), "{url}");
        }
        for (weaker, expected) in [
            ("sslmode=disable", "Disable"),
            ("sslmode=require", "Require"),
            ("a=b&ssl-mode=verify-ca", "VerifyCa"),
        ] {
            let url = format!("postgres://silta:p@db.example.fi/silta?{weaker}");
            assert_eq!(mode(&url), (expected.to_owned(), true), "{url}");
        }
    }

    #[test]
    fn server_on_this_machine_needs_no_certificate() {
        for url in [
            "postgres://silta:p@localhost/silta",
            "postgres://silta:p@127.0.0.1:5433/silta?sslmode=disable",
            "postgres://silta:p@[::1]/silta",
            "postgres://silta@localhost/silta?host=/run/postgresql",
            "postgres://silta@%2Frun%2Fpostgresql/silta",
        ] {
            let (mode, is_unverified) = mode(url);
            assert!(mode != "VerifyFull" && !is_unverified, "{url}: {mode}");
        }
        assert!(DatabaseUrl::parse("no URL").is_none());
    }
}
