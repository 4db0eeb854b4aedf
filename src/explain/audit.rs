//! Entries of the audit log in words: what was done and to what; who did it stands beside it.

use serde_json::Value;

use super::{labels::capitalised, moments::number_text};
use crate::{
    domain::language::Language::{self, English, Finnish},
    store::audit::AuditRow,
};

/// What was done, with its number where it has one.
pub fn audit_text(row: &AuditRow, language: Language) -> String {
    let (english, finnish) = did(&row.action);
    let did = capitalised(match language {
        English => english,
        Finnish => finnish,
    });
    let count = row.detail.get("count").and_then(Value::as_i64);
    match count {
        Some(count) => format!("{did} ({})", number_text(count, language)),
        None => did,
    }
}

/// What it was done to, as it is stored, where that says something to a person: ids do not.
pub fn audit_subject(row: &AuditRow) -> Option<&str> {
    let subject = row.detail.get("subject").and_then(Value::as_str).or(row.subject.as_deref())?;
    let is_named = |action: &str| ["shipping_rule.", "sync."].iter().any(|kind| action.starts_with(kind));
    (subject.contains(':') || is_named(&row.action)).then_some(subject)
}

/// Every action of the log, as the past of a verb. What this program does not know was written by a newer one.
fn did(action: &str) -> (&'static str, &'static str) {
    match action {
        "alert.test" => ("sent a test message", "lähetti koeviestin"),
        "connection.pause" => ("paused the connection", "keskeytti yhteyden"),
        "connection.resume" => ("resumed the connection", "jatkoi yhteyden käyttöä"),
        "connection.release_brake" => ("approved the stock figures", "hyväksyi varastosaldot"),
        "connection.poll" => ("asked for the lists to be read now", "pyysi tarkistamaan luettelot nyt"),
        "connection.test" => ("tested the connection", "testasi yhteyden"),
        "connection.observe" => ("set the connection to watch only", "pani yhteyden vain seuraamaan"),
        "connection.go_live" => ("let the connection write again", "salli yhteyden taas kirjoittaa"),
        "database.restore" => ("restored a backup", "palautti varmuuskopion"),
        "event.replay" => ("replayed an event", "käsitteli tapahtuman uudelleen"),
        "event.reveal" => ("looked at an event in full", "katsoi tapahtuman kokonaan"),
        "order.adopt" => {
            ("took the warehouse's order for this one", "valitsi varaston tilauksen tämän tilaukseksi")
        }
        "order.cancel" => ("asked to cancel the transfer", "pyysi perumaan siirron"),
        "order.erase" => ("erased the personal data", "poisti henkilötiedot"),
        "order.hold" => ("put the order on hold", "laittoi tilauksen odottamaan"),
        "order.recipient" => ("looked at the recipient", "katsoi vastaanottajan tiedot"),
        "order.refresh" => ("asked to read both sides", "pyysi lukemaan tilauksen kaupasta ja varastolta"),
        "order.release" => ("released the order", "jatkoi tilauksen käsittelyä"),
        "order.send_replacement" => ("confirmed a replacement", "vahvisti korvaavan lähetyksen"),
        "order.transfer" => ("sent the order to the warehouse", "siirsi tilauksen varastolle"),
        "order.undo" => ("took the transfer back", "kumosi siirron"),
        "replays.create" => ("started a replay", "aloitti uudelleenyrityksen"),
        "replays.cancel" => ("cancelled a replay", "perui uudelleenyrityksen"),
        "shipping_rule.put" => ("set a shipping method", "valitsi toimitustavan"),
        "shipping_rule.remove" => ("removed a shipping method", "poisti toimitustavan"),
        "subject.sync" => ("asked to send or write it now", "pyysi viemään tai kirjoittamaan sen nyt"),
        "sync.approve" => ("approved what waited in a sync", "hyväksyi täsmäytyksessä odottaneet"),
        "sync.cancel" => ("cancelled a sync", "perui täsmäytyksen"),
        "sync.request" => ("started a sync", "aloitti täsmäytyksen"),
        "task.cancel" => ("cancelled a task", "perui siirron"),
        "task.handle" => ("marked the order as handled", "merkitsi tilauksen hoidetuksi"),
        "task.replay" => ("replayed a task", "pyysi yrittämään siirtoa uudelleen"),
        "task.resolve" => ("settled an unknown outcome", "ratkaisi epävarman lopputuloksen"),
        "tasks.release" => ("released what waited", "jatkoi odottaneiden käsittelyä"),
        "webhooks.detect" => ("asked to learn from the next webhook", "pyysi tutkimaan seuraavan webhookin"),
        "webhooks.register" => ("registered the webhooks", "rekisteröi webhookit"),
        _ => ("changed something", "muutti jotakin"),
    }
}
