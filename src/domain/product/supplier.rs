//! Whose goods a product is, and whether it is stored at the warehouse.

/// Whose goods these are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Supplier {
    /// Not read: the connection's rules do not need it.
    #[default]
    NotRead,
    /// The shop names no supplier.
    Unnamed,
    /// This supplier.
    Named {
        /// The supplier's id in the shop.
        id: String,
        /// Its name, where the shop's list has it.
        name: Option<String>,
    },
    /// The shop no longer knows the product.
    Unknown,
}

/// Whether an item is stored at the warehouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The rules need its supplier, which is unknown.
    Unknown,
}
