//! What an operator has a connection's vendors asked from its page: the test, the registration of webhooks, the detection of a
//! signature.

use reqwest::StatusCode;
use serde_json::json;
use silta::{
    dev::sandbox::{Fault, WebhookSender},
    domain::connection_work::WorkKind,
    store::connection_work,
};

use crate::{
    harness::{CONNECTION, OPERATOR, TestOptions, TestSilta, VIEWER, secs, wait_until},
    inbox::keys::post_with_headers,
    web::session::Session,
};

const PAGE: &str = "/connections?connection=shop";

const PUBLIC_URL: TestOptions =
    TestOptions { service: "[http]\npublic_url = \"https://silta.invalid\"\n", connection: "" };

impl TestSilta {
    /// Asks for something on the page, and waits until what was asked for has ended.
    async fn ask_and_wait(&self, session: &Session, ask: &str) -> String {
        assert_eq!(press(session, ask).await, StatusCode::SEE_OTHER, "{ask}");
        self.wait_for_work().await;
        session.get(PAGE).await.text().await.unwrap()
    }

    async fn wait_for_work(&self) {
        wait_until("it has ended", async || {
            self.count("connection_work where finished_at is null").await == 0
        })
        .await;
    }

    /// Calls of both vendors so far.
    fn vendor_calls(&self) -> usize {
        let servers = [&self.sandbox.shop_server, &self.sandbox.warehouse_server];
        servers
            .iter()
            .map(|it| ["GET", "POST", "DELETE"].map(|verb| it.calls.count(verb, "")).iter().sum::<usize>())
            .sum()
    }
}

async fn press(session: &Session, ask: &str) -> StatusCode {
    session.submit("/connections", &[("connection", CONNECTION), ("ask", ask)]).await.status()
}

#[tokio::test]
async fn test_of_a_connection_shows_each_check_and_changes_nothing() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "Kahvi", 5);
    let viewer = Session::with(&silta, VIEWER).await;
    assert_eq!(press(&viewer, "test").await, StatusCode::FORBIDDEN);
    let operator = Session::with(&silta, OPERATOR).await;
    let form = [("connection", CONNECTION), ("ask", "test")];
    let foreign = operator.post_form("/connections", &form, "cross-site").await;
    assert_eq!(foreign.status(), StatusCode::BAD_REQUEST);
    let unknown = operator.submit("/connections", &[("connection", "other"), ("ask", "test")]).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert_eq!((silta.vendor_calls(), silta.count("connection_work").await), (0, 0), "nobody may ask so");

    let page = silta.ask_and_wait(&operator, "test").await;
    for shown in [
        "Test of the connection",
        "The shop and its key",
        "answers; 1 products",
        "The warehouse and its key",
        "The order endpoints of v0 answer",
        "No rule for",
        "0 s from the warehouse",
        "Not checked: http.public_url is not set",
        "Every product code is unique and usable",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert_eq!((silta.shop.writes(), silta.warehouse.orders().len()), (0, 0), "it only reads");
    assert_eq!(silta.count("audit where action = 'connection.test' and actor = 'ops'").await, 1);
    // Nothing secret, and nobody's e-mail address, is shown or stored.
    let stored: String = silta.scalar("select checks::text from connection_work").await;
    let seen = viewer.get(PAGE).await.text().await.unwrap();
    for private in
        ["sandbox-api-key", "sandbox-secret-token", "abcdef", "sandbox-token", "083c584d", "api@sandbox"]
    {
        assert!(![&page, &stored, &seen].iter().any(|text| text.contains(private)), "{private}");
    }
    assert!(seen.contains("The shop and its key") && !seen.contains("value=\"test\""), "{seen}");
    let finnish = operator.in_finnish().get(PAGE).await.text().await.unwrap();
    for shown in
        ["Yhteyden testi", "Kauppa ja sen avain", "vastaa; 1 tuotetta", "Ei tarkistettu: julkista osoitetta"]
    {
        assert!(finnish.contains(shown), "{shown}: {finnish}");
    }
    assert!(!finnish.contains("The shop and") && !finnish.contains("not checked"), "{finnish}");
}

