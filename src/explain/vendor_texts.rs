//! Texts that leave open which vendor they mean, with the name of the one that it was.

use super::labels::vendor_name;
use crate::domain::{
    language::Language::{self, English, Finnish},
    vendor::Vendor,
};

/// How texts name either vendor in Finnish, and how each of them alone.
const FORMS: &[(&str, &str, &str)] = &[
    ("MyCashflow’hun tai OGOshipiin", "MyCashflow’hun", "OGOshipiin"),
    ("MyCashflow’ssa tai OGOshipissa", "MyCashflow’ssa", "OGOshipissa"),
    ("MyCashflow’sta tai OGOshipista", "MyCashflow’sta", "OGOshipista"),
    ("MyCashflow’n tai OGOshipin", "MyCashflow’n", "OGOshipin"),
    ("MyCashflow tai OGOship", "MyCashflow", "OGOship"),
];

/// A text with the name of the vendor that it means, where that is known.
pub fn with_vendor(text: &str, vendor: Option<Vendor>, language: Language) -> String {
    let Some(vendor) = vendor else { return text.to_owned() };
    match language {
        English => text.replace("MyCashflow or OGOship", vendor_name(vendor)),
        Finnish => FORMS.iter().fold(text.to_owned(), |text, (either, shop, warehouse)| {
            text.replace(either, if vendor == Vendor::MyCashflow { shop } else { warehouse })
        }),
    }
}

/// The words of a refusal that name a field, and the field in English and in Finnish. What says more comes first.
const FIELDS: &[(&[&str], &str, &str)] = &[
    (&["phone", "phonenumber", "mobile", "telephone"], "phone number", "puhelinnumero"),
    (&["email", "mail"], "email address", "sähköpostiosoite"),
    (&["postal", "postalcode", "postcode", "zip", "zipcode"], "postal code", "postinumero"),
    (&["city"], "city", "postitoimipaikka"),
    (&["country", "countrycode"], "country", "maa"),
    (&["company", "companyname"], "company", "yritys"),
    (&["shippingcode", "shippingmethod"], "shipping method", "toimitustapa"),
    (&["productcode", "sku"], "product code", "tuotekoodi"),
    (&["quantity"], "quantity", "kappalemäärä"),
    (&["street", "streetaddress", "address", "address1", "address2"], "street address", "katuosoite"),
    (&["name", "firstname", "lastname"], "name", "nimi"),
];

/// The field that a vendor's refusal is about, if its words name one that is known.
pub fn refused_field(message: &str, language: Language) -> Option<&'static str> {
    let is_between = |letter: char| !letter.is_alphanumeric() && letter != '_';
    let words: Vec<_> = message.split(is_between).map(|word| word.replace('_', "").to_lowercase()).collect();
    let named = FIELDS.iter().find(|(names, ..)| words.iter().any(|word| names.contains(&word.as_str())));
    named.map(|(_, english, finnish)| if language == English { *english } else { *finnish })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_vendor_is_named_in_every_form() {
        let text = "MyCashflow or OGOship refused the request.";
        assert_eq!(with_vendor(text, Some(Vendor::Ogoship), English), "OGOship refused the request.");
        assert_eq!(with_vendor(text, None, English), text);
        let text = "MyCashflow’hun tai OGOshipiin ei saatu yhteyttä. MyCashflow tai OGOship vastasi.";
        let shop = "MyCashflow’hun ei saatu yhteyttä. MyCashflow vastasi.";
        assert_eq!(with_vendor(text, Some(Vendor::MyCashflow), Finnish), shop);
    }

    #[test]
    fn refusal_names_its_field() {
        let field = |message| refused_field(message, English);
        assert_eq!(field("customer.phone is not a valid phone number"), Some("phone number"));
        assert_eq!(field("Unknown shippingCode"), Some("shipping method"));
        assert_eq!(field("delivery_address.postal_code: too long"), Some("postal code"));
        assert_eq!(refused_field("The email address is invalid", Finnish), Some("sähköpostiosoite"));
        assert_eq!(field("something is wrong"), None);
    }
}
