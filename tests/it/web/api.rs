//! The admin API: access, lists, changes, idempotency.

use reqwest::Method;
use serde_json::json;
use silta::{
    dev::sandbox::{OrderSpec, Webhook},
    store::idempotency,
};

use crate::harness::{TestSilta, VIEWER, answer, secs};

/// Starts Silta with this many orders that end dead because of their address.
async fn start_with_dead_orders(count: usize) -> TestSilta {
    let silta = TestSilta::start().await;
    for _ in 0..count {
        let order = silta.shop.place_order(OrderSpec::of("A", 1).to_country("Suomi"));
        silta.send_webhook(silta.shop.order_created(order)).await;
    }
    silta.run_until_idle().await;
    silta
}

#[tokio::test]
async fn api_needs_a_token_and_viewers_change_nothing() {
    let silta = start_with_dead_orders(1).await;
    let task = silta.api.get("/admin/v1/tasks").await.items()[0]["id"].as_str().unwrap().to_owned();
    for (path, method) in
        silta::web::api::routes().map(|(path, method)| (path.replace("{id}", &task), method))
    {
        let path = path.replace("{name}", "shop");
        let method: Method = method.to_uppercase().parse().unwrap();
        let ask = |token: Option<&str>| {
            let request = silta.api.request(method.clone(), &path).json(&json!({}));
            match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            }
        };
        let nobody = answer(ask(None)).await;
        assert_eq!((nobody.status, nobody.text("/code")), (401, "unauthenticated"), "{path}");
        silta.clock.advance(secs(7)); // so that no guess is throttled
        assert_eq!(answer(ask(Some("guess"))).await.status, 401, "{path}");
        if method == Method::POST {
            let viewer = answer(ask(Some(VIEWER))).await;
            assert_eq!((viewer.status, viewer.text("/code")), (403, "forbidden"), "{path}");
        }
    }
    assert_eq!(silta.count("audit").await, 0);
}

#[tokio::test]
async fn no_answer_is_stored_or_guessed_at() {
    let silta = TestSilta::start().await;
    let ask =
        async |method: Method, path: &str| answer(silta.api.request(method, path).json(&json!({}))).await;
    let found = [
        silta.api.get("/admin/v1/tasks").await,
        silta.api.get("/admin/v1/nothing").await,
        ask(Method::GET, "/admin/v1/tasks").await,
        ask(Method::POST, "/webhooks/ogoship/shop").await,
        ask(Method::POST, "/webhooks/ogoship/unknown").await,
        ask(Method::DELETE, "/livez").await,
        ask(Method::GET, "/readyz").await,
        ask(Method::GET, "/openapi.yaml").await,
        ask(Method::GET, "/sign-in").await,
    ];
    for answer in found {
        let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
        assert_eq!(header("cache-control"), Some("no-store"), "{answer:?}");
        assert_eq!(header("x-content-type-options"), Some("nosniff"), "{answer:?}");
    }
    // RFC 9110, 15.5.2: a 401 says how to authenticate.
    let challenge = async |method, path| ask(method, path).await.headers["www-authenticate"].clone();
    assert_eq!(challenge(Method::GET, "/admin/v1/tasks").await, "Bearer");
    assert_eq!(challenge(Method::POST, "/webhooks/ogoship/shop").await, "Signature", "no token helps there");
}

#[tokio::test]
async fn type_of_a_problem_leads_to_a_page_of_the_service() {
    let silta = TestSilta::start().await;
    let problem = answer(silta.api.request(Method::GET, "/admin/v1/tasks")).await;
    let (page, anchor) = problem.text("/type").split_once('#').unwrap();
    assert_eq!((page, anchor), ("/problems", "unauthenticated"));
    let page = answer(silta.api.request(Method::GET, page)).await;
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    for code in silta::web::problem::Code::ALL {
        let heading = format!("<h3 id=\"{}\">", code.as_str());
        assert!(page.body.as_str().unwrap().contains(&heading), "{heading}");
    }
    let runbook = answer(silta.api.request(Method::GET, "/runbook")).await;
    for kind in silta::domain::alert::AlertKind::ALL {
        let heading = format!("<h3 id=\"{}\">", kind.as_str());
        assert!(runbook.body.as_str().unwrap().contains(&heading), "{heading}");
    }
}

#[tokio::test]
async fn lists_are_filtered_and_paged_by_cursor() {
    let silta = start_with_dead_orders(7).await;
    let mut path = "/admin/v1/tasks?state=dead&kind=order&reason=address_incomplete&limit=3".to_owned();
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = silta.api.get(&path).await;
        seen.extend(page.items().iter().map(|item| item["subject"].as_str().unwrap().to_owned()));
        pages += 1;
        let Some(next) = page.body["next"].as_str() else { break };
        path = format!("/admin/v1/tasks?state=dead&limit=3&cursor={next}");
    }
    assert_eq!((pages, seen.len()), (3, 7));
    assert_eq!(silta.api.get("/admin/v1/tasks?state=done").await.items().len(), 0);
    assert_eq!(
        silta.api.get("/admin/v1/events?source=mycashflow&topic=order.created").await.items().len(),
        7
    );
    for bad in ["limit=0", "limit=201", "limit=x", "cursor=x", "state=lost", "colour=red", "since=yesterday"]
    {
        let refused = silta.api.get(&format!("/admin/v1/tasks?{bad}")).await;
        assert_eq!((refused.status, refused.text("/code")), (400, "invalid"), "{bad}");
    }
}

