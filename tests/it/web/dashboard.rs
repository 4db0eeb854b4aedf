//! The dashboard without a browser: sessions, forms, audit.

use reqwest::StatusCode;
use silta::dev::sandbox::{Fault, OrderSpec};
use uuid::Uuid;

use crate::{
    harness::{CONNECTION, OPERATOR, TestSilta, VIEWER, secs},
    web::session::{Session, client, sign_in},
};

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
    let session = Session::with(&silta, VIEWER).await;
    for path in PATHS {
        let answer = session.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
    for nothing in ["/orders/shop/nothing", "/nowhere"] {
        assert_eq!(session.get(nothing).await.status(), StatusCode::NOT_FOUND, "{nothing}");
    }
}

#[tokio::test]
async fn control_characters_in_a_parameter_are_refused() {
    let silta = TestSilta::start().await;
    let session = Session::with(&silta, OPERATOR).await;
    let paths = [
        "/orders/shop/%00",
        "/tasks?subject=%00",
        "/orders?q=%1b",
        "/attention/cause?reason=%7f",
        "/sign-in?to=/%0d%0ax:y",
        "/language/fi?to=/%00",
        "/events?topic=%C2%85",
    ];
    for path in paths {
        assert_eq!(session.get(path).await.status(), StatusCode::BAD_REQUEST, "{path}");
    }
    for path in ["tasks?subject=%00", "orders/shop/%00", "orders?q=%0a", "audit?cursor=%00"] {
        let refused = silta.api.get(&format!("/admin/v1/{path}")).await;
        assert_eq!((refused.status, refused.text("/code")), (400, "invalid"), "{path}");
    }
    for path in ["orders/shop/%0a/refresh", "connections/%00/pause"] {
        let refused = silta.api.post(&format!("/admin/v1/{path}"), serde_json::json!({})).await;
        assert_eq!((refused.status, refused.text("/code")), (400, "invalid"), "{path}");
    }
    let refused =
        silta.api.post("/admin/v1/syncs", serde_json::json!({ "connection": "\0", "what": "stock" })).await;
    assert_eq!((refused.status, refused.text("/code")), (400, "invalid"));
    let form = [("connection", "shop\0"), ("ask", "pause")];
    assert_eq!(session.submit("/connections", &form).await.status(), StatusCode::BAD_REQUEST);
    let order = session.submit("/orders/shop/%C3%A4%20b", &[("ask", "refresh")]).await;
    assert_ne!(order.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn sign_in_returns_to_own_pages_only() {
    let silta = TestSilta::start().await;
    for (to, expected) in [
        ("/orders?q=1", "/orders?q=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/a b", "/"),
        ("/\r\nset-cookie: a=b", "/"),
        ("https://evil.example", "/"),
    ] {
        let form = [("token", OPERATOR), ("to", to)];
        let request = client().post(format!("{}/sign-in", silta.api.url)).form(&form);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["location"], expected, "{to:?}");
        let request = client().get(format!("{}/language/fi", silta.api.url)).query(&[("to", to)]);
        let answer = request.send().await.unwrap();
        let is_refused = answer.status() == StatusCode::BAD_REQUEST;
        assert!(is_refused || answer.headers()["location"] == expected, "{to:?}");
    }
}

#[tokio::test]
async fn session_cookie_is_protected_and_stored_as_a_digest() {
    let silta = TestSilta::start().await;
    let answer = sign_in(&silta, OPERATOR).await;
    assert_eq!(answer.headers()["location"], "/", "no redirect to another site");
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(part), "{part} in {set}");
    }
    let secret = set.split(['=', ';']).nth(1).unwrap();
    let kept: String = silta.scalar("select digest from session").await;
    assert_ne!(kept, secret);
    let session = Session::with(&silta, OPERATOR).await;
    assert_eq!(session.submit("/sign-out", &[]).await.headers()["location"], "/sign-in");
    assert_eq!(session.get("/").await.status(), StatusCode::SEE_OTHER, "signed out");
    let session = Session::with(&silta, OPERATOR).await;
    silta.clock.advance(secs(12 * 3600));
    assert_eq!(session.get("/").await.status(), StatusCode::SEE_OTHER, "the session ends after twelve hours");
}

