//! Makes JSON readable that is nearly JSON.
//!
//! Every answer loses a byte order mark, which RFC 8259 lets a reader ignore, and U+0000, which JSON allows in a text and
//! PostgreSQL does not.
//!
//! A list may hold one record with what JSON does not allow: bytes that are no UTF-8, or half of a surrogate pair. That is
//! repaired only in lists of changes, of which ids and times are read: a repaired name would be a wrong name on a parcel.

use serde::de::DeserializeOwned;

/// What some writers put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Without a byte order mark in front.
pub(super) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

/// Removes a byte order mark and every U+0000 of a text; true where there was one of the latter.
pub(super) fn clean(body: Vec<u8>) -> (Vec<u8>, bool) {
    const NUL: &[u8] = b"\\u0000";
    let body = if body.starts_with(BYTE_ORDER_MARK) { without_mark(&body).to_vec() } else { body };
    // Most answers escape nothing, and a single byte is found fastest.
    if !body.contains(&NUL[0]) || !body.windows(NUL.len()).any(|bytes| bytes == NUL) {
        return (body, false);
    }
    let mut cleaned = Vec::with_capacity(body.len());
    let mut rest = &*body;
    while let [first, others @ ..] = rest {
        rest = if let Some(behind) = rest.strip_prefix(NUL) {
            behind
        } else if *first == b'\\' {
            // Any other escape: what is behind the backslash belongs to it, be it another backslash.
            let (escape, behind) = rest.split_at(2.min(rest.len()));
            cleaned.extend_from_slice(escape);
            behind
        } else {
            cleaned.push(*first);
            others
        };
    }
    let has_nul = cleaned.len() < body.len();
    (cleaned, has_nul)
}

/// Puts quotes around every number that is larger than any number of this machine, in the place of its first and last digit: so
/// it can be read, as a text that is no number, and does not make everything beside it unreadable.
pub(super) fn quote_endless_numbers(mut body: Vec<u8>) -> Vec<u8> {
    let (mut at, mut is_text) = (0, false);
    while at < body.len() {
        match body[at] {
            b'\\' if is_text => at += 1,
            b'"' => is_text = !is_text,
            b'-' | b'0'..=b'9' if !is_text => {
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let end = body[at..].iter().position(|byte| !is_part(byte)).map_or(body.len(), |n| at + n);
                let number =
                    std::str::from_utf8(&body[at..end]).ok().and_then(|text| text.parse::<f64>().ok());
                if number.is_some_and(f64::is_infinite) {
                    (body[at], body[end - 1]) = (b'"', b'"');
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    body
}

/// Parses a list, repaired where that is needed.
pub(super) fn parse_list<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok().or_else(|| serde_json::from_str(&repair(body)).ok())
}

/// Replaces what is no UTF-8 and every unpaired surrogate by U+FFFD.
fn repair(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut repaired = String::with_capacity(text.len());
    let mut rest: &str = &text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        repaired.push_str(before);
        let length = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => {
                repaired.push_str(&escape[..12]);
                12
            }
            (Some(_), _) => {
                repaired.push_str("\\ufffd");
                6
            }
            // Any other escape: the letter behind the backslash belongs to it, be it another backslash.
            (None, _) => {
                let length = escape.char_indices().nth(2).map_or(escape.len(), |(at, _)| at);
                repaired.push_str(&escape[..length]);
                length
            }
        };
        rest = &escape[length..];
    }
    repaired.push_str(rest);
    repaired
}

/// The surrogate that this text begins with, as an escape.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (0xD800..=0xDFFF).contains(&unit).then_some(unit)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn byte_order_mark_and_nul_are_removed() {
        for (body, cleaned, has_nul) in [
            ("{\"a\":1}", "{\"a\":1}", false),
            ("\u{feff}{\"a\":1}", "{\"a\":1}", false),
            (r#"{"a":"x\u0000y\u0000"}"#, r#"{"a":"xy"}"#, true),
            (r#"{"a":"\\u0000"}"#, r#"{"a":"\\u0000"}"#, false),
            (r#"{"a":"\\\u0000\n"}"#, r#"{"a":"\\\n"}"#, true),
            ("\\", "\\", false),
        ] {
            assert_eq!(clean(body.into()), (cleaned.into(), has_nul), "{body}");
        }
    }

    #[test]
    fn number_without_end_is_read_as_a_text() {
        for (body, readable) in [
            (r#"{"a":1e400,"b":"1e400"}"#, json!({"a": "e40", "b": "1e400"})),
            (r#"{"a":-9e999,"b":[1,2.5,-3]}"#, json!({"a": "9e99", "b": [1, 2.5, -3]})),
            (r#"{"\"a":7}"#, json!({"\"a": 7})),
            ("1", json!(1)),
        ] {
            let quoted = quote_endless_numbers(body.into());
            assert_eq!(serde_json::from_slice::<Value>(&quoted).ok(), Some(readable), "{body}");
        }
        let long = format!("[{}]", "9".repeat(400));
        assert!(serde_json::from_slice::<Value>(&quote_endless_numbers(long.into())).is_ok());
    }

    #[test]
    fn record_with_half_a_surrogate_or_bad_bytes_leaves_the_others_readable() {
        let lists: [&[u8]; 4] = [
            br#"[{"id":1,"name":"\ud83d"},{"id":2}]"#,
            br#"[{"id":1,"name":"\ude00\\ud83d"},{"id":2}]"#,
            b"[{\"id\":1,\"name\":\"\xff\xe4\"},{\"id\":2}]",
            br#"[{"id":1,"name":"\ud83d\ude00 \ud83dx"},{"id":2}]"#,
        ];
        for body in lists {
            let rows: Vec<Value> = parse_list(body).expect("readable");
            assert_eq!(rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>(), [json!(1), json!(2)]);
        }
        let whole: Vec<String> = parse_list(br#"["\ud83d\ude00\n\"\u00e4"]"#).expect("readable");
        assert_eq!(whole, ["😀\n\"ä"]);
        assert!(parse_list::<Vec<Value>>(b"<html>").is_none());
        assert!(parse_list::<Vec<Value>>(br#"[{"id":1"#).is_none());
    }
}
