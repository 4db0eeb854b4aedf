//! What differs between two versions of a thing, in words that name no one.
//!
//! Versions are compared behind a [`Redactor`]: a personal value is replaced by a mark that changes when the value does, so
//! that "the address was changed" can be told, kept and shown without keeping the address. The mark is keyed: without
//! the key nobody can try out all postal codes.

use serde_json::Value;

use super::event::dedup::sha256_hex;

/// What stands before the mark of a hidden value.
const REDACTED_PREFIX: char = '•';

/// Objects whose every text is about a person, but for the country.
const PERSONAL_OBJECTS: [&str; 5] =
    ["customer", "recipient", "customer_information", "shipping_address", "billing_address"];

/// Texts in anybody's own words, and links that open without a key.
const PRIVATE_FIELDS: [&str; 4] = ["comments", "details", "url", "receipt_url"];

/// Hides personal values under a secret of the connection's own.
#[derive(Clone, Default)]
pub struct Redactor {
    key: String,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(..)")
    }
}

impl Redactor {
    /// A redactor of this secret. Another secret gives other marks, and so shows everything personal as changed.
    pub fn with_key(secret: &str) -> Self {
        Self { key: sha256_hex(format!("mask {secret}").as_bytes()) }
    }

    /// The same JSON with every personal value hidden.
    pub fn apply(&self, value: &Value) -> Value {
        self.redact(value, false)
    }

    fn redact(&self, value: &Value, hidden: bool) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| {
                    let inner = match key.as_str() {
                        "country" | "countryCode" => false,
                        key => hidden || PERSONAL_OBJECTS.contains(&key) || PRIVATE_FIELDS.contains(&key),
                    };
                    (key.clone(), self.redact(value, inner))
                })
                .collect(),
            Value::Array(items) => items.iter().map(|item| self.redact(item, hidden)).collect(),
            Value::String(text) if hidden && !text.is_empty() => self.mark(text),
            Value::Number(number) if hidden => self.mark(&number.to_string()),
            _ => value.clone(),
        }
    }

    fn mark(&self, text: &str) -> Value {
        let digest = sha256_hex(format!("{} {text}", self.key).as_bytes());
        format!("{REDACTED_PREFIX}{}", &digest[..4]).into()
    }
}

/// What differs, one line a place: `lines.0.quantity: 1 → 2`, `recipient.street: changed`.
pub fn difference(was: &Value, is: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect_differences("", Some(was), Some(is), &mut found);
    found
}

fn collect_differences(path: &str, was: Option<&Value>, is: Option<&Value>, found: &mut Vec<String>) {
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
                collect_differences(&below(key), old.get(key), new.get(key), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for at in 0..old.len().max(new.len()) {
                collect_differences(&below(&at.to_string()), old.get(at), new.get(at), found);
            }
        }
        (was, is) => found.push(format!("{path}: {}", describe_change(was, is))),
    }
}

fn describe_change(was: Option<&Value>, is: Option<&Value>) -> String {
    let is_hidden = |value: Option<&Value>| {
        value.and_then(Value::as_str).is_some_and(|text| text.starts_with(REDACTED_PREFIX))
    };
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
            Redactor::with_key("secret").apply(&json!({
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
        assert_ne!(
            Redactor::with_key("secret").apply(&zip),
            Redactor::with_key("another").apply(&zip),
            "marks are keyed"
        );
    }

    #[test]
    fn what_comes_and_goes_is_told_as_that() {
        let redactor = Redactor::default();
        let was = redactor.apply(&json!({ "recipient": { "phone": "1" }, "lines": [1] }));
        let is = redactor.apply(&json!({ "recipient": { "company": "x" }, "lines": [1, 2] }));
        assert_eq!(
            difference(&was, &is),
            ["lines.1: nothing → 2", "recipient.company: added", "recipient.phone: removed"]
        );
    }
}
