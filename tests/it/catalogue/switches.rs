//! Switches: nothing is written for a kind that is not automatic, by whatever road it comes, until a person asks.

use serde_json::{Value, json};
use silta::dev::sandbox::OrderSpec;

use crate::{
    harness::{TestSilta, VIEWER, secs},
    sync::report::differences,
    web::session::Session,
};

const ALL_MANUAL: [(&str, &str); 3] =
    [("orders.transfer", "manual"), ("products.upload", "manual"), ("stock.update", "manual")];

const ALL_OFF: [(&str, &str); 3] =
    [("orders.transfer", "off"), ("products.upload", "off"), ("stock.update", "off")];

impl TestSilta {
    /// Calls that changed, or could have changed, something at either vendor.
    pub fn vendor_writes(&self) -> usize {
        let servers = [&self.sandbox.shop_server, &self.sandbox.warehouse_server];
        let count =
            |method, path| servers.iter().map(|server| server.calls.count(method, path)).sum::<usize>();
        let all: usize =
            ["POST", "PUT", "PATCH", "DELETE"].into_iter().map(|method| count(method, "/")).sum();
        all - count("POST", "/OAuth/Token")
    }

    /// Two products that only the shop has and one figure that differs.
    fn stock_shelves(&self) {
        self.shop.add_product(1, "A", "Kahvi", 5);
        self.shop.add_product(2, "B", "Tee", 5);
        self.warehouse.receive_goods("A", 9);
    }

    /// Comes by every road on which Silta finds that something differs.
    async fn try_every_road(&self) {
        self.send_product_update(1).await; // and, by follow-ups, the stock of its items
        self.send_product_update(2).await;
        self.send_stock_update("A").await;
        let order = self.place_order(OrderSpec::of("A", 1)).await;
        self.send_order_update(order).await;
        self.poll().await;
        self.run_until_idle().await;
        self.syncer.run_due().await.unwrap(); // scheduled
        self.run_until_idle().await;
        let replay = json!({ "filter": { "state": "skipped" } });
        assert_eq!(self.api.post("/admin/v1/replays", replay).await.status, 201);
        self.run_until_idle().await;
    }

    /// Asks for one product or figure and runs what is due; returns the HTTP status.
    pub async fn ask_for(&self, subject: &str) -> u16 {
        let answer = self.api.post(&format!("/admin/v1/subjects/shop/{subject}/sync"), json!({})).await;
        self.run_until_idle().await;
        answer.status
    }

    async fn newest_detail(&self, subject: &str) -> String {
        let sql = format!(
            "select detail from attempt join task on task.id = task_id where subject = '{subject}'
             order by task.number desc, attempt.number desc limit 1"
        );
        self.scalar_text(&sql).await
    }
}

#[tokio::test]
async fn no_road_writes_what_is_manual() {
    let silta = TestSilta::start_with_settings(&ALL_MANUAL).await;
    silta.stock_shelves();
    silta.try_every_road().await;
    assert_eq!(silta.vendor_writes(), 0);
    assert_eq!(silta.product_task_state(1).await, "skipped manual_upload");
    assert_eq!(silta.newest_detail("product:1").await, "would create \"A\"");
    assert_eq!(silta.task_state("stock:A").await, "skipped manual_stock_update");
    assert_eq!(silta.newest_detail("stock:A").await, "the shop shows 5, should show 9");
    assert_eq!(silta.order_task_state(1001).await, "skipped manual_transfer");
}

#[tokio::test]
async fn no_road_writes_what_is_off() {
    let silta = TestSilta::start_with_settings(&ALL_OFF).await;
    silta.stock_shelves();
    silta.try_every_road().await;
    assert_eq!(silta.vendor_writes(), 0);
    assert_eq!(silta.product_task_state(1).await, "skipped upload_off");
    assert_eq!(silta.task_state("stock:A").await, "skipped stock_update_off");
    assert_eq!(silta.order_task_state(1001).await, "skipped transfer_off");
    assert_eq!(silta.sandbox.warehouse_server.calls.count("GET", "/api/v1/products/A"), 0, "not read either");
}

