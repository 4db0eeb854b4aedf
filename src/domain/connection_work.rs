//! What an operator asks of a connection's vendors from its page: it runs in the background, and the newest of each kind is
//! kept with its result.

use std::time::Duration;

use chrono::TimeDelta;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum WorkKind {
    /// Reads both sides, and changes nothing.
    Test,
    /// Registers the webhooks that are missing at both vendors.
    Register,
}

impl WorkKind {
    /// Every value.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The spelling in rows.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// After this it is cut off. A registration is not: a vendor may just be making a subscription whose key nobody would know
    /// then. Each of its calls has a timeout of its own.
    pub const fn limit(self) -> Option<Duration> {
        match self {
            Self::Test => Some(Duration::from_secs(60)),
            Self::Register => None,
        }
    }

    /// After this its process has died, and it may be asked for again.
    pub const fn longest(self) -> TimeDelta {
        match self {
            Self::Test => TimeDelta::seconds(90),
            Self::Register => TimeDelta::minutes(5),
        }
    }
}