#[tokio::test]
async fn task_shows_its_attempts_without_personal_data() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.run_until_idle().await;
    let id = silta.api.get("/admin/v1/tasks").await.items()[0]["id"].as_str().unwrap().to_owned();
    let item = silta.api.get(&format!("/admin/v1/tasks/{id}")).await;
    let place = &item.body["attempt_list"][0];
    assert_eq!((place["action"].as_str(), place["outcome"].as_str()), (Some("place"), Some("acted")));
    let call = place["calls"].as_array().unwrap().last().unwrap();
    assert_eq!((call["call"].as_str(), call["status"].as_u64()), (Some("place_order"), Some(200)));
    let text = item.body.to_string();
    for personal in ["Asiakas", "Testikatu", "asiakas@example.com", "+358"] {
        assert!(!text.contains(personal), "{personal}");
    }
    let event = silta.api.get("/admin/v1/events").await.items()[0]["id"].as_str().unwrap().to_owned();
    let event = silta.api.get(&format!("/admin/v1/events/{event}")).await;
    assert_eq!(event.body["tasks"][0]["id"].as_str(), Some(id.as_str()));
    for path in ["tasks", "events"] {
        let missing = silta.api.get(&format!("/admin/v1/{path}/{}", uuid::Uuid::nil())).await;
        assert_eq!((missing.status, missing.text("/code")), (404, "not_found"));
        assert_eq!(silta.api.get(&format!("/admin/v1/{path}/no-uuid")).await.status, 404);
    }
}

#[tokio::test]
async fn event_replay_opens_a_task_or_raises_its_revision() {
    let silta = start_with_dead_orders(1).await;
    let event = silta.api.get("/admin/v1/events").await.items()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/v1/events/{event}/replay");
    let first = silta.api.post(&path, json!({})).await;
    assert_eq!((first.status, first.text("/state")), (201, "pending"));
    let second = silta.api.post(&path, json!({})).await;
    assert_eq!((second.status, second.text("/id")), (200, first.text("/id")));
    silta.shop.change_country(1001, "FI");
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);

    // A replay of a done order places no second one.
    assert_eq!(silta.api.post(&path, json!({})).await.status, 201);
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.count("shop-1001"), 1);
}

#[tokio::test]
async fn bulk_replay_uses_the_list_filter_oldest_first() {
    let mut silta = start_with_dead_orders(5).await;
    let replays = json!({ "filter": { "state": "dead", "kind": "order" }, "limit": 3 });
    let replayed = silta.api.post("/admin/v1/replays", replays).await;
    assert_eq!((replayed.status, replayed.body["count"].as_u64()), (201, Some(3)));
    assert_eq!(replayed.body["ids"].as_array().unwrap().len(), 3);
    let open: Vec<(String, i16)> =
        sqlx::query_as("select subject, priority from task where state = 'pending' order by id")
            .fetch_all(&silta.pool)
            .await
            .unwrap();
    let expected = ["order:1001", "order:1002", "order:1003"].map(|subject| (subject.to_owned(), 3));
    assert_eq!(open, expected);
    let misspelt = silta.api.post("/admin/v1/replays", json!({ "filter": { "stat": "dead" } })).await;
    assert_eq!(misspelt.status, 400);
    silta.leave_unfinished();
}

#[tokio::test]
async fn idempotency_key_prevents_a_repeated_change() {
    let silta = start_with_dead_orders(2).await;
    let replay = |key: &'static str, limit: u8| {
        let request =
            silta.api.request(Method::POST, "/admin/v1/replays").bearer_auth(crate::harness::OPERATOR);
        answer(request.header("idempotency-key", key).json(&json!({ "limit": limit })))
    };
    let first = replay("\"k1\"", 10).await;
    let again = replay("k1", 10).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    let other = replay("k1", 9).await;
    assert_eq!((other.status, other.text("/code")), (422, "key_reused"));
    assert_eq!(silta.count("audit where action = 'replays.create'").await, 1);
    silta.run_until_idle().await;
}

#[tokio::test]
async fn idempotency_key_is_visible_characters_or_refused() {
    let mut silta = start_with_dead_orders(1).await;
    let long = "k".repeat(256);
    for wrong in ["", "\"\"", "two words", "a\"b", "tab\there", "m\u{e4}r", &long] {
        let request =
            silta.api.request(Method::POST, "/admin/v1/replays").bearer_auth(crate::harness::OPERATOR);
        let refused = answer(request.header("idempotency-key", wrong).json(&json!({ "limit": 1 }))).await;
        assert_eq!((refused.status, refused.text("/code")), (400, "invalid"), "{wrong:?}");
    }
    assert_eq!(silta.count("audit where action = 'replays.create'").await, 0);
    silta.leave_unfinished();
}

