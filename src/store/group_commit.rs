//! Group commit: what arrives together is written together.
//!
//! An item joins the queue; if fewer than [`Limits::workers`] workers run, one is started. A worker takes all
//! that is queued, commits it as one (one statement, one wait for the disk), answers each item and goes on
//! until the queue is empty. A single item waits for nothing, and a thousand at once cost a handful of
//! commits: the next batch fills while one is being committed. Nothing is delayed to make a batch larger.
//!
//! If the database rejects a batch, one item may have spoilt it for all, so each item is committed by itself.
//!
//! Used where many do the same at once: webhooks and polls in `inbox`, attempts in `worker`, rate limits in `app`.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use super::StoreError;

/// Commits a batch of items.
#[async_trait]
pub trait BatchHandler: Send + Sync + 'static {
    /// One item.
    type Item: Send + Sync + 'static;
    /// What became of an item.
    type Answer: Send + 'static;
    /// What the submitter learns of a failure.
    type Error: Copy + Send + 'static;

    /// An item's share of [`Limits::max_weight`], where items differ.
    fn weight(&self, _item: &Self::Item) -> usize {
        1
    }

    /// Commits all items as one; returns one answer each, in their order.
    async fn commit(&self, items: &[Self::Item]) -> super::Result<Vec<Self::Answer>>;

    /// Logs a failure and says what the submitters get.
    fn to_error(&self, error: &StoreError) -> Self::Error;
}

/// What a submitter gets.
pub type Answer<H> = Result<<H as BatchHandler>::Answer, <H as BatchHandler>::Error>;

/// How much is committed at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Batches in flight at once: while one waits for the disk, another fills.
    pub workers: usize,
    /// Items in a batch.
    pub max_items: usize,
    /// The weight after which no more is added to a batch.
    pub max_weight: usize,
}

/// A queue of items and the workers that commit it.
pub struct GroupCommit<H: BatchHandler>(Arc<Shared<H>>);

impl<H: BatchHandler> Clone for GroupCommit<H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Shared<H: BatchHandler> {
    handler: H,
    limits: Limits,
    queue: Mutex<Queue<H>>,
    tasks: TaskTracker,
}

struct Queue<H: BatchHandler> {
    waiting: Vec<QueuedItem<H>>,
    workers: usize,
}

struct QueuedItem<H: BatchHandler> {
    item: H::Item,
    answer: oneshot::Sender<Answer<H>>,
}

impl<H: BatchHandler> GroupCommit<H> {
    /// An empty queue.
    pub fn new(handler: H, limits: Limits) -> Self {
        let queue = Mutex::new(Queue { waiting: Vec::new(), workers: 0 });
        Self(Arc::new(Shared { handler, limits, queue, tasks: TaskTracker::new() }))
    }

    /// Queues an item and waits for its answer; `None` if its batch panicked. Dropping the future before the
    /// item's batch starts takes it out of the queue.
    pub async fn submit(&self, item: H::Item) -> Option<Answer<H>> {
        let (answer, answered) = oneshot::channel();
        let is_worker_needed = {
            let mut queue = self.queue();
            queue.waiting.push(QueuedItem { item, answer });
            let is_needed = queue.workers < self.0.limits.workers;
            queue.workers += usize::from(is_needed);
            is_needed
        };
        if is_worker_needed {
            self.spawn_worker();
        }
        answered.await.ok()
    }

    /// The handler.
    pub fn handler(&self) -> &H {
        &self.0.handler
    }

    /// A task of its own: the submitter of the first item may go away, the others' work goes on.
    fn spawn_worker(&self) {
        let group_commit = self.clone();
        self.0.tasks.spawn(async move { group_commit.work().await });
    }

    /// Commits batches until the queue is empty.
    async fn work(&self) {
        let mut guard = WorkerGuard { group_commit: self, is_counted: true };
        loop {
            let (items, submitters) = self.next_batch(&mut guard);
            if items.is_empty() {
                return;
            }
            for (submitter, answer) in submitters.into_iter().zip(self.commit_all_or_each(&items).await) {
                let _ = submitter.send(answer);
            }
        }
    }

    /// Takes up to one batch from the queue. If more is queued, the newest items go first: the oldest
    /// submitters are about to time out, and work for them would be wasted. If the queue is empty, the worker
    /// is counted off under the same lock, so that the next submitter starts a new one.
    fn next_batch(&self, guard: &mut WorkerGuard<'_, H>) -> (Vec<H::Item>, Vec<oneshot::Sender<Answer<H>>>) {
        let Limits { max_items, max_weight, .. } = self.0.limits;
        let mut queue = self.queue();
        let (mut items, mut submitters, mut weight) = (Vec::new(), Vec::new(), 0);
        while items.len() < max_items && weight < max_weight {
            let Some(QueuedItem { item, answer }) = queue.waiting.pop() else { break };
            if answer.is_closed() {
                continue; // its submitter has stopped waiting
            }
            weight += self.0.handler.weight(&item);
            items.push(item);
            submitters.push(answer);
        }
        if items.is_empty() {
            queue.workers -= 1;
            guard.is_counted = false;
        }
        (items, submitters)
    }

