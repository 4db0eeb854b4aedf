//! `silta doctor`: checks whether a connection is ready. It asks both vendors and reads what Silta has seen lately; each
//! answer says what to do. It changes nothing at either vendor.
//!
//! A check that depends on one that failed is not made: it would fail too, with a remedy for something else.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use reqwest::Client;

use super::{
    check::{Check, CheckResult},
    database::Database,
    doctor_catalogue::{check_codes, check_remarks},
    doctor_public_url::PublicUrl,
    doctor_switches::check_switches,
    doctor_vendors::{VendorChecks, VendorNames},
    doctor_webhooks::{check_signatures, check_subscriptions},
    names,
    print::{print_foreign, print_line},
    secret_files::readable_by_anybody,
};
use crate::{
    app::{App, config::Config},
    domain::shipping::{ShippingMethod, ShippingRule, match_rule},
    store::{self, shipping_rules},
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
    let vendor_names: Vec<_> = config.connections.iter().map(VendorNames::of).collect();
    let (url, outbound) = (config.http.public_url.clone(), config.outbound.clone());
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    let app = App::new(config, database.deps());
    app.prepare().await?;

    let public_url = PublicUrl { url: &url, allow_private: outbound.allow_private };
    // The public URL may have a private address within this network.
    let client = build_client(&Options { allow_private: true, ..outbound.clone() });
    let public_url = public_url.check(&client, &app.instance).await;
    let doctor = Doctor { app: &app, database: &database, client: build_client(&outbound), account };
    let reachable = Check::good("silta", "database", format!("{} answers", database.describe()));
    let mut checks = vec![secrets, reachable, public_url];
    for (clients, names) in app.clients.iter().zip(&vendor_names) {
        if args.connection.as_ref().is_none_or(|name| *name == clients.name) {
            let vendors = VendorChecks { clients, names, client: &doctor.client };
            checks.extend(doctor.check_connection(&vendors, !url.is_empty()).await?);
        }
    }
    print(&checks, args.json)?;
    let has_failed = checks.iter().any(Check::is_failed);
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(checks: &[Check], as_json: bool) -> Result<()> {
    if as_json {
        print_line(&serde_json::to_string_pretty(checks)?);
        return Ok(());
    }
    for Check { connection, name, result, found, details, remedy } in checks {
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
    async fn check_connection(&self, vendors: &VendorChecks<'_>, has_public_url: bool) -> Result<Vec<Check>> {
        let Self { app, database, account, .. } = self;
        let name = &vendors.clients.name;
        let skip = |check, cause: &str| Check::skipped(name, check, cause);
        let (shop, warehouse) = (vendors.shop().await, vendors.warehouse().await);
        let answer = [!shop.is_failed(), !warehouse.is_failed()];
        let [has_shop, has_warehouse] = answer;
        let cause =
            if has_shop { "the check of the warehouse failed" } else { "the check of the shop failed" };
        let mut checks = vec![check_switches(vendors.clients), shop];
        checks.push(if has_shop { vendors.orders_api().await } else { skip("orders_api", cause) });
        checks.push(warehouse);
        checks.push(if has_shop { self.check_shipping(vendors).await? } else { skip("shipping", cause) });
        let has_clock = has_shop || has_warehouse;
        checks.push(if has_clock { vendors.clock(answer).await } else { skip("clock", "no vendor answers") });
        checks.push(if !(has_shop && has_warehouse) {
            skip("webhooks", cause)
        } else if has_public_url {
            check_subscriptions(app, vendors).await?
        } else {
            skip("webhooks", "http.public_url is not set")
        });
        checks.push(check_signatures(database, name).await?);
        if has_shop && has_warehouse {
            let codes = check_codes(app, database, name, account).await?;
            let is_read = codes.is_read;
            checks.push(codes.check);
            checks.push(if is_read {
                check_remarks(database, name).await?
            } else {
                skip("products", "the catalogue was not read")
            });
        } else {
            checks.extend([skip("codes", cause), skip("products", cause)]);
        }
        Ok(checks)
    }

    /// Whether every shipping method of the shop has a rule, and every rule a method.
    async fn check_shipping(&self, vendors: &VendorChecks<'_>) -> Result<Check> {
        let clients = vendors.clients;
        let mut db = self.database.pool.acquire().await?;
        let stored_rules = shipping_rules::load(&mut db, &clients.name).await?;
        drop(db);
        let methods = match clients.shop.shipping_methods().await {
            Ok(methods) => methods,
            Err(error) => return Ok(vendors.failed("shipping", &error).await),
        };
        let rules = [&clients.order_policy.shipping[..], &stored_rules].concat();
        let good = |found: String| Check::good(&clients.name, "shipping", found);
        if clients.order_policy.shipping.is_empty() {
            let methods: Vec<_> = methods.iter().map(ToString::to_string).collect();
            let found = format!(
                "no rule at all: orders go without a shipping code. The shop has {}",
                if methods.is_empty() { "no shipping method".to_owned() } else { methods.join(", ") }
            );
            return Ok(good(found).warning(
                "add a rule for each method to [connections.shipping]; the warehouse takes orders without a code only where it \
                 has one method",
            ));
        }
        let unmatched: Vec<_> = methods
            .iter()
            .filter(|method| match_rule(&rules, method).is_none())
            .map(ToString::to_string)
            .collect();
        let unused: Vec<_> =
            rules.iter().filter(|rule| fits_none(rule, &methods)).map(|rule| rule.pattern.as_str()).collect();
        let mut found = match unmatched.as_slice() {
            [] => "every shipping method has a rule".to_owned(),
            some => format!("no rule for {}", some.join(", ")),
        };
        if !unused.is_empty() {
            found = format!("{found}; no method of the shop for {}", unused.join(", "));
        }
        let remedy =
            "add a rule to [connections.shipping], or leave methods out that never go to the warehouse";
        Ok(if unmatched.is_empty() { good(found) } else { good(found).failed(remedy) })
    }
}

fn fits_none(rule: &ShippingRule, methods: &[ShippingMethod]) -> bool {
    methods.iter().all(|method| match_rule(std::slice::from_ref(rule), method).is_none())
}

/// Whether the secrets are kept from the other accounts of this machine.
fn check_secrets(config: &Config) -> Check {
    let exposed = readable_by_anybody(&config.secret_files);
    let names: Vec<_> = exposed.iter().map(|file| file.display().to_string()).collect();
    let good = |found| Check::good("silta", "secrets", found);
    match names.as_slice() {
        [] => good("no other account can read them".to_owned()),
        some => good(format!("every account of this machine can read {}", some.join(", ")))
            .warning("chmod o= each of them"),
    }
}
