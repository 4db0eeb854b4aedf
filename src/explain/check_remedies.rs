//! What to do about a check that is not good, and what each check is called, in both languages.

use super::call_remedies::call_remedy;
use crate::domain::{
    check::{Check, CheckName, CheckResult, Found},
    failed_call::Unreached,
    language::Language::{self, English, Finnish},
    public_url::PublicUrlFinding,
};

/// Where a remedy is read: what is a command in a shell is a button on the page.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// In a shell, of this connection.
    Shell(&'a str),
    /// On the page of connections.
    Page,
}

/// What to do; empty where there is nothing to do.
pub fn check_remedy(check: &Check, place: Place<'_>, language: Language) -> String {
    if matches!(check.result, CheckResult::Good | CheckResult::NotChecked) {
        return String::new();
    }
    match (&check.found, place) {
        (Found::CallFailed(failed), _) => call_remedy(failed.vendor, &failed.cause, language).to_owned(),
        (Found::PublicUrl { leads, .. }, _) => public_url(leads, language),
        (Found::OtherOrdersApi { other, .. }, _) => match language {
            English => format!("set mycashflow.orders_api = {other:?}"),
            Finnish => format!("aseta mycashflow.orders_api = {other:?}"),
        },
        (found, Place::Shell(connection)) => in_shell(found, connection),
        (found, Place::Page) => {
            let (english, finnish) = on_page(found);
            match language {
                English => english,
                Finnish => finnish,
            }
            .to_owned()
        }
    }
}

/// Where a command is what helps.
fn in_shell(found: &Found, connection: &str) -> String {
    match found {
        Found::Switches(_) => {
            "set it to \"automatic\" once all looks right; then `silta release list` shows what has waited"
                .to_owned()
        }
        Found::Subscriptions { .. } => format!("silta webhooks register {connection}"),
        Found::Signatures(_) => {
            format!("silta webhooks detect {connection} finds how a rejected webhook is signed")
        }
        Found::Remarks(_) => "ean_missing: enter the EAN as the barcode in the shop. code_slash: ask OGOship whether it takes / and \\ in \
                              codes, or give the product another one"
            .to_owned(),
        Found::CatalogueStalled(id) => format!("silta sync cancel {id}, then run the doctor again"),
        found => on_page(found).0.to_owned(),
    }
}

/// Where a button, or the configuration, is what helps.
const fn on_page(found: &Found) -> (&'static str, &'static str) {
    match found {
        Found::Switches(_) => (
            "set it to \"automatic\" once all looks right; what has waited is then offered on this page",
            "vaihda arvoksi \"automatic\", kun kaikki näyttää oikealta; odottaneet tarjotaan sitten tällä sivulla",
        ),
        Found::NoOrdersApi { .. } => (
            "ask MyCashflow whether the shop's package includes the API of orders",
            "kysy MyCashflow’lta, kuuluuko tilausten rajapinta kaupan pakettiin",
        ),
        Found::NoShippingRule { .. } => (
            "add a rule for each method to [connections.shipping]; the warehouse takes orders without a code only where it has \
             one method",
            "lisää jokaiselle toimitustavalle sääntö kohtaan [connections.shipping]; ilman sitä varasto ottaa tilauksia vain, jos \
             sillä on yksi toimitustapa",
        ),
        Found::ShippingRules { .. } => (
            "add a rule to [connections.shipping], or leave methods out that never go to the warehouse",
            "lisää sääntö tällä sivulla tai kohtaan [connections.shipping], tai jätä pois toimitustavat, jotka eivät koskaan mene \
             varastolle",
        ),
        Found::Clock(_) => {
            ("set this machine's clock by NTP", "aseta tämän koneen kello verkkoajan mukaan (NTP)")
        }
        Found::Subscriptions { .. } => {
            ("press Register under Webhook subscriptions", "paina kohdassa Webhook-rekisteröinnit Rekisteröi")
        }
        Found::Signatures(_) => (
            "Detect signature, under Webhook subscriptions, finds how a rejected webhook is signed",
            "Tunnista allekirjoitus kohdassa Webhook-rekisteröinnit selvittää, miten hylätty webhook on allekirjoitettu",
        ),
        Found::Codes(_) => (
            "give each product and variation a code of its own in the shop",
            "anna kaupassa jokaiselle tuotteelle ja variaatiolle oma koodi",
        ),
        Found::Remarks(_) => (
            "enter a missing EAN as the barcode in the shop; where a code has / or \\, ask OGOship whether it takes that, or give \
             the product another one",
            "jos EAN puuttuu, lisää se kaupassa viivakoodiksi; jos koodissa on / tai \\, kysy OGOshipilta, sopiiko se",
        ),
        Found::CatalogueStalled(_) => {
            ("cancel that sync, then test again", "peru se täsmäytys ja testaa uudelleen")
        }
        Found::CatalogueUnread(_) => {
            ("the page /problems explains this reason", "sivu /problems selittää syyn (englanniksi)")
        }
        Found::OutOfTime => (
            "test again; the slow call is under the vendor's figures on the Overview",
            "testaa uudelleen; hidas puoli näkyy yleiskuvan luvuista",
        ),
        Found::DatabaseAway => {
            ("test again once the database answers", "testaa uudelleen, kun tietokanta vastaa")
        }
        _ => ("", ""),
    }
}

