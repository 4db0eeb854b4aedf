//! The one word that a merchant reads: where is this order?

use super::WarehouseStatus;

macro_rules! order_statuses {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal / $label:literal),+ $(,)?) => {
        /// Where an order stands, in the words of the shop's own extension, and one more for what needs a person.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum OrderStatus { $($(#[doc = $doc])+ $name),+ }

        impl OrderStatus {
            /// Every status.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word in rows, URLs and filters.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// The words on a page.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),+ }
            }
        }
    };
}

order_statuses! {
    /// It is not at the warehouse.
    NotTransferred = "not_transferred" / "not yet transferred",
    /// New or being collected.
    WaitingForCollection = "waiting_for_collection" / "waiting for collection and delivery",
    /// The warehouse lacks stock for it.
    WaitingForProducts = "waiting_for_products" / "waiting for products",
    /// The parcel has left.
    Delivered = "delivered" / "delivered",
    /// Called off, on either side.
    Cancelled = "cancelled" / "cancelled",
    /// The parcel came back.
    Returned = "returned" / "returned",
    /// The warehouse took it and will not ship it until a person has acted there.
    NeedsAttention = "needs_attention" / "needs attention at the warehouse",
}

impl OrderStatus {
    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.as_str() == word)
    }

    /// The status of an order, from where it stands on either side; `warehouse` is `None` while it is not there.
    pub fn of(warehouse: Option<&WarehouseStatus>, cancelled_in_shop: bool) -> Self {
        use WarehouseStatus as W;

        match warehouse {
            None if cancelled_in_shop => Self::Cancelled,
            None => Self::NotTransferred,
            Some(W::New | W::Collecting) => Self::WaitingForCollection,
            Some(W::Pending) => Self::WaitingForProducts,
            Some(W::Shipped) => Self::Delivered,
            Some(W::Cancelled) => Self::Cancelled,
            Some(W::Returned) => Self::Returned,
            // A successful POST does not mean that it ships.
            Some(W::Reserved | W::Draft | W::Locked | W::Unknown(_)) => Self::NeedsAttention,
        }
    }
}
