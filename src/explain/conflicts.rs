//! Why an operator's action was refused, in both languages.

use crate::domain::{conflict::ConflictError, language::Language};

/// Why an operator's action was refused, as pages say it.
pub const fn conflict_text(conflict: ConflictError, language: Language) -> &'static str {
    match language {
        Language::English => english(conflict),
        Language::Finnish => finnish(conflict),
    }
}

/// The description, which programs get, without the keys that it names.
const fn english(conflict: ConflictError) -> &'static str {
    match conflict {
        ConflictError::TransferManual => {
            "orders wait until each is transferred: transfer them, or have the configuration send them by itself first"
        }
        ConflictError::TransferOff => {
            "orders are switched off in the configuration: nothing is written for them in the shop or at the warehouse"
        }
        ConflictError::UploadOff => {
            "the upload of products is switched off in the configuration: none is created or changed at the warehouse"
        }
        ConflictError::StockUpdateOff => {
            "stock updates are switched off in the configuration: no figure is written to the shop"
        }
        ConflictError::NothingToHandle => {
            "the order has changed, is marked already, or is none that is settled outside: look at what it waits for now"
        }
        other => other.description(),
    }
}

const fn finnish(conflict: ConflictError) -> &'static str {
    match conflict {
        ConflictError::AlreadyPaused => "yhteys on jo tauolla",
        ConflictError::AlreadyRunning => "yhteys on jo käytössä",
        ConflictError::NotConfiguredHere => "yhteyttä ei ole määritelty tällä palvelimella",
        ConflictError::WorkRunning => "tämä on jo käynnissä: odota, että se päättyy",
        ConflictError::ConnectionPaused => "yhteys on tauolla: jatka ensin yhteyden käyttöä",
        ConflictError::ConnectionDown => {
            "yhteys on poikki, ja Silta kokeilee itse, milloin se palaa: odota, tai jatka ensin yhteyden käyttöä"
        }
        ConflictError::NoPublicUrl => {
            "asetus http.public_url on tyhjä: se on osoite, jota kauppa ja varasto kutsuvat"
        }
        ConflictError::NoSecretKey => {
            "ilman [secrets]-avainta Silta ei voi tallentaa uuden rekisteröinnin avainta: lisää avain, tai käytä komentoa silta \
             webhooks register, joka näyttää sen kerran"
        }
        ConflictError::NotSigned => "yhteyden webhookeja ei allekirjoiteta: tunnistettavaa ei ole",
        ConflictError::TooLateToUndo => {
            "kumoaminen ei enää onnistu: tilaus on lähtenyt tai sitä käsitellään juuri nyt"
        }
        ConflictError::NotCancellable => "vain odottavan tai epävarman siirron voi perua",
        ConflictError::NotInDoubt => "vain epävarmasta siirrosta voi kertoa, mitä tapahtui",
        ConflictError::NothingToHandle => {
            "tilanne on muuttunut, tai Silta jatkaa tästä itse: katso tilauksen sivulta, mitä se nyt odottaa"
        }
        ConflictError::TaskStillOpen => "siirto on vielä kesken: sitä yritetään automaattisesti uudelleen",
        ConflictError::NoSubject => "tapahtumasta ei selviä, mitä se koskee, joten mitään ei voi tarkistaa",
        ConflictError::ReplayAlreadyCancelled => "uudelleenyritys on jo peruttu",
        ConflictError::NothingSelected => "mitään ei ollut valittu: valitse ainakin yksi rivi",
        ConflictError::NothingToApprove => {
            "mikään ei odota hyväksyntää, tai samanlainen täsmäytys on käynnissä"
        }
        ConflictError::OtherSyncRunning => {
            "toinen samanlainen täsmäytys on käynnissä eri asetuksilla: peru se, tai odota, että se päättyy"
        }
        ConflictError::SyncNotRunning => "täsmäytys on jo päättynyt",
        ConflictError::TransferManual => {
            "tilaukset odottavat siirtoa yksitellen: siirrä ne, tai pyydä ensin Sillan ylläpitäjää kytkemään siirto automaattiseksi"
        }
        ConflictError::NothingWaits => "mikään ei enää odota sitä",
        ConflictError::TransferOff => {
            "tilaukset on kytketty pois asetuksissa: niistä ei kirjoiteta mitään kauppaan eikä varastolle"
        }
        ConflictError::UploadOff => {
            "tuotteiden vienti on kytketty pois asetuksissa: varastolla ei luoda eikä muuteta mitään"
        }
        ConflictError::StockUpdateOff => {
            "saldopäivitys on kytketty pois asetuksissa: kauppaan ei kirjoiteta mitään"
        }
        ConflictError::OrderHasOpenTask => {
            "tilauksen siirto on vielä kesken: anna sen päättyä tai peru se, ja poista tiedot sitten"
        }
        ConflictError::OrderUnverified => {
            "tilausta ei tunneta vielä, eikä sitä voitu juuri nyt kysyä kaupalta tai varastolta: yritä uudelleen"
        }
        ConflictError::AlreadyPlaced => "tilaus on jo varastolla",
        ConflictError::AlreadyShipped => "varasto on jo lähettänyt tilauksen",
        ConflictError::OrderAlreadyCancelled => "tilaus on jo peruttu",
        ConflictError::NoReplacement => "tilauksella ei ole lähetystä, joka odottaisi vahvistusta",
        ConflictError::SeveralReplacements => "useampi lähetys odottaa vahvistusta: valitse niistä yksi",
        ConflictError::RuleLength => "toimitustavassa ja koodissa on 1–200 merkkiä",
        ConflictError::RuleControlCharacters => "toimitustavassa ja koodissa ei ole ohjausmerkkejä",
        ConflictError::RuleMatchesAll => {
            "kaikkiin toimitustapoihin sopiva sääntö koskisi niitäkin, joille ei ole valittu varaston toimitustapaa"
        }
    }
}
