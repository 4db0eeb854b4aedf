//! Texts of others on a terminal and in lists: a control character could move the cursor, change colours and titles, or
//! forge a line; a sign that changes the direction of writing could show a code as another one.

use std::{borrow::Cow, fmt::Write as _};

/// Returns the text with everything escaped that is not shown as itself, as `\u001b`. That is also how JSON escapes it.
pub fn escape_controls(text: &str) -> Cow<'_, str> {
    escape(text, &[])
}

/// The same for a text of several lines that we have put together: line breaks stay.
pub fn escape_controls_in_lines(text: &str) -> Cow<'_, str> {
    escape(text, &['\n'])
}

fn escape<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    let is_escaped = |letter: char| is_hidden(letter) && !kept.contains(&letter);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_escaped(letter) {
            let _ = write!(escaped, "\\u{:04x}", u32::from(letter));
        } else {
            escaped.push(letter);
        }
    }
    Cow::Owned(escaped)
}

/// Control characters (C0 with ESC, DEL, C1), separators of lines, and the signs of bidirectional text.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_as_itself_is_escaped() {
        for (text, escaped) in [
            ("Kärry 1 – 2 €", "Kärry 1 – 2 €"),
            ("\u{1b}[31mred\u{7}", "\\u001b[31mred\\u0007"),
            ("\u{9b}31m", "\\u009b31m"),
            ("a\u{202e}b\u{2066}c\u{200f}", "a\\u202eb\\u2066c\\u200f"),
            ("one\ntwo\r\u{2028}", "one\\u000atwo\\u000d\\u2028"),
            ("\u{7f}\u{0}", "\\u007f\\u0000"),
        ] {
            assert_eq!(escape_controls(text), escaped);
        }
        assert_eq!(escape_controls_in_lines("one\n\u{1b}two"), "one\n\\u001btwo");
    }

    #[test]
    fn escaped_json_is_the_same_json() {
        let json = serde_json::json!({ "a\u{9b}": "b\u{202e}\u{1b}" });
        let read: serde_json::Value =
            serde_json::from_str(&escape_controls(&json.to_string())).expect("JSON");
        assert_eq!(read, json);
    }
}