#[tokio::test]
async fn wrong_key_is_one_failure_with_its_remedy() {
    let silta = TestSilta::start().await;
    let operator = Session::with(&silta, OPERATOR).await;
    silta.sandbox.shop_server.faults.set_everywhere(Some(Fault::Status(401)));
    let page = silta.ask_and_wait(&operator, "test").await;
    assert!(
        page.contains("answered 401") && page.contains("mycashflow.api_key the key of that user"),
        "{page}"
    );
    assert_eq!(page.matches("Not checked: the check of the shop failed").count(), 3, "{page}");
    let finnish = Session::with(&silta, OPERATOR).await.in_finnish().get(PAGE).await.text().await.unwrap();
    assert!(
        finnish.contains("ei hyväksy avainta (401)") && finnish.contains("API-käyttäjän sähköposti"),
        "{finnish}"
    );

    // What a vendor says of it is for operators.
    let refused = Fault::Refuse(403, "{\"message\":\"ask Matti about it\"}");
    silta.sandbox.shop_server.faults.set_everywhere(Some(refused));
    let page = silta.ask_and_wait(&operator, "test").await;
    assert!(page.contains("a right is missing") && page.contains("ask Matti about it"), "{page}");
    let seen = Session::with(&silta, VIEWER).await.get(PAGE).await.text().await.unwrap();
    assert!(seen.contains("answered 403") && !seen.contains("Matti"), "{seen}");
}

#[tokio::test]
async fn vendor_that_is_down_is_said_and_then_left_alone() {
    let silta = TestSilta::start().await;
    let operator = Session::with(&silta, OPERATOR).await;
    silta.sandbox.warehouse_server.set_online(false);
    let page = silta.ask_and_wait(&operator, "test").await;
    assert!(page.contains("Nothing listens at 127.0.0.1") && page.contains("Check host and port"), "{page}");
    assert!(page.contains("Not checked: the check of the warehouse failed"), "{page}");

    let calls = silta.vendor_calls();
    for (state, shown) in [
        (
            "circuit_open_until = now() + interval '10 years', circuit_reason = 'vendor_down'",
            "the connection is down",
        ),
        ("paused_at = now(), paused_by = 'ops'", "the connection is paused"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(format!("update connection set {state}")))
            .execute(&silta.pool)
            .await
            .unwrap();
        let page = silta.ask_and_wait(&operator, "test").await;
        assert_eq!(page.matches(&format!("Not checked: {shown}")).count(), 6, "{shown}: {page}");
        assert_eq!(silta.vendor_calls(), calls, "{shown}: it was asked");
    }
}

#[tokio::test]
async fn second_test_waits_for_the_first() {
    let silta = TestSilta::start().await;
    let operator = Session::with(&silta, OPERATOR).await;
    let (shop, warehouse) = (&silta.sandbox.shop_server, &silta.sandbox.warehouse_server);
    shop.faults.set_everywhere(Some(Fault::Hang));
    warehouse.faults.set_everywhere(Some(Fault::Hang));
    assert_eq!(press(&operator, "test").await, StatusCode::SEE_OTHER);
    wait_until("the shop is asked", async || shop.calls.count("GET", "/products") > 0).await;
    let in_transaction =
        "pg_stat_activity where datname = current_database() and state like 'idle in transaction%'";
    assert_eq!(silta.count(in_transaction).await, 0, "a transaction is open across the call");
    let refused = operator.submit("/connections", &[("connection", CONNECTION), ("ask", "test")]).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let text = refused.text().await.unwrap();
    assert!(text.contains("This is running already"), "{text}");
    assert_eq!(
        silta.count("audit where action = 'connection.test'").await,
        1,
        "of that one nothing is recorded"
    );
    let page = operator.get(PAGE).await.text().await.unwrap();
    assert!(page.contains("The test is running") && page.contains("data-refresh"), "{page}");
    silta.wait_for_work().await;
    shop.faults.set_everywhere(None);
    warehouse.faults.set_everywhere(None);

    // A process that dies leaves its test unfinished. It is said so, and blocks the next one no longer than its time.
    let unfinished = "update connection_work set finished_at = null, checks = null";
    sqlx::query(unfinished).execute(&silta.pool).await.unwrap();
    assert_eq!(press(&operator, "test").await, StatusCode::CONFLICT);
    silta.clock.advance(secs(90));
    let page = operator.get(PAGE).await.text().await.unwrap();
    assert!(page.contains("It did not end"), "{page}");
    let page = silta.ask_and_wait(&operator, "test").await;
    assert!(page.contains("The shop and its key"), "{page}");
    // Its result, come late, is not that of the newer one.
    let mut db = silta.outside_connection().await;
    let late = (CONNECTION, WorkKind::Test, uuid::Uuid::nil());
    sqlx::query(unfinished).execute(&silta.pool).await.unwrap();
    assert!(!connection_work::finish(&mut db, late, &json!([]), silta.now()).await.unwrap());
    // One that was begun under a clock far ahead blocks nothing.
    sqlx::query("update connection_work set ends_by = requested_at + interval '1 year'")
        .execute(&silta.pool)
        .await
        .unwrap();
    silta.ask_and_wait(&operator, "test").await;
}

