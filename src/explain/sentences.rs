//! Sentences about events, intents and attempts, in both languages.

use super::{details::detail, labels::sentence, reasons::reason_text};
use crate::{
    domain::{
        language::Language::{self, English, Finnish},
        order::OrderStatus,
        task::{
            action::{ActionKind, ActionState},
            reason::Reason,
        },
    },
    store::{actions::ActionRow, attempts::AttemptRow, views::recent_changes::RecentChange},
};

/// An order's status.
pub const fn status_text(status: OrderStatus, language: Language) -> &'static str {
    let (english, finnish) = match status {
        OrderStatus::NotTransferred => ("not yet transferred", "ei vielä siirretty"),
        OrderStatus::WaitingForCollection => {
            ("waiting for collection and delivery", "odottaa keräilyä ja toimitusta")
        }
        OrderStatus::WaitingForProducts => ("waiting for products", "odottaa tuotteita"),
        OrderStatus::Delivered => ("delivered", "toimitettu"),
        OrderStatus::Cancelled => ("cancelled", "peruttu"),
        OrderStatus::Returned => ("returned", "palautettu"),
        OrderStatus::NeedsAttention => ("needs attention at the warehouse", "vaatii huomiota varastolla"),
    };
    match language {
        English => english,
        Finnish => finnish,
    }
}

/// What just happened to an order; its number stands before it.
pub fn recent_text(change: &RecentChange, language: Language) -> &str {
    let (english, finnish) = match (change.status_before.as_deref(), OrderStatus::parse(&change.status)) {
        (None, _) if !change.is_placed => ("came in", "saapui"),
        _ if change.is_placed => ("sent to the warehouse", "siirretty varastolle"),
        (_, Some(status)) => return status_text(status, language),
        (_, None) => return &change.status,
    };
    match language {
        English => english,
        Finnish => finnish,
    }
}

/// An event.
pub fn event_text(source: &str, topic: &str, language: Language) -> String {
    let request = topic.strip_prefix("order.").unwrap_or(topic);
    // Topics are the senders' own.
    let is_new = topic.ends_with("created");
    match (language, source, topic) {
        (English, "mycashflow", _) if is_new => "The shop reported a new order.".to_owned(),
        (Finnish, "mycashflow", _) if is_new => "Kauppa ilmoitti uudesta tilauksesta.".to_owned(),
        (English, "mycashflow", _) => "The shop reported a change.".to_owned(),
        (Finnish, "mycashflow", _) => "Kauppa ilmoitti muutoksesta.".to_owned(),
        (English, "ogoship", _) => "The warehouse reported a change.".to_owned(),
        (Finnish, "ogoship", _) => "Varasto ilmoitti muutoksesta.".to_owned(),
        (English, "operator", "replay") => "An operator asked for a replay.".to_owned(),
        (Finnish, "operator", "replay") => "Käyttäjä pyysi yrittämään uudelleen.".to_owned(),
        (English, "operator", _) => format!("An operator {}.", request_text(request, language)),
        (Finnish, "operator", _) => format!("Käyttäjä {}.", request_text(request, language)),
        (English, _, "polled.orders") => "A poll of the shop's orders found it new or changed.".to_owned(),
        (Finnish, _, "polled.orders") => {
            "Kaupan tilausten tarkistuksessa se oli uusi tai muuttunut.".to_owned()
        }
        (English, _, "polled.statuses") => "A poll of the warehouse's orders found it changed.".to_owned(),
        (Finnish, _, "polled.statuses") => "Varaston tilausten tarkistuksessa se oli muuttunut.".to_owned(),
        (English, _, "synced.orders") => "A sync found a difference between both sides.".to_owned(),
        (Finnish, _, "synced.orders") => "Täsmäytyksessä löytyi ero kaupan ja varaston välillä.".to_owned(),
        (English, ..) => "It may be out of sync.".to_owned(),
        (Finnish, ..) => "Se otettiin tarkistettavaksi.".to_owned(),
    }
}

/// What an operator asked for an order.
fn request_text(request: &str, language: Language) -> &'static str {
    let (english, finnish) = match request {
        "transfer" => ("sent it to the warehouse", "siirsi sen varastolle"),
        "hold" => ("put it on hold", "laittoi sen odottamaan"),
        "release" => ("released it", "jatkoi sen käsittelyä"),
        "cancel" => ("asked to cancel the transfer", "pyysi perumaan siirron"),
        "refresh" => ("asked to read it again", "pyysi lukemaan tiedot uudelleen"),
        "adopt" => {
            ("took the warehouse's order for this one", "valitsi varaston tilauksen tämän tilaukseksi")
        }
        "send_replacement" => ("confirmed a replacement", "vahvisti korvaavan lähetyksen"),
        "undo" => ("took the transfer back", "kumosi siirron"),
        _ => ("asked for it", "pyysi sitä"),
    };
    match language {
        English => english,
        Finnish => finnish,
    }
}

