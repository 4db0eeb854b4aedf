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
        Reason::Unreachable => "Järjestelmään ei saatu yhteyttä; mitään ei lähetetty.",
        Reason::AnswerLost => "Vastaus katosi lähettämisen jälkeen.",
        Reason::VendorFailed => "Järjestelmässä oli häiriö tai huoltokatko.",
        Reason::RateLimited => "Järjestelmä pyysi harvempia kutsuja, tai oma kiintiömme on käytetty.",
        Reason::AnswerUnreadable => "Järjestelmä otti kutsun vastaan, mutta vastausta ei osata lukea.",
        Reason::Refused => "Järjestelmä hylkäsi pyynnön.",
        Reason::Conflict => "Kohde oli toisessa tilassa kuin toimenpide vaatii.",
        Reason::CredentialsRefused => {
            "Järjestelmä ei hyväksy tunnuksiamme: kirjautuminen tai jokainen kutsu hylätään."
        }
        Reason::AccessDenied => "Järjestelmä epäsi pääsyn juuri tähän, vaikka hyväksyi muut.",
        Reason::VendorDown => {
            "Järjestelmään ei toistuvasti saada yhteyttä: mitään ei lähetetä ennen kuin se vastaa koekutsuun."
        }
        Reason::FieldUnreadable => "Jonkin ratkaisevan kentän arvoa ei voi lukea.",
        Reason::NotPaid => "Tilausta ei ole maksettu, eikä se ole postiennakko.",
        Reason::PaymentNotActivated => "Maksu on saatu, mutta sitä ei ole aktivoitu (Klarna, maksulinkki).",
        Reason::BeforeStart => {
            "Tilaus on vanhempi kuin yhteys tai sille annettu alkupäivä: vanhoja tilauksia ei tuoda."
        }
        Reason::UndoPeriod => "Tilaus siirrettiin juuri käsin, ja sen voi vielä kumota.",
        Reason::HoldPeriod => "Odotusaika ennen lähettämistä ei ole kulunut: aikaa muutoksille.",
        Reason::HeldByOperator => "Tilaus on laitettu odottamaan.",
        Reason::LeftToShop => "Toimitustapasääntö jättää tilauksen kaupalle: se noudetaan sieltä.",
        Reason::NegativeQuantity => "Tilauksessa palautetaan jotain koodia enemmän kuin sitä on tilattu.",
        Reason::FractionalQuantity => {
            "Jonkin koodin määrä ei ole kokonaisia kappaleita, ja varasto laskee kappaleita."
        }
        Reason::ReturnOrder => "Tilaus on palautus eikä myynti: siitä ei lähetetä mitään.",
        Reason::ManualTransfer => "Tilaus odottaa, että siirrät sen varastolle.",
        Reason::TransferOff => {
            "Tilaukset on kytketty pois: niistä ei kirjoiteta mitään kauppaan eikä varastolle."
        }
        Reason::ManualUpload => "Tuote odottaa, että pyydät viemään sen varastolle.",
        Reason::UploadOff => "Tuotteiden vienti on kytketty pois: varastolla ei luoda eikä muuteta mitään.",
        Reason::ManualStockUpdate => "Varastosaldo odottaa, että pyydät kirjoittamaan sen kauppaan.",
        Reason::StockUpdateOff => "Saldopäivitys on kytketty pois: kauppaan ei kirjoiteta mitään.",
        Reason::CancelledInShop => "Kauppa perui tilauksen ennen kuin se lähti varastolle.",
        Reason::CompletedInShop => "Kauppa käsitteli tilauksen valmiiksi ennen kuin se lähti varastolle.",
        Reason::ReopenedInShop => {
            "Kauppa oli käsitellyt tilauksen, ja joku avasi sen uudelleen: se on nyt hänen."
        }
        Reason::UnknownInShop => "Kauppa ei tunne sitä.",
        Reason::GoneFromShop => {
            "Kauppa vastaa, ettei sillä ole sitä, vaikka se on sen luettelossa tai luettiin sieltä aiemmin."
        }
        Reason::UnknownAtWarehouse => "Varasto ei tunne sitä.",
        Reason::NoWarehouseLines => "Mikään tilauksen riveistä ei ole varastolla.",
        Reason::Excluded => "Tuote tai koodi on rajattu pois asetuksissa.",
        Reason::SettlingTime => {
            "Lopputulos on tuntematon: odotetaan hetki, ennen kuin mitään lähetetään uudelleen."
        }
        Reason::CancelledAtWarehouse => "Varasto perui tilauksen; kaupan tilaukseen ei kosketa.",
        Reason::HeldAtWarehouse => "Varasto ei lähetä tilausta ennen kuin sille on tehty siellä jotain.",
        Reason::Returned => "Paketti palasi varastolle.",
        Reason::PartiallyShipped => {
            "Osa tilauksesta on lähtenyt: loput tulee toisessa paketissa, tai kauppa lähettää ne itse."
        }
        Reason::CatalogueUnread => {
            "Kaupan tuotevalikoimaa ei ole vielä luettu kokonaan, joten ei tiedetä, kenen koodi on."
        }
        Reason::StaleReading => "Varaston vastaus on vanhempi kuin se, jonka mukaan jo toimimme.",
        Reason::AddressIncomplete => "Osoitteesta puuttuu varaston vaatima kenttä, tai sen muoto on väärä.",
        Reason::ShippingUnmapped => "Toimitustavalle ei ole valittu varaston toimitustapaa.",
        Reason::CodeUnusable => "Tilausrivillä on tyhjä tai liian pitkä tuotekoodi.",
        Reason::CodeEmpty => "Tuotteella tai variaatiolla ei ole tuotekoodia.",
        Reason::CodeTooLong => "Tuotekoodi on pidempi kuin varasto ottaa.",
        Reason::CodeDots => {
            "Tuotekoodi on pelkkä piste tai kaksi, eikä sitä voi kysyä kummastakaan järjestelmästä."
        }
        Reason::CodeRepeated => {
            "Toisella tuotteella tai variaatiolla on sama koodi, tai vain kirjainkoossa tai väleissä eroava."
        }
        Reason::CodeChanged => {
            "Tuotteen koodi vaihdettiin kaupassa, ja varastolla se on yhä vanhalla koodilla."
        }
        Reason::CodeTaken => "Varastolla uusi koodi on jo kaupan toisella tuotteella.",
        Reason::StockBraked => {
            "Liian moni saldo laskisi nollaan kerralla: siltä näyttää tyhjä tai rikkinäinen syöte."
        }
        Reason::ListPartial => {
            "Suuri osa siitä, mikä oli varastolla, puuttuu sen listalta: siltä näyttää katkennut lista."
        }
        Reason::SupplierUnknown => "Rivin toimittajaa ei tiedetä, joten ei sitäkään, onko se varastolla.",
        Reason::ReferenceTooLong => "Tilauksen viite olisi pidempi kuin varasto ottaa.",
        Reason::OldVersionAtWarehouse => "Varastolla on vanha versio tilauksesta, jota on muokattu kaupassa.",
        Reason::TooLateToCancel => "Tilaus peruttiin, kun varasto jo keräsi sitä.",
        Reason::CancelledAfterTransfer => "Tilaus peruttiin, ja se on yhä varastolla perumatta.",
        Reason::ShippedThoughCancelled => "Varasto lähetti tilauksen, jonka kauppa oli perunut.",
        Reason::VanishedAtWarehouse => "Varasto ei enää näytä tilausta, jonka sinne veimme.",
        Reason::ReplacementUnconfirmed => {
            "Kauppa lisäsi lähetyksen jo lähetettyyn tilaukseen: vahvista, että varasto lähettää sen."
        }
        Reason::ReplacementVanished => "Varasto ei enää näytä korvaavaa lähetystä, joka sinne vietiin.",
        Reason::NotOursAtWarehouse => {
            "Varastolla on tilaus samalla viitteellä, eikä Silta ole lähettänyt sitä."
        }
        Reason::DoubledAtWarehouse => "Varastolla on useita tilauksia samalla viitteellä.",
        Reason::RefundedAfterTransfer => {
            "Maksu palautettiin tai peruttiin sen jälkeen, kun tilaus lähti varastolle."
        }
        Reason::RepeatedTooOften => "Se on lähetetty niin monta kertaa kuin saa, eikä sitä ole löytynyt.",
        Reason::CannotComplete => {
            "Tilauksella on useampi avoin lähetys tai maksu niin, ettemme voi käsitellä sitä valmiiksi."
        }
        Reason::OutcomeUnknown => {
            "Ei saatu ajoissa tietää, tehtiinkö se, mitä lähetimme: katso siellä ennen kuin se lähetetään \
             uudelleen."
        }
        Reason::LeaseExpired => {
            "Varausaika päättyi kesken yrityksen: kaatuminen, tai prosessi oli liian kauan poissa."
        }
        Reason::DatabaseUnavailable => "Omaan tietokantaamme ei saatu yhteyttä, kun yritys tarvitsi sitä.",
        Reason::Overran => "Yritys kesti liian kauan.",
        Reason::Panicked => "Yritys kaatui.",
        Reason::NotConverging => "Järjestelmät eivät täsmänneet 200 toimenpiteen jälkeenkään.",
        Reason::SnoozedTooLong => "Sitä lykättiin yli kaksi viikkoa tai tuhat kertaa.",
        Reason::CancelledByOperator => "Siirto peruttiin käsin, tai tilaus ennen siirtoa.",
        Reason::ResolvedByOperator => "Lopputulos kuitattiin käsin.",
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
