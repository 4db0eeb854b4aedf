//! Details in the reader's language.
//!
//! A detail is stored once, in English: codes and names between a few fixed phrases. For readers the phrases are replaced
//! and the rest stays: in Finnish all of them, in English those that name a key or a field. A test checks that the code still
//! writes each phrase.

use crate::domain::language::Language;

/// What stands before the names of a shipping method that no rule matches.
const METHOD: &str = "no rule of [connections.shipping] matches the order's shipping method";

/// Phrases that name a key of the configuration or a field: as stored, in English, in Finnish.
const NAMES: &[(&str, &str, &str)] = &[
    (METHOD, "shipping method", "toimitustapa"),
    (
        "a rule of [connections.shipping] leaves orders of",
        "a shipping rule leaves orders of",
        "toimitustapasääntö jättää kaupalle tilaukset, joiden toimitustapa on",
    ),
    ("fix in the shop, then replay:", "correct in the shop:", "korjaa kaupassa:"),
    ("characters: shorten reference_prefix", "characters", "merkkiä"),
    (": name its pieces under [connections.products.kits], or correct", ": correct", ": korjaa"),
    ("street_address is missing", "the street address is missing", "katuosoite puuttuu"),
    ("street_address has ", "the street address has ", "katuosoitteessa on "),
    ("postal_code has ", "the postal code has ", "postinumerossa on "),
    ("city is missing", "the city is missing", "postitoimipaikka puuttuu"),
    ("city has ", "the city has ", "postitoimipaikassa on "),
    ("name is missing", "the name is missing", "nimi puuttuu"),
    ("name has ", "the name has ", "nimessä on "),
    ("company has ", "the company has ", "yrityksen nimessä on "),
    ("phone has ", "the phone number has ", "puhelinnumerossa on "),
    ("email has ", "the email address has ", "sähköpostiosoitteessa on "),
    (
        "country must be two letters",
        "the country must be a code of two letters",
        "maakoodissa on oltava kaksi kirjainta",
    ),
];

/// Pairs of English and Finnish. A phrase that contains another comes first.
const PHRASES: &[(&str, &str)] = &[
    ("the order has no shipping method", "tilauksella ei ole toimitustapaa"),
    ("the reference is over", "viite on pidempi kuin"),
    ("the shop no longer knows the product of code", "kauppa ei enää tunne tuotetta, jonka koodi on"),
    (", so not its supplier", ", eikä siis sen toimittajaa"),
    ("fix the product code in the shop:", "korjaa tuotekoodi kaupassa:"),
    (
        "the order has no line that is stored at the warehouse",
        "tilauksessa ei ole riviä, joka olisi varastolla",
    ),
    ("a line has none", "riviltä puuttuu koodi"),
    (" characters, at most ", " merkkiä, enintään "),
    (
        "the warehouse shipped less than was ordered, missing:",
        "varasto lähetti vähemmän kuin tilattiin, puuttuu:",
    ),
    (
        " more are taken back than are ordered: correct the order in the shop",
        " palautetaan enemmän kuin on tilattu: korjaa tilaus kaupassa",
    ),
    (" is no whole number of pieces", " ei ole kokonaisia kappaleita"),
    (" is also ", " on myös "),
    ("the warehouse refused the edit, fix it there:", "varasto hylkäsi muutoksen, korjaa tilaus siellä:"),
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
        "varasto otti perumisen vastaan, mutta tilaus on yhä siellä: peru se siellä käsin",
    ),
    ("the shop calls the order's status", "kauppa kutsuu tilauksen tilaa nimellä"),
    (
        "we placed this order and the warehouse no longer shows it",
        "tilaus vietiin varastolle, mutta varasto ei enää näytä sitä",
    ),
    (
        "shipped, but the shop's open order has no open shipment to complete",
        "lähetetty, mutta kaupan tilauksessa ei ole avointa lähetystä, jonka voisi merkitä käsitellyksi",
    ),
    (
        "the warehouse cancelled an order that is paid: refund it in the shop, or have it shipped there",
        "varasto perui maksetun tilauksen: palauta maksu kaupassa tai pyydä varastoa toimittamaan se",
    ),
    (
        "sent as often as is allowed, and never found: look at the vendor, then resolve what happened",
        "lähetetty niin monta kertaa kuin saa, eikä löydy: etsi se palvelusta ja kerro sitten, mitä tapahtui",
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
    (
        " codes would have fallen to zero within an hour",
        " tuotteen varastosaldo olisi mennyt nollaan tunnin sisällä",
    ),
    (
        "the shop refused to activate the payment: activate it there, then replay",
        "kauppa ei aktivoinut maksua: aktivoi se siellä ja yritä sitten uudelleen",
    ),
    (": rename that one there first", ": nimeä se siellä ensin uudelleen"),
    (" has values that cannot be read:", " sisältää arvoja, joita ei voi lukea:"),
    (" orders with our reference", " tilausta samalla viitteellä"),
    // The short ones, which others contain.
    ("the shop's order", "kaupan tilaus"),
    ("the order in the shop", "tilaus kaupassa"),
    ("the warehouse has ", "varastolla on "),
];

