//! Slows clients down that fail authentication again and again.
//!
//! Only failures are counted and refused: credentials are checked first, so right ones always pass, and nobody can lock
//! another out. What a client over the limit loses is what costs something: the diagnosis of a wrong signature, and a
//! quick answer to its next guess.
//!
//! A failure is counted and judged in one step, so two hundred at once count as two hundred. Failures are counted by
//! address **and** scope (a connection's webhooks of one vendor, the admin tokens): a vendor sends the webhooks of many
//! stores from one address, and a wrong key for one store says nothing about the others. A scope may also have a limit
//! for all addresses together. The table is bounded: when it is full, its older half is forgotten.
//!
//! Written here and not taken from `governor` (docs/dependencies.md): only failures count, and the table is bounded.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
};

use chrono::TimeDelta;
use parking_lot::Mutex;

use super::client_network::network;
use crate::domain::Timestamp;

/// Failures are counted for this long from the first one on.
const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// The most addresses that are kept.
const MAX_ENTRIES: usize = 10_000;

/// Counts failed authentications.
pub struct AuthThrottle {
    /// The failures of one address that pass in a window.
    per_address: u32,
    /// The failures of all addresses that pass in a window.
    in_total: Option<u32>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    by_address: HashMap<(IpAddr, String), Failures>,
    in_total: HashMap<String, Failures>,
}

/// The failures of a window.
#[derive(Clone, Copy)]
struct Failures {
    since: Timestamp,
    count: u32,
}

impl Failures {
    const fn none(since: Timestamp) -> Self {
        Self { since, count: 0 }
    }

    fn is_current(&self, now: Timestamp) -> bool {
        now < self.since + WINDOW
    }

    /// Counts one more; returns how many there are in this window.
    fn add(&mut self, now: Timestamp) -> u32 {
        if !self.is_current(now) {
            *self = Self::none(now);
        }
        self.count = self.count.saturating_add(1);
        self.count
    }
}

impl AuthThrottle {
    /// Creates a throttle that lets this many failures of an address pass a minute.
    pub fn new(per_address: u32) -> Self {
        Self { per_address, in_total: None, counts: Mutex::default() }
    }

    /// The same with a limit for all addresses of a scope together. The scopes must be few: their names are kept.
    #[must_use]
    pub fn with_total(self, in_total: u32) -> Self {
        Self { in_total: Some(in_total), ..self }
    }

    /// Counts a failure; returns whether it is one too many. Clients without an address share one limit.
    pub fn record_failure(&self, address: Option<IpAddr>, scope: &str, now: Timestamp) -> bool {
        let address = network(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        let mut counts = self.counts.lock();
        if counts.by_address.len() >= MAX_ENTRIES {
            evict(&mut counts.by_address, now);
        }
        let entry = counts.by_address.entry((address, scope.to_owned())).or_insert(Failures::none(now));
        let is_over = entry.add(now) > self.per_address;
        let Some(in_total) = self.in_total else { return is_over };
        let total = counts.in_total.entry(scope.to_owned()).or_insert(Failures::none(now));
        total.add(now) > in_total || is_over
    }
}

/// Removes outdated entries and, where most are current, the older half.
fn evict(failures: &mut HashMap<(IpAddr, String), Failures>, now: Timestamp) {
    failures.retain(|_, entry| entry.is_current(now));
    if failures.len() <= MAX_ENTRIES / 2 {
        return;
    }
    let mut times: Vec<_> = failures.values().map(|entry| entry.since).collect();
    let middle = times.len() / 2;
    let (_, &mut median, _) = times.select_nth_unstable(middle);
    failures.retain(|_, entry| entry.since > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_31st_failure_in_a_minute_is_over_the_limit_until_the_next_one() {
        let throttle = AuthThrottle::new(30);
        let is_over = |from: &str, scope: &str, at| throttle.record_failure(Some(address(from)), scope, at);
        assert!((0..30).all(|_| !is_over("192.0.2.1", "shop", START)));
        assert!(is_over("192.0.2.1", "shop", START));
        assert!(is_over("::ffff:192.0.2.1", "shop", START));
        assert!(!is_over("192.0.2.1", "other", START), "another store of the same vendor");
        assert!(!is_over("192.0.2.2", "shop", START));
        assert!(!is_over("192.0.2.1", "shop", START + WINDOW));
    }

    #[test]
    fn two_hundred_failures_at_once_count_as_two_hundred() {
        let throttle = AuthThrottle::new(10);
        let over: usize = std::thread::scope(|scope| {
            let fail = || (0..25).filter(|_| throttle.record_failure(None, "sign-in", START)).count();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(fail)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a count")).sum()
        });
        assert_eq!(over, 190);
    }

    #[test]
    fn total_limit_counts_all_addresses_of_a_scope() {
        let throttle = AuthThrottle::new(10).with_total(20);
        let is_over = |host: u8, scope: &str| {
            throttle.record_failure(Some(address(&format!("192.0.2.{host}"))), scope, START)
        };
        assert!((0..20).all(|host| !is_over(host, "sign-in")));
        assert!(is_over(99, "sign-in"));
        assert!(!is_over(99, "other"));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_and_the_older_half_is_evicted() {
        let throttle = AuthThrottle::new(30);
        for host in 0..30 {
            assert!(!throttle.record_failure(Some(address(&format!("2001:db8::{host:x}"))), "shop", START));
        }
        assert!(throttle.record_failure(Some(address("2001:db8::ffff")), "shop", START));
        for host in 0..u32::try_from(MAX_ENTRIES).expect("few") {
            let v4 = Ipv4Addr::from(0x0a00_0000 + host);
            throttle.record_failure(Some(v4.into()), "shop", START + TimeDelta::seconds(1));
        }
        assert!(throttle.counts.lock().by_address.len() <= MAX_ENTRIES);
        let later = START + TimeDelta::seconds(1);
        assert!(!throttle.record_failure(Some(address("2001:db8::ffff")), "shop", later), "evicted");
    }
}
