//! The page of products and stock.

use crate::{
    harness::{OPERATOR, TestSilta, VIEWER},
    web::session::Session,
};

async fn text(session: &Session, path: &str) -> String {
    let answer = session.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

/// Two products with goods at the warehouse, whose figures wait for a person.
async fn start_with_manual_stock() -> TestSilta {
    let silta = TestSilta::start_with_settings(&[("stock.update", "manual")]).await;
    for (id, code, name) in [(1, "A", "Kahvi"), (2, "B", "Tee & <hunaja>")] {
        silta.shop.add_product(id, code, name, 4);
        silta.warehouse.receive_goods(code, 9);
        silta.send_product_update(id).await;
    }
    silta
}

#[tokio::test]
async fn page_of_products_shows_both_sides_and_counts_each_list() {
    let silta = start_with_manual_stock().await;
    let session = Session::with(&silta, OPERATOR).await;
    let page = text(&session, "/products").await;
    for part in [
        "2 products and variations.",
        "2 show a wrong figure in the shop.",
        "Differs <b>2</b>",
        "Code to fix <b>0</b>",
        "Tee &amp; &lt;hunaja&gt;",
        "−5",
        "Should be = free − buffer.",
        "name=\"item\" value=\"product:1\"",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let found = text(&session, "/products?q=kah").await;
    let listed = found.split("<details>").next().unwrap();
    assert!(listed.contains("Kahvi") && !listed.contains("hunaja"), "{listed}");
    let nothing = text(&session, "/products?q=zzz").await;
    assert!(nothing.contains("No product has a word in its name or code that begins so."), "{nothing}");
    let well = text(&session, "/products?show=code").await;
    assert!(well.contains("None: nothing to do here."), "{well}");
    silta.shop.add_product(3, "kahvi/1", "Suodatin", 1);
    silta.shop.add_product(4, "b", "Teepannu", 1);
    for id in [3, 4] {
        silta.send_product_update(id).await;
    }
    let to_fix = text(&session, "/products?show=code").await;
    let listed = to_fix.split("<details>").next().unwrap();
    assert!(listed.contains("Teepannu") && listed.contains("the same code as"), "{listed}");
    assert!(!listed.contains("Kahvi"), "{listed}");
    assert!(!listed.contains("name=\"item\""), "another code is what helps: {listed}");
    let viewer = text(&Session::with(&silta, VIEWER).await, "/products").await;
    assert!(viewer.contains("Kahvi") && !viewer.contains("name=\"item\""), "{viewer}");
}

#[tokio::test]
async fn one_item_is_synced_from_the_page_and_the_other_waits() {
    let silta = start_with_manual_stock().await;
    let session = Session::with(&silta, OPERATOR).await;
    let fields = [("connection", "shop"), ("item", "product:1")];
    let answer = session.submit("/products/items", &fields).await;
    assert_eq!(answer.headers()["location"], "/products?connection=shop&q=A&done=sync");
    silta.run_until_idle().await;
    assert_eq!(["A", "B"].map(|code| silta.shop.quantity(code)), [Some(9), Some(4)]);
    let unknown = session.submit("/products/items", &[("connection", "shop"), ("item", "product:9")]).await;
    assert_eq!(unknown.status(), 404);
    let viewer = Session::with(&silta, VIEWER).await.submit("/products/items", &fields).await;
    assert_eq!(viewer.status(), 403);
}

#[tokio::test]
async fn item_is_synced_as_far_as_the_switches_allow() {
    let silta = TestSilta::start_with_settings(&[("stock.update", "off"), ("products.upload", "off")]).await;
    silta.shop.add_product(1, "A", "Kahvi", 4);
    silta.send_product_update(1).await;
    silta.syncer.run_due().await.unwrap();
    let session = Session::with(&silta, OPERATOR).await;
    let fields = [("connection", "shop"), ("item", "product:1")];
    let refused = session.submit("/products/items", &fields).await;
    if silta.count("item").await > 0 {
        assert_eq!(refused.status(), 409, "both are off");
    }
    let page = text(&session, "/products").await;
    assert!(page.contains("Kahvi") && !page.contains("name=\"item\""), "no button without an effect: {page}");
    let preview = text(&session, "/products/sync?connection=shop&kind=stock").await;
    let is_report = preview.contains("type=\"hidden\" name=\"dry_run\"");
    assert!(is_report && !preview.contains("Sync the stock balances"), "{preview}");
    assert_eq!(silta.vendor_writes(), 0);
}

#[tokio::test]
async fn syncs_of_all_are_previewed_and_nothing_starts_before() {
    let silta = start_with_manual_stock().await;
    let session = Session::with(&silta, OPERATOR).await;
    for (kind, says) in [
        ("stock", "2 figures differ, as last read."),
        ("products", "0 products are not at the warehouse, as last read."),
    ] {
        let page = text(&session, &format!("/products/sync?connection=shop&kind={kind}")).await;
        assert!(page.contains("Preview: nothing has changed yet") && page.contains(says), "{page}");
    }
    assert_eq!(silta.count("sync where actor = 'ops'").await, 0);
    for path in ["/products/sync?connection=shop&kind=orders", "/products/sync?connection=other&kind=stock"] {
        assert_eq!(session.get(path).await.status(), 404, "{path}");
    }
    let started = session.submit("/products", &[("connection", "shop"), ("what", "stock")]).await;
    let report = started.headers()["location"].to_str().unwrap().to_owned();
    let running = text(&session, "/products").await;
    assert!(running.contains("Syncing stock balances") && running.contains(&report), "{running}");
    let again = text(&session, "/products/sync?connection=shop&kind=stock").await;
    assert!(again.contains("It runs already, since") && again.contains(&report), "{again}");
    assert!(!again.contains("Sync the stock balances"), "no button that only joins it: {again}");
    let other = text(&session, "/products/sync?connection=shop&kind=products").await;
    assert!(!other.contains("It runs already") && other.contains("Upload the products"), "{other}");
}

#[tokio::test]
async fn finnish_page_of_products_speaks_the_shopkeepers_words() {
    let silta = start_with_manual_stock().await;
    let session = Session::with(&silta, OPERATOR).await.in_finnish();
    let page = text(&session, "/products").await;
    for part in [
        "2 tuotetta ja variaatiota.",
        "Pitäisi olla",
        "Hyllyssä",
        "Päivitä varastosaldot OGOshipista",
        "Eroaa <b>2</b>",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    for leftover in ["product:1\"", "Should be", "stock_figure", "differs</"] {
        assert!(!page.replace("value=\"product:1\"", "").contains(leftover), "{leftover} in {page}");
    }
}
