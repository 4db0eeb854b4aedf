//! The dashboard without a browser: who is let in, what a form must carry, what is written down.

use reqwest::{StatusCode, redirect::Policy};
use serde_json::{Value, json};
use silta::dev::sandbox::{Fault, OrderSpec};
use uuid::Uuid;

use crate::harness::{OPERATOR, TestSilta, VIEWER, secs};

/// Somebody at the dashboard, cookie in hand.
struct Visitor {
    client: reqwest::Client,
    url: String,
    cookie: String,
    csrf: String,
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).build().unwrap()
}

async fn sign_in(silta: &TestSilta, token: &str) -> reqwest::Response {
    let form = [("token", token), ("to", "//evil.example")];
    client().post(format!("{}/sign-in", silta.api.url)).form(&form).send().await.unwrap()
}

impl Visitor {
    async fn with(silta: &TestSilta, token: &str) -> Self {
        let answer = sign_in(silta, token).await;
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let mut visitor = Self { client: client(), url: silta.api.url.clone(), cookie, csrf: String::new() };
        let page = visitor.get("/connections").await.text().await.unwrap();
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        csrf.unwrap_or_default().clone_into(&mut visitor.csrf);
        visitor
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        let request = self.client.get(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        request.send().await.unwrap()
    }

    async fn asks(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        self.posts(path, fields, "same-origin").await
    }

    async fn posts(&self, path: &str, fields: &[(&str, &str)], site: &str) -> reqwest::Response {
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", self.csrf.as_str())]).collect();
        let request = self.client.post(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        request.header("sec-fetch-site", site).form(&fields).send().await.unwrap()
    }
}

const PATHS: [&str; 9] =
    ["/", "/orders", "/attention", "/tasks", "/events", "/products", "/connections", "/audit", "/live"];

#[tokio::test]
async fn pages_need_a_session() {
    let silta = TestSilta::start().await;
    for path in PATHS {
        let answer = client().get(format!("{}{path}", silta.api.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        assert!(answer.headers()["location"].to_str().unwrap().starts_with("/sign-in?to="), "{path}");
    }
    let visitor = Visitor::with(&silta, VIEWER).await;
    for path in PATHS {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
    for nothing in ["/orders/shop/nothing", "/orders/shop/%00", "/tasks?subject=%00", "/nowhere"] {
        assert_eq!(visitor.get(nothing).await.status(), StatusCode::NOT_FOUND, "{nothing}");
    }
    let refused = silta.api.get("/admin/v1/tasks?subject=%00").await;
    assert_eq!((refused.status, refused.text("/code")), (400, "invalid"));
}

#[tokio::test]
async fn session_cookie_is_protected_and_stored_as_a_digest() {
    let silta = TestSilta::start().await;
    let answer = sign_in(&silta, OPERATOR).await;
    assert_eq!(answer.headers()["location"], "/", "never to another site");
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(part), "{part} in {set}");
    }
    let secret = set.split(['=', ';']).nth(1).unwrap();
    let kept: String = silta.scalar("select digest from session").await;
    assert_ne!(kept, secret);
    let visitor = Visitor::with(&silta, OPERATOR).await;
    assert_eq!(visitor.asks("/sign-out", &[]).await.headers()["location"], "/sign-in");
    assert_eq!(visitor.get("/").await.status(), StatusCode::SEE_OTHER, "signed out for good");
    let visitor = Visitor::with(&silta, OPERATOR).await;
    silta.clock.advance(secs(12 * 3600));
    assert_eq!(visitor.get("/").await.status(), StatusCode::SEE_OTHER, "over after twelve hours");
}

#[tokio::test]
async fn sign_in_attempts_are_limited() {
    let silta = TestSilta::start().await;
    for _ in 0..10 {
        assert_eq!(sign_in(&silta, "guess").await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(sign_in(&silta, OPERATOR).await.status(), StatusCode::TOO_MANY_REQUESTS);
    silta.clock.advance(secs(61));
    assert_eq!(sign_in(&silta, OPERATOR).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn form_of_another_session_site_or_viewer_is_refused() {
    let silta = TestSilta::start().await;
    let mut operator = Visitor::with(&silta, OPERATOR).await;
    let pause = [("connection", "shop"), ("ask", "pause")];
    assert_eq!(operator.posts("/connections", &pause, "cross-site").await.status(), StatusCode::BAD_REQUEST);
    let viewer = Visitor::with(&silta, VIEWER).await;
    assert_eq!(viewer.asks("/connections", &pause).await.status(), StatusCode::FORBIDDEN);
    let own = std::mem::replace(&mut operator.csrf, viewer.csrf.clone());
    assert_eq!(operator.asks("/connections", &pause).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(silta.count("audit").await, 0);
    operator.csrf = own;
    assert_eq!(operator.asks("/connections", &pause).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        silta.scalar::<String>("select actor || ' ' || action from audit").await,
        "ops connection.pause"
    );
    // Twice is a refusal in words, as over the API.
    assert_eq!(operator.asks("/connections", &pause).await.status(), StatusCode::CONFLICT);
}

#[tokio::test]
async fn payload_is_masked_until_revealed_and_audited() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    silta.place_order(OrderSpec::of("A", 1)).await;
    let body = r#"{"topic":"order.created","data":{"id":1001,"customer":{"name":"Aino Asiakas"}}}"#;
    silta.send_webhook(silta::dev::sandbox::Webhook::raw_from_shop(body.as_bytes())).await;
    silta.run_until_idle().await;
    let events = silta.api.get("/admin/v1/events?source=mycashflow").await;
    let path = format!("/events/{}", events.items()[0]["id"].as_str().unwrap());
    let visitor = Visitor::with(&silta, OPERATOR).await;
    assert!(!visitor.get(&path).await.text().await.unwrap().contains("Aino"));
    let shown = visitor.asks(&path, &[("ask", "reveal")]).await.text().await.unwrap();
    assert!(shown.contains("Aino Asiakas"));
    assert_eq!(
        silta.scalar::<String>("select action from audit order by id desc limit 1").await,
        "event.reveal"
    );
    assert!(
        !silta
            .scalar::<String>("select detail::text from audit order by id desc limit 1")
            .await
            .contains("Aino")
    );
}

#[tokio::test]
async fn bulk_replay_has_preview_progress_and_cancel() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    let mut orders = Vec::new();
    for _ in 0..4 {
        orders.push(silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await);
    }
    let filter = json!({ "state": "dead", "reason": "shipping_unmapped" });
    let preview = silta.api.post("/admin/v1/replays", json!({ "filter": filter, "dry_run": true })).await;
    assert_eq!((preview.status, preview.body["count"].as_u64()), (200, Some(4)));
    assert_eq!(silta.count("replay").await, 0);

    let begun = silta.api.post("/admin/v1/replays", json!({ "filter": filter })).await;
    let path = format!("/admin/v1/replays/{}", begun.text("/id"));
    assert_eq!(silta.api.get(&path).await.body["open"], 4);
    let called_off = silta.api.post(&format!("{path}/cancel"), json!({})).await;
    assert_eq!((called_off.body["open"].as_u64(), called_off.body["cancelled"].as_u64()), (Some(0), Some(4)));
    assert_eq!(silta.api.post(&format!("{path}/cancel"), json!({})).await.status, 409);

    let rule = json!({ "pattern": "lento*", "code": "Posti Parcel" });
    let rules = "/admin/v1/connections/shop/shipping-rules";
    assert_eq!(silta.api.put(rules, json!({ "pattern": "*", "code": "X" })).await.status, 409);
    assert_eq!(silta.api.put(rules, rule).await.body["items"][0]["created_by"], "ops");
    // The first two, ticked; what was cancelled meanwhile is replayed as well.
    let ids: Vec<_> = preview.body["ids"].as_array().unwrap()[..2].to_vec();
    let begun = silta.api.post("/admin/v1/replays", json!({ "ids": ids })).await;
    silta.run_until_idle().await;
    let after = silta.api.get(&format!("/admin/v1/replays/{}", begun.text("/id"))).await;
    assert_eq!((after.body["count"].as_u64(), after.body["succeeded"].as_u64()), (Some(2), Some(2)));
    let there: Vec<_> = orders.iter().map(|order| silta.warehouse_count(*order)).collect();
    assert_eq!(there, [1, 1, 0, 0]);
    // A subject that was looked at since is history; one whose look was called off is not.
    let left = silta.api.post("/admin/v1/replays", json!({ "filter": filter, "dry_run": true })).await;
    assert_eq!(left.body["count"], 2, "the other two were called off, and wait as before");
}

#[tokio::test]
async fn bulk_dry_run_selects_the_same_tasks_as_the_replay() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 1000);
    silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    let dead: String = silta.scalar("select id::text from task where state = 'dead'").await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    let open: String = silta.scalar("select id::text from task where state = 'pending'").await;
    let asks = async |ids: Value, dry_run: bool| {
        silta.api.post("/admin/v1/replays", json!({ "ids": ids, "dry_run": dry_run })).await
    };

    let unknown = json!([dead, Uuid::nil()]);
    for dry_run in [true, false] {
        assert_eq!(asks(unknown.clone(), dry_run).await.status, 404);
    }
    let known = json!([dead, open]);
    let preview = asks(known.clone(), true).await;
    assert_eq!((preview.status, &preview.body["ids"]), (200, &json!([dead])));
    assert_eq!(silta.count("replay").await, 0);
    let begun = asks(known, false).await;
    assert_eq!((begun.status, &begun.body["count"]), (201, &preview.body["count"]));
    silta.run_until_idle().await;
}

#[tokio::test]
async fn form_with_an_unknown_action_is_refused() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1).unpaid());
    silta.send_webhook(silta.shop.order_created(order)).await;
    let operator = Visitor::with(&silta, OPERATOR).await;
    let task: Uuid = silta.scalar("select id from task").await;
    let event: Uuid = silta.scalar("select id from event").await;
    for path in [format!("/tasks/{task}"), format!("/events/{event}"), format!("/orders/shop/{order}")] {
        for word in ["nothing", "Cancel", ""] {
            let answer = operator.asks(&path, &[("ask", word)]).await;
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{word:?} to {path}");
        }
    }
    for (path, fields) in [
        ("/replays", [("which", "selected"), ("id", "no id")]),
        ("/connections", [("connection", "shop"), ("ask", "nothing")]),
        ("/connections", [("connection", "shop"), ("ask", "remove_rule")]),
    ] {
        assert_eq!(operator.asks(path, &fields).await.status(), StatusCode::BAD_REQUEST, "{fields:?}");
    }
    assert_eq!(silta.count("audit").await, 0);
    assert_eq!(silta.order_task_state(order).await, "pending", "waiting as before");
    silta.run_until_idle().await;
}

#[tokio::test]
async fn overview_shows_the_rate_recovering_after_a_429() {
    let silta = TestSilta::start().await;
    let visitor = Visitor::with(&silta, VIEWER).await;
    let shown = async || {
        let page = visitor.get("/").await.text().await.unwrap();
        page.split(" / 1000.0")
            .map(|before| before.rsplit('>').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    silta.sandbox.shop_server.faults.script("GET", "/orders/1001", Fault::TooMany(1));
    silta.place_order(OrderSpec::of("A", 1).unpaid()).await;
    assert_eq!(shown().await[..2], ["500.0", "1000.0"], "halved for the shop alone");
    silta.clock.advance(secs(120));
    assert_eq!(shown().await[0], "700.0", "a tenth of the whole for each quiet minute");
    silta.clock.advance(secs(600));
    assert_eq!(shown().await[0], "1000.0");
    silta.run_until_idle().await;
}
