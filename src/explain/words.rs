//! From rows to sentences, in both languages.

use super::{details, reasons};
use crate::{
    domain::{
        language::Language::{self, English, Finnish},
        order::OrderStatus,
        task::outcome::Reason,
    },
    store::attempts::AttemptRow,
};

/// An order's status in words.
pub fn status(status: OrderStatus, language: Language) -> &'static str {
    match (language, status) {
        (English, status) => status.label(),
        (Finnish, OrderStatus::NotTransferred) => "ei vielä siirretty",
        (Finnish, OrderStatus::WaitingForCollection) => "odottaa keräilyä ja toimitusta",
        (Finnish, OrderStatus::WaitingForProducts) => "odottaa tuotteita",
        (Finnish, OrderStatus::Delivered) => "toimitettu",
        (Finnish, OrderStatus::Cancelled) => "peruttu",
        (Finnish, OrderStatus::Returned) => "palautettu",
        (Finnish, OrderStatus::NeedsAttention) => "vaatii huomiota varastolla",
    }
}

/// What an event told.
pub fn told(source: &str, topic: &str, language: Language) -> String {
    let asked = topic.strip_prefix("order.").unwrap_or(topic);
    match (language, source, topic) {
        (English, "mycashflow", _) => format!("The shop told of it ({topic})."),
        (Finnish, "mycashflow", _) => format!("Kauppa kertoi siitä ({topic})."),
        (English, "ogoship", _) => format!("The warehouse told of it ({topic})."),
        (Finnish, "ogoship", _) => format!("Varasto kertoi siitä ({topic})."),
        (English, "person", "replay") => "A person asked for a replay.".to_owned(),
        (Finnish, "person", "replay") => "Joku pyysi toistoa.".to_owned(),
        (English, "person", _) => format!("A person asked: {asked}."),
        (Finnish, "person", _) => format!("Joku pyysi: {asked}."),
        (English, _, "polled.orders") => "A poll of the shop's orders found it new or changed.".to_owned(),
        (Finnish, _, "polled.orders") => {
            "Kaupan tilausten läpikäynti löysi sen uutena tai muuttuneena.".to_owned()
        }
        (English, _, "polled.statuses") => "A poll of the warehouse's orders found it changed.".to_owned(),
        (Finnish, _, "polled.statuses") => "Varaston tilausten läpikäynti löysi sen muuttuneena.".to_owned(),
        (English, _, "synced.orders") => "The sync of both sides found a difference.".to_owned(),
        (Finnish, _, "synced.orders") => "Puolten vertailu löysi eron.".to_owned(),
        (English, ..) => format!("It was put in question ({topic})."),
        (Finnish, ..) => format!("Se otettiin tarkasteltavaksi ({topic})."),
    }
}

/// What a person asked.
pub(super) fn asked(action: &str, actor: &str, language: Language) -> String {
    let what = match (language, action) {
        (English, "transfer") => "send it to the warehouse now",
        (Finnish, "transfer") => "siirtämään sen varastolle nyt",
        (English, "hold") => "hold it back",
        (Finnish, "hold") => "pitämään sen odottamassa",
        (English, "release") => "let it go",
        (Finnish, "release") => "päästämään sen",
        (English, "cancel") => "call it off",
        (Finnish, "cancel") => "perumaan sen",
        (_, other) => other,
    };
    match language {
        English => format!("{actor} asked to {what}."),
        Finnish => format!("{actor} pyysi {what}."),
    }
}

/// What an attempt came to, or would come to.
pub fn outcome(outcome: &str, action: Option<&str>, reason: Option<&str>, language: Language) -> String {
    let why = reason.and_then(Reason::parse).map_or("", |reason| reasons::words(reason, language));
    let did = action.map(|action| action_text(action, language));
    let text = match language {
        English => english_outcome(outcome, did, why),
        Finnish => finnish_outcome(outcome, did, why),
    };
    text.trim_end().to_owned()
}

