//! What viewers see of JSON that others wrote: an allow-list.
//!
//! A vendor may send a name under any key. So a value is shown only where its key promises an id or code, a state, a
//! quantity or amount, or a time, **and** it looks like one. Everything else is a mark that says nothing of the value:
//! one made from it would tell those who can guess (postal codes, phone numbers) whether they are right.

use serde_json::{Map, Value};

/// Stands for a value that is not shown.
pub const MASK: &str = "•";

/// Objects and lists that are looked into; of any other nothing is shown.
const CONTAINERS: [&str; 23] = [
    "body",
    "calls",
    "data",
    "event",
    "events",
    "items",
    "lines",
    "order",
    "orderlines",
    "orders",
    "payload",
    "product",
    "products",
    "request",
    "rows",
    "shipment",
    "shipments",
    "stock",
    "task",
    "tasks",
    "variation",
    "variations",
    "webhook",
];

/// Keys of ids and codes.
const IDS: [&str; 28] = [
    "code",
    "codes",
    "country",
    "countrycode",
    "currency",
    "currencycode",
    "ean",
    "eancode",
    "eventid",
    "guid",
    "hscode",
    "id",
    "ids",
    "languagecode",
    "orderid",
    "ordernumber",
    "pricecurrency",
    "productcode",
    "productid",
    "reference",
    "requestid",
    "shipmentid",
    "shippingcode",
    "sku",
    "taskid",
    "trackingcode",
    "uuid",
    "variationid",
];

/// Keys of states and kinds.
const STATES: [&str; 9] =
    ["event", "kind", "orderstatus", "state", "status", "statuscode", "topic", "type", "warehousestatus"];

/// Keys of quantities and amounts.
const AMOUNTS: [&str; 20] = [
    "amount",
    "available",
    "balance",
    "count",
    "pieces",
    "price",
    "pricetotal",
    "qty",
    "quantity",
    "reserved",
    "salesprice",
    "stock",
    "stockavailable",
    "sum",
    "supplyprice",
    "total",
    "unitprice",
    "vat",
    "vatpercentage",
    "vatrate",
];

/// Keys of times.
const TIMES: [&str; 14] = [
    "at",
    "completedat",
    "created",
    "createdat",
    "date",
    "datetime",
    "edittime",
    "modified",
    "orderedat",
    "paidat",
    "time",
    "timestamp",
    "updated",
    "updatedat",
];

/// Returns the JSON as viewers see it.
pub fn mask_for_viewers(json: &Value) -> Value {
    match json {
        Value::Object(fields) => Value::Object(fields.iter().map(shown_field).collect::<Map<_, _>>()),
        Value::Array(items) => items.iter().map(mask_for_viewers).collect(),
        Value::Null => Value::Null,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => MASK.into(),
    }
}

fn shown_field((key, value): (&String, &Value)) -> (String, Value) {
    let plain: String =
        key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let is_name =
        key.len() <= 40 && key.chars().all(|letter| letter.is_ascii_alphabetic() || "_-.".contains(letter));
    (if is_name { key.clone() } else { MASK.to_owned() }, shown_value(&plain, value))
}

/// The value of a field whose key has these letters and digits.
fn shown_value(key: &str, value: &Value) -> Value {
    match value {
        Value::Object(_) if CONTAINERS.contains(&key) => mask_for_viewers(value),
        Value::Array(items) => items.iter().map(|item| shown_value(key, item)).collect(),
        Value::Null => Value::Null,
        Value::Object(_) | Value::Bool(_) => MASK.into(),
        Value::Number(number) => show_if(is_known(key, &number.to_string()), value),
        Value::String(text) => show_if(text.is_empty() || is_known(key, text), value),
    }
}

fn show_if(is_shown: bool, value: &Value) -> Value {
    if is_shown { value.clone() } else { MASK.into() }
}

/// Whether the key promises something that may be shown, and the text looks like it.
fn is_known(key: &str, text: &str) -> bool {
    !is_phone(text)
        && (IDS.contains(&key) && is_id(text)
            || STATES.contains(&key) && is_word(text)
            || AMOUNTS.contains(&key) && is_number(text)
            || TIMES.contains(&key) && is_time(text))
}

/// Whether viewers see a text that is an id or a code.
pub fn is_shown_as_id(text: &str) -> bool {
    is_id(text) && !is_phone(text)
}

/// A code in one word, without the signs of an address, a link or an e-mail.
fn is_id(text: &str) -> bool {
    text.len() <= 64 && text.chars().all(|letter| letter.is_alphanumeric() || "-_.#+".contains(letter))
}

fn is_word(text: &str) -> bool {
    text.len() <= 40 && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
}

fn is_number(text: &str) -> bool {
    text.len() <= 20 && text.chars().all(|letter| letter.is_ascii_digit() || "-.,".contains(letter))
}

/// A time in seconds, or one that begins with its date.
fn is_time(text: &str) -> bool {
    let is_date =
        text.as_bytes().get(4) == Some(&b'-') && text.chars().take(4).all(|letter| letter.is_ascii_digit());
    let is_count = text.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    text.len() <= 40
        && (is_count || is_date)
        && text.chars().all(|letter| letter.is_ascii_digit() || "-+:. TZ".contains(letter))
}

/// Phone numbers begin with a plus or a zero, and are long.
fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let is_written_as_one = text.chars().all(|letter| letter.is_ascii_digit() || "+-() ".contains(letter));
    is_written_as_one && digits >= 7 && (text.starts_with('+') || text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_codes_quantities_states_times_and_amounts_are_shown() {
        let order = json!({
            "topic": "order.created",
            "data": {
                "id": 1042, "Order_Number": "1042", "status": "New", "created_at": "2026-11-30T11:00:00+02:00",
                "countryCode": "FI", "orderLines": [{ "code": "KÄRRY-1", "quantity": 2, "unitPrice": "12.50" }],
                "ids": [1, 2], "updated": 1_790_000_000, "reference": null,
            },
        });
        assert_eq!(mask_for_viewers(&order), order);
    }

    #[test]
    fn everything_else_is_masked_whatever_its_key_and_case() {
        for secret in [
            json!({ "NAME": "Aino Asiakas" }),
            json!({ "data": { "Customer_Name": "Aino Asiakas", "zip": 100, "subscribes": true } }),
            json!({ "data": { "customer": { "id": 77, "code": "Aino", "status": "Asiakas" } } }),
            json!({ "id": "Aino Asiakas", "code": "aino@example.fi", "reference": "+358401234567" }),
            json!({ "code": "0401234567", "total": "0401234567", "status": "Aino Asiakas", "date": "Aino" }),
            json!({ "note": "{\"name\":\"Aino\"}", "url": "https://example.fi/Aino" }),
            json!({ "Aino Asiakas": 5, "aino@example.fi": 1, "0401234567": 2 }),
            json!(["Aino", 401_234_567, ["Asiakas"]]),
            json!({ "code": { "name": "Aino" }, "ids": [{ "name": "Aino" }, "Aino Asiakas"] }),
        ] {
            let shown = mask_for_viewers(&secret).to_string();
            for personal in ["Aino", "Asiakas", "aino", "401", "100", "true", "77"] {
                assert!(!shown.contains(personal), "{secret} is shown as {shown}");
            }
        }
    }
}
