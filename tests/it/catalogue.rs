//! Products: from the shop's catalogue to the warehouse's, under codes that are one thing's each.

use serde_json::{Value, json};
use silta::dev::sandbox::Fault;

use crate::harness::{CONNECTION, TestSilta, secs};

impl TestSilta {
    /// The shop tells that a product has changed, a minute later, and everything due is done.
    pub async fn hears_of_product(&self, id: u64) {
        self.clock.advance(secs(61));
        self.hears(self.shop.product_updated(id)).await;
        self.run_until_idle().await;
    }

    /// The name that the warehouse has for a code.
    pub fn name_there(&self, code: &str) -> Option<String> {
        self.warehouse.product(code).map(|product| product["name"].as_str().unwrap().to_owned())
    }

    /// State and reason of a product's newest delivery, in one word.
    pub async fn product_stands(&self, id: u64) -> String {
        let (state, reason) = self.delivery(&format!("product:{id}")).await;
        reason.map_or_else(|| state.clone(), |reason| format!("{state} {reason}"))
    }

    /// The list of codes that cannot be sent, as part and reason.
    pub async fn code_problems(&self) -> Vec<(String, String)> {
        let list = self.api.get(&format!("/admin/v1/connections/{CONNECTION}/codes")).await;
        let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
        list.items().iter().map(|it| (text(it, "part"), text(it, "reason"))).collect()
    }

    /// Calls to the warehouse's products so far: reads, creations, updates.
    fn product_calls(&self) -> [usize; 3] {
        ["GET", "POST", "PUT"].map(|it| self.sandbox.warehouse_server.calls.count(it, "/api/v1/products"))
    }
}

#[tokio::test]
async fn every_field_that_both_systems_know_goes_along_and_an_existing_ean_is_never_overwritten() {
    let silta = TestSilta::start_set(&[
        ("products.suppliers", "Kahvila Oy"),
        ("products.prices", "true"),
        ("products.descriptions", "true"),
        ("products.country_of_origin", "FI"),
        ("products.info_url", "https://kauppa.example/product/{id}"),
        ("products.picture_url", "https://kauppa.example/tuotekuvat/{file}"),
    ])
    .await;
    silta.shop.lists_product(7, "CUP", "Kuppi", 0);
    silta.shop.is_supplied_by(7, 71);
    silta.shop.says_of_product(
        7,
        &json!({
            "supplier_code": "S-1", "barcode": "6400000000001", "description": "Sininen", "price": "9.90",
            "purchase_price": 4, "image_links": [{ "filename": "kuppi.jpg" }, { "filename": "toinen.jpg" }],
        }),
    );
    silta.hears_of_product(7).await;
    let mut there = silta.warehouse.product("CUP").unwrap();
    there.as_object_mut().unwrap().remove("id");
    let expected = json!({
        "code": "CUP", "languageCode": "fi", "name": "Kuppi", "description": "Sininen", "supplierCode": "S-1",
        "supplier": "Kahvila Oy", "eanCode": "6400000000001", "supplyPrice": 4.0, "salesPrice": 9.9,
        "currencyCode": "EUR", "countryOfOrigin": "FI", "infoUrl": "https://kauppa.example/product/7",
        "pictureUrl": "https://kauppa.example/tuotekuvat/kuppi.jpg",
    });
    assert_eq!(there, expected);

    silta.shop.says_of_product(7, &json!({ "barcode": "6400000000002", "price": "10.90" }));
    silta.hears_of_product(7).await;
    let there = silta.warehouse.product("CUP").unwrap();
    assert_eq!(
        (there["eanCode"].as_str(), there["salesPrice"].as_f64()),
        (Some("6400000000001"), Some(10.9))
    );
    let sent: Value = silta
        .scalar("select calls -> -1 -> 'request' from attempt where deed = 'update' order by ended_at desc limit 1")
        .await;
    assert!(sent.get("eanCode").is_none(), "not even sent: {sent}");
}