#[tokio::test]
async fn sign_in_attempts_are_limited() {
    let silta = TestSilta::start().await;
    for _ in 0..10 {
        assert_eq!(sign_in(&silta, "guess").await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(sign_in(&silta, "guess").await.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        sign_in(&silta, OPERATOR).await.status(),
        StatusCode::SEE_OTHER,
        "a right token always signs in"
    );
    silta.clock.advance(secs(61));
    assert_eq!(sign_in(&silta, "guess").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn refused_sign_in_says_why_beside_its_field_in_both_languages() {
    let silta = TestSilta::start().await;
    let guess = async |token: &str, language: &str| {
        let request = client().post(format!("{}/sign-in", silta.api.url)).form(&[("token", token)]);
        request.header("accept-language", language).send().await.unwrap().text().await.unwrap()
    };
    let says = |shown: &str, text: &str| {
        let field = shown.find("aria-describedby=\"refused\"").unwrap_or_else(|| panic!("{shown}"));
        let alert = shown.find("id=\"refused\" role=\"alert\"").unwrap_or_else(|| panic!("{shown}"));
        assert!(field < alert && shown[alert..].contains(text), "{text}: {shown}");
    };
    says(&guess("guess", "en").await, "This token is not known.");
    says(&guess("guess", "fi").await, "Kirjautumisavainta ei tunneta.");
    for _ in 0..8 {
        guess("guess", "en").await;
    }
    says(&guess("guess", "fi").await, "Liian monta yritystä");
    let answer = client().get(format!("{}/sign-in", silta.api.url)).send().await.unwrap();
    assert!(!answer.text().await.unwrap().contains("role=\"alert\""), "nothing was refused yet");
}

#[tokio::test]
async fn two_hundred_guesses_at_once_count_as_two_hundred() {
    let silta = TestSilta::start().await;
    let guesses = futures_util::future::join_all((0..200).map(|_| sign_in(&silta, "guess"))).await;
    let refused = guesses.iter().filter(|it| it.status() == StatusCode::TOO_MANY_REQUESTS).count();
    assert_eq!(refused, 190);
}

#[tokio::test]
async fn form_of_another_session_site_or_viewer_is_refused() {
    let silta = TestSilta::start().await;
    let mut operator = Session::with(&silta, OPERATOR).await;
    let pause = [("connection", "shop"), ("ask", "pause")];
    assert_eq!(
        operator.post_form("/connections", &pause, "cross-site").await.status(),
        StatusCode::BAD_REQUEST
    );
    let viewer = Session::with(&silta, VIEWER).await;
    assert_eq!(viewer.submit("/connections", &pause).await.status(), StatusCode::FORBIDDEN);
    let own = std::mem::replace(&mut operator.csrf, viewer.csrf.clone());
    assert_eq!(operator.submit("/connections", &pause).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(silta.count("audit").await, 0);
    operator.csrf = own;
    assert_eq!(operator.submit("/connections", &pause).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        silta.scalar::<String>("select actor || ' ' || action from audit").await,
        "ops connection.pause"
    );
    // The second request is refused, as over the API.
    assert_eq!(operator.submit("/connections", &pause).await.status(), StatusCode::CONFLICT);
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
    let session = Session::with(&silta, OPERATOR).await;
    assert!(!session.get(&path).await.text().await.unwrap().contains("Aino"));
    let shown = session.submit(&path, &[("ask", "reveal")]).await.text().await.unwrap();
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
async fn form_with_an_unknown_action_is_refused() {
    let silta = TestSilta::start().await;
    let order = silta.shop.place_order(OrderSpec::of("A", 1).unpaid());
    silta.send_webhook(silta.shop.order_created(order)).await;
    let operator = Session::with(&silta, OPERATOR).await;
    let task: Uuid = silta.scalar("select id from task").await;
    let event: Uuid = silta.scalar("select id from event").await;
    for path in [format!("/tasks/{task}"), format!("/events/{event}"), format!("/orders/shop/{order}")] {
        for word in ["nothing", "Cancel", ""] {
            let answer = operator.submit(&path, &[("ask", word)]).await;
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{word:?} to {path}");
        }
    }
    for (path, fields) in [
        ("/replays", [("which", "selected"), ("id", "no id")]),
        ("/connections", [("connection", "shop"), ("ask", "nothing")]),
        ("/connections", [("connection", "shop"), ("ask", "remove_rule")]),
    ] {
        assert_eq!(operator.submit(path, &fields).await.status(), StatusCode::BAD_REQUEST, "{fields:?}");
    }
    assert_eq!(silta.count("audit").await, 0);
    assert_eq!(silta.order_task_state(order).await, "pending", "waiting as before");
    silta.run_until_idle().await;
}

#[tokio::test]
async fn overview_shows_the_rate_recovering_after_a_429() {
    let silta = TestSilta::start().await;
    let session = Session::with(&silta, VIEWER).await;
    let shown = async || {
        let page = session.get("/").await.text().await.unwrap();
        page.split("<small>calls a second")
            .map(|before| before.rsplit(" / ").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    silta.sandbox.shop_server.faults.script("GET", "/orders/1001", Fault::TooMany(1));
    silta.place_order(OrderSpec::of("A", 1).unpaid()).await;
    assert_eq!(shown().await[..2], ["500", "1,000"], "halved for the shop only");
    silta.clock.advance(secs(120));
    assert_eq!(shown().await[0], "700", "a tenth of the full rate for each minute without a 429");
    silta.clock.advance(secs(600));
    assert_eq!(shown().await[0], "1,000");
    silta.run_until_idle().await;
}

#[tokio::test]
async fn extra_data_and_remarks_stand_on_the_page_of_products() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "code,hs_code,kit,alias\nCUP,69120023,,MUKI\nSETTI,,CUP*2,\n").unwrap();
    let path = file.path().to_str().unwrap();
    let silta = TestSilta::start_with_settings(&[("products.extra_file", path)]).await;
    silta.shop.add_product(1, "POT/2L", "Pannu", 0);
    silta.send_product_update(1).await;
    let session = Session::with(&silta, VIEWER).await;
    let page = session.get("/products").await.text().await.unwrap();
    for text in ["69120023", "MUKI", "SETTI", "It has no EAN", "Its code has / or"] {
        assert!(page.contains(text), "{text} in {page}");
    }
}

#[tokio::test]
async fn event_stream_ends_with_its_session() {
    let silta = TestSilta::start().await;
    let session = Session::with(&silta, VIEWER).await;
    let mut stream = session.get("/live").await;
    assert!(stream.chunk().await.unwrap().is_some(), "the counts come at once");
    assert_eq!(session.submit("/sign-out", &[]).await.status(), StatusCode::SEE_OTHER);
    let end = async { while stream.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(secs(120), end).await.expect("the stream ends");
}

#[tokio::test]
async fn cookie_and_headers_hold_browsers_to_tls() {
    let silta = TestSilta::start_with_env(
        crate::harness::TestOptions::default(),
        &[("SILTA__HTTP__PUBLIC_URL", "https://silta.example.fi")],
    )
    .await;
    let answer = sign_in(&silta, OPERATOR).await;
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.starts_with("__Host-silta-session=") && set.ends_with("; Secure"), "{set}");
    assert!(set.contains("; Path=/;") && !set.contains("Domain"), "{set}");
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    let session = Session::with(&silta, OPERATOR).await;
    assert_eq!(session.get("/").await.status(), StatusCode::OK);
    let answer = session.submit("/sign-out", &[]).await;
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.starts_with("__Host-silta-session=;") && set.ends_with("; Secure"), "it is removed: {set}");

    let plain = TestSilta::start().await;
    let answer = sign_in(&plain, OPERATOR).await;
    assert!(answer.headers().get("strict-transport-security").is_none(), "without TLS nothing is promised");
}

#[tokio::test]
async fn vendor_that_is_down_is_named_on_each_page_of_the_shop() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    let session = Session::with(&silta, VIEWER).await;
    let order = format!("/orders/{CONNECTION}/{order}");
    let pages = ["/", "/orders", &order, "/products", "/attention"];
    let named = "OGOship failed repeatedly, so nothing is sent until it answers again.";
    for page in pages {
        assert!(!session.get(page).await.text().await.unwrap().contains("failed repeatedly"), "{page}");
    }
    sqlx::query(
        "update connection set circuit_open_until = now() + interval '10 years', circuit_reason = 'vendor_down',
                circuit_vendor = 'ogoship', circuit_opened_at = now()",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    for page in pages {
        let shown = session.get(page).await.text().await.unwrap();
        assert!(shown.contains(named) && shown.contains("Started"), "{page}: {shown}");
    }
    let connection = session.get("/connections").await.text().await.unwrap();
    assert!(connection.contains(named), "{connection}");
    // What is open says what it waits for; what is finished does not.
    let waits = "It waits until OGOship answers again.";
    assert!(!session.get("/orders").await.text().await.unwrap().contains(waits));
    let late = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(late)).await;
    for page in ["/orders".to_owned(), format!("/orders/{CONNECTION}/{late}")] {
        assert!(session.get(&page).await.text().await.unwrap().contains(waits), "{page}");
    }
}

#[tokio::test]
async fn new_shop_is_not_said_to_work() {
    let silta = TestSilta::start().await;
    let session = Session::with(&silta, VIEWER).await;
    let shown = session.get("/").await.text().await.unwrap();
    assert!(shown.contains("No order has come yet."), "{shown}");
    assert!(
        !shown.contains("Orders are moving") && !shown.contains("MyCashflow and OGOship answer."),
        "{shown}"
    );
}
