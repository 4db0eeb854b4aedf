//! What a vendor says of a call that it refused, in its own words and without anything personal.
//!
//! The words are what a merchant needs to fix an order, and they may repeat what was sent: a name, a street. So every
//! personal value of the request is removed from them, and whatever looks like an e-mail address or a phone number. They
//! are kept with the attempt and shown; no log has them.

use serde_json::Value;

use super::call::{Body, Call};
use crate::domain::redact::Redactor;

/// Characters of a message that are kept.
const MAX_LENGTH: usize = 500;

/// What stands for a value that was removed.
const REMOVED: &str = "…";

/// Fields that hold a message, in lower case. Their values may be texts, or lists and objects of texts.
const FIELDS: [&str; 7] =
    ["message", "error", "errors", "modelstate", "error_description", "detail", "title"];

/// Personal values that are shorter are not removed: they are parts of ordinary words.
const SHORTEST: usize = 3;

/// What a vendor may repeat of a call and nobody may read: personal values, and secrets.
pub(super) fn private_values(call: &Call) -> Vec<String> {
    let sent = match &call.body {
        Body::Empty => Vec::new(),
        Body::Json(json) => Redactor::personal_values(json).into_iter().map(ToOwned::to_owned).collect(),
        Body::Form(form) => form.iter().map(|(_, value)| value.clone()).collect(),
    };
    let credentials = call.headers.iter().filter(|(_, value)| value.is_sensitive());
    let credentials = credentials.filter_map(|(_, value)| value.to_str().ok()?.split(' ').next_back());
    sent.into_iter().chain(credentials.map(ToOwned::to_owned)).collect()
}

/// The message in an answer's body. `private` are the values of the request that may not be repeated.
pub(super) fn message_of(body: &[u8], private: &[String]) -> Option<String> {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(Value::String(text)) => text,
        Ok(json) => collect(&json).join("; "),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let is_page = text.trim_start().starts_with('<');
    let words = without_contacts(&without_values(&text, private));
    let message: String = words.chars().take(MAX_LENGTH).collect();
    (!is_page && message.chars().any(char::is_alphanumeric)).then_some(message)
}

/// The texts below the fields of an object that hold messages, each once.
fn collect(json: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in json.as_object().into_iter().flatten() {
        if FIELDS.contains(&&*key.to_lowercase()) {
            add_texts(value, &mut found);
        }
    }
    found
}

fn add_texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if !found.contains(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| add_texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|item| add_texts(item, found)),
        _ => {}
    }
}

/// Removes the values wherever they stand, the longest first: one may be a part of another.
fn without_values(text: &str, values: &[String]) -> String {
    let mut values: Vec<_> = values.iter().filter(|value| value.chars().count() >= SHORTEST).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.iter().fold(text.to_owned(), |text, value| remove(&text, value))
}

/// Removes a value in any case.
fn remove(text: &str, value: &str) -> String {
    let (lower, value) = (text.to_lowercase(), value.to_lowercase());
    if lower.len() != text.len() {
        return text.replace(&value, REMOVED); // letters whose cases differ in length keep their case
    }
    let mut left = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in lower.match_indices(&value) {
        left.push_str(text.get(from..at).unwrap_or_default());
        left.push_str(REMOVED);
        from = at + value.len();
    }
    left.push_str(text.get(from..).unwrap_or_default());
    left
}

/// Removes what looks like an e-mail address or a phone number, and joins the rest by single spaces.
fn without_contacts(text: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in text.split(|letter: char| letter.is_whitespace() || letter.is_control()) {
        let word = if is_email(word) || is_phone(word) { REMOVED } else { word };
        // A phone number may be written with spaces: the rest of its digits follow.
        let follows_removed = words.last() == Some(&REMOVED);
        let is_part_of_it = follows_removed && (word == REMOVED || is_digits(word));
        if !word.is_empty() && !is_part_of_it {
            words.push(word);
        }
    }
    words.join(" ")
}

fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.'))
}

/// Phone numbers begin with a plus or a zero; product codes of digits alone do not.
fn is_phone(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| !letter.is_ascii_digit() && letter != '+');
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let is_written_as_one = word.chars().all(|letter| letter.is_ascii_digit() || "+-()".contains(letter));
    is_written_as_one && (word.starts_with('+') && digits >= 2 || word.starts_with('0') && digits >= 7)
}

fn is_digits(word: &str) -> bool {
    let word = word.trim_end_matches(|letter: char| letter.is_ascii_punctuation());
    !word.is_empty() && word.chars().all(|letter| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<String> {
        let private = ["Matti Meikäläinen", "Mäkikatu 1", "00100", "ma"].map(ToOwned::to_owned);
        message_of(body.as_bytes(), &private)
    }

    #[test]
    fn message_is_found_in_every_shape() {
        for (body, expected) in [
            (r#"{"code": 409, "error": "The shipment has no method"}"#, Some("The shipment has no method")),
            (
                r#"{"Message": "Bad", "ModelState": {"order.zip": ["Zip is too long", "Bad"]}}"#,
                Some("Bad; Zip is too long"),
            ),
            (r#"{"errors": [{"field": "zip", "message": "too long"}]}"#, Some("zip; too long")),
            (r#""Out of\n stock""#, Some("Out of stock")),
            ("plain words", Some("plain words")),
            ("<html><body>Forbidden</body></html>", None),
            (r#"{"statusDescription": null, "message": null}"#, None),
            (r#"{"code": 400}"#, None),
            ("", None),
            ("…", None),
        ] {
            assert_eq!(read(body).as_deref(), expected, "{body}");
        }
        assert_eq!(read(&"ä".repeat(900)).map(|text| text.chars().count()), Some(500));
    }

    #[test]
    fn nothing_personal_is_left() {
        for (said, kept) in [
            ("No such street: mäkikatu 1, 00100", "No such street: …, …"),
            ("MATTI MEIKÄLÄINEN is unknown", "… is unknown"),
            ("write to matti@example.fi!", "write to …"),
            ("phone +358 40 123 4567 is invalid", "phone … is invalid"),
            ("phone 0401234567, 040-1234567", "phone …"),
            (
                "product 6412345678901 of order 1042 is missing",
                "product 6412345678901 of order 1042 is missing",
            ),
        ] {
            assert_eq!(read(said).as_deref(), Some(kept));
        }
    }
}
