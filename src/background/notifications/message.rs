//! What a message says: a line for people, and the same in fields for programs.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    domain::{Timestamp, language::Language},
    explain,
    store::notifications::DueNotice,
};

/// A message, whichever way it goes.
pub(super) struct Message {
    /// The same on every try.
    pub(super) id: Uuid,
    /// One line.
    pub(super) subject: String,
    /// A few lines, the first of them the subject.
    pub(super) text: String,
    /// For programs.
    pub(super) fields: Value,
}

/// The message of a notice.
pub(super) fn of(notice: &DueNotice, language: Language, public_url: &str) -> Message {
    let DueNotice { id, word, connection, kind, count, detail, seen_at, created_at, .. } = notice;
    let told = explain::alert_words(*kind, language);
    let mark = explain::alert_mark(word, language);
    let subject = format!("Silta: {connection}: {mark} {}", told.title);
    let mut lines = vec![subject.clone()];
    let is_over = word == "closed";
    if !is_over {
        lines.push(explain::alert_detail(*count, detail));
        lines.push(told.remedy.to_owned());
        if !public_url.is_empty() {
            lines.push(format!("{}{}", public_url.trim_end_matches('/'), told.page));
        }
    }
    let fields = json!({
        "type": format!("alert.{word}"),
        "timestamp": created_at,
        "data": {
            "connection": connection, "kind": kind.as_str(), "count": count, "detail": detail, "since": seen_at,
            "title": told.title, "remedy": told.remedy,
        },
    });
    Message { id: *id, subject, text: lines.join("\n"), fields }
}

/// A message of no meaning.
pub(super) fn trial(id: Uuid, language: Language, now: Timestamp) -> Message {
    let subject = match language {
        Language::English => "Silta: a trial: alerts arrive here",
        Language::Finnish => "Silta: kokeilu: hälytykset tulevat tänne",
    };
    let fields = json!({ "type": "alert.trial", "timestamp": now, "data": {} });
    Message { id, subject: subject.to_owned(), text: subject.to_owned(), fields }
}
