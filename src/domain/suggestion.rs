//! What a misspelt word was meant to be.

/// The known word that is nearest to a given one, if it is near enough to be meant.
pub fn closest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    let allowed = (given.chars().count() / 3).clamp(1, 3);
    let distances =
        known.into_iter().map(|word| (strsim::damerau_levenshtein(&given, &word.to_lowercase()), word));
    distances
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|it| it.1)
}

/// Says what was probably meant, and what there is.
pub fn did_you_mean(given: &str, known: &[&str]) -> String {
    let meant = closest(given, known.iter().copied());
    let meant = meant.map(|word| format!("did you mean {word}? ")).unwrap_or_default();
    match known {
        [] => "there are none".to_owned(),
        known => format!("{meant}there are: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_word_is_suggested_if_it_is_near_enough() {
        let known = ["listen", "public_url", "proxies", "timeout"];
        for (given, expected) in [
            ("lissten", Some("listen")),
            ("LISTEN", Some("listen")),
            ("publik_url", Some("public_url")),
            ("tiemout", Some("timeout")),
            ("colour", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(closest(given, known), expected, "{given}");
        }
        assert_eq!(
            did_you_mean("kaupa", &["kauppa", "toinen"]),
            "did you mean kauppa? there are: kauppa, toinen"
        );
        assert_eq!(did_you_mean("other", &["kauppa"]), "there are: kauppa");
        assert_eq!(did_you_mean("other", &[]), "there are none");
    }
}
