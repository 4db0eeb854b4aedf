//! What to do about a vendor that does not answer as it should: one remedy for each kind of failure, in both languages.

use crate::domain::{
    failed_call::{CallCause, Unreached},
    language::Language,
    vendor::Vendor,
};

/// What to do about a failed call.
pub const fn call_remedy(vendor: Vendor, cause: &CallCause, language: Language) -> &'static str {
    let (english, finnish) = match cause {
        CallCause::Unreached(why) => unreached(vendor, why),
        answered => answer(vendor, answered),
    };
    match language {
        Language::English => english,
        Language::Finnish => finnish,
    }
}

const fn answer(vendor: Vendor, cause: &CallCause) -> (&'static str, &'static str) {
    match (cause, vendor) {
        (CallCause::KeyRefused, Vendor::MyCashflow) => (
            "mycashflow.user must be the e-mail of the shop's API user, and mycashflow.api_key the key of that user",
            "asetuksen mycashflow.user on oltava kaupan API-käyttäjän sähköposti ja asetuksen mycashflow.api_key sen avain",
        ),
        (CallCause::KeyRefused, Vendor::Ogoship) => (
            "ogoship.api_key must be the merchant's key of myOGO; without one, check merchant_id, secret_token, client_id and \
             client_secret",
            "asetuksen ogoship.api_key on oltava kauppiaan avain myOGOsta; ilman sitä tarkista merchant_id, secret_token, \
             client_id ja client_secret",
        ),
        (CallCause::RightMissing, Vendor::MyCashflow) => (
            "the key is right, and a right is missing: give the shop's API user the rights to orders, products and stock",
            "avain on oikea, mutta oikeus puuttuu: anna kaupan API-käyttäjälle oikeudet tilauksiin, tuotteisiin ja varastosaldoihin",
        ),
        (CallCause::RightMissing, Vendor::Ogoship) => (
            "the key is right, and a right is missing: ask OGOship for the rights to orders, products, stock and webhooks",
            "avain on oikea, mutta oikeus puuttuu: pyydä OGOshipilta oikeudet tilauksiin, tuotteisiin, varastosaldoihin ja \
             webhookeihin",
        ),
        (CallCause::NotFound, Vendor::MyCashflow) => (
            "mycashflow.url must be the shop's own address, as https://STORENAME.mycashflow.fi",
            "asetuksen mycashflow.url on oltava kaupan oma osoite, kuten https://KAUPPA.mycashflow.fi",
        ),
        (CallCause::NotFound, Vendor::Ogoship) => (
            "ogoship.url must be https://api.ogoship.com",
            "asetuksen ogoship.url on oltava https://api.ogoship.com",
        ),
        (CallCause::Moved, Vendor::MyCashflow) => (
            "set mycashflow.url to the address to which this one leads",
            "vaihda asetukseen mycashflow.url osoite, johon nykyinen johtaa",
        ),
        (CallCause::Moved, Vendor::Ogoship) => (
            "set ogoship.url to the address to which this one leads",
            "vaihda asetukseen ogoship.url osoite, johon nykyinen johtaa",
        ),
        (CallCause::Limited, Vendor::MyCashflow) => (
            "the shop limits calls: wait a minute; if it lasts, lower mycashflow.requests_per_second",
            "kauppa rajoittaa kutsuja: odota minuutti; jos se jatkuu, pienennä asetusta mycashflow.requests_per_second",
        ),
        (CallCause::Limited, Vendor::Ogoship) => (
            "the warehouse limits calls: wait a minute; if it lasts, lower ogoship.requests_per_second",
            "varasto rajoittaa kutsuja: odota minuutti; jos se jatkuu, pienennä asetusta ogoship.requests_per_second",
        ),
        (CallCause::OwnLimit, _) => (
            "our own rate limit is used up by what is going on: try again later",
            "käynnissä oleva työ käyttää oman kutsurajan: testaa myöhemmin uudelleen",
        ),
        (CallCause::WebPage, Vendor::MyCashflow) => (
            "maintenance, or mycashflow.url is not the shop's address",
            "huoltokatko, tai asetuksen mycashflow.url osoite ei ole kaupan",
        ),
        (CallCause::WebPage, Vendor::Ogoship) => (
            "maintenance, or ogoship.url is not the address of the API",
            "huoltokatko, tai asetuksen ogoship.url osoite ei ole rajapinnan",
        ),
        (CallCause::VendorFault, Vendor::MyCashflow) => (
            "the fault is at MyCashflow: nothing to change here; its status page says more",
            "vika on MyCashflow’ssa: täällä ei tarvitse muuttaa mitään; sen tilasivu kertoo lisää",
        ),
        (CallCause::VendorFault, Vendor::Ogoship) => (
            "the fault is at OGOship: nothing to change here; its support says more",
            "vika on OGOshipissa: täällä ei tarvitse muuttaa mitään; sen asiakastuki kertoo lisää",
        ),
        (CallCause::Unreadable | CallCause::Unreached(_), _) => (
            "the answer is not one that Silta knows: give its time to the vendor's support",
            "vastaus ei ole sellainen, jonka Silta tuntee: kerro sen kellonaika palvelun asiakastuelle",
        ),
    }
}

const fn unreached(vendor: Vendor, why: &Unreached) -> (&'static str, &'static str) {
    match (why, vendor) {
        (Unreached::UnknownName, Vendor::MyCashflow) => (
            "check the spelling of mycashflow.url; if it is right, the name servers of this machine",
            "tarkista asetuksen mycashflow.url kirjoitusasu; jos se on oikein, tämän koneen nimipalvelimet",
        ),
        (Unreached::UnknownName, Vendor::Ogoship) => (
            "check the spelling of ogoship.url and auth_url; if they are right, the name servers of this machine",
            "tarkista asetusten ogoship.url ja auth_url kirjoitusasu; jos ne ovat oikein, tämän koneen nimipalvelimet",
        ),
        (Unreached::PrivateAddress, _) => (
            "the name leads into a private network: check the URL and the name servers; [outbound] dangerously_allow_private is \
             for a sandbox",
            "nimi johtaa sisäverkkoon: tarkista osoite ja nimipalvelimet",
        ),
        (Unreached::Refused, _) => (
            "check host and port of the URL, and the firewall for outward connections",
            "tarkista osoitteen nimi ja portti sekä palomuuri ulospäin",
        ),
        (Unreached::Tls(_), _) => (
            "check the host of the URL, this machine's clock and its certificates (Debian: apt-get install ca-certificates); a \
             proxy that opens TLS has to be trusted here",
            "tarkista osoitteen nimi, tämän koneen kello ja varmenteet (Debian: apt-get install ca-certificates)",
        ),
        (Unreached::Timeout, _) => (
            "a firewall that drops outward connections, or the vendor is overloaded: try again; [outbound] timeout is how long \
             we wait, [outbound] proxy a way out",
            "palomuuri estää yhteydet ulospäin, tai palvelin on ruuhkautunut: yritä uudelleen",
        ),
        (Unreached::Other(_), _) => (
            "try again; if it lasts, check the network of this machine",
            "yritä uudelleen; jos se jatkuu, tarkista tämän koneen verkko",
        ),
    }
}
