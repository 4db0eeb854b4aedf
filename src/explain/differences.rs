//! What to do about what a sync has found, in both languages.
//!
//! A remedy is stored once, in English. Of what waits for a person, the remedy of its reason is shown instead.

use super::remedies::remedy;
use crate::{
    domain::{language::Language, task::reason::Reason},
    store::sync_differences::DifferenceRow,
};

/// Pairs of English, as it is stored, and Finnish.
const REMEDIES: &[(&str, &str)] = &[
    ("it is sent to the warehouse", "viedään varastolle"),
    ("the confirmed replacement is sent to the warehouse", "vahvistettu korvaava lähetys viedään varastolle"),
    ("it is adopted and followed from now on", "liitetään kaupan tilaukseen ja seurataan tästä lähtien"),
    ("the edit is sent to the warehouse", "muutos viedään varastolle"),
    ("it is cancelled at the warehouse", "perutaan varastolla"),
    (
        "it is completed in the shop, with its tracking code",
        "merkitään kaupassa käsitellyksi seurantatunnuksineen",
    ),
    (
        "the warehouse has it under our reference and the shop does not know it: find out who placed it",
        "varastolla on tilaus, jolla on kaupan viite mutta jota kauppa ei tunne: selvitä, kuka sen vei sinne",
    ),
    ("it is read again", "luetaan uudelleen"),
    (
        "look at the shop's orders of these minutes by hand, and tell the shop's support",
        "katso kaupan tilaukset tältä ajalta itse ja kerro siitä kaupan tukeen",
    ),
    ("it is created at the warehouse", "luodaan varastolle"),
    ("the shop's fields are sent to the warehouse", "kaupan tiedot viedään varastolle"),
    ("it is renamed at the warehouse", "nimetään varastolla uudelleen"),
    (
        "nothing flows back: add it to the shop, or exclude the code, if it is this shop's",
        "varastolta ei tuoda mitään: lisää tuote kauppaan, tai rajaa sen koodi pois, jos se on tämän kaupan",
    ),
    (
        "add it to the shop, or exclude the code, if it is this shop's",
        "lisää tuote kauppaan, tai rajaa sen koodi pois, jos se on tämän kaupan",
    ),
    (
        "sync the products, or exclude the code, if it is not stored at the warehouse",
        "vie tuotteet varastolle, tai rajaa koodi pois, jos tuotetta ei pidetä varastolla",
    ),
    ("the warehouse's figure is written to the shop", "varaston saldo kirjoitetaan kauppaan"),
];

/// What is done about a difference, or what a person does.
pub fn difference_remedy(row: &DifferenceRow, language: Language) -> &str {
    let of_reason = ["needs_attention", "held_back"].contains(&row.difference.as_str());
    let reason = row.reason.as_deref().filter(|_| of_reason).and_then(Reason::parse);
    let text = reason.map_or("", |reason| remedy(reason, language));
    if !text.is_empty() {
        return text;
    }
    let finnish = REMEDIES.iter().find(|(stored, _)| *stored == row.remedy).map(|(_, finnish)| *finnish);
    finnish.filter(|_| language == Language::Finnish).unwrap_or(&row.remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_remedy_is_written_by_a_sync() {
        let written = [
            include_str!("../sync/order_difference.rs"),
            include_str!("../sync/orders.rs"),
            include_str!("../sync/products.rs"),
            include_str!("../sync/stock.rs"),
        ];
        for (english, _) in REMEDIES {
            assert!(written.iter().any(|text| text.contains(english)), "nobody writes {english:?}");
        }
    }
}
