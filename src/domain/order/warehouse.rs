//! An order as the warehouse has it now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ShopOrder, ShopStatus};

/// An order at the warehouse, under exactly our reference.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WarehouseOrder {
    /// Its id there.
    pub id: Option<String>,
    /// Our reference, exactly.
    pub reference: String,
    /// Where it stands.
    pub status: WarehouseStatus,
    /// What it holds; empty where the warehouse did not say.
    pub lines: Vec<WarehouseLine>,
    /// Opaque; may hold several codes.
    pub tracking_code: Option<String>,
    /// As the warehouse gives it.
    pub tracking_url: Option<String>,
    /// Why it stands where it stands, in the warehouse's own words.
    pub comments: Option<String>,
    /// Its edit time, as told.
    pub version: Option<String>,
    /// Orders whose references begin with ours and go on: the warehouse splits waiting orders in two by itself, and
    /// then neither part is the whole (docs/contract.md §2.4).
    pub related: Vec<RelatedOrder>,
}

/// A line of an order at the warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarehouseLine {
    /// The product code.
    pub code: String,
    /// Pieces.
    pub quantity: i64,
}

/// An order that the warehouse made out of one of ours. It is never adopted, only shown and counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RelatedOrder {
    /// Ours, with something behind it.
    pub reference: String,
    /// Where it stands.
    pub status: WarehouseStatus,
    /// What it holds.
    pub lines: Vec<WarehouseLine>,
    /// Opaque; may hold several codes.
    pub tracking_code: Option<String>,
}

macro_rules! warehouse_statuses {
    ($($(#[$doc:meta])* $name:ident),+) => {
        /// The warehouse's word for where an order stands (docs/contract.md §2.4); compared in any case.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum WarehouseStatus {
            $($(#[$doc])* $name,)+
            /// A word that we do not know: kept, never acted upon.
            Unknown(String),
        }

        impl WarehouseStatus {
            /// Reads the warehouse's word.
            pub fn parse(word: &str) -> Self {
                $(if word.eq_ignore_ascii_case(stringify!($name)) { return Self::$name; })+
                Self::Unknown(word.to_owned())
            }

            /// The warehouse's word.
            pub fn as_str(&self) -> &str {
                match self { $(Self::$name => stringify!($name),)+ Self::Unknown(word) => word }
            }
        }
    };
}

warehouse_statuses! {
    /// To be moved to the warehouse.
    New,
    /// Being edited; will not ship.
    Draft,
    /// On hold until a person moves it; also where an order lands whose data the warehouse found wanting.
    Reserved,
    /// On hold, older word.
    Locked,
    /// In the warehouse's hands; stock is deducted.
    Collecting,
    /// Waits for stock.
    Pending,
    /// Not shipped.
    Cancelled,
    /// Packed, with or for the carrier.
    Shipped,
    /// The parcel came back.
    Returned
}

impl From<String> for WarehouseStatus {
    fn from(word: String) -> Self {
        Self::parse(&word)
    }
}

impl From<WarehouseStatus> for String {
    fn from(status: WarehouseStatus) -> Self {
        status.as_str().to_owned()
    }
}

impl WarehouseOrder {
    /// Pieces by code that the warehouse has taken off its free stock while the shop, having the order open, still
    /// counts them as reserved (docs/contract.md §2.4 says which status reserves or deducts).
    pub fn in_flight(&self, shop: &ShopOrder) -> Vec<(String, i64)> {
        let mut pieces: BTreeMap<&str, i64> = BTreeMap::new();
        if shop.status == ShopStatus::Open {
            let whole = std::iter::once((&self.status, &self.lines));
            let parts = self.related.iter().map(|part| (&part.status, &part.lines));
            let held = whole.chain(parts).filter(|(status, _)| status.holds_stock());
            for line in held.flat_map(|(_, lines)| lines).filter(|line| line.quantity > 0) {
                *pieces.entry(&line.code).or_default() += line.quantity;
            }
        }
        pieces.into_iter().map(|(code, pieces)| (code.to_owned(), pieces)).collect()
    }
}

impl WarehouseStatus {
    /// Are its pieces reserved for it, or deducted, and so not free for other orders?
    const fn holds_stock(&self) -> bool {
        match self {
            Self::New | Self::Reserved | Self::Locked | Self::Pending | Self::Collecting | Self::Shipped => {
                true
            }
            Self::Draft | Self::Cancelled | Self::Returned | Self::Unknown(_) => false,
        }
    }

    /// Has it left the house at some time? Then the shop may be told.
    pub const fn has_shipped(&self) -> bool {
        matches!(self, Self::Shipped | Self::Returned)
    }

    /// Can it still be called off or fixed there without asking anybody?
    pub const fn is_uncollected(&self) -> bool {
        matches!(self, Self::New | Self::Draft | Self::Reserved | Self::Locked | Self::Pending)
    }

    /// The later of what we knew and what we read: a parcel that has left does not come back into the house by a
    /// reading that lags, only by being returned.
    pub fn after(self, known: Option<&str>) -> Self {
        match known.map(Self::parse) {
            Some(known @ Self::Returned) => known,
            Some(known @ Self::Shipped) if self != Self::Returned => known,
            _ => self,
        }
    }
}
