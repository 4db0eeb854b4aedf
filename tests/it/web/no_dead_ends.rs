//! Every page leads on: an unknown address and a refusal are pages with a way back, and JSON is behind a summary.

use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::{OPERATOR, TestSilta, VIEWER},
    web::{
        orders::page,
        session::{Session, client},
    },
};

#[tokio::test]
async fn unknown_address_is_a_page_for_people_and_a_problem_for_programs() {
    let silta = TestSilta::start().await;
    let get = async |path: &str, accept: &str| {
        let request = client().get(format!("{}{path}", silta.api.url)).header("accept", accept);
        request.header("accept-language", "fi").send().await.unwrap()
    };
    let answer = get("/nowhere/at-all", "text/html,application/xhtml+xml,*/*;q=0.8").await;
    assert_eq!(answer.status(), 404);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let shown = answer.text().await.unwrap();
    assert!(shown.contains("<h1>Sivua ei löytynyt</h1>") && shown.contains("href=\"/\""), "{shown}");
    for (path, accept) in [
        ("/nowhere", "*/*"),
        ("/nowhere", "application/json"),
        ("/admin/v1/nowhere", "text/html"),
        ("/webhooks/nowhere", "text/html"),
    ] {
        let answer = get(path, accept).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path} {accept}");
    }
}

#[tokio::test]
async fn failure_is_a_page_for_people_whatever_answers_it() {
    let silta = TestSilta::start().await;
    let refused = async |accept: &str| {
        let request = client().delete(format!("{}/problems", silta.api.url)).header("accept", accept);
        let answer = request.header("accept-language", "fi").send().await.unwrap();
        assert_eq!(answer.status(), 405);
        answer.text().await.unwrap()
    };
    let shown = refused("text/html,*/*;q=0.8").await;
    assert!(shown.contains("<h1>Sivua ei löytynyt</h1>") && shown.contains("Yleiskuvaan"), "{shown}");
    assert!(refused("application/json").await.starts_with('{'));
}

#[tokio::test]
async fn page_without_a_database_offers_another_try() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let session = Session::with(&silta, OPERATOR).await;
    sqlx::query("alter table subject_state rename to elsewhere").execute(&silta.pool).await.unwrap();
    let answer = session.get("/orders?status=delivered").await;
    assert_eq!(answer.status(), 503);
    let reference = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let shown = answer.text().await.unwrap();
    assert!(shown.contains("href=\"/orders?status=delivered\">Try again</a>"), "{shown}");
    let says = format!("reference, which stands in the log too: <span class=\"code\">{reference}</span>");
    assert!(!reference.is_empty() && shown.contains(&says), "{says}: {shown}");
    let next = session.get("/orders?status=delivered").await;
    assert_ne!(next.headers()["x-request-id"], reference, "each request has its own");
    let finnish = Session::with(&silta, OPERATOR).await.in_finnish();
    let answer = finnish.get("/orders?status=delivered").await;
    let reference = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let shown = answer.text().await.unwrap();
    assert!(shown.contains("Ilmoita hänelle tämä tunniste") && shown.contains(&reference), "{shown}");
    sqlx::query("alter table elsewhere rename to subject_state").execute(&silta.pool).await.unwrap();
    let unknown = session.get("/orders/shop/no-such-order").await;
    assert_eq!(unknown.status(), 404);
    assert!(!unknown.text().await.unwrap().contains("reference"), "nothing failed");
}

#[tokio::test]
async fn document_in_english_says_so_in_the_readers_language() {
    let silta = TestSilta::start().await;
    let request = client().get(format!("{}/runbook", silta.api.url)).header("accept-language", "fi");
    let shown = request.send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("<html lang=\"en\"") && shown.contains("Tämä sivu on englanniksi"), "{shown}");
}

