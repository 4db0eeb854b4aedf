//! What is wrong with a rejected signature, and what a key is for, in both languages.

use crate::domain::language::Language;

/// Returns what a hint means; the hint itself where a newer Silta wrote it.
pub fn hint_text(hint: &str, language: Language) -> String {
    let (english, finnish) = match hint {
        "header_missing" => (
            "The header is missing: the configuration names another one, or a proxy removed it.",
            "Otsake puuttuu: asetuksissa on eri nimi, tai välityspalvelin on poistanut sen.",
        ),
        "other_header" => (
            "Another header holds the right signature: silta webhooks detect names it.",
            "Oikea allekirjoitus on toisessa otsakkeessa: silta webhooks detect kertoo, missä.",
        ),
        "not_a_signature" => (
            "The header holds no HMAC-SHA256, in hex or base64.",
            "Otsakkeessa ei ole HMAC-SHA256-allekirjoitusta heksa- eikä base64-muodossa.",
        ),
        "other_encoding" => (
            "The signature is right, in another encoding than the configured one.",
            "Allekirjoitus on oikea, mutta koodattu toisin kuin asetuksissa.",
        ),
        "altered_body" => (
            "The signature is right for the body as it was before something altered its white space on the way.",
            "Allekirjoitus on oikea sisällölle, jonka välilyöntejä jokin on muuttanut matkalla.",
        ),
        "wrong_key" => (
            "The key is another one, or the body was altered on the way.",
            "Avain on eri, tai sisältö on muuttunut matkalla.",
        ),
        "not_examined" => ("Not examined: one a second is.", "Ei tutkittu: yksi sekunnissa tutkitaan."),
        other => return other.to_owned(),
    };
    match language {
        Language::English => english,
        Language::Finnish => finnish,
    }
    .to_owned()
}

/// Returns what a key is for.
pub fn purpose_text(purpose: &str, language: Language) -> String {
    let (english, finnish) = match purpose {
        "mycashflow_webhook" => ("webhooks of the shop", "kaupan webhookit"),
        "ogoship_webhook" => ("webhooks of the warehouse", "varaston webhookit"),
        "admin_token" => ("dashboard and API", "hallintasivut ja rajapinta"),
        other => return other.to_owned(),
    };
    match language {
        Language::English => english,
        Language::Finnish => finnish,
    }
    .to_owned()
}
