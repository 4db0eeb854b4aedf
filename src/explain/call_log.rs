//! An order's calls to one vendor as a text for the vendor's support: times, request ids, what was sent (redacted)
//! and what was answered.

use std::fmt::Write as _;

use serde_json::Value;

use super::OrderHistory;
use crate::domain::{plain_text::escape_controls, vendor::Vendor};

/// Returns an order's call log for one vendor's support, as plain text.
pub fn call_log(history: &OrderHistory, vendor: Vendor) -> String {
    let mut text = String::new();
    let order = &history.order;
    let reference = order.reference.as_deref().unwrap_or("none yet");
    let _ = writeln!(
        text,
        "Order {} of {}, reference at the warehouse: {reference}",
        order.order_id, order.connection
    );
    // Words of others may be in these: a line break there must not forge an entry.
    let _ = writeln!(text, "{}\n", escape_controls(&history.summary));
    let _ = writeln!(text, "Calls to {vendor}, times in UTC. Personal values are masked (•).");
    for entry in &history.timeline {
        let calls: Vec<_> = entry.calls.iter().filter(|call| call["vendor"] == vendor.as_str()).collect();
        if calls.is_empty() && entry.kind == "attempt" {
            continue;
        }
        let _ =
            writeln!(text, "\n{}  {}", entry.at.format("%Y-%m-%d %H:%M:%S"), escape_controls(&entry.text));
        for call in calls {
            write_call(&mut text, call);
        }
    }
    text
}

fn write_call(text: &mut String, call: &Value) {
    let field = |key: &str| call[key].as_str().unwrap_or_default();
    let status = call["status"].as_u64().map_or("no answer".to_owned(), |status| status.to_string());
    let _ = writeln!(
        text,
        "    {}  {} {} → {status} in {} ms  (request {})",
        field("at"),
        field("method"),
        field("path"),
        call["millis"].as_u64().unwrap_or_default(),
        call["request_id"].as_str().unwrap_or("without an id"),
    );
    if let Some(message) = call["message"].as_str() {
        let _ = writeln!(text, "        said: {}", escape_controls(message));
    }
    if let Some(request) = call.get("request") {
        let _ = writeln!(text, "        sent: {request}");
    }
}
