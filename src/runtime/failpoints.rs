//! Kill points: the named moments between two steps at which a crash hurts most.
//!
//! Nothing happens at them, unless a proof has asked for it: `silta prove` starts the real program with
//! `SILTA_DIE_AT=after_call:3` in its environment, and the process is gone, as with `kill -9`, the third time it comes
//! to that moment; the tests of this crate panic there, or never return. So "pull the plug between any two lines" is a
//! row in a table, and not a matter of luck.

use std::{
    fmt,
    pin::pin,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use async_trait::async_trait;

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KillPoint {
    /// Webhooks wait for their common commit; nothing is sent to the database.
    BeforeCommit,
    /// The commit of several webhooks is on its way, and its answer not read.
    DuringCommit,
    /// They are committed, and no sender is answered yet.
    AfterCommit,
    /// A delivery is claimed, and nothing of it begun.
    AfterClaim,
    /// A deed is begun, and its call not made.
    BeforeCall,
    /// The far side has answered, and nothing of that is written.
    AfterCall,
    /// An attempt's outcome is known, and its settle not begun.
    BeforeSettle,
    /// The settle is written, and not committed.
    DuringSettle,
    /// It is committed.
    AfterSettle,
}

impl KillPoint {
    /// Every one, in the order in which an event meets them.
    pub const ALL: [Self; 9] = [
        Self::BeforeCommit,
        Self::DuringCommit,
        Self::AfterCommit,
        Self::AfterClaim,
        Self::BeforeCall,
        Self::AfterCall,
        Self::BeforeSettle,
        Self::DuringSettle,
        Self::AfterSettle,
    ];

    /// The word in `SILTA_DIE_AT` and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BeforeCommit => "before_commit",
            Self::DuringCommit => "during_commit",
            Self::AfterCommit => "after_commit",
            Self::AfterClaim => "after_claim",
            Self::BeforeCall => "before_call",
            Self::AfterCall => "after_call",
            Self::BeforeSettle => "before_settle",
            Self::DuringSettle => "during_settle",
            Self::AfterSettle => "after_settle",
        }
    }
}

/// What a proof does at a kill point.
#[async_trait]
pub trait Interfere: fmt::Debug + Send + Sync {
    /// Comes back, or does not. `what` is the subject at hand; empty where there are many.
    async fn at(&self, point: KillPoint, what: &str);
}

/// Whoever interferes, if anybody does.
#[derive(Clone, Debug, Default)]
pub struct KillPoints(Option<Arc<dyn Interfere>>);

impl KillPoints {
    /// Nobody interferes: every service but those of a proof.
    pub const fn none() -> Self {
        Self(None)
    }

    /// This one does.
    pub fn with(interferer: Arc<dyn Interfere>) -> Self {
        Self(Some(interferer))
    }

    /// A moment has come.
    pub async fn reach(&self, point: KillPoint, what: &str) {
        if let Some(interferer) = &self.0 {
            interferer.at(point, what).await;
        }
    }

    /// Does some work, and comes to a moment in the middle of it, for each subject at hand: once it is on its way, before
    /// its answer is read.
    pub async fn within<T>(
        &self,
        point: KillPoint,
        subjects: impl Iterator<Item = String>,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = pin!(work);
        let Some(interferer) = &self.0 else { return work.await };
        if let Poll::Ready(done) = std::future::poll_fn(|task| Poll::Ready(work.as_mut().poll(task))).await {
            return done;
        }
        for subject in subjects {
            interferer.at(point, &subject).await;
        }
        work.await
    }
}

/// Ends the process the n-th time that it comes to a point.
#[derive(Debug)]
pub struct DiesAt {
    point: KillPoint,
    left: AtomicUsize,
}

/// Not of the form `after_call:3`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SILTA_DIE_AT must be a kill point and a count, as after_call:3")]
pub struct NotAKillPoint;

impl FromStr for DiesAt {
    type Err = NotAKillPoint;

    fn from_str(text: &str) -> Result<Self, NotAKillPoint> {
        let (point, count) = text.split_once(':').ok_or(NotAKillPoint)?;
        let point = KillPoint::ALL.into_iter().find(|it| it.as_str() == point).ok_or(NotAKillPoint)?;
        let left = count.parse().ok().filter(|count| *count > 0).ok_or(NotAKillPoint)?;
        Ok(Self { point, left: AtomicUsize::new(left) })
    }
}

#[async_trait]
impl Interfere for DiesAt {
    async fn at(&self, point: KillPoint, _: &str) {
        if point == self.point && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            // No unwinding, no flushing, no goodbye to the database: to everybody else this is SIGKILL.
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_point_is_named_with_its_count_or_refused() {
        for point in KillPoint::ALL {
            assert_eq!(format!("{}:3", point.as_str()).parse::<DiesAt>().map(|it| it.point), Ok(point));
        }
        for wrong in ["", "after_call", "after_call:0", "after_call:x", "afterwards:1"] {
            assert_eq!(wrong.parse::<DiesAt>().map(|it| it.point), Err(NotAKillPoint), "{wrong}");
        }
    }
}
