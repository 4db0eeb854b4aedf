//! Too much at once: of webhooks, of failures, of one merchant, of replays, of calls.

use std::{collections::BTreeSet, sync::Arc};

use reqwest::Method;
use silta::{
    dev::sandbox::{Fault, OrderSpec, Webhook, WebhookSender},
    domain::Timestamp,
    runtime::clock::Entropy,
    store::claim::{self, ClaimRequest, ConnectionCapacity},
};
use uuid::Uuid;

use crate::harness::{Answer, TestOptions, TestSilta, answer, secs, wait_until};

const SMALL_BUFFER: TestOptions = TestOptions {
    service: "[http]\nbody_limit = \"4KiB\"\nwaiting = \"64KiB\"\naccept_within = \"300ms\"\n",
    connection: "",
};

/// A webhook of two kilobytes about a stock figure.
fn webhook(number: usize) -> Webhook {
    let body = format!(
        r#"{{"productCode":"S-{}","modified":"{number}","note":"{}"}}"#,
        number % 50,
        "x".repeat(2000)
    );
    Webhook::raw_from_warehouse(body.as_bytes())
}

async fn send(silta: &TestSilta, number: usize) -> Answer {
    let webhook = webhook(number);
    let (header, signature) = WebhookSender::signature(&webhook);
    let request = silta.api.request(Method::POST, "/webhooks/ogoship/shop");
    answer(request.header(header, signature).body(webhook.body)).await
}

/// So many at once; answers how many were taken, and asserts that every other one was told to come again.
async fn send_all(silta: &Arc<TestSilta>, numbers: std::ops::Range<usize>) -> (Vec<Uuid>, usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in numbers {
        let silta = silta.clone();
        tasks.spawn(async move { send(&silta, number).await });
    }
    let (mut taken, mut refused) = (Vec::new(), 0);
    for answer in tasks.join_all().await {
        if answer.status == 200 {
            taken.push(answer.text("/event_id").parse().unwrap());
        } else {
            assert_eq!((answer.status, answer.text("/code")), (503, "busy"));
            assert!(answer.headers.contains_key("retry-after"));
            refused += 1;
        }
    }
    (taken, refused)
}

