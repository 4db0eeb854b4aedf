//! The details of a fault in the reader's language.
//!
//! A detail is written down once, in English, with the codes and names that it is about; it is a text of a few phrases
//! of our own around them. For a reader of Finnish the phrases are replaced and what is between them stays. A test
//! holds each phrase to the code that writes it, so a changed one is not missed here.

use std::borrow::Cow;

use crate::domain::language::Language;

/// English as it is written, and Finnish. Longer ones first, where one is part of another.
const PHRASES: &[(&str, &str)] = &[
    (
        "no rule of [connections.shipping] matches the order's shipping method",
        "mikään [connections.shipping] -sääntö ei vastaa tilauksen toimitustapaa",
    ),
    ("the order has no shipping method", "tilauksella ei ole toimitustapaa"),
    ("fix in the shop, then replay:", "korjaa kaupassa ja toista sitten:"),
    ("the reference is over", "viite on pidempi kuin"),
    ("characters: shorten reference_prefix", "merkkiä: lyhennä asetusta reference_prefix"),
    ("the shop no longer knows the product of code", "kauppa ei enää tunne tuotetta, jonka koodi on"),
    (", so not its supplier", ", eikä siis sen toimittajaa"),
    ("fix the product code in the shop:", "korjaa tuotekoodi kaupassa:"),
    (
        "the order has no line that is stored at the warehouse",
        "tilauksessa ei ole riviä, joka olisi varastolla",
    ),
    ("a line has none", "riviltä puuttuu koodi"),
    ("country must be two letters", "maan on oltava kaksi kirjainta"),
    (" is missing", " puuttuu"),
    (" characters, at most ", " merkkiä, enintään "),
    (" is also ", " on myös "),
    ("the warehouse did not take the edit, fix it there:", "varasto ei ottanut muutosta, korjaa se siellä:"),
    ("called off: cancel it at the warehouse by hand", "peruttu: peru se varastolla käsin"),
    (
        "the warehouse refused to cancel over its API: cancel it there by hand",
        "varasto ei perunut rajapinnan kautta: peru se siellä käsin",
    ),
    (
        "the warehouse shipped an order that is cancelled in the shop: refund it, or get the parcel back",
        "varasto lähetti tilauksen, joka on peruttu kaupassa: palauta maksu tai hanki paketti takaisin",
    ),
    ("called off, but the warehouse has it as", "peruttu, mutta varastolla se on tilassa"),
    (": only the warehouse can stop it", ": vain varasto voi pysäyttää sen"),
    (
        "called off after it was sent: cancel it at the warehouse",
        "peruttu lähettämisen jälkeen: peru se varastolla",
    ),
    (
        "the warehouse took our cancellation and still has the order: cancel it there by hand",
        "varasto otti perumisen vastaan ja tilaus on yhä siellä: peru se siellä käsin",
    ),
    ("the shop calls the order's status", "kauppa kutsuu tilauksen tilaa nimellä"),
    (
        "we placed this order and the warehouse no longer shows it",
        "veimme tämän tilauksen, eikä varasto enää näytä sitä",
    ),
    (
        "shipped, but the shop's open order has no open shipment to complete",
        "lähetetty, mutta kaupan avoimessa tilauksessa ei ole avointa lähetystä",
    ),
    (": rename that one there first", ": nimeä se siellä ensin uudelleen"),
];

/// A detail as this reader reads it.
pub fn detail(text: &str, language: Language) -> Cow<'_, str> {
    match language {
        Language::English => Cow::Borrowed(text),
        Language::Finnish => Cow::Owned(
            PHRASES.iter().fold(text.to_owned(), |text, (english, finnish)| text.replace(english, finnish)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_told_in_finnish_and_keeps_its_names() {
        let text = "no rule of [connections.shipping] matches the order's shipping method \"DRONE\"";
        assert_eq!(detail(text, Language::English), text);
        assert_eq!(
            detail(text, Language::Finnish),
            "mikään [connections.shipping] -sääntö ei vastaa tilauksen toimitustapaa \"DRONE\"",
        );
        assert_eq!(
            detail("fix in the shop, then replay: city is missing", Language::Finnish),
            "korjaa kaupassa ja toista sitten: city puuttuu",
        );
    }

    #[test]
    fn each_phrase_is_one_that_the_code_writes() {
        let written = [
            include_str!("../domain/order/draft.rs"),
            include_str!("../domain/order/recipient.rs"),
            include_str!("../domain/order/decide.rs"),
            include_str!("../domain/order/home.rs"),
            include_str!("../domain/product/codes.rs"),
            include_str!("../domain/product/decide.rs"),
            include_str!("../flows/order/actions.rs"),
        ];
        for (english, _) in PHRASES {
            assert!(written.iter().any(|text| text.contains(english)), "nobody writes {english:?}");
        }
    }
}
