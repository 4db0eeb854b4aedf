//! The page of connections: what is in effect, and what an operator may ask there.

use reqwest::StatusCode;
use silta::{
    dev::sandbox::OrderSpec,
    domain::{Timestamp, switch::Switch},
};

use crate::{
    harness::{CONNECTION, OPERATOR, TestOptions, TestSilta, VIEWER, secs},
    web::session::Session,
};

#[tokio::test]
async fn settings_in_effect_are_shown_without_secrets() {
    let silta =
        TestSilta::start_with(TestOptions { service: "", connection: "[connections.stock]\nbuffer = 7\n" })
            .await;
    for token in [OPERATOR, VIEWER] {
        let page = Session::with(&silta, token).await.get("/connections").await.text().await.unwrap();
        assert!(page.contains("stock.buffer") && page.contains(">7</span>"), "a value of the file");
        assert!(page.contains("File, line"), "where it stands");
        assert!(
            page.contains("mycashflow.api_key") && page.contains("•••••••• set"),
            "a secret is only said to be set"
        );
        for secret in secrets(&silta) {
            assert!(!page.contains(&secret), "a secret on the page");
        }
    }
}

/// The values of the configuration that nobody may see, as the sandbox made them up.
fn secrets(silta: &TestSilta) -> Vec<String> {
    let configuration = silta.sandbox.connection_toml(CONNECTION);
    let secret = ["api_key", "secret_token", "client_secret", "webhook_token", "secrets", "webhook_keys"];
    let lines = configuration.lines().filter_map(|line| line.split_once(" = "));
    let values = lines.filter(|(key, _)| secret.contains(key)).map(|(_, value)| value);
    let values: Vec<_> =
        values.flat_map(|value| value.split('"').skip(1).step_by(2).map(str::to_owned)).collect();
    assert!(values.len() >= 3, "{values:?}");
    values
}

