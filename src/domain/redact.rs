//! Redaction of personal values.
//!
//! Versions of an order are compared behind a [`Redactor`]: each personal value is replaced by a mark that changes
//! when the value does. So "the address was changed" can be stored and shown without the address. The mark is keyed:
//! without the key nobody can try out all postal codes.

use serde_json::Value;

use super::digest::sha256_hex;

/// The character before the mark of a redacted value.
pub(super) const REDACTED_PREFIX: char = '•';

/// Objects whose every text is personal, except the country.
const PERSONAL_OBJECTS: [&str; 5] =
    ["customer", "recipient", "customer_information", "shipping_address", "billing_address"];

/// Free texts, and links that open without a key.
const PRIVATE_FIELDS: [&str; 5] = ["comments", "customizations", "details", "url", "receipt_url"];

/// Replaces personal values by keyed marks.
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
    /// Creates a redactor with this secret. Another secret gives other marks, so everything personal appears
    /// changed.
    pub fn with_key(secret: &str) -> Self {
        Self { key: sha256_hex(format!("mask {secret}").as_bytes()) }
    }

    /// Returns the same JSON with every personal value redacted, for people: two values in 65,536 share a mark.
    pub fn apply(&self, value: &Value) -> Value {
        self.redact(value, false, 4)
    }

    /// The same with marks so long that equal ones mean equal values.
    pub fn fingerprint(&self, value: &Value) -> Value {
        self.redact(value, false, 32)
    }

    /// The personal values themselves, to be removed from what a vendor says about them.
    pub fn personal_values(value: &Value) -> Vec<&str> {
        let mut found = Vec::new();
        collect_personal(value, false, &mut found);
        found
    }

    /// Names the key: marks of another key cannot be compared.
    pub fn id(&self) -> String {
        let mut id = sha256_hex(format!("mask id {}", self.key).as_bytes());
        id.truncate(8);
        id
    }

    fn redact(&self, value: &Value, hidden: bool, length: usize) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| (key.clone(), self.redact(value, is_personal(key, hidden), length)))
                .collect(),
            Value::Array(items) => items.iter().map(|item| self.redact(item, hidden, length)).collect(),
            Value::String(text) if hidden && !text.is_empty() => self.mark(text, length),
            Value::Number(number) if hidden => self.mark(&number.to_string(), length),
            _ => value.clone(),
        }
    }

    fn mark(&self, text: &str, length: usize) -> Value {
        let digest = sha256_hex(format!("{} {text}", self.key).as_bytes());
        format!("{REDACTED_PREFIX}{}", &digest[..length]).into()
    }
}
/// True for a field whose every text is personal; `hidden` where the object around it is.
fn is_personal(key: &str, hidden: bool) -> bool {
    match key {
        "country" | "countryCode" => false,
        key => hidden || PERSONAL_OBJECTS.contains(&key) || PRIVATE_FIELDS.contains(&key),
    }
}

fn collect_personal<'a>(value: &'a Value, hidden: bool, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| collect_personal(value, is_personal(key, hidden), found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_personal(item, hidden, found)),
        Value::String(text) if hidden => found.push(text),
        _ => {}
    }
}
