//! An order as the warehouse has it now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ShopOrder, ShopStatus};
use crate::domain::{Timestamp, product::CodeKey};

/// An order at the warehouse with exactly our reference.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WarehouseOrder {
    /// Its id there.
    pub id: Option<String>,
    /// Our reference, exactly.
    pub reference: String,
    /// Its status.
    pub status: WarehouseStatus,
    /// Its lines; empty where the warehouse did not list them.
    pub lines: Vec<WarehouseLine>,
    /// Opaque; may hold several codes.
    pub tracking_code: Option<String>,
    /// As the warehouse gives it.
    pub tracking_url: Option<String>,
    /// Why it has this status, in the warehouse's own words.
    pub comments: Option<String>,
    /// Its edit time, as the warehouse spells it.
    pub version: Option<String>,
    /// The same as a time; `None` where it cannot be read.
    #[serde(default)]
    pub edited_at: Option<Timestamp>,
    /// The statuses of further orders with exactly our reference.
    #[serde(default)]
    pub twins: Vec<WarehouseStatus>,
    /// What is known of the parcel beyond its status, in the warehouse's own word.
    #[serde(default)]
    pub parcel_state: Option<String>,
    /// The reference of the order that the warehouse made it from, where it made it.
    #[serde(default)]
    pub origin: Option<String>,
    /// Orders that belong to ours: the parts into which the warehouse split it, exchange orders that the warehouse
    /// made, replacements (docs/contract.md §2.4).
    pub related: Vec<RelatedOrder>,
    /// Fields above that decide something and cannot be read; their values stand for nothing.
    #[serde(default)]
    pub unreadable: Vec<String>,
}

/// A line of an order at the warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarehouseLine {
    /// The product code.
    pub code: String,
    /// Pieces.
    pub quantity: i64,
}

/// An order that belongs to one of ours. It is never adopted as the order itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RelatedOrder {
    /// Our reference with a suffix, or one of the warehouse's own.
    pub reference: String,
    /// Its status.
    pub status: WarehouseStatus,
    /// Its lines.
    pub lines: Vec<WarehouseLine>,
    /// Opaque; may hold several codes.
    pub tracking_code: Option<String>,
    /// True for an order that the warehouse made by itself after the parcel, and that is no part of it.
    #[serde(default)]
    pub is_exchange: bool,
}

impl WarehouseOrder {
    /// The same as an order that belongs to another one.
    pub fn into_related(self, is_exchange: bool) -> RelatedOrder {
        let Self { reference, status, lines, tracking_code, .. } = self;
        RelatedOrder { reference, status, lines, tracking_code, is_exchange }
    }

    /// The parts into which the warehouse split it.
    pub fn parts(&self) -> impl Iterator<Item = &RelatedOrder> {
        let is_part = |it: &&RelatedOrder| {
            !it.is_exchange && replacement_number(&it.reference, &self.reference).is_none()
        };
        self.related.iter().filter(is_part)
    }

    /// Counts the pieces, by code, that the warehouse has taken off its free stock while the shop, having the
    /// order open, still counts them as reserved (docs/contract.md §2.4 says which status reserves or
    /// deducts). `was_completed`: the shop has taken what was shipped off its own stock already.
    pub fn in_flight(&self, shop: &ShopOrder, was_completed: bool) -> Vec<(String, i64)> {
        let mut pieces: BTreeMap<CodeKey, (&str, i64)> = BTreeMap::new();
        if shop.status == ShopStatus::Open {
            let whole = std::iter::once((&self.status, &self.lines));
            let parts = self.parts().map(|part| (&part.status, &part.lines));
            let main = whole.chain(parts).filter(|(status, _)| !(was_completed && status.has_shipped()));
            let is_replacement =
                |it: &&RelatedOrder| replacement_number(&it.reference, &self.reference).is_some();
            let replacements = self.related.iter().filter(is_replacement);
            let open = replacements.filter(|it| !it.status.has_shipped()).map(|it| (&it.status, &it.lines));
            let reserved = main.chain(open).filter(|(status, _)| status.holds_stock());
            for line in reserved.flat_map(|(_, lines)| lines).filter(|line| line.quantity > 0) {
                pieces.entry(CodeKey::of(&line.code)).or_insert((&line.code, 0)).1 += line.quantity;
            }
        }
        pieces.into_values().map(|(code, pieces)| (code.to_owned(), pieces)).collect()
    }
}

/// The reference of a replacement of an order: `kauppa-1042-R1`.
pub(super) fn replacement_reference(order: &str, number: u32) -> String {
    format!("{order}-R{number}")
}

/// The number of a replacement of this order; `None` where the reference is none.
pub(super) fn replacement_number(reference: &str, order: &str) -> Option<u32> {
    let (start, suffix) = reference.split_at_checked(order.len())?;
    let number = suffix.strip_prefix("-R").or_else(|| suffix.strip_prefix("-r"))?;
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
    (start.eq_ignore_ascii_case(order) && is_plain).then(|| number.parse().ok()).flatten()
}

/// The warehouse's status of an order (docs/contract.md §2.4), parsed in any case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::EnumString, strum::IntoStaticStr)]
#[serde(from = "String", into = "String")]
#[strum(ascii_case_insensitive)]
pub enum WarehouseStatus {
    /// To be collected.
    New,
    /// Being edited; will not ship.
    Draft,
    /// On hold until somebody moves it; also for an order whose data the warehouse found incomplete.
    Reserved,
    /// On hold, an older spelling.
    Locked,
    /// Being collected; stock is deducted.
    Collecting,
    /// Waits for stock.
    Pending,
    /// Not shipped.
    Cancelled,
    /// Packed, with or for the carrier.
    Shipped,
    /// The carrier has handed the parcel over.
    Delivered,
    /// The parcel came back.
    Returned,
    /// A status that Silta does not know: kept, never acted upon.
    #[strum(default)]
    Unknown(String),
}

impl WarehouseStatus {
    /// Parses the warehouse's spelling.
    pub fn parse(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self::Unknown(text.to_owned()))
    }

    /// The warehouse's spelling.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unknown(text) => text,
            known => known.into(),
        }
    }

    /// True where its pieces are reserved or deducted, and so not free for other orders.
    const fn holds_stock(&self) -> bool {
        match self {
            Self::New
            | Self::Reserved
            | Self::Locked
            | Self::Pending
            | Self::Collecting
            | Self::Shipped
            | Self::Delivered => true,
            Self::Draft | Self::Cancelled | Self::Returned | Self::Unknown(_) => false,
        }
    }

    /// True once the parcel has left the warehouse: the shop may then be updated.
    pub const fn has_shipped(&self) -> bool {
        matches!(self, Self::Shipped | Self::Delivered | Self::Returned)
    }

    /// True while it can be cancelled or edited there without asking anybody.
    pub const fn is_uncollected(&self) -> bool {
        matches!(self, Self::New | Self::Draft | Self::Reserved | Self::Locked | Self::Pending)
    }

    /// Returns the later of the known status and this one. Only a return brings a shipped parcel back, never
    /// a read that lags or a word that Silta does not know.
    pub fn or_later_known(self, known: Option<&str>) -> Self {
        match known.map(Self::parse) {
            Some(known @ Self::Returned) => known,
            Some(known @ Self::Delivered) if self != Self::Returned => known,
            Some(known @ Self::Shipped) if !matches!(self, Self::Returned | Self::Delivered) => known,
            _ => self,
        }
    }
}

impl From<String> for WarehouseStatus {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<WarehouseStatus> for String {
    fn from(status: WarehouseStatus) -> Self {
        status.as_str().to_owned()
    }
}
