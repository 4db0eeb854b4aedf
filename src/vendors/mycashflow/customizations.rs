//! A line's `customizations`: what the shopper chose or wrote for it.
//!
//! How the shop spells them is not public (docs/contract.md U31), so every text in them is kept, with its label where it
//! has one.

use serde_json::{Map, Value};

use crate::vendors::lenient_json::as_text;

/// Keys whose value is what a choice is called.
const LABELS: [&str; 5] = ["name", "title", "label", "question", "field"];
/// Keys whose value says nothing to people.
const TECHNICAL: [&str; 2] = ["id", "type"];

/// The texts, one after another; `None` where there are none.
pub(super) fn customization_text(wire: &Value) -> Option<String> {
    let mut texts = Vec::new();
    collect(wire, None, &mut texts);
    (!texts.is_empty()).then(|| texts.join("; "))
}

fn collect(value: &Value, label: Option<&str>, texts: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, label, texts)),
        Value::Object(fields) => collect_fields(fields, texts),
        _ => texts.extend(as_text(value).map(|text| match label {
            Some(label) => format!("{label}: {text}"),
            None => text,
        })),
    }
}

fn collect_fields(fields: &Map<String, Value>, texts: &mut Vec<String>) {
    let own_label = LABELS.iter().find(|key| fields.get(**key).and_then(as_text).is_some());
    let name = own_label.and_then(|key| as_text(&fields[*key]));
    let is_answer = |key: &str| Some(&key) != own_label && !is_technical(key);
    let answers: Vec<_> = fields.iter().filter(|(key, _)| is_answer(key)).collect();
    // A name alone is a choice that was made; beside an empty answer it is one that was not.
    if answers.is_empty() {
        texts.extend(name);
        return;
    }
    for (key, value) in answers {
        // With a name of its own, the other keys are only `value`, `text` and the like; a list's numbers are no names.
        let label = name.as_deref().or_else(|| Some(key.as_str()).filter(|key| key.parse::<u64>().is_err()));
        collect(value, label, texts);
    }
}

fn is_technical(key: &str) -> bool {
    TECHNICAL.contains(&key) || key.ends_with("_id")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_is_kept_with_its_label() {
        let cases = [
            (json!(null), None),
            (json!([]), None),
            (json!(" Anna "), Some("Anna")),
            (json!([{ "id": 5, "name": "Engraving", "value": "Anna" }]), Some("Engraving: Anna")),
            (json!({ "1": { "title": "Colour", "text": "red" }, "2": "gift" }), Some("Colour: red; gift")),
            (json!({ "Engraving": ["Anna", "Matti"] }), Some("Engraving: Anna; Engraving: Matti")),
            (json!([{ "name": "Engraving", "value": "" }]), None),
            (json!([{ "name": "Gift wrapping", "option_id": 3 }]), Some("Gift wrapping")),
        ];
        for (wire, text) in cases {
            assert_eq!(customization_text(&wire).as_deref(), text, "{wire}");
        }
    }
}
