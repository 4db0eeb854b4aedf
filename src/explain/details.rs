//! Details in the reader's language.
//!
//! A detail is stored once, in English: codes and names between a few fixed phrases. For Finnish the phrases
//! are replaced and the rest stays. A test checks that the code still writes each phrase.

use std::borrow::Cow;

use crate::domain::language::Language;

/// Pairs of English and Finnish. A phrase that contains another comes first.
const PHRASES: &[(&str, &str)] = &[
    (
        "no rule of [connections.shipping] matches the order's shipping method",
        "toimitustavalle ei ole valittu varaston toimitustapaa:",
    ),
    ("the order has no shipping method", "tilauksella ei ole toimitustapaa"),
    ("fix in the shop, then replay:", "korjaa kaupassa ja yritä sitten uudelleen:"),
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
    ("the warehouse refused the edit, fix it there:", "varasto hylkäsi muutoksen, korjaa se siellä:"),
    ("cancelled: cancel it at the warehouse by hand", "peruttu: peru se varastolla käsin"),
    (
        "the warehouse refused to cancel over its API: cancel it there by hand",
        "varasto ei perunut rajapinnan kautta: peru se siellä käsin",
    ),
    (
        "the warehouse shipped an order that is cancelled in the shop: refund it, or get the parcel back",
        "varasto lähetti tilauksen, joka on peruttu kaupassa: palauta maksu tai hanki paketti takaisin",
    ),
    ("cancelled, but the warehouse has it as", "peruttu, mutta varastolla se on tilassa"),
    (": only the warehouse can stop it", ": vain varasto voi pysäyttää sen"),
    (
        "cancelled after it was sent: cancel it at the warehouse",
        "peruttu lähettämisen jälkeen: peru se varastolla",
    ),
    (
        "the warehouse accepted our cancellation and still has the order: cancel it there by hand",
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
    (
        "the warehouse cancelled an order that is paid: refund it in the shop, or have it shipped there",
        "varasto perui maksetun tilauksen: palauta maksu kaupassa tai pyydä varastoa toimittamaan se",
    ),
    (
        "sent as often as is allowed, and never found: look at the vendor, then resolve what happened",
        "lähetetty niin monta kertaa kuin saa, eikä löydy: katso järjestelmästä ja kuittaa sitten",
    ),
    (
        "the payment was refunded or cancelled: cancel the order, or tell the warehouse to stop it",
        "maksu palautettiin tai peruttiin: peru tilaus tai pyydä varastoa pysäyttämään se",
    ),
    (
        "edited in the shop after it was sent, and cannot be sent as it is now",
        "muokattu kaupassa lähettämisen jälkeen, eikä sitä voi lähettää tällaisenaan",
    ),
    (
        "edited in the shop after it was sent, fix it at the warehouse:",
        "muokattu kaupassa lähettämisen jälkeen, korjaa se varastolla:",
    ),
    (
        "its last change there is older than the shop's order",
        "sen viimeisin muutos siellä on vanhempi kuin kaupan tilaus",
    ),
    ("what it should contain is unknown", "ei tiedetä, mitä siinä pitäisi olla"),
    ("it contains other products or pieces", "siinä on muita tuotteita tai määriä"),
    (
        "a return order that also has goods to send: place an order of its own for them, in the shop or in myOGO",
        "palautustilaus, jossa on myös lähetettävää: tee siitä oma tilaus kaupassa tai myOGOssa",
    ),
    (
        "the shop does not say what is in the added shipment",
        "kaupasta ei selviä, mitä on lisätyssä lähetyksessä",
    ),
    (": send it by hand", ": lähetä se käsin"),
    ("added shipment", "lisätty lähetys"),
    (": confirm ", ": vahvista "),
    ("the warehouse cancelled it", "varasto perui sen"),
    ("the warehouse holds it", "varasto pitää sitä odottamassa"),
    (
        "the shop no longer has the shipment of the replacement",
        "kaupassa ei enää ole tätä korvaavaa lähetystä:",
    ),
    ("the replacement", "korvaava tilaus"),
    ("would create", "luotaisiin"),
    ("would rename", "nimettäisiin uudelleen"),
    ("would update", "muutettaisiin"),
    ("the shop shows ", "kaupassa on "),
    (", should show ", ", pitäisi olla "),
    (": rename that one there first", ": nimeä se siellä ensin uudelleen"),
];

/// Returns a detail in this language.
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
    fn detail_is_translated_and_keeps_its_names() {
        let text = "no rule of [connections.shipping] matches the order's shipping method \"DRONE\"";
        assert_eq!(detail(text, Language::English), text);
        assert_eq!(
            detail(text, Language::Finnish),
            "toimitustavalle ei ole valittu varaston toimitustapaa: \"DRONE\"",
        );
        assert_eq!(
            detail("fix in the shop, then replay: city is missing", Language::Finnish),
            "korjaa kaupassa ja yritä sitten uudelleen: city puuttuu",
        );
    }

    #[test]
    fn each_phrase_is_written_by_the_code() {
        let written = [
            include_str!("../domain/order/draft.rs"),
            include_str!("../domain/order/recipient.rs"),
            include_str!("../domain/order/decide.rs"),
            include_str!("../domain/order/at_warehouse.rs"),
            include_str!("../domain/order/once.rs"),
            include_str!("../domain/order/recognition.rs"),
            include_str!("../domain/order/replacement.rs"),
            include_str!("../domain/product/register.rs"),
            include_str!("../domain/product/decide.rs"),
            include_str!("../flows/order/actions.rs"),
            include_str!("../flows/product.rs"),
            include_str!("../flows/stock.rs"),
        ];
        for (english, _) in PHRASES {
            assert!(written.iter().any(|text| text.contains(english)), "nobody writes {english:?}");
        }
    }
}
