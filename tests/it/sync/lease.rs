//! Leases of syncs: resume after a crash, one at a time, rate left for live orders.

use std::time::Duration;

use serde_json::json;
use silta::{
    dev::sandbox::{Fault, OrderSpec},
    domain::sync::SyncKind,
    runtime::clock::Entropy,
    store::sync_runs::{self, Wanted},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    harness::{TestSilta, secs, wait_until},
    sync::report::{differences, expected_differences, start_in_sync},
};

#[tokio::test]
async fn sync_resumes_at_its_page_after_a_crash() {
    let silta = start_in_sync(0).await;
    for id in 1..=450 {
        silta.shop.add_product(id, &format!("P-{id:03}"), &format!("Tuote {id}"), 0);
        let code = format!("P-{id:03}");
        silta.warehouse.add_product(&code, json!({ "code": code, "name": format!("Tuote {id}") }));
    }
    silta.warehouse.rename_product("P-444", "Toinen");
    let body = json!({ "connection": "shop", "what": "products" });
    let id = silta.api.post("/admin/v1/syncs", body).await.text("/id").to_owned();
    // The process reads two of five shop pages and hangs in the third until it is dropped.
    let pages = || silta.sandbox.shop_server.calls.count("GET", "/api/v1/products");
    let before = pages();
    for fault in [Fault::Slow(secs(0)), Fault::Slow(secs(0)), Fault::Hang] {
        silta.sandbox.shop_server.faults.script("GET", "/api/v1/products", fault);
    }
    let hanging = silta.syncer.run_due();
    tokio::select! {
        _ = hanging => panic!("it should hang"),
        () = wait_until("it hangs", async || pages() - before == 3) => {}
    }
    let report = silta.report(&id).await;
    assert_eq!((report["state"].as_str(), report["step"].as_str()), (Some("running"), Some("read_shop")));
    assert_eq!((report["done"].as_i64(), report["total"].as_i64()), (Some(200), Some(450)));

    silta.clock.advance(secs(61));
    silta.syncer.run_due().await.unwrap();
    assert_eq!(pages() - before, 3 + 3 + 4, "pages three, four and five, and the way back");
    assert_eq!(
        silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/products"),
        2 + 1 + 1,
        "two pages and the way back, not read again"
    );
    let report = silta.report(&id).await;
    assert_eq!((report["done"].as_i64(), report["counts"]["same"].as_i64()), (Some(450), Some(449)));
    assert_eq!(differences(&report), expected_differences([("product:444", "differs_at_warehouse")]));
    assert_eq!(silta.count("sync_snapshot").await, 0, "the snapshot is deleted");
    silta.run_until_idle().await;
}

#[tokio::test]
async fn sync_leaves_rate_for_live_orders() {
    let silta = TestSilta::start_with_settings(&[("mycashflow.requests_per_second", "20.0")]).await;
    silta.warehouse.receive_goods("A", 100);
    for id in 1..=600 {
        silta.shop.add_product(id, &format!("P-{id:04}"), "Tuote", 0);
    }
    let body = json!({ "connection": "shop", "what": "products", "dry_run": true });
    let id = silta.api.post("/admin/v1/syncs", body).await.text("/id").to_owned();
    // The clock stands still. The sync reads six pages and five on its way back, a second holds twenty calls: half of them
    // are left for live tasks.
    let calls = || silta.sandbox.shop_server.calls.count("GET", "/api/v1/products");
    {
        let mut running = std::pin::pin!(silta.syncer.run_one(id.parse().unwrap(), &|_| {}));
        tokio::select! {
            _ = &mut running => panic!("it does not wait"),
            () = wait_until("it has read what it may", async || calls() == 10) => {}
        }
        assert!(tokio::time::timeout(Duration::from_millis(200), running).await.is_err(), "it waits");
        assert_eq!(calls(), 10);
    }
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.warehouse_count(order), 1, "sent with the rest of the rate");
    silta.clock.advance(secs(400));
    assert!(silta.syncer.run_one(id.parse().unwrap(), &|_| {}).await.unwrap());
    assert_eq!(silta.report(&id).await["state"], "done");
}