    /// Commits a batch as one, or each item by itself if the database rejects the batch.
    async fn commit_all_or_each(&self, items: &[H::Item]) -> Vec<Answer<H>> {
        let handler = &self.0.handler;
        match handler.commit(items).await {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(StoreError::Rejected(_)) if items.len() > 1 => {
                let mut answers = Vec::with_capacity(items.len());
                for item in items {
                    let alone = handler.commit(std::slice::from_ref(item)).await;
                    answers
                        .push(alone.map(|mut only| only.remove(0)).map_err(|error| handler.to_error(&error)));
                }
                answers
            }
            Err(error) => {
                let error = handler.to_error(&error);
                items.iter().map(|_| Err(error)).collect()
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<H>> {
        self.0.queue.lock()
    }
}

/// Counts a running worker. If it panics, another takes its place, so that nothing stays queued.
struct WorkerGuard<'a, H: BatchHandler> {
    group_commit: &'a GroupCommit<H>,
    is_counted: bool,
}

impl<H: BatchHandler> Drop for WorkerGuard<'_, H> {
    fn drop(&mut self) {
        if !self.is_counted {
            return;
        }
        let mut queue = self.group_commit.queue();
        queue.workers -= 1;
        if std::thread::panicking() && !queue.waiting.is_empty() {
            queue.workers += 1;
            drop(queue);
            self.group_commit.spawn_worker();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    /// Doubles numbers, each batch when permitted; panics at 0, and the database "rejects" 13.
    struct Doubling {
        permits: Semaphore,
        batches: AtomicUsize,
    }

    #[async_trait]
    impl BatchHandler for Doubling {
        type Item = u32;
        type Answer = u32;
        type Error = ();

        fn weight(&self, item: &u32) -> usize {
            *item as usize
        }

        async fn commit(&self, items: &[u32]) -> crate::store::Result<Vec<u32>> {
            self.batches.fetch_add(1, Ordering::SeqCst);
            self.permits.acquire().await.expect("never closed").forget();
            assert!(!items.contains(&0), "the test's panic");
            if items.contains(&13) {
                return Err(StoreError::Rejected(sqlx::Error::RowNotFound));
            }
            Ok(items.iter().map(|item| item * 2).collect())
        }

        fn to_error(&self, _: &StoreError) {}
    }

    fn doubling(max_items: usize, max_weight: usize) -> GroupCommit<Doubling> {
        let handler = Doubling { permits: Semaphore::new(0), batches: AtomicUsize::new(0) };
        GroupCommit::new(handler, Limits { workers: 1, max_items, max_weight })
    }

    fn batches(group_commit: &GroupCommit<Doubling>) -> usize {
        group_commit.handler().batches.load(Ordering::SeqCst)
    }

    /// Submits these numbers in order, without waiting for an answer; the first starts a batch of its own.
    async fn submit_each(
        group_commit: &GroupCommit<Doubling>,
        items: impl IntoIterator<Item = u32>,
    ) -> Vec<tokio::task::JoinHandle<Option<Result<u32, ()>>>> {
        let tasks = TaskTracker::new();
        let mut submitted = Vec::new();
        for item in items {
            let group_commit = group_commit.clone();
            submitted.push(tasks.spawn(async move { group_commit.submit(item).await }));
            tokio::task::yield_now().await;
        }
        submitted
    }

    #[tokio::test]
    async fn items_that_arrive_during_a_batch_form_the_next_one() {
        let group_commit = doubling(100, 1_000);
        let submitted = submit_each(&group_commit, 1..=11).await;
        group_commit.handler().permits.add_permits(2);
        for (item, submitted) in (1..).zip(submitted) {
            assert_eq!(submitted.await.ok().flatten(), Some(Ok(item * 2)));
        }
        assert_eq!(batches(&group_commit), 2, "the first alone, ten together");
    }

    #[tokio::test]
    async fn batch_is_bounded_and_a_panic_fails_only_its_own_batch() {
        for (group_commit, expected) in [(doubling(2, 1_000), 3), (doubling(100, 5), 3)] {
            group_commit.handler().permits.add_permits(100);
            let [five, again, three, two, one] = [5, 5, 3, 2, 1].map(|item| group_commit.submit(item));
            let answers = tokio::join!(five, again, three, two, one);
            assert_eq!(answers, (Some(Ok(10)), Some(Ok(10)), Some(Ok(6)), Some(Ok(4)), Some(Ok(2))));
            assert_eq!(batches(&group_commit), expected);
        }
        let group_commit = doubling(1, 1_000);
        group_commit.handler().permits.add_permits(100);
        assert_eq!(tokio::join!(group_commit.submit(4), group_commit.submit(0)), (Some(Ok(8)), None));
        assert_eq!(group_commit.submit(7).await, Some(Ok(14)), "the next batch goes on");
    }

    #[tokio::test]
    async fn rejected_batch_is_committed_item_by_item() {
        let group_commit = doubling(100, 1_000);
        let submitted = submit_each(&group_commit, [1, 2, 13, 3]).await;
        group_commit.handler().permits.add_permits(100);
        let mut answers = Vec::new();
        for submitted in submitted {
            answers.push(submitted.await.ok().flatten());
        }
        assert_eq!(answers, [Some(Ok(2)), Some(Ok(4)), Some(Err(())), Some(Ok(6))]);
        assert_eq!(batches(&group_commit), 5, "one alone, three together, and each of these by itself");
    }
}
