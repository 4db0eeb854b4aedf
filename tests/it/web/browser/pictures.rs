//! Pictures of every page of a realistic shop, of an empty one and of one where much is broken: wide and on a phone, light and
//! dark, in both languages. They are taken where `SILTA_SCREENSHOTS` names a directory (`make screenshots`); each is checked
//! like the pages of `pages.rs`.

use sqlx::AssertSqlSafe;

use crate::{
    harness::{CONNECTION, OPERATOR, TestOptions, TestSilta, secs},
    web::browser::{
        pages::{PUBLIC_URL, add_small_shop, faults},
        session::{Appearance, Browser, ENGLISH, FINNISH},
    },
};

/// Codes that are packed as others, as the list of the merchant's own data shows them, and the vendors' own pages.
const SETTINGS: &str = "
[connections.products.kits]
\"LAHJA-1\" = { \"KUP-1012\" = 2, \"TEE-1001\" = 1 }

[connections.pages]
shop_order = \"https://shop.example.fi/admin/orders/{id}\"
warehouse_order = \"https://warehouse.example.fi/orders?reference={id}\"
calculator = \"https://warehouse.example.fi/shipping-calculator\"
";

/// The number of the order that is so many places from the newest in `shop.sql`.
const fn ranked(rank: u32) -> u32 {
    22_000 - rank
}

/// Pages that every shop has.
const PAGES: &[(&str, &str)] = &[
    ("overview", "/"),
    ("overview-week", "/?range=week"),
    ("overview-month", "/?range=month"),
    ("orders", "/orders"),
    ("orders-none", "/orders?q=nothing-like-it"),
    ("products", "/products"),
    ("attention", "/attention"),
    ("tasks", "/tasks"),
    ("events", "/events"),
    ("connections", "/connections"),
    ("syncs", "/syncs"),
    ("audit", "/audit"),
    ("problems", "/problems"),
    ("runbook", "/runbook"),
    ("unknown-address", "/no-such-page"),
];

/// Pages of the realistic shop alone.
fn pages_of_shop() -> Vec<(&'static str, String)> {
    let order = |rank| format!("/orders/{CONNECTION}/{}", ranked(rank));
    let method = "no rule of [connections.shipping] matches the order's shipping method \"MH-BUSSI\" / \
                  \"Matkahuolto – Bussipaketti\"";
    let method = percent_encoding::utf8_percent_encode(method, percent_encoding::NON_ALPHANUMERIC);
    let cause = format!("/attention/cause?connection={CONNECTION}&kind");
    vec![
        ("orders-not-transferred", "/orders?status=not_transferred".to_owned()),
        ("orders-delivered", "/orders?status=delivered&sort=total".to_owned()),
        ("orders-waiting", "/orders?waiting=true".to_owned()),
        ("order-shipped", order(188)),
        ("order-collected", order(4)),
        ("order-unmapped", order(3)),
        ("order-address", order(17)),
        ("order-cancelled", order(163)),
        ("order-part", order(70)),
        ("order-returned", order(171)),
        ("order-goods", order(58)),
        ("order-foreign", order(27)),
        ("order-doubt", order(34)),
        ("order-replacement", order(61)),
        ("order-held", order(9)),
        ("order-locked", order(66)),
        ("order-due", order(1)),
        ("products-differ", "/products?show=differs".to_owned()),
        ("products-codes", "/products?show=code".to_owned()),
        ("product", "/products?q=KUP-1012".to_owned()),
        ("products-sync", format!("/products/sync?kind=stock&connection={CONNECTION}")),
        ("cause", format!("{cause}=order&reason=shipping_unmapped&detail={method}")),
        ("cause-product", format!("{cause}=product&reason=code_repeated")),
        (
            "shipping-rule",
            format!(
                "/attention/shipping-rule?connection={CONNECTION}&detail={method}&pattern=Matkahuolto*&code=Matkahuolto+Bus"
            ),
        ),
        ("stock-approval", format!("/attention/stock?connection={CONNECTION}")),
        ("tasks-dead", "/tasks?state=dead".to_owned()),
    ]
}

/// Every way to look at a page, those that differ most first.
fn appearances() -> Vec<(String, Appearance)> {
    let mut all = Vec::new();
    for (dark, narrow) in [(false, false), (true, true), (false, true), (true, false)] {
        for language in [ENGLISH, FINNISH] {
            let appearance = Appearance { dark, narrow, ..language };
            let name = [
                if narrow { "phone" } else { "wide" },
                if dark { "dark" } else { "light" },
                appearance.language,
            ];
            all.push((name.join("-"), appearance));
        }
    }
    all
}

fn are_wanted() -> bool {
    std::env::var_os("SILTA_SCREENSHOTS").is_some()
}

/// Orders that came by webhook, and around them the shop of `shop.sql`.
async fn start_realistic_shop() -> TestSilta {
    let mut silta = TestSilta::start_with(TestOptions { service: PUBLIC_URL, connection: SETTINGS }).await;
    silta.leave_unfinished();
    add_small_shop(&silta).await;
    let now = silta.now().to_rfc3339();
    let seed = include_str!("shop.sql").replace("{now}", &format!("'{now}'::timestamptz"));
    let mut tx = silta.pool.begin().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(seed)).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    silta
}

