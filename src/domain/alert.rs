//! An alert: something is wrong that somebody should know of. Opened once, however much of it there is, reminded of
//! while it lasts, and closed by itself when it is right again.
//!
//! ```text
//!            wrong            wrong for long enough       right again
//! (nothing) ──────▶ seen ──────────────────────▶ told ──────────────▶ closed
//!                     │ right again                │ every so often
//!                     ▼                            ▼
//!                 forgotten                     reminded
//! ```
//!
//! What fixes itself within the grace_period is told to nobody; and a thousand failures that come within it are one message.

use std::time::Duration;

use super::Timestamp;

/// Kinds of alerts; each is a heading of `docs/runbook.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// Tasks are dead: they wait for a person.
    Dead,
    /// Nothing of a connection is claimed: a vendor is down, or refuses our credentials.
    CircuitOpen,
    /// Too many stock figures fell to zero at once.
    StockBraked,
    /// A list has not been polled for much longer than it should.
    PollStopped,
    /// A task has been due for too long.
    BacklogOld,
    /// No order has come for longer than chance explains.
    Silent,
    /// A vendor's webhooks are refused, and none is taken.
    WebhooksRefused,
    /// A webhook subscription of ours is gone, and could not be put back.
    SubscriptionGone,
}

impl AlertKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Dead,
        Self::CircuitOpen,
        Self::StockBraked,
        Self::PollStopped,
        Self::BacklogOld,
        Self::Silent,
        Self::WebhooksRefused,
        Self::SubscriptionGone,
    ];

    /// The word in rows, in messages and in the runbook.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::CircuitOpen => "circuit_open",
            Self::StockBraked => "stock_braked",
            Self::PollStopped => "poll_stopped",
            Self::BacklogOld => "backlog_old",
            Self::Silent => "silent",
            Self::WebhooksRefused => "webhooks_refused",
            Self::SubscriptionGone => "subscription_gone",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Something that is wrong now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whose.
    pub connection: String,
    /// What.
    pub kind: AlertKind,
    /// How much of it.
    pub count: i64,
    /// What exactly, in codes; names no person.
    pub detail: String,
}

/// An alert that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenAlert {
    /// When it was first seen.
    pub seen_at: Timestamp,
    /// When it was last told.
    pub notified_at: Option<Timestamp>,
}

/// How long it is waited before an alert is told, and told again.
#[derive(Clone, Copy, Debug)]
pub struct GracePeriod {
    /// Before it is told.
    pub before: Duration,
    /// Between two reminders; zero is never.
    pub between: Duration,
}

/// What follows for an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is seen for the first time.
    Open,
    /// It is told.
    Notify,
    /// It is told again.
    Remind,
    /// It goes on: only its count is kept.
    Keep,
    /// It is right again, and whoever was told is told so.
    Close,
    /// It is right again before anybody was told.
    Discard,
    /// Nothing is wrong, and nothing was.
    Nothing,
}

/// What follows for an alert that stands so, when it is wrong now or not.
pub fn next(
    open_alert: Option<OpenAlert>,
    is_wrong: bool,
    grace_period: GracePeriod,
    now: Timestamp,
) -> Next {
    match (open_alert, is_wrong) {
        (None, false) => Next::Nothing,
        (None, true) => Next::Open,
        (Some(OpenAlert { notified_at: None, .. }), false) => Next::Discard,
        (Some(OpenAlert { notified_at: Some(_), .. }), false) => Next::Close,
        (Some(OpenAlert { seen_at, notified_at: None }), true) if now >= seen_at + grace_period.before => {
            Next::Notify
        }
        (Some(OpenAlert { notified_at: Some(notified_at), .. }), true)
            if !grace_period.between.is_zero() && now >= notified_at + grace_period.between =>
        {
            Next::Remind
        }
        (Some(_), true) => Next::Keep,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_told_after_the_grace_period_reminded_of_and_closed_once() {
        let grace_period =
            GracePeriod { before: Duration::from_secs(60), between: Duration::from_secs(3600) };
        let at = |seconds| Timestamp::UNIX_EPOCH + Duration::from_secs(seconds);
        let seen = |told| Some(OpenAlert { seen_at: at(0), notified_at: told });
        let table = [
            (None, false, 0, Next::Nothing),
            (None, true, 0, Next::Open),
            (seen(None), true, 59, Next::Keep),
            (seen(None), false, 59, Next::Discard),
            (seen(None), true, 60, Next::Notify),
            (seen(Some(at(60))), true, 3_659, Next::Keep),
            (seen(Some(at(60))), true, 3_660, Next::Remind),
            (seen(Some(at(60))), false, 61, Next::Close),
        ];
        for (open_alert, is_wrong, seconds, expected) in table {
            assert_eq!(
                next(open_alert, is_wrong, grace_period, at(seconds)),
                expected,
                "{open_alert:?} at {seconds}"
            );
        }
        let never = GracePeriod { between: Duration::ZERO, ..grace_period };
        assert_eq!(next(seen(Some(at(60))), true, never, at(1_000_000)), Next::Keep);
    }
}
