//! The difference between two redacted versions of a JSON value.

use serde_json::Value;

use super::redact::REDACTED_PREFIX;

/// Lists what differs, one line per field: `lines.0.quantity: 1 → 2`, `recipient.street: changed`.
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
    let is_redacted = |value: Option<&Value>| {
        value.and_then(Value::as_str).is_some_and(|text| text.starts_with(REDACTED_PREFIX))
    };
    let text = |value: Option<&Value>| match value {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    match (is_redacted(was), is_redacted(is)) {
        (true, true) => "changed".to_owned(),
        (false, true) => "added".to_owned(),
        (true, false) => "removed".to_owned(),
        (false, false) => format!("{} → {}", text(was), text(is)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::redact::Redactor;

    #[test]
    fn personal_values_are_redacted_and_their_change_is_still_seen() {
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
    fn added_and_removed_values_are_named_as_such() {
        let redactor = Redactor::default();
        let was = redactor.apply(&json!({ "recipient": { "phone": "1" }, "lines": [1] }));
        let is = redactor.apply(&json!({ "recipient": { "company": "x" }, "lines": [1, 2] }));
        assert_eq!(
            difference(&was, &is),
            ["lines.1: nothing → 2", "recipient.company: added", "recipient.phone: removed"]
        );
    }
}