#[tokio::test]
async fn result_of_another_version_is_called_unreadable() {
    let silta = TestSilta::start().await;
    let operator = Session::with(&silta, OPERATOR).await;
    silta.ask_and_wait(&operator, "test").await;
    let checks =
        r#"update connection_work set checks = '[{"name": "moon", "result": "good", "found": "full"}]'"#;
    sqlx::query(checks).execute(&silta.pool).await.unwrap();
    let page = operator.get(PAGE).await.text().await.unwrap();
    assert!(page.contains("Another version of Silta wrote the result"), "{page}");
}

#[tokio::test]
async fn webhooks_are_registered_from_the_page() {
    let silta = TestSilta::start_with(PUBLIC_URL).await;
    let operator = Session::with(&silta, OPERATOR).await;
    let page = operator.get(PAGE).await.text().await.unwrap();
    for shown in [
        "This changes both sides",
        "order.created",
        "OrderShipped, ProductStockLevelChanged",
        "https://silta.invalid/webhooks/mycashflow/shop/…",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let viewer = Session::with(&silta, VIEWER).await;
    assert_eq!(press(&viewer, "register").await, StatusCode::FORBIDDEN);
    let seen = viewer.get(PAGE).await.text().await.unwrap();
    assert!(!seen.contains("This changes both sides"), "{seen}");
    assert_eq!(silta.vendor_calls(), 0, "looking registers nothing");

    let page = silta.ask_and_wait(&operator, "register").await;
    assert!(page.contains("Registered: mycashflow order.created, ogoship OrderShipped"), "{page}");
    assert!(page.contains("1 at the shop, 2 at the warehouse call https://silta.invalid"), "{page}");
    assert_eq!((silta.shop.subscriptions().len(), silta.warehouse.subscriptions().len()), (1, 2));
    let [uuid, ..] = silta.shop.subscriptions()[0].clone();
    let key = silta.warehouse.subscriptions()[0][3].clone();
    let stored: String = silta.scalar("select checks::text from connection_work").await;
    for secret in [&uuid, &key, "sandbox-token"] {
        assert!(!page.contains(secret) && !stored.contains(secret), "a secret is shown");
    }
    assert_eq!(silta.count("subscription where created_by = 'ops'").await, 3);
    assert_eq!(silta.count("audit where action = 'webhooks.register' and actor = 'ops'").await, 1);
    let page = silta.ask_and_wait(&operator, "register").await;
    assert!(page.contains("Every subscription existed already"), "{page}");
    assert_eq!((silta.shop.subscriptions().len(), silta.warehouse.subscriptions().len()), (1, 2), "once");
}

#[tokio::test]
async fn registration_that_fails_half_way_shows_both_halves() {
    let silta = TestSilta::start_with(PUBLIC_URL).await;
    let operator = Session::with(&silta, OPERATOR).await;
    silta.sandbox.warehouse_server.faults.script("POST", "/webhooks", Fault::Status(500));
    let page = silta.ask_and_wait(&operator, "register").await;
    assert!(page.contains("answered 500") && page.contains("The fault is at OGOship"), "{page}");
    assert_eq!(
        (silta.shop.subscriptions().len(), silta.count("subscription").await),
        (1, 1),
        "what was made is kept"
    );
    let page = silta.ask_and_wait(&operator, "register").await;
    assert!(page.contains("Registered: ogoship OrderShipped"), "{page}");
    assert_eq!((silta.shop.subscriptions().len(), silta.warehouse.subscriptions().len()), (1, 2));
}

#[tokio::test]
async fn nothing_is_registered_where_that_could_not_work() {
    let silta = TestSilta::start().await;
    let operator = Session::with(&silta, OPERATOR).await;
    let refusal = async |session: &Session| {
        let answer = session.submit("/connections", &[("connection", CONNECTION), ("ask", "register")]).await;
        assert_eq!(answer.status(), StatusCode::CONFLICT);
        answer.text().await.unwrap()
    };
    assert!(refusal(&operator).await.contains("http.public_url is empty"));
    let silta = TestSilta::start_with_env(PUBLIC_URL, &[("SILTA__SECRETS__KEYS", "[]")]).await;
    let operator = Session::with(&silta, OPERATOR).await;
    assert!(refusal(&operator).await.contains("Without a [secrets] key"), "its key would be lost");
    let silta = TestSilta::start_with(PUBLIC_URL).await;
    let operator = Session::with(&silta, OPERATOR).await;
    for (state, shown) in [
        ("circuit_open_until = now() + interval '10 years', circuit_reason = 'vendor_down'", "is down"),
        (
            "paused_at = now(), paused_by = 'ops', circuit_open_until = null, circuit_reason = null",
            "is paused",
        ),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(format!("update connection set {state}")))
            .execute(&silta.pool)
            .await
            .unwrap();
        assert!(refusal(&operator).await.contains(shown), "{shown}");
    }
    assert_eq!((silta.vendor_calls(), silta.count("audit").await), (0, 0));
}