#[tokio::test]
async fn an_unchanged_product_costs_no_call_to_the_warehouse() {
    let silta = TestSilta::start().await;
    silta.shop.lists_product(7, "CUP", "Kuppi", 0);
    silta.shop.varies_product(7, &[(71, "CUP-R", "Punainen"), (72, "CUP-S", "Sininen")]);
    silta.hears_of_product(7).await;
    let before = silta.product_calls();
    silta.shop.renames_product(7, "Kuppi"); // only its updated_at is new
    silta.hears_of_product(7).await;
    assert_eq!(silta.product_calls(), before);
    silta.shop.varies_product(7, &[(71, "CUP-R", "Punainen"), (72, "CUP-S", "Taivaansininen")]);
    silta.hears_of_product(7).await;
    let after = silta.product_calls();
    assert_eq!((after[0] - before[0], after[2] - before[2]), (1, 1), "the changed one is read and updated");
    assert_eq!(silta.name_there("CUP-S").as_deref(), Some("Kuppi - Taivaansininen"));
}

#[tokio::test]
async fn a_replay_of_a_product_looks_at_the_warehouse_whatever_was_sent_before() {
    let silta = TestSilta::start().await;
    silta.shop.lists_product(7, "CUP", "Kuppi", 0);
    silta.hears_of_product(7).await;
    silta.warehouse.edits_product("CUP", "Muokattu");
    let id: uuid::Uuid = silta.scalar("select id from delivery where subject = 'product:7'").await;
    assert_eq!(silta.api.post(&format!("/admin/v1/deliveries/{id}/replay"), json!({})).await.status, 201);
    silta.run_until_idle().await;
    assert_eq!(silta.name_there("CUP").as_deref(), Some("Kuppi"));
}

#[tokio::test]
async fn a_changed_code_renames_the_product_at_the_warehouse_instead_of_leaving_an_orphan() {
    for fault in [None, Some(Fault::DropAfter), Some(Fault::StatusAfter(504)), Some(Fault::DropBefore)] {
        let silta = TestSilta::start().await;
        silta.shop.lists_product(7, "CUP/1", "Kuppi", 0);
        silta.shop.lists_product(8, "POT", "Pannu", 0);
        silta.shop.varies_product(8, &[(81, "POT-1", "1 l"), (82, "POT-2", "2 l")]);
        silta.hears_of_product(7).await;
        silta.hears_of_product(8).await;
        silta.warehouse.counts("CUP/1", 12);

        silta.shop.recodes_product(7, "MUKI");
        silta.shop.varies_product(8, &[(81, "POT-1", "1 l"), (82, "PANNU-2", "2 l")]);
        if let Some(fault) = fault {
            silta.sandbox.warehouse_server.faults.script("PUT", "/api/v1/products", fault);
        }
        silta.hears_of_product(7).await;
        silta.hears_of_product(8).await;
        silta.passes(secs(600)).await;
        assert_eq!(silta.warehouse.codes(), ["MUKI", "PANNU-2", "POT-1"], "{fault:?}");
        assert_eq!(silta.warehouse.available("MUKI"), Some(12), "its shelf goes with it");
        assert_eq!(silta.product_stands(7).await, "delivered");
    }
}

#[tokio::test]
async fn codes_passed_on_from_one_product_to_the_next_never_meet() {
    let silta = TestSilta::start().await;
    silta.shop.lists_product(1, "A", "Yksi", 0);
    silta.shop.lists_product(2, "B", "Kaksi", 0);
    silta.hears_of_product(1).await;
    silta.hears_of_product(2).await;
    // Two goes on to C, and one takes B. The news of the second change comes first.
    silta.shop.recodes_product(2, "C");
    silta.shop.recodes_product(1, "B");
    silta.hears_of_product(1).await;
    assert_eq!(silta.product_stands(1).await, "dead code_repeated", "as far as we know, two has B");
    silta.hears_of_product(2).await;
    assert_eq!(silta.product_stands(1).await, "delivered", "it went on by itself");
    assert_eq!(silta.name_there("B").as_deref(), Some("Yksi"));
    assert_eq!(silta.name_there("C").as_deref(), Some("Kaksi"));
    assert_eq!(silta.warehouse.codes(), ["B", "C"]);
}

