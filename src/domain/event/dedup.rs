//! When are two tellings the same event?
//!
//! Neither vendor documents an event id, so sameness is judged by content, and the question is which mistake costs
//! more. Taking a repeat for news costs one look at both vendors. Taking news for a repeat loses it: a stock callback
//! that names a code and nothing else looks the same on every change. Hence two kinds of dedup_scope:
//!
//! - [`DedupScope::Permanent`]: the body itself tells one moment from another (an `updated_at`, a `modified`, an event id)
//!   or its topic names what happens once in a life (`order.created`, `OrderShipped`). The same bytes are the same
//!   event for ever; a repeat changes nothing.
//! - [`DedupScope::Windowed`]: nothing in it tells moments apart. The same bytes within [`DEDUP_WINDOW`] are answered as a
//!   duplicate and stored once, but the subject is looked at again all the same, since a look is cheap and a loss is not.

use chrono::Duration;
use sha2::{Digest, Sha256};

use super::source::Source;
use crate::domain::Timestamp;

/// The window within which undated tellings count as one event. Long enough for a sender's double post, short enough
/// that the event list still shows a order_rate.
pub const DEDUP_WINDOW: Duration = Duration::seconds(60);

/// SHA-256 over source, topic, body and, for undated tellings, the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The digest, unique per connection and source.
    pub digest: [u8; 32],
    /// How much a repeat of it proves.
    pub dedup_scope: DedupScope,
}

/// How much a repeated fingerprint proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DedupScope {
    /// A repeat is the same event and changes nothing.
    Permanent,
    /// A repeat is stored once, but its subject is looked at again.
    Windowed,
}

/// The fingerprint of a telling received at `at`.
pub fn fingerprint(
    source: Source,
    topic: &str,
    body: &[u8],
    dedup_scope: DedupScope,
    at: Timestamp,
) -> Fingerprint {
    let mut hash = Sha256::new();
    hash.update(source.as_str());
    hash.update([0]);
    hash.update(topic);
    hash.update([0]);
    hash.update(body);
    if dedup_scope == DedupScope::Windowed {
        hash.update([0]);
        hash.update((at.timestamp() / DEDUP_WINDOW.num_seconds()).to_be_bytes());
    }
    Fingerprint { digest: hash.finalize().into(), dedup_scope }
}

/// Lower-case hex of the SHA-256 of some bytes: for what was sent, and for tokens.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).expect("a small number of seconds")
    }

    #[test]
    fn dated_tellings_are_the_same_for_ever_and_undated_ones_for_a_minute() {
        let print =
            |dedup_scope, second| fingerprint(Source::Ogoship, "t", b"{}", dedup_scope, at(second)).digest;

        assert_eq!(print(DedupScope::Permanent, 0), print(DedupScope::Permanent, 1_000_000));
        assert_eq!(print(DedupScope::Windowed, 0), print(DedupScope::Windowed, 59));
        assert_ne!(print(DedupScope::Windowed, 0), print(DedupScope::Windowed, 60));
    }

    #[test]
    fn topic_and_body_cannot_be_shifted_into_each_other() {
        let print =
            |topic, body| fingerprint(Source::Ogoship, topic, body, DedupScope::Permanent, at(0)).digest;
        assert_ne!(print("ab", b"c"), print("a", b"bc"));
    }
}
