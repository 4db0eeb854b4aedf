//! `silta doctor`: checks whether a connection is ready. It asks both vendors and reads what Silta has seen lately; each
//! answer says what to do. It changes nothing at either vendor.
//!
//! A check that depends on one that failed is not made: it would fail too, with a remedy for something else.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use reqwest::Client;

use super::{
    check_line::CheckLine,
    database::Database,
    doctor_catalogue::check_catalogue,
    names,
    print::{print_foreign, print_line},
    secret_files::readable_by_anybody,
};
use crate::{
    app::{
        App,
        checks::{ConnectionChecks, PublicUrl, VendorNames},
        config::Config,
    },
    domain::check::{Check, CheckName, CheckResult},
    flows::ConnectionClients,
    runtime::clock::SystemClock,
    store,
    vendors::http::{Options, build_client},
};

#[derive(Args)]
pub(super) struct DoctorArgs {
    /// Only this connection
    connection: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs all checks; status 1 if any fails. A warning is no failure.
pub(super) async fn run(args: DoctorArgs, config: Config, account: &str) -> Result<ExitCode> {
    let configured = names::configured(&config);
    if let Some(name) = &args.connection {
        names::ensure_configured(&configured, name)?;
    }
    anyhow::ensure!(
        !configured.is_empty(),
        "the configuration has no [[connections]]: `silta init` writes one"
    );
    let secrets = check_secrets(&config);
    let vendor_names: Vec<_> =
        config.connections.iter().map(|it| (it.name.clone(), VendorNames::of(it))).collect();
    let (url, outbound) = (config.http.public_url.clone(), config.outbound.clone());
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    let app = App::new(config, database.deps());
    app.prepare().await?;

    let public_url = PublicUrl { url: &url, allow_private: outbound.allow_private };
    // The public URL may have a private address within this network.
    let client = build_client(&Options { allow_private: true, ..outbound.clone() });
    let public_url = public_url.check(&client, &app.instance).await;
    let reachable = CheckLine::good("database", format!("{} answers", database.describe()));
    let mut lines = vec![secrets, reachable, CheckLine::of("silta", &public_url)];
    let doctor = Doctor { app: &app, database: &database, client: build_client(&outbound), account };
    for (name, names) in &vendor_names {
        let Some(clients) = app.clients.find(name) else { continue };
        if args.connection.as_ref().is_none_or(|only| only == name) {
            let checks = doctor.check_connection(clients, names).await?;
            lines.extend(checks.iter().map(|check| CheckLine::of(name, check)));
        }
    }
    print(&lines, args.json)?;
    let has_failed = lines.iter().any(|line| line.result == CheckResult::Failed);
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(checks: &[CheckLine], as_json: bool) -> Result<()> {
    if as_json {
        print_line(&serde_json::to_string_pretty(checks)?);
        return Ok(());
    }
    for CheckLine { connection, name, result, found, details, remedy } in checks {
        let mark = match result {
            CheckResult::Good => "ok  ",
            CheckResult::Warning => "warn",
            CheckResult::Failed => "FAIL",
            CheckResult::NotChecked => "skip",
        };
        print_foreign(&format!("{mark} {connection} {name:<12} {found}"));
        for detail in details {
            print_foreign(&format!("     {detail}"));
        }
        if !remedy.is_empty() {
            print_line(&format!("     {remedy}"));
        }
    }
    Ok(())
}

/// What the checks of a connection need.
struct Doctor<'a> {
    app: &'a App,
    database: &'a Database,
    client: Client,
    account: &'a str,
}

impl Doctor<'_> {
    /// All checks of a connection.
    async fn check_connection(&self, clients: &ConnectionClients, names: &VendorNames) -> Result<Vec<Check>> {
        let Self { app, database, account, client } = self;
        let subscriptions = &app.subscriptions;
        let connection = ConnectionChecks {
            pool: &database.pool,
            clock: &SystemClock,
            clients,
            names,
            client,
            subscriptions,
        };
        let mut checks = Vec::new();
        match connection.run(&mut checks).await? {
            Some(obstacle) => {
                let of_catalogue = [CheckName::Codes, CheckName::Products];
                checks.extend(of_catalogue.map(|name| Check::skipped(name, obstacle)));
            }
            None => checks.extend(check_catalogue(app, database, &clients.name, account).await?),
        }
        Ok(checks)
    }
}

/// Whether the secrets are kept from the other accounts of this machine.
fn check_secrets(config: &Config) -> CheckLine {
    let exposed = readable_by_anybody(&config.secret_files);
    let names: Vec<_> = exposed.iter().map(|file| file.display().to_string()).collect();
    let good = |found| CheckLine::good("secrets", found);
    match names.as_slice() {
        [] => good("no other account can read them".to_owned()),
        some => good(format!("every account of this machine can read {}", some.join(", ")))
            .warning("chmod o= each of them"),
    }
}
