//! The fuzz targets: functions of bytes alone, each for one place where untrusted bytes enter. `make fuzz` runs them
//! with generated input; `tests/it/meta/fuzz_seeds.rs` runs them with every seed, whole, cut off and with single bytes
//! changed. No input may make them panic, and each checks what must hold for any input.

use axum::http::Uri;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde::de::DeserializeOwned;
use serde_json::Value;
use silta::{
    app::config::{Config, Environment},
    domain::event::{reference::ReferencePrefixes, routing::route, subject::Subject},
    security::signature::{Encoding, SignatureScheme, sign},
    vendors::{json_outline::outline, mycashflow, ogoship},
    web::api,
};

const SECRET: &str = "083c584d-ae65-11ec-aef4-0242ac130002";

/// A signed webhook: the first line is the signature, the rest the body. Only the right signature is accepted.
pub fn signature(data: &[u8]) {
    let split = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (given, body) = (&data[..split], data.get(split + 1..).unwrap_or_default());
    let Ok(given) = std::str::from_utf8(given) else { return };
    let scheme = SignatureScheme {
        header: "X-Signature".to_owned(),
        encoding: Encoding::Either,
        secrets: vec!["another".to_owned(), SECRET.to_owned()],
    };
    if scheme.verify(body, given).is_some() {
        let given = given.trim();
        let (prefix, rest) = given.split_at_checked(7).unwrap_or(("", given));
        let digest = if prefix.eq_ignore_ascii_case("sha256=") { rest } else { given };
        let digest: String = digest.split_ascii_whitespace().collect();
        let digest = digest.trim_end_matches('=');
        let is_right = scheme.secrets.iter().any(|secret| {
            let mac = sign(secret, body);
            let encoded = [hex::encode(&mac), STANDARD_NO_PAD.encode(&mac)];
            encoded.iter().any(|it| it.eq_ignore_ascii_case(digest))
        });
        assert!(is_right, "{given:?} was accepted");
    }
}

/// The body of a webhook from either vendor. Its outline reads like the whole body, and every subject that it names
/// can be stored and parsed again.
pub fn webhook(data: &[u8]) {
    let whole = serde_json::from_slice::<Value>(data).ok();
    let Some(outline) = outline(data) else { return assert_eq!(whole, None) };
    let read = |body: &Value| {
        [
            mycashflow::webhook::read(body, None),
            mycashflow::webhook::read(body, Some("order.updated")),
            ogoship::webhook::read(body),
        ]
    };
    let from_outline = read(&outline);
    let is_same = whole.is_none_or(|whole| read(&whole) == from_outline);
    assert!(is_same, "the outline reads differently from the whole body");
    for webhook in from_outline {
        if let Some(subject) = route(&webhook.entity, &ReferencePrefixes::new("shop-")) {
            let name = subject.to_string();
            assert!(!name.contains('\0') && name.len() < 300, "{name:?}");
            assert_eq!(name.parse::<Subject>().ok(), Some(subject));
        }
    }
}

/// A vendor's answer, read as every kind of answer.
pub fn answer(data: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(data) else { return };
    read::<mycashflow::wire::List>(&body);
    read::<mycashflow::wire::One<mycashflow::wire::Order>>(&body);
    read::<mycashflow::wire::Order>(&body);
    read::<mycashflow::wire::Product>(&body);
    read::<mycashflow::wire::StockItem>(&body);
    read::<mycashflow::wire::Method>(&body);
    read::<ogoship::wire::Token>(&body);
    read::<ogoship::wire::Callback>(&body);
    if let Some(wire) = read::<ogoship::wire::Order>(&body) {
        drop(ogoship::translate::order_version(&wire));
        let reference = wire.reference.clone();
        if let Some(order) = ogoship::translate::warehouse_order(wire) {
            assert_eq!(Some(order.reference), reference);
        }
    }
    if let Some(wire) = read::<ogoship::wire::Stock>(&body) {
        drop((ogoship::translate::stock_version(&wire), ogoship::translate::stock(&wire)));
    }
    if let Some(wire) = read::<ogoship::wire::Product>(&body) {
        drop(ogoship::translate::product(wire));
    }
}

fn read<T: DeserializeOwned>(body: &Value) -> Option<T> {
    serde_json::from_value(body.clone()).ok()
}

/// A configuration file: valid, or every error reported with its remedy.
pub fn configuration(data: &[u8]) {
    let Ok(file) = std::str::from_utf8(data) else { return };
    if let Err(errors) = Config::load(file, &Environment::new()) {
        assert!(!errors.is_empty());
        assert!(errors.iter().all(|error| !error.problem.is_empty()), "{errors:?}");
    }
}

/// A list's query: refused, or a page within its bounds.
pub fn cursor(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else { return };
    let Ok(uri) = format!("/admin/v1/tasks?{query}").parse::<Uri>() else { return };
    for limit in api::parse_limits(&uri).into_iter().flatten() {
        assert!((1..=200).contains(&limit), "{limit}");
    }
}
