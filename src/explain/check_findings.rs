//! What the checks of a connection found, in both languages.

use std::time::Duration;

use chrono::TimeDelta;

use super::{
    check_causes::{call_failure, public_url},
    labels::vendor_name,
    moments::duration_text,
    switches::switch_text,
    webhooks::hint_text,
};
use crate::domain::{
    check::{Account, ClockOffset, Found, Obstacle, SignatureState},
    event::subject::SubjectKind,
    language::Language::{self, English, Finnish},
    switch::{Switch, Switches, switch_key},
    vendor::Vendor,
};

/// What was found.
pub fn check_finding(found: &Found, language: Language) -> String {
    match found {
        Found::Switches(all) => switches(*all, language),
        Found::Clock(offsets) => joined(offsets.iter().map(|it| clock(*it, language)), ", "),
        Found::Signatures(states) => joined(states.iter().flat_map(|it| signatures(it, language)), "; "),
        Found::NotChecked(obstacle) => not_checked(*obstacle, language),
        Found::CallFailed(failed) => call_failure(failed, language),
        Found::PublicUrl { url, leads } => public_url(url, leads, language),
        other => match language {
            English => english(other),
            Finnish => finnish(other),
        },
    }
}

fn english(found: &Found) -> String {
    match found {
        Found::Answers { host, account, products, .. } => {
            let whom = match account {
                None => String::new(),
                Some(Account::User(user)) => format!(" as {user}"),
                Some(Account::ApiKey) => " with an API key".to_owned(),
                Some(Account::Merchant(id)) => format!(" as merchant {id}"),
            };
            format!("{host} answers{whom}{}", noted(products.as_ref(), |count| format!("; {count} products")))
        }
        Found::OrdersApi { version, other } => {
            let also = noted(other.as_ref(), |other| format!("; {other} answers too"));
            format!("the order endpoints of {version} answer{also}")
        }
        Found::OtherOrdersApi { version, other } => {
            format!("the shop has no order endpoints of {version}, and has those of {other}")
        }
        Found::NoOrdersApi { version, other } => {
            format!("the shop has no order endpoints, neither of {version} nor of {other}")
        }
        Found::NoShippingRule { methods } => format!(
            "no rule at all: orders go without a shipping code. The shop has {}",
            if methods.is_empty() { "no shipping method".to_owned() } else { methods.join(", ") }
        ),
        Found::ShippingRules { unmatched, unused } => {
            let text = match unmatched.as_slice() {
                [] => "every shipping method has a rule".to_owned(),
                some => format!("no rule for {}", some.join(", ")),
            };
            if unused.is_empty() {
                text
            } else {
                format!("{text}; no method of the shop for {}", unused.join(", "))
            }
        }
        Found::Subscriptions { shop, warehouse, shop_has_list, url } => {
            let unlisted = if *shop_has_list { "" } else { " (it does not list them)" };
            format!("{shop} at the shop{unlisted}, {warehouse} at the warehouse call {url}")
        }
        Found::Registered { created, removed } => {
            let made = match created.as_slice() {
                [] => "every subscription existed already".to_owned(),
                some => format!("registered: {}", topics(some)),
            };
            if *removed == 0 {
                made
            } else {
                format!("{made}; {removed} that called a former address are removed")
            }
        }
        Found::Codes(0) => "every product code is unique and usable".to_owned(),
        Found::Codes(count) => format!("{count} codes cannot be sent:"),
        Found::Remarks(0) => "every product has an EAN and a code that the warehouse allows".to_owned(),
        Found::Remarks(count) => format!("{count} products lack what the warehouse asks for:"),
        Found::CatalogueStalled(_) => {
            "another process is reading the catalogue, and comes no further".to_owned()
        }
        Found::CatalogueUnread(why) => format!("the catalogue could not be read: {why}"),
        Found::OutOfTime => "it took too long: the rest was not checked".to_owned(),
        _ => "the database failed meanwhile: the rest was not checked".to_owned(),
    }
}

