//! What differs between two versions of a thing, in words that name no one.
//!
//! Versions are compared behind a [`Mask`]: a personal value is replaced by a mark that changes when the value does, so
//! that "the address was changed" can be told, kept and shown without keeping the address. The mark is keyed: without
//! the key nobody can try out all postal codes.

use serde_json::Value;

use super::event::dedup::sha256_hex;

/// What stands before the mark of a hidden value.
const HIDDEN: char = '•';

/// Objects whose every text is about a person, but for the country.
const PEOPLE: [&str; 5] =
    ["customer", "recipient", "customer_information", "shipping_address", "billing_address"];

/// Texts in anybody's own words, and links that open without a key.
const PRIVATE: [&str; 4] = ["comments", "details", "url", "receipt_url"];

/// Hides personal values under a secret of the connection's own.
#[derive(Clone, Default)]
pub struct Mask {
    key: String,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mask(..)")
    }
}

impl Mask {
    /// A mask of this secret. Another secret gives other marks, and so shows everything personal as changed.
    pub fn keyed(secret: &str) -> Self {
        Self { key: sha256_hex(format!("mask {secret}").as_bytes()) }
    }

    /// The same JSON with every personal value hidden.
    pub fn over(&self, value: &Value) -> Value {
        self.hide(value, false)
    }

    fn hide(&self, value: &Value, hidden: bool) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| {
                    let inner = match key.as_str() {
                        "country" | "countryCode" => false,
                        key => hidden || PEOPLE.contains(&key) || PRIVATE.contains(&key),
                    };
                    (key.clone(), self.hide(value, inner))
                })
                .collect(),
            Value::Array(items) => items.iter().map(|item| self.hide(item, hidden)).collect(),
            Value::String(text) if hidden && !text.is_empty() => self.mark(text),
            Value::Number(number) if hidden => self.mark(&number.to_string()),
            _ => value.clone(),
        }
    }

    fn mark(&self, text: &str) -> Value {
        let digest = sha256_hex(format!("{} {text}", self.key).as_bytes());
        format!("{HIDDEN}{}", &digest[..4]).into()
    }
}

/// What differs, one line a place: `lines.0.quantity: 1 → 2`, `recipient.street: changed`.
pub fn difference(was: &Value, is: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", Some(was), Some(is), &mut found);
    found
}

fn compare(path: &str, was: Option<&Value>, is: Option<&Value>, found: &mut Vec<String>) {
    if was == is {
        return;
    }
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (was, is) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let mut keys: Vec<_> = old.keys().chain(new.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                compare(&below(key), old.get(key), new.get(key), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for at in 0..old.len().max(new.len()) {
                compare(&below(&at.to_string()), old.get(at), new.get(at), found);
            }
        }
        (was, is) => found.push(format!("{path}: {}", change(was, is))),
    }
}

fn change(was: Option<&Value>, is: Option<&Value>) -> String {
    let is_hidden =
        |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|text| text.starts_with(HIDDEN));
    let word = |value: Option<&Value>| match value {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    match (is_hidden(was), is_hidden(is)) {
        (true, true) => "changed".to_owned(),
        (false, true) => "added".to_owned(),
        (true, false) => "removed".to_owned(),
        (false, false) => format!("{} → {}", word(was), word(is)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_personal_is_hidden_and_its_change_still_seen() {
        let order = |street: &str, pieces| {
            Mask::keyed("secret").over(&json!({
                "customer": { "name": "Åke Öhman", "address1": street, "countryCode": "FI", "phone": 5 },
                "comments": "ring the bell",
                "orderLines": [{ "code": "A", "quantity": pieces }],
            }))
        };
        let (was, is) = (order("Home 1", 1), order("Work 2", 2));
        let text = was.to_string();
        for secret in ["Åke", "Home", "bell", ":5"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains("FI"));
        assert_eq!(difference(&was, &is), ["customer.address1: changed", "orderLines.0.quantity: 1 → 2"]);
        assert_eq!(difference(&was, &was), Vec::<String>::new());
        let zip = json!({ "customer": { "zip": "00100" } });
        assert_ne!(Mask::keyed("secret").over(&zip), Mask::keyed("another").over(&zip), "marks are keyed");
    }

    #[test]
    fn what_comes_and_goes_is_told_as_that() {
        let mask = Mask::default();
        let was = mask.over(&json!({ "recipient": { "phone": "1" }, "lines": [1] }));
        let is = mask.over(&json!({ "recipient": { "company": "x" }, "lines": [1, 2] }));
        assert_eq!(
            difference(&was, &is),
            ["lines.1: nothing → 2", "recipient.company: added", "recipient.phone: removed"]
        );
    }
}