#[tokio::test]
async fn hanging_sync_does_not_delay_other_stores() {
    let mut silta = TestSilta::start().await;
    let (app, _other) = silta.start_second_store().await;
    for connection in ["shop", "other"] {
        let what = json!({ "connection": connection, "what": "products" });
        silta.api.post("/admin/v1/syncs", what).await;
    }
    silta.sandbox.warehouse_server.faults.script("GET", "/api/v1/products", Fault::Hang);
    let soft = CancellationToken::new();
    let running = app.syncer.run(soft.clone());
    let done = "sync where connection = 'other' and what = 'products' and state = 'done'";
    let hangs = "sync where connection = 'shop' and state = 'running' and leased_until is not null";
    let is_beside = async || silta.count(done).await == 1 && silta.count(hangs).await >= 1;
    tokio::select! {
        () = running => panic!("it was not stopped"),
        () = wait_until("the other store is synced while this one's sync hangs", is_beside) => {}
    }
    silta.leave_unfinished();
}

#[tokio::test]
async fn kind_of_sync_waits_for_no_other_kind() {
    let mut silta = TestSilta::start().await;
    silta.clock.advance(secs(86_400));
    silta.sandbox.shop_server.faults.script("GET", "/api/v0/orders", Fault::Hang);
    let old = json!({ "connection": "shop", "what": "orders", "since": "2000-01-01T00:00:00Z" });
    assert_eq!(silta.api.post("/admin/v1/syncs", old).await.status, 201);
    let running = silta.syncer.run(CancellationToken::new());
    let done = "sync where what in ('products', 'stock') and state = 'done'";
    let hangs = "sync where what = 'orders' and state = 'running' and leased_until is not null";
    let is_beside = async || silta.count(done).await == 2 && silta.count(hangs).await == 1;
    tokio::select! {
        () = running => panic!("it was not stopped"),
        () = wait_until("products and stock are synced while orders hang", is_beside) => {}
    }
    silta.leave_unfinished();
}

#[tokio::test]
async fn stock_and_orders_wait_for_the_first_catalogue_alone() {
    let silta = TestSilta::start().await;
    sqlx::query("update connection set catalogue_read_at = null").execute(&silta.pool).await.unwrap();
    let mut ids = Vec::new();
    for what in ["products", "stock", "orders"] {
        let body = json!({ "connection": "shop", "what": what });
        let created = silta.api.post("/admin/v1/syncs", body).await;
        ids.push(created.text("/id").parse::<Uuid>().unwrap());
    }
    let (names, now, entropy) = (["shop".to_owned()], silta.now(), Entropy::from_os());
    let claim = async |wanted, at| {
        let mut db = silta.pool.acquire().await.unwrap();
        let leased = sync_runs::claim(&mut db, &names, wanted, entropy.fence(), at, at + secs(60)).await;
        leased.unwrap().map(|leased| leased.id)
    };
    let kind = Wanted::Kind;
    assert_eq!(claim(kind(SyncKind::Stock), now).await, None, "no code is known yet");
    assert_eq!(claim(kind(SyncKind::Products), now).await, Some(ids[0]));
    assert_eq!(claim(kind(SyncKind::Products), now).await, None, "it is leased");
    assert_eq!(claim(kind(SyncKind::Orders), now).await, None);
    assert_eq!(claim(Wanted::Only(ids[2]), now).await, Some(ids[2]), "but the command line runs it now");
    sqlx::query("update connection set catalogue_read_at = $1").bind(now).execute(&silta.pool).await.unwrap();
    assert_eq!(claim(kind(SyncKind::Stock), now).await, Some(ids[1]), "beside the other two");
    let later = now + secs(61);
    assert_eq!(claim(kind(SyncKind::Products), later).await, Some(ids[0]), "the lease ran out");
    silta.clock.advance(secs(200));
    silta.syncer.run_due().await.unwrap();
    assert_eq!(silta.count("sync where state = 'done'").await, 3);
}
