//! The extent of an alert in words. Rows and programs have it in codes, as `900 × shipping_unmapped, 100 × refused`.

use super::{pages::page_texts, reason_text, webhooks::hint_text};
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
        _ => {
            let number = if count > 1 { format!(" ({count})") } else { String::new() };
            format!("{}{number}: {}", subject_of(kind, language), named(kind, detail, language))
        }
    }
}

/// The lists, kinds or figures that the detail names.
fn named(kind: AlertKind, detail: &str, language: Language) -> String {
    let texts = page_texts(language);
    let plural = |noun: &'static str| noun.split('|').next_back().unwrap_or(noun);
    let in_words = |name: &str| match (kind, name) {
        (AlertKind::PollStopped | AlertKind::ListGap, "orders") => texts.polled_orders.to_owned(),
        (AlertKind::PollStopped | AlertKind::ListGap, "statuses") => texts.polled_statuses.to_owned(),
        (AlertKind::PollStopped | AlertKind::ListGap, "stock") => texts.polled_stock.to_owned(),
        (AlertKind::PollStopped | AlertKind::ListGap, "products") => texts.polled_products.to_owned(),
        (AlertKind::BacklogOld, "order") => plural(texts.order_count).to_owned(),
        (AlertKind::BacklogOld, "stock") => plural(texts.stock_count).to_owned(),
        (AlertKind::BacklogOld, "product") => plural(texts.product_count).to_owned(),
        _ => super::detail(name, language),
    };
    detail.split(", ").map(in_words).collect::<Vec<_>>().join(", ")
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
        AlertKind::BacklogOld => ("Waiting", "Odottaa"),
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
        assert_eq!(detail(AlertKind::PollStopped, "orders, stock"), "Lists (3): orders of the shop, stock");
        let braked = alert_detail(
            AlertKind::StockBraked,
            1,
            "5 of 8 codes would have fallen to zero within an hour",
            Language::Finnish,
        );
        assert_eq!(braked, "Varastosaldoja: 5/8 tuotteen varastosaldo olisi mennyt nollaan tunnin sisällä");
    }
}
