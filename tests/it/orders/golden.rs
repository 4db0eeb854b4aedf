//! Golden files: the exact JSON sent to the warehouse for realistic orders, and the reason for those not sent.
//! The files are the contract with the warehouse: a change of one is a change of behaviour.

use serde_json::{Value, json};
use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestOptions, TestSilta};

fn customer(first: &str, last: &str, street: &str, zip: &str, city: &str) -> Value {
    json!({
        "first_name": first, "last_name": last, "street_address": street, "postal_code": zip, "city": city,
        "country": "FI", "phone": "+358 40 123 4567", "email": "tilaaja@example.fi",
    })
}

fn line(product: u64, code: &str, quantity: i64, price: &str) -> Value {
    json!({
        "product_id": product, "product_code": code, "quantity": quantity, "unit_price": price, "vat_rate": "25.5",
        "download_id": null,
    })
}

async fn check(name: &str, settings: &[(&str, &str)], spec: OrderSpec) {
    check_in(TestSilta::start_with_settings(settings).await, name, spec).await;
}

async fn check_in(mut silta: TestSilta, name: &str, spec: OrderSpec) {
    for (id, code, supplier) in [(1, "KAHVI-500", 71), (2, "TEE-VIHREÄ", 72), (3, "KUPPI-SIN", 71)] {
        silta.shop.add_product(id, code, code, 10);
        silta.shop.set_supplier(id, supplier);
    }
    let order = silta.place_order(spec).await;
    let sent = if let Some(order) = silta.warehouse.find("shop-1001") {
        order.sent
    } else {
        let detail: Option<String> = silta.scalar("select detail from attempt limit 1").await;
        json!({ "not sent": silta.order_task_state(order).await, "detail": detail })
    };
    compare(name, &sent);
    silta.leave_unfinished();
}