/// The names of a shipping method, stored as `"CODE" / "Name"`, as people write them: `Name (CODE)`.
pub fn method_names(stored: &str) -> String {
    let names: Vec<_> = stored.split('"').skip(1).step_by(2).collect();
    match names.as_slice() {
        [code, name] => format!("{name} ({code})"),
        [name] => (*name).to_owned(),
        _ => stored.to_owned(),
    }
}

/// Returns a detail in this language, without keys and fields.
pub fn detail(text: &str, language: Language) -> String {
    let (before, method) = text.split_at(text.find(METHOD).map_or(text.len(), |at| at + METHOD.len()));
    let text = if method.is_empty() { text.to_owned() } else { format!("{before} {}", method_names(method)) };
    let named = |words: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        NAMES.iter().fold(text.clone(), |text, names| text.replace(names.0, words(names)))
    };
    match language {
        Language::English => named(|names| names.1),
        Language::Finnish => {
            let named = named(|names| names.2);
            let text = PHRASES.iter().fold(named, |text, (english, finnish)| text.replace(english, finnish));
            without_rests(text).replace('"', "”")
        }
    }
}

/// A Finnish detail without the English words that stand behind a name or a number.
fn without_rests(text: String) -> String {
    if text.contains("varastosaldo olisi mennyt nollaan") {
        return text.replacen(" of ", "/", 1);
    }
    if text.contains(" merkkiä, enintään ") {
        return text.replace(" fit", " mahtuu");
    }
    if text.contains("jättää kaupalle") { text.replace(" to the shop", "") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detail_is_translated_and_keeps_its_names() {
        let text = "no rule of [connections.shipping] matches the order's shipping method \"DRONE\"";
        assert_eq!(detail(text, Language::English), "shipping method DRONE");
        let text = format!("{text} / \"By air\"");
        assert_eq!(detail(&text, Language::Finnish), "toimitustapa By air (DRONE)");
        let text =
            "fix in the shop, then replay: city is missing, postal_code has 12 characters, at most 10 fit";
        assert_eq!(
            detail(text, Language::English),
            "correct in the shop: the city is missing, the postal code has 12 characters, at most 10 fit",
        );
        let repeated = "fix the product code in the shop: \"cup\" is also \"Kuppi\"";
        assert_eq!(detail(repeated, Language::Finnish), "korjaa tuotekoodi kaupassa: ”cup” on myös ”Kuppi”");
        assert_eq!(
            detail(text, Language::Finnish),
            "korjaa kaupassa: postitoimipaikka puuttuu, postinumerossa on 12 merkkiä, enintään 10 mahtuu",
        );
    }

    #[test]
    fn each_phrase_is_written_by_the_code() {
        let written = [
            include_str!("../domain/order/draft.rs"),
            include_str!("../domain/order/recipient.rs"),
            include_str!("../domain/order/decide.rs"),
            include_str!("../domain/order/at_warehouse.rs"),
            include_str!("../domain/order/lines.rs"),
            include_str!("../domain/order/once.rs"),
            include_str!("../domain/order/partial_shipment.rs"),
            include_str!("../domain/order/unreadable.rs"),
            include_str!("../domain/order/recognition.rs"),
            include_str!("../domain/order/replacement.rs"),
            include_str!("../domain/product/register.rs"),
            include_str!("../domain/product/decide.rs"),
            include_str!("../flows/order/actions.rs"),
            include_str!("../flows/product.rs"),
            include_str!("../flows/stock.rs"),
            include_str!("../store/stock.rs"),
        ];
        // The fields of an address stand in its code as names alone.
        let fields = NAMES
            .iter()
            .map(|names| names.0)
            .filter(|stored| !stored.ends_with(" has ") && !stored.ends_with(" is missing"));
        for stored in fields.chain(PHRASES.iter().map(|(english, _)| *english)) {
            assert!(written.iter().any(|text| text.contains(stored)), "nobody writes {stored:?}");
        }
    }
}
