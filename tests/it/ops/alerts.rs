//! Alerts: what raises each kind, and when orders are missing.

use serde_json::Value;
use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::{TestSilta, secs},
    ops::channel::start_with_channels,
};

/// Each kind is raised by its cause, and each has a heading in the runbook.
#[tokio::test]
async fn every_alert_kind_opens_and_closes() {
    let (mut silta, alerts) = start_with_channels("").await;
    silta.leave_unfinished();
    silta.poll().await;
    silta.run_until_idle().await;
    alerts.check_and_notify().await.unwrap();
    assert_eq!(silta.count("alert").await, 0, "nothing is wrong");

    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.clock.advance(secs(4 * 3600)); // the task is overdue and the polls are late
    for _ in 0..10 {
        assert_eq!(post_wrong_signature(&silta).await.0, 401);
    }
    silta.key_usage.flush(&silta.pool).await.unwrap();
    for sql in [
        "insert into subscription (id, connection, source, topic, remote_id, url, created_by, created_at, seen_at)
         values (gen_random_uuid(), 'shop', 'ogoship', 'OrderShipped', 'x', 'u', 'ops', 'epoch', 'epoch')",
        "insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
         values (gen_random_uuid(), 'shop', 'stock', 'stock:Z', 'dead', 'refused', 1, now(), now(), now())",
        "update connection set braked_at = now(), brake_detail = '9 of 10'",
        "insert into poll_gap (connection, what, starts_at, ends_at, found_at, attempts, due_at)
         values ('shop', 'orders', 'epoch', 'epoch', 'epoch', 5, 'epoch')",
    ] {
        sqlx::query(sql).execute(&silta.pool).await.unwrap();
    }
    alerts.check_and_notify().await.unwrap();
    let kinds = |rows: &crate::harness::Answer| {
        let mut kinds: Vec<_> =
            rows.items().iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        kinds
    };
    let listed = silta.api.get("/admin/v1/alerts?open=true").await;
    let expected = [
        "backlog_old",
        "dead",
        "list_gap",
        "poll_stopped",
        "stock_braked",
        "subscription_gone",
        "webhooks_refused",
    ];
    assert_eq!(kinds(&listed), expected);

    // An open circuit suppresses the backlog alert: one cause sends one alert.
    sqlx::query("update connection set circuit_open_until = $1, circuit_reason = 'vendor_down'")
        .bind(silta.now() + secs(9))
        .execute(&silta.pool)
        .await
        .unwrap();
    alerts.check_and_notify().await.unwrap();
    let listed = kinds(&silta.api.get("/admin/v1/alerts?open=true").await);
    assert!(listed.contains(&"circuit_open".to_owned()) && !listed.contains(&"backlog_old".to_owned()));

    let runbook = include_str!("../../../docs/runbook.md");
    let rules = include_str!("../../../deploy/prometheus/alerts.yaml");
    for kind in silta::domain::alert::AlertKind::ALL {
        assert!(runbook.contains(&format!("\n### {}\n", kind.as_str())), "{kind:?} has no heading");
    }
    assert!(rules.contains("runbook_url"));
}

