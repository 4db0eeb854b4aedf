//! Group commit: work that arrives together is done together.
//!
//! An item is put in queue; if fewer workers than [`Limits::workers`] are at it, one is begun. A worker takes all that
//! is in queue, does it as one (one statement, one wait for the disk), answers each, and goes on until the queue is
//! empty. So one item alone waits for nobody, and a thousand at once cost a handful of commits: while one is on its
//! way, the next one gathers. Nothing is ever delayed in the hope of company.
//!
//! Webhooks enter by it (`inbox`), and attempts are settled by it (`worker`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

/// What is done together.
#[async_trait]
pub trait BatchHandler: Send + Sync + 'static {
    /// One piece of it.
    type Item: Send + 'static;
    /// What became of a piece.
    type Answer: Send + 'static;

    /// How much of [`Limits::max_weight`] an item is.
    fn weight(&self, item: &Self::Item) -> usize;

    /// Does all of them; answers one for each, in their order.
    async fn together(&self, items: Vec<Self::Item>) -> Vec<Self::Answer>;
}

/// How much is done at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Batches on their way at once: while one waits for the disk, another gathers.
    pub workers: usize,
    /// Items in a batch.
    pub max_items: usize,
    /// The weight after which no more is added to a batch.
    pub max_weight: usize,
}

/// A queue, and who works on it.
pub struct GroupCommit<T: BatchHandler>(Arc<Shared<T>>);

impl<T: BatchHandler> Clone for GroupCommit<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Shared<T: BatchHandler> {
    handler: T,
    limits: Limits,
    queue: Mutex<Queue<T>>,
    tasks: TaskTracker,
}

struct Queue<T: BatchHandler> {
    waiting: Vec<QueuedItem<T>>,
    workers: usize,
}

struct QueuedItem<T: BatchHandler> {
    item: T::Item,
    answer: oneshot::Sender<T::Answer>,
}

impl<T: BatchHandler> GroupCommit<T> {
    /// An empty queue.
    pub fn new(handler: T, limits: Limits) -> Self {
        let queue = Mutex::new(Queue { waiting: Vec::new(), workers: 0 });
        Self(Arc::new(Shared { handler, limits, queue, tasks: TaskTracker::new() }))
    }

    /// Puts an item in queue and waits until it is done; `None` where the one who did it panicked. Whoever stops waiting
    /// before it is begun takes it out of the queue.
    pub async fn submit(&self, item: T::Item) -> Option<T::Answer> {
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

    /// On a task of its own: whoever put the first item may go away, the others' work goes on.
    fn spawn_worker(&self) {
        let group_commit = self.clone();
        self.0.tasks.spawn(async move { group_commit.work().await });
    }

    /// What it is that is done.
    pub fn handler(&self) -> &T {
        &self.0.handler
    }

    /// Works until the queue is empty.
    async fn work(&self) {
        let mut guard = WorkerGuard { group_commit: self, counted: true };
        loop {
            let (items, answers) = self.next_batch(&mut guard);
            if items.is_empty() {
                return;
            }
            for (answer, done) in answers.into_iter().zip(self.0.handler.together(items).await) {
                let _ = answer.send(done);
            }
        }
    }

    /// What is in queue, up to the size of a batch. Where that is not all of it, whoever came last is served first: those
    /// who have waited longest are about to give up, and to do theirs is to do what nobody hears of. Where the queue is
    /// empty, the worker is counted off under the same lock: whoever comes next begins a new one.
    fn next_batch(&self, guard: &mut WorkerGuard<'_, T>) -> (Vec<T::Item>, Vec<oneshot::Sender<T::Answer>>) {
        let Limits { max_items, max_weight, .. } = self.0.limits;
        let mut queue = self.queue();
        let (mut items, mut answers, mut weight) = (Vec::new(), Vec::new(), 0);
        while items.len() < max_items && weight < max_weight {
            let Some(QueuedItem { item, answer }) = queue.waiting.pop() else { break };
            if answer.is_closed() {
                continue; // nobody waits for it any more
            }
            weight += self.0.handler.weight(&item);
            items.push(item);
            answers.push(answer);
        }
        if items.is_empty() {
            queue.workers -= 1;
            guard.counted = false;
        }
        (items, answers)
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker at it. One that ends in a panic leaves its place to another, so that nobody waits in vain.
struct WorkerGuard<'a, T: BatchHandler> {
    group_commit: &'a GroupCommit<T>,
    counted: bool,
}

impl<T: BatchHandler> Drop for WorkerGuard<'_, T> {
    fn drop(&mut self) {
        if !self.counted {
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

    /// Doubles numbers, each batch when it is let; panics at zero.
    struct Doubling {
        let_go: Semaphore,
        batches: AtomicUsize,
    }

    #[async_trait]
    impl BatchHandler for Doubling {
        type Item = u32;
        type Answer = u32;

        fn weight(&self, item: &u32) -> usize {
            *item as usize
        }

        async fn together(&self, items: Vec<u32>) -> Vec<u32> {
            self.batches.fetch_add(1, Ordering::SeqCst);
            self.let_go.acquire().await.expect("never closed").forget();
            assert!(!items.contains(&0), "as the test wants it");
            items.into_iter().map(|item| item * 2).collect()
        }
    }

    fn doubling(max_items: usize, max_weight: usize) -> GroupCommit<Doubling> {
        let work = Doubling { let_go: Semaphore::new(0), batches: AtomicUsize::new(0) };
        GroupCommit::new(work, Limits { workers: 1, max_items, max_weight })
    }

    #[tokio::test]
    async fn what_comes_while_one_batch_is_on_its_way_is_the_next_batch() {
        let group_commit = doubling(100, 1_000);
        let tasks = TaskTracker::new();
        let mut submitted = Vec::new();
        for item in 1..=11 {
            let group_commit = group_commit.clone();
            submitted.push(tasks.spawn(async move { group_commit.submit(item).await }));
            tokio::task::yield_now().await;
        }
        group_commit.handler().let_go.add_permits(2);
        for (item, submitted) in (1..).zip(submitted) {
            assert_eq!(submitted.await.ok().flatten(), Some(item * 2));
        }
        assert_eq!(group_commit.handler().batches.load(Ordering::SeqCst), 2, "the first alone, ten together");
    }

    #[tokio::test]
    async fn a_batch_ends_at_its_size_or_its_weight_and_a_panic_costs_its_own_batch_alone() {
        for (group_commit, batches) in [(doubling(2, 1_000), 3), (doubling(100, 5), 3)] {
            group_commit.handler().let_go.add_permits(100);
            let submitted = [5, 5, 3, 2, 1].map(|item| group_commit.submit(item));
            let [five, again, three, two, one] = submitted;
            let done = tokio::join!(five, again, three, two, one);
            assert_eq!(done, (Some(10), Some(10), Some(6), Some(4), Some(2)));
            assert_eq!(group_commit.handler().batches.load(Ordering::SeqCst), batches);
        }
        let group_commit = doubling(1, 1_000);
        group_commit.handler().let_go.add_permits(100);
        assert_eq!(tokio::join!(group_commit.submit(4), group_commit.submit(0)), (Some(8), None));
        assert_eq!(group_commit.submit(7).await, Some(14), "the next one goes on");
    }
}
