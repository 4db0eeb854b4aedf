//! A field as a vendor sent it: absent, read, or there and unreadable. An unreadable value is never taken for an absent one,
//! for zero or for false: who translates a field that matters must say what it means.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::lenient_json::{as_code, as_decimal, as_text};

/// A field of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// Not there; or null, blank or `[]`, as the vendors send what is not set (docs/contract.md §1.2).
    #[default]
    Absent,
    /// Read.
    Value(T),
    /// There, and not of the kind that it should be.
    Unreadable,
}

impl<T> Field<T> {
    /// The value, where nothing depends on why there is none.
    pub(super) fn ok(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unreadable => None,
        }
    }

    /// The value, where it could be read.
    pub(super) const fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unreadable => None,
        }
    }

    /// Reads with `read`, whose `None` means unreadable.
    pub(super) fn and_then<U>(self, read: impl FnOnce(T) -> Option<U>) -> Field<U> {
        match self {
            Self::Value(value) => read(value).map_or(Field::Unreadable, Field::Value),
            Self::Absent => Field::Absent,
            Self::Unreadable => Field::Unreadable,
        }
    }

    fn of(value: &Value, read: impl FnOnce(&Value) -> Option<T>) -> Self {
        match value {
            Value::Null => Self::Absent,
            Value::String(text) if text.trim().is_empty() => Self::Absent,
            Value::Array(items) if items.is_empty() => Self::Absent,
            value => read(value).map_or(Self::Unreadable, Self::Value),
        }
    }
}

impl<T> Field<Vec<Field<T>>> {
    /// The elements that could be read.
    pub(super) fn readable(&self) -> impl Iterator<Item = &T> {
        self.as_ref().into_iter().flatten().filter_map(Field::as_ref)
    }
}

/// Names of fields that matter and could not be read.
#[derive(Debug, Default)]
pub(super) struct Unreadable(pub(super) Vec<String>);

impl Unreadable {
    /// A field that need not be there.
    pub(super) fn optional<T>(&mut self, name: impl Into<String>, field: Field<T>) -> Option<T> {
        if matches!(field, Field::Unreadable) {
            self.0.push(name.into());
        }
        field.ok()
    }

    /// A field that must be there.
    pub(super) fn required<T>(&mut self, name: impl Into<String>, field: Field<T>) -> Option<T> {
        let value = field.ok();
        if value.is_none() {
            self.0.push(name.into());
        }
        value
    }
}

/// Text from a string, a number or a boolean.
pub(super) fn text<'de, D: Deserializer<'de>>(wire: D) -> Result<Field<String>, D::Error> {
    Ok(Field::of(&Value::deserialize(wire)?, as_text))
}

/// A product code, exactly as the vendor spells it.
pub(super) fn code<'de, D: Deserializer<'de>>(wire: D) -> Result<Field<String>, D::Error> {
    Ok(Field::of(&Value::deserialize(wire)?, as_code))
}

/// One text from a scalar or a list of them.
pub(super) fn texts<'de, D: Deserializer<'de>>(wire: D) -> Result<Field<String>, D::Error> {
    let joined = |value: &Value| match value {
        Value::Array(items) => {
            items.iter().map(as_text).collect::<Option<Vec<_>>>().map(|all| all.join(", "))
        }
        scalar => as_text(scalar),
    };
    Ok(Field::of(&Value::deserialize(wire)?, joined))
}

/// An integer from a number or a string; `2.0` is one, `2.5` is not.
pub(super) fn integer<'de, D: Deserializer<'de>>(wire: D) -> Result<Field<i64>, D::Error> {
    let whole = |value: &Value| {
        let number: Decimal = as_text(value)?.parse().ok()?;
        number.is_integer().then(|| number.try_into().ok())?
    };
    Ok(Field::of(&Value::deserialize(wire)?, |value| if value.is_boolean() { None } else { whole(value) }))
}

/// A decimal from a number or a string.
pub(super) fn decimal<'de, D: Deserializer<'de>>(wire: D) -> Result<Field<Decimal>, D::Error> {
    let number = |value: &Value| if value.is_boolean() { None } else { as_decimal(value) };
    Ok(Field::of(&Value::deserialize(wire)?, number))
}