#[tokio::test]
async fn list_is_polled_when_an_operator_asks() {
    let silta = TestSilta::start().await;
    silta.run_until_idle().await;
    sqlx::query("update poll set due_at = now() + interval '1 day', last_started_at = null")
        .execute(&silta.pool)
        .await
        .unwrap();
    let form = [("connection", CONNECTION), ("ask", "poll"), ("what", "orders")];
    let due = "select due_at <= $1 from poll where connection = 'shop' and what = 'orders'";
    let is_due = async || {
        let due: bool = sqlx::query_scalar(due).bind(silta.now()).fetch_one(&silta.pool).await.unwrap();
        due
    };
    let viewer = Session::with(&silta, VIEWER).await;
    assert_eq!(viewer.submit("/connections", &form).await.status(), StatusCode::FORBIDDEN);
    assert!(!is_due().await, "a viewer changes nothing");
    let operator = Session::with(&silta, OPERATOR).await;
    assert_eq!(operator.submit("/connections", &form).await.status(), StatusCode::SEE_OTHER);
    assert!(is_due().await);
    let audit = operator.get("/audit").await.text().await.unwrap();
    assert!(audit.contains("Asked for the lists to be read now"), "{audit}");
    let unknown = [("connection", CONNECTION), ("ask", "poll"), ("what", "secrets")];
    assert_eq!(operator.submit("/connections", &unknown).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn switches_say_what_to_write_and_what_happens_then() {
    let silta = TestSilta::start_with_env(
        TestOptions { service: "", connection: "[connections.stock]\nupdate = \"manual\"\n" },
        &[("SILTA__CONNECTIONS__SHOP__ORDERS__TRANSFER", "manual")],
    )
    .await;
    silta.place_order(OrderSpec::of("A", 1)).await;
    let operator = Session::with(&silta, OPERATOR).await;
    let page = operator.get("/connections").await.text().await.unwrap();
    for shown in [
        "1 order waits for it. It is then offered on this page",
        "The next sync sends or writes what is left by then",
        "0 stock figures wait for it",
        "An environment variable sets it",
        "SILTA__CONNECTIONS__SHOP__ORDERS__TRANSFER=automatic",
        "[connections.stock] # of the connection shop\nupdate = &quot;automatic&quot;\n# update = &quot;off&quot;",
        "[connections.products] # of the connection shop\nupload = &quot;manual&quot;",
        "now on line",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    // What the page says to write is what changes it.
    let variable = ("SILTA__CONNECTIONS__SHOP__ORDERS__TRANSFER", "automatic");
    let next = silta.second_process_with(&[variable]);
    assert_eq!(next.clients.find("shop").unwrap().switches().orders, Switch::Automatic);
    let viewer = Session::with(&silta, VIEWER).await.get("/connections").await.text().await.unwrap();
    assert!(viewer.contains("by hand") && !viewer.contains("SILTA__CONNECTIONS"), "{viewer}");
    let finnish = operator.in_finnish().get("/connections").await.text().await.unwrap();
    assert!(finnish.contains("1 tilaus odottaa sitä") && finnish.contains("yhteyden shop"), "{finnish}");
}

#[tokio::test]
async fn connection_that_writes_nothing_says_that_it_only_watches() {
    let all = [("orders.transfer", "off"), ("products.upload", "off"), ("stock.update", "off")];
    let silta = TestSilta::start_with_settings(&all).await;
    let page = Session::with(&silta, VIEWER).await.get("/connections").await.text().await.unwrap();
    assert!(page.contains("this connection only watches"), "{page}");
}

#[tokio::test]
async fn syncs_show_their_last_run_and_the_next() {
    let silta = TestSilta::start_with_settings(&[("polls.sync", "1h")]).await;
    let session = Session::with(&silta, OPERATOR).await;
    let page = session.get("/connections").await.text().await.unwrap();
    assert!(page.contains("Schedule of syncs") && page.contains("Not run yet"), "{page}");
    silta.syncer.run_due().await.unwrap();
    let requested: Timestamp = silta.scalar("select max(created_at) from sync where what = 'stock'").await;
    let next = (requested + secs(3600)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    for path in ["/connections", "/syncs", "/syncs?connection=shop"] {
        let page = session.get(path).await.text().await.unwrap();
        assert_eq!(page.matches(&format!("datetime=\"{next}\"")).count(), 3, "{path}: {page}");
    }
    // A failed one is tried again sooner than the schedule says, and what has passed is due.
    let failed = "update sync set state = 'failed', error = 'vendor_failed', created_at = created_at - interval '2 hours'
                  where what = 'stock'";
    sqlx::query(failed).execute(&silta.pool).await.unwrap();
    let page = session.get("/syncs").await.text().await.unwrap();
    assert_eq!(page.matches(&format!("datetime=\"{next}\"")).count(), 2, "{page}");
    let never = TestSilta::start_with_settings(&[("polls.sync", "0s")]).await;
    let page = Session::with(&never, VIEWER).await.get("/syncs").await.text().await.unwrap();
    assert_eq!(page.matches("Not scheduled").count(), 3, "{page}");
}

#[tokio::test]
async fn last_order_and_oldest_due_task_are_shown() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let session = Session::with(&silta, VIEWER).await;
    let page = session.get("/connections").await.text().await.unwrap();
    assert!(page.contains("None yet") && page.contains("Oldest due task"), "{page}");
    silta.place_order(OrderSpec::of("A", 1)).await;
    let came = silta.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    silta.clock.advance(secs(600));
    let due = silta.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.clock.advance(secs(60));
    let page = session.get("/connections").await.text().await.unwrap();
    for (name, at) in [("Last order received", came), ("Oldest due task", due)] {
        let figure = page.split(name).nth(1).unwrap().split("</dd>").next().unwrap();
        assert!(figure.contains(&format!("datetime=\"{at}\"")), "{name} {at}: {figure}");
    }
}
