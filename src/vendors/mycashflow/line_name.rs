//! The name of an order line, for people.

/// The product's name, with its variation's where that says something else.
pub(super) fn line_name(product: Option<String>, variation: Option<String>) -> Option<String> {
    match (product, variation) {
        (Some(product), Some(variation)) if !product.contains(&variation) => {
            Some(format!("{product}, {variation}"))
        }
        (product, variation) => product.or(variation),
    }
}