/// An operator's intent.
pub(super) fn intent_text(kind: &str, actor: &str, language: Language) -> String {
    match (language, kind) {
        (English, "transfer") => format!("{actor} asked to send it to the warehouse now."),
        (Finnish, "transfer") => format!("{actor} pyysi siirtämään sen varastolle nyt."),
        (English, "adopt") => format!("{actor} took the warehouse's order for this one."),
        (Finnish, "adopt") => format!("{actor} valitsi varaston tilauksen tämän tilaukseksi."),
        (English, "hold") => format!("{actor} put it on hold."),
        (Finnish, "hold") => format!("{actor} laittoi tilauksen odottamaan."),
        (English, "release") => format!("{actor} released it."),
        (Finnish, "release") => format!("{actor} jatkoi tilauksen käsittelyä."),
        (English, "send_replacement") => format!("{actor} confirmed a replacement."),
        (Finnish, "send_replacement") => format!("{actor} vahvisti korvaavan lähetyksen."),
        (English, "sync") => format!("{actor} asked to write it now."),
        (Finnish, "sync") => format!("{actor} pyysi kirjoittamaan sen nyt."),
        (English, "cancel") => format!("{actor} asked to cancel it."),
        (Finnish, "cancel") => format!("{actor} pyysi perumaan sen."),
        (English, other) => format!("{actor} asked: {other}."),
        (Finnish, other) => format!("{actor} pyysi: {other}."),
    }
}

/// An action of the ledger, and how it ended.
pub(super) fn ledger_text(action: &ActionRow, language: Language) -> String {
    let what = action.kind.parse().map_or(action.kind.as_str(), |kind| action_name(kind, language));
    let Ok(state) = action.state.parse() else { return format!("{what}: {}", action.state) };
    let by = action.resolved_by.as_deref().unwrap_or_default();
    let (english, finnish) = match state {
        ActionState::Begun => ("begun, and its end is not known yet", "aloitettu, eikä loppua vielä tiedetä"),
        ActionState::Unknown => ("it is unknown whether it was done", "ei tiedetä, tehtiinkö se"),
        ActionState::Applied => ("done", "tehty"),
        ActionState::Refused => ("refused", "hylätty"),
        ActionState::NotSent => ("not sent", "ei lähetetty"),
        ActionState::ResolvedApplied => ("done, as found out by", "tehty, tarkisti"),
        ActionState::ResolvedNotApplied => ("not done, as found out by", "ei tehty, tarkisti"),
    };
    let end = if language == English { english } else { finnish };
    format!("{what}: {end} {by}").trim_end().to_owned()
}

/// What an action is.
const fn action_name(kind: ActionKind, language: Language) -> &'static str {
    let (english, finnish) = match kind {
        ActionKind::Place => ("Order placed at the warehouse", "Tilauksen vienti varastolle"),
        ActionKind::PlaceReplacement => {
            ("Replacement placed at the warehouse", "Korvaavan lähetyksen vienti varastolle")
        }
        ActionKind::Adopt => ("Order taken over at the warehouse", "Varaston tilauksen liittäminen tähän"),
        ActionKind::Update => ("Edit sent to the warehouse", "Muutoksen vienti varastolle"),
        ActionKind::Cancel => ("Cancellation at the warehouse", "Peruutus varastolla"),
        ActionKind::Complete => ("Completion in the shop", "Tilauksen merkitseminen käsitellyksi kaupassa"),
        ActionKind::ActivatePayment => ("Payment activated in the shop", "Maksun aktivointi kaupassa"),
        ActionKind::CompleteShipment => {
            ("Completion of a shipment in the shop", "Lähetyksen merkitseminen käsitellyksi kaupassa")
        }
        ActionKind::Create => ("Product created at the warehouse", "Tuotteen luonti varastolle"),
    };
    match language {
        English => english,
        Finnish => finnish,
    }
}

/// The outcome of an attempt, or of a dry run.
pub fn outcome_text(outcome: &str, action: Option<&str>, reason: Option<&str>, language: Language) -> String {
    let reason = reason.and_then(Reason::parse).map_or_else(String::new, |reason| {
        // The text is a doc comment too, with its backticks.
        reason_text(reason, language).replace('`', "")
    });
    let action = match (outcome, action) {
        ("unknown", Some("place")) => return unknown_placement(&reason, language),
        (_, action) => action.map(|action| action_text(action, language)),
    };
    let text = match language {
        English => english_outcome(outcome, action, &reason),
        Finnish => finnish_outcome(outcome, action, &reason),
    };
    text.trim_end().to_owned()
}

/// The outcome that matters most: nobody can say yet whether the warehouse has the order.
fn unknown_placement(reason: &str, language: Language) -> String {
    let text = match language {
        English => "It is not known whether the order reached the warehouse.",
        Finnish => "Ei tiedetä, menikö tilaus varastolle.",
    };
    format!("{text} {reason}").trim_end().to_owned()
}

