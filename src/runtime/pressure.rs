//! Webhooks go first: while several wait for their commit, the worker of the same process rests before it claims more.
//! Senders wait for an answer and stop sending after a few failures; tasks wait in the database and lose nothing.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

/// Webhooks that wait are many from this number on. Fewer are one batch of the group commit.
const MANY: usize = 8;

/// Counts the webhooks of this process that wait for their commit.
#[derive(Clone, Debug, Default)]
pub struct Pressure(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: AtomicUsize,
    relieved: Notify,
}

/// A webhook that waits, until this is dropped.
#[derive(Debug)]
pub struct Waiting(Pressure);

impl Pressure {
    /// Counts a webhook until the result is dropped.
    pub fn enter(&self) -> Waiting {
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(self.clone())
    }

    /// Returns once few webhooks wait.
    pub async fn relieved(&self) {
        loop {
            let notified = self.0.relieved.notified();
            if self.0.waiting.load(Ordering::Relaxed) < MANY {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let shared = &*self.0.0;
        if shared.waiting.fetch_sub(1, Ordering::Relaxed) == MANY {
            shared.relieved.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn many_waiting_webhooks_are_given_way_until_few_are_left() {
        let pressure = Pressure::default();
        let mut waiting: Vec<_> = (1..MANY).map(|_| pressure.enter()).collect();
        assert!(pressure.relieved().now_or_never().is_some(), "few");
        waiting.push(pressure.enter());
        let mut relieved = Box::pin(pressure.relieved());
        assert!(relieved.as_mut().now_or_never().is_none(), "many");
        waiting.pop();
        assert!(relieved.now_or_never().is_some(), "few again");
    }
}