/// Pages whose address has an id: a task, a dry run, an event, a sync.
async fn pages_of_ids(silta: &TestSilta) -> Vec<(&'static str, String)> {
    let first = async |list: &str| {
        let answer = silta.api.get(list).await;
        answer.items().first().map(|item| item["id"].as_str().unwrap().to_owned())
    };
    // The first orders of a test have numbers of four digits, and the sandbox knows them.
    let dead = first(&format!("/admin/v1/tasks?state=dead&subject=order:1007&connection={CONNECTION}")).await;
    let pages = [
        ("task", dead.clone().map(|id| format!("/tasks/{id}"))),
        ("dry-run", dead.map(|id| format!("/tasks/{id}/dry-run"))),
        ("event", first("/admin/v1/events?source=mycashflow").await.map(|id| format!("/events/{id}"))),
        ("sync-running", first("/admin/v1/syncs").await.map(|id| format!("/products/syncs/{id}"))),
        ("sync", waiting_sync(silta).await.map(|id| format!("/products/syncs/{id}"))),
    ];
    pages.into_iter().filter_map(|(name, path)| Some((name, path?))).collect()
}

async fn waiting_sync(silta: &TestSilta) -> Option<String> {
    let found = sqlx::query_scalar("select sync_id::text from sync_difference order by sync_id desc limit 1");
    found.fetch_optional(&silta.pool).await.unwrap()
}

/// Takes them all in every appearance; returns what is wrong with any.
async fn take(silta: &TestSilta, state: &str, pages: &[(&'static str, String)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, appearance) in appearances() {
        let browser = Browser::open(silta, appearance).await;
        browser.sign_in(OPERATOR).await;
        for (page, path) in pages {
            browser.open_page(path).await;
            browser.wait_for("main h1").await;
            wrong.extend(
                faults(&browser).await.into_iter().map(|fault| format!("{page}, {state}, {name}: {fault}")),
            );
            browser.screenshot_page(&format!("{page}-{state}-{name}")).await;
        }
    }
    wrong
}

/// Takes the sign-in page, and the same after a wrong token; returns what is wrong with either.
async fn take_sign_in(silta: &TestSilta) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, appearance) in appearances() {
        let browser = Browser::open(silta, appearance).await;
        browser.open_page("/").await;
        browser.wait_for(".sign-in").await;
        browser.screenshot_page(&format!("sign-in-{name}")).await;
        browser.sign_in("a-wrong-token").await;
        wrong.extend(faults(&browser).await.into_iter().map(|fault| format!("sign-in, {name}: {fault}")));
        browser.screenshot_page(&format!("sign-in-refused-{name}")).await;
    }
    wrong
}

fn common_pages() -> Vec<(&'static str, String)> {
    PAGES.iter().map(|(name, path)| (*name, (*path).to_owned())).collect()
}

#[tokio::test]
async fn pictures_of_a_realistic_shop() {
    if !are_wanted() {
        return;
    }
    let silta = start_realistic_shop().await;
    let mut pages = common_pages();
    pages.extend(pages_of_shop());
    pages.extend(pages_of_ids(&silta).await);
    assert_eq!(take(&silta, "full", &pages).await, Vec::<String>::new());
}

#[tokio::test]
async fn pictures_of_an_empty_shop() {
    if !are_wanted() {
        return;
    }
    let silta = TestSilta::start().await;
    let mut wrong = take_sign_in(&silta).await;
    wrong.extend(take(&silta, "empty", &common_pages()).await);
    assert_eq!(wrong, Vec::<String>::new());
}

/// OGOship is down, the lists have gaps, a webhook subscription is gone, and at the end the database too.
#[tokio::test]
async fn pictures_of_a_broken_shop() {
    if !are_wanted() {
        return;
    }
    let silta = start_realistic_shop().await;
    let now = silta.now();
    sqlx::query(
        "update connection set circuit_open_until = $1::timestamptz + interval '4 minutes', circuit_reason = 'vendor_down',
                circuit_vendor = 'ogoship', circuit_opened_at = $1::timestamptz - interval '35 minutes'",
    )
    .bind(now)
    .execute(&silta.pool)
    .await
    .unwrap();
    sqlx::query(
        "update poll set last_error = 'unreachable', last_finished_at = $1::timestamptz - interval '3 hours'",
    )
    .bind(now)
    .execute(&silta.pool)
    .await
    .unwrap();
    for _ in 0..2 {
        silta.alerts.check_and_notify().await.unwrap();
        silta.clock.advance(secs(60));
    }
    let mut wrong = take(&silta, "broken", &common_pages()).await;
    sqlx::query("alter table subject_state rename to elsewhere").execute(&silta.pool).await.unwrap();
    wrong.extend(take(&silta, "error", &[("orders", "/orders".to_owned())]).await);
    sqlx::query("alter table elsewhere rename to subject_state").execute(&silta.pool).await.unwrap();
    assert_eq!(wrong, Vec::<String>::new());
}
