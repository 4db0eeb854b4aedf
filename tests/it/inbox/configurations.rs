//! Processes with different configurations on one database.

use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestSilta, secs};

#[tokio::test]
async fn older_configuration_leaves_polls_of_a_new_connection_alone() {
    let silta = TestSilta::start().await;
    let (app, other) = silta.start_second_store().await;
    silta.poll().await; // this process does not know the other store
    let due: i64 = silta.count("poll where connection = 'other' and last_started_at is null").await;
    assert_eq!(due, 4, "none was claimed");
    silta.clock.advance(secs(60));
    other.shop.place_order(OrderSpec::of("A", 1)); // without a webhook
    assert_eq!(app.poller.poll_due().await.unwrap(), 1);
    assert_eq!(silta.count("event where connection = 'other' and subject = 'order:1001'").await, 1);
    app.worker.run_until_idle().await.unwrap();
}

#[tokio::test]
async fn poll_put_off_by_another_process_runs_by_our_interval() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    silta.clock.advance(secs(60));
    silta.shop.place_order(OrderSpec::of("A", 1));
    let put_off = silta.now() + chrono::Duration::days(1);
    sqlx::query("update poll set due_at = $1").bind(put_off).execute(&silta.pool).await.unwrap();
    assert_eq!(silta.poll().await, 1);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(1001), 1);
}

#[tokio::test]
async fn lease_taken_under_a_wrong_clock_does_not_last_a_year() {
    let silta = TestSilta::start().await;
    silta.clock.advance(secs(60));
    silta.shop.place_order(OrderSpec::of("A", 1));
    let in_a_year = silta.now() + chrono::Duration::days(365);
    let sql = "update poll set claim_id = gen_random_uuid(), leased_until = $1, due_at = $1";
    sqlx::query(sql).bind(in_a_year).execute(&silta.pool).await.unwrap();
    assert_eq!(silta.poll().await, 1);
    silta.run_until_idle().await;
}
