//! The words of a full sync.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncKind {
    /// The shop's catalogue beside the warehouse's products.
    Products,
    /// The warehouse's figures beside the shop's.
    Stock,
    /// All orders of both.
    Orders,
}

impl SyncKind {
    /// In the order in which they are due: stock needs products, and orders need both.
    pub const ALL: [Self; 3] = [Self::Products, Self::Stock, Self::Orders];

    /// The word in rows, URLs and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::Stock => "stock",
            Self::Orders => "orders",
        }
    }
}

/// How far a sync is. Each step is done page by page, and the page is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The warehouse is read into rows.
    #[default]
    ReadWarehouse,
    /// The shop is read, and compared where one page is enough for that.
    ReadShop,
    /// What needs all of both sides is compared: codes, and what is left over at the warehouse.
    FindDifferences,
    /// Differences that fix themselves become tasks.
    Fix,
    /// Nothing is left to do.
    End,
}

impl Step {
    const ALL: [Self; 5] = [Self::ReadWarehouse, Self::ReadShop, Self::FindDifferences, Self::Fix, Self::End];

    /// The word in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadWarehouse => "read_warehouse",
            Self::ReadShop => "read_shop",
            Self::FindDifferences => "find_differences",
            Self::Fix => "fix",
            Self::End => "end",
        }
    }

    /// The one that follows.
    pub fn next(self) -> Self {
        Self::ALL.into_iter().find(|step| *step > self).unwrap_or(Self::End)
    }
}

/// A word that names no kind of sync and no step of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a word of syncs")]
pub struct ParseSyncError;

impl FromStr for SyncKind {
    type Err = ParseSyncError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|what| what.as_str() == text).ok_or(ParseSyncError)
    }
}

impl FromStr for Step {
    type Err = ParseSyncError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|step| step.as_str() == text).ok_or(ParseSyncError)
    }
}

impl fmt::Display for SyncKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
