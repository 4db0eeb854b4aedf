//! `silta doctor`: is a connection ready? Each question is asked of the two systems themselves, and the answer says what
//! to do. Nothing is changed on either side.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;

use super::{Database, say};
use crate::{
    app::App,
    clock::{Clock, Entropy, SystemClock},
    config::Config,
    control::{self, Actor},
    domain::{
        shipping::{ShippingRule, match_rule},
        sync::What,
        window::Window,
    },
    flows::Tied,
    store::{self, parts, shipping_rules, syncs},
    systems::call::CallError,
};

/// Codes read at once, and the most that are printed.
const AT_ONCE: i64 = 200;

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
        checks.extend(ask_systems(tied, by_hand).await);
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

async fn ask_systems(tied: &Tied, by_hand: Vec<ShippingRule>) -> Vec<Check> {
    let now = SystemClock.now();
    let hour = Window { from: now - chrono::Duration::hours(1), to: now };
    let check = |question, answer: Result<String, CallError>, remedy| {
        let is_well = answer.is_ok();
        let found = answer.unwrap_or_else(|error| error.to_string());
        Check { connection: tied.name.clone(), question, is_well, found, remedy }
    };
    let products = tied.shop.products(1).await;
    let orders = tied.shop.orders_created(hour, 1).await;
    let figures = tied.warehouse.stock_figures(1).await;
    let mut checks = vec![
        check(
            "shop",
            products.map(|page| format!("answers; {} products", page.total.unwrap_or_default())),
            "check mycashflow.url, user and api_key",
        ),
        check(
            "orders_api",
            orders.map(|_| "the order endpoints answer".to_owned()),
            "check mycashflow.orders_api: v0 is the only proven version",
        ),
        check(
            "warehouse",
            figures.map(|_| "answers".to_owned()),
            "check ogoship.url, auth_url and the credentials",
        ),
    ];
    let methods = tied.shop.shipping_methods().await;
    let unmatched = methods.map(|methods| {
        let unmatched =
            methods.iter().filter(|it| tied.orders.lacks_rule(it) && match_rule(&by_hand, it).is_none());
        unmatched.map(ToString::to_string).collect::<Vec<_>>()
    });
    let is_matched = unmatched.as_ref().is_ok_and(Vec::is_empty);
    let found = unmatched.map(|unmatched| match unmatched.as_slice() {
        [] => "every shipping method has a rule".to_owned(),
        some => format!("no rule for {}", some.join(", ")),
    });
    let remedy = "add a rule to [connections.shipping], or leave methods out that never go to the warehouse";
    checks.push(Check { is_well: is_matched, ..check("shipping", found, remedy) });
    checks
}

/// Reads the shop's whole catalogue, as a comparison that mends nothing does, and shows the codes that cannot be sent.
async fn ask_codes(app: &App, database: &Database, connection: &str, account: &str) -> Result<Check> {
    let entropy = Entropy::from_os();
    let actor = Actor { name: account, clock: &SystemClock, entropy: &entropy };
    let mut db = database.pool.begin().await?;
    let (id, _) = control::request_sync(&mut db, &actor, connection, What::Products, true, None).await?;
    db.commit().await?;
    let ran = app.syncer.run_one(Some(id), &|_| {}).await?;
    let mut db = database.pool.acquire().await?;
    let error = match syncs::find(&mut db, id).await? {
        Some(row) if ran => row.error,
        _ => Some("another process is reading it, ask again in a while".to_owned()),
    };
    let problems = parts::code_problems(&mut db, connection, "", AT_ONCE).await?;
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
