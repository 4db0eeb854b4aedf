//! An order's calls to one vendor as a text to be sent to its support: times, request ids, what was sent (masked) and
//! what came back.

use std::fmt::Write as _;

use serde_json::Value;

use super::OrderHistory;
use crate::domain::vendor::Vendor;

/// The evidence of an order for one vendor's support, in plain text.
pub fn call_log(life: &OrderHistory, vendor: Vendor) -> String {
    let mut text = String::new();
    let order = &life.order;
    let reference = order.reference.as_deref().unwrap_or("none yet");
    let _ = writeln!(
        text,
        "Order {} of {}, reference at the warehouse: {reference}",
        order.order_id, order.connection
    );
    let _ = writeln!(text, "{}\n", life.summary);
    let _ = writeln!(text, "Calls to {vendor}, times in UTC. Personal values are masked (•).");
    for entry in &life.timeline {
        let ours = |call: &&Value| call["vendor"] == vendor.as_str();
        let calls: Vec<_> = entry.calls.iter().filter(ours).collect();
        if calls.is_empty() && entry.kind == "attempt" {
            continue;
        }
        let _ = writeln!(text, "\n{}  {}", entry.at.format("%Y-%m-%d %H:%M:%S"), entry.text);
        for call in calls {
            let word = |key: &str| call[key].as_str().unwrap_or_default();
            let status = call["status"].as_u64().map_or("no answer".to_owned(), |status| status.to_string());
            let _ = writeln!(
                text,
                "    {}  {} {} → {status} in {} ms  (request {})",
                word("at"),
                word("method"),
                word("path"),
                call["millis"].as_u64().unwrap_or_default(),
                call["request_id"].as_str().unwrap_or("without an id"),
            );
            if let Some(request) = call.get("request") {
                let _ = writeln!(text, "        sent: {request}");
            }
        }
    }
    text
}
