//! `silta doctor`: checks whether a connection is ready. It asks both vendors and reads what Silta has seen lately; each
//! answer says what to do. It changes nothing at either vendor.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use super::{
    check::{Check, CheckResult},
    database::Database,
    doctor_catalogue::{check_codes, check_remarks},
    doctor_switches::check_switches,
    print::{print_foreign, print_line},
    secret_files::readable_by_anybody,
};
use crate::{
    app::{App, config::Config},
    domain::{
        Timestamp,
        language::Language,
        shipping::{ShippingMethod, ShippingRule, match_rule},
        time_window::TimeWindow,
    },
    explain,
    flows::ConnectionClients,
    runtime::clock::{Clock, SystemClock},
    store::{self, key_usage, rejected_webhooks, shipping_rules},
};

/// How far clocks may differ.
const MAX_CLOCK_SKEW_SECONDS: i64 = 30;
const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

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
    let secrets = check_secrets(&config);
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    let app = App::new(config, database.deps());
    app.prepare().await?;
    let is_selected =
        |clients: &&ConnectionClients| args.connection.as_ref().is_none_or(|name| *name == clients.name);
    let selected: Vec<_> = app.clients.iter().filter(is_selected).collect();
    anyhow::ensure!(!selected.is_empty(), "the configuration names no such connection");
    let mut checks = vec![secrets];
    for clients in selected {
        let mut db = database.pool.acquire().await?;
        let stored_rules = shipping_rules::load(&mut db, &clients.name).await?;
        drop(db);
        checks.push(check_switches(clients));
        checks.extend(check_vendors(clients).await);
        checks.push(check_shipping(clients, &stored_rules).await);
        checks.push(check_clock(clients).await);
        checks.extend(check_webhooks(&app, &database, &clients.name).await?);
        checks.push(check_codes(&app, &database, &clients.name, account).await?);
        checks.push(check_remarks(&database, &clients.name).await?);
    }
    if args.json {
        print_line(&serde_json::to_string_pretty(&checks)?);
    } else {
        for Check { connection, name, result, found, remedy } in &checks {
            let (mark, remedy) = match result {
                CheckResult::Good => ("ok  ", ""),
                CheckResult::Warning => ("warn", *remedy),
                CheckResult::Failed => ("FAIL", *remedy),
            };
            print_foreign(&format!("{mark} {connection} {name:<12} {found}"));
            if !remedy.is_empty() {
                print_line(&format!("     {remedy}"));
            }
        }
    }
    let has_failed = checks.iter().any(|it| it.result == CheckResult::Failed);
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Whether the secrets are kept from the other accounts of this machine.
fn check_secrets(config: &Config) -> Check {
    let exposed = readable_by_anybody(&config.secret_files);
    let names: Vec<_> = exposed.iter().map(|file| file.display().to_string()).collect();
    let found = match names.as_slice() {
        [] => "no other account can read them".to_owned(),
        some => format!("every account of this machine can read {}", some.join(", ")),
    };
    let result = if names.is_empty() { CheckResult::Good } else { CheckResult::Warning };
    Check { connection: "silta".to_owned(), name: "secrets", result, found, remedy: "chmod o= each of them" }
}

/// Whether both vendors answer and accept the credentials.
async fn check_vendors(clients: &ConnectionClients) -> [Check; 3] {
    let now = SystemClock.now();
    let hour = TimeWindow { from: now - chrono::Duration::hours(1), to: now };
    let products = clients.shop.list_products(1).await;
    let orders = clients.shop.list_orders_created(hour, 1).await;
    let other = match clients.shop.has_orders_api(clients.shop.other_orders_api()).await {
        Ok(true) => format!("; {} answers too", clients.shop.other_orders_api()),
        Ok(false) | Err(_) => String::new(),
    };
    let figures = clients.warehouse.list_stock_figures(1).await;
    [
        Check::of(
            clients,
            "shop",
            products.map(|page| format!("answers; {} products", page.total.unwrap_or_default())),
            "check mycashflow.url, user and api_key",
        ),
        Check::of(
            clients,
            "orders_api",
            orders.map(|_| format!("the order endpoints of {} answer{other}", clients.shop.orders_api())),
            "check mycashflow.orders_api: v0 is the only proven version",
        ),
        Check::of(
            clients,
            "warehouse",
            figures.map(|_| "answers".to_owned()),
            "check ogoship.url, auth_url and the credentials",
        ),
    ]
}