#[tokio::test]
async fn request_for_what_is_off_names_the_key() {
    let silta = TestSilta::start_with_settings(&ALL_OFF).await;
    silta.stock_shelves();
    silta.send_order_update(silta.shop.place_order(OrderSpec::of("A", 1))).await;
    let sync = |what: &str| ("/admin/v1/syncs".to_owned(), json!({ "connection": "shop", "what": what }));
    let order = |action: &str| (format!("/admin/v1/orders/shop/1001/{action}"), json!({}));
    let subject = |name: &str| (format!("/admin/v1/subjects/shop/{name}/sync"), json!({}));
    for ((path, body), key) in [
        (order("transfer"), "orders.transfer"),
        (order("release"), "orders.transfer"),
        (order("adopt"), "orders.transfer"),
        (sync("orders"), "orders.transfer"),
        (sync("products"), "products.upload"),
        (subject("product:1"), "products.upload"),
        (sync("stock"), "stock.update"),
        (subject("stock:A"), "stock.update"),
    ] {
        let refused = silta.api.post(&path, body).await;
        assert_eq!((refused.status, refused.text("/code")), (409, "conflict"), "{path}");
        assert!(refused.text("/detail").contains(key), "{path}: {}", refused.text("/detail"));
    }
    for (path, body) in [order("hold"), order("refresh")] {
        assert!(silta.api.post(&path, body).await.status < 300, "{path} writes nothing");
    }
    let preview = silta.run_sync("products", true).await;
    assert_eq!(differences(&preview).len(), 2, "a dry run is possible");
    silta.run_until_idle().await;
    assert_eq!((silta.vendor_writes(), silta.count("intent where kind <> 'hold'").await), (0, 0));
}

#[tokio::test]
async fn asked_product_and_figure_are_written_once() {
    let silta = TestSilta::start_with_settings(&ALL_MANUAL).await;
    silta.stock_shelves();
    silta.send_product_update(1).await;
    assert_eq!(silta.ask_for("product:1").await, 201);
    assert_eq!((silta.warehouse.codes(), silta.vendor_writes()), (vec!["A".to_owned()], 1));
    assert_eq!(silta.ask_for("stock:A").await, 201);
    assert_eq!((silta.shop.quantity("A"), silta.stock_writes()), (Some(9), 1));
    // The next change waits for a person again.
    silta.shop.rename_product(1, "Tumma kahvi");
    silta.send_product_update(1).await;
    silta.warehouse.receive_goods("A", 3);
    silta.send_stock_update("A").await;
    assert_eq!(silta.product_task_state(1).await, "skipped manual_upload");
    assert_eq!((silta.shop.quantity("A"), silta.vendor_writes()), (Some(9), 2));
    assert_eq!(silta.count("audit where action = 'subject.sync' and actor = 'ops'").await, 2);
    assert_eq!(silta.count("intent where kind = 'sync'").await, 2);
    for unknown in ["order:1001", "product:A", "parcel:1"] {
        assert_eq!(silta.ask_for(unknown).await, 404, "{unknown}");
    }
}

#[tokio::test]
async fn wish_for_an_open_task_ends_with_it() {
    let silta = TestSilta::start_with_settings(&ALL_MANUAL).await;
    silta.stock_shelves();
    silta.send_webhook(silta.warehouse.stock_changed("A")).await; // its task is open
    assert_eq!(silta.ask_for("stock:A").await, 200);
    assert_eq!((silta.shop.quantity("A"), silta.task_state("stock:A").await), (Some(9), "done".to_owned()));
    silta.warehouse.receive_goods("A", 1);
    silta.send_stock_update("A").await;
    assert_eq!(silta.shop.quantity("A"), Some(9));
}

#[tokio::test]
async fn sync_by_hand_writes_what_is_manual() {
    let silta = TestSilta::start_with_settings(&ALL_MANUAL).await;
    silta.stock_shelves();
    let products = silta.run_sync("products", false).await;
    assert_eq!(products["fixing_count"], 2, "{products}");
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse.codes().len(), silta.shop.quantity("A")), (2, Some(5)), "not the stock");
    let stock = silta.run_sync("stock", false).await;
    assert_eq!(stock["fixing_count"], 2, "{stock}"); // the warehouse has no piece of B
    silta.run_until_idle().await;
    assert_eq!(silta.shop.quantity("A"), Some(9));
    let by: String = silta.scalar_text("select distinct actor from intent where kind = 'sync'").await;
    assert_eq!(by, "ops");
}

#[tokio::test]
async fn scheduled_sync_leaves_what_is_manual_for_approval() {
    let silta = TestSilta::start_with_settings(&ALL_MANUAL).await;
    silta.stock_shelves();
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    for (what, waiting) in [("products", 2), ("stock", 1)] {
        let report = silta.last_sync(what).await;
        let counts = ["fixing_count", "waiting_count"].map(|key| report[key].as_i64());
        assert_eq!(counts, [Some(0), Some(waiting)], "{report}");
        assert_eq!(silta.vendor_writes(), 0);
    }
    for what in ["products", "stock"] {
        let id = silta.last_sync(what).await["id"].as_str().unwrap().to_owned();
        assert_eq!(silta.api.post(&format!("/admin/v1/syncs/{id}/approve"), json!({})).await.status, 200);
        silta.syncer.run_due().await.unwrap();
        silta.run_until_idle().await;
    }
    assert_eq!((silta.warehouse.codes().len(), silta.shop.quantity("A")), (2, Some(9)));
}

