//! An order's status as a merchant reads it.

use super::WarehouseStatus;

/// An order's status: the shop extension's own words, and one more for what needs attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum OrderStatus {
    /// It is not at the warehouse.
    NotTransferred,
    /// New or being collected.
    WaitingForCollection,
    /// The warehouse lacks stock for it.
    WaitingForProducts,
    /// The parcel has been shipped.
    Delivered,
    /// Cancelled, on either side.
    Cancelled,
    /// The parcel came back.
    Returned,
    /// The warehouse has it and will not ship it until somebody acts there.
    NeedsAttention,
}

impl OrderStatus {
    /// Every value.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The spelling in rows, URLs and filters.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses the spelling in a row.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// Derives the status from both sides; `warehouse` is `None` while the order is not there.
    pub fn of(warehouse: Option<&WarehouseStatus>, cancelled_in_shop: bool) -> Self {
        use WarehouseStatus as W;

        match warehouse {
            None if cancelled_in_shop => Self::Cancelled,
            None => Self::NotTransferred,
            Some(W::New | W::Collecting) => Self::WaitingForCollection,
            Some(W::Pending) => Self::WaitingForProducts,
            Some(W::Shipped | W::Delivered) => Self::Delivered,
            Some(W::Cancelled) => Self::Cancelled,
            Some(W::Returned) => Self::Returned,
            // An accepted POST does not mean that it ships.
            Some(W::Reserved | W::Draft | W::Locked | W::Unknown(_)) => Self::NeedsAttention,
        }
    }
}
