//! Lenient deserialization: both vendors' types drift. Numbers come as strings, objects as `[]`, keys in any
//! case.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// Text from a string, a number or a boolean; blank and null are `None`.
pub(super) fn text<'de, D: Deserializer<'de>>(wire: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(&Value::deserialize(wire)?))
}

/// The text of a scalar.
pub(super) fn as_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A product code, exactly as the vendor spells it, spaces included: it is asked for it like that. Blank and null are
/// `None`.
pub(super) fn code<'de, D: Deserializer<'de>>(wire: D) -> Result<Option<String>, D::Error> {
    Ok(as_code(&Value::deserialize(wire)?))
}

/// The same of a scalar.
pub(super) fn as_code(value: &Value) -> Option<String> {
    let text = as_text(value)?;
    Some(value.as_str().map_or(text, ToOwned::to_owned))
}

/// An integer from a number or a string, truncated; anything else is `None`.
pub(super) fn integer<'de, D: Deserializer<'de>>(wire: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(wire)?;
    let number = as_text(&value).and_then(|text| text.parse::<Decimal>().ok());
    Ok(number.and_then(|number| number.trunc().try_into().ok()))
}

/// A decimal from a number or a string.
pub(super) fn decimal<'de, D: Deserializer<'de>>(wire: D) -> Result<Option<Decimal>, D::Error> {
    Ok(as_decimal(&Value::deserialize(wire)?))
}

/// A number as JSON has it, or as people write it: with a decimal comma, with spaces between thousands, or with one mark
/// between thousands and the other before the decimals. `1,234` could be either, so it is none.
pub(super) fn as_decimal(value: &Value) -> Option<Decimal> {
    let text: String = as_text(value)?.chars().filter(|character| !character.is_whitespace()).collect();
    let plain = match (text.rfind('.'), text.rfind(',')) {
        (Some(point), Some(comma)) if point < comma => text.replace('.', "").replace(',', "."),
        (Some(_), Some(_)) => text.replace(',', ""),
        (None, Some(comma)) if text.len() - comma == 4 => return None,
        (None, Some(_)) => text.replace(',', "."),
        (_, None) => text,
    };
    plain.parse().ok().or_else(|| Decimal::from_scientific(&plain).ok())
}

/// An object, or the default for what the vendors send instead of one: `[]`, null, a blank (docs/contract.md
/// §1.2).
pub(super) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    wire: D,
) -> Result<T, D::Error> {
    match Value::deserialize(wire)? {
        object @ Value::Object(_) => T::deserialize(object).map_err(serde::de::Error::custom),
        _ => Ok(T::default()),
    }
}

/// A list; empty for null or a scalar.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(wire: D) -> Result<Vec<T>, D::Error> {
    match Value::deserialize(wire)? {
        list @ Value::Array(_) => Vec::deserialize(list).map_err(serde::de::Error::custom),
        _ => Ok(Vec::new()),
    }
}

/// The same value with every key in lower case, since OGOship's case varies (docs/contract.md U14).
pub(super) fn lower_keys(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter().map(|(key, value)| (key.to_lowercase(), lower_keys(value))).collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(lower_keys).collect()),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar,
    }
}

/// A path segment, percent-encoded except for letters, digits and `-_.~` (RFC 3986 §2.3).
pub(super) fn encode_segment(text: &str) -> String {
    const RESERVED: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Sample {
        #[serde(deserialize_with = "text")]
        id: Option<String>,
        #[serde(deserialize_with = "integer")]
        quantity: Option<i64>,
        #[serde(deserialize_with = "decimal")]
        total: Option<Decimal>,
        #[serde(deserialize_with = "object")]
        inner: Inner,
        #[serde(deserialize_with = "list")]
        lines: Vec<i64>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        #[serde(deserialize_with = "text")]
        name: Option<String>,
    }

    fn read(json: &str) -> Sample {
        serde_json::from_str(json).expect("readable")
    }

    #[test]
    fn drifting_types_parse_alike() {
        let plain = read(r#"{"id":7,"quantity":2,"total":1.5,"inner":{"name":"x"},"lines":[1]}"#);
        let drifted = read(r#"{"id":"7","quantity":"2.0","total":"1.5","inner":{"name":"x"},"lines":[1]}"#);
        assert_eq!(plain, drifted);
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let read = |text: &str| as_decimal(&Value::String(text.to_owned())).map(|it| it.to_string());
        for (text, expected) in [
            ("1234.50", Some("1234.50")),
            ("1234,50", Some("1234.50")),
            ("1 234,50", Some("1234.50")),
            ("1\u{a0}234,5", Some("1234.5")),
            ("1.234,50", Some("1234.50")),
            ("1,234.50", Some("1234.50")),
            ("-5,00", Some("-5.00")),
            ("1,234", None),
            ("1,2,3", None),
            ("1.2.3", None),
            ("12 EUR", None),
            ("", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(as_decimal(&serde_json::json!(19.9)), Some(Decimal::new(199, 1)));
    }

    #[test]
    fn null_blank_empty_and_absent_all_parse_to_nothing() {
        let nothing = Sample::default();
        assert_eq!(read("{}"), nothing);
        assert_eq!(read(r#"{"id":null,"quantity":null,"inner":null,"lines":null}"#), nothing);
        assert_eq!(read(r#"{"id":" ","quantity":"x","inner":[],"lines":""}"#), nothing);
    }

    #[test]
    fn keys_are_lowercased_at_any_depth() {
        let value = lower_keys(serde_json::json!({"OrderLines": [{"Code": "A"}]}));
        assert_eq!(value, serde_json::json!({"orderlines": [{"code": "A"}]}));
    }

    #[test]
    fn a_code_cannot_escape_its_path_segment() {
        assert_eq!(encode_segment("A/1 ä?"), "A%2F1%20%C3%A4%3F");
    }
}
