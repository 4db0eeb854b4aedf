//! Decides when two webhooks are the same event.
//!
//! Neither vendor documents an event id, so equality is judged by content. Taking a repeat for a new event
//! costs one more read of both vendors. Taking a new event for a repeat loses it: a stock callback that names
//! only a code looks the same on every change. Hence two scopes:
//!
//! - [`DedupScope::Permanent`]: the body tells one moment from another (an `updated_at`, a `modified`, an
//!   event id), or the topic names what happens once (`order.created`, `OrderShipped`). The same bytes are
//!   always the same event, and a repeat changes nothing.
//! - [`DedupScope::Windowed`]: nothing in it tells moments apart. The same bytes within [`DEDUP_WINDOW`] are
//!   answered as a duplicate and stored once, but the task's revision is still raised: a read is cheap and a
//!   loss is not.

use chrono::Duration;
use sha2::{Digest, Sha256};

use super::source::Source;
use crate::domain::Timestamp;

/// The window within which undated webhooks count as one event: long enough for a sender's double post, short
/// enough that the event list still shows how often they come.
pub const DEDUP_WINDOW: Duration = Duration::seconds(60);

/// SHA-256 over source, topic, body and, for undated webhooks, the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The digest, unique per connection and source.
    pub digest: [u8; 32],
    /// How long a repeat counts as the same event.
    pub dedup_scope: DedupScope,
}

/// How long a repeated fingerprint counts as the same event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DedupScope {
    /// Always: a repeat changes nothing.
    Permanent,
    /// Within the window: a repeat is stored once, and its task's revision is raised.
    Windowed,
}

/// Computes the fingerprint of a webhook received at `at`.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).expect("a small number of seconds")
    }

    #[test]
    fn dated_webhooks_repeat_always_and_undated_ones_for_a_minute() {
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