async fn stored(silta: &TestSilta, ids: &[Uuid]) -> usize {
    let sql = "select count(*) from event where id = any($1)";
    let count: i64 = sqlx::query_scalar(sql).bind(ids).fetch_one(&silta.pool).await.unwrap();
    usize::try_from(count).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_answers_503_and_keeps_every_acknowledged_webhook() {
    let mut silta = TestSilta::start_with(SMALL_BUFFER).await;
    silta.leave_unfinished();
    // A database that takes twenty milliseconds for every commit of events, as a slow disk does.
    sqlx::raw_sql(
        "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.02); return null; end $$;
         create trigger slow after insert on event for each statement execute function slow()",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    let silta = Arc::new(silta);
    let (taken, refused) = send_all(&silta, 0..600).await;
    assert!(refused > 0 && !taken.is_empty(), "{} taken, {refused} refused", taken.len());
    assert_eq!(stored(&silta, &taken).await, taken.len());

    // Nothing at all can be committed: nobody waits longer than he was promised, and nobody is told 200.
    let mut outside = silta.outside_connection().await;
    sqlx::raw_sql("begin; lock table event in access exclusive mode").execute(&mut outside).await.unwrap();
    let (taken, refused) = send_all(&silta, 1000..1200).await;
    assert_eq!((taken.len(), refused), (0, 200));
    sqlx::raw_sql("commit").execute(&mut outside).await.unwrap();

    // And it is over with the cause: who comes again is taken.
    wait_until("webhooks are taken again", async || send(&silta, 1000).await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_request_bodies_do_not_block_other_senders() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let mut silta = TestSilta::start_with(SMALL_BUFFER).await;
    silta.leave_unfinished();
    let address = silta.api.url.trim_start_matches("http://").to_owned();
    let mut idlers = Vec::new();
    for _ in 0..100 {
        let mut idler = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head = "POST /webhooks/ogoship/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 4000\r\n\r\n{";
        idler.write_all(head.as_bytes()).await.unwrap();
        idlers.push(idler);
    }
    assert_eq!(send(&silta, 1).await.status, 200);
    // Chunked, without a length, and too long: the limit is what comes, not what is said.
    let mut long = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = "POST /webhooks/ogoship/shop HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    long.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..5 {
        let _ = long.write_all(format!("400\r\n{}\r\n", "x".repeat(0x400)).as_bytes()).await;
    }
    let mut answer = [0; 12];
    long.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_webhooks_share_a_commit() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let mut outside = silta.outside_connection().await;
    sqlx::raw_sql("begin; lock table event in access exclusive mode").execute(&mut outside).await.unwrap();
    let silta = Arc::new(silta);
    let sending = {
        let silta = silta.clone();
        tokio::spawn(async move { send_all(&silta, 0..100).await })
    };
    // One commit waits for the lock; everybody else gathers behind it.
    wait_until("a commit waits", async || {
        let sql =
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%unnest%'";
        let waiting: i64 =
            sqlx::query_scalar(sql).fetch_one(&mut silta.outside_connection().await).await.unwrap();
        waiting == 1
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    sqlx::raw_sql("commit").execute(&mut outside).await.unwrap();
    let (taken, _) = sending.await.unwrap();
    assert_eq!((taken.len(), stored(&silta, &taken).await), (100, 100));
    // Each row says by which transaction it was written.
    let sql = "select count(distinct xmin::text) from event";
    let commits: i64 = sqlx::query_scalar(sql).fetch_one(&silta.pool).await.unwrap();
    assert!(commits < 5, "100 webhooks in {commits} commits");
    assert_eq!(send(&silta, 500).await.status, 200);
}

#[tokio::test]
async fn refused_webhook_does_not_fail_its_batch() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    sqlx::raw_sql("alter table event add constraint no_s7 check (subject <> 'stock:S-7')")
        .execute(&silta.pool)
        .await
        .unwrap();
    let mut outside = silta.outside_connection().await;
    sqlx::raw_sql("begin; lock table event in access exclusive mode").execute(&mut outside).await.unwrap();
    let silta = Arc::new(silta);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20 {
        let silta = silta.clone();
        tasks.spawn(async move { send(&silta, number).await.status });
    }
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    sqlx::raw_sql("commit").execute(&mut outside).await.unwrap();
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!((statuses[..19].to_vec(), statuses[19]), (vec![200; 19], 500));
}

#[tokio::test]
async fn circuit_opens_probes_and_closes_without_counting_failures() {
    let silta = TestSilta::start().await;
    silta.sandbox.warehouse_server.set_online(false);
    for _ in 0..30 {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
        silta.run_until_idle().await;
    }
    let leased = "select circuit_reason from connection";
    assert_eq!(silta.scalar::<Option<String>>(leased).await.as_deref(), Some("vendor_down"));
    assert_eq!(silta.api.get("/admin/v1/connections/shop").await.body["health"], "leased");
    let spent = silta.scalar::<i64>("select sum(failures) from task").await;
    assert_eq!(spent, 5, "what opened the circuit, and nothing more");

    let asked = || silta.sandbox.shop_server.calls.count("GET", "/api/v1/products");
    let before = asked();
    for _ in 0..60 {
        silta.clock.advance(secs(60));
        silta.run_until_idle().await;
    }
    let probes = asked() - before;
    assert!((55..=65).contains(&probes), "{probes} probes in an hour: one a minute");
    assert_eq!(silta.scalar::<i64>("select sum(failures) from task").await, spent, "none spent on it");

    silta.sandbox.warehouse_server.set_online(true);
    silta.advance(secs(120)).await;
    assert_eq!(silta.scalar::<Option<String>>(leased).await, None);
    assert_eq!((silta.warehouse.orders().len(), silta.lost_and_doubled()), (30, (0, 0)));
    assert_eq!(silta.scalar::<i32>("select faults from connection").await, 0);
}

#[tokio::test]
async fn order_answered_500_ends_dead_and_blocks_no_other() {
    let silta = TestSilta::start().await;
    let poison = silta.shop.place_order(OrderSpec::of("A", 1));
    for _ in 0..40 {
        let path = format!("/api/v0/orders/{poison}");
        silta.sandbox.shop_server.faults.script("GET", &path, Fault::Status(500));
    }
    silta.send_webhook(silta.shop.order_created(poison)).await;
    for _ in 0..40 {
        silta.advance(secs(60)).await;
    }
    assert_eq!(silta.order_task_state(poison).await, "dead vendor_failed");
    silta.place_order(OrderSpec::of("A", 1)).await;
    silta.advance(secs(60)).await;
    assert_eq!(silta.warehouse.orders().len(), 1, "the next one goes its way");
    silta.sandbox.shop_server.faults.clear();
}

/// A second merchant in the rows, without a configuration: only claims are looked at.
async fn add_second_merchant(silta: &TestSilta, background: i64) {
    sqlx::raw_sql("insert into connection (name) values ('small')").execute(&silta.pool).await.unwrap();
    let sql = "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
         select gen_random_uuid(), 'shop', 'stock', 'stock:' || n, 'pending', 3, '2026-01-01', '2026-01-01'
         from generate_series(1, $1) n";
    sqlx::query(sql).bind(background).execute(&silta.pool).await.unwrap();
}

async fn claim(
    silta: &TestSilta,
    capacities: &[(&str, usize)],
    background: usize,
    all: usize,
) -> Vec<String> {
    let entropy = Entropy::from_os();
    let claim_ids: Vec<_> = (0..all).map(|_| entropy.fence()).collect();
    let capacities: Vec<_> = capacities
        .iter()
        .map(|(name, most)| ConnectionCapacity { connection: (*name).to_owned(), max_tasks: *most })
        .collect();
    let request = ClaimRequest {
        claim_ids: &claim_ids,
        worker: "w",
        capacities: &capacities,
        background,
        since: Timestamp::UNIX_EPOCH,
        now: silta.now(),
        leased_until: silta.now() + secs(60),
    };
    let mut db = silta.pool.acquire().await.unwrap();
    let leased = claim::claim_due(&mut db, &request).await.unwrap();
    leased.into_iter().map(|leased| format!("{} {}", leased.connection, leased.subject)).collect()
}

#[tokio::test]
async fn bulk_replay_does_not_delay_live_orders() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    add_second_merchant(&silta, 10_000).await;
    // The process is as full of them as it may be: three quarters of its slots.
    assert_eq!(claim(&silta, &[("shop", 32)], 24, 32).await.len(), 24);
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    let next = claim(&silta, &[("shop", 8)], 0, 8).await;
    assert_eq!(next, [format!("shop order:{order}")], "the very next claim takes it");
    assert_eq!(claim(&silta, &[("shop", 8)], 2, 8).await.len(), 2, "and when one of them ends, one is begun");
}

#[tokio::test]
async fn busy_merchant_does_not_starve_another() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    add_second_merchant(&silta, 0).await;
    for number in 0..200 {
        silta.send_webhook(webhook(number)).await;
    }
    // The storm has all it may have, half of the slots; then the other one's order comes.
    assert_eq!(claim(&silta, &[("shop", 16), ("small", 16)], 24, 32).await.len(), 16);
    let sql = "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
         values (gen_random_uuid(), 'small', 'order', 'order:1', 'pending', 0, $1, $1)";
    sqlx::query(sql).bind(silta.now()).execute(&silta.pool).await.unwrap();
    assert_eq!(claim(&silta, &[("small", 16)], 24, 16).await, ["small order:1"]);
}

#[tokio::test]
async fn rate_limit_is_shared_by_replicas_and_429_lowers_it() {
    let silta = TestSilta::start_with_env(
        TestOptions::default(),
        &[("SILTA__CONNECTIONS__SHOP__OGOSHIP__REQUESTS_PER_SECOND", "10")],
    )
    .await;
    for number in 0..40 {
        silta.shop.add_product(number, &format!("S-{number}"), "Kahvi", 0);
        silta.warehouse.receive_goods(&format!("S-{number}"), 5);
        silta.send_webhook(silta.warehouse.stock_changed(&format!("S-{number}"))).await;
    }
    let calls = || silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/stock");
    // Three replicas, none of whose clocks goes on: one second's worth saved up, three seconds' borrowed.
    let replicas: Vec<_> =
        (0..3).map(|_| silta.second_worker_with("ogoship.requests_per_second", "10")).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for replica in replicas {
        tasks.spawn(async move { replica.run_until_idle().await.unwrap() });
    }
    tasks.join_all().await;
    assert!((35..=41).contains(&calls()), "{} calls where one replica alone would have made 40", calls());

    silta.clock.advance(secs(600));
    let before = calls();
    silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/stock", Fault::TooMany(7));
    silta.send_webhook(silta.warehouse.stock_changed("S-0")).await;
    silta.run_until_idle().await;
    silta.send_webhook(silta.warehouse.stock_changed("S-1")).await;
    silta.second_worker_with("ogoship.requests_per_second", "10").run_until_idle().await.unwrap();
    let share: f64 = silta.scalar("select share from rate_limit where vendor = 'ogoship'").await;
    assert!((share - 0.5).abs() < 1e-9, "{share}");
    let closed: i64 = silta
        .scalar("select extract(epoch from blocked_until - lowered_at)::bigint from rate_limit where vendor = 'ogoship'")
        .await;
    assert_eq!(closed, 7, "its Retry-After is honoured");
    assert!(calls() - before <= 40);
    for _ in 0..10 {
        silta.advance(secs(60)).await;
    }
    let equal: BTreeSet<_> =
        (0..40).filter_map(|number| silta.shop.quantity(&format!("S-{number}"))).collect();
    assert_eq!(equal, BTreeSet::from([5]));
}

#[tokio::test]
async fn hanging_call_is_shared_and_opens_the_circuit() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 100);
    for _ in 0..6 {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
    }
    let list = "/api/v1/shipping-methods";
    silta.sandbox.shop_server.faults.script("GET", list, Fault::Hang);
    silta.run_until_idle().await;
    assert_eq!(silta.sandbox.shop_server.calls.count("GET", list), 1, "one call for all six");
    assert_eq!(silta.count("attempt where reason = 'answer_lost'").await, 6);
    let leased: Option<String> = silta.scalar("select circuit_reason from connection").await;
    assert_eq!(leased.as_deref(), Some("vendor_down"));
    silta.advance(secs(600)).await;
    assert_eq!(silta.warehouse.orders().len(), 6);
    assert_eq!(silta.lost_and_doubled(), (0, 0));
}