#[tokio::test]
async fn two_products_that_change_codes_with_each_other_go_to_a_person() {
    let silta = TestSilta::start().await;
    silta.shop.lists_product(1, "A", "Yksi", 0);
    silta.shop.varies_product(1, &[(11, "A", "a"), (12, "B", "b")]);
    silta.hears_of_product(1).await;
    silta.shop.varies_product(1, &[(11, "B", "a"), (12, "A", "b")]);
    silta.hears_of_product(1).await;
    assert_eq!(silta.product_stands(1).await, "dead code_taken");
    assert_eq!(silta.name_there("A").as_deref(), Some("Yksi - a"), "nothing was overwritten");
}

#[tokio::test]
async fn unusable_codes_are_found_before_anything_is_sent_listed_with_both_products_and_held_back_one_by_one()
{
    let silta = TestSilta::start().await;
    let long = "x".repeat(51);
    silta.shop.lists_product(1, "CUP", "Kuppi", 0);
    silta.shop.lists_product(2, "cup", "Muki", 0);
    silta.shop.lists_product(3, "POT", "Pannu", 0);
    silta
        .shop
        .varies_product(3, &[(31, "C UP", "1 l"), (32, "", "2 l"), (33, &long, "3 l"), (34, "POT-4", "4 l")]);
    silta.shop.lists_product(4, "TEE", "Tee", 0);
    silta.syncer.run_due().await.unwrap(); // the catalogue is read whole, and nothing of it sent
    assert_eq!(
        silta.warehouse.codes(),
        Vec::<String>::new(),
        "no product can be deleted there: a person says when"
    );

    let expected: Vec<_> = [
        ("product:1", "code_repeated"),
        ("product:2", "code_repeated"),
        ("product:3/31", "code_repeated"),
        ("product:3/32", "code_empty"),
        ("product:3/33", "code_too_long"),
    ]
    .map(|(part, reason)| (part.to_owned(), reason.to_owned()))
    .to_vec();
    assert_eq!(silta.code_problems().await, expected);
    let list = silta.api.get("/admin/v1/connections/shop/codes?limit=1").await;
    let others = &list.items()[0]["others"];
    assert_eq!(
        *others,
        json!([r#""cup" of "Muki" (product:2)"#, r#""C UP" of "Pannu - 1 l" (product:3/31)"#])
    );
    assert_eq!(list.body["next"], "product:1");

    for id in 1..=4 {
        silta.hears_of_product(id).await;
    }
    assert_eq!(silta.warehouse.codes(), ["POT-4", "TEE"], "the rest went on");
    assert_eq!(silta.product_stands(1).await, "dead code_repeated");
    assert_eq!(silta.product_stands(3).await, "dead code_repeated");
    let told: String = silta
        .scalar("select detail from attempt join delivery on delivery.id = delivery_id where subject = 'product:1'")
        .await;
    assert!(told.contains(r#""CUP" is also "cup" of "Muki" (product:2)"#), "{told}");
}

#[tokio::test]
async fn nothing_is_sent_before_the_whole_catalogue_was_read_once_and_then_it_goes_by_itself() {
    let silta = TestSilta::start_set(&[("sweeps.compare", "0s")]).await;
    sqlx::query("update connection set catalogue_read_at = null").execute(&silta.pool).await.unwrap();
    silta.shop.lists_product(1, "CUP", "Kuppi", 0);
    silta.shop.lists_product(2, "cup", "Muki", 0);
    silta.shop.lists_product(3, "TEE", "Tee", 0);
    silta.hears_of_product(1).await;
    silta.hears_of_product(3).await;
    assert_eq!(silta.product_stands(1).await, "pending catalogue_unread");
    silta.sandbox.shop_server.faults.script("GET", "/api/v1/products", Fault::Status(401));
    assert_eq!(silta.syncer.run_due().await.unwrap(), 1, "also where no comparison is scheduled");
    silta.run_until_idle().await;
    assert!(silta.warehouse.codes().is_empty(), "it could not be read");
    silta.clock.advance(secs(60));
    assert_eq!(silta.syncer.run_due().await.unwrap(), 1, "tried again soon");
    silta.run_until_idle().await;
    assert_eq!(
        (silta.warehouse.codes(), silta.product_stands(1).await),
        (vec!["TEE".into()], "dead code_repeated".into())
    );
}

#[tokio::test]
async fn a_repeated_code_that_one_product_leaves_lets_the_other_go_by_itself() {
    let silta = TestSilta::start().await;
    silta.shop.lists_product(1, "CUP", "Kuppi", 0);
    silta.shop.lists_product(2, "CUP", "Muki", 0);
    silta.hears_of_product(1).await;
    assert_eq!(silta.name_there("CUP").as_deref(), Some("Kuppi"), "nobody knew of the other yet");
    silta.hears_of_product(2).await;
    assert_eq!(silta.product_stands(2).await, "dead code_repeated");
    silta.shop.recodes_product(1, "KUPPI");
    silta.hears_of_product(1).await;
    assert_eq!(silta.name_there("KUPPI").as_deref(), Some("Kuppi"), "renamed");
    assert_eq!(silta.name_there("CUP").as_deref(), Some("Muki"));
    assert_eq!(silta.product_stands(2).await, "delivered");
    assert_eq!(silta.code_problems().await, []);

    // And so does one that is deleted in the shop.
    silta.shop.lists_product(3, "kuppi", "Kolmas", 0);
    silta.hears_of_product(3).await;
    assert_eq!(silta.product_stands(3).await, "dead code_repeated");
    silta.shop.drops_product(1);
    silta.hears_of_product(1).await;
    assert_eq!(silta.product_stands(1).await, "skipped unknown_in_shop");
    assert_eq!(silta.product_stands(3).await, "delivered");
}

#[tokio::test]
async fn one_rule_of_suppliers_and_excluded_codes_decides_for_products_stock_and_their_codes() {
    let silta =
        TestSilta::start_set(&[("products.suppliers", "Kahvila Oy"), ("products.exclude_codes", "KORTTI")])
            .await;
    for (id, code, supplier) in [(1, "KAHVI", 71), (2, "TEE", 72), (3, "KORTTI", 71), (4, "tee", 72)] {
        silta.shop.lists_product(id, code, code, 50);
        silta.shop.is_supplied_by(id, supplier);
        silta.warehouse.receives_goods(code, 7);
    }
    for id in 1..=4 {
        silta.hears_of_product(id).await;
    }
    for code in ["KAHVI", "TEE", "KORTTI"] {
        silta.hears(silta.warehouse.stock_changed(code)).await;
    }
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse.codes(), ["KAHVI"]);
    let quantities = ["KAHVI", "TEE", "KORTTI"].map(|code| silta.shop.quantity(code).unwrap());
    assert_eq!(quantities, [7, 50, 50]);
    assert_eq!(silta.code_problems().await, [], "two codes alike that are nobody's here are in nobody's way");
    silta.shop.lists_product(5, "kahvi", "Toinen", 0);
    silta.shop.is_supplied_by(5, 72);
    silta.hears_of_product(5).await;
    assert_eq!(
        silta.code_problems().await.len(),
        2,
        "one of them is stored: whoever orders the code gets which?"
    );
}

#[tokio::test]
async fn a_part_that_the_warehouse_refuses_does_not_keep_the_others_from_going_on() {
    let silta = TestSilta::start().await;
    silta.shop.lists_product(7, "CUP", "Kuppi", 0);
    silta.shop.varies_product(7, &[(71, "CUP-A", "a"), (72, "CUP-B", "b"), (73, "CUP-C", "c")]);
    for _ in 0..2 {
        silta.sandbox.warehouse_server.faults.script("POST", "/api/v1/products", Fault::Status(400));
    }
    silta.hears_of_product(7).await;
    silta.passes(secs(600)).await;
    assert_eq!(
        silta.warehouse.codes(),
        ["CUP-A", "CUP-B", "CUP-C"],
        "refused twice, and tried with the next look"
    );
}
