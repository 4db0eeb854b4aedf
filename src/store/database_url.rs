//! The URL of a database that is not our own private one.
//!
//! A password and every order cross the network to it. So its certificate and name are verified, unless the server is on
//! this machine or the URL says otherwise.

use std::{fmt, net::IpAddr};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// A parsed URL.
#[derive(Debug)]
pub struct DatabaseUrl {
    /// How to connect.
    pub options: PgConnectOptions,
    /// True where the URL itself asks for less than a verified server, across a network.
    pub is_unverified: bool,
}

/// Where a database is, and as whom it is used; never the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseAddress {
    /// The host's name or address, or the directory of the socket.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The name of the database.
    pub database: String,
    /// The name of the account.
    pub user: String,
}

impl DatabaseAddress {
    /// The address that these options lead to.
    pub fn of(options: &PgConnectOptions) -> Self {
        let socket = options.get_socket().map(|socket| socket.display().to_string());
        let user = options.get_username().to_owned();
        Self {
            host: socket.unwrap_or_else(|| options.get_host().to_owned()),
            port: options.get_port(),
            database: options.get_database().unwrap_or(&user).to_owned(),
            user,
        }
    }
}

impl fmt::Display for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, database, user } = self;
        let separator = if host.starts_with('/') { ", port " } else { ":" };
        write!(f, "database {database} at {host}{separator}{port} as user {user}")
    }
}

/// What the URL of a PostgreSQL begins with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The names of the parameter that says how TLS is used.
const TLS_PARAMETERS: [&str; 2] = ["sslmode", "ssl-mode"];

impl DatabaseUrl {
    /// Parses a `postgres://` URL; `None` if it is none.
    pub fn parse(url: &str) -> Option<Self> {
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            return None; // the driver would read any scheme
        }
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
    }

    #[test]
    fn other_schemes_are_no_url_of_a_database() {
        for url in ["no URL", "", "mysql://silta:p@db/silta", "http://db/silta", "postgres:/db", "//db/silta"]
        {
            assert!(DatabaseUrl::parse(url).is_none(), "{url}");
        }
    }

    #[test]
    fn address_names_everything_but_the_password() {
        let address = |url| DatabaseAddress::of(&DatabaseUrl::parse(url).expect("a URL").options).to_string();
        assert_eq!(
            address("postgres://silta:secret@db.example.fi:6432/orders"),
            "database orders at db.example.fi:6432 as user silta"
        );
        assert_eq!(
            address("postgresql://silta:secret@localhost?host=/run/postgresql"),
            "database silta at /run/postgresql, port 5432 as user silta"
        );
    }
}
