//! The calls to vendors in words.

use crate::domain::language::Language;

/// What a call does. One that this program does not name was written by another version.
pub fn call_text(call: &str, language: Language) -> &'static str {
    let (english, finnish) = words(call);
    match language {
        Language::English => english,
        Language::Finnish => finnish,
    }
}

fn words(call: &str) -> (&'static str, &'static str) {
    match call {
        "read_order" => ("Read the order", "Lue tilaus"),
        "find_order" | "search_order" => ("Look for the order", "Etsi tilaus"),
        "place_order" => ("Place the order", "Luo tilaus"),
        "edit_order" => ("Change the order", "Muuta tilausta"),
        "cancel_order" => ("Cancel the order", "Peru tilaus"),
        "quick_process" => ("Complete the order", "Merkitse tilaus käsitellyksi"),
        "complete_shipment" => ("Complete the shipment", "Merkitse lähetys käsitellyksi"),
        "activate_payment" => ("Activate the payment", "Aktivoi maksu"),
        "write_tracking" => ("Write the tracking code", "Kirjoita seurantatunnus"),
        "list_shipping_methods" => ("Read the shipping methods", "Lue toimitustavat"),
        "list_payment_methods" => ("Read the payment methods", "Lue maksutavat"),
        "list_suppliers" => ("Read the suppliers", "Lue toimittajat"),
        "read_product" | "confirm_product" => ("Read the product", "Lue tuote"),
        "create_product" => ("Create the product", "Luo tuote"),
        "update_product" | "rename_product" => ("Change the product", "Muuta tuotetta"),
        "read_stock" => ("Read the stock", "Lue varastosaldo"),
        "set_stock" => ("Write the stock figure", "Kirjoita varastosaldo"),
        "confirm_not_found" => ("Ask again whether it is missing", "Varmista, että se puuttuu"),
        "grant_token" => ("Sign in", "Kirjaudu"),
        "ask_date" => ("Ask for the time", "Kysy kellonaika"),
        _ => ("Another call", "Muu kutsu"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_calls_have_words_and_others_no_code() {
        assert_eq!(call_text("place_order", Language::Finnish), "Luo tilaus");
        assert_eq!(call_text("dance_order", Language::English), "Another call");
    }
}
