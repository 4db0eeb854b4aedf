//! Reads a list page by page so that no row is left out, however rows move meanwhile.
//!
//! A page number says nothing about a row: rows that are added, deleted or sorted anew shift all behind them. Reading
//! forward meets a row twice that was shifted backward, and misses one that was shifted forward; reading backward is
//! the other way round. No list of the vendors that is read whole has a filter by which to go on behind the last row,
//! and the order of the warehouse's lists is not public. So a list of several pages is read forward and then backward.
//! What either way shows is taken; a list of one page is one answer. A row that itself changes during the walk may jump
//! over both ways: the next poll finds its change, and a sync reads what it did not meet alone.

/// A position in a list of several pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageWalk {
    /// To the last page.
    Forward(u32),
    /// Back to the first one.
    Backward(u32),
}

impl PageWalk {
    /// The first page.
    pub const fn forward() -> Self {
        Self::Forward(1)
    }

    /// The page to read, from 1.
    pub const fn page(self) -> u32 {
        match self {
            Self::Forward(page) | Self::Backward(page) => page,
        }
    }

    /// The position after this page; `None` at the end.
    pub const fn next(self, has_more: bool) -> Option<Self> {
        match self {
            Self::Forward(page) if has_more => Some(Self::Forward(page.saturating_add(1))),
            // The last page was read just now: the way back begins before it.
            Self::Forward(page) | Self::Backward(page) => {
                if page > 1 {
                    Some(Self::Backward(page - 1))
                } else {
                    None
                }
            }
        }
    }

    /// The spelling in a stored cursor.
    pub fn to_cursor(self) -> String {
        match self {
            Self::Forward(page) => page.to_string(),
            Self::Backward(page) => format!("back:{page}"),
        }
    }

    /// The position of a stored cursor; the first page where there is none.
    pub fn from_cursor(cursor: &str) -> Self {
        match cursor.strip_prefix("back:") {
            Some(page) => page.parse().map_or(Self::forward(), Self::Backward),
            None => cursor.parse().map_or(Self::forward(), Self::Forward),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Reads a list in pages of three while `moves` changes it after each page. Returns the rows that were met, and those
    /// that changed themselves.
    fn read(mut list: Vec<u32>, mut moves: impl FnMut(usize, &mut Vec<u32>) -> Option<u32>) -> HashSet<u32> {
        let (mut seen, mut walk, mut count) = (HashSet::new(), Some(PageWalk::forward()), 0);
        while let Some(at) = walk {
            let start = (at.page() as usize - 1) * 3;
            seen.extend(list.iter().skip(start).take(3));
            let has_more = list.len() > start + 3;
            walk = PageWalk::from_cursor(&at.to_cursor()).next(has_more);
            seen.extend(moves(count, &mut list));
            count += 1;
        }
        seen
    }

    #[test]
    fn rows_that_move_while_a_list_is_read_are_met_all_the_same() {
        let list = || (0..10).collect::<Vec<_>>();
        let all: HashSet<_> = (0..10).collect();
        assert_eq!(read(list(), |_, _| None), all);
        let to_the_end = |count: usize, list: &mut Vec<u32>| {
            let row = list.remove(count % 3);
            list.push(row);
            Some(row)
        };
        assert_eq!(read(list(), to_the_end), all, "sorted by the time of change");
        let to_the_front = |count: usize, list: &mut Vec<u32>| {
            let row = list.remove(9 - count % 3);
            list.insert(0, row);
            Some(row)
        };
        assert_eq!(read(list(), to_the_front), all, "sorted by it, newest first");
        let deleted = |count: usize, list: &mut Vec<u32>| {
            if count < 3 {
                list.remove(0);
            }
            None
        };
        assert!(read(list(), deleted).is_superset(&(3..10).collect()), "rows deleted");
        let added = |count: usize, list: &mut Vec<u32>| {
            list.insert(0, 100 + u32::try_from(count).unwrap_or(0));
            None
        };
        assert!(read(list(), added).is_superset(&all), "rows added before");
    }
}
