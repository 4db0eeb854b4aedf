//! From a webhook to the calls that it causes: how many a second with everything that belongs to it (both sides read, the
//! order placed, every step committed), and how soon at a hundred a second.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use parking_lot::Mutex;
use silta::{
    dev::sandbox::{OrderSpec, Sandbox, Webhook, WebhookSender},
    domain::task::state::TaskState,
    runtime::clock::{Entropy, SystemClock},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::Bench;
use crate::{
    client::{HttpConnection, request},
    measure::{Latencies, median},
    report::{Row, Unit},
    setup::{Server, Service},
};

const ORDERS: usize = 4_000;
const SENDERS: usize = 32;
/// A round that takes longer has failed.
const LONGEST_ROUND: Duration = Duration::from_secs(120);
/// The number of product codes that orders draw from.
const CODES: usize = 500;
/// The target: five times what Svix does from webhook in to webhook out on a machine of this size.
const WANTED: f64 = 4_000.0;

pub async fn run(bench: &mut Bench) -> Result<()> {
    let (mut calls, mut orders) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        let round = measure_orders(bench).await?;
        calls.push(round.calls);
        orders.push(round.orders);
    }
    bench
        .report
        .row(Row::single("calls, webhook in to warehouse call out", Unit::PerSecond, calls).at_least(WANTED));
    bench.report.row(Row::single("orders, webhook in to placed and settled", Unit::PerSecond, orders));

    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        let latencies = measure_first_calls(bench).await?;
        p50.push(latencies.percentile(50.0));
        p99.push(latencies.percentile(99.0));
    }
    bench
        .report
        .row(Row::single("webhook answered to first call, p50 at 100/s", Unit::Millis, p50).at_most(3.0));
    bench
        .report
        .row(Row::single("webhook answered to first call, p99 at 100/s", Unit::Millis, p99).at_most(10.0));
    Ok(())
}

struct Round {
    calls: f64,
    orders: f64,
}

/// Sends orders as fast as they are answered; ends when each is placed and its task done.
async fn measure_orders(bench: &Bench) -> Result<Round> {
    let server = Server::start().await?;
    let any = "127.0.0.1:0".parse()?;
    let sandbox = Sandbox::start(any, any, Arc::new(SystemClock), Arc::new(Entropy::seeded(1))).await?;
    let codes: Vec<_> = (0..CODES).map(|number| format!("S-{number}")).collect();
    for code in &codes {
        sandbox.warehouse.receive_goods(code, 1_000_000);
    }
    let config = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"warn,silta::cli=info\"\n[worker]\nconcurrency = 64\n\
         [outbound]\ndangerously_allow_private = true\n{}",
        sandbox
            .connection_toml("bench")
            .replace("requests_per_second = 1000\n", "requests_per_second = 10000\n")
    );
    let service = Service::start(&bench.silta, &config, &server, &[]).await?;
    let order = |number: usize| sandbox.shop.place_order(OrderSpec::of(&codes[number % CODES], 1));
    let round = async |many: usize| {
        let webhooks: Vec<_> = (0..many).map(|number| sandbox.shop.order_created(order(number))).collect();
        let begun = Instant::now();
        send_all(&service, webhooks).await?;
        let placed = i64::try_from(sandbox.shop.orders().len())?;
        wait_until_closed(&server, placed).await?;
        anyhow::Ok(begun.elapsed().as_secs_f64())
    };
    // A used database: its tables are not empty, and PostgreSQL has statistics of them.
    round(ORDERS / 8).await?;
    server.run("vacuum analyze").await?;
    let made = || {
        let vendors = [&sandbox.shop_server, &sandbox.warehouse_server];
        let of = |method| vendors.iter().map(|vendor| vendor.calls.count(method, "/")).sum::<usize>();
        ["GET", "POST", "PUT", "PATCH"].into_iter().map(of).sum::<usize>()
    };
    let before = made();
    let seconds = round(ORDERS).await?;
    anyhow::ensure!(sandbox.warehouse.orders().len() == ORDERS + ORDERS / 8, "each order is placed once");
    Ok(Round { calls: (made() - before) as f64 / seconds, orders: ORDERS as f64 / seconds })
}