/// A shop that cannot list one order: found by a poll, read again for half an hour, then an alert until it can be read.
#[tokio::test]
async fn gap_that_stays_raises_an_alert_until_it_is_read() {
    let (silta, alerts) = start_with_channels("").await;
    silta.poll().await;
    silta.clock.advance(secs(3600));
    let bad = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.shop.fail_lists_with(Some(bad));
    let open = async || {
        alerts.check_and_notify().await.unwrap();
        let listed = silta.api.get("/admin/v1/alerts?open=true").await;
        let alert =
            |it: &Value| (it["kind"].as_str().unwrap().to_owned(), it["detail"].as_str().unwrap().to_owned());
        listed.items().iter().map(alert).collect::<Vec<_>>()
    };
    let mut read_in_vain = 0;
    for _ in 0..60 {
        silta.clock.advance(secs(600));
        silta.poll().await;
        let attempts: Option<i32> = silta.scalar("select max(attempts) from poll_gap").await;
        read_in_vain = attempts.expect("a gap");
        if read_in_vain == 5 {
            break;
        }
        assert!(open().await.is_empty(), "read again {read_in_vain} times");
    }
    assert_eq!(read_in_vain, 5);
    let alert = open().await;
    assert_eq!(alert.len(), 1, "{alert:?}");
    let (kind, detail) = &alert[0];
    assert_eq!(kind, "list_gap");
    // "orders 2026-09-21T15:12Z – 15:13Z"
    let stretch = detail.strip_prefix("orders ").unwrap();
    let (from, to) = stretch.split_once(" – ").unwrap();
    let minute = |text: &str| text.parse::<silta::domain::Timestamp>().unwrap();
    let from = minute(&from.replace('Z', ":00Z"));
    let to = minute(&format!("{}T{}", from.format("%Y-%m-%d"), to.replace('Z', ":59Z")));
    let placed_at = silta.shop.order(bad).unwrap().created_at;
    assert!(
        (from..=to).contains(&placed_at) && to - from < chrono::Duration::minutes(3),
        "{detail}: {placed_at}"
    );

    silta.shop.fail_lists_with(None);
    silta.clock.advance(secs(6 * 3600));
    silta.poll().await;
    silta.run_until_idle().await;
    assert!(open().await.is_empty(), "the gap is read");
    assert_eq!(silta.warehouse_count(bad), 1);
}

/// Nobody acts on them: a paused connection's begin again when it goes on, a removed one's are over.
#[tokio::test]
async fn alerts_of_paused_and_removed_connections_close() {
    let (mut silta, alerts) = start_with_channels("").await;
    silta.leave_unfinished();
    let (other, _vendors) = silta.start_second_store().await;
    for sql in [
        "insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
         select gen_random_uuid(), name, 'stock', 'stock:Z', 'dead', 'refused', 1, now(), now(), now() from connection",
        "insert into subscription (id, connection, source, topic, remote_id, url, created_by, created_at, seen_at)
         select gen_random_uuid(), name, 'ogoship', 'OrderShipped', name, 'u', 'ops', 'epoch', 'epoch' from connection",
        "update connection set braked_at = now(), brake_detail = '9 of 10'",
    ] {
        sqlx::query(sql).execute(&silta.pool).await.unwrap();
    }
    let open = async |monitor: &silta::background::notifications::AlertMonitor| {
        monitor.check_and_notify().await.unwrap();
        silta.clock.advance(secs(3600));
        monitor.check_and_notify().await.unwrap();
        let listed = silta.api.get("/admin/v1/alerts?open=true").await;
        let mut names: Vec<_> = listed
            .items()
            .iter()
            .map(|it| format!("{} {}", it["connection"].as_str().unwrap(), it["kind"].as_str().unwrap()))
            .filter(|name| !name.ends_with("poll_stopped"))
            .collect();
        names.sort();
        names
    };
    let kinds = ["dead", "stock_braked", "subscription_gone"];
    let of = |connections: &[&str]| -> Vec<String> {
        connections.iter().flat_map(|name| kinds.map(|kind| format!("{name} {kind}"))).collect()
    };
    assert_eq!(open(&other.alerts).await, of(&["other", "shop"]));
    let paused = silta.api.post("/admin/v1/connections/shop/pause", serde_json::json!({})).await;
    assert!(paused.status < 300, "{}", paused.body);
    assert_eq!(open(&other.alerts).await, of(&["other"]), "the paused one's are closed");
    let resumed = silta.api.post("/admin/v1/connections/shop/resume", serde_json::json!({})).await;
    assert!(resumed.status < 300, "{}", resumed.body);
    // The first process's configuration does not name the other store.
    silta.adopt_configuration().await;
    assert_eq!(open(&alerts).await, of(&["shop"]), "the removed one's are closed");
}

