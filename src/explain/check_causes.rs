//! Why a vendor or the public URL did not answer as it should, in both languages.

use crate::domain::{
    failed_call::{CallCause, FailedCall, Unreached},
    language::Language::{self, English, Finnish},
    public_url::PublicUrlFinding,
};

/// What a failed call came to.
pub(super) fn call_failure(failed: &FailedCall, language: Language) -> String {
    let FailedCall { host, cause, failure, message, .. } = failed;
    let text = match (cause, language) {
        (CallCause::Unreached(why), _) => unreached(host, why, language),
        (_, English) => format!("{host} {failure}"),
        (cause, Finnish) => format!("{host} {}", finnish(cause)),
    };
    match message {
        Some(message) => format!("{text}: {message}"),
        None => text,
    }
}

fn unreached(host: &str, why: &Unreached, language: Language) -> String {
    match (why, language) {
        (Unreached::UnknownName, English) => format!("{host} is a name that nobody knows"),
        (Unreached::PrivateAddress, English) => format!("{host} has no public address"),
        (Unreached::Refused, English) => format!("nothing listens at {host}"),
        (Unreached::Tls(why), English) => format!("TLS with {host} fails: {why}"),
        (Unreached::Timeout, English) => format!("{host} gives no answer in time"),
        (Unreached::Other(why), English) => format!("{host} cannot be reached: {why}"),
        (Unreached::UnknownName, Finnish) => format!("nimeä {host} ei ole"),
        (Unreached::PrivateAddress, Finnish) => format!("nimellä {host} ei ole julkista osoitetta"),
        (Unreached::Refused, Finnish) => format!("{host} ei ota yhteyksiä vastaan"),
        (Unreached::Tls(_), Finnish) => format!("suojattu yhteys osoitteeseen {host} ei onnistu"),
        (Unreached::Timeout, Finnish) => format!("{host} ei vastaa ajoissa"),
        (Unreached::Other(_), Finnish) => format!("osoitteeseen {host} ei saada yhteyttä"),
    }
}

const fn finnish(cause: &CallCause) -> &'static str {
    match cause {
        CallCause::KeyRefused => "ei hyväksy avainta (401)",
        CallCause::RightMissing => "vastaa, että avaimelta puuttuu oikeus (403)",
        CallCause::NotFound => "ei tunne pyydettyä osoitetta (404)",
        CallCause::Moved => "ohjaa toiseen osoitteeseen",
        CallCause::Limited => "rajoittaa kutsuja (429)",
        CallCause::OwnLimit => "jäi kysymättä: oma kutsuraja on käytetty",
        CallCause::WebPage => "vastasi verkkosivulla: huoltokatko tai väärä osoite",
        CallCause::VendorFault => "vastasi virheellä",
        CallCause::Unreached(_) => "ei vastaa",
        CallCause::Unreadable => "vastasi tavalla, jota ei voi lukea",
    }
}

/// Where the public URL leads.
pub(super) fn public_url(url: &str, leads: &PublicUrlFinding, language: Language) -> String {
    match language {
        English => public_url_in_english(url, leads),
        Finnish => public_url_in_finnish(url, leads),
    }
}

fn public_url_in_english(url: &str, leads: &PublicUrlFinding) -> String {
    match leads {
        PublicUrlFinding::NotSet => "is not set, so no vendor can call Silta".to_owned(),
        PublicUrlFinding::NoUrl => format!("{url} is no URL"),
        PublicUrlFinding::Private => format!("{url} is an address of this machine or of a private network"),
        PublicUrlFinding::Unreached { host, port, why } => match why {
            Unreached::UnknownName => format!("{host} is a name that nobody knows"),
            Unreached::Refused => format!("nothing listens at {host}, port {port}"),
            Unreached::Tls(why) => format!("TLS with {host} fails: {why}"),
            Unreached::Timeout => format!("{host}, port {port}, gives no answer in time"),
            Unreached::PrivateAddress | Unreached::Other(_) => format!("{url} cannot be reached: {why:?}"),
        },
        PublicUrlFinding::Here => format!("{url} leads to this Silta"),
        PublicUrlFinding::HereWithinNetwork => {
            format!("{url} leads to this Silta, by a private address: the vendors go another way")
        }
        PublicUrlFinding::HereWithoutTls => format!("{url} leads to this Silta, without TLS"),
        PublicUrlFinding::OtherSilta => {
            format!("{url} leads to another Silta, which works on another database")
        }
        PublicUrlFinding::Redirects { to, status } => format!("{url} leads to {to} (status {status})"),
        PublicUrlFinding::ProxyFails { status } => format!("the proxy at {url} answers {status}"),
        PublicUrlFinding::OtherServer { status } => {
            format!("another server answers at {url} (status {status})")
        }
    }
}

fn public_url_in_finnish(url: &str, leads: &PublicUrlFinding) -> String {
    match leads {
        PublicUrlFinding::NotSet => "puuttuu, joten kauppa ja varasto eivät voi kutsua Siltaa".to_owned(),
        PublicUrlFinding::NoUrl => format!("{url} ei ole verkko-osoite"),
        PublicUrlFinding::Private => format!("{url} on tämän koneen tai sisäverkon osoite"),
        PublicUrlFinding::Unreached { host, why, .. } => unreached(host, why, Finnish),
        PublicUrlFinding::Here => format!("{url} johtaa tähän Siltaan"),
        PublicUrlFinding::HereWithinNetwork => {
            format!(
                "{url} johtaa tähän Siltaan sisäverkon osoitteella: kauppa ja varasto kulkevat toista tietä"
            )
        }
        PublicUrlFinding::HereWithoutTls => format!("{url} johtaa tähän Siltaan ilman suojausta"),
        PublicUrlFinding::OtherSilta => format!("{url} johtaa toiseen Siltaan, jolla on eri tietokanta"),
        PublicUrlFinding::Redirects { to, .. } => format!("{url} johtaa osoitteeseen {to}"),
        PublicUrlFinding::ProxyFails { status } => {
            format!("välityspalvelin osoitteessa {url} vastaa {status}")
        }
        PublicUrlFinding::OtherServer { status } => {
            format!("osoitteessa {url} vastaa toinen palvelin ({status})")
        }
    }
}
