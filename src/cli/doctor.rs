//! `silta doctor`: is a connection ready? Each question is asked of the two systems themselves, and of what Silta has seen
//! of late; the answer says what to do. Nothing is changed on either side.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;

use super::{Database, say};
use crate::{
    actions::{self, Actor},
    app::{App, config::Config},
    domain::{
        Timestamp,
        language::Language,
        shipping::{ShippingMethod, ShippingRule, match_rule},
        sync::What,
        time_window::Window,
    },
    explain,
    flows::Tied,
    runtime::clock::{Clock, Entropy, SystemClock},
    store::{self, items, shipping_rules, syncs, webhook_checks},
    vendors::http::error::CallError,
};

/// Codes read at once, and the most that are printed.
const AT_ONCE: i64 = 200;

/// Clocks may differ by so many seconds.
const MOST_OFF: i64 = 30;
const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

#[derive(Args)]
pub(super) struct DoctorArgs {
    /// Only this connection.
    connection: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// One question and its answer.
#[derive(Serialize)]
struct Check {
    connection: String,
    question: &'static str,
    is_well: bool,
    /// What was found.
    found: String,
    /// What to do, where something is not well.
    remedy: &'static str,
}

impl Check {
    /// What a system answered; no answer is not well.
    fn of(
        tied: &Tied,
        question: &'static str,
        answer: Result<String, CallError>,
        remedy: &'static str,
    ) -> Self {
        let is_well = answer.is_ok();
        let found = answer.unwrap_or_else(|error| error.to_string());
        Self { connection: tied.name.clone(), question, is_well, found, remedy }
    }
}

/// Asks everything; status 1 where anything is not well.
pub(super) async fn doctor(args: DoctorArgs, config: Config, account: &str) -> Result<ExitCode> {
    let database = Database::open(&config).await?;
    store::migrate(&database.pool).await.context("cannot bring the schema up to date")?;
    let app = App::new(config, database.surroundings());
    app.prepare().await?;
    let wanted = |tied: &&Tied| args.connection.as_ref().is_none_or(|name| *name == tied.name);
    let tied: Vec<_> = app.tied.iter().filter(wanted).collect();
    anyhow::ensure!(!tied.is_empty(), "the configuration names no such connection");
    let mut checks = Vec::new();
    for tied in tied {
        let mut db = database.pool.acquire().await?;
        let by_hand = shipping_rules::rules(&mut db, &tied.name).await?;
        drop(db);
        checks.extend(ask_systems(tied).await);
        checks.push(ask_shipping(tied, &by_hand).await);
        checks.push(ask_clock(tied).await);
        checks.extend(ask_webhooks(&app, &database, &tied.name).await?);
        checks.push(ask_codes(&app, &database, &tied.name, account).await?);
    }
    if args.json {
        say(&serde_json::to_string_pretty(&checks)?);
    } else {
        for Check { connection, question, is_well, found, remedy } in &checks {
            let (mark, remedy) = if *is_well { ("ok  ", "") } else { ("FAIL", *remedy) };
            say(&format!("{mark} {connection} {question:<12} {found}"));
            if !remedy.is_empty() {
                say(&format!("     {remedy}"));
            }
        }
    }
    Ok(if checks.iter().all(|it| it.is_well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Do both systems answer, and take our credentials?
async fn ask_systems(tied: &Tied) -> [Check; 3] {
    let now = SystemClock.now();
    let hour = Window { from: now - chrono::Duration::hours(1), to: now };
    let products = tied.shop.products(1).await;
    let orders = tied.shop.orders_created(hour, 1).await;
    let other = match tied.shop.has_orders_api(tied.shop.other_orders_api()).await {
        Ok(true) => format!("; {} answers too", tied.shop.other_orders_api()),
        Ok(false) | Err(_) => String::new(),
    };
    let figures = tied.warehouse.stock_figures(1).await;
    [
        Check::of(
            tied,
            "shop",
            products.map(|page| format!("answers; {} products", page.total.unwrap_or_default())),
            "check mycashflow.url, user and api_key",
        ),
        Check::of(
            tied,
            "orders_api",
            orders.map(|_| format!("the order endpoints of {} answer{other}", tied.shop.orders_api())),
            "check mycashflow.orders_api: v0 is the only proven version",
        ),
        Check::of(
            tied,
            "warehouse",
            figures.map(|_| "answers".to_owned()),
            "check ogoship.url, auth_url and the credentials",
        ),
    ]
}

/// Has every shipping method of the shop a rule, and every rule a method?
async fn ask_shipping(tied: &Tied, by_hand: &[ShippingRule]) -> Check {
    let remedy = "add a rule to [connections.shipping], or leave methods out that never go to the warehouse";
    let methods = match tied.shop.shipping_methods().await {
        Ok(methods) => methods,
        Err(error) => return Check::of(tied, "shipping", Err(error), remedy),
    };
    let unmatched = |it: &&ShippingMethod| tied.orders.lacks_rule(it) && match_rule(by_hand, it).is_none();
    let unmatched: Vec<_> = methods.iter().filter(unmatched).map(ToString::to_string).collect();
    let fits_none = |rule: &&ShippingRule| {
        methods.iter().all(|method| match_rule(std::slice::from_ref(*rule), method).is_none())
    };
    let rules = tied.orders.shipping.iter().chain(by_hand);
    let idle: Vec<_> = rules.filter(fits_none).map(|rule| rule.pattern.as_str()).collect();
    let mut found = match unmatched.as_slice() {
        [] => "every shipping method has a rule".to_owned(),
        some => format!("no rule for {}", some.join(", ")),
    };
    if !idle.is_empty() {
        found = format!("{found}; no method of the shop for {}", idle.join(", "));
    }
    Check { is_well: unmatched.is_empty(), ..Check::of(tied, "shipping", Ok(found), remedy) }
}

/// Their clocks beside ours: what changed lately is asked for by time, and signatures with a time go stale.
async fn ask_clock(tied: &Tied) -> Check {
    let mut told = Vec::new();
    let mut is_well = true;
    for (system, date) in [("shop", tied.shop.date().await), ("warehouse", tied.warehouse.date().await)] {
        let Ok(Some(date)) = date else {
            told.push(format!("the {system} does not tell its time"));
            continue;
        };
        let off = (SystemClock.now() - date).num_seconds();
        is_well &= off.abs() <= MOST_OFF;
        told.push(format!("{off} s from the {system}'s"));
    }
    Check {
        connection: tied.name.clone(),
        question: "clock",
        is_well,
        found: told.join(", "),
        remedy: "set this machine's clock by NTP",
    }
}

/// Are both systems told to call, and did a webhook of theirs fit a key of late?
async fn ask_webhooks(app: &App, database: &Database, connection: &str) -> Result<Vec<Check>> {
    let subscriptions = &app.subscriptions;
    let of = subscriptions.of(connection)?;
    let listed = subscriptions.list(of).await;
    let (is_well, found) = match listed {
        Err(error) => (false, error.to_string()),
        Ok((listed, shop_has_list)) => {
            let ours = |source| listed.iter().filter(|it| it.source == source && it.is_ours).count();
            let (shop, warehouse) = (ours("mycashflow"), ours("ogoship"));
            let unlisted = if shop_has_list { "" } else { " (it has no list of them)" };
            (
                (shop > 0 || !shop_has_list) && warehouse > 1,
                format!("{shop} at the shop{unlisted}, {warehouse} at the warehouse call {}", of.public_url),
            )
        }
    };
    let check = |question, is_well, found, remedy| {
        let connection = connection.to_owned();
        Check { connection, question, is_well, found, remedy }
    };
    let registered =
        check("webhooks", is_well, found, "set http.public_url, then: silta webhooks register CONNECTION");
    let mut db = database.pool.acquire().await?;
    let (keys, refusals) = (
        webhook_checks::keys(&mut db, connection).await?,
        webhook_checks::refusals(&mut db, connection).await?,
    );
    let now = SystemClock.now();
    let mut told = Vec::new();
    let mut is_well = true;
    for (source, purpose) in [("mycashflow", "mycashflow_webhook"), ("ogoship", "ogoship_webhook")] {
        let last = keys.iter().filter(|key| key.purpose == purpose).filter_map(|key| key.last_used_at).max();
        let ago = |at: Timestamp| {
            humantime::format_duration((now - at).to_std().unwrap_or_default().max(SECOND)).to_string()
        };
        told.push(match last {
            Some(at) => format!(
                "{source}: a signature fitted {} ago",
                ago(at).split(' ').take(2).collect::<Vec<_>>().join(" ")
            ),
            None => format!("{source}: no signature has fitted yet"),
        });
        let refused =
            refusals.iter().filter(|it| it.source == source && last.is_none_or(|last| it.last_at > last));
        for refusal in refused {
            is_well = false;
            told.push(explain::hint_words(&refusal.hint, Language::English));
        }
    }
    let signed = check(
        "signatures",
        is_well,
        told.join("; "),
        "silta webhooks learn CONNECTION tells how a refused webhook is signed",
    );
    Ok(vec![registered, signed])
}

/// Reads the shop's whole catalogue, as a comparison that mends nothing does, and shows the codes that cannot be sent.
async fn ask_codes(app: &App, database: &Database, connection: &str, account: &str) -> Result<Check> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = database.pool.begin().await?;
    let (id, _) = actions::request_sync(&mut db, &actor, connection, What::Products, true, None).await?;
    db.commit().await?;
    let ran = app.syncer.run_one(id, &|_| {}).await?;
    let mut db = database.pool.acquire().await?;
    let error = match syncs::find(&mut db, id).await? {
        Some(row) if ran => row.error,
        _ => Some("another process is reading it, ask again in a while".to_owned()),
    };
    let problems = items::code_problems(&mut db, connection, "", AT_ONCE).await?;
    let found = match (&error, problems.is_empty()) {
        (Some(reason), _) => format!("the catalogue could not be read: {reason}"),
        (None, true) => "every product code is unique, not empty and not too long".to_owned(),
        (None, false) => {
            let told: Vec<_> = problems.iter().map(|problem| format!("\n     {problem}")).collect();
            format!("{} codes cannot be sent:{}", problems.len(), told.concat())
        }
    };
    Ok(Check {
        connection: connection.to_owned(),
        question: "codes",
        is_well: error.is_none() && problems.is_empty(),
        found,
        remedy: "give each product and variation a code of its own in the shop",
    })
}
