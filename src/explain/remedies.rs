//! What a person does about a reason, in both languages.

use crate::domain::{language::Language, task::reason::Reason};

/// Returns what a person does about a reason; empty where there is nothing to do.
pub const fn remedy(reason: Reason, language: Language) -> &'static str {
    let (english, finnish) = remedies(reason);
    match language {
        Language::English => english,
        Language::Finnish => finnish,
    }
}

/// The remedy in English and in Finnish.
#[expect(clippy::too_many_lines, reason = "one table: each reason with its remedy in both languages")]
const fn remedies(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::NotPaid
        | Reason::BeforeStart
        | Reason::HoldPeriod
        | Reason::UndoPeriod
        | Reason::CancelledInShop
        | Reason::CompletedInShop
        | Reason::ReopenedInShop
        | Reason::NoWarehouseLines
        | Reason::Excluded
        | Reason::SettlingTime
        | Reason::CatalogueUnread
        | Reason::StaleReading
        | Reason::LeaseExpired
        | Reason::DatabaseUnavailable
        | Reason::CancelledByOperator
        | Reason::ResolvedByOperator => ("", ""),
        Reason::Unreachable => (
            "Look at the vendor's status page, then try again.",
            "Katso järjestelmän tilasivulta, toimiiko se, ja yritä sitten uudelleen.",
        ),
        Reason::AnswerLost => (
            "Look at the order in both vendors, then try again, or say what happened.",
            "Katso tilaus molemmista järjestelmistä, ja yritä uudelleen tai kuittaa sitten.",
        ),
        Reason::VendorFailed => {
            ("Try again once the vendor works again.", "Yritä uudelleen, kun järjestelmä toimii taas.")
        }
        Reason::RateLimited => (
            "Nothing to do, unless it is constant: then tell the person who runs Silta, who can lower its rate.",
            "Ei tehtävää, ellei se jatku: kerro silloin Siltan ylläpitäjälle, joka voi hidastaa sen tahtia.",
        ),
        Reason::AnswerUnreadable => (
            "The vendor may have changed its API: look at the calls, and tell the person who runs Silta.",
            "Rajapinta on ehkä muuttunut: katso kutsut ja kerro Siltan ylläpitäjälle.",
        ),
        Reason::FieldUnreadable => (
            "Correct the named fields at the vendor, then try again; if all look right there, its API has changed.",
            "Korjaa nimetyt kentät järjestelmässä, ja yritä sitten uudelleen; jos ne ovat oikein, rajapinta on muuttunut.",
        ),
        Reason::Refused => (
            "The calls of the last attempt show what was refused: fix it there, then try again.",
            "Viimeisen yrityksen kutsut kertovat, mikä hylättiin: korjaa se, ja yritä sitten uudelleen.",
        ),
        Reason::Conflict => (
            "Compare both vendors, then try again.",
            "Vertaa molempia järjestelmiä, ja yritä sitten uudelleen.",
        ),
        Reason::CredentialsRefused => (
            "Renew the vendor's key, and ask the person who runs Silta to set it: it is tried until it is accepted.",
            "Uusi järjestelmän avain ja pyydä Siltan ylläpitäjää vaihtamaan se: sitä kokeillaan, kunnes se hyväksytään.",
        ),
        Reason::AccessDenied => (
            "A firewall may dislike its content: show the vendor's support the call log, then try again.",
            "Palomuuri ehkä torjuu sen sisällön: näytä kutsut järjestelmän tuelle, ja yritä sitten uudelleen.",
        ),
        Reason::VendorDown => (
            "Nothing to do: both vendors are probed every minute, and everything continues after an answer.",
            "Ei tehtävää: molempia kokeillaan minuutin välein, ja kaikki jatkuu vastauksen jälkeen.",
        ),
        Reason::PaymentNotActivated => (
            "Activate the payment in the shop; an order that is not sent yet can be transferred by hand.",
            "Aktivoi maksu kaupassa. Tilauksen, joka ei ole vielä lähtenyt, voi siirtää myös käsin.",
        ),
        Reason::HeldByOperator => ("Release it when it may go.", "Jatka sen käsittelyä, kun se saa lähteä."),
        Reason::LeftToShop => (
            "Nothing to do; change the shipping rule if such orders shall be sent.",
            "Ei tehtävää; muuta toimitustapasääntöä, jos tällaiset tilaukset pitää lähettää.",
        ),
        Reason::NegativeQuantity => (
            "Correct the order's lines in the shop, then try again.",
            "Korjaa tilauksen rivit kaupassa, ja yritä sitten uudelleen.",
        ),
        Reason::FractionalQuantity => (
            "Correct the order's lines in the shop, or ask the person who runs Silta to set of how many pieces one consists; then \
             try again.",
            "Korjaa tilauksen rivit kaupassa, tai pyydä Siltan ylläpitäjää asettamaan, montako kappaletta yksi on, ja yritä \
             sitten uudelleen.",
        ),
        Reason::ReturnOrder => (
            "Process the return in MyCashflow. Goods to be sent need an order of their own.",
            "Käsittele palautus MyCashflow'ssa. Lähetettäville tavaroille tarvitaan oma tilaus.",
        ),
        Reason::ManualTransfer => ("Transfer it when it may go.", "Siirrä se, kun se saa lähteä."),
        Reason::ManualUpload => {
            ("Upload it when it may go to the warehouse.", "Vie se varastolle, kun se saa mennä sinne.")
        }
        Reason::ManualStockUpdate => {
            ("Write it when the shop may show it.", "Kirjoita se, kun kauppa saa näyttää sen.")
        }
        Reason::TransferOff => (
            "Nothing to do; the person who runs Silta can switch orders on.",
            "Ei tehtävää; Siltan ylläpitäjä voi kytkeä tilaukset päälle.",
        ),
        Reason::UploadOff => (
            "Nothing to do; the person who runs Silta can switch the upload on.",
            "Ei tehtävää; Siltan ylläpitäjä voi kytkeä viennin päälle.",
        ),
        Reason::StockUpdateOff => (
            "Nothing to do; the person who runs Silta can switch stock updates on.",
            "Ei tehtävää; Siltan ylläpitäjä voi kytkeä saldopäivityksen päälle.",
        ),
        Reason::UnknownInShop => {
            ("List the product in the shop, or leave it.", "Lisää tuote kauppaan, tai anna olla.")
        }
        Reason::GoneFromShop => (
            "Look whether the order still exists in the shop; try again if it does, else cancel the task.",
            "Katso, onko tilaus vielä kaupassa: jos on, yritä uudelleen, muuten peru tehtävä.",
        ),
        Reason::UnknownAtWarehouse => (
            "Sync the products: the code is not at the warehouse yet.",
            "Täsmäytä tuotteet: koodi ei ole vielä varastolla.",
        ),
        Reason::CancelledAtWarehouse => (
            "Decide what the shopper gets: Silta never cancels the shop's order.",
            "Päätä, mitä asiakas saa: Silta ei koskaan peru kaupan tilausta.",
        ),
        Reason::HeldAtWarehouse => (
            "Open the order in myOGO, fix it there and move it to the status New.",
            "Avaa tilaus myOGOssa, korjaa se siellä ja siirrä se uudeksi (tila New).",
        ),
        Reason::Returned => (
            "Decide with the shopper: a refund, or a new order.",
            "Sovi asiakkaan kanssa: hyvitys tai uusi tilaus.",
        ),
        Reason::PartiallyShipped => (
            "Ship the missing codes, or settle them with the shopper.",
            "Lähetä puuttuvat koodit, tai sovi niistä asiakkaan kanssa.",
        ),
        Reason::AddressIncomplete => (
            "Fix the named fields in the shop, then try again.",
            "Korjaa nimetyt kentät kaupassa, ja yritä sitten uudelleen.",
        ),
        Reason::ShippingUnmapped => (
            "Choose the warehouse's shipping method for it: the orders that wait for it can go at once.",
            "Valitse sille varaston toimitustapa: sitä odottavat tilaukset voivat sitten lähteä heti.",
        ),
        Reason::CodeUnusable => (
            "Give the product a code of at most 50 characters, then try again.",
            "Anna tuotteelle enintään 50 merkin koodi, ja yritä sitten uudelleen.",
        ),
        Reason::CodeEmpty => (
            "Give it one in the shop: it then continues by itself.",
            "Anna sille koodi kaupassa: se jatkuu itsestään.",
        ),
        Reason::CodeTooLong => (
            "Shorten it in the shop to 50 characters: it then continues by itself.",
            "Lyhennä se kaupassa 50 merkkiin: se jatkuu itsestään.",
        ),
        Reason::CodeDots => (
            "Give it another code in the shop: it then continues by itself.",
            "Anna sille toinen koodi kaupassa: se jatkuu itsestään.",
        ),
        Reason::CodeRepeated => (
            "Give each a code of its own in the shop: the others then continue by themselves.",
            "Anna kullekin oma koodi kaupassa: muut jatkuvat itsestään.",
        ),
        Reason::CodeChanged => (
            "Change the code back in the shop, or have OGOship's support change it at the warehouse, then try again.",
            "Vaihda koodi kaupassa takaisin, tai pyydä OGOshipin tukea vaihtamaan se varastolla, ja yritä sitten uudelleen.",
        ),
        Reason::CodeTaken => (
            "Where two have swapped codes, rename one at the warehouse by hand.",
            "Jos kaksi on vaihtanut paikkaa, nimeä toinen uudelleen varastolla käsin.",
        ),
        Reason::StockBraked => (
            "Look at the warehouse's figures. If they are right, approve them under Needs attention.",
            "Katso varaston luvut. Jos ne ovat oikein, hyväksy ne kohdassa Odottaa sinua.",
        ),
        Reason::ListPartial => (
            "Look at the sync's differences. If they are right, approve it.",
            "Katso täsmäytyksen erot. Jos ne ovat oikein, hyväksy se.",
        ),
        Reason::SupplierUnknown => (
            "Correct the order's line in the shop, or transfer its goods by hand.",
            "Korjaa tilausrivi kaupassa, tai siirrä sen tavarat käsin.",
        ),
        Reason::ReferenceTooLong => (
            "Ask the person who runs Silta for a shorter prefix of its references.",
            "Pyydä Siltan ylläpitäjää lyhentämään tilausten viitteiden alkua.",
        ),
        Reason::OldVersionAtWarehouse => (
            "Fix the order in myOGO: the difference is shown with the attempt.",
            "Korjaa tilaus myOGOssa: ero näkyy siirron kohdalla.",
        ),
        Reason::TooLateToCancel => ("Ask the warehouse to stop it.", "Pyydä varastoa pysäyttämään se."),
        Reason::CancelledAfterTransfer => (
            "Cancel it at the warehouse if it still can be, or let it ship.",
            "Peru se varastolla, jos vielä voi, tai anna sen lähteä.",
        ),
        Reason::ShippedThoughCancelled => (
            "The parcel is on its way: settle it with the shopper.",
            "Paketti on matkalla: sovi asiakkaan kanssa.",
        ),
        Reason::VanishedAtWarehouse => (
            "Look for it at the warehouse by its reference: Silta never places it again by itself.",
            "Etsi se varastolta viitteellä: Silta ei vie sitä itse uudelleen.",
        ),
        Reason::ReplacementUnconfirmed => (
            "Open the order and confirm the replacement. If it is not to be sent, remove the shipment in the shop.",
            "Avaa tilaus ja vahvista korvaava lähetys. Jos sitä ei lähetetä, poista lähetys kaupassa.",
        ),
        Reason::ReplacementVanished => (
            "Look for it at the warehouse by its reference, then resolve the task: done or not done.",
            "Etsi se varastolta viitteellä, ja kuittaa sitten: tehty tai ei tehty.",
        ),
        Reason::NotOursAtWarehouse => (
            "Compare both orders. If the warehouse's is this one, adopt it; else give it another reference there.",
            "Vertaa tilauksia. Jos varaston tilaus on tämä, ota se omaksi; muuten vaihda sen viite siellä.",
        ),
        Reason::DoubledAtWarehouse => (
            "Cancel all but one of them at the warehouse, then try again.",
            "Peru varastolla muut paitsi yksi, ja yritä sitten uudelleen.",
        ),
        Reason::RefundedAfterTransfer => (
            "Cancel the order in the shop, or tell the warehouse to stop it.",
            "Peru tilaus kaupassa, tai pyydä varastoa pysäyttämään se.",
        ),
        Reason::RepeatedTooOften => (
            "Look at the vendor itself for what was sent, then resolve the task: done or not done.",
            "Katso järjestelmästä, mitä sinne tuli, ja kuittaa sitten: tehty tai ei tehty.",
        ),
        Reason::CannotComplete => {
            ("Complete the order in the shop by hand.", "Käsittele tilaus kaupassa käsin.")
        }
        Reason::OutcomeUnknown => (
            "Look at the vendor itself, then try again: Silta looks there too before it sends.",
            "Katso järjestelmästä, ja yritä sitten uudelleen: silloinkin katsotaan ennen lähettämistä.",
        ),
        Reason::Overran => ("Look at the times of its calls.", "Katso sen kutsujen kestoja."),
        Reason::Panicked => (
            "This is a bug in Silta: report it with the task's attempts.",
            "Vika on Siltassa: ilmoita siitä siirron yritysten kanssa.",
        ),
        Reason::NotConverging => (
            "Compare both vendors: one does not keep what is written to it.",
            "Vertaa molempia järjestelmiä: toinen ei säilytä sitä, mitä siihen kirjoitetaan.",
        ),
        Reason::SnoozedTooLong => (
            "Look at the vendor's status, then try again.",
            "Katso järjestelmän tila, ja yritä sitten uudelleen.",
        ),
    }
}