/// A try at a task, as the diary tells it.
pub fn attempt(attempt: &AttemptRow, language: Language) -> String {
    let AttemptRow { outcome, reason, action, detail, number, .. } = attempt;
    let mut text = self::outcome(outcome, action.as_deref(), reason.as_deref(), language);
    if let Some(detail) = detail {
        text = format!("{text} ({})", details::detail(detail, language));
    }
    let attempt = match language {
        English => "Attempt",
        Finnish => "Yritys",
    };
    format!("{attempt} {number}: {text}")
}

fn english_outcome(outcome: &str, did: Option<&str>, why: &str) -> String {
    match (outcome, did) {
        ("acted", Some(did)) => format!("Read both sides and {did}."),
        ("in_sync", _) => "Read both sides: they are in sync.".to_owned(),
        ("skipped", _) => format!("Read both sides: nothing to do. {why}"),
        ("waiting", _) => format!("Read both sides: not yet. {why}"),
        ("permanent", _) => format!("A person must decide. {why}"),
        ("unknown", Some(did)) => format!("Tried: {did}, and cannot tell whether it was heard. {why}"),
        ("snoozed", _) => format!("Put off for a while. {why}"),
        ("connection_fault", _) => format!("Given back: the whole connection is at fault. {why}"),
        ("lost", _) => {
            "The attempt never came back: a crash, or a process that was gone too long.".to_owned()
        }
        ("resolved", _) => "A person said what truly happened.".to_owned(),
        (outcome, _) => format!("It failed and is tried again ({outcome}). {why}"),
    }
}

fn finnish_outcome(outcome: &str, did: Option<&str>, why: &str) -> String {
    match (outcome, did) {
        ("acted", Some(did)) => format!("Luettiin molemmat puolet ja {did}."),
        ("in_sync", _) => "Luettiin molemmat puolet: ne vastaavat toisiaan.".to_owned(),
        ("skipped", _) => format!("Luettiin molemmat puolet: ei tehtävää. {why}"),
        ("waiting", _) => format!("Luettiin molemmat puolet: ei vielä. {why}"),
        ("permanent", _) => format!("Ihmisen on päätettävä. {why}"),
        ("unknown", Some(did)) => format!("Yritettiin: {did}, eikä tiedetä, kuultiinko. {why}"),
        ("snoozed", _) => format!("Lykättiin hetkeksi. {why}"),
        ("connection_fault", _) => format!("Annettiin takaisin: koko yhteydessä on vikaa. {why}"),
        ("lost", _) => "Yritys ei palannut: kaatuminen, tai prosessi oli liian kauan poissa.".to_owned(),
        ("resolved", _) => "Ihminen kertoi, mitä todella tapahtui.".to_owned(),
        (outcome, _) => format!("Epäonnistui ja yritetään uudelleen ({outcome}). {why}"),
    }
}

/// What was done, in words that follow "and".
fn action_text(action: &str, language: Language) -> &str {
    match (language, action) {
        (English, "place") => "placed the order at the warehouse",
        (Finnish, "place") => "vietiin tilaus varastolle",
        (English, "adopt") => "took up the order that stands at the warehouse already",
        (Finnish, "adopt") => "otettiin haltuun tilaus, joka on jo varastolla",
        (English, "update") => "sent the shop's edit on to the warehouse",
        (Finnish, "update") => "vietiin kaupan muutos varastolle",
        (English, "cancel") => "called the order off at the warehouse",
        (Finnish, "cancel") => "peruttiin tilaus varastolla",
        (English, "complete") => "completed the order in the shop, with its tracking code",
        (Finnish, "complete") => "käsiteltiin tilaus kaupassa seurantakoodeineen",
        (English, "complete_shipment") => "completed a shipment in the shop",
        (Finnish, "complete_shipment") => "käsiteltiin lähetys kaupassa",
        (_, other) => other,
    }
}
