//! Every page and list of the dashboard and the API, and `/metrics`, over HTTP with a million orders in the database
//! (`pages.sql`). The tasks are not run meanwhile: what is measured is reading.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use serde_json::{Value, json};
use silta::{domain::digest::sha256_hex, store::superseded};
use sqlx::Row as _;

use super::Bench;
use crate::{
    client::reqwest_client,
    measure::Latencies,
    report::{Row, Unit},
    setup::{Server, Service},
};

const ORDERS: u32 = 1_000_000;
/// With `--quick`.
const FEW_ORDERS: u32 = 100_000;
const CONNECTIONS: [&str; 3] = ["kauppa", "outlet", "tukku"];
const TOKEN: &str = "a token of the benchmark";
const SEED: &str = include_str!("pages.sql");

const WARM_UP: usize = 10;
/// Requests of one page, unless they take too long together.
const REQUESTS: usize = 200;
const MIN_REQUESTS: usize = 30;
const LONGEST: Duration = Duration::from_secs(6);
/// An answer of `/metrics` is repeated for a second: each that is measured is new.
const METRICS_MEMORY: Duration = Duration::from_millis(1100);

/// What 99 of 100 requests keep to, in milliseconds.
const PAGE_TARGET: f64 = 50.0;
const METRICS_TARGET: f64 = 20.0;

/// Pages of the dashboard. What stands in braces is taken from the database.
const PAGES: &[&str] = &[
    "/",
    "/?range=month",
    "/attention",
    "/attention/cause?connection={connection}&kind=order&reason=refused",
    "/orders",
    "/orders?cursor={old_task}",
    "/orders?connection=tukku",
    "/orders?status=delivered",
    "/orders?status=needs_attention",
    "/orders?status=not_transferred",
    "/orders?connection=outlet&status=returned",
    "/orders?reason=manual_transfer",
    "/orders?waiting=true",
    "/orders?shipping_method=Toimitustapa%203",
    "/orders?placed_from={day}&placed_to={day}",
    "/orders?waits_hours=24",
    "/orders?sort=total",
    "/orders?sort=last_change&status=delivered",
    "/orders?sort=total&status=returned",
    "/orders?sort=last_change&status=needs_attention",
    "/orders?q=SKU-000123",
    "/orders?q={order}",
    "/orders?q={reference}",
    "/orders?q={tracking}",
    "/orders?q=99999999",
    "/orders/{connection}/{order}",
    "/products?connection=kauppa",
    "/products?connection=kauppa&show=differs",
    "/products?connection=kauppa&show=code",
    "/products?connection=kauppa&show=absent",
    "/products?connection=kauppa&q=SKU-000123",
    "/products?connection=kauppa&q=tuote",
    "/products?connection=kauppa&show=differs&q=tuote",
    "/syncs",
    "/tasks",
    "/tasks?cursor={old_task}",
    "/tasks?state=pending",
    "/tasks?state=in_doubt",
    "/tasks?state=done&kind=order&connection=tukku",
    "/tasks?state=dead",
    "/tasks?state=dead&reason=refused",
    "/tasks?state=skipped",
    "/tasks?reason=shipping_unmapped",
    "/tasks?reason=unreachable",
    "/tasks?subject=order:{order}",
    "/tasks/{task}",
    "/events",
    "/events?cursor={old_event}",
    "/events?source=poll&connection=tukku",
    "/events?source=operator",
    "/events?topic=stock.changed",
    "/events?topic=order.deleted",
    "/events?subject=order:{order}",
    "/events/{event}",
    "/connections",
    "/audit",
];

/// Lists of the API.
const LISTS: &[&str] = &[
    "/admin/v1/alerts",
    "/admin/v1/attention",
    "/admin/v1/audit",
    "/admin/v1/connections",
    "/admin/v1/connections/{connection}/codes",
    "/admin/v1/connections/{connection}/remarks",
    "/admin/v1/releases",
    "/admin/v1/syncs",
    "/admin/v1/orders",
    "/admin/v1/orders?limit=200&status=delivered",
    "/admin/v1/orders/{connection}/{order}",
    "/admin/v1/tasks",
    "/admin/v1/tasks?since={year_ago}&until={year_ago_later}",
    "/admin/v1/tasks?state=dead&until={year_ago}",
    "/admin/v1/tasks/{task}",
    "/admin/v1/events",
    "/admin/v1/events?since={year_ago}&until={year_ago_later}",
    "/admin/v1/events?source=operator&since={year_ago}",
    "/admin/v1/events/{event}",
];

pub async fn run(bench: &mut Bench) -> Result<()> {
    let orders = if bench.quick { FEW_ORDERS } else { ORDERS };
    let server = Server::start().await?;
    fill(&server, orders).await?;
    measure(bench, &server, &server.url()).await
}

/// Measures a database that `pages.sql` has filled.
pub async fn measure(bench: &mut Bench, server: &Server, database: &str) -> Result<()> {
    let config = config(bench);
    let service =
        Service::start_at(&bench.silta, &config, database, server.directory(), &["--only", "http"]).await?;
    let visitor = Visitor::sign_in(&service.url).await?;
    let names = names(database).await?;
    let mut figures = Vec::new();
    for (paths, target) in [
        (PAGES, PAGE_TARGET),
        (&["/live"], PAGE_TARGET),
        (LISTS, PAGE_TARGET),
        (&["/metrics"], METRICS_TARGET),
    ] {
        for path in paths {
            let visit = visitor.measure(&filled(path, &names)).await.with_context(|| (*path).to_owned())?;
            figures.push(visit.to_json(path));
            let row = Row::single(&visit.name(path), Unit::Millis, vec![visit.latencies.percentile(99.0)]);
            bench.report.row(row.at_most(target));
        }
    }
    bench.report.fact("pages", Value::Array(figures));
    bench.report.fact("pages_memory_mb", json!(service.memory()?.1));
    service.stop().await
}