/// Sends webhooks as fast as they are answered.
async fn send_all(service: &Service, webhooks: Vec<Webhook>) -> Result<()> {
    let webhooks = Arc::new(Mutex::new(webhooks));
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (url, webhooks) = (service.url.clone(), webhooks.clone());
        senders.spawn(async move {
            let (mut http, webhook_sender) =
                (HttpConnection::to(&url).await?, WebhookSender::to(&url, "bench"));
            loop {
                let Some(webhook) = webhooks.lock().pop() else {
                    return anyhow::Ok(());
                };
                while http.exchange(&request(&webhook_sender, &url, &webhook)).await? == 503 {}
            }
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender??;
    }
    Ok(())
}

async fn wait_until_closed(server: &Server, orders: i64) -> Result<()> {
    let mut db = server.connection().await?;
    let until = Instant::now() + LONGEST_ROUND;
    loop {
        // Read by an index while tasks are open, so that waiting costs next to nothing.
        let open = "select exists (select from task where state in ('pending', 'leased', 'in_doubt') and kind = 'order')";
        if sqlx::query_scalar(open).fetch_one(&mut db).await? {
            anyhow::ensure!(Instant::now() < until, "orders are still open");
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        let sql = "select count(distinct subject) from task where kind = 'order' and state = $1";
        let done = sqlx::query_scalar(sql).bind(TaskState::Done.as_str());
        let closed: i64 = done.fetch_one(&mut db).await?;
        if closed >= orders {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < until, "{closed} of {orders} orders are done");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The first order number: larger than any other number in a path.
pub const FIRST_ORDER: u64 = 7_000_000;

/// When the first call for each order arrived, by order number.
pub type Seen = Arc<Mutex<HashMap<u64, Instant>>>;

/// Times from the answer to a webhook to the first call to the shop, a hundred a second.
async fn measure_first_calls(bench: &Bench) -> Result<Latencies> {
    let server = Server::start().await?;
    let seen = Seen::default();
    let config = empty_vendors_config(bench, seen.clone()).await?;
    let service = Service::start(&bench.silta, &config, &server, &[]).await?;
    let webhook_sender = WebhookSender::to(&service.url, "bench");
    let mut http = HttpConnection::to(&service.url).await?;
    let mut answered = HashMap::new();
    let begun = Instant::now();
    for number in 0..1_000_u32 {
        tokio::time::sleep_until((begun + Duration::from_millis(10) * number).into()).await;
        let id = FIRST_ORDER + u64::from(number);
        let sent = request(&webhook_sender, &service.url, &order_created(id));
        anyhow::ensure!(http.exchange(&sent).await? == 200);
        answered.insert(id, Instant::now());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let seen = seen.lock();
    let mut latencies = Latencies::default();
    for (id, answered) in answered {
        latencies
            .add(seen.get(&id).context("an order was not asked for")?.saturating_duration_since(answered));
    }
    anyhow::ensure!(median(&[latencies.percentile(50.0)]).is_finite());
    Ok(latencies)
}

/// A webhook about an order that no vendor knows.
pub fn order_created(id: u64) -> Webhook {
    Webhook::raw_from_shop(format!(r#"{{"topic":"order.created","data":{{"id":{id}}}}}"#).as_bytes())
}

/// A configuration whose vendors know no order and record when one is asked for.
pub async fn empty_vendors_config(bench: &Bench, seen: Seen) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let vendors = format!("http://{}", listener.local_addr()?);
    tokio::spawn(serve_empty_vendors(listener, seen));
    let unlimited = format!("url = \"{vendors}\"\nrequests_per_second = 10000");
    let config = bench
        .inbox_config("bench")
        .replace("url = \"https://shop.example\"", &unlimited)
        .replace("merchant_id", &format!("{unlimited}\nmerchant_id"));
    Ok(config + "\n[outbound]\ndangerously_allow_private = true\n")
}

async fn serve_empty_vendors(listener: TcpListener, seen: Seen) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, seen.clone()));
    }
}

async fn answer(mut stream: TcpStream, seen: Seen) -> Result<()> {
    let mut read = Vec::new();
    while stream.read_buf(&mut read).await? > 0 {
        let at = Instant::now();
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&read[..end]).into_owned();
        read.drain(..end + 4);
        let path = head.split(' ').nth(1).unwrap_or_default();
        let numbers = path.split(|letter: char| !letter.is_ascii_digit());
        if let Some(id) = numbers.filter_map(|number| number.parse().ok()).find(|id| *id >= FIRST_ORDER) {
            seen.lock().entry(id).or_insert(at);
        }
        // Lists are there and empty: a vendor that finds nothing at all would be taken for one in maintenance. Every order is
        // unknown.
        let (status, body) = if path.contains("page_size=") {
            ("200 OK", r#"{"data":[],"meta":{"page":1,"page_count":1}}"#)
        } else if path.contains("limit=") {
            ("200 OK", "[]")
        } else {
            ("404 Not Found", "{}")
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}
