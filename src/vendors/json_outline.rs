//! The outline of a webhook's JSON. The whole body is checked, but only what may identify its subject is kept.
//! Most of a body is an order's lines, prices and people, which are not needed: the worker reads the subject
//! again.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::json_repair::without_mark;

/// How many levels of objects may identify a subject: the root, its wrapper, and one more (`{"data": {"order":
/// {…}}}`).
const LEVELS: u8 = 3;

/// Parses a body. Lists, and objects below `LEVELS`, come back empty. `None` where it is not JSON.
pub fn outline(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(without_mark(body)).ok()?; // the parser does not check UTF-8 in what it skips
    let mut json = serde_json::Deserializer::from_str(text);
    let outline = Outline(LEVELS).deserialize(&mut json).ok()?;
    json.end().ok()?;
    Some(outline)
}

/// Deserializes a value and keeps this many levels of objects.
#[derive(Clone, Copy)]
struct Outline(u8);

impl<'de> DeserializeSeed<'de> for Outline {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Outline {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.replace('\0', "")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array(Vec::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let Some(below) = self.0.checked_sub(1) else {
            return IgnoredAny.visit_map(object).map(|_| Value::Object(Map::new()));
        };
        let mut kept = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            kept.insert(key.replace('\0', ""), object.next_value_seed(Self(below))?);
        }
        Ok(Value::Object(kept))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outline_keeps_identifiers_and_empties_lists_and_deep_objects() {
        let whole = json!({
            "topic": "order.created", "at": 1.5, "test": false, "by": null,
            "data": { "order": { "id": -7, "lines": [{ "code": "A" }], "customer": { "name": "x" } } },
        });
        let kept = json!({
            "topic": "order.created", "at": 1.5, "test": false, "by": null,
            "data": { "order": { "id": -7, "lines": [], "customer": {} } },
        });
        assert_eq!(outline(whole.to_string().as_bytes()), Some(kept));
        assert_eq!(outline("\u{feff}{\"id\": \"7\\u0000\"}".as_bytes()), Some(json!({ "id": "7" })));
        for scalar in ["7", "\"text\"", "null", " true "] {
            assert_eq!(outline(scalar.as_bytes()), serde_json::from_str(scalar).ok());
        }
    }

    #[test]
    fn invalid_json_anywhere_gives_none() {
        let bodies: [&[u8]; 8] = [
            b"",
            b"order",
            b"{\"id\": 7",
            b"{\"id\": 7} 8",
            b"{\"lines\": [1,]}",
            b"{\"a\": {\"b\": {\"c\": {\"d\": tru}}}}",
            b"{\"lines\": [\"\xff\"]}",
            b"{\"id\": \"\xff\"}",
        ];
        for body in bodies {
            assert_eq!(outline(body), None, "{:?}", String::from_utf8_lossy(body));
        }
    }
}