/// Fills the database, as `pages.sql` says.
async fn fill(server: &Server, orders: u32) -> Result<()> {
    let seed = SEED.replace("{orders}", &orders.to_string()).replace("{step}", &(orders / 600).to_string());
    let mut db = server.connection().await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(seed)).execute(&mut db).await?;
    superseded::mark(&mut db).await?; // as the service does every hour
    sqlx::raw_sql("vacuum analyze").execute(&mut db).await?;
    Ok(())
}

/// The connections of the seed and one operator.
fn config(bench: &Bench) -> String {
    let [first, others @ ..] = CONNECTIONS;
    let mut config = bench.inbox_config(first);
    let block = config[config.find("[[connections]]").unwrap_or_default()..].to_owned();
    for (number, name) in (2..).zip(others) {
        let block = block.replace(&format!("name = \"{first}\""), &format!("name = \"{name}\""));
        let merchant = format!("merchant_id = \"{number}\"\napi_key = \"k{number}\"");
        config += &block.replace("merchant_id = \"1\"\napi_key = \"k\"", &merchant);
    }
    let digest = sha256_hex(TOKEN.as_bytes());
    config
        + &format!("[[admin.tokens]]\nname = \"bench\"\nrole = \"operator\"\ntoken_sha256 = \"{digest}\"\n")
}

/// What the paths name, from the database.
async fn names(database: &str) -> Result<Vec<(&'static str, String)>> {
    use sqlx::Connection as _;
    let mut db = sqlx::PgConnection::connect(database).await?;
    let row = sqlx::query(
        "select connection, substr(subject, 7) as order, reference, tracking_code as tracking,
                first_task_id::text as task,
                (select event.id::text from event where task_id = first_task_id limit 1) as event,
                (select id::text from task where id > $1 order by id limit 1) as old_task,
                (select id::text from event where id > $1 order by id limit 1) as old_event,
                to_char(now() - interval '1 year', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as year_ago,
                to_char(now() - interval '1 year' + interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as year_ago_later,
                to_char(now() - interval '1 year', 'YYYY-MM-DD') as day
         from subject_state where status = 'delivered' and first_task_id > $1 order by first_task_id limit 1",
    )
    .bind(silta::domain::id::first_id_at(chrono::Utc::now() - chrono::Duration::days(365)))
    .fetch_one(&mut db)
    .await?;
    let columns = [
        "connection",
        "order",
        "reference",
        "tracking",
        "task",
        "event",
        "old_task",
        "old_event",
        "year_ago",
        "year_ago_later",
        "day",
    ];
    columns.into_iter().map(|column| Ok((column, row.try_get(column)?))).collect()
}

fn filled(path: &str, names: &[(&'static str, String)]) -> String {
    names.iter().fold(path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value))
}

/// A signed-in operator.
struct Visitor {
    client: reqwest::Client,
    url: String,
    cookie: String,
}

/// What the requests of one path took.
struct Visit {
    latencies: Latencies,
    bytes: usize,
}

impl Visit {
    fn name(&self, path: &str) -> String {
        let median = self.latencies.percentile(50.0);
        format!("`{path}`, p99 (p50 {median:.1} ms, {:.1} KB)", self.bytes as f64 / 1000.0)
    }

    fn to_json(&self, path: &str) -> Value {
        let [p50, p99] = [50.0, 99.0].map(|percent| self.latencies.percentile(percent));
        json!({ "path": path, "p50_ms": p50, "p99_ms": p99, "bytes": self.bytes })
    }
}

impl Visitor {
    async fn sign_in(url: &str) -> Result<Self> {
        let client = reqwest_client()?;
        let form = format!("token={}", TOKEN.replace(' ', "+"));
        let answer = client
            .post(format!("{url}/sign-in"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await?;
        let cookie = answer.headers().get(SET_COOKIE).context("no session")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { client, url: url.to_owned(), cookie })
    }

    /// One request; returns the bytes of the answer, or of the first event of a stream.
    async fn get(&self, path: &str) -> Result<usize> {
        let request = self.client.get(format!("{}{path}", self.url));
        let request = request.header(COOKIE, &self.cookie).header(AUTHORIZATION, format!("Bearer {TOKEN}"));
        let mut answer = request.send().await?;
        ensure!(answer.status() == 200, "answered {}", answer.status());
        if path == "/live" {
            return Ok(answer.chunk().await?.context("the stream ended")?.len());
        }
        Ok(answer.bytes().await?.len())
    }

    async fn measure(&self, path: &str) -> Result<Visit> {
        let mut visit = Visit { latencies: Latencies::default(), bytes: 0 };
        for _ in 0..WARM_UP {
            self.get(path).await?;
        }
        let begun = Instant::now();
        for number in 0..REQUESTS {
            if number >= MIN_REQUESTS && begun.elapsed() > LONGEST {
                break;
            }
            if path == "/metrics" {
                tokio::time::sleep(METRICS_MEMORY).await;
            }
            let sent = Instant::now();
            visit.bytes = self.get(path).await?;
            visit.latencies.add(sent.elapsed());
        }
        Ok(visit)
    }
}
