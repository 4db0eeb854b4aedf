//! What a sync is asked for: its first day, and whether another one is joined.

use serde_json::json;

use crate::harness::TestSilta;

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