#[tokio::test]
async fn signature_is_detected_from_the_page() {
    let silta = TestSilta::start().await;
    let viewer = Session::with(&silta, VIEWER).await;
    let form = [("connection", CONNECTION), ("ask", "detect"), ("sender", "mycashflow")];
    assert_eq!(viewer.submit("/connections", &form).await.status(), StatusCode::FORBIDDEN);
    let operator = Session::with(&silta, OPERATOR).await;
    let unknown = [("connection", CONNECTION), ("ask", "detect"), ("sender", "poll")];
    assert_eq!(operator.submit("/connections", &unknown).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(silta.count("signature_detection").await, 0);
    assert_eq!(operator.submit("/connections", &form).await.status(), StatusCode::SEE_OTHER);
    let page = operator.get(PAGE).await.text().await.unwrap();
    assert!(page.contains("Waiting for a rejected webhook until"), "{page}");

    let body = r#"{"topic":"order.created","data":{"id":1}}"#;
    let path = "/webhooks/mycashflow/shop/sandbox-token-4f1d";
    let forged = "0".repeat(64);
    assert_eq!(post_with_headers(&silta, path, &[("x-forged", &forged)], body).await.status, 401);
    let page = operator.get(PAGE).await.text().await.unwrap();
    assert!(page.contains("no known key has signed") && page.contains("x-forged"), "{page}");
    assert_eq!(
        operator.submit("/connections", &form).await.status(),
        StatusCode::CONFLICT,
        "what has come is kept"
    );
    let seen = viewer.get(PAGE).await.text().await.unwrap();
    assert!(!seen.contains("x-forged"), "anybody may have written it: {seen}");

    silta.clock.advance(secs(1));
    let (_, right) = WebhookSender::signature(&silta::dev::sandbox::Webhook::raw_from_shop(body.as_bytes()));
    assert_eq!(post_with_headers(&silta, path, &[("x-mcf-hmac", &right)], body).await.status, 401);
    let page = operator.get(PAGE).await.text().await.unwrap();
    assert!(
        page.contains("This is how it is signed") && page.contains("header = &quot;x-mcf-hmac&quot;"),
        "{page}"
    );
    assert!(!page.contains(&right) && !page.contains("083c584d"), "a value is shown");
    assert_eq!(silta.count("audit where action = 'webhooks.detect'").await, 1);
    assert_eq!(operator.submit("/connections", &form).await.status(), StatusCode::SEE_OTHER, "it has ended");
    silta.clock.advance(secs(600));
    let page = operator.get(PAGE).await.text().await.unwrap();
    assert!(page.contains("No webhook came") && page.contains("/webhooks/mycashflow/shop/"), "{page}");
}
