//! The page of connections: what is in effect, and what an operator may ask there.

use reqwest::StatusCode;

use crate::{
    harness::{CONNECTION, OPERATOR, TestOptions, TestSilta, VIEWER},
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
        assert!(page.contains("file, line"), "where it stands");
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
    assert!(audit.contains("asked for the lists to be read now"), "{audit}");
    let unknown = [("connection", CONNECTION), ("ask", "poll"), ("what", "secrets")];
    assert_eq!(operator.submit("/connections", &unknown).await.status(), StatusCode::NOT_FOUND);
}
