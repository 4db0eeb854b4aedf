//! The texts of the page of products and stock, in both languages: the shopkeeper's words.

use super::texts::texts;
use crate::domain::{language::Language, stock::Basis};

/// What the shop should show, as the sum that the connection's rule is.
pub const fn basis_text(basis: Basis, language: Language) -> &'static str {
    let texts = item_texts(language);
    match basis {
        Basis::Physical => texts.sum_physical,
        Basis::Available => texts.sum_available,
        Basis::Compensated => texts.sum_compensated,
    }
}

texts! {
    ItemTexts, item_texts:
    items: "product or variation.|products and variations." / "tuote tai variaatio.|tuotetta ja variaatiota.",
    differing: "shows a wrong figure in the shop.|show a wrong figure in the shop." / "tuotteen varastosaldo on kaupassa väärä.|tuotteen varastosaldo on kaupassa väärä.",
    all_equal: "Every figure that was read is right." / "Kaikki luetut varastosaldot täsmäävät.",
    upload: "Upload products to OGOship" / "Vie tuotteet OGOshipiin",
    sync_stock: "Sync stock balances from OGOship" / "Päivitä varastosaldot OGOshipista",
    lists: "Show" / "Näytä",
    list_all: "All" / "Kaikki",
    list_differs: "Differs" / "Eroaa",
    list_code: "Code to fix" / "Korjattava koodi",
    list_absent: "Not at the warehouse" / "Ei varastolla",
    search: "Name or code" / "Nimi tai koodi",
    connection: "Connection" / "Yhteys",
    product: "Product" / "Tuote",
    in_shop: "In the shop" / "Kaupassa",
    should_be: "Should be" / "Pitäisi olla",
    on_shelf: "On the shelf" / "Hyllyssä",
    reserved: "Reserved" / "Varattu",
    free: "Free" / "Vapaana",
    buffer: "Buffer" / "Varmuus\u{ad}vara",
    in_flight: "In flight" / "Siirty\u{ad}mässä",
    difference: "Difference" / "Ero",
    last_read: "Last read" / "Päivitetty",
    action: "Action" / "Toiminto",
    sync_one: "Sync" / "Päivitä",
    upload_one: "Upload" / "Vie varastolle",
    none: "None" / "Ei eroa",
    not_stored: "Not stored at the warehouse" / "Ei varastolla pidettävä tuote",
    not_read: "Not read yet" / "Ei vielä luettu",
    same_code_as: "the same code as" / "sama koodi kuin tuotteella",
    waits_for_approval: "Waits for approval" / "Odottaa hyväksyntää",
    being_corrected: "Being corrected" / "Korjataan parhaillaan",
    sum_physical: "Should be = on the shelf − buffer." / "Pitäisi olla = hyllyssä − varmuusvara.",
    sum_available: "Should be = free − buffer." / "Pitäisi olla = vapaana − varmuusvara.",
    sum_compensated: "Should be = free + in flight (at most what the shop has reserved) − buffer. In flight: at the warehouse, and still open in the shop." / "Pitäisi olla = vapaana + siirtymässä (enintään kaupan varaama määrä) − varmuusvara. Siirtymässä: varastolla, mutta kaupassa vielä avoinna.",
    never_below_zero: "It is never below 0: where more is promised than there is, the shop shows 0." / "Luku ei ole koskaan alle 0: jos tuotetta on luvattu enemmän kuin sitä on, kaupassa näkyy 0.",
    first_page: "First page" / "Ensimmäinen sivu",
    next_page: "Next" / "Seuraavat",
    by_name: "by name" / "nimen mukaan",
    empty: "No products yet. They appear here once the shop's products were read for the first time." / "Tuotteita ei vielä ole. Ne näkyvät tässä, kun kaupan tuotteet on luettu ensimmäisen kerran.",
    all_is_well: "None: nothing to do here." / "Ei yhtään: sinun ei tarvitse tehdä mitään.",
    nothing_found: "No product has a word in its name or code that begins so." / "Yhdenkään tuotteen nimessä tai koodissa ei ole näin alkavaa sanaa.",
    clear: "Clear all" / "Tyhjennä haku",
    asked: "It is being read in the shop and at the warehouse. What differs is corrected in a moment; reload the page to see it." / "Tuote luetaan kaupasta ja varastolta. Ero korjataan hetken päästä; lataa sivu uudelleen, niin näet sen.",
    running_stock: "Syncing stock balances" / "Varastosaldoja päivitetään",
    running_products: "Uploading products" / "Tuotteita viedään",
    read_of: "read" / "luettu",
    last_report: "Last report" / "Viimeisin raportti",
    follow: "Follow it" / "Seuraa edistymistä",
    preview: "Preview: nothing has changed yet" / "Esikatselu: mitään ei ole vielä muutettu",
    preview_stock: "Every stock figure is read in the shop and at the warehouse. What differs is written to the shop." / "Kaikki varastosaldot luetaan kaupasta ja varastolta. Eroavat saldot kirjoitetaan kauppaan.",
    preview_stock_count: "figure differs, as last read.|figures differ, as last read." / "varastosaldo erosi viime tarkistuksessa.|varastosaldoa erosi viime tarkistuksessa.",
    preview_stock_kept: "The figures that the shop shows now are not kept. Where too many would fall to zero at once, none is written until you approve." / "Kaupan nykyisiä varastosaldoja ei säilytetä. Jos liian moni menisi kerralla nollaan, yhtäkään ei kirjoiteta ennen hyväksyntääsi.",
    preview_products: "Every product of the shop is read and compared with the warehouse's. What is missing there is created, what differs is changed." / "Kaikki kaupan tuotteet luetaan ja niitä verrataan varaston tuotteisiin. Puuttuvat tuotteet luodaan varastolle, ja eroavat tiedot muutetaan.",
    preview_products_kept: "Nothing is removed at the warehouse. Products with a code to fix stay as they are." / "Varastolta ei poisteta mitään. Tuotteet, joiden koodi on korjattava, jäävät ennalleen.",
    preview_absent: "product is not at the warehouse, as last read.|products are not at the warehouse, as last read." / "tuote puuttui varastolta viime tarkistuksessa.|tuotetta puuttui varastolta viime tarkistuksessa.",
    preview_code: "product has a code to fix.|products have a code to fix." / "tuotteen koodi on korjattava.|tuotteen koodit on korjattava.",
    cancel: "Cancel" / "Peruuta",
    report_only: "Only report what differs" / "Näytä vain erot",
    start_stock: "Sync the stock balances" / "Päivitä varastosaldot",
    start_products: "Upload the products" / "Vie tuotteet",
    more: "Products to complete, and your own data" / "Täydennettävät tuotteet ja omat lisätietosi",
}