#[tokio::test]
async fn refusal_leads_back_to_the_page_that_it_came_from_and_nowhere_else() {
    let silta = TestSilta::start().await;
    let session = Session::with(&silta, OPERATOR).await;
    let nothing = [("which", "selected")];
    let shown = async |from: &str| {
        let answer = session.submit_from(from, "/replays", &nothing).await;
        assert_eq!(answer.status(), 409);
        answer.text().await.unwrap()
    };
    let own = &silta.api.url;
    let back = shown(&format!("{own}/tasks?state=dead&kind=order")).await;
    assert!(back.contains("href=\"/tasks?state=dead&amp;kind=order\">Back</a>"), "{back}");
    for from in [
        format!("{own}//evil.example/x"),
        format!("{own}/\\evil.example/x"),
        format!("{own}.evil.example/x"),
        "https://evil.example/x".to_owned(),
        "javascript:alert(1)".to_owned(),
    ] {
        let shown = shown(&from).await;
        assert!(
            !shown.contains("evil") && !shown.contains("javascript") && !shown.contains("Back"),
            "{shown}"
        );
    }
    let viewer = Session::with(&silta, VIEWER).await;
    let refused = viewer.submit_from(&format!("{own}/tasks"), "/replays", &nothing).await;
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("href=\"/tasks\">Back</a>"));
}

/// True where every JSON of a page is in a `details`, which is closed until it is asked for.
fn hides_json(shown: &str) -> bool {
    let count = |text: &str, part: &str| text.matches(part).count();
    let mut places = shown.match_indices("aria-label=\"JSON\"").map(|(at, _)| &shown[..at]);
    places.all(|before| count(before, "<details") > count(before, "</details>"))
}

#[tokio::test]
async fn json_is_behind_a_summary_on_every_page() {
    let silta = TestSilta::start().await;
    silta.warehouse.receive_goods("A", 9);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    let stopped = silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    let session = Session::with(&silta, OPERATOR).await;
    let rule = serde_json::json!({ "pattern": "Lentokone", "code": "Air" });
    silta.api.put("/admin/v1/connections/shop/shipping-rules", rule).await;
    let dead: uuid::Uuid = silta.scalar("select id from task where state = 'dead'").await;
    let event: uuid::Uuid = silta.scalar("select id from event order by id limit 1").await;
    let replayed = session.submit("/replays", &[("state", "dead"), ("which", "all")]).await;
    let replay = replayed.headers()["location"].to_str().unwrap().to_owned();
    let mut found = 0;
    for path in [
        format!("/orders/shop/{order}"),
        format!("/orders/shop/{stopped}"),
        format!("/tasks/{dead}"),
        format!("/tasks/{dead}/dry-run"),
        format!("/events/{event}"),
        replay,
        "/audit".to_owned(),
    ] {
        let shown = page(&session, &path).await;
        assert!(hides_json(&shown), "{path}: {shown}");
        found += shown.matches("aria-label=\"JSON\"").count();
    }
    assert!(found > 6, "{found}");
    silta.run_until_idle().await;
}

#[tokio::test]
async fn release_of_all_says_what_follows_before_its_button() {
    let silta = TestSilta::start().await;
    for _ in 0..2 {
        silta.place_order(OrderSpec::of("A", 1).with_shipping_method(3, None)).await;
    }
    let session = Session::with(&silta, OPERATOR).await;
    let says = "goes to the warehouse if nothing else stands against it.";
    let cause = "/attention/cause?connection=shop&kind=order&reason=shipping_unmapped";
    let rule = serde_json::json!({ "pattern": "Lentokone", "code": "Air" });
    silta.api.put("/admin/v1/connections/shop/shipping-rules", rule).await;
    for path in [cause, "/attention", "/tasks?state=dead&kind=order"] {
        let shown = page(&session, path).await;
        let at = |part: &str| shown.find(part).unwrap_or_else(|| panic!("{part} at {path}: {shown}"));
        assert!(at(says) < at("value=\"all\""), "{path}");
        assert!(
            shown.contains("2 orders</button>") || shown.contains("2 orders again</button>"),
            "{path}: {shown}"
        );
        assert!(!shown.contains("At most"), "{path}: {shown}");
    }
    let viewer = page(&Session::with(&silta, VIEWER).await, cause).await;
    assert!(!viewer.contains("value=\"all\""), "{viewer}");
    // More than one release takes: the button names what it does.
    sqlx::query(
        "insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
         select gen_random_uuid(), 'shop', 'order', 'order:' || number, 'dead', 'address_incomplete', 0, $1, $1, $1
         from generate_series(5001, 6002) as number",
    )
    .bind(silta.now())
    .execute(&silta.pool)
    .await
    .unwrap();
    let many = page(&session, "/attention/cause?connection=shop&kind=order&reason=address_incomplete").await;
    assert!(many.contains("Try 1,000 orders again") && many.contains("At most 1,000 at once"), "{many}");
}
