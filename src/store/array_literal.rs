//! Arrays within arrays: `unnest` takes an array of arrays apart to its last element, so each is passed as text.

/// An array of numbers as PostgreSQL spells it.
pub(super) fn array_literal(numbers: &[impl ToString]) -> String {
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", numbers.join(","))
}
