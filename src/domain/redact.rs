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
const PRIVATE_FIELDS: [&str; 4] = ["comments", "details", "url", "receipt_url"];

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

    /// Returns the same JSON with every personal value redacted.
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
