//! Which shipping code of the warehouse stands for a shipping method of the shop.

/// How the shop names an order's shipping method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShippingMethod {
    /// The method's own product code, the surest name.
    pub product_code: Option<String>,
    /// The name shown to shoppers.
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
    /// A product code or a name; `*` stands for anything; case does not matter.
    pub pattern: String,
    /// The warehouse's shipping code, as typed in Edit merchant.
    pub code: String,
    /// True where the shop's pickup points are the carrier's own, so that their ids may be passed on.
    pub pickup: bool,
}

/// The rule for a method: an exact one before a pattern, a longer pattern before a shorter one, never a guess.
pub fn match_rule<'a>(rules: &'a [ShippingRule], method: &ShippingMethod) -> Option<&'a ShippingRule> {
    let names = [method.product_code.as_deref(), method.name.as_deref()];
    rules
        .iter()
        .filter(|rule| names.iter().flatten().any(|name| matches_pattern(&rule.pattern, name)))
        .max_by_key(|rule| (!rule.pattern.contains('*'), rule.pattern.len()))
}

/// Does `name` match a pattern in which `*` stands for anything, in any case?
fn matches_pattern(pattern: &str, name: &str) -> bool {
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
    fn a_star_stands_for_anything_and_case_does_not_matter() {
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
    fn the_most_exact_rule_wins_and_no_rule_is_ever_guessed() {
        let rules = [rule("*"), rule("POSTI-*"), rule("POSTI-14")];
        let method = |code: &str| ShippingMethod { product_code: Some(code.into()), name: None };
        assert_eq!(match_rule(&rules, &method("POSTI-14")), Some(&rules[2]));
        assert_eq!(match_rule(&rules, &method("POSTI-15")), Some(&rules[1]));
        assert_eq!(match_rule(&rules, &method("DHL")), Some(&rules[0]));
        assert_eq!(match_rule(&rules[1..], &method("DHL")), None);
        assert_eq!(match_rule(&rules[1..], &ShippingMethod::default()), None);
    }
}
