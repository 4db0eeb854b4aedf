//! The recipient of a parcel, and whether the warehouse accepts its fields.

use serde::Serialize;

/// The recipient of a parcel. Personal data: it has no `Display`, and its `Debug` shows only the country.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Recipient {
    /// First and last name.
    pub name: String,
    /// Company, where there is one.
    pub company: Option<String>,
    /// Street and number.
    pub street: String,
    /// What does not fit into `street`: the shop has one field, the warehouse two.
    pub street_2: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// City.
    pub city: String,
    /// Two letters, upper case.
    pub country: String,
    /// Phone, which many carriers require.
    pub phone: Option<String>,
    /// E-mail.
    pub email: Option<String>,
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipient").field("country", &self.country).finish_non_exhaustive()
    }
}

impl Recipient {
    /// Fits the street into the warehouse's two fields: one of several lines, or too long for one, is split.
    pub(super) fn fit_fields(mut self, longest: usize) -> Self {
        let street = std::mem::take(&mut self.street);
        let (first, rest) = match street.split_once('\n') {
            Some((first, rest)) => (first.trim(), rest.split_whitespace().collect::<Vec<_>>().join(" ")),
            None => split_long(street.trim(), longest),
        };
        first.clone_into(&mut self.street);
        self.street_2 = Some(rest).filter(|rest| !rest.is_empty());
        self
    }

    /// Lists every field that the warehouse would reject, with what to do about it (docs/contract.md §2.3);
    /// never a value. `longest` is in characters; 0 checks no length.
    pub(super) fn find_faults(&self, longest: usize) -> Vec<String> {
        let Self { name, company, street, street_2, postal_code, city, country, phone, email } = self;
        let mut faults = Vec::new();
        for (field, value) in [("name", name), ("street_address", street), ("city", city)] {
            if value.is_empty() {
                faults.push(format!("{field} is missing"));
            }
        }
        if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            faults.push("country must be two letters".to_owned());
        }
        let optional = |value: &Option<String>| value.as_ref().map_or(0, |text| text.chars().count());
        let lengths = [
            ("name", name.chars().count()),
            ("company", optional(company)),
            ("street_address", street.chars().count().max(optional(street_2))),
            ("postal_code", optional(postal_code)),
            ("city", city.chars().count()),
            ("phone", optional(phone)),
            ("email", optional(email)),
        ];
        for (field, length) in lengths {
            if longest > 0 && length > longest {
                faults.push(format!("{field} has {length} characters, at most {longest} fit"));
            }
        }
        faults
    }
}

/// Splits at the last space before the limit. Without a space nothing is split, and the length is a fault.
fn split_long(street: &str, longest: usize) -> (&str, String) {
    if longest == 0 || street.chars().count() <= longest {
        return (street, String::new());
    }
    let end = street.char_indices().nth(longest + 1).map_or(street.len(), |(at, _)| at);
    match street[..end].rfind(' ') {
        Some(at) => (street[..at].trim_end(), street[at..].trim().to_owned()),
        None => (street, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(street: &str, longest: usize) -> (String, Option<String>) {
        let recipient = Recipient { street: street.into(), ..Recipient::default() }.fit_fields(longest);
        (recipient.street, recipient.street_2)
    }

    #[test]
    fn long_street_is_split_between_words() {
        assert_eq!(fitted("Short 1", 20), ("Short 1".into(), None));
        assert_eq!(fitted("Katu 1\nRappu B", 20), ("Katu 1".into(), Some("Rappu B".into())));
        assert_eq!(fitted("Mäkelänkatu 1 rappu B", 13), ("Mäkelänkatu 1".into(), Some("rappu B".into())));
        assert_eq!(fitted("Mäkelänkatu 1 rappu B", 12), ("Mäkelänkatu".into(), Some("1 rappu B".into())));
        assert_eq!(fitted("Inawordwithoutblanks", 5), ("Inawordwithoutblanks".into(), None));
    }

    #[test]
    fn every_faulty_field_is_named_without_its_value() {
        let recipient = Recipient {
            name: "Åke".repeat(5),
            street: "Home 1".into(),
            country: "Finland".into(),
            ..Recipient::default()
        };
        let expected =
            ["city is missing", "country must be two letters", "name has 15 characters, at most 10 fit"];
        assert_eq!(recipient.find_faults(10), expected);
        assert_eq!(recipient.find_faults(0), expected[..2]);
    }
}
