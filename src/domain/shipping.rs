//! Maps a shipping method of the shop to a shipping code of the warehouse.

/// How the shop names an order's shipping method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShippingMethod {
    /// Its id in the shop; `None` where only its names are known.
    pub id: Option<String>,
    /// The method's own product code, the most reliable name.
    pub product_code: Option<String>,
    /// The name that shoppers see.
    pub name: Option<String>,
}

impl std::fmt::Display for ShippingMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> =
            [&self.product_code, &self.name].into_iter().flatten().map(|it| format!("{it:?}")).collect();
        f.write_str(if names.is_empty() { "(no longer listed in the shop)" } else { "" })?;
        f.write_str(&names.join(" / "))
    }
}

/// One line of `[connections.shipping]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingRule {
    /// A product code or a name; `*` matches anything; case is ignored.
    pub pattern: String,
    /// The warehouse's shipping code, as typed in Edit merchant; `leave` where the shop keeps the order.
    pub code: String,
    /// True where the shop's pickup points are the carrier's own, so that their ids may be passed on.
    pub pickup: bool,
}

impl ShippingRule {
    /// Whether its pattern or code has a control character: no name has one that anybody can see and type.
    pub fn has_control_characters(&self) -> bool {
        [&self.pattern, &self.code].iter().any(|text| text.chars().any(char::is_control))
    }

    /// True where its orders are never sent: they are collected from the shop.
    pub fn leaves_to_shop(&self) -> bool {
        self.code.eq_ignore_ascii_case("leave")
    }
}

/// Finds the rule for a method: an exact one before a pattern, a longer pattern before a shorter one.
pub fn match_rule<'a>(rules: &'a [ShippingRule], method: &ShippingMethod) -> Option<&'a ShippingRule> {
    let names = [method.product_code.as_deref(), method.name.as_deref()];
    rules
        .iter()
        .filter(|rule| names.iter().flatten().any(|name| matches_pattern(&rule.pattern, name)))
        .max_by_key(|rule| (!rule.pattern.contains('*'), rule.pattern.len()))
}

/// True where a rule matches the method that a text names in quotes, as [`ShippingMethod`] is shown.
pub fn matches_named_method(text: &str, rules: &[ShippingRule]) -> bool {
    let Some((_, quoted)) = text.split_once('"') else { return false };
    let names = quoted.trim_end().trim_end_matches('"').split("\" / \"");
    let matches = |name: &str| {
        let method = ShippingMethod { name: Some(name.to_owned()), ..ShippingMethod::default() };
        match_rule(rules, &method).is_some()
    };
    names.into_iter().any(matches)
}

/// The methods that a new rule of an operator decides about: no configured rule matches them, and no other rule by hand fits better.
pub fn methods_of_new_rule<'a>(
    methods: &'a [ShippingMethod],
    new: &ShippingRule,
    (configured, by_hand): (&[ShippingRule], &[ShippingRule]),
) -> Vec<&'a ShippingMethod> {
    let kept = by_hand.iter().filter(|rule| rule.pattern != new.pattern);
    let mut by_hand: Vec<_> = kept.chain([new]).cloned().collect();
    by_hand.sort_by(|one, other| one.pattern.cmp(&other.pattern));
    let decides = |method: &&ShippingMethod| {
        match_rule(configured, method).is_none() && match_rule(&by_hand, method) == Some(new)
    };
    methods.iter().filter(decides).collect()
}

/// Matches `name` against a pattern in which `*` stands for anything, ignoring case.
pub(in crate::domain) fn matches_pattern(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.trim().to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: &str) -> ShippingRule {
        ShippingRule { pattern: pattern.into(), code: pattern.into(), pickup: false }
    }

    #[test]
    fn star_matches_anything_and_case_is_ignored() {
        for (pattern, name, expected) in [
            ("POSTI-*", "posti-express", true),
            ("POSTI-*", "dhl", false),
            ("*parcel*", "Posti Parcel 14", true),
            ("a*b*c", "a-x-b-y-c", true),
            ("a*b*c", "a-c-b", false),
            ("ab*ba", "aba", false),
            ("DHL", "DHL ", true),
            ("*", "", true),
        ] {
            assert_eq!(matches_pattern(pattern, name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn method_is_found_in_the_text_that_names_it() {
        let method = ShippingMethod {
            product_code: Some("POSTI-14".into()),
            name: Some("Posti".into()),
            ..ShippingMethod::default()
        };
        let text = format!("no rule matches the order's shipping method {method}");
        assert!(
            matches_named_method(&text, &[rule("POSTI-*")]) && matches_named_method(&text, &[rule("posti")])
        );
        assert!(!matches_named_method(&text, &[rule("DHL")]) && !matches_named_method(&text, &[]));
        assert!(!matches_named_method("the order has no shipping method", &[rule("*")]));
    }

    #[test]
    fn new_rule_decides_about_what_no_other_rule_fits_better() {
        let named = |name: &str| ShippingMethod { name: Some(name.into()), ..ShippingMethod::default() };
        let methods = ["DHL", "DHL Express", "DHL Freight", "DHL Home", "UPS"].map(named);
        let (configured, by_hand) = ([rule("*home*")], [rule("DHL Exp*"), rule("DHL*")]);
        let new = ShippingRule { code: "Courier".into(), ..rule("DHL*") };
        let found = methods_of_new_rule(&methods, &new, (&configured, &by_hand));
        assert_eq!(found, [&methods[0], &methods[2]]);
    }

    #[test]
    fn most_exact_rule_wins_and_none_is_guessed() {
        let rules = [rule("*"), rule("POSTI-*"), rule("POSTI-14")];
        let method =
            |code: &str| ShippingMethod { product_code: Some(code.into()), ..ShippingMethod::default() };
        assert_eq!(match_rule(&rules, &method("POSTI-14")), Some(&rules[2]));
        assert_eq!(match_rule(&rules, &method("POSTI-15")), Some(&rules[1]));
        assert_eq!(match_rule(&rules, &method("DHL")), Some(&rules[0]));
        assert_eq!(match_rule(&rules[1..], &method("DHL")), None);
        assert_eq!(match_rule(&rules[1..], &ShippingMethod::default()), None);
    }
}
