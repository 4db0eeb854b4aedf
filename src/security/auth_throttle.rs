//! Blocks a client after repeated authentication failures, until the minute is over: nothing of its requests is
//! read or hashed.
//!
//! Failures are counted by address **and** scope (a connection, the sign-in). A vendor sends the webhooks of
//! many stores from one address, and a wrong key for one store must not block the others; and guessing admin
//! tokens must not block the sign-in for operators. The table is bounded: when it is full, the oldest entry is
//! evicted.
//!
//! Written here and not taken from `governor` (docs/dependencies.md): only failures count, a check must not
//! count, and the table is bounded.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

use chrono::TimeDelta;
use parking_lot::Mutex;

use crate::domain::Timestamp;

/// Failures are counted for this long from the first one on.
const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// The most entries that are kept.
const MAX_ENTRIES: usize = 10_000;

/// Counts failed authentications.
pub struct AuthThrottle {
    /// Failures in a window that block further requests.
    max_failures: u32,
    /// By address and scope.
    failures: Mutex<HashMap<(IpAddr, String), Failures>>,
}

/// The failures of a client in one scope.
#[derive(Clone, Copy)]
struct Failures {
    since: Timestamp,
    count: u32,
}

impl Failures {
    fn is_current(&self, now: Timestamp) -> bool {
        now < self.since + WINDOW
    }
}

impl AuthThrottle {
    /// Creates a throttle that blocks after `max_failures` a minute.
    pub fn new(max_failures: u32) -> Self {
        Self { max_failures, failures: Mutex::default() }
    }

    /// Whether a client is blocked now.
    pub fn is_blocked(&self, address: IpAddr, scope: &str, now: Timestamp) -> bool {
        let failures = self.failures.lock();
        let entry = failures.get(&(network(address), scope.to_owned()));
        entry.is_some_and(|entry| entry.count >= self.max_failures && entry.is_current(now))
    }

    /// Counts a failure.
    pub fn record_failure(&self, address: IpAddr, scope: &str, now: Timestamp) {
        let mut failures = self.failures.lock();
        if failures.len() >= MAX_ENTRIES {
            evict(&mut failures, now);
        }
        let key = (network(address), scope.to_owned());
        let entry = failures.entry(key).or_insert(Failures { since: now, count: 0 });
        if !entry.is_current(now) {
            *entry = Failures { since: now, count: 0 };
        }
        entry.count += 1;
    }
}

/// Removes outdated entries, or the oldest one where there are none.
fn evict(failures: &mut HashMap<(IpAddr, String), Failures>, now: Timestamp) {
    failures.retain(|_, entry| entry.is_current(now));
    if failures.len() >= MAX_ENTRIES
        && let Some(oldest) = failures.iter().min_by_key(|(_, entry)| entry.since).map(|(key, _)| key.clone())
    {
        failures.remove(&oldest);
    }
}

/// The network of an address: one IPv6 client has the 2⁶⁴ addresses of its network.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64)).into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_FAILURES: u32 = 30;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_31st_failure_in_a_minute_blocks_until_the_next_one() {
        let (throttle, start) = (AuthThrottle::new(MAX_FAILURES), Timestamp::UNIX_EPOCH);
        for _ in 0..MAX_FAILURES {
            assert!(!throttle.is_blocked(address("192.0.2.1"), "shop", start));
            throttle.record_failure(address("192.0.2.1"), "shop", start);
        }
        assert!(throttle.is_blocked(address("192.0.2.1"), "shop", start));
        assert!(throttle.is_blocked(address("::ffff:192.0.2.1"), "shop", start));
        assert!(
            !throttle.is_blocked(address("192.0.2.1"), "other", start),
            "another store of the same vendor"
        );
        assert!(!throttle.is_blocked(address("192.0.2.2"), "shop", start));
        assert!(!throttle.is_blocked(address("192.0.2.1"), "shop", start + WINDOW));
        throttle.record_failure(address("192.0.2.1"), "shop", start + WINDOW);
        assert!(!throttle.is_blocked(address("192.0.2.1"), "shop", start + WINDOW));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_and_the_oldest_entry_is_evicted() {
        let (throttle, start) = (AuthThrottle::new(MAX_FAILURES), Timestamp::UNIX_EPOCH);
        for host in 0..MAX_FAILURES {
            throttle.record_failure(address(&format!("2001:db8::{host:x}")), "shop", start);
        }
        assert!(throttle.is_blocked(address("2001:db8::ffff"), "shop", start));
        for host in 0..MAX_ENTRIES {
            let v4 = std::net::Ipv4Addr::from(0x0a00_0000 + u32::try_from(host).unwrap_or(0));
            throttle.record_failure(v4.into(), "shop", start + TimeDelta::seconds(1));
        }
        assert!(!throttle.is_blocked(address("2001:db8::ffff"), "shop", start + TimeDelta::seconds(1)));
    }
}
