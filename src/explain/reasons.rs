//! Every reason as a sentence, in both languages.

use crate::domain::{language::Language, task::reason::Reason};

/// Returns a reason as a sentence.
pub fn reason_text(reason: Reason, language: Language) -> &'static str {
    match language {
        Language::English => reason.description(),
        Language::Finnish => finnish(reason),
    }
}

#[expect(clippy::too_many_lines, reason = "one line for each reason")]
const fn finnish(reason: Reason) -> &'static str {
    match reason {
        Reason::Unreachable => "MyCashflow’hun tai OGOshipiin ei saatu yhteyttä; mitään ei lähetetty.",
        Reason::AnswerLost => "Vastaus katosi matkalla sen jälkeen, kun pyyntö oli lähetetty.",
        Reason::VendorFailed => "MyCashflow’ssa tai OGOshipissa oli häiriö tai huoltokatko.",
        Reason::RateLimited => {
            "MyCashflow tai OGOship pyysi harventamaan kutsuja, tai oma kutsuraja tuli täyteen."
        }
        Reason::AnswerUnreadable => {
            "MyCashflow tai OGOship otti kutsun vastaan, mutta Silta ei osaa lukea vastausta."
        }
        Reason::Refused => "MyCashflow tai OGOship hylkäsi pyynnön.",
        Reason::Conflict => "Tilauksen tai tuotteen tila MyCashflow’ssa tai OGOshipissa ei salli tätä.",
        Reason::CredentialsRefused => {
            "MyCashflow tai OGOship ei hyväksy Sillan tunnuksia kirjautumisessa tai missään kutsussa."
        }
        Reason::AccessDenied => "MyCashflow tai OGOship epäsi pääsyn juuri tähän, vaikka hyväksyi muut.",
        Reason::VendorDown => {
            "MyCashflow’hun tai OGOshipiin ei saada yhteyttä, eikä mitään lähetetä, ennen kuin yhteys toimii taas."
        }
        Reason::FieldUnreadable => {
            "MyCashflow tai OGOship lähetti ratkaisevan tiedon, jota Silta ei osaa lukea."
        }
        Reason::NotPaid => "Maksut eivät kata tilauksen summaa, eikä se ole postiennakkotilaus.",
        Reason::PaymentNotActivated => "Maksu on saatu, mutta sitä ei ole aktivoitu (Klarna, maksulinkki).",
        Reason::BeforeStart => {
            "Tilaus on vanhempi kuin yhteys tai sille annettu alkupäivä, eikä vanhoja tilauksia tuoda."
        }
        Reason::UndoPeriod => "Tilaus siirrettiin juuri käsin, ja sen voi vielä kumota.",
        Reason::HoldPeriod => {
            "Tilaus odottaa hetken ennen siirtoa, jotta sitä ehtii vielä muuttaa tai sen voi perua."
        }
        Reason::HeldByOperator => "Tilaus on laitettu odottamaan.",
        Reason::LeftToShop => "Toimitustapasääntö jättää tilauksen kaupalle, josta se noudetaan.",
        Reason::NegativeQuantity => "Tilauksessa palautetaan jotain tuotetta enemmän kuin sitä on tilattu.",
        Reason::FractionalQuantity => {
            "Jonkin tuotteen määrä ei ole kokonaisia kappaleita, ja varasto laskee kappaleita."
        }
        Reason::ReturnOrder => "Tilaus on palautus eikä myynti, joten siitä ei lähetetä mitään.",
        Reason::ManualTransfer => "Tilaus odottaa, että siirrät sen varastolle.",
        Reason::TransferOff => {
            "Tilaukset on kytketty pois, joten niistä ei kirjoiteta mitään kauppaan eikä varastolle."
        }
        Reason::ManualUpload => "Tuote odottaa, että viet sen varastolle.",
        Reason::UploadOff => {
            "Tuotteiden vienti on kytketty pois, joten varastolla ei luoda eikä muuteta mitään."
        }
        Reason::ManualStockUpdate => "Varastosaldo odottaa, että kirjoitat sen kauppaan.",
        Reason::StockUpdateOff => "Saldopäivitys on kytketty pois, joten kauppaan ei kirjoiteta mitään.",
        Reason::CancelledInShop => "Tilaus peruttiin kaupassa, ennen kuin se lähti varastolle.",
        Reason::CompletedInShop => "Tilaus käsiteltiin kaupassa valmiiksi, ennen kuin se lähti varastolle.",
        Reason::ReopenedInShop => {
            "Tilaus oli käsitelty kaupassa ja avattiin siellä uudelleen, joten Silta jättää sen kaupan hoidettavaksi."
        }
        Reason::UnknownInShop => "Kauppa ei tunne sitä.",
        Reason::GoneFromShop => {
            "Kaupan mukaan sitä ei enää ole, vaikka se on kaupan luettelossa tai se luettiin sieltä aiemmin."
        }
        Reason::UnknownAtWarehouse => "Varasto ei tunne sitä.",
        Reason::NoWarehouseLines => "Tilauksessa ei ole tuotteita, joita varasto lähettää.",
        Reason::Excluded => "Tuote tai koodi on rajattu pois asetuksissa.",
        Reason::SettlingTime => {
            "Ei vielä tiedetä, menikö pyyntö perille, joten Silta odottaa hetken, ennen kuin se lähettää mitään uudelleen."
        }
        Reason::CancelledAtWarehouse => "Varasto perui tilauksen; kaupan tilaus jää ennalleen.",
        Reason::HeldAtWarehouse => "Varasto ei lähetä tilausta, ennen kuin joku korjaa sen siellä.",
        Reason::Returned => "Paketti palasi varastolle.",
        Reason::PartiallyShipped => "Tilauksesta on lähetetty vasta osa.",
        Reason::CatalogueUnread => {
            "Kaupan tuotteita ei ole vielä luettu kokonaan, joten ei tiedetä, minkä tuotteen koodi on."
        }
        Reason::StaleReading => "Varaston vastaus on vanhempi kuin se, jonka mukaan Silta on jo toiminut.",
        Reason::AddressIncomplete => {
            "Osoitteesta puuttuu varaston vaatima tieto, tai jokin tieto on väärää muotoa."
        }
        Reason::ShippingUnmapped => "Toimitustavalle ei ole valittu varaston toimitustapaa.",
        Reason::CodeUnusable => "Tilausrivillä on tyhjä tai liian pitkä tuotekoodi.",
        Reason::CodeEmpty => "Tuotteella tai variaatiolla ei ole tuotekoodia.",
        Reason::CodeTooLong => "Tuotekoodi on liian pitkä varastolle.",
        Reason::CodeDots => {
            "Tuotekoodi on pelkkä piste tai kaksi, eikä sillä voi hakea tuotetta MyCashflow’sta eikä OGOshipista."
        }
        Reason::CodeRepeated => {
            "Toisella tuotteella tai variaatiolla on sama koodi, tai ero on vain kirjainkoossa tai välilyönneissä."
        }
        Reason::CodeChanged => {
            "Tuotteen koodi vaihdettiin kaupassa, mutta varastolla tuotteella on yhä vanha koodi."
        }
        Reason::CodeTaken => "Tuotteen uusi koodi on varastolla jo kaupan toisella tuotteella.",
        Reason::StockBraked => {
            "Liian moni saldo laskisi nollaan kerralla, mikä viittaa tyhjään tai rikkinäiseen luetteloon."
        }
        Reason::ListPartial => {
            "Varaston luettelosta puuttuu suuri osa sen tuotteista, mikä viittaa kesken jääneeseen luetteloon."
        }
        Reason::SupplierUnknown => {
            "Tilausrivin toimittajaa ei tiedetä, joten ei tiedetä, onko tuote varastolla."
        }
        Reason::ReferenceTooLong => "Tilauksen viite on liian pitkä varastolle.",
        Reason::OldVersionAtWarehouse => "Varastolla on vanha versio tilauksesta, jota on muokattu kaupassa.",
        Reason::TooLateToCancel => "Tilaus peruttiin, kun varasto jo keräsi sitä.",
        Reason::CancelledAfterTransfer => "Tilaus peruttiin, mutta se on yhä varastolla perumatta.",
        Reason::ShippedThoughCancelled => "Varasto lähetti tilauksen, joka oli peruttu kaupassa.",
        Reason::VanishedAtWarehouse => "Varasto ei enää näytä tilausta, joka sinne vietiin.",
        Reason::ReplacementUnconfirmed => {
            "Kaupassa lisättiin lähetys jo lähetettyyn tilaukseen, ja sinun on vahvistettava, että varasto lähettää sen."
        }
        Reason::ReplacementVanished => "Varasto ei enää näytä korvaavaa lähetystä, joka sinne vietiin.",
        Reason::NotOursAtWarehouse => {
            "Varastolla on samalla viitteellä tilaus, jota Silta ei ole lähettänyt."
        }
        Reason::DoubledAtWarehouse => "Varastolla on useita tilauksia samalla viitteellä.",
        Reason::RefundedAfterTransfer => {
            "Maksu palautettiin tai peruttiin sen jälkeen, kun tilaus lähti varastolle."
        }
        Reason::RepeatedTooOften => {
            "Silta on lähettänyt sen niin monta kertaa kuin saa, eikä sitä ole löytynyt."
        }
        Reason::CannotComplete => {
            "Tilauksella on useita avoimia lähetyksiä tai maksuja, eikä Silta voi merkitä sitä käsitellyksi."
        }
        Reason::OutcomeUnknown => {
            "Ei saatu selville, menikö pyyntö perille. Tarkista, ennen kuin lähetät uudelleen."
        }
        Reason::LeaseExpired => "Yritys keskeytyi, koska ohjelma kaatui tai oli liian kauan poissa.",
        Reason::DatabaseUnavailable => "Sillan tietokantaan ei saatu yhteyttä, kun yritys tarvitsi sitä.",
        Reason::Overran => "Yritys kesti liian kauan.",
        Reason::Panicked => "Yritys kaatui, ja vika on Sillassa.",
        Reason::NotConverging => "MyCashflow ja OGOship eivät täsmää edes 200 toimenpiteen jälkeen.",
        Reason::SnoozedTooLong => "Sitä lykättiin yli kaksi viikkoa tai tuhat kertaa.",
        Reason::CancelledByOperator => "Siirto peruttiin käsin, tai tilaus peruttiin ennen siirtoa.",
        Reason::ResolvedByOperator => "Käyttäjä kertoi, mitä todella tapahtui.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{event::subject::SubjectKind, switch::Switch},
        explain::{remedy, switch_text},
    };

    /// Shopkeepers read these texts: they name no key of the configuration, no status of HTTP, no field and no signal.
    #[test]
    fn texts_of_reasons_and_switches_name_no_key_and_no_code() {
        let languages = [Language::English, Language::Finnish];
        let reasons = Reason::ALL.iter().flat_map(|reason| {
            languages.map(|language| [reason_text(*reason, language), remedy(*reason, language)])
        });
        // They stand after "2 orders:".
        for text in Reason::ALL.iter().flat_map(|it| languages.map(|language| reason_text(*it, language))) {
            assert!(!text.contains(':'), "{text}");
        }
        let switches = SubjectKind::ALL.iter().flat_map(|kind| {
            languages.map(|language| {
                [Switch::Automatic, Switch::Manual, Switch::Off].map(|it| switch_text(*kind, it, language))
            })
        });
        for text in reasons.flatten().chain(switches.flatten()) {
            let is_code = |word: &str| {
                let word = word.trim_matches(|it: char| !it.is_alphanumeric());
                let is_status = word.len() == 3 && word.parse().is_ok_and(|it: u16| it != 200);
                is_status || word.ends_with("xx") || word.starts_with("SIG") || word.contains('_')
            };
            assert!(!text.contains(['[', '{', '=', '"']), "{text}");
            assert!(!text.split(' ').any(is_code), "{text}");
        }
    }
}
