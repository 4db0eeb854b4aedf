//! Who comes with wrong keys again and again is not listened to for the rest of the minute: nothing is read or digested
//! for one who has shown that he has none.
//!
//! Counted by address **and** scope. A vendor sends the webhooks of many stores from one address, and the wrong key of one
//! must not shut out the others; and who guesses admin tokens must not close the sign-in for those who have one. What is
//! remembered is bounded; where it is full, the oldest is forgotten.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

use chrono::TimeDelta;

use crate::domain::Timestamp;

/// The minute.
const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// The max_failures auth_throttle that are remembered.
const MAX_ENTRIES: usize = 10_000;

/// Who came with wrong keys of late.
pub struct AuthThrottle {
    /// Wrong keys within a minute after which nobody listens.
    max_failures: u32,
    /// By address and scope: since when, and how often.
    failures: Mutex<HashMap<(IpAddr, String), (Timestamp, u32)>>,
}

impl AuthThrottle {
    /// So many wrong keys a minute are listened to.
    pub fn new(max_failures: u32) -> Self {
        Self { max_failures, failures: Mutex::default() }
    }

    /// Is he not to be listened to now?
    pub fn is_blocked(&self, address: IpAddr, scope: &str, now: Timestamp) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = failures.get(&(network(address), scope.to_owned()));
        entry.is_some_and(|(since, count)| *count >= self.max_failures && now < *since + WINDOW)
    }

    /// He has come with a wrong key.
    pub fn record_failure(&self, address: IpAddr, scope: &str, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MAX_ENTRIES {
            failures.retain(|_, (since, _)| now < *since + WINDOW);
            if failures.len() >= MAX_ENTRIES
                && let Some(oldest) =
                    failures.iter().min_by_key(|(_, (since, _))| *since).map(|(key, _)| key.clone())
            {
                failures.remove(&oldest);
            }
        }
        let (since, count) = failures.entry((network(address), scope.to_owned())).or_insert((now, 0));
        if now >= *since + WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
    }
}

/// Whoever has one IPv6 address has the 2⁶⁴ of its network.
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
        let (auth_throttle, start) = (AuthThrottle::new(MAX_FAILURES), Timestamp::UNIX_EPOCH);
        for _ in 0..MAX_FAILURES {
            assert!(!auth_throttle.is_blocked(address("192.0.2.1"), "shop", start));
            auth_throttle.record_failure(address("192.0.2.1"), "shop", start);
        }
        assert!(auth_throttle.is_blocked(address("192.0.2.1"), "shop", start));
        assert!(auth_throttle.is_blocked(address("::ffff:192.0.2.1"), "shop", start));
        assert!(
            !auth_throttle.is_blocked(address("192.0.2.1"), "other", start),
            "another store of the same vendor"
        );
        assert!(!auth_throttle.is_blocked(address("192.0.2.2"), "shop", start));
        assert!(!auth_throttle.is_blocked(address("192.0.2.1"), "shop", start + WINDOW));
        auth_throttle.record_failure(address("192.0.2.1"), "shop", start + WINDOW);
        assert!(!auth_throttle.is_blocked(address("192.0.2.1"), "shop", start + WINDOW));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_and_the_oldest_entry_is_evicted() {
        let (auth_throttle, start) = (AuthThrottle::new(MAX_FAILURES), Timestamp::UNIX_EPOCH);
        for host in 0..MAX_FAILURES {
            auth_throttle.record_failure(address(&format!("2001:db8::{host:x}")), "shop", start);
        }
        assert!(auth_throttle.is_blocked(address("2001:db8::ffff"), "shop", start));
        for host in 0..MAX_ENTRIES {
            let v4 = std::net::Ipv4Addr::from(0x0a00_0000 + u32::try_from(host).unwrap_or(0));
            auth_throttle.record_failure(v4.into(), "shop", start + TimeDelta::seconds(1));
        }
        assert!(!auth_throttle.is_blocked(address("2001:db8::ffff"), "shop", start + TimeDelta::seconds(1)));
    }
}
