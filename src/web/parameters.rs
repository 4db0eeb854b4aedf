//! Refuses control characters in parameters: no name, code or id has any, PostgreSQL stores no zero byte, and a line
//! break would end a header.

use axum::http::Uri;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The detail of the problem.
pub const NO_CONTROL_CHARACTERS: &str = "a parameter contains a control character";

/// Whether the path or the query of a request has a control character, once it is decoded.
pub fn has_control_characters(uri: &Uri) -> bool {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().chars().any(char::is_control);
    decoded(uri.path()) || uri.query().is_some_and(decoded)
}

/// Whether a text or a key in a JSON body has a control character.
pub fn json_has_control_characters(json: &Value) -> bool {
    let has = |text: &str| text.chars().any(char::is_control);
    match json {
        Value::String(text) => has(text),
        Value::Array(items) => items.iter().any(json_has_control_characters),
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| has(key) || json_has_control_characters(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_found_however_they_are_written() {
        for uri in
            ["/orders/%00", "/orders?q=%0d%0a", "/%7F", "/orders?q=%C2%85", "/?to=/a%09b", "/orders?%1b=1"]
        {
            assert!(has_control_characters(&Uri::from_static(uri)), "{uri}");
        }
        for uri in ["/orders", "/orders?q=a+b%20c", "/orders/%C3%A4", "/orders?q=%2500", "/%FF"] {
            assert!(!has_control_characters(&Uri::from_static(uri)), "{uri}");
        }
        for (body, found) in
            [(r#"{"a":["b\u0000"]}"#, true), (r#"{"a\n":1}"#, true), (r#"{"a":"b ä"}"#, false)]
        {
            let body = serde_json::from_str(body).expect("JSON");
            assert_eq!(json_has_control_characters(&body), found);
        }
    }
}
