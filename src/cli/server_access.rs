//! How `pg_dump` reaches the configured server: as Silta does, by the same URL.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use reqwest::Url;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::{
    app::config::Environment,
    runtime::embedded_postgres::ServerAccess,
    store::{DatabaseAddress, DatabaseUrl},
};

/// Where systems keep the certificates that they trust: libpq looks in none of these by itself.
const TRUSTED: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The spellings of parameters with files, and libpq's name and variable of each.
const FILES: [([&str; 3], &str, &str); 3] = [
    (["sslrootcert", "ssl-root-cert", "ssl-ca"], "sslrootcert", "PGSSLROOTCERT"),
    (["sslcert", "ssl-cert", "ssl-cert"], "sslcert", "PGSSLCERT"),
    (["sslkey", "ssl-key", "ssl-key"], "sslkey", "PGSSLKEY"),
];

/// The access to the server of this URL.
pub(super) fn server_access(url: &str, environment: &Environment) -> Result<ServerAccess> {
    let options = DatabaseUrl::parse(url).context("database.url is not a postgres:// URL")?.options;
    let url = Url::parse(url)?;
    let parameter = |names: &[&str]| {
        let found = url.query_pairs().filter(|(key, _)| names.contains(&&**key)).last();
        found.map(|(_, value)| value.into_owned())
    };
    let DatabaseAddress { host, port, database, user } = DatabaseAddress::of(&options);
    let mut settings = vec![
        ("host", host.trim_matches(['[', ']']).to_owned()),
        ("port", port.to_string()),
        ("dbname", database),
        ("user", user),
        ("sslmode", ssl_mode(&options).to_owned()),
    ];
    let of_url = || {
        let decoded = percent_encoding::percent_decode_str(url.password()?).decode_utf8().ok()?;
        Some(decoded.into_owned())
    };
    let password =
        parameter(&["password"]).or_else(of_url).or_else(|| environment.get("PGPASSWORD").cloned());
    settings.extend(password.map(|password| ("password", password)));
    settings.extend(options.get_options().map(|options| ("options", options.to_owned())));
    for (spellings, name, variable) in FILES {
        let given = parameter(&spellings).or_else(|| environment.get(variable).cloned());
        settings.extend(given.map(|file| (name, file)));
    }
    let verifies = matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull);
    if verifies && !settings.iter().any(|(name, _)| *name == "sslrootcert") {
        settings.extend(trusted_certificates(environment).map(|file| ("sslrootcert", file)));
    }
    let lines = settings.iter().map(|(name, value)| {
        // The file has no quotes: libpq would read another value.
        let is_plain = value.trim() == value && !value.contains(['\n', '\r', '\0']) && value.len() < 900;
        ensure!(
            is_plain,
            "pg_dump cannot be given the {name} of the database's URL: a space at an end, or a line break"
        );
        Ok(format!("{name}={value}\n"))
    });
    let files = ["HOME", "PGPASSFILE"].iter();
    Ok(ServerAccess {
        settings: lines.collect::<Result<String>>()?,
        environment: files
            .filter_map(|name| Some(((*name).to_owned(), environment.get(*name)?.clone())))
            .collect(),
    })
}

/// The file of the certificates that this system trusts, as for our own connections.
fn trusted_certificates(environment: &Environment) -> Option<String> {
    let given = environment.get("SSL_CERT_FILE").cloned();
    given.or_else(|| TRUSTED.iter().find(|file| Path::new(file).exists()).map(|file| (*file).to_owned()))
}

fn ssl_mode(options: &PgConnectOptions) -> &'static str {
    match options.get_ssl_mode() {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str, variables: &[(&str, &str)]) -> Result<String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        server_access(url, &variables.collect()).map(|access| access.settings)
    }

    #[test]
    fn pg_dump_is_given_what_the_url_says() {
        let url = "postgres://silta:p%40ss%3Dw@db.example.fi:6432/orders?sslrootcert=/etc/silta/ca.pem";
        let found = settings(url, &[("PGPASSWORD", "other")]).expect("a URL");
        assert_eq!(
            found,
            "host=db.example.fi\nport=6432\ndbname=orders\nuser=silta\nsslmode=verify-full\npassword=p@ss=w\n\
             sslrootcert=/etc/silta/ca.pem\n"
        );
        let url = "postgres://silta@localhost/silta?host=/run/postgresql&sslmode=disable";
        let found = settings(url, &[("PGPASSWORD", "of the variable")]).expect("a URL");
        assert_eq!(
            found,
            "host=/run/postgresql\nport=5432\ndbname=silta\nuser=silta\nsslmode=disable\npassword=of the variable\n"
        );
    }

    #[test]
    fn certificates_of_the_system_are_named_where_the_url_names_none() {
        let found = settings("postgres://silta@db.example.fi/silta", &[("SSL_CERT_FILE", "/ca.pem")]);
        assert!(found.expect("a URL").contains("\nsslmode=verify-full\nsslrootcert=/ca.pem\n"));
    }

    #[test]
    fn value_that_a_service_file_cannot_hold_is_refused_without_being_shown() {
        for password in ["%20secret", "secret%20", "se%0Acret", "se%0Dcret"] {
            let error = settings(&format!("postgres://silta:{password}@db/silta"), &[]).expect_err(password);
            assert!(!format!("{error:#}").contains("cret"), "{error:#}");
        }
    }
}
