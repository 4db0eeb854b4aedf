//! What is wrong with one thing costs that one thing; and a process says truthfully whether it is of any use.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::Method;
use silta::{
    dev::sandbox::{Fault, OrderSpec, Webhook, WebhookSender},
    runtime::failpoints::{Failpoint, FailpointHook},
};

use crate::harness::{TestOptions, TestSilta, answer, secs, wait_until};

/// Does this at this moment, to this subject.
#[derive(Debug)]
struct At(Failpoint, &'static str, Evil);

#[derive(Debug)]
enum Evil {
    Panics,
    NeverEnds,
}

#[async_trait]
impl FailpointHook for At {
    async fn on_hit(&self, point: Failpoint, what: &str) {
        let Self(at, whom, evil) = self;
        if point == *at && what == *whom {
            match evil {
                Evil::Panics => panic!("as the proof wants it"),
                Evil::NeverEnds => std::future::pending().await,
            }
        }
    }
}

/// A lease of a second, so that a flow which never ends is cut off soon.
const SHORT_LEASE: [(&str, &str); 2] =
    [("SILTA__WORKER__LEASE", "1s"), ("SILTA__OUTBOUND__TIMEOUT", "300ms")];

async fn disturbed(point: Failpoint, evil: Evil) -> TestSilta {
    let by = Arc::new(At(point, "order:1001", evil));
    TestSilta::start_with_failpoints(by, &SHORT_LEASE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn panicking_or_endless_flow_ends_dead_alone() {
    for (evil, reason) in [(Evil::Panics, "dead panicked"), (Evil::NeverEnds, "dead overran")] {
        let silta = disturbed(Failpoint::AfterClaim, evil).await;
        let poison = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(poison)).await;
        let well = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(well)).await;
        silta.advance(secs(600)).await;
        assert_eq!(silta.order_task_state(poison).await, reason);
        assert_eq!((silta.warehouse_count(poison), silta.warehouse_count(well)), (0, 1));
        assert_eq!(
            silta.count("attempt where reason in ('panicked', 'overran')").await,
            6,
            "each try is told"
        );
        assert_eq!(silta.scalar::<Option<String>>("select circuit_reason from connection").await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn panic_around_a_call_is_in_doubt_and_read_back() {
    for point in [Failpoint::BeforeCall, Failpoint::AfterCall] {
        let silta = disturbed(point, Evil::Panics).await;
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
        silta.run_until_idle().await;
        assert_eq!(silta.order_task_state(order).await, "in_doubt panicked", "{point:?}");
        silta.advance(secs(600)).await;
        let expected = if point == Failpoint::BeforeCall { (0, "dead outcome_unknown") } else { (1, "done") };
        assert_eq!(
            (silta.warehouse_count(order), silta.order_task_state(order).await.as_str()),
            expected,
            "{point:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn call_after_the_lease_is_not_made() {
    #[derive(Debug)]
    struct Sleeps;
    #[async_trait]
    impl FailpointHook for Sleeps {
        async fn on_hit(&self, point: Failpoint, what: &str) {
            if point == Failpoint::BeforeCall && what == "order:1001" {
                // The whole thread, as when a machine stands still: no timer of ours runs meanwhile.
                std::thread::sleep(Duration::from_millis(1200));
            }
        }
    }
    let silta = TestSilta::start_with_failpoints(Arc::new(Sleeps), &SHORT_LEASE).await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(order), 0);
    let posts = silta.sandbox.warehouse_server.calls.count("POST", "/api/v1/orders");
    assert_eq!(posts, 0);
    silta.advance(secs(600)).await;
    assert!(
        silta.order_task_state(order).await.starts_with("dead"),
        "{}",
        silta.order_task_state(order).await
    );
}

#[tokio::test]
async fn outcome_unknown_too_long_ends_dead_with_its_call_log() {
    let silta = TestSilta::start_with_env(
        TestOptions::default(),
        &[
            ("SILTA__RETRY__UNKNOWN_FOR", "10m"),
            ("SILTA__RETRY__ATTEMPTS", "1000"),
            ("SILTA__RETRY__CAP", "30s"),
        ],
    )
    .await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    let faults = &silta.sandbox.warehouse_server.faults;
    faults.script("GET", "/api/v1/orders", Fault::Slow(Duration::ZERO));
    faults.script("POST", "/api/v1/orders", Fault::DropAfter);
    for _ in 0..500 {
        faults.script("GET", "/api/v1/orders", Fault::Status(500));
    }
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.order_task_state(order).await, "in_doubt answer_lost");
    silta.advance(secs(300)).await;
    assert!(
        silta.order_task_state(order).await.starts_with("in_doubt"),
        "{}",
        silta.order_task_state(order).await
    );
    silta.advance(secs(900)).await;
    assert_eq!(silta.order_task_state(order).await, "dead outcome_unknown");

    let asked = silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/orders");
    silta.advance(secs(3600)).await;
    assert_eq!(silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/orders"), asked);
    let call_log = silta.api.get(&format!("/admin/v1/orders/shop/{order}/call-log/ogoship")).await;
    let call_log = call_log.body.as_str().unwrap();
    assert!(call_log.contains("POST /api/v1/orders") && call_log.contains("500"), "{call_log}");

    // A person looks, and asks anew: it is found, and not sent again.
    faults.clear();
    let dead: uuid::Uuid = silta.scalar("select id from task order by id desc limit 1").await;
    silta.api.post(&format!("/admin/v1/tasks/{dead}/replay"), serde_json::json!({})).await;
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse_count(order), silta.order_task_state(order).await.as_str()), (1, "done"));
}

#[tokio::test]
async fn readyz_fails_when_it_cannot_claim_or_commit() {
    let silta = TestSilta::start().await;
    let ready = async || {
        let answer = silta.api.get("/readyz").await;
        (answer.status, answer.body["detail"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(ready().await.0, 200);
    assert_eq!(silta.count("replica where seen_at = started_at").await, 1, "it has committed to say so");

    // A server that has become a read-only standby, or whose disk is full, answers, and takes nothing.
    let name: String = silta.scalar("select current_database()").await;
    let read_only = |on: bool| format!("alter database {name} set default_transaction_read_only = {on}");
    let mut outside = silta.outside_connection().await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(read_only(true))).execute(&mut outside).await.unwrap();
    terminate_connections(&mut outside).await;
    let _ = ready().await; // meets the connections that were cut
    wait_until("new connections are read-only", async || {
        ready().await.1.contains("nothing can be committed")
    })
    .await;
    assert_eq!(silta.api.get("/livez").await.status, 200);
    let webhook = Webhook::raw_from_shop(br#"{"topic":"order.created","data":{"id":1}}"#);
    let (header, signature) = WebhookSender::signature(&webhook);
    let request = silta.api.request(Method::POST, "/webhooks/mycashflow/shop/sandbox-token-4f1d");
    let refused = answer(request.header(header, signature).body(webhook.body)).await;
    assert_eq!((refused.status, refused.text("/code")), (503, "unavailable"));
    let back = format!("set default_transaction_read_only = off; {}", read_only(false));
    sqlx::raw_sql(sqlx::AssertSqlSafe(back)).execute(&mut outside).await.unwrap();
    terminate_connections(&mut outside).await;
    wait_until("ready again", async || ready().await.0 == 200).await;

    // The loop runs, and has not come to a claim for half a minute.
    let stop = tokio_util::sync::CancellationToken::new();
    let (worker, soft) = (silta.worker.clone(), stop.clone());
    let running = tokio::spawn(async move { worker.run(soft.clone(), soft).await });
    let far = silta.now() + chrono::Duration::hours(1);
    wait_until("the loop claims", async || !silta.worker.heartbeat().is_alive(far)).await;
    assert_eq!(ready().await.0, 200);
    stop.cancel();
    running.await.unwrap();
    silta.clock.advance(secs(31));
    assert_eq!(ready().await, (503, "the worker has not come to a claim for half a minute".to_owned()));
}

async fn terminate_connections(db: &mut sqlx::PgConnection) {
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .execute(db)
    .await
    .unwrap();
}
