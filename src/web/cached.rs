//! An answer that is computed at most once a second, however many clients ask for it.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

use crate::runtime::clock::Clock;

/// How long an answer is used.
const MAX_AGE: Duration = Duration::from_secs(1);

/// An answer and when it was computed, by the clock that nobody sets.
pub(super) struct Cached<T>(Arc<Mutex<Option<(Duration, T)>>>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone + Send + 'static> Cached<T> {
    /// The answer, computed by `compute` where it is too old; `None` if that panicked. All who ask meanwhile wait for the same
    /// one. It is computed to its end although its client may have gone: else a client that comes and goes could have it begun
    /// again and again.
    pub(super) async fn get<F>(&self, clock: &Arc<dyn Clock>, compute: impl FnOnce() -> F) -> Option<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut kept = self.0.clone().lock_owned().await;
        let now = clock.monotonic();
        if let Some((_, answer)) = kept.as_ref().filter(|(at, _)| now < *at + MAX_AGE) {
            return Some(answer.clone());
        }
        let (computing, clock) = (compute(), clock.clone());
        let computed = TaskTracker::new().spawn(async move {
            let answer = computing.await;
            *kept = Some((clock.monotonic(), answer.clone()));
            answer
        });
        computed.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;
    use crate::{domain::Timestamp, runtime::clock::ManualClock};

    #[tokio::test]
    async fn answer_is_computed_once_a_second_even_if_its_client_goes() {
        let manual = Arc::new(ManualClock::starting_at(Timestamp::UNIX_EPOCH));
        let clock: Arc<dyn Clock> = manual.clone();
        let (cached, computed) = (Cached::default(), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::new(Semaphore::new(0));
        let compute = || {
            let (computed, gate) = (computed.clone(), gate.clone());
            async move {
                gate.acquire().await.expect("it is never closed").forget();
                computed.fetch_add(1, Ordering::SeqCst) + 1
            }
        };
        for _ in 0..3 {
            let gone = tokio::time::timeout(Duration::ZERO, cached.get(&clock, compute)).await;
            assert!(gone.is_err(), "the client does not wait");
        }
        gate.add_permits(2);
        assert_eq!(cached.get(&clock, compute).await, Some(1));
        manual.step(chrono::TimeDelta::days(-1));
        manual.advance(Duration::from_millis(999));
        assert_eq!(cached.get(&clock, compute).await, Some(1));
        manual.advance(Duration::from_millis(1));
        assert_eq!(cached.get(&clock, compute).await, Some(2));
    }
}
