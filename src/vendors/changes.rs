//! Pages of the lists that show what changed at a vendor, as both clients return them.

use crate::domain::Timestamp;

/// A row of such a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedRow {
    /// An id, a reference or a product code.
    pub name: String,
    /// Its time of change as sent, with what else tells two states apart. Empty where the row has none.
    pub version: String,
    /// When it changed, where that can be read.
    pub changed_at: Option<Timestamp>,
}

/// A page of such a list.
#[derive(Clone, Debug)]
pub struct ChangePage {
    /// The rows, in the vendor's order.
    pub rows: Vec<ChangedRow>,
    /// Rows that do not even say which thing they are about.
    pub unreadable: usize,
    /// Whether there may be another page.
    pub has_more: bool,
    /// The page is empty and says that the list is not. That is a failure, unless the vendor always says so.
    pub is_suspect: bool,
    /// The vendor's clock at this answer.
    pub date: Option<Timestamp>,
}

/// Which part of a list is read.
#[derive(Clone, Copy, Debug)]
pub struct ChangeRequest {
    /// Changed at this time or later.
    pub from: Timestamp,
    /// Changed at this time or earlier; the warehouse's lists have no such filter and ignore it.
    pub to: Option<Timestamp>,
    /// From 1.
    pub page: u32,
    /// Rows a page.
    pub size: u32,
}

/// Vendors say "from" and "after" of the same filter, and their times have whole seconds: a second more at each
/// end is met twice rather than never.
pub(super) const MARGIN: chrono::Duration = chrono::Duration::seconds(1);
