//! Keyset pages of lists.

use uuid::Uuid;

/// One page of a list, newest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Only rows older than this one; `None` begins with the newest.
    pub before: Option<Uuid>,
    /// Rows at most.
    pub limit: i64,
}
