//! Narrows down what of a list cannot be read: one record can spoil every page that holds it, by a 500, an empty answer or
//! bytes that are no JSON. Everything around it is read, down to pages of one row.

use super::{
    error::PollError,
    reader::ListReader,
    walk::{Stretch, WalkError},
};
use crate::{
    domain::time_window::{TimeWindow, WindowSplitter},
    vendors::changes::ChangeRequest,
};

/// Single rows that may fail one after another before the list counts as ended.
const MAX_FAILED_ROWS: u32 = 3;

/// Pages that are read to find the spoilt rows of one part; what is left then is the gap's.
const MAX_PAGES: u32 = 400;

impl ListReader<'_> {
    /// Reads a window around what cannot be read, and returns that.
    pub(super) async fn narrow(
        &self,
        window: TimeWindow,
        max_failures: usize,
    ) -> Result<Vec<TimeWindow>, PollError> {
        let mut windows = WindowSplitter::new(window, max_failures);
        let mut last_error = None;
        while let Some(part) = windows.next_window() {
            match self.walk((part.from, Some(part.to))).await {
                Ok(()) => windows.record_read(),
                Err(WalkError::Failed(error)) => return Err(error),
                Err(WalkError::Unlistable { error, .. }) => {
                    last_error = Some(PollError::Call(error));
                    // The warehouse's lists have no upper end: a half of a window is the whole list again.
                    if self.list.is_windowed() && windows.split(part) {
                        continue;
                    }
                    match self.read_rows((part.from, Some(part.to))).await? {
                        Rows::All => windows.record_read(),
                        Rows::Some => {
                            windows.record_read();
                            windows.record_gap(part);
                        }
                        Rows::None => windows.record_gap(part),
                    }
                }
            }
        }
        if !windows.has_read() {
            // Is it this stretch, or the vendor? A stretch without rows tells.
            self.read_control().await.map_err(|error| last_error.unwrap_or(error))?;
        }
        Ok(windows.into_gaps())
    }

    /// Reads a part by smaller and smaller pages around the rows that cannot be read.
    async fn read_rows(&self, (from, to): Stretch) -> Result<Rows, PollError> {
        let full = self.list.page_size();
        let mut rest = vec![Piece { page: 1, size: full }];
        let (mut rows, mut failed_rows, mut pages_left) = (RowCount::default(), 0, MAX_PAGES);
        while let Some(Piece { page, size }) = rest.pop() {
            if pages_left == 0 || failed_rows >= MAX_FAILED_ROWS {
                rows.failed |= pages_left == 0;
                break;
            }
            pages_left -= 1;
            match self.read_page(ChangeRequest { from, to, page, size }).await {
                Ok(read) => {
                    failed_rows = 0;
                    rows.read = true;
                    if !read.has_more {
                        break;
                    }
                    if size == full {
                        rest.push(Piece { page: page + 1, size });
                    }
                }
                Err(PollError::Call(error)) if self.is_unlistable(&error) => {
                    rows.failed = true;
                    if size == full {
                        rest.push(Piece { page: page + 1, size });
                    }
                    if size == 1 {
                        failed_rows += 1;
                    } else {
                        rest.extend(Piece { page, size }.parts().into_iter().rev());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(rows.into())
    }
}

/// A page of some size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    page: u32,
    size: u32,
}

impl Piece {
    /// The smaller pages that hold the same rows.
    fn parts(self) -> Vec<Self> {
        let count = if self.size.is_multiple_of(5) { 5 } else { self.size };
        let (first, size) = ((self.page - 1) * count + 1, self.size / count);
        (first..first + count).map(|page| Self { page, size }).collect()
    }
}

/// What was read of a part.
enum Rows {
    All,
    Some,
    None,
}

#[derive(Clone, Copy, Debug, Default)]
struct RowCount {
    read: bool,
    failed: bool,
}

impl From<RowCount> for Rows {
    fn from(RowCount { read, failed }: RowCount) -> Self {
        match (read, failed) {
            (true, true) => Self::Some,
            (true, false) => Self::All,
            (false, _) => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smaller_pages_hold_the_same_rows() {
        for size in [100, 250, 20, 4, 10, 2] {
            let whole = Piece { page: 3, size };
            let rows = |piece: Piece| (piece.page - 1) * piece.size..piece.page * piece.size;
            let parts: Vec<u32> = whole.parts().into_iter().flat_map(rows).collect();
            assert_eq!(parts, rows(whole).collect::<Vec<_>>(), "{size}");
        }
    }
}
