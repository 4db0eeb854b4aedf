//! Words for values that pages show: numbers, states, kinds and differences.

use super::{
    moments::{amount_text, number_text},
    pages::PageTexts,
};
use crate::domain::{language::Language, product::Remark, sync::SyncKind, vendor::Vendor};

/// A number with its noun: `1 order`, `2 orders`.
pub fn counted(count: i64, noun: &str) -> String {
    format!("{count} {}", one_or_many(noun, count))
}

/// The singular or the plural of a text that holds both.
pub fn one_or_many(texts: &str, count: i64) -> &str {
    let (one, many) = texts.split_once('|').unwrap_or((texts, texts));
    if count == 1 { one } else { many }
}

/// The same with the thousands of a large number apart.
pub fn counted_in(count: i64, noun: &str, language: Language) -> String {
    counted(count, noun).replacen(&count.to_string(), &number_text(count, language), 1)
}

/// A text with a capital at its beginning, unless a key or an address begins it.
pub fn capitalised(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default().trim_end_matches([',', ':', ';', '.']);
    if !word.chars().all(char::is_alphabetic) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A text as a sentence: with a capital at its beginning and a full stop at its end.
pub fn sentence(text: &str) -> String {
    let stop = if text.is_empty() || text.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    capitalised(text) + stop
}

/// A number with one decimal, which says nothing of a large one.
pub fn decimal(number: f64, language: Language) -> String {
    if number.abs() >= 100.0 {
        return amount_text(&format!("{number:.0}"), language);
    }
    let text = format!("{number:.1}");
    match language {
        Language::English => text,
        Language::Finnish => text.replace('.', ","),
    }
}

/// The kind of a sync.
pub const fn sync_kind_text(kind: SyncKind, texts: &PageTexts) -> &'static str {
    match kind {
        SyncKind::Products => texts.what_products,
        SyncKind::Stock => texts.what_stock,
        SyncKind::Orders => texts.what_orders,
    }
}

/// What a product lacks.
pub const fn remark_text(remark: Remark, language: Language) -> &'static str {
    match (remark, language) {
        (Remark::EanMissing, Language::English) => "It has no EAN: enter it as the barcode in the shop.",
        (Remark::EanMissing, Language::Finnish) => "EAN puuttuu: lisää se kaupassa viivakoodiksi.",
        (Remark::CodeSlash, Language::English) => "Its code has / or \\, which the warehouse does not allow.",
        (Remark::CodeSlash, Language::Finnish) => "Koodissa on / tai \\, joita varasto ei salli.",
    }
}

/// The state of a task or a sync.
pub fn state_text(state: &str, language: Language) -> String {
    let finnish = match state {
        "pending" => "odottaa",
        "leased" => "käsittelyssä",
        "in_doubt" => "epävarma",
        "skipped" => "ei tarvetta",
        "dead" => "pysähtynyt",
        "cancelled" => "peruttu",
        "running" => "käynnissä",
        "done" => "valmis",
        "failed" => "epäonnistui",
        other => other,
    };
    match language {
        Language::English => state.replace('_', " "),
        Language::Finnish => finnish.replace('_', " "),
    }
}

/// A subject: `Order 1042`, `Stock of ABC-1`, `Product 77/5`.
pub fn subject_text(subject: &str, language: Language) -> String {
    let Some((kind, key)) = subject.split_once(':') else { return subject.to_owned() };
    let noun = match (kind, language) {
        ("order", Language::English) => "Order",
        ("order", Language::Finnish) => "Tilaus",
        ("stock", Language::English) => "Stock of",
        ("stock", Language::Finnish) => "Varastosaldo",
        ("product", Language::English) => "Product",
        ("product", Language::Finnish) => "Tuote",
        _ => return subject.to_owned(),
    };
    format!("{noun} {key}")
}

/// Where an event came from.
pub fn source_text(source: &str, language: Language) -> &str {
    let (english, finnish) = match source {
        "mycashflow" => ("MyCashflow", "MyCashflow"),
        "ogoship" => ("OGOship", "OGOship"),
        "poll" => ("poll", "tarkistus"),
        "sync" => ("sync", "täsmäytys"),
        "operator" => ("operator", "käyttäjä"),
        other => (other, other),
    };
    match language {
        Language::English => english,
        Language::Finnish => finnish,
    }
}

/// What differs between the two sides.
pub fn difference_text(difference: &str, language: Language) -> String {
    let finnish = match difference {
        "missing_at_warehouse" => "puuttuu varastolta",
        "vanished_at_warehouse" => "kadonnut varastolta",
        "differs_at_warehouse" => "eroaa varastolla",
        "renamed_in_shop" => "nimi vaihtunut kaupassa",
        "held_back" => "pidätetty",
        "figure_differs" => "varastosaldo eroaa",
        "falls_to_zero" => "menisi nollaan",
        "not_remembered" => "ei vielä kirjattu",
        "edited_in_shop" => "muokattu kaupassa",
        "cancelled_in_shop" => "peruttu kaupassa",
        "not_completed_in_shop" => "käsittelemättä kaupassa",
        "needs_attention" => "odottaa sinua",
        "unknown_in_shop" => "tuntematon kaupassa",
        "not_listed" => "ei luettelossa",
        "not_read" => "ei luettu",
        other => other,
    };
    match language {
        Language::English if difference == "needs_attention" => "needs attention".to_owned(),
        Language::English => difference.replace('_', " "),
        Language::Finnish => finnish.replace('_', " "),
    }
}

/// An order's status at a vendor, as that vendor spells it.
pub fn vendor_status_text(status: &str, language: Language) -> &str {
    match (language, status) {
        (Language::Finnish, "open") => "avoin",
        (Language::Finnish, "completed") => "käsitelty",
        (Language::Finnish, "New") => "uusi",
        (Language::Finnish, "Collecting") => "keräilyssä",
        (Language::Finnish, "Pending") => "odottaa tuotteita",
        (Language::Finnish, "Shipped") => "lähetetty",
        (Language::Finnish, "Delivered") => "perillä",
        (Language::Finnish, "Returned") => "palautettu",
        (Language::Finnish, "Cancelled" | "cancelled") => "peruttu",
        (Language::Finnish, "Draft") => "luonnos",
        (Language::Finnish, "Reserved") => "varattu",
        (Language::Finnish, "Locked") => "lukittu",
        (_, status) => status,
    }
}

/// The name of a vendor as it writes it.
pub const fn vendor_name(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::MyCashflow => "MyCashflow",
        Vendor::Ogoship => "OGOship",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentence_begins_with_a_capital_and_ends_with_one_stop() {
        assert_eq!(sentence("correct in the shop: name is missing"), "Correct in the shop: name is missing.");
        assert_eq!(sentence("shop.url leads elsewhere."), "shop.url leads elsewhere.");
        assert_eq!(sentence(""), "");
        assert_eq!(one_or_many("Show it|Show them", 2), "Show them");
    }
}
