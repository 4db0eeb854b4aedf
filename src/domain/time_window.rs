//! Reads a list over a stretch of time that the vendor cannot answer as a whole.
//!
//! The shop's order list answers some stretches with 500, again and again, in a store where single orders can
//! be read (docs/contract.md §1.3). Giving up would miss everything after the bad spot; skipping it would
//! lose what lies in it. So a stretch that fails is halved repeatedly: what can be read is read, and what
//! fails at the smallest size is a [gap](WindowSplitter::into_gaps). Gaps are stored, shown, and read again
//! by every later poll.

use super::Timestamp;

/// A stretch of time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// A window is halved while it is at least twice this long.
const MIN_WINDOW: chrono::Duration = chrono::Duration::minutes(1);

/// After this many failures the vendor counts as down.
const MAX_FAILURES: usize = 40;

/// The windows left to read, in order of time, those that could not be read, and the last error `E`.
#[derive(Clone, Debug)]
pub struct WindowSplitter<E> {
    open: Vec<TimeWindow>,
    gaps: Vec<TimeWindow>,
    failures: usize,
    any_read: bool,
    last_error: Option<E>,
}

impl<E> WindowSplitter<E> {
    /// Creates a splitter over these windows; known gaps are windows of their own.
    pub fn new(windows: impl IntoIterator<Item = TimeWindow>) -> Self {
        let mut open: Vec<_> = windows.into_iter().collect();
        open.sort_by_key(|window| std::cmp::Reverse(window.from));
        Self { open, gaps: Vec::new(), failures: 0, any_read: false, last_error: None }
    }

    /// The next window to read.
    pub fn next_window(&mut self) -> Option<TimeWindow> {
        self.open.pop()
    }

    /// Records that a window was read.
    pub fn record_read(&mut self) {
        self.any_read = true;
    }

    /// Records that a window could not be read: it is halved, or becomes a gap. Returns the error once the
    /// vendor counts as down.
    pub fn record_failure(&mut self, window: TimeWindow, error: E) -> Result<(), E> {
        self.failures += 1;
        let TimeWindow { from, to } = window;
        if to - from < MIN_WINDOW * 2 {
            self.gaps.push(window);
        } else {
            let middle = from + (to - from) / 2;
            // Both halves include the middle: what changed at that moment is read twice rather than never.
            self.open.push(TimeWindow { from: middle, to });
            self.open.push(TimeWindow { from, to: middle });
        }
        if self.failures >= MAX_FAILURES {
            return Err(error);
        }
        self.last_error = Some(error);
        Ok(())
    }

    /// The gaps, once no window is left; the last error where no window could be read.
    pub fn into_gaps(self) -> Result<Vec<TimeWindow>, E> {
        match self.last_error {
            Some(error) if !self.any_read => Err(error),
            _ => Ok(self.gaps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_timestamp(minute * 60, 0).expect("a small number")
    }

    /// Reads minutes 0..=`to`; every window that includes a bad minute fails.
    fn read(to: i64, bad: &[i64]) -> (Vec<(i64, i64)>, Option<Vec<TimeWindow>>) {
        let mut windows = WindowSplitter::new([TimeWindow { from: at(0), to: at(to) }]);
        let mut read = Vec::new();
        while let Some(window) = windows.next_window() {
            let holds = |minute: &i64| (window.from..=window.to).contains(&at(*minute));
            if !bad.iter().any(holds) {
                windows.record_read();
                read.push((window.from.timestamp() / 60, window.to.timestamp() / 60));
            } else if windows.record_failure(window, "500").is_err() {
                return (read, None);
            }
        }
        (read, windows.into_gaps().ok())
    }

    #[test]
    fn bad_spot_is_narrowed_down_and_the_rest_is_read_in_order() {
        assert_eq!(read(16, &[]), (vec![(0, 16)], Some(vec![])));
        let (around, gaps) = read(16, &[5]);
        assert_eq!(around, [(0, 4), (6, 8), (8, 16)].to_vec());
        let gaps: Vec<_> = gaps.expect("some was read").iter().map(|gap| gap.from).collect();
        assert_eq!(gaps, [at(4), at(5)]);
    }

    #[test]
    fn list_that_fails_everywhere_is_a_vendor_that_is_down() {
        let every: Vec<_> = (0..=16).collect();
        assert_eq!(read(16, &every).1, None);
        let year: Vec<_> = (0..=525_600).collect();
        assert_eq!(read(525_600, &year), (vec![], None));
    }
}