fn public_url(leads: &PublicUrlFinding, language: Language) -> String {
    if let PublicUrlFinding::Unreached { host, why: Unreached::Tls(_), .. } = leads {
        return match language {
            English => {
                format!("give the proxy in front of silta serve a certificate that is valid for {host}")
            }
            Finnish => format!("anna Sillan edessä olevalle välityspalvelimelle varmenne nimelle {host}"),
        };
    }
    let (english, finnish) = public_url_remedies(leads);
    match language {
        English => english,
        Finnish => finnish,
    }
    .to_owned()
}

const fn public_url_remedies(leads: &PublicUrlFinding) -> (&'static str, &'static str) {
    match leads {
        PublicUrlFinding::NotSet => (
            "set http.public_url to the address that both vendors call, as https://silta.example.fi",
            "anna asetukseen http.public_url osoite, jota kauppa ja varasto kutsuvat, kuten https://silta.example.fi",
        ),
        PublicUrlFinding::NoUrl => (
            "give http.public_url as https://silta.example.fi",
            "anna http.public_url muodossa https://silta.example.fi",
        ),
        PublicUrlFinding::Private => (
            "no vendor can call it: give http.public_url a name that is known to the world",
            "kauppa ja varasto eivät voi kutsua sitä: anna asetukseen http.public_url julkinen nimi",
        ),
        PublicUrlFinding::Unreached { why: Unreached::UnknownName, .. } => (
            "check the spelling of http.public_url, or create the name's record at its name servers",
            "tarkista asetuksen http.public_url kirjoitusasu, tai lisää nimi nimipalvelimille",
        ),
        PublicUrlFinding::Unreached { why: Unreached::Refused, .. } => (
            "start silta serve and the proxy with TLS in front of it (deploy/Caddyfile), and open the port",
            "käynnistä Silta ja sen edessä oleva välityspalvelin, ja avaa portti",
        ),
        PublicUrlFinding::Unreached { why: Unreached::Timeout, .. } => (
            "a firewall drops what comes in, or this network cannot call itself from inside: try from another one",
            "palomuuri estää yhteydet sisäänpäin, tai verkko ei voi kutsua itseään: kokeile toisesta verkosta",
        ),
        PublicUrlFinding::Unreached { .. } | PublicUrlFinding::HereWithinNetwork => {
            ("try it from another network: curl URL/livez", "kokeile toisesta verkosta: curl OSOITE/livez")
        }
        PublicUrlFinding::HereWithoutTls => (
            "anybody on the way can read what the vendors send: give it TLS",
            "kuka tahansa matkalla voi lukea lähetettävän: ota suojattu yhteys käyttöön",
        ),
        PublicUrlFinding::OtherSilta => (
            "end the other one, restart one that is older than this program, or lead the name to this machine",
            "sammuta toinen, käynnistä vanhempi ohjelma uudelleen, tai ohjaa nimi tälle koneelle",
        ),
        PublicUrlFinding::Redirects { .. } => (
            "set http.public_url to where it leads: the vendors' webhooks follow no redirects",
            "vaihda asetukseen http.public_url osoite, johon se johtaa: webhookit eivät seuraa ohjauksia",
        ),
        PublicUrlFinding::ProxyFails { .. } => (
            "start silta serve; the proxy must lead to http.listen",
            "käynnistä Silta; välityspalvelimen on johdettava osoitteeseen http.listen",
        ),
        PublicUrlFinding::OtherServer { .. } => (
            "lead the name or the proxy to silta serve, for every path",
            "ohjaa nimi tai välityspalvelin Siltaan, kaikille poluille",
        ),
        PublicUrlFinding::Here => ("", ""),
    }
}

/// What a check is called on the page.
pub const fn check_title(name: CheckName, language: Language) -> &'static str {
    let (english, finnish) = match name {
        CheckName::PublicUrl => ("Public address", "Julkinen osoite"),
        CheckName::Switches => ("What is written automatically", "Mitä viedään automaattisesti"),
        CheckName::Shop => ("The shop and its key", "Kauppa ja sen avain"),
        CheckName::OrdersApi => ("Orders of the shop", "Kaupan tilaukset"),
        CheckName::Warehouse => ("The warehouse and its key", "Varasto ja sen avain"),
        CheckName::Shipping => ("Shipping methods", "Toimitustavat"),
        CheckName::Clock => ("Clock", "Kello"),
        CheckName::Webhooks => ("Webhook subscriptions", "Webhook-rekisteröinnit"),
        CheckName::Signatures => ("Signatures of webhooks", "Webhookien allekirjoitukset"),
        CheckName::Codes => ("Product codes", "Tuotekoodit"),
        CheckName::Products => ("Products, as the warehouse wants them", "Tuotteiden tiedot varastoa varten"),
        CheckName::Whole => ("The test itself", "Testi itse"),
    };
    match language {
        English => english,
        Finnish => finnish,
    }
}
