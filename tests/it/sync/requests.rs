//! What a sync is asked for: its first day, whether another one is joined, and that it can be cancelled.

use reqwest::StatusCode;
use serde_json::json;
use silta::dev::sandbox::Fault;

use crate::{
    harness::{OPERATOR, TestSilta, VIEWER, wait_until},
    web::session::Session,
};

#[tokio::test]
async fn sync_by_hand_begins_at_not_before_as_the_scheduled_one() {
    let silta = TestSilta::start_with_settings(&[("orders.not_before", "2026-09-10")]).await;
    silta.syncer.run_due().await.unwrap();
    let scheduled = silta.last_sync("orders").await;
    let by_hand = silta.run_sync("orders", false).await;
    assert_eq!(by_hand["since"], scheduled["since"]);
    assert!(by_hand["since"].as_str().unwrap().starts_with("2026-09-10T00:00:00"), "{by_hand}");
}

#[tokio::test]
async fn sync_request_joins_only_a_sync_that_does_the_same() {
    let silta = TestSilta::start().await;
    silta.syncer.run_due().await.unwrap();
    let request = async |more: serde_json::Value| {
        let mut body = json!({ "connection": "shop", "what": "orders" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        silta.api.post("/admin/v1/syncs", body).await
    };
    let first = request(json!({ "dry_run": true })).await;
    assert_eq!(first.status, 201);
    let same = request(json!({ "dry_run": true })).await;
    assert_eq!((same.status, same.text("/id")), (200, first.text("/id")));
    let real = request(json!({})).await;
    assert_eq!((real.status, real.text("/code")), (409, "conflict"));
    assert_eq!(request(json!({ "dry_run": true, "since": "2026-09-01T00:00:00Z" })).await.status, 409);

    silta.syncer.run_due().await.unwrap();
    let dated = request(json!({ "since": "2026-09-01T00:00:00Z" })).await;
    assert_eq!(dated.status, 201, "the first has ended");
    assert_eq!(request(json!({ "since": "2026-09-01T00:00:00Z" })).await.status, 200);
    assert_eq!(request(json!({ "since": "2026-09-02T00:00:00Z" })).await.status, 409);
    silta.syncer.run_due().await.unwrap();
}

#[tokio::test]
async fn sync_since_an_impossible_day_is_refused() {
    let silta = TestSilta::start().await;
    silta.syncer.run_due().await.unwrap();
    let request = async |since: &str, dry_run: bool| {
        let body = json!({ "connection": "shop", "what": "orders", "since": since, "dry_run": dry_run });
        let answer = silta.api.post("/admin/v1/syncs", body).await;
        (answer.status, answer.body["code"].as_str().map(ToOwned::to_owned))
    };
    // The clock of the test is at 2026-09-21.
    for slip in
        ["0109-09-01T00:00:00Z", "0026-09-01T00:00:00Z", "1999-12-31T23:59:59Z", "2027-09-01T00:00:00Z"]
    {
        assert_eq!(request(slip, true).await, (400, Some("invalid".to_owned())), "{slip}");
    }
    assert_eq!(silta.count("sync where state = 'running'").await, 0);
    assert_eq!(request("2026-09-22T00:00:00Z", true).await.0, 201, "it is tomorrow in the east");
    silta.syncer.run_due().await.unwrap();
}

#[tokio::test]
async fn cancelled_sync_stops_at_its_page_and_another_takes_its_place() {
    let silta = TestSilta::start().await;
    silta.syncer.run_due().await.unwrap();
    silta.sandbox.shop_server.faults.script("GET", "/api/v0/orders", Fault::Hang);
    let old = json!({ "connection": "shop", "what": "orders", "since": "2000-01-01T00:00:00Z" });
    let created = silta.api.post("/admin/v1/syncs", old).await;
    let (id, cancel) = (created.text("/id"), format!("/admin/v1/syncs/{}/cancel", created.text("/id")));
    let reads = || silta.sandbox.shop_server.calls.count("GET", "/api/v0/orders");
    let before = reads();
    let operate = async {
        wait_until("it reads", async || reads() > before).await;
        let cancelled = silta.api.post(&cancel, json!({})).await;
        assert_eq!((cancelled.status, cancelled.text("/state")), (200, "cancelled"));
        let again =
            silta.api.post("/admin/v1/syncs", json!({ "connection": "shop", "what": "orders" })).await;
        assert_eq!(again.status, 201, "nothing blocks it");
    };
    let (ran, ()) = tokio::join!(silta.syncer.run_due(), operate);
    ran.unwrap();
    assert!(reads() - before < 50, "twenty-six years were not read");
    let report = silta.report(id).await;
    assert_eq!((report["state"].as_str(), report["error"].as_str()), (Some("cancelled"), None));
    assert!(report["finished_at"].is_string(), "{report}");
    silta.syncer.run_due().await.unwrap();
    assert_eq!(silta.last_sync("orders").await["state"], "done");
    assert_eq!(silta.count("sync_snapshot").await, 0);
    let again = silta.api.post(&cancel, json!({})).await;
    assert_eq!((again.status, again.text("/detail")), (409, "the sync has already ended"));
    assert_eq!(silta.count("audit where action = 'sync.cancel' and actor = 'ops'").await, 1);
    let unknown =
        silta.api.post("/admin/v1/syncs/00000000-0000-0000-0000-000000000009/cancel", json!({})).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn sync_is_cancelled_on_its_page_by_operators_alone() {
    let silta = TestSilta::start().await;
    let created = silta.api.post("/admin/v1/syncs", json!({ "connection": "shop", "what": "stock" })).await;
    let page = format!("/products/syncs/{}", created.text("/id"));
    let (operator, viewer) = (Session::with(&silta, OPERATOR).await, Session::with(&silta, VIEWER).await);
    let shows_button = async |session: &Session| {
        session.get(&page).await.text().await.unwrap().contains(&format!("{page}/cancel"))
    };
    assert!(shows_button(&operator).await && !shows_button(&viewer).await);
    let refused = viewer.submit(&format!("{page}/cancel"), &[]).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(operator.submit(&format!("{page}/cancel"), &[]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(silta.report(created.text("/id")).await["state"], "cancelled");
    assert!(!shows_button(&operator).await);
    assert_eq!(operator.submit(&format!("{page}/cancel"), &[]).await.status(), StatusCode::CONFLICT);
}

#[tokio::test]
async fn page_of_a_sync_is_marked_in_the_menu_and_leads_back() {
    let silta = TestSilta::start().await;
    let operator = Session::with(&silta, OPERATOR).await;
    for (what, current) in [("stock", "/products"), ("orders", "/syncs")] {
        let created = silta.api.post("/admin/v1/syncs", json!({ "connection": "shop", "what": what })).await;
        let path = format!("/products/syncs/{}", created.text("/id"));
        let page = operator.get(&path).await.text().await.unwrap();
        assert!(page.contains(&format!("href=\"{current}\" aria-current=\"page\"")), "{what}: {page}");
        assert!(page.contains("<a href=\"/syncs\">Syncs</a>"), "{what}: {page}");
        silta.syncer.run_due().await.unwrap();
    }
}