async fn post_wrong_signature(silta: &TestSilta) -> (u16, Value) {
    let url = format!("{}/webhooks/ogoship/shop", silta.api.url);
    let request = reqwest::Client::new().post(url).header("X-OGOship-Hmac-SHA256", "AAAA").body("{}");
    let answer = crate::harness::answer(request).await;
    (answer.status, answer.body)
}

/// Nine a day for as long as anybody likes, or more of them with genuine ones in between.
#[tokio::test]
async fn few_forged_webhooks_raise_no_alert() {
    let (silta, alerts) = start_with_channels("").await;
    silta.poll().await;
    let forge = async |count: usize| {
        for _ in 0..count {
            assert_eq!(post_wrong_signature(&silta).await.0, 401);
        }
        silta.key_usage.flush(&silta.pool).await.unwrap();
        alerts.check_and_notify().await.unwrap();
        silta.count("alert where kind = 'webhooks_refused' and closed_at is null").await
    };
    assert_eq!(forge(9).await, 0);
    silta.clock.advance(secs(25 * 3600));
    assert_eq!(forge(9).await, 0, "those of the day before are over");
    let stock = silta::dev::sandbox::Webhook::raw_from_warehouse(br#"{"type":"SomethingNew","value":1}"#);
    silta.clock.advance(secs(60));
    let accepted = silta.webhook_sender.send(&stock).await.expect("an answer");
    assert_eq!(accepted.0, 200);
    silta.key_usage.flush(&silta.pool).await.unwrap();
    silta.clock.advance(secs(60));
    assert_eq!(forge(9).await, 0, "one was accepted in between");
    assert_eq!(forge(1).await, 1, "the tenth since then");
}

#[tokio::test]
async fn missing_orders_raise_the_silence_alert() {
    let (mut silta, alerts) = start_with_channels("").await;
    silta.leave_unfinished();
    // An order every ten minutes for weeks, then none for six hours.
    sqlx::query("update connection set created_at = $1 - interval '40 days'")
        .bind(silta.now())
        .execute(&silta.pool)
        .await
        .unwrap();
    sqlx::query(
        "insert into subject_state (connection, subject, seen_at, status, first_task_id)
         select 'shop', 'order:' || n, $1, 'delivered', (
             lpad(to_hex((extract(epoch from $1 - interval '6 hours' - n * interval '10 minutes') * 1000)::bigint), 12, '0')
             || '70008000' || lpad(to_hex(n), 12, '0'))::uuid
         from generate_series(0, 5000) n",
    )
    .bind(silta.now())
    .execute(&silta.pool)
    .await
    .unwrap();
    alerts.check_and_notify().await.unwrap();
    let listed = silta.api.get("/admin/v1/alerts?open=true").await;
    let kinds: Vec<_> = listed.items().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"silent"), "{kinds:?}");
}

#[tokio::test]
async fn silence_is_judged_by_the_order_rate() {
    let silta = TestSilta::start().await;
    let order_rate = async || silta.api.get("/admin/v1/connections/shop").await.body["order_rate"].clone();
    // Three weeks of twelve orders every morning and none at night.
    for _ in 0..21 {
        for _ in 0..12 {
            silta.clock.advance(secs(1200));
            silta.place_order(OrderSpec::of("A", 1).unpaid()).await;
        }
        silta.clock.advance(secs(20 * 3600));
        assert_eq!(order_rate().await["is_suspicious"], false, "nights have no orders");
    }
    silta.clock.advance(secs(4 * 3600 - 60));
    let quiet = order_rate().await;
    assert_eq!(quiet["is_suspicious"], true, "a morning without orders: {quiet}");
    let metrics = silta.api.get("/metrics").await.body.as_str().unwrap().to_owned();
    let line =
        metrics.lines().find(|line| line.starts_with("silta_orders_missed{connection=\"shop\"}")).unwrap();
    assert!(line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() >= 7.0, "{line}");
}
