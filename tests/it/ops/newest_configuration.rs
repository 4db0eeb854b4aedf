//! What compares the database with a whole configuration is left to processes of the newest one.

use silta::{app::App, background::notifications::AlertMonitor};

use crate::harness::{TestSilta, secs};

/// A Silta, and a newer process that also names the store `other`, of which one task is dead and alerted.
async fn start_beside_a_newer_one() -> (TestSilta, App) {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let (newer, _vendors) = silta.start_second_store().await;
    sqlx::query(
        "insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
         values (gen_random_uuid(), 'other', 'stock', 'stock:Z', 'dead', 'refused', 1, now(), now(), now())",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    newer.alerts.check_and_notify().await.unwrap();
    silta.clock.advance(secs(3600));
    newer.alerts.check_and_notify().await.unwrap();
    assert_eq!(open_alerts(&silta).await, 1);
    (silta, newer)
}

/// How many alerts of dead tasks of `other` are open.
async fn open_alerts(silta: &TestSilta) -> i64 {
    silta.count("alert where connection = 'other' and kind = 'dead' and closed_at is null").await
}

async fn check_after(silta: &TestSilta, monitor: &AlertMonitor, seconds: u64) {
    silta.clock.advance(secs(seconds));
    monitor.check_and_notify().await.unwrap();
}

#[tokio::test]
async fn older_configuration_closes_no_alert_of_a_new_connection() {
    let (silta, newer) = start_beside_a_newer_one().await;
    for _ in 0..20 {
        check_after(&silta, &newer.alerts, 15).await;
        check_after(&silta, &silta.alerts, 15).await;
    }
    assert_eq!(open_alerts(&silta).await, 1, "ten minutes beside each other");
}

/// The clocks of the two may say anything: only the older one's own time passes.
#[tokio::test]
async fn older_configuration_goes_on_once_the_newer_one_has_no_process() {
    let (silta, newer) = start_beside_a_newer_one().await;
    silta.clock.step(chrono::Duration::days(1));
    check_after(&silta, &silta.alerts, 1).await;
    check_after(&silta, &silta.alerts, 299).await;
    assert_eq!(open_alerts(&silta).await, 1, "the counter was the same for less than five minutes");
    check_after(&silta, &silta.alerts, 2).await;
    assert_eq!(open_alerts(&silta).await, 0, "nobody else knows the connection");
    // The other one was only suspended: now it is the older one.
    check_after(&silta, &newer.alerts, 30).await;
    check_after(&silta, &newer.alerts, 30).await;
    assert_eq!(open_alerts(&silta).await, 0);
}

#[tokio::test]
async fn older_configuration_asks_for_no_syncs_and_watches_no_subscriptions() {
    let (silta, newer) = start_beside_a_newer_one().await;
    assert_eq!(silta.syncer.run_due().await.unwrap(), 0);
    assert_eq!(silta.subscriptions.watched().await.len(), 0);
    assert_eq!(newer.subscriptions.watched().await.len(), 2);
    assert!(newer.syncer.run_due().await.unwrap() > 0);
    silta.adopt_configuration().await;
    assert_eq!(
        (silta.subscriptions.watched().await.len(), newer.subscriptions.watched().await.len()),
        (1, 0)
    );
}

#[tokio::test]
async fn replicas_with_ports_of_their_own_have_one_configuration() {
    let silta = TestSilta::start().await;
    let replica = silta.second_process_with(&[("SILTA__HTTP__LISTEN", "127.0.0.1:9")]);
    replica.prepare().await.unwrap();
    replica.adopt_configuration().await.unwrap();
    assert_eq!(silta.count("configuration where generation = 1").await, 1);
    assert_eq!(
        (silta.subscriptions.watched().await.len(), replica.subscriptions.watched().await.len()),
        (1, 1)
    );
    let newer = silta.second_process(&[("stock.buffer", "2")]);
    newer.adopt_configuration().await.unwrap();
    assert_eq!(silta.count("configuration where generation = 2").await, 1);
    assert_eq!(
        (silta.subscriptions.watched().await.len(), newer.subscriptions.watched().await.len()),
        (0, 1)
    );
}

/// A database that was restored from before the first process, or a row that somebody has removed.
#[tokio::test]
async fn missing_row_is_written_by_the_first_that_looks() {
    let (silta, newer) = start_beside_a_newer_one().await;
    sqlx::query("delete from configuration").execute(&silta.pool).await.unwrap();
    assert_eq!(newer.subscriptions.watched().await.len(), 2);
    assert_eq!(silta.subscriptions.watched().await.len(), 0);
}
