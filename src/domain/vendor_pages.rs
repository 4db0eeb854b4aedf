//! The vendors' own pages of an order, where a merchant has configured their addresses.

/// Stands for the order in an address.
pub const PLACE: &str = "{id}";

/// The addresses of a connection; each is absent unless the configuration names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VendorPages {
    /// An order in the shop's administration, with `{id}` for its number.
    pub shop_order: Option<String>,
    /// An order in the warehouse's portal, with `{id}` for our reference.
    pub warehouse_order: Option<String>,
    /// The warehouse's shipping calculator.
    pub calculator: Option<String>,
}

impl VendorPages {
    /// The address of an order in the shop.
    pub fn shop_order(&self, number: &str) -> Option<String> {
        self.shop_order.as_deref().map(|address| filled(address, number))
    }

    /// The address of an order at the warehouse.
    pub fn warehouse_order(&self, reference: &str) -> Option<String> {
        self.warehouse_order.as_deref().map(|address| filled(address, reference))
    }
}

/// Puts an id into an address, with nothing in it that could end or change the address.
fn filled(address: &str, id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let encoded: String = id
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    address.replace(PLACE, &encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_cannot_change_the_address() {
        assert_eq!(filled("https://a.example/o/{id}?x=1", "1042"), "https://a.example/o/1042?x=1");
        assert_eq!(filled("https://a.example/{id}", "../?x#ä"), "https://a.example/..%2F%3Fx%23%C3%A4");
        assert_eq!(VendorPages::default().shop_order("1"), None);
    }
}
