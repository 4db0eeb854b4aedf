//! An alert: a condition that somebody should know of. It is opened once, reminded of while it lasts, and
//! closed by itself once the condition is gone.
//!
//! ```text
//!            condition        grace period over           condition gone
//! (nothing) ──────▶ seen ──────────────────────▶ notified ──────────▶ closed
//!                     │ condition gone             │ at intervals
//!                     ▼                            ▼
//!                 discarded                     reminded
//! ```
//!
//! What resolves itself within the grace period notifies nobody. A thousand failures within it make one
//! message.

use std::time::Duration;

use super::Timestamp;

/// The kinds of alerts; each is a heading of `docs/runbook.md`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum AlertKind {
    /// Tasks are dead: they need attention.
    Dead,
    /// No task of a connection is claimed: a vendor is down, or rejects our credentials.
    CircuitOpen,
    /// Too many stock figures fell to zero at once.
    StockBraked,
    /// A list has not been polled for much longer than its interval.
    PollStopped,
    /// A stretch of a list stays unreadable.
    ListGap,
    /// A task has been due for too long.
    BacklogOld,
    /// No order has come for longer than chance explains.
    Silent,
    /// All of a vendor's webhooks are rejected.
    WebhooksRefused,
    /// A webhook subscription is gone and could not be registered again.
    SubscriptionGone,
    /// Orders have waited for goods at the warehouse for too long.
    WaitingForProducts,
}

impl AlertKind {
    /// Every value.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The spelling in rows, messages and the runbook.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses the spelling in a row.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A condition that holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The connection.
    pub connection: String,
    /// The kind.
    pub kind: AlertKind,
    /// How many of it.
    pub count: i64,
    /// Codes and names that say what exactly; never personal data.
    pub detail: String,
}

/// An alert that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenAlert {
    /// When the condition was first seen.
    pub seen_at: Timestamp,
    /// When the last notification was sent.
    pub notified_at: Option<Timestamp>,
}

/// The delays before a notification and between reminders.
#[derive(Clone, Copy, Debug)]
pub struct GracePeriod {
    /// Before the first notification.
    pub before: Duration,
    /// Between two reminders; zero sends none.
    pub between: Duration,
}

/// What happens next to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The condition is new: open an alert.
    Open,
    /// The grace period is over: notify.
    Notify,
    /// The interval is over: remind.
    Remind,
    /// The condition lasts: update the count only.
    Keep,
    /// The condition is gone: close the alert and notify.
    Close,
    /// The condition is gone before anybody was notified: discard the alert.
    Discard,
    /// Nothing is wrong, and no alert is open.
    Nothing,
}

/// Decides what happens next to an alert, given whether its condition holds now.
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
    fn alert_is_notified_after_the_grace_period_then_reminded_and_closed() {
        let grace_period =
            GracePeriod { before: Duration::from_secs(60), between: Duration::from_secs(3600) };
        let at = |seconds| Timestamp::UNIX_EPOCH + Duration::from_secs(seconds);
        let seen = |notified_at| Some(OpenAlert { seen_at: at(0), notified_at });
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