/// An attempt.
pub fn attempt_text(attempt: &AttemptRow, language: Language) -> String {
    let AttemptRow { outcome, reason, action, detail: stored, number, .. } = attempt;
    let mut text = outcome_text(outcome, action.as_deref(), reason.as_deref(), language);
    if let Some(stored) = stored {
        text = format!("{text} {}", said(stored, reason.as_deref(), language));
    }
    let attempt = match language {
        English => "Attempt",
        Finnish => "Yritys",
    };
    format!("{attempt} {number}: {text}")
}

/// What an attempt said beyond its reason; a vendor's own words are quoted.
fn said(stored: &str, reason: Option<&str>, language: Language) -> String {
    match (reason.and_then(Reason::parse), language) {
        (Some(Reason::Refused | Reason::Conflict), English) => format!("“{stored}”"),
        (Some(Reason::Refused | Reason::Conflict), Finnish) => format!("”{stored}”"),
        _ => sentence(&detail(stored, language)),
    }
}

fn english_outcome(outcome: &str, action: Option<&str>, reason: &str) -> String {
    match (outcome, action) {
        ("acted", Some(action)) => format!("Read both sides and {action}."),
        ("in_sync", _) => "Read both sides: they are in sync.".to_owned(),
        // What would be done where its switch did not say otherwise.
        ("skipped", Some(_)) => format!("Read both sides: nothing is written. {reason}"),
        ("skipped", None) => format!("Read both sides: nothing to do. {reason}"),
        ("waiting", _) => format!("Read both sides: not yet. {reason}"),
        ("permanent", _) => format!("It needs attention. {reason}"),
        ("unknown", Some(action)) => {
            format!("It is unknown whether Silta {action}. {reason}")
        }
        ("snoozed", _) => format!("Put off for a while. {reason}"),
        ("connection_fault", _) => format!("Put off: the connection is at fault. {reason}"),
        ("lost", _) => "The attempt never ended: the program crashed or was away too long.".to_owned(),
        ("resolved", _) => "An operator said what truly happened.".to_owned(),
        _ => format!("It failed and is tried again. {reason}"),
    }
}

fn finnish_outcome(outcome: &str, action: Option<&str>, reason: &str) -> String {
    match (outcome, action) {
        ("acted", Some(action)) => format!("Tarkistettiin kauppa ja varasto ja {action}."),
        ("in_sync", _) => "Tarkistettiin: kauppa ja varasto täsmäävät.".to_owned(),
        ("skipped", Some(_)) => format!("Tarkistettiin: mitään ei kirjoiteta. {reason}"),
        ("skipped", None) => format!("Tarkistettiin: mitään ei tarvitse tehdä. {reason}"),
        ("waiting", _) => format!("Tarkistettiin: vielä ei voi jatkaa. {reason}"),
        ("permanent", _) => format!("Odottaa sinua. {reason}"),
        ("unknown", Some(action)) => format!("Ei tiedetä, onnistuiko tämä: {action}. {reason}"),
        ("snoozed", _) => format!("Lykättiin hetkeksi. {reason}"),
        ("connection_fault", _) => format!("Lykättiin: yhteydessä on vikaa. {reason}"),
        ("lost", _) => "Yritys jäi kesken: ohjelma kaatui tai oli liian kauan poissa.".to_owned(),
        ("resolved", _) => "Käyttäjä kertoi, mitä todella tapahtui.".to_owned(),
        _ => format!("Epäonnistui, ja sitä yritetään uudelleen. {reason}"),
    }
}

/// An action, as the end of a sentence.
fn action_text(action: &str, language: Language) -> &str {
    match (language, action) {
        (English, "place") => "placed the order at the warehouse",
        (Finnish, "place") => "vietiin tilaus varastolle",
        (English, "place_replacement") => "placed the replacement at the warehouse",
        (Finnish, "place_replacement") => "vietiin korvaava lähetys varastolle",
        (English, "adopt") => "took the order that was at the warehouse already for this one",
        (Finnish, "adopt") => "liitettiin tähän tilaus, joka oli jo varastolla",
        (English, "update") => "sent the shop's edit to the warehouse",
        (Finnish, "update") => "vietiin kaupan muutos varastolle",
        (English, "cancel") => "cancelled the order at the warehouse",
        (Finnish, "cancel") => "peruttiin tilaus varastolla",
        (English, "complete") => "completed the order in the shop, with its tracking code",
        (Finnish, "complete") => "merkittiin tilaus kaupassa käsitellyksi seurantatunnuksineen",
        (English, "activate_payment") => "activated a payment in the shop",
        (Finnish, "activate_payment") => "aktivoitiin maksu kaupassa",
        (English, "complete_shipment") => "completed a shipment in the shop",
        (Finnish, "complete_shipment") => "merkittiin lähetys kaupassa käsitellyksi",
        (_, other) => other,
    }
}
