//! Where an event came from.

/// Where an event came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Source {
    /// A verified webhook of the shop.
    MyCashflow,
    /// A verified webhook of the warehouse.
    Ogoship,
    /// A poll.
    Poll,
    /// An operator's request.
    Operator,
}

impl Source {
    /// The spelling of every value.
    pub const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;

    /// The spelling in rows and labels.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// True for what happens now; false for what a poll or an operator found later.
    pub const fn is_live(self) -> bool {
        match self {
            Self::MyCashflow | Self::Ogoship => true,
            Self::Poll | Self::Operator => false,
        }
    }
}