/// Whether every shipping method of the shop has a rule, and every rule a method.
async fn check_shipping(clients: &ConnectionClients, stored_rules: &[ShippingRule]) -> Check {
    let remedy = "add a rule to [connections.shipping], or leave methods out that never go to the warehouse";
    let methods = match clients.shop.shipping_methods().await {
        Ok(methods) => methods,
        Err(error) => return Check::of(clients, "shipping", Err(error), remedy),
    };
    let unmatched = |it: &&ShippingMethod| {
        clients.order_policy.has_no_rule_for(it) && match_rule(stored_rules, it).is_none()
    };
    let unmatched: Vec<_> = methods.iter().filter(unmatched).map(ToString::to_string).collect();
    let matches_no_method = |rule: &&ShippingRule| {
        methods.iter().all(|method| match_rule(std::slice::from_ref(*rule), method).is_none())
    };
    let rules = clients.order_policy.shipping.iter().chain(stored_rules);
    let unused_rules: Vec<_> = rules.filter(matches_no_method).map(|rule| rule.pattern.as_str()).collect();
    let mut found = match unmatched.as_slice() {
        [] => "every shipping method has a rule".to_owned(),
        some => format!("no rule for {}", some.join(", ")),
    };
    if !unused_rules.is_empty() {
        found = format!("{found}; no method of the shop for {}", unused_rules.join(", "));
    }
    Check {
        result: CheckResult::of(unmatched.is_empty()),
        ..Check::of(clients, "shipping", Ok(found), remedy)
    }
}

/// Whether the clocks agree: changes are read by time, and signatures with a time expire.
async fn check_clock(clients: &ConnectionClients) -> Check {
    let mut messages = Vec::new();
    let mut is_ok = true;
    for (vendor, date) in
        [("shop", clients.shop.server_time().await), ("warehouse", clients.warehouse.server_time().await)]
    {
        let Ok(Some(date)) = date else {
            messages.push(format!("the {vendor} sends no time"));
            continue;
        };
        let off = (SystemClock.now() - date).num_seconds();
        is_ok &= off.abs() <= MAX_CLOCK_SKEW_SECONDS;
        messages.push(format!("{off} s from the {vendor}'s"));
    }
    Check {
        connection: clients.name.clone(),
        name: "clock",
        result: CheckResult::of(is_ok),
        found: messages.join(", "),
        remedy: "set this machine's clock by NTP",
    }
}

/// Whether both vendors have subscriptions, and whether a webhook matched a key lately.
async fn check_webhooks(app: &App, database: &Database, connection: &str) -> Result<Vec<Check>> {
    let subscriptions = &app.subscriptions;
    let subscriber = subscriptions.find(connection)?;
    let listed = subscriptions.list(subscriber).await;
    let (is_ok, found) = match listed {
        Err(error) => (false, error.to_string()),
        Ok((listed, shop_has_list)) => {
            let count_own = |source| listed.iter().filter(|it| it.source == source && it.is_ours).count();
            let (shop, warehouse) = (count_own("mycashflow"), count_own("ogoship"));
            let unlisted = if shop_has_list { "" } else { " (it does not list them)" };
            (
                (shop > 0 || !shop_has_list) && warehouse > 1,
                format!(
                    "{shop} at the shop{unlisted}, {warehouse} at the warehouse call {}",
                    subscriber.public_url
                ),
            )
        }
    };
    let check = |name, is_ok, found, remedy| {
        let connection = connection.to_owned();
        Check { connection, name, result: CheckResult::of(is_ok), found, remedy }
    };
    let registered =
        check("webhooks", is_ok, found, "set http.public_url, then: silta webhooks register CONNECTION");
    let mut db = database.pool.acquire().await?;
    let (keys, refusals) = (
        key_usage::list_keys(&mut db, connection).await?,
        rejected_webhooks::list_rejected(&mut db, connection).await?,
    );
    let now = SystemClock.now();
    let mut messages = Vec::new();
    let mut is_ok = true;
    for (source, purpose) in [("mycashflow", "mycashflow_webhook"), ("ogoship", "ogoship_webhook")] {
        let last = keys.iter().filter(|key| key.purpose == purpose).filter_map(|key| key.last_used_at).max();
        let ago = |at: Timestamp| {
            humantime::format_duration((now - at).to_std().unwrap_or_default().max(SECOND)).to_string()
        };
        messages.push(match last {
            Some(at) => format!(
                "{source}: a signature matched {} ago",
                ago(at).split(' ').take(2).collect::<Vec<_>>().join(" ")
            ),
            None => format!("{source}: no signature has matched yet"),
        });
        let refused =
            refusals.iter().filter(|it| it.source == source && last.is_none_or(|last| it.last_at > last));
        for refusal in refused {
            is_ok = false;
            messages.push(explain::hint_text(&refusal.hint, Language::English));
        }
    }
    let signed = check(
        "signatures",
        is_ok,
        messages.join("; "),
        "silta webhooks detect CONNECTION finds how a rejected webhook is signed",
    );
    Ok(vec![registered, signed])
}
