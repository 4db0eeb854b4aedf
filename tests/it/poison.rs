//! What is wrong with one thing costs that one thing; and a process says truthfully whether it is of any use.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::Method;
use silta::{
    dev::sandbox::{Courier, Fault, OrderSpec, Webhook},
    runtime::failpoints::{Interfere, KillPoint},
};

use crate::harness::{TestSilta, Usual, answer, secs, until};

/// Does this at this moment, to this subject.
#[derive(Debug)]
struct At(KillPoint, &'static str, Evil);

#[derive(Debug)]
enum Evil {
    Panics,
    NeverEnds,
}

#[async_trait]
impl Interfere for At {
    async fn at(&self, point: KillPoint, what: &str) {
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
const SHORT: [(&str, &str); 2] = [("SILTA__WORKER__LEASE", "1s"), ("SILTA__OUTBOUND__TIMEOUT", "300ms")];

async fn disturbed(point: KillPoint, evil: Evil) -> TestSilta {
    let by = Arc::new(At(point, "order:1001", evil));
    TestSilta::start_disturbed(by, &SHORT).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_flow_panics_or_never_ends_costs_itself_alone_and_ends_dead_with_the_reason() {
    for (evil, reason) in [(Evil::Panics, "dead panicked"), (Evil::NeverEnds, "dead overran")] {
        let silta = disturbed(KillPoint::AfterClaim, evil).await;
        let poison = silta.shop.takes_order(OrderSpec::of("A", 1));
        silta.hears(silta.shop.order_created(poison)).await;
        let well = silta.shop.takes_order(OrderSpec::of("A", 1));
        silta.hears(silta.shop.order_created(well)).await;
        silta.passes(secs(600)).await;
        assert_eq!(silta.stands(poison).await, reason);
        assert_eq!((silta.there(poison), silta.there(well)), (0, 1));
        assert_eq!(
            silta.count("attempt where reason in ('panicked', 'overran')").await,
            6,
            "each try is told"
        );
        assert_eq!(silta.scalar::<Option<String>>("select held_reason from connection").await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_panics_behind_its_call_is_in_doubt_and_the_next_one_looks() {
    for point in [KillPoint::BeforeCall, KillPoint::AfterCall] {
        let silta = disturbed(point, Evil::Panics).await;
        let order = silta.shop.takes_order(OrderSpec::of("A", 1));
        silta.hears(silta.shop.order_created(order)).await;
        silta.run_until_idle().await;
        assert_eq!(silta.stands(order).await, "in_doubt panicked", "{point:?}");
        silta.passes(secs(600)).await;
        let expected =
            if point == KillPoint::BeforeCall { (0, "dead outcome_unknown") } else { (1, "delivered") };
        assert_eq!((silta.there(order), silta.stands(order).await.as_str()), expected, "{point:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_would_come_after_its_lease_is_not_made() {
    #[derive(Debug)]
    struct Sleeps;
    #[async_trait]
    impl Interfere for Sleeps {
        async fn at(&self, point: KillPoint, what: &str) {
            if point == KillPoint::BeforeCall && what == "order:1001" {
                // The whole thread, as when a machine stands still: no timer of ours runs meanwhile.
                std::thread::sleep(Duration::from_millis(1200));
            }
        }
    }
    let silta = TestSilta::start_disturbed(Arc::new(Sleeps), &SHORT).await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.there(order), 0);
    let posts = silta.sandbox.warehouse_server.calls.count("POST", "/api/v1/orders");
    assert_eq!(posts, 0);
    silta.passes(secs(600)).await;
    assert!(silta.stands(order).await.starts_with("dead"), "{}", silta.stands(order).await);
}

#[tokio::test]
async fn an_outcome_still_unknown_after_a_set_time_goes_to_a_person_with_its_evidence_and_is_asked_no_more() {
    let silta = TestSilta::start_in(
        Usual::default(),
        &[
            ("SILTA__RETRY__UNKNOWN_FOR", "10m"),
            ("SILTA__RETRY__ATTEMPTS", "1000"),
            ("SILTA__RETRY__CAP", "30s"),
        ],
    )
    .await;
    let order = silta.shop.takes_order(OrderSpec::of("A", 1));
    let faults = &silta.sandbox.warehouse_server.faults;
    faults.script("GET", "/api/v1/orders", Fault::Slow(Duration::ZERO));
    faults.script("POST", "/api/v1/orders", Fault::DropAfter);
    for _ in 0..500 {
        faults.script("GET", "/api/v1/orders", Fault::Status(500));
    }
    silta.hears(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    assert_eq!(silta.stands(order).await, "in_doubt answer_lost");
    silta.passes(secs(300)).await;
    assert!(silta.stands(order).await.starts_with("in_doubt"), "{}", silta.stands(order).await);
    silta.passes(secs(900)).await;
    assert_eq!(silta.stands(order).await, "dead outcome_unknown");

    let asked = silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/orders");
    silta.passes(secs(3600)).await;
    assert_eq!(silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/orders"), asked);
    let evidence = silta.api.get(&format!("/admin/v1/orders/shop/{order}/evidence/ogoship")).await;
    let evidence = evidence.body.as_str().unwrap();
    assert!(evidence.contains("POST /api/v1/orders") && evidence.contains("500"), "{evidence}");

    // A person looks, and asks anew: it is found, and not sent again.
    faults.clear();
    let dead: uuid::Uuid = silta.scalar("select id from delivery order by id desc limit 1").await;
    silta.api.post(&format!("/admin/v1/deliveries/{dead}/replay"), serde_json::json!({})).await;
    silta.run_until_idle().await;
    assert_eq!((silta.there(order), silta.stands(order).await.as_str()), (1, "delivered"));
}

#[tokio::test]
async fn readyz_says_whether_it_can_still_claim_and_commit_and_not_whether_it_is_alive() {
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
    let mut outside = silta.outside().await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(read_only(true))).execute(&mut outside).await.unwrap();
    cut_off(&mut outside).await;
    let _ = ready().await; // meets the connections that were cut
    until("new connections are read-only", async || ready().await.1.contains("nothing can be committed"))
        .await;
    assert_eq!(silta.api.get("/livez").await.status, 200);
    let webhook = Webhook::raw_from_shop(br#"{"topic":"order.created","data":{"id":1}}"#);
    let (header, signature) = Courier::signature(&webhook);
    let request = silta.api.request(Method::POST, "/webhooks/mycashflow/shop/sandbox-token-4f1d");
    let refused = answer(request.header(header, signature).body(webhook.body)).await;
    assert_eq!((refused.status, refused.text("/code")), (503, "unavailable"));
    let back = format!("set default_transaction_read_only = off; {}", read_only(false));
    sqlx::raw_sql(sqlx::AssertSqlSafe(back)).execute(&mut outside).await.unwrap();
    cut_off(&mut outside).await;
    until("ready again", async || ready().await.0 == 200).await;

    // The loop runs, and has not come to a claim for half a minute.
    let stop = tokio_util::sync::CancellationToken::new();
    let (worker, soft) = (silta.worker.clone(), stop.clone());
    let running = tokio::spawn(async move { worker.run(soft.clone(), soft).await });
    let far = silta.now() + chrono::Duration::hours(1);
    until("the loop claims", async || !silta.worker.pulse().is_felt(far)).await;
    assert_eq!(ready().await.0, 200);
    stop.cancel();
    running.await.unwrap();
    silta.clock.advance(secs(31));
    assert_eq!(ready().await, (503, "the worker has not come to a claim for half a minute".to_owned()));
}

async fn cut_off(db: &mut sqlx::PgConnection) {
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .execute(db)
    .await
    .unwrap();
}
