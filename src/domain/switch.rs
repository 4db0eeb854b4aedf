//! Switches: whether a connection's orders, products and stock figures are written by themselves, when a person asks, or
//! not at all.

use super::{event::subject::SubjectKind, sync::SyncKind, task::reason::Reason};

/// Whether something of a kind is written at a vendor.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// By itself.
    #[default]
    Automatic,
    /// When a person asks for it. Until then it is decided and shown.
    Manual,
    /// Never, even where a person asks.
    Off,
}

impl Switch {
    /// Every value.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The spelling in the configuration and in rows.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The three switches of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Switches {
    /// `orders.transfer`
    pub orders: Switch,
    /// `products.upload`
    pub products: Switch,
    /// `stock.update`
    pub stock: Switch,
}

impl Switches {
    /// The switch of what a sync compares.
    pub const fn of_sync(self, kind: SyncKind) -> Switch {
        self.of(kind.subject())
    }

    /// The switch of a kind of subject.
    pub const fn of(self, kind: SubjectKind) -> Switch {
        match kind {
            SubjectKind::Order => self.orders,
            SubjectKind::Product => self.products,
            SubjectKind::Stock => self.stock,
        }
    }

    /// Why nothing may be written for a subject now; `None` where it may. `is_asked`: a person has asked for it. Whether an
    /// order may be sent by hand is decided with everything else about it (`order::decide`), so only "off" withholds it here.
    pub fn withholds(self, kind: SubjectKind, is_asked: bool) -> Option<Reason> {
        match (self.of(kind), kind) {
            (Switch::Automatic, _) | (Switch::Manual, SubjectKind::Order) => None,
            (Switch::Manual, _) if is_asked => None,
            (Switch::Manual, SubjectKind::Product) => Some(Reason::ManualUpload),
            (Switch::Manual, SubjectKind::Stock) => Some(Reason::ManualStockUpdate),
            (Switch::Off, SubjectKind::Order) => Some(Reason::TransferOff),
            (Switch::Off, SubjectKind::Product) => Some(Reason::UploadOff),
            (Switch::Off, SubjectKind::Stock) => Some(Reason::StockUpdateOff),
        }
    }
}

/// The configuration key of the switch of a kind of subject.
pub const fn switch_key(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Order => "orders.transfer",
        SubjectKind::Product => "products.upload",
        SubjectKind::Stock => "stock.update",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_automatic_writes_unasked() {
        let all = |switch| Switches { orders: switch, products: switch, stock: switch };
        for kind in SubjectKind::ALL.iter().copied() {
            assert_eq!(all(Switch::Automatic).withholds(kind, false), None);
            assert!(all(Switch::Off).withholds(kind, true).is_some(), "{kind}: not even asked");
        }
        let manual = all(Switch::Manual);
        assert_eq!(manual.withholds(SubjectKind::Product, false), Some(Reason::ManualUpload));
        assert_eq!(manual.withholds(SubjectKind::Stock, false), Some(Reason::ManualStockUpdate));
        assert_eq!(manual.withholds(SubjectKind::Product, true), None);
        assert_eq!(manual.withholds(SubjectKind::Stock, true), None);
    }
}
