//! Reads a list over a stretch of time that the vendor cannot answer as a whole.
//!
//! The shop's order list answers some stretches with 500, again and again, in a store where single orders can
//! be read (docs/contract.md §1.3), and one record can spoil every page that holds it. Giving up would miss
//! everything after the bad spot; skipping it would lose what lies in it. So a stretch that fails is halved
//! repeatedly, the widest first: what can be read is read, and what still fails at the smallest size, or is
//! left when the failures are used up, is a [gap](WindowSplitter::into_gaps). Gaps are stored, shown, and read
//! again on a schedule of their own.

use std::collections::VecDeque;

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

impl TimeWindow {
    /// Its halves; `None` where it is too short for that. Both include the middle: what changed at that moment is
    /// read twice rather than never.
    pub fn halves(self) -> Option<[Self; 2]> {
        let Self { from, to } = self;
        let middle = from + (to - from) / 2;
        (to - from >= MIN_WINDOW * 2).then_some([Self { from, to: middle }, Self { from: middle, to }])
    }
}

/// The parts of a stretch, open at its end, that lie outside these gaps: in order of time, the last one open too.
pub fn without_gaps(from: Timestamp, gaps: &[TimeWindow]) -> Vec<(Timestamp, Option<Timestamp>)> {
    let mut gaps: Vec<_> = gaps.iter().filter(|gap| gap.to > from).collect();
    gaps.sort_by_key(|gap| gap.from);
    let (mut parts, mut from) = (Vec::new(), from);
    for gap in gaps {
        if gap.from > from {
            parts.push((from, Some(gap.from)));
        }
        from = from.max(gap.to);
    }
    parts.push((from, None));
    parts
}

/// The windows left to read, and those that could not be read.
#[derive(Clone, Debug)]
pub struct WindowSplitter {
    open: VecDeque<TimeWindow>,
    gaps: Vec<TimeWindow>,
    failures_left: usize,
    any_read: bool,
}

impl WindowSplitter {
    /// Creates a splitter over this window. After `max_failures` failed reads the rest is gaps.
    pub fn new(window: TimeWindow, max_failures: usize) -> Self {
        Self { open: [window].into(), gaps: Vec::new(), failures_left: max_failures, any_read: false }
    }

    /// The next window to read.
    pub fn next_window(&mut self) -> Option<TimeWindow> {
        if self.failures_left == 0 {
            self.gaps.extend(self.open.drain(..));
        }
        self.open.pop_front()
    }

    /// Records that something was read.
    pub const fn record_read(&mut self) {
        self.any_read = true;
    }

    /// Records that a window could not be read: it is halved. False where it is too short for that.
    pub fn split(&mut self, window: TimeWindow) -> bool {
        self.failures_left = self.failures_left.saturating_sub(1);
        let halves = window.halves();
        self.open.extend(halves.into_iter().flatten());
        halves.is_some()
    }

    /// Records a window that can be neither read nor halved.
    pub fn record_gap(&mut self, window: TimeWindow) {
        self.gaps.push(window);
    }

    /// Whether anything could be read. If not, the vendor may be down.
    pub const fn has_read(&self) -> bool {
        self.any_read
    }

    /// The gaps in order of time. Neighbours are not joined: each is narrowed down further by itself.
    pub fn into_gaps(mut self) -> Vec<TimeWindow> {
        self.gaps.sort_by_key(|gap| gap.from);
        self.gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_timestamp(minute * 60, 0).expect("a small number")
    }

    fn window(from: i64, to: i64) -> TimeWindow {
        TimeWindow { from: at(from), to: at(to) }
    }

    /// Reads minutes 0..=`to`; every window that includes a bad minute fails. Returns what was read and the gaps.
    fn read(to: i64, bad: &[i64], max_failures: usize) -> (Vec<TimeWindow>, Vec<TimeWindow>) {
        let mut windows = WindowSplitter::new(window(0, to), max_failures);
        let mut read = Vec::new();
        while let Some(window) = windows.next_window() {
            let holds = |minute: &i64| (window.from..=window.to).contains(&at(*minute));
            if !bad.iter().any(holds) {
                windows.record_read();
                read.push(window);
            } else if !windows.split(window) {
                windows.record_gap(window);
            }
        }
        assert_eq!(windows.has_read(), !read.is_empty());
        (read, windows.into_gaps())
    }

    #[test]
    fn bad_spot_is_narrowed_down_and_the_rest_is_read() {
        assert_eq!(read(16, &[], 40), (vec![window(0, 16)], vec![]));
        let (around, gaps) = read(16, &[5], 40);
        assert_eq!(around, [window(8, 16), window(0, 4), window(6, 8)]);
        assert_eq!(gaps, [window(4, 5), window(5, 6)], "the minutes before and after the bad one");
    }

    #[test]
    fn any_number_of_bad_spots_leaves_no_moment_out() {
        for bad in [(0..=60).collect::<Vec<_>>(), (0..600).step_by(7).collect(), vec![599]] {
            let (read, gaps) = read(600, &bad, 40);
            let mut all: Vec<_> = read.into_iter().chain(gaps.clone()).collect();
            all.sort_by_key(|window| window.from);
            assert_eq!((all[0].from, all.last().map(|it| it.to)), (at(0), Some(at(600))));
            assert!(all.windows(2).all(|two| two[1].from <= two[0].to), "{all:?}");
            for minute in bad {
                assert!(gaps.iter().any(|gap| gap.from <= at(minute) && at(minute) <= gap.to), "{minute}");
            }
        }
    }

    #[test]
    fn gaps_are_left_out_of_a_stretch() {
        assert_eq!(without_gaps(at(5), &[]), [(at(5), None)]);
        let gaps = [window(20, 30), window(0, 7), window(10, 12), window(25, 40), window(1, 2)];
        let parts = [(at(7), Some(at(10))), (at(12), Some(at(20))), (at(40), None)];
        assert_eq!(without_gaps(at(5), &gaps), parts);
    }
}
