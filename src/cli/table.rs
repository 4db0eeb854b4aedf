//! Prints lists: a table as wide as the terminal, or one JSON object per line.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::{Value, json};

use super::print::print_line;
use crate::domain::plain_text::escape_controls;

/// Prints rows: all fields as JSON, or these columns.
pub(super) fn show<T: Serialize>(rows: &[T], columns: &[&str], as_json: bool) {
    if as_json {
        for row in rows {
            print_line(&json!(row).to_string());
        }
    } else {
        print_line(&table(rows, columns).to_string());
    }
}

fn table<T: Serialize>(rows: &[T], columns: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(columns);
    for row in rows {
        let row = json!(row);
        table.add_row(columns.iter().map(|column| cell(&row[column])));
    }
    table
}

/// A value for people, without anything that a terminal would obey.
fn cell(value: &Value) -> String {
    escape_controls(&shown(value)).into_owned()
}

/// Times to the second, an empty cell for null.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => match text.parse::<crate::domain::Timestamp>() {
            Ok(at) if text.len() >= 20 => at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
            _ => text.clone(),
        },
        Value::Array(items) => items.iter().map(goods).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Pieces of a code as people write them.
fn goods(item: &Value) -> String {
    match (&item["quantity"], item["code"].as_str()) {
        (Value::Number(pieces), Some(code)) => format!("{pieces} × {code}"),
        _ => item.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_shows_the_named_columns_and_fits_its_width() {
        let rows = [
            json!({ "id": 7, "why": "x".repeat(200), "at": "2026-11-24T10:00:00.5Z", "hidden": 1, "no": null }),
        ];
        let mut table = table(&rows, &["id", "why", "at", "no"]);
        table.set_width(60);
        let text = table.to_string();
        assert!(text.contains("2026-11-24") && !text.contains("hidden"), "{text}");
        assert_eq!(cell(&json!("a\n\u{1b}[2Jb\u{202e}")), "a\\u000a\\u001b[2Jb\\u202e");
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }
}
