//! The text of a notification, and the same as JSON fields for programs.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    domain::{Timestamp, language::Language},
    explain,
    store::notifications::DueNotification,
};

/// A message, for any channel.
pub(super) struct Message {
    /// The same for every attempt.
    pub(super) id: Uuid,
    /// One line.
    pub(super) subject: String,
    /// The subject and a few more lines.
    pub(super) text: String,
    /// The same for programs.
    pub(super) fields: Value,
}

/// Where a message leads: both empty where that is unknown.
#[derive(Clone, Copy)]
pub(super) struct Links<'a> {
    /// The address of the dashboard.
    pub(super) public_url: &'a str,
    /// The address of the runbook, whose headings are the kinds of alerts.
    pub(super) runbook_url: &'a str,
}

/// The message of a notification.
pub(super) fn for_notification(
    notification: &DueNotification,
    language: Language,
    Links { public_url, runbook_url }: Links<'_>,
) -> Message {
    let DueNotification { id, kind, connection, alert_kind, count, detail, seen_at, created_at, .. } =
        notification;
    let text = explain::alert_text(*alert_kind, language);
    let mark = explain::alert_prefix(kind, language);
    let mark = if mark.is_empty() { String::new() } else { format!("{mark} ") };
    let subject = format!("Silta: {connection}: {mark}{}", text.title);
    let mut lines = vec![subject.clone(), explain::alert_since(kind, *seen_at, language)];
    let is_over = kind == "closed";
    let runbook = (!runbook_url.is_empty()).then(|| format!("{runbook_url}#{}", alert_kind.as_str()));
    if !is_over {
        lines.push(explain::alert_detail(*alert_kind, *count, detail, language));
        lines.push(text.remedy.to_owned());
        if !public_url.is_empty() {
            lines.push(format!("{}{}", public_url.trim_end_matches('/'), text.page));
        }
        if let Some(runbook) = &runbook {
            lines.push(runbook.clone());
        }
    }
    let fields = json!({
        "type": format!("alert.{kind}"),
        "timestamp": created_at,
        "data": {
            "connection": connection, "kind": alert_kind.as_str(), "count": count, "detail": detail, "since": seen_at,
            "title": text.title, "remedy": text.remedy, "runbook_url": runbook,
        },
    });
    Message { id: *id, subject, text: lines.join("\n"), fields }
}

/// A test message.
pub(super) fn test_message(id: Uuid, language: Language, now: Timestamp) -> Message {
    let subject = match language {
        Language::English => "Silta: test message: alerts arrive here",
        Language::Finnish => "Silta: testiviesti: hälytykset tulevat tänne",
    };
    let fields = json!({ "type": "alert.test", "timestamp": now, "data": {} });
    Message { id, subject: subject.to_owned(), text: subject.to_owned(), fields }
}
