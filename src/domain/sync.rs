//! The kinds and steps of a sync: all of both sides is compared.

use chrono::{DateTime, TimeDelta};
use serde::{Deserialize, Serialize};
use strum::VariantArray;

use super::{Timestamp, event::subject::SubjectKind};

/// 2000-01-01. No web shop of MyCashflow is older: an earlier day is a slip of the pen, and takes days to compare.
const EARLIEST_START: i64 = 946_684_800;

/// How far ahead of our clock an operator's day may begin: their calendar may be in tomorrow already.
const CALENDARS_AHEAD: TimeDelta = TimeDelta::days(1);

/// Whether orders can be compared since this time.
pub fn is_possible_start(since: Timestamp, now: Timestamp) -> bool {
    DateTime::from_timestamp(EARLIEST_START, 0).is_some_and(|earliest| since >= earliest)
        && since <= now + CALENDARS_AHEAD
}

/// What a sync compares.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
    strum::VariantNames,
)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "lowercase")]
pub enum SyncKind {
    /// The shop's catalogue with the warehouse's products.
    Products,
    /// The warehouse's figures with the shop's.
    Stock,
    /// All orders of both.
    Orders,
}

impl SyncKind {
    /// The kind of subject whose differences it finds.
    pub const fn subject(self) -> SubjectKind {
        match self {
            Self::Products => SubjectKind::Product,
            Self::Stock => SubjectKind::Stock,
            Self::Orders => SubjectKind::Order,
        }
    }

    /// Every value.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;
    /// The spelling of every value.
    pub const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;

    /// The spelling in rows, URLs and commands.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How far a sync is. Each step goes page by page, and the page is stored.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Step {
    /// The warehouse is read into rows.
    #[default]
    ReadWarehouse,
    /// The shop is read, and compared where one page is enough for that.
    ReadShop,
    /// What needs all of both sides is compared: codes, and what only the warehouse has.
    FindDifferences,
    /// Differences that Silta can fix become tasks.
    Fix,
    /// All steps are done.
    End,
}

impl Step {
    /// The spelling in rows.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The next step.
    pub fn next(self) -> Self {
        Self::VARIANTS.iter().copied().find(|step| *step > self).unwrap_or(Self::End)
    }
}
