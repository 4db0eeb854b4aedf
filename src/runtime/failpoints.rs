//! Failpoints: named places between two steps, at which a crash does the most harm.
//!
//! Nothing happens there unless it is asked for. `silta chaos` starts the real program with
//! `SILTA_FAILPOINT=after_call:3` in its environment: the process then ends, as by `kill -9`, the third time
//! that it reaches this place. Tests panic there or never return. So a crash between two given steps is a row
//! in a table.

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

/// A place at which the process can be made to fail.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Failpoint {
    /// Webhooks wait for their group commit; nothing is sent to the database.
    BeforeCommit,
    /// The group commit is sent and its answer not read.
    DuringCommit,
    /// The webhooks are committed and no sender is answered.
    AfterCommit,
    /// A task is claimed and its attempt not begun.
    AfterClaim,
    /// An action is begun and its call not made.
    BeforeCall,
    /// The vendor has answered and nothing of that is written.
    AfterCall,
    /// An attempt's outcome is known and its settle not begun.
    BeforeSettle,
    /// The settle is written and not committed.
    DuringSettle,
    /// The settle is committed.
    AfterSettle,
}

impl Failpoint {
    /// Every failpoint, in the order in which an event reaches them.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The name in `SILTA_FAILPOINT` and in reports.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What happens at a failpoint.
#[async_trait]
pub trait FailpointHook: fmt::Debug + Send + Sync {
    /// Called at a failpoint. May not return. `what` is the task's subject; empty where there are many.
    async fn on_hit(&self, point: Failpoint, what: &str);
}

/// Calls a hook at each failpoint, if there is one.
#[derive(Clone, Debug, Default)]
pub struct Failpoints(Option<Arc<dyn FailpointHook>>);

impl Failpoints {
    /// Without a hook: every service except in chaos runs and tests.
    pub const fn disabled() -> Self {
        Self(None)
    }

    /// With a hook.
    pub fn with_hook(hook: Arc<dyn FailpointHook>) -> Self {
        Self(Some(hook))
    }

    /// Called by the code at a failpoint.
    pub async fn hit(&self, point: Failpoint, what: &str) {
        if let Some(hook) = &self.0 {
            hook.on_hit(point, what).await;
        }
    }

    /// Runs `work` and reaches a failpoint in the middle of it, for each subject: after it was first polled and
    /// before its answer is read.
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

/// Ends the process the n-th time that it reaches a failpoint.
#[derive(Debug)]
pub struct AbortAt {
    point: Failpoint,
    remaining: AtomicUsize,
}

/// The text is not of the form `after_call:3`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SILTA_FAILPOINT must be a failpoint and a count, as after_call:3")]
pub struct ParseFailpointError;

impl FromStr for AbortAt {
    type Err = ParseFailpointError;

    fn from_str(text: &str) -> Result<Self, ParseFailpointError> {
        let (point, count) = text.split_once(':').ok_or(ParseFailpointError)?;
        let point = point.parse().map_err(|_| ParseFailpointError)?;
        let remaining = count.parse().ok().filter(|count| *count > 0).ok_or(ParseFailpointError)?;
        Ok(Self { point, remaining: AtomicUsize::new(remaining) })
    }
}

#[async_trait]
impl FailpointHook for AbortAt {
    async fn on_hit(&self, point: Failpoint, _: &str) {
        if point == self.point && self.remaining.fetch_sub(1, Ordering::SeqCst) == 1 {
            // No unwinding, no flushing, no closing of connections: to the database this is SIGKILL.
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
            assert_eq!(format!("{}:3", point.as_str()).parse::<AbortAt>().map(|it| it.point), Ok(*point));
        }
        for wrong in ["", "after_call", "after_call:0", "after_call:x", "afterwards:1"] {
            assert_eq!(wrong.parse::<AbortAt>().map(|it| it.point), Err(ParseFailpointError), "{wrong}");
        }
    }
}