#[tokio::test]
async fn refused_change_leaves_its_idempotency_key_free() {
    let silta = start_with_dead_orders(1).await;
    let id = silta.api.get("/admin/v1/tasks").await.items()[0]["id"].as_str().unwrap().to_owned();
    let ask = |verb: &str| {
        let path = format!("/admin/v1/tasks/{id}/{verb}");
        let request = silta.api.request(Method::POST, &path).bearer_auth(crate::harness::OPERATOR);
        answer(request.header("idempotency-key", "same"))
    };
    let refused = ask("cancel").await;
    assert_eq!((refused.status, refused.text("/code")), (409, "conflict"));
    assert_eq!(ask("replay").await.status, 201);
    silta.run_until_idle().await;
}

#[tokio::test]
async fn tasks_are_cancelled_and_resolved_with_an_audit() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    for id in [1, 2, 3] {
        let body = json!({ "topic": "order.created", "data": { "id": id } }).to_string();
        silta.send_webhook(Webhook::raw_from_shop(body.as_bytes())).await;
    }
    sqlx::raw_sql("update task set state = 'in_doubt', reason = 'answer_lost' where subject <> 'order:1'")
        .execute(&silta.pool)
        .await
        .unwrap();
    let id = async |subject: &str| {
        let page = silta.api.get(&format!("/admin/v1/tasks?subject={subject}")).await;
        page.items()[0]["id"].as_str().unwrap().to_owned()
    };
    let cancel = format!("/admin/v1/tasks/{}/cancel", id("order:1").await);
    let cancelled = silta.api.post(&cancel, json!({})).await;
    assert_eq!((cancelled.text("/state"), cancelled.text("/reason")), ("cancelled", "cancelled_by_operator"));
    for (subject, target) in [("order:2", "done"), ("order:3", "pending")] {
        let path = format!("/admin/v1/tasks/{}/resolve", id(subject).await);
        assert_eq!(silta.api.post(&path, json!({ "as": "maybe" })).await.status, 400);
        let resolved = silta.api.post(&path, json!({ "as": target })).await;
        assert_eq!((resolved.status, resolved.text("/state")), (200, target));
        assert_eq!(silta.api.post(&path, json!({ "as": target })).await.status, 409);
    }
    let audit = silta.api.get("/admin/v1/audit").await;
    let lines: Vec<_> = audit
        .items()
        .iter()
        .map(|it| (it["actor"].as_str().unwrap(), it["action"].as_str().unwrap()))
        .collect();
    assert_eq!(lines, [("ops", "task.resolve"), ("ops", "task.resolve"), ("ops", "task.cancel")]);
}

#[tokio::test]
async fn connection_shows_health_backlog_and_polls() {
    let silta = start_with_dead_orders(1).await;
    let shown = silta.api.get("/admin/v1/connections/shop").await;
    assert_eq!((shown.text("/health"), shown.body["backlog"]["open"].as_i64()), ("ok", Some(0)));
    assert_eq!(shown.body["polls"].as_array().unwrap().len(), 4);
    assert_eq!(silta.api.get("/admin/v1/connections/other").await.status, 404);

    let metrics = silta.api.get("/metrics").await;
    let text = metrics.body.as_str().unwrap();
    for line in [
        "silta_events_received_total{source=\"mycashflow\",duplicate=\"false\"} 1",
        "silta_attempts_total{kind=\"order\",outcome=\"permanent\"} 1",
        "silta_tasks_dead 1",
        "silta_tasks_open{connection=\"shop\"} 0",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(text.trim_end().ends_with("# EOF"));
}

#[tokio::test]
async fn idempotency_key_in_use_is_refused_then_accepted() {
    let silta = TestSilta::start().await;
    let pause = async || {
        let request = silta.api.request(Method::POST, "/admin/v1/connections/shop/pause");
        answer(request.bearer_auth(crate::harness::OPERATOR).header("Idempotency-Key", "one")).await
    };
    let mut running = silta.pool.begin().await.unwrap();
    idempotency::reserve(&mut running, "ops", "one", "the first", silta.now()).await.unwrap();
    let refused = pause().await;
    assert_eq!((refused.status, refused.text("/code")), (409, "key_in_use"));
    running.rollback().await.unwrap();
    assert_eq!(pause().await.status, 200);
    assert_eq!(pause().await.status, 200, "answered as before, not repeated");
    assert_eq!(silta.count("audit").await, 1);
}

#[tokio::test]
async fn wrong_bearer_tokens_are_throttled_and_right_ones_pass() {
    let silta = TestSilta::start().await;
    let ask = async |token: &str| {
        answer(silta.api.request(Method::GET, "/admin/v1/tasks").bearer_auth(token)).await.status
    };
    for _ in 0..10 {
        assert_eq!(ask("guess").await, 401);
    }
    assert_eq!(ask("guess").await, 429);
    assert_eq!(ask(VIEWER).await, 200);
    let session = crate::web::session::sign_in(&silta, "guess").await;
    assert_eq!(session.status().as_u16(), 429, "the sign-in counts with the API");
    silta.clock.advance(secs(61));
    assert_eq!(ask("guess").await, 401);
}
