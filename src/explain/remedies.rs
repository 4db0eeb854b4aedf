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
        Reason::Unreachable | Reason::SnoozedTooLong => (
            "Look at the status page of MyCashflow or OGOship, then try again.",
            "Katso MyCashflow’n tai OGOshipin tilasivulta, onko palvelussa häiriö, ja yritä sitten uudelleen.",
        ),
        Reason::AnswerLost => (
            "Look at the order in MyCashflow and in OGOship, then try again, or say what happened.",
            "Katso tilaus MyCashflow’sta ja OGOshipista. Yritä sitten uudelleen tai kerro, mitä tapahtui.",
        ),
        Reason::VendorFailed => (
            "Try again once MyCashflow or OGOship works again.",
            "Yritä uudelleen, kun MyCashflow tai OGOship toimii taas.",
        ),
        Reason::RateLimited => (
            "Nothing to do, unless it is constant: then tell the person who runs Silta, who can lower its rate.",
            "Sinun ei tarvitse tehdä mitään. Jos tämä toistuu, kerro Sillan ylläpitäjälle, joka voi harventaa kutsuja.",
        ),
        Reason::AnswerUnreadable => (
            "MyCashflow or OGOship may have changed how it answers: tell the person who runs Silta.",
            "MyCashflow tai OGOship vastaa ehkä uudella tavalla: kerro tästä Sillan ylläpitäjälle.",
        ),
        Reason::FieldUnreadable => (
            "Correct the named fields in MyCashflow or OGOship; if all look right there, tell the person who runs Silta.",
            "Korjaa mainitut kentät MyCashflow’ssa tai OGOshipissa. Jos ne näyttävät oikeilta, kerro Sillan ylläpitäjälle.",
        ),
        Reason::Refused => (
            "Correct what was refused in the shop: an order then goes on by itself. If it looks right there, show the technical \
             details to the support of MyCashflow or OGOship.",
            "Korjaa hylätty tieto kaupassa: tilaus jatkaa sitten itsestään. Jos tieto näyttää oikealta, näytä tekniset tiedot \
             MyCashflow’n tai OGOshipin asiakastuelle.",
        ),
        Reason::Conflict => (
            "Compare the order or product in MyCashflow and in OGOship, and correct what differs.",
            "Vertaa tilausta tai tuotetta MyCashflow’ssa ja OGOshipissa, ja korjaa ero.",
        ),
        Reason::CredentialsRefused => (
            "Renew the key in MyCashflow or OGOship, and ask the person who runs Silta to set it: Silta tries until it is accepted.",
            "Uusi avain ja pyydä Sillan ylläpitäjää ottamaan se käyttöön: Silta yrittää, kunnes MyCashflow tai OGOship hyväksyy sen.",
        ),
        Reason::AccessDenied => (
            "A firewall may dislike its content: show the technical details to the support of MyCashflow or OGOship, then try again.",
            "Palomuuri ehkä torjuu sisällön: näytä tekniset tiedot MyCashflow’n tai OGOshipin asiakastuelle, ja yritä sitten uudelleen.",
        ),
        Reason::VendorDown => (
            "Nothing to do: Silta asks every minute whether it works again, and then everything continues.",
            "Sinun ei tarvitse tehdä mitään: Silta kokeilee yhteyttä minuutin välein, ja kaikki jatkuu, kun se toimii.",
        ),
        Reason::PaymentNotActivated => (
            "Activate the payment in the shop; an order that is not sent yet can be transferred by hand.",
            "Aktivoi maksu kaupassa. Tilauksen, joka ei ole vielä lähtenyt, voi siirtää myös käsin.",
        ),
        Reason::HeldByOperator => ("Release it when it may go.", "Jatka sen käsittelyä, kun se saa lähteä."),
        Reason::LeftToShop => (
            "Nothing to do; change the shipping rule if such orders shall be sent.",
            "Sinun ei tarvitse tehdä mitään. Muuta toimitustapasääntöä, jos tällaiset tilaukset pitää lähettää varastolta.",
        ),
        Reason::NegativeQuantity => (
            "Correct the order's lines in the shop: the order then goes on by itself.",
            "Korjaa tilauksen rivit kaupassa: tilaus jatkaa sitten itsestään.",
        ),
        Reason::FractionalQuantity => (
            "Correct the order's lines in the shop, or ask the person who runs Silta to set of how many pieces one consists.",
            "Korjaa tilauksen rivit kaupassa, tai pyydä Sillan ylläpitäjää määrittämään, montako kappaletta yksi on.",
        ),
        Reason::ReturnOrder => (
            "Process the return in MyCashflow. Goods to be sent need an order of their own.",
            "Käsittele palautus MyCashflow’ssa. Lähetettäville tuotteille tarvitaan oma tilaus.",
        ),
        Reason::ManualTransfer => ("Transfer it when it may go.", "Siirrä se varastolle, kun se saa lähteä."),
        Reason::ManualUpload => {
            ("Upload it when it may go to the warehouse.", "Vie se varastolle, kun olet valmis.")
        }
        Reason::ManualStockUpdate => {
            ("Write it when the shop may show it.", "Kirjoita se, kun kauppa saa näyttää sen.")
        }
        Reason::TransferOff => (
            "Nothing to do; the person who runs Silta can switch orders on.",
            "Sinun ei tarvitse tehdä mitään. Sillan ylläpitäjä voi kytkeä tilaukset päälle.",
        ),
        Reason::UploadOff => (
            "Nothing to do; the person who runs Silta can switch the upload on.",
            "Sinun ei tarvitse tehdä mitään. Sillan ylläpitäjä voi kytkeä viennin päälle.",
        ),
        Reason::StockUpdateOff => (
            "Nothing to do; the person who runs Silta can switch stock updates on.",
            "Sinun ei tarvitse tehdä mitään. Sillan ylläpitäjä voi kytkeä saldopäivityksen päälle.",
        ),
        Reason::UnknownInShop => (
            "Add the product to the shop, or leave it.",
            "Lisää tuote kauppaan. Jos sitä ei myydä siellä, sinun ei tarvitse tehdä mitään.",
        ),
        Reason::GoneFromShop => (
            "Look whether the order still exists in the shop; try again if it does, else cancel the task.",
            "Katso, onko tilaus vielä kaupassa. Jos on, yritä uudelleen; muuten peru siirto.",
        ),
        Reason::UnknownAtWarehouse => (
            "Upload the products to OGOship: the code is not at the warehouse yet.",
            "Vie tuotteet OGOshipiin: koodia ei ole vielä varastolla.",
        ),
        Reason::CancelledAtWarehouse => (
            "Decide what the shopper gets: Silta never cancels the shop's order.",
            "Päätä, mitä asiakas saa: Silta ei koskaan peru kaupan tilausta.",
        ),
        Reason::HeldAtWarehouse => (
            "Open the order in myOGO, fix it there and move it to the status New.",
            "Avaa tilaus myOGOssa, korjaa se siellä ja siirrä se tilaan New (uusi).",
        ),
        Reason::Returned => (
            "Decide with the shopper: a refund, or a new order.",
            "Sovi asiakkaan kanssa: hyvitys vai uusi tilaus.",
        ),
        Reason::PartiallyShipped => (
            "Ship the missing products, or settle them with the shopper.",
            "Lähetä puuttuvat tuotteet, tai sovi niistä asiakkaan kanssa.",
        ),
        Reason::AddressIncomplete => (
            "Correct the address in the shop: the order then goes on by itself.",
            "Korjaa osoite kaupassa: tilaus jatkaa sitten itsestään.",
        ),
        Reason::ShippingUnmapped => (
            "Choose the warehouse's shipping method for it: the orders that wait for it can go at once.",
            "Valitse sille varaston toimitustapa: sitä odottavat tilaukset voivat sitten lähteä heti.",
        ),
        Reason::CodeUnusable => (
            "Give the product a code of at most 50 characters in the shop, then try again.",
            "Anna tuotteelle kaupassa enintään 50 merkin koodi, ja yritä sitten uudelleen.",
        ),
        Reason::CodeEmpty => (
            "Give it a code in the shop: it then goes on by itself.",
            "Anna tuotteelle koodi kaupassa: vienti jatkuu sitten itsestään.",
        ),
        Reason::CodeTooLong => (
            "Shorten the code in the shop to at most 50 characters: it then goes on by itself.",
            "Lyhennä koodi kaupassa enintään 50 merkkiin: vienti jatkuu sitten itsestään.",
        ),
        Reason::CodeDots => (
            "Give it another code in the shop: it then goes on by itself.",
            "Anna tuotteelle toinen koodi kaupassa: vienti jatkuu sitten itsestään.",
        ),
        Reason::CodeRepeated => (
            "Give each product a code of its own in the shop: the rest then goes on by itself.",
            "Anna kaupassa jokaiselle tuotteelle oma koodi: vienti jatkuu sitten itsestään.",
        ),
        Reason::CodeChanged => (
            "Change the code back in the shop, or have OGOship's support change it at the warehouse, then try again.",
            "Vaihda koodi kaupassa takaisin, tai pyydä OGOshipin tukea vaihtamaan se varastolla, ja yritä sitten uudelleen.",
        ),
        Reason::CodeTaken => (
            "Where two products have swapped codes, rename one at the warehouse by hand.",
            "Jos kaksi tuotetta on vaihtanut koodeja keskenään, vaihda toisen koodi varastolla käsin.",
        ),
        Reason::StockBraked => (
            "Look at the warehouse's figures. If they are right, approve them under Needs attention.",
            "Tarkista varaston saldot. Jos ne ovat oikein, hyväksy ne kohdassa Odottaa sinua.",
        ),
        Reason::ListPartial => (
            "Look at the sync's differences. If they are right, approve it.",
            "Katso täsmäytyksen erot. Jos ne ovat oikein, hyväksy ne.",
        ),
        Reason::SupplierUnknown => (
            "Correct the order's line in the shop, or send its goods by hand.",
            "Korjaa tilausrivi kaupassa, tai lähetä sen tuotteet itse.",
        ),
        Reason::ReferenceTooLong => (
            "Ask the person who runs Silta for a shorter prefix of its references.",
            "Pyydä Sillan ylläpitäjää lyhentämään tilausten viitteiden alkua.",
        ),
        Reason::OldVersionAtWarehouse => (
            "Correct the order in myOGO: its page shows what differs.",
            "Korjaa tilaus myOGOssa: ero näkyy tilauksen sivulla.",
        ),
        Reason::TooLateToCancel => ("Ask the warehouse to stop it.", "Pyydä varastoa pysäyttämään se."),
        Reason::CancelledAfterTransfer => (
            "Cancel it at the warehouse if it still can be, or let it ship.",
            "Peru se varastolla, jos vielä voi, tai anna sen lähteä.",
        ),
        Reason::ShippedThoughCancelled => (
            "The parcel is on its way: settle it with the shopper.",
            "Paketti on matkalla: sovi asiakkaan kanssa, mitä tehdään.",
        ),
        Reason::VanishedAtWarehouse => (
            "Look for it at the warehouse by its reference: Silta never places it again by itself.",
            "Etsi se varastolta viitteellä: Silta ei itse vie sitä uudelleen.",
        ),
        Reason::ReplacementUnconfirmed => (
            "Confirm the replacement. If it is not to be sent, remove the shipment in the shop.",
            "Vahvista korvaava lähetys. Jos sitä ei lähetetä, poista lähetys kaupassa.",
        ),
        Reason::ReplacementVanished => (
            "Look for it at the warehouse by its reference, then say whether it was done.",
            "Etsi se varastolta viitteellä, ja kerro sitten, onko se tehty.",
        ),
        Reason::NotOursAtWarehouse => (
            "Compare both orders. If the warehouse's is this one, let Silta follow it; else give it another reference there.",
            "Vertaa tilauksia. Jos varaston tilaus on tämä, anna Sillan seurata sitä; muuten vaihda sen viite OGOshipissa.",
        ),
        Reason::DoubledAtWarehouse => (
            "Cancel all but one of them at the warehouse, then try again.",
            "Peru varastolla muut paitsi yksi, ja yritä sitten uudelleen.",
        ),
        Reason::RefundedAfterTransfer => (
            "Cancel the order in the shop, or ask the warehouse to stop it.",
            "Peru tilaus kaupassa, tai pyydä varastoa pysäyttämään se.",
        ),
        Reason::RepeatedTooOften => (
            "Look for it in MyCashflow or OGOship, then say whether it was done.",
            "Katso MyCashflow’sta tai OGOshipista, menikö se perille, ja kerro sitten, onko se tehty.",
        ),
        Reason::CannotComplete => {
            ("Complete the order in the shop by hand.", "Merkitse tilaus kaupassa käsitellyksi itse.")
        }
        Reason::OutcomeUnknown => (
            "Look for it in MyCashflow or OGOship, then try again: Silta looks there too before it sends.",
            "Katso MyCashflow’sta tai OGOshipista, menikö se perille. Yritä sitten uudelleen: Siltakin tarkistaa sen ennen lähettämistä.",
        ),
        Reason::Overran => (
            "Try again; if it happens again, tell the person who runs Silta.",
            "Yritä uudelleen; jos tämä toistuu, kerro Sillan ylläpitäjälle.",
        ),
        Reason::Panicked => (
            "This is a bug in Silta: tell the person who runs it.",
            "Vika on Sillassa: kerro siitä Sillan ylläpitäjälle.",
        ),
        Reason::NotConverging => (
            "Compare MyCashflow and OGOship: one of them does not keep what is written to it.",
            "Vertaa MyCashflow’n ja OGOshipin tietoja: toinen ei säilytä sitä, mitä sinne kirjoitetaan.",
        ),
    }
}
