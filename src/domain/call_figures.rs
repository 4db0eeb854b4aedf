//! The calls of this process to the vendors, counted until they are written down: number, success and time.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use super::{
    Timestamp,
    histogram::{Histogram, Scale},
    vendor::Vendor,
};

/// The seconds of an hour.
const HOUR: i64 = 3600;

/// The calls of one connection to one vendor within an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourOfCalls {
    /// The connection.
    pub connection: String,
    /// The vendor.
    pub vendor: Vendor,
    /// When the hour starts.
    pub hour: Timestamp,
    /// What was counted.
    pub counts: CallCounts,
}

/// Calls, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Answered as the vendor answers when it works, even by a refusal.
    pub succeeded: u64,
    /// All others.
    pub failed: u64,
    /// How long all of them took.
    pub times: Histogram,
}

impl CallCounts {
    fn merge(&mut self, other: &Self) {
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.times.merge(&other.times);
    }
}

/// Counts the calls of a process; each clone counts into the same.
#[derive(Clone, Debug, Default)]
pub struct CallFigures(Arc<Mutex<HashMap<Key, CallCounts>>>);

/// A connection, one of its vendors, and an hour since 1970.
type Key = (String, Vendor, i64);

impl CallFigures {
    /// Counts a call.
    pub fn record(
        &self,
        (connection, vendor): (&str, Vendor),
        at: Timestamp,
        has_succeeded: bool,
        millis: u64,
    ) {
        let hour = at.timestamp().div_euclid(HOUR);
        let mut counts = self.0.lock();
        let counts = counts.entry((connection.to_owned(), vendor, hour)).or_default();
        if has_succeeded {
            counts.succeeded += 1;
        } else {
            counts.failed += 1;
        }
        counts.times.add(Scale::Calls, millis);
    }

    /// Takes what was counted since the last time.
    pub fn take(&self) -> Vec<HourOfCalls> {
        let taken = std::mem::take(&mut *self.0.lock());
        let hours = taken.into_iter().filter_map(|((connection, vendor, hour), counts)| {
            let hour = Timestamp::from_timestamp(hour * HOUR, 0)?;
            Some(HourOfCalls { connection, vendor, hour, counts })
        });
        hours.collect()
    }

    /// Puts back what could not be written down.
    pub fn put_back(&self, hours: &[HourOfCalls]) {
        let mut all = self.0.lock();
        for HourOfCalls { connection, vendor, hour, counts } in hours {
            let key = (connection.clone(), *vendor, hour.timestamp().div_euclid(HOUR));
            all.entry(key).or_default().merge(counts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_hour_and_put_back_whole() {
        let figures = CallFigures::default();
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        let shop = ("kauppa", Vendor::MyCashflow);
        figures.record(shop, at(3599), true, 20);
        figures.record(shop, at(3600), true, 20);
        figures.record(shop, at(3601), false, 9_000);
        let mut hours = figures.take();
        hours.sort_by_key(|hour| hour.hour);
        let counts: Vec<_> =
            hours.iter().map(|it| (it.hour, it.counts.succeeded, it.counts.failed)).collect();
        assert_eq!(counts, [(at(0), 1, 0), (at(3600), 1, 1)]);
        assert_eq!(figures.take(), []);
        figures.put_back(&hours);
        figures.record(shop, at(3602), true, 20);
        let total: u64 = figures.take().iter().map(|hour| hour.counts.times.total()).sum();
        assert_eq!(total, 4);
    }
}