#[tokio::test]
async fn scheduled_sync_reports_what_is_off_and_offers_no_approval() {
    let silta = TestSilta::start_with_settings(&ALL_OFF).await;
    silta.stock_shelves();
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await;
    let report = silta.last_sync("products").await;
    assert_eq!((differences(&report).len(), report["waiting_count"].as_i64()), (2, Some(0)), "{report}");
    let id = report["id"].as_str().unwrap();
    let approved = silta.api.post(&format!("/admin/v1/syncs/{id}/approve"), json!({})).await;
    assert!(approved.text("/detail").contains("products.upload"), "{}", approved.body);
}

/// What waited while a process was automatic and another one, with a newer configuration, is not.
#[tokio::test]
async fn process_that_is_switched_off_leaves_sent_orders_alone() {
    let silta = TestSilta::start().await;
    silta.shop.add_product(1, "A", "Kahvi", 5);
    silta.warehouse.receive_goods("A", 9);
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    silta.warehouse.ship_order(&format!("shop-{order}"));
    let writes = silta.vendor_writes();
    let off = silta.second_process(&[("orders.transfer", "off")]);
    silta.clock.advance(secs(61));
    silta.send_webhook(silta.warehouse.order_shipped(&format!("shop-{order}"))).await;
    off.worker.run_until_idle().await.unwrap();
    assert_eq!(silta.order_task_state(order).await, "skipped transfer_off");
    assert_eq!((silta.shop.order(order).unwrap().status, silta.vendor_writes()), ("OPEN", writes));
    silta.send_order_update(order).await;
    assert_eq!(silta.shop.order(order).unwrap().status, "COMPLETED");
}

#[tokio::test]
async fn manual_transfer_adopts_nothing_unasked() {
    let silta = TestSilta::start_with_settings(&[("orders.transfer", "manual")]).await;
    silta.shop.add_product(1, "A", "Kahvi", 5);
    silta.warehouse.receive_goods("A", 9);
    // Another installation has sent it: our tables know nothing of it.
    silta.warehouse.add_foreign_order("shop-1001", "A", 1);
    silta.warehouse.ship_order("shop-1001");
    let order = silta.place_order(OrderSpec::of("A", 1)).await;
    assert_eq!(silta.order_task_state(order).await, "skipped manual_transfer");
    assert_eq!(silta.vendor_writes(), 0);
    assert_eq!(silta.post_order_action(order, "transfer").await, 201);
    assert_eq!(silta.shop.order(order).unwrap().status, "COMPLETED", "adopted, and followed from then on");
    assert_eq!(silta.warehouse_count(order), 1);
}

#[tokio::test]
async fn pages_and_the_api_say_what_is_not_automatic() {
    let silta =
        TestSilta::start_with_settings(&[("orders.transfer", "manual"), ("stock.update", "off")]).await;
    let connection = silta.connection().await;
    let shown = ["orders_transfer", "products_upload", "stock_update"].map(|key| connection[key].as_str());
    assert_eq!(shown, [Some("manual"), Some("automatic"), Some("off")]);
    let session = Session::with(&silta, VIEWER).await;
    for page in ["/", "/connections"] {
        let text = session.get(page).await.text().await.unwrap();
        assert!(text.contains("Orders wait until you transfer them"), "{page}");
        assert!(text.contains("no figure is written to the shop"), "{page}");
        assert!(!text.contains("Products wait"), "{page}");
    }
}

#[tokio::test]
async fn needs_attention_lists_what_is_manual() {
    let silta = TestSilta::start_with_settings(&ALL_MANUAL).await;
    silta.stock_shelves();
    silta.try_every_road().await;
    let causes = silta.api.get("/admin/v1/attention").await;
    let count_of = |reason: &str| {
        let cause = causes.items().iter().find(|cause| cause["reason"] == reason).cloned();
        cause.map(|cause: Value| {
            (cause["state"].as_str().unwrap().to_owned(), cause["count"].as_i64().unwrap())
        })
    };
    assert_eq!(count_of("manual_upload"), Some(("on_hold".to_owned(), 2)));
    assert_eq!(count_of("manual_stock_update"), Some(("on_hold".to_owned(), 1)));
    assert_eq!(count_of("manual_transfer"), Some(("on_hold".to_owned(), 1)));
}
