//! Who comes with wrong keys again and again is not listened to for the rest of the minute: nothing is read or digested
//! for one who has shown that he has none.
//!
//! Counted by address **and** door. A system sends the webhooks of many stores from one address, and the wrong key of one
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

/// The most strangers that are remembered.
const REMEMBERED: usize = 10_000;

/// Who came with wrong keys of late.
pub struct Strangers {
    /// Wrong keys within a minute after which nobody listens.
    most: u32,
    /// By address and door: since when, and how often.
    known: Mutex<HashMap<(IpAddr, String), (Timestamp, u32)>>,
}

impl Strangers {
    /// So many wrong keys a minute are listened to.
    pub fn after(most: u32) -> Self {
        Self { most, known: Mutex::default() }
    }

    /// Is he not to be listened to now?
    pub fn is_shut_out(&self, from: IpAddr, door: &str, now: Timestamp) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = known.get(&(network(from), door.to_owned()));
        standing.is_some_and(|(since, count)| *count >= self.most && now < *since + WINDOW)
    }

    /// He has come with a wrong key.
    pub fn note(&self, from: IpAddr, door: &str, now: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, (since, _)| now < *since + WINDOW);
            if known.len() >= REMEMBERED
                && let Some(oldest) =
                    known.iter().min_by_key(|(_, (since, _))| *since).map(|(key, _)| key.clone())
            {
                known.remove(&oldest);
            }
        }
        let (since, count) = known.entry((network(from), door.to_owned())).or_insert((now, 0));
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
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => four.into(),
            None => Ipv6Addr::from(u128::from(six) & (u128::MAX << 64)).into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u32 = 30;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_thirty_first_wrong_key_of_a_minute_is_not_read_and_the_next_minute_is_another() {
        let (strangers, start) = (Strangers::after(MOST), Timestamp::UNIX_EPOCH);
        for _ in 0..MOST {
            assert!(!strangers.is_shut_out(address("192.0.2.1"), "shop", start));
            strangers.note(address("192.0.2.1"), "shop", start);
        }
        assert!(strangers.is_shut_out(address("192.0.2.1"), "shop", start));
        assert!(strangers.is_shut_out(address("::ffff:192.0.2.1"), "shop", start));
        assert!(
            !strangers.is_shut_out(address("192.0.2.1"), "other", start),
            "another store of the same system"
        );
        assert!(!strangers.is_shut_out(address("192.0.2.2"), "shop", start));
        assert!(!strangers.is_shut_out(address("192.0.2.1"), "shop", start + WINDOW));
        strangers.note(address("192.0.2.1"), "shop", start + WINDOW);
        assert!(!strangers.is_shut_out(address("192.0.2.1"), "shop", start + WINDOW));
    }

    #[test]
    fn a_whole_network_is_one_stranger_and_a_crowd_is_forgotten_oldest_first() {
        let (strangers, start) = (Strangers::after(MOST), Timestamp::UNIX_EPOCH);
        for host in 0..MOST {
            strangers.note(address(&format!("2001:db8::{host:x}")), "shop", start);
        }
        assert!(strangers.is_shut_out(address("2001:db8::ffff"), "shop", start));
        for host in 0..REMEMBERED {
            let four = std::net::Ipv4Addr::from(0x0a00_0000 + u32::try_from(host).unwrap_or(0));
            strangers.note(four.into(), "shop", start + TimeDelta::seconds(1));
        }
        assert!(!strangers.is_shut_out(address("2001:db8::ffff"), "shop", start + TimeDelta::seconds(1)));
    }
}
