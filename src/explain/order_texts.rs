//! The texts of the pages of orders, in both languages.
//!
//! A text that is shown with a number holds its singular and its plural, separated by `|`: `counted` picks one.

use crate::domain::language::Language;

macro_rules! order_texts {
    ($($name:ident: $english:literal / $finnish:literal),+ $(,)?) => {
        /// The texts of the pages of orders in one language.
        #[expect(missing_docs, reason = "each text says what it is")]
        pub struct OrderTexts { $(pub $name: &'static str),+ }

        static ENGLISH: OrderTexts = OrderTexts { $($name: $english),+ };
        static FINNISH: OrderTexts = OrderTexts { $($name: $finnish),+ };
    };
}

/// The texts of the pages of orders in a language.
pub const fn order_texts(language: Language) -> &'static OrderTexts {
    match language {
        Language::English => &ENGLISH,
        Language::Finnish => &FINNISH,
    }
}

order_texts! {
    // The list: its filter.
    search: "Number, reference, tracking or product code" / "Numero, viite, seurantatunnus tai tuotekoodi",
    placed: "Placed" / "Tilattu",
    placed_from: "Placed on or after" / "Tilattu alkaen",
    placed_to: "Placed on or before" / "Tilattu viimeistään",
    any_time: "Any time" / "Milloin tahansa",
    today: "Today" / "Tänään",
    last_days: "Last {} day|Last {} days" / "Viimeisin {} päivä|Viimeiset {} päivää",
    between: "Between two days" / "Kahden päivän välillä",
    method: "Shipping method" / "Toimitustapa",
    all_methods: "All methods" / "Kaikki toimitustavat",
    connection: "Connection" / "Yhteys",
    all_connections: "All connections" / "Kaikki yhteydet",
    waits_longer: "Waits longer than" / "Odottanut yli",
    any: "Any" / "Ei rajausta",
    hours: "{} hour|{} hours" / "{} tunti|{} tuntia",
    days: "{} day|{} days" / "{} päivä|{} päivää",
    filter: "Filter" / "Rajaa",
    remove_filter: "remove this filter" / "poista tämä rajaus",
    clear_all: "Clear all" / "Poista rajaukset",
    keeps_filter: "The address keeps the filter: bookmark it." / "Osoite muistaa rajauksen: tallenna se kirjanmerkiksi.",
    no_match: "No order matches." / "Yksikään tilaus ei vastaa rajausta.",
    none_yet: "No orders yet. They appear here once the shop reports the first one." / "Ei vielä tilauksia. Ne näkyvät täällä, kun kauppa ilmoittaa ensimmäisestä.",
    newer: "First page" / "Ensimmäinen sivu",
    csv: "CSV of this list" / "Luettelo CSV-tiedostona",
    csv_cap: "at most {} orders" / "enintään {} tilausta",
    csv_cut: "Only the first {} orders of the list are in this file: narrow the filter." / "Tiedostossa on vain luettelon {} ensimmäistä tilausta: tarkenna rajausta.",
    // Its columns.
    number: "Order" / "Tilaus",
    total_and_contents: "Total, contents" / "Summa, sisältö",
    total: "Total" / "Summa",
    currency: "Currency" / "Valuutta",
    status: "Status" / "Tila",
    reason: "Reason" / "Syy",
    at_warehouse_as: "At the warehouse" / "Varastolla",
    last_change: "Last change" / "Viimeisin muutos",
    tracking: "Tracking" / "Seuranta",
    reference: "Reference" / "Viite",
    lines_column: "Lines" / "Rivejä",
    pieces_column: "Pieces" / "Kappaleita",
    line_count: "{} line|{} lines" / "{} rivi|{} riviä",
    pieces: "{} pc|{} pcs" / "{} kpl|{} kpl",
    not_mapped: "no warehouse method" / "ei varaston toimitustapaa",
    left_to_shop: "the shop’s own" / "kaupan oma",
    none: "none" / "ei ole",
    select_order: "Select order {}" / "Valitse tilaus {}",
    // Several at once.
    selected: "With the selected orders:" / "Valituille tilauksille:",
    preview: "Preview: nothing has changed yet" / "Esikatselu: mitään ei ole vielä muutettu",
    preview_changed: "Something has changed since the preview. Nothing was done: look again." / "Jokin on muuttunut esikatselun jälkeen. Mitään ei tehty: katso uudelleen.",
    bulk_applies: "It applies to {} order:|It applies to {} orders:" / "Koskee {} tilausta:|Koskee {} tilausta:",
    bulk_stays: "{} order stays as it is:|{} orders stay as they are:" / "{} tilaus jää ennalleen:|{} tilausta jää ennalleen:",
    bulk_nothing: "None of them can be changed this way." / "Yhtäkään niistä ei voi muuttaa näin.",
    bulk_transfer: "Transfer {} order|Transfer {} orders" / "Siirrä {} tilaus varastolle|Siirrä {} tilausta varastolle",
    bulk_hold: "Hold {} order|Hold {} orders" / "Laita {} tilaus odottamaan|Laita {} tilausta odottamaan",
    bulk_release: "Release {} order|Release {} orders" / "Jatka {} tilauksen käsittelyä|Jatka {} tilauksen käsittelyä",
    bulk_refresh: "Update {} order|Update {} orders" / "Päivitä {} tilaus|Päivitä {} tilausta",
    bulk_unpaid: "{} of them is not paid. It is sent all the same.|{} of them are not paid. They are sent all the same." / "{} niistä on maksamatta. Se lähtee silti.|{} niistä on maksamatta. Ne lähtevät silti.",
    back_to_list: "Back to the list" / "Takaisin luetteloon",
    done_transfer: "{} order is on its way to the warehouse.|{} orders are on their way to the warehouse." / "{} tilaus on lähdössä varastolle.|{} tilausta on lähdössä varastolle.",
    done_hold: "{} order is on hold.|{} orders are on hold." / "{} tilaus odottaa.|{} tilausta odottaa.",
    done_release: "{} order is released and looked at now.|{} orders are released and looked at now." / "{} tilauksen käsittely jatkuu.|{} tilauksen käsittely jatkuu.",
    done_refresh: "{} order is read on both sides now.|{} orders are read on both sides now." / "{} tilausta luetaan nyt molemmilta puolilta.|{} tilausta luetaan nyt molemmilta puolilta.",
    done_refused: "{} was refused, since it had changed.|{} were refused, since they had changed." / "{} hylättiin, koska se oli muuttunut.|{} hylättiin, koska ne olivat muuttuneet.",
    stays_placed: "is at the warehouse already" / "on jo varastolla",
    stays_closed: "is cancelled or delivered" / "on peruttu tai toimitettu",
    stays_held: "is on hold already" / "odottaa jo",
    stays_not_held: "waits for nothing that a release ends" / "ei odota mitään, minkä vapauttaminen päättäisi",
    stays_off: "orders are not sent by this connection" / "tämän yhteyden kautta ei lähetetä tilauksia",
    // The page of an order.
    placed_at: "Placed" / "Tilattu",
    next: "Next" / "Seuraavaksi",
    looks_again: "Silta looks at both sides again at" / "Silta tarkistaa molemmat puolet seuraavan kerran",
    looks_again_then: "Silta looks at both sides again" / "Silta tarkistaa molemmat puolet",
    working_now: "Silta is working on it now." / "Silta käsittelee sitä juuri nyt.",
    next_warehouse: "The warehouse collects and ships it. Nothing for you to do." / "Varasto kerää ja lähettää sen. Sinun ei tarvitse tehdä mitään.",
    next_products: "The warehouse ships it once the products have arrived." / "Varasto lähettää sen, kun tuotteet ovat saapuneet.",
    next_person: "It waits for you: see what to do." / "Se odottaa sinua: katso, mitä voit tehdä.",
    next_nothing: "Nothing more is expected." / "Mitään ei enää odoteta.",
    next_change: "Silta looks again as soon as something changes in the shop." / "Silta tarkistaa sen heti, kun kaupassa muuttuu jotain.",
    lines: "Lines" / "Rivit",
    lines_unread: "The lines are shown once the order has been read." / "Rivit näkyvät, kun tilaus on luettu.",
    product: "Product" / "Tuote",
    ordered: "Ordered" / "Tilattu",
    who_ships: "Who ships it" / "Lähettäjä",
    shipped: "Shipped" / "Lähetetty",
    came_back: "Came back" / "Palautunut",
    ships_warehouse: "Warehouse" / "Varasto",
    ships_shop: "The shop" / "Kauppa",
    ships_nobody: "Nothing to pack" / "Ei pakattavaa",
    ships_unknown: "Supplier not known" / "Toimittaja ei ole tiedossa",
    of_amount: "{} of {}" / "{}/{}",
    taken_back: "taken back" / "otettu takaisin",
    both_sides: "Both sides" / "Molemmat puolet",
    read_at: "read" / "luettu",
    in_shop: "In the shop" / "Kaupassa",
    at_warehouse: "At the warehouse" / "Varastolla",
    not_there: "Not there" / "Ei ole siellä",
    parcel: "Parcel" / "Lähetys",
    history: "History" / "Tapahtumahistoria",
    done_there: "What Silta did" / "Mitä Silta teki",
    print: "Print" / "Tulosta",
    time: "Time" / "Aika",
    vendor: "Vendor" / "Palvelu",
    call: "Call" / "Kutsu",
    answer: "Its answer" / "Vastaus",
    took: "Took" / "Kesto",
    as_sent: "Show as sent" / "Näytä lähetettynä",
    no_answer: "no answer" / "ei vastausta",
    shipping: "Shipping" / "Toimitus",
    pickup_point: "Pickup point" / "Noutopiste",
    comes_when_shipped: "Comes when it ships" / "Tulee, kun tilaus lähtee",
    references: "References" / "Tunnisteet",
    shop_number: "Shop number" / "Numero kaupassa",
    elsewhere: "Elsewhere" / "Muualla",
    open_in_shop: "Order in MyCashflow" / "Tilaus MyCashflow’ssa",
    open_in_warehouse: "Order in OGOship" / "Tilaus OGOshipissa",
    calculator: "OGOship’s shipping calculator" / "OGOshipin toimituslaskuri",
    recipient: "Recipient" / "Vastaanottaja",
    show_recipient: "Show" / "Näytä",
    show_is_audited: "It is read from the shop now. Showing it is written to the audit log." / "Tiedot luetaan kaupasta nyt. Näyttämisestä jää merkintä muutoslokiin.",
    recipient_for_operators: "Shown to operators alone." / "Näkyy vain muokkausoikeudella.",
    recipient_shown: "Read from the shop just now, and not stored. Written to the audit log." / "Luettu kaupasta juuri nyt, ei tallennettu. Merkitty muutoslokiin.",
    name: "Name" / "Nimi",
    company: "Company" / "Yritys",
    address: "Address" / "Osoite",
    phone: "Phone" / "Puhelin",
    email: "Email" / "Sähköposti",
    what_to_do: "What you can do" / "Mitä voit tehdä",
    unpaid_transfer: "The order is not paid. It is sent to the warehouse all the same." / "Tilaus on maksamatta. Se lähtee varastolle silti.",
    cancel_consequence: "Silta stops the order at the warehouse. The shop’s order stays: cancel and refund it there." / "Silta pysäyttää tilauksen varastolla. Kaupan tilaus jää voimaan: peru ja hyvitä se kaupassa.",
    not_sent_consequence: "Silta will not send the order. The shop’s order stays." / "Silta ei lähetä tilausta. Kaupan tilaus jää voimaan.",
    cancel_here: "Cancel at the warehouse…" / "Peru varastolla…",
    do_not_send: "Do not send…" / "Älä lähetä…",
    under_way_transfer: "The order is on its way to the warehouse." / "Tilaus on lähdössä varastolle.",
    under_way_leaves: "It leaves at" / "Se lähtee",
    under_way_hold: "The order is on hold until you release it." / "Tilaus odottaa, kunnes vapautat sen.",
    under_way_release: "The order is released: Silta looks at it now." / "Tilaus on vapautettu: Silta tarkistaa sen nyt.",
    under_way_cancel: "The cancellation is under way." / "Peruminen on käynnissä.",
    under_way_refresh: "Silta reads both sides now." / "Silta lukee molemmat puolet nyt.",
    under_way_undone: "Taken back: nothing was sent." / "Kumottu: mitään ei lähetetty.",
    undo: "Undo" / "Kumoa",
    undone_by: "{} took it back before it left" / "{} kumosi sen ennen lähtöä",
}

/// A text with a number in it, in the singular or the plural.
pub fn with_count(texts: &str, count: usize) -> String {
    let (one, many) = texts.split_once('|').unwrap_or((texts, texts));
    (if count == 1 { one } else { many }).replace("{}", &count.to_string())
}