fn compare(name: &str, sent: &Value) {
    let path = format!("{}/tests/it/orders/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = format!("{}\n", serde_json::to_string_pretty(sent).unwrap());
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{path}");
}

#[tokio::test]
async fn golden_order_with_nordic_letters() {
    let customer = customer("Åke", "Öhman-Sjöström", "Mäkelänkatu 1 A 5", "00510", "Hyvinkää");
    check(
        "north",
        &[],
        OrderSpec::of("TEE-VIHREÄ", 2).with_json(json!({ "customer_information": customer })),
    )
    .await;
}

#[tokio::test]
async fn golden_company_order_with_customs_prices() {
    let mut customer = customer("Kaisa", "Korhonen", "Teollisuuskatu 21", "00510", "Helsinki");
    customer["company"] = "Kahvila & Leipomo Oy".into();
    customer["country"] = "no".into();
    let lines = json!([
        line(1, "KAHVI-500", 3, "7.90"),
        line(3, "KUPPI-SIN", 1, "12.00"),
        line(1, "KAHVI-500", 1, "6.90")
    ]);
    let spec = OrderSpec::of("KAHVI-500", 1)
        .with_json(json!({ "customer_information": customer, "products": lines }));
    check("company", &[("orders.unit_prices", "exclude_vat")], spec).await;
}

#[tokio::test]
async fn golden_pickup_point_order() {
    let customer = customer("Matti", "Meikäläinen", "Kotikatu 3", "33100", "Tampere");
    let spec = OrderSpec::of("KAHVI-500", 1)
        .with_shipping_method(2, Some("0331007"))
        .with_json(json!({ "customer_information": customer }));
    check("pickup_point", &[], spec).await;
}

#[tokio::test]
async fn golden_cod_order_to_another_address() {
    let shipping = json!({
        "first_name": "Liisa", "last_name": "Virtanen", "street_address": "Mökkitie 12\nRanta", "postal_code": "52700",
        "city": "Mäntyharju", "country": "fi", "phone": null, "email": null,
    });
    let spec = OrderSpec::of("KUPPI-SIN", 4).cash_on_delivery();
    let customer = customer("Pekka", "Virtanen", "Kotikatu 3", "33100", "Tampere");
    let fields = json!({
        "customer_information": customer, "different_shipping_address": true, "shipping_address": shipping,
    });
    check("cash_on_delivery", &[], spec.with_json(fields)).await;
}

#[tokio::test]
async fn golden_order_of_150_lines() {
    let lines: Vec<_> = (1..=150).map(|at| line(1, &format!("KOODI-{at:03}"), at % 7 + 1, "1.00")).collect();
    check("lines_150", &[], OrderSpec::of("KAHVI-500", 1).with_json(json!({ "products": lines }))).await;
}

#[tokio::test]
async fn golden_order_of_variations() {
    let mut red = line(3, "KUPPI-PUN", 1, "12.00");
    red["variation_id"] = 31.into();
    red["model_name"] = "Punainen".into();
    let mut blue = line(3, "KUPPI-SIN", 2, "12.00");
    blue["variation_id"] = 32.into();
    let lines = json!([red, blue, line(3, "KUPPI-PUN", 1, "12.00"), line(1, "KAHVI-500", 0, "7.90")]);
    check("variations", &[], OrderSpec::of("KUPPI-SIN", 1).with_json(json!({ "products": lines }))).await;
}

#[tokio::test]
async fn golden_order_of_mixed_suppliers() {
    let lines = json!([
        line(1, "KAHVI-500", 1, "7.90"),
        line(2, "TEE-VIHREÄ", 1, "5.90"),
        line(3, "KUPPI-SIN", 1, "12.00")
    ]);
    let spec = OrderSpec::of("KAHVI-500", 1).with_json(json!({ "products": lines }));
    check(
        "mixed_suppliers",
        &[("products.suppliers", "Kahvila Oy"), ("products.exclude_codes", "KUPPI-SIN")],
        spec,
    )
    .await;
}

#[tokio::test]
async fn golden_guest_order_with_comment_and_receipt() {
    let mut customer = customer("Vieras", "Vierailija", "Hotellikatu 9", "00100", "Helsinki");
    customer["phone"] = Value::Null;
    let fields = json!({
        "customer_id": null, "customer_information": customer, "details": "Jätä oven taakse",
        "receipt_url": "https://kauppa.example.fi/receipt/1001.pdf",
    });
    let settings = [("orders.comments", "true"), ("orders.receipt", "true"), ("orders.test", "true")];
    check("guest", &settings, OrderSpec::of("KAHVI-500", 1).with_json(fields)).await;
}

#[tokio::test]
async fn golden_address_over_the_limits() {
    let mut customer = customer(&"Nimi".repeat(30), "Pitkä", "Katu 1", "00100", &"Kaupunki".repeat(14));
    customer["country"] = "Suomi".into();
    check(
        "address_over_the_limits",
        &[],
        OrderSpec::of("KAHVI-500", 1).with_json(json!({ "customer_information": customer })),
    )
    .await;
}

#[tokio::test]
async fn golden_download_only_order() {
    let mut file = line(1, "OPAS-PDF", 1, "9.90");
    file["download_id"] = 55.into();
    check("download_only", &[], OrderSpec::of("OPAS-PDF", 1).with_json(json!({ "products": [file] }))).await;
}

#[tokio::test]
async fn golden_klarna_order() {
    let payment = json!({
        "id": 1, "status": "PENDING_ACTIVATION", "is_paid": false, "amount": "19.90", "currency": "EUR",
        "payment_method_id": 7,
    });
    check("klarna", &[], OrderSpec::of("KAHVI-500", 1).with_json(json!({ "payments": [payment] }))).await;
}

#[tokio::test]
async fn golden_order_paid_by_gift_card_and_card() {
    let payment = |id: u64, amount: &str| json!({ "id": id, "status": "PAID", "is_paid": true, "amount": amount, "currency": "EUR", "payment_method_id": 8 });
    let lines = json!([line(1, "KAHVI-500", 2, "7.90"), line(4, "LAHJAKORTTI-20", 1, "20.00")]);
    let fields = json!({
        "total": "35,80", "payments": [payment(1, "10,00"), payment(2, "25,80")], "products": lines,
    });
    let settings = [("products.not_packed", "LAHJAKORTTI*")];
    check("gift_card_and_card", &settings, OrderSpec::of("KAHVI-500", 1).with_json(fields)).await;
}

#[tokio::test]
async fn golden_order_of_a_kit() {
    let lines = json!([line(5, "SETTI", 2, "30.00"), line(3, "KUPPI-SIN", 1, "12.00")]);
    let connection = "[connections.products.kits]\nSETTI = { \"KUPPI-SIN\" = 2, \"KAHVI-500\" = 1 }\n";
    let silta = TestSilta::start_with(TestOptions { connection, service: "" }).await;
    check_in(silta, "kit", OrderSpec::of("SETTI", 1).with_json(json!({ "products": lines }))).await;
}

#[tokio::test]
async fn golden_order_collected_from_the_shop() {
    check("collection", &[("shipping.POSTI-14", "leave")], OrderSpec::of("KAHVI-500", 1)).await;
}

#[tokio::test]
async fn golden_order_of_nothing_to_pay() {
    let fields = json!({ "total": "0.00", "payments": [] });
    check("zero_total", &[], OrderSpec::of("KAHVI-500", 1).with_json(fields)).await;
}

/// Goods that the shop added after the parcel: without the comment, the receipt and the cash on delivery, which belong to
/// the first one.
#[tokio::test]
async fn golden_exchange() {
    let settings =
        [("orders.unit_prices", "include_vat"), ("orders.comments", "true"), ("orders.receipt", "true")];
    let silta = TestSilta::start_with_settings(&settings).await;
    for code in ["KAHVI-500", "KUPPI-SIN"] {
        silta.warehouse.receive_goods(code, 10);
    }
    let customer = customer("Matti", "Meikäläinen", "Kotikatu 3", "33100", "Tampere");
    let fields = json!({
        "customer_information": customer, "details": "Soita ovikelloa",
        "receipt_url": "https://kauppa.example.fi/receipt/1001.pdf",
    });
    let order = silta.place_order(OrderSpec::of("KAHVI-500", 1).cash_on_delivery().with_json(fields)).await;
    silta.warehouse.ship_order("shop-1001");
    silta.post_order_action(order, "refresh").await;
    silta.shop.book_return(order, "KAHVI-500", 1);
    silta.shop.add_shipment(order, &[("KUPPI-SIN", 2)]);
    silta.send_order_update(order).await;
    assert_eq!(silta.post_order_action(order, "send-replacement").await, 201);
    compare("exchange", &silta.warehouse.find("shop-1001-R1").unwrap().sent);
}