/// A boolean from a boolean, or from 1, 0, yes, no, true or false in any case.
pub(super) fn boolean<'de, D: Deserializer<'de>>(wire: D) -> Result<Field<bool>, D::Error> {
    let truth = |value: &Value| match as_text(value)?.to_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    };
    Ok(Field::of(&Value::deserialize(wire)?, truth))
}

/// An object.
pub(super) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(wire: D) -> Result<Field<T>, D::Error> {
    Ok(match Value::deserialize(wire)? {
        object @ Value::Object(_) => serde_json::from_value(object).map_or(Field::Unreadable, Field::Value),
        other => Field::of(&other, |_| None),
    })
}

/// A list, each of its elements for itself. Null and a blank are an empty one; only a list that is not there is absent. PHP
/// sends a list whose first element was removed as an object with numbers for keys.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    wire: D,
) -> Result<Field<Vec<Field<T>>>, D::Error> {
    let items = match Value::deserialize(wire)? {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        Value::Object(map) if map.keys().all(|key| key.parse::<u32>().is_ok()) => numbered(map),
        _ => return Ok(Field::Unreadable),
    };
    let element = |item: Value| {
        let read = item.is_object().then(|| serde_json::from_value(item).ok()).flatten();
        read.map_or(Field::Unreadable, Field::Value)
    };
    Ok(Field::Value(items.into_iter().map(element).collect()))
}

/// The values in the order of their numbers.
fn numbered(map: serde_json::Map<String, Value>) -> Vec<Value> {
    let mut items: Vec<_> =
        map.into_iter().map(|(key, value)| (key.parse::<u32>().unwrap_or_default(), value)).collect();
    items.sort_by_key(|(key, _)| *key);
    items.into_iter().map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Sample {
        #[serde(deserialize_with = "integer")]
        pieces: Field<i64>,
        #[serde(deserialize_with = "boolean")]
        paid: Field<bool>,
        #[serde(deserialize_with = "text")]
        code: Field<String>,
        #[serde(deserialize_with = "texts")]
        tracking: Field<String>,
        #[serde(deserialize_with = "list")]
        lines: Field<Vec<Field<Inner>>>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        #[serde(deserialize_with = "integer")]
        n: Field<i64>,
    }

    fn read(json: Value) -> Sample {
        serde_json::from_value(json).expect("lenient")
    }

    #[test]
    fn each_value_is_absent_read_or_unreadable() {
        let pieces = |value| read(json!({ "pieces": value })).pieces;
        assert_eq!([pieces(json!("2.0")), pieces(json!(2))], [Field::Value(2), Field::Value(2)]);
        assert_eq!(
            [pieces(json!(null)), pieces(json!(" ")), pieces(json!([]))],
            [const { Field::Absent }; 3]
        );
        for value in [json!("two"), json!(2.5), json!({"value": 2}), json!([2]), json!(true), json!("1e99")] {
            assert_eq!(pieces(value.clone()), Field::Unreadable, "{value}");
        }
        let paid = |value| read(json!({ "paid": value })).paid;
        assert_eq!([paid(json!("Yes")), paid(json!(0))], [Field::Value(true), Field::Value(false)]);
        assert_eq!(paid(json!("maybe")), Field::Unreadable);
        assert_eq!(read(json!({"tracking": ["A", 7]})).tracking, Field::Value("A, 7".to_owned()));
        assert_eq!(read(json!({"code": {"id": 1}})).code, Field::Unreadable);
    }

    #[test]
    fn list_keeps_its_unreadable_elements() {
        let lines = |value| read(json!({ "lines": value })).lines;
        let one = |n| Field::Value(Inner { n: Field::Value(n) });
        assert_eq!(read(json!({})).lines, Field::Absent);
        assert_eq!([lines(json!(null)), lines(json!([]))], [Field::Value(vec![]), Field::Value(vec![])]);
        assert_eq!(lines(json!("none")), Field::Unreadable);
        assert_eq!(lines(json!([{"n": 1}, 5])), Field::Value(vec![one(1), Field::Unreadable]));
        let from_php = json!({"10": {"n": 2}, "2": {"n": 1}});
        assert_eq!(lines(from_php), Field::Value(vec![one(1), one(2)]));
    }
}