fn finnish(found: &Found) -> String {
    match found {
        Found::Answers { host, products, .. } => {
            format!("{host} vastaa{}", noted(products.as_ref(), |count| format!("; {count} tuotetta")))
        }
        Found::OrdersApi { version, other } => {
            let also = noted(other.as_ref(), |other| format!(", ja myös {other}"));
            format!("tilausten rajapinta {version} vastaa{also}")
        }
        Found::OtherOrdersApi { version, other } => {
            format!("kaupassa ei ole tilausten rajapintaa {version}, mutta {other} on")
        }
        Found::NoOrdersApi { version, other } => {
            format!("kaupassa ei ole tilausten rajapintaa, ei {version} eikä {other}")
        }
        Found::NoShippingRule { methods } => format!(
            "yhdelläkään toimitustavalla ei ole sääntöä: tilaukset lähtevät ilman varaston toimitustapaa. Kaupassa on {}",
            if methods.is_empty() { "0 toimitustapaa".to_owned() } else { methods.join(", ") }
        ),
        Found::ShippingRules { unmatched, unused } => {
            let text = match unmatched.as_slice() {
                [] => "jokaiselle toimitustavalle on valittu varaston toimitustapa".to_owned(),
                some => format!("varaston toimitustapaa ei ole valittu näille: {}", some.join(", ")),
            };
            if unused.is_empty() {
                text
            } else {
                format!("{text}; kaupassa ei ole näitä toimitustapoja: {}", unused.join(", "))
            }
        }
        Found::Subscriptions { shop, warehouse, shop_has_list, url } => {
            let unlisted = if *shop_has_list { "" } else { " (se ei luettele niitä)" };
            format!("{shop} kaupassa{unlisted} ja {warehouse} varastolla, osoitteeseen {url}")
        }
        Found::Registered { created, removed } => {
            let made = match created.as_slice() {
                [] => "kaikki oli jo rekisteröity".to_owned(),
                some => format!("rekisteröity: {}", topics(some)),
            };
            if *removed == 0 { made } else { format!("{made}; poistettu {removed}, joissa oli vanha osoite") }
        }
        Found::Codes(0) => "jokainen tuotekoodi on käyttökelpoinen ja eri kuin muut".to_owned(),
        Found::Codes(count) => format!("tuotekoodeja, joita ei voi viedä: {count}"),
        Found::Remarks(0) => "jokaisella tuotteella on EAN ja varastolle sopiva koodi".to_owned(),
        Found::Remarks(count) => format!("täydennettäviä tuotteita: {count}"),
        Found::CatalogueStalled(_) => "toinen palvelin lukee tuoteluetteloa eikä etene".to_owned(),
        Found::CatalogueUnread(_) => "tuoteluetteloa ei saatu luettua".to_owned(),
        Found::OutOfTime => "testi kesti liian kauan: loppua ei tarkistettu".to_owned(),
        _ => "tietokantaan ei saatu yhteyttä: loppua ei tarkistettu".to_owned(),
    }
}

fn switches(switches: Switches, language: Language) -> String {
    let withheld = SubjectKind::ALL.iter().filter(|kind| switches.of(**kind) != Switch::Automatic);
    let texts: Vec<_> = withheld
        .map(|kind| {
            let (key, switch) = (switch_key(*kind), switches.of(*kind));
            format!("{} ({key} = {:?})", switch_text(*kind, switch, language), switch.as_str())
        })
        .collect();
    match (texts.as_slice(), language) {
        ([], English) => "orders, products and stock figures are written automatically".to_owned(),
        ([], Finnish) => "tilaukset, tuotteet ja varastosaldot viedään automaattisesti".to_owned(),
        (some, _) => some.join("; "),
    }
}

fn clock(ClockOffset { vendor, seconds }: ClockOffset, language: Language) -> String {
    let side = match vendor {
        Vendor::MyCashflow => "shop",
        Vendor::Ogoship => "warehouse",
    };
    match (seconds, language) {
        (None, English) => format!("the {side} sends no time"),
        (Some(off), English) => format!("{off} s from the {side}'s"),
        (None, Finnish) => format!("{} ei kerro aikaa", vendor_name(vendor)),
        (Some(off), Finnish) => format!("ero {}: {off} s", vendor_name(vendor)),
    }
}

fn signatures(state: &SignatureState, language: Language) -> Vec<String> {
    let sender = state.vendor.as_str();
    let matched = match (state.matched_ago, language) {
        (Some(seconds), English) => {
            let ago = humantime::format_duration(Duration::from_secs(seconds.max(1))).to_string();
            format!(
                "{sender}: a signature matched {} ago",
                ago.split(' ').take(2).collect::<Vec<_>>().join(" ")
            )
        }
        (None, English) => format!("{sender}: no signature has matched yet"),
        (Some(seconds), Finnish) => {
            let ago =
                duration_text(TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1000)), Finnish);
            format!("{}: allekirjoitus täsmäsi {ago} sitten", vendor_name(state.vendor))
        }
        (None, Finnish) => {
            format!("{}: mikään allekirjoitus ei ole vielä täsmännyt", vendor_name(state.vendor))
        }
    };
    let hints = state.hints.iter().map(|hint| hint_text(hint, language));
    std::iter::once(matched).chain(hints).collect()
}

fn not_checked(obstacle: Obstacle, language: Language) -> String {
    let (english, finnish) = match obstacle {
        Obstacle::Shop => ("the check of the shop failed", "kaupan tarkistus epäonnistui"),
        Obstacle::Warehouse => ("the check of the warehouse failed", "varaston tarkistus epäonnistui"),
        Obstacle::BothVendors => ("no vendor answers", "kauppa ja varasto eivät vastaa"),
        Obstacle::NoPublicUrl => {
            ("http.public_url is not set", "julkista osoitetta http.public_url ei ole annettu")
        }
        Obstacle::Catalogue => ("the catalogue was not read", "tuoteluetteloa ei ole luettu"),
        Obstacle::Paused => ("the connection is paused", "yhteys on tauolla"),
        Obstacle::Down => (
            "the connection is down, and Silta tries by itself when it is back",
            "yhteys on poikki, ja Silta kokeilee itse, milloin se palaa",
        ),
    };
    match language {
        English => format!("not checked: {english}"),
        Finnish => format!("ei tarkistettu: {finnish}"),
    }
}

/// Topics with their vendor, as `mycashflow order.created`.
fn topics(created: &[(String, String)]) -> String {
    joined(created.iter().map(|(source, topic)| format!("{source} {topic}")), ", ")
}

fn noted<T>(value: Option<&T>, text: impl Fn(&T) -> String) -> String {
    value.map(text).unwrap_or_default()
}

fn joined(texts: impl Iterator<Item = String>, between: &str) -> String {
    texts.collect::<Vec<_>>().join(between)
}
