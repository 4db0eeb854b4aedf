//! From rows to sentences.

use crate::{domain::outcome::Reason, store::attempts::AttemptRow};

/// What an event told.
pub(super) fn told(source: &str, topic: &str) -> String {
    match (source, topic) {
        ("mycashflow", topic) => format!("The shop told of it ({topic})."),
        ("ogoship", topic) => format!("The warehouse told of it ({topic})."),
        ("person", "replay") => "A person asked for a replay.".to_owned(),
        ("person", topic) => format!("A person asked: {}.", topic.strip_prefix("order.").unwrap_or(topic)),
        (_, "swept.orders") => "A sweep of the shop's orders found it new or changed.".to_owned(),
        (_, "swept.statuses") => "A sweep of the warehouse's orders found it changed.".to_owned(),
        (_, "compared.orders") => "The comparison of both sides found a difference.".to_owned(),
        (_, topic) => format!("It was put in question ({topic})."),
    }
}

/// What a person asked.
pub(super) fn asked(action: &str, actor: &str) -> String {
    let what = match action {
        "transfer" => "send it to the warehouse now",
        "hold" => "hold it back",
        "release" => "let it go",
        "cancel" => "call it off",
        other => other,
    };
    format!("{actor} asked to {what}.")
}

/// What an attempt came to.
pub(super) fn attempt(attempt: &AttemptRow) -> String {
    let AttemptRow { outcome, reason, deed, detail, number, .. } = attempt;
    let words = reason.as_deref().and_then(Reason::parse).map(Reason::words);
    let did = deed.as_deref().map(deed_words);
    let mut text = match (outcome.as_str(), did) {
        ("done", Some(did)) => format!("Read both sides and {did}."),
        ("in_step", _) => "Read both sides: they are in step.".to_owned(),
        ("skipped", _) => format!("Read both sides: nothing to do. {}", words.unwrap_or_default()),
        ("waiting", _) => format!("Read both sides: not yet. {}", words.unwrap_or_default()),
        ("permanent", _) => format!("A person must decide. {}", words.unwrap_or_default()),
        ("ambiguous", Some(did)) => {
            format!("Tried: {did}, and cannot tell whether it was heard. {}", words.unwrap_or_default())
        }
        ("snoozed", _) => format!("Put off for a while. {}", words.unwrap_or_default()),
        ("connection_fault", _) => {
            format!("Given back: the whole connection is at fault. {}", words.unwrap_or_default())
        }
        ("lost", _) => {
            "The attempt never came back: a crash, or a process that was gone too long.".to_owned()
        }
        ("resolved", _) => "A person said what truly happened.".to_owned(),
        (outcome, _) => format!("It failed and is tried again ({outcome}). {}", words.unwrap_or_default()),
    };
    if let Some(detail) = detail {
        text = format!("{} ({detail})", text.trim_end());
    }
    format!("Attempt {number}: {}", text.trim_end())
}

fn deed_words(deed: &str) -> &str {
    match deed {
        "place" => "placed the order at the warehouse",
        "adopt" => "took up the order that stands at the warehouse already",
        "update" => "sent the shop's edit on to the warehouse",
        "cancel" => "called the order off at the warehouse",
        "complete" => "completed the order in the shop, with its tracking code",
        "complete_shipment" => "completed a shipment in the shop",
        other => other,
    }
}
