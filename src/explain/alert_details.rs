//! The extent of an alert in words. Rows and programs have it in codes, as `900 × shipping_unmapped, 100 × refused`.

use super::{reason_text, webhooks::hint_text};
use crate::domain::{alert::AlertKind, language::Language, task::reason::Reason};

/// The extent of an alert: a line for each code that it has, with its meaning, or what its words are about.
pub fn alert_detail(kind: AlertKind, count: i64, detail: &str, language: Language) -> String {
    match kind {
        AlertKind::Dead | AlertKind::CircuitOpen | AlertKind::WebhooksRefused => {
            // What a vendor said follows the codes.
            let (codes, words) = detail.split_once("; ").unwrap_or((detail, ""));
            let lines = codes.split(", ").map(|part| explain_code(part, language));
            let lines: Vec<_> = lines.chain((!words.is_empty()).then(|| words.to_owned())).collect();
            lines.join("\n")
        }
        _ if count > 1 => format!("{} ({count}): {detail}", subject_of(kind, language)),
        _ => format!("{}: {detail}", subject_of(kind, language)),
    }
}

/// As `100 × refused` with the sentence of its last word.
fn explain_code(part: &str, language: Language) -> String {
    let (before, code) = part.rsplit_once(' ').map_or(("", part), |(before, code)| (before, code));
    let meaning = match Reason::parse(code) {
        Some(reason) => reason_text(reason, language).replace('`', ""),
        None => hint_text(code, language),
    };
    if meaning == code {
        part.to_owned()
    } else {
        format!("{before} {meaning} ({code})").trim_start().to_owned()
    }
}

/// What the words of the detail are.
const fn subject_of(kind: AlertKind, language: Language) -> &'static str {
    let (english, finnish) = match kind {
        AlertKind::Dead | AlertKind::CircuitOpen | AlertKind::WebhooksRefused => ("Reason", "Syy"),
        AlertKind::StockBraked => ("Stock figures", "Varastosaldoja"),
        AlertKind::PollStopped | AlertKind::ListGap => ("Lists", "Luettelot"),
        AlertKind::BacklogOld => ("Tasks of the kinds", "Siirtojen lajit"),
        AlertKind::Silent => ("Orders", "Tilaukset"),
        AlertKind::WaitingForProducts => ("Products", "Tuotteet"),
        AlertKind::SubscriptionGone => ("Subscriptions", "Rekisteröinnit"),
    };
    match language {
        Language::English => english,
        Language::Finnish => finnish,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_an_alert_are_explained_line_by_line() {
        let detail = |kind, detail| alert_detail(kind, 3, detail, Language::English);
        let dead = detail(AlertKind::Dead, "2 × refused, 1 × conflict; Unknown shippingCode, sorry");
        let expected = format!(
            "2 × {} (refused)\n1 × {} (conflict)\nUnknown shippingCode, sorry",
            Reason::Refused.description().replace('`', ""),
            Reason::Conflict.description().replace('`', ""),
        );
        assert_eq!(dead, expected);
        let open = detail(AlertKind::CircuitOpen, "ogoship (writes): vendor_down");
        assert!(open.starts_with("ogoship (writes): ") && open.ends_with("(vendor_down)"), "{open}");
        let refused = detail(AlertKind::WebhooksRefused, "ogoship: wrong_key, mycashflow: new_hint");
        assert!(
            refused.contains("The key is another one") && refused.ends_with("mycashflow: new_hint"),
            "{refused}"
        );
        assert_eq!(detail(AlertKind::PollStopped, "orders, stock"), "Lists (3): orders, stock");
    }
}
