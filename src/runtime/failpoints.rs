//! failpoints: the named moments between two steps at which a crash hurts most.
//!
//! Nothing happens at them, unless a proof has asked for it: `silta prove` starts the real program with
//! `SILTA_FAILPOINT=after_call:3` in its environment, and the process is gone, as with `kill -9`, the third time it comes
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
pub enum Failpoint {
    /// Webhooks wait for their common commit; nothing is sent to the database.
    BeforeCommit,
    /// The commit of several webhooks is on its way, and its answer not read.
    DuringCommit,
    /// They are committed, and no sender is answered yet.
    AfterCommit,
    /// A task is claimed, and nothing of it begun.
    AfterClaim,
    /// An action is begun, and its call not made.
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

impl Failpoint {
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

    /// The word in `SILTA_FAILPOINT` and in reports.
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

/// What a proof does at a failpoint.
#[async_trait]
pub trait FailpointHook: fmt::Debug + Send + Sync {
    /// Comes back, or does not. `what` is the subject at hand; empty where there are many.
    async fn on_hit(&self, point: Failpoint, what: &str);
}

/// Whoever interferes, if anybody does.
#[derive(Clone, Debug, Default)]
pub struct Failpoints(Option<Arc<dyn FailpointHook>>);

impl Failpoints {
    /// Nobody interferes: every service but those of a proof.
    pub const fn disabled() -> Self {
        Self(None)
    }

    /// This one does.
    pub fn with_hook(hook: Arc<dyn FailpointHook>) -> Self {
        Self(Some(hook))
    }

    /// A moment has come.
    pub async fn hit(&self, point: Failpoint, what: &str) {
        if let Some(hook) = &self.0 {
            hook.on_hit(point, what).await;
        }
    }

    /// Does some work, and comes to a moment in the middle of it, for each subject at hand: once it is on its way, before
    /// its answer is read.
    pub async fn hit_during<T>(
        &self,
        point: Failpoint,
        subjects: impl Iterator<Item = String>,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = pin!(work);
        let Some(hook) = &self.0 else { return work.await };
        if let Poll::Ready(done) = std::future::poll_fn(|task| Poll::Ready(work.as_mut().poll(task))).await {
            return done;
        }
        for subject in subjects {
            hook.on_hit(point, &subject).await;
        }
        work.await
    }
}

/// Ends the process the n-th time that it comes to a point.
#[derive(Debug)]
pub struct AbortAt {
    point: Failpoint,
    remaining: AtomicUsize,
}

/// Not of the form `after_call:3`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SILTA_FAILPOINT must be a failpoint and a count, as after_call:3")]
pub struct ParseFailpointError;

impl FromStr for AbortAt {
    type Err = ParseFailpointError;

    fn from_str(text: &str) -> Result<Self, ParseFailpointError> {
        let (point, count) = text.split_once(':').ok_or(ParseFailpointError)?;
        let point = Failpoint::ALL.into_iter().find(|it| it.as_str() == point).ok_or(ParseFailpointError)?;
        let remaining = count.parse().ok().filter(|count| *count > 0).ok_or(ParseFailpointError)?;
        Ok(Self { point, remaining: AtomicUsize::new(remaining) })
    }
}

#[async_trait]
impl FailpointHook for AbortAt {
    async fn on_hit(&self, point: Failpoint, _: &str) {
        if point == self.point && self.remaining.fetch_sub(1, Ordering::SeqCst) == 1 {
            // No unwinding, no flushing, no goodbye to the database: to everybody else this is SIGKILL.
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failpoint_parses_with_its_count_or_fails() {
        for point in Failpoint::ALL {
            assert_eq!(format!("{}:3", point.as_str()).parse::<AbortAt>().map(|it| it.point), Ok(point));
        }
        for wrong in ["", "after_call", "after_call:0", "after_call:x", "afterwards:1"] {
            assert_eq!(wrong.parse::<AbortAt>().map(|it| it.point), Err(ParseFailpointError), "{wrong}");
        }
    }
}
