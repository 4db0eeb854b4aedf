//! Group commit: work that arrives together is done together.
//!
//! An item is put in line; if fewer workers than [`Limits::workers`] are at it, one is begun. A worker takes all that
//! is in line, does it as one (one statement, one wait for the disk), answers each, and goes on until the line is
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
pub trait Together: Send + Sync + 'static {
    /// One piece of it.
    type Item: Send + 'static;
    /// What became of a piece.
    type Answer: Send + 'static;

    /// How much of [`Limits::most_weight`] an item is.
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
    pub most: usize,
    /// The weight after which no more is added to a batch.
    pub most_weight: usize,
}

/// A line, and who works on it.
pub struct Gather<T: Together>(Arc<Shared<T>>);

impl<T: Together> Clone for Gather<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Shared<T: Together> {
    work: T,
    limits: Limits,
    line: Mutex<Line<T>>,
    tasks: TaskTracker,
}

struct Line<T: Together> {
    waiting: Vec<Waiting<T>>,
    workers: usize,
}

struct Waiting<T: Together> {
    item: T::Item,
    answer: oneshot::Sender<T::Answer>,
}

impl<T: Together> Gather<T> {
    /// An empty line.
    pub fn new(work: T, limits: Limits) -> Self {
        let line = Mutex::new(Line { waiting: Vec::new(), workers: 0 });
        Self(Arc::new(Shared { work, limits, line, tasks: TaskTracker::new() }))
    }

    /// Puts an item in line and waits until it is done; `None` where the one who did it panicked. Whoever stops waiting
    /// before it is begun takes it out of the line.
    pub async fn put(&self, item: T::Item) -> Option<T::Answer> {
        let (answer, answered) = oneshot::channel();
        let is_worker_needed = {
            let mut line = self.line();
            line.waiting.push(Waiting { item, answer });
            let is_needed = line.workers < self.0.limits.workers;
            line.workers += usize::from(is_needed);
            is_needed
        };
        if is_worker_needed {
            self.begin_worker();
        }
        answered.await.ok()
    }

    /// On a task of its own: whoever put the first item may go away, the others' work goes on.
    fn begin_worker(&self) {
        let gather = self.clone();
        self.0.tasks.spawn(async move { gather.work().await });
    }

    /// What it is that is done.
    pub fn inner(&self) -> &T {
        &self.0.work
    }

    /// Works until the line is empty.
    async fn work(&self) {
        let mut at_work = AtWork { gather: self, counted: true };
        loop {
            let (items, answers) = self.next_batch(&mut at_work);
            if items.is_empty() {
                return;
            }
            for (answer, done) in answers.into_iter().zip(self.0.work.together(items).await) {
                let _ = answer.send(done);
            }
        }
    }

    /// What is in line, up to the size of a batch. Where that is not all of it, whoever came last is served first: those
    /// who have waited longest are about to give up, and to do theirs is to do what nobody hears of. Where the line is
    /// empty, the worker is counted off under the same lock: whoever comes next begins a new one.
    fn next_batch(&self, at_work: &mut AtWork<'_, T>) -> (Vec<T::Item>, Vec<oneshot::Sender<T::Answer>>) {
        let Limits { most, most_weight, .. } = self.0.limits;
        let mut line = self.line();
        let (mut items, mut answers, mut weight) = (Vec::new(), Vec::new(), 0);
        while items.len() < most && weight < most_weight {
            let Some(Waiting { item, answer }) = line.waiting.pop() else { break };
            if answer.is_closed() {
                continue; // nobody waits for it any more
            }
            weight += self.0.work.weight(&item);
            items.push(item);
            answers.push(answer);
        }
        if items.is_empty() {
            line.workers -= 1;
            at_work.counted = false;
        }
        (items, answers)
    }

    fn line(&self) -> MutexGuard<'_, Line<T>> {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker at it. One that ends in a panic leaves its place to another, so that nobody waits in vain.
struct AtWork<'a, T: Together> {
    gather: &'a Gather<T>,
    counted: bool,
}

impl<T: Together> Drop for AtWork<'_, T> {
    fn drop(&mut self) {
        if !self.counted {
            return;
        }
        let mut line = self.gather.line();
        line.workers -= 1;
        if std::thread::panicking() && !line.waiting.is_empty() {
            line.workers += 1;
            drop(line);
            self.gather.begin_worker();
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
    impl Together for Doubling {
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

    fn doubling(most: usize, most_weight: usize) -> Gather<Doubling> {
        let work = Doubling { let_go: Semaphore::new(0), batches: AtomicUsize::new(0) };
        Gather::new(work, Limits { workers: 1, most, most_weight })
    }

    #[tokio::test]
    async fn what_comes_while_one_batch_is_on_its_way_is_the_next_batch() {
        let gather = doubling(100, 1_000);
        let tasks = TaskTracker::new();
        let mut put = Vec::new();
        for item in 1..=11 {
            let gather = gather.clone();
            put.push(tasks.spawn(async move { gather.put(item).await }));
            tokio::task::yield_now().await;
        }
        gather.inner().let_go.add_permits(2);
        for (item, put) in (1..).zip(put) {
            assert_eq!(put.await.ok().flatten(), Some(item * 2));
        }
        assert_eq!(gather.inner().batches.load(Ordering::SeqCst), 2, "the first alone, ten together");
    }

    #[tokio::test]
    async fn a_batch_ends_at_its_size_or_its_weight_and_a_panic_costs_its_own_batch_alone() {
        for (gather, batches) in [(doubling(2, 1_000), 3), (doubling(100, 5), 3)] {
            gather.inner().let_go.add_permits(100);
            let put = [5, 5, 3, 2, 1].map(|item| gather.put(item));
            let [five, again, three, two, one] = put;
            let done = tokio::join!(five, again, three, two, one);
            assert_eq!(done, (Some(10), Some(10), Some(6), Some(4), Some(2)));
            assert_eq!(gather.inner().batches.load(Ordering::SeqCst), batches);
        }
        let gather = doubling(1, 1_000);
        gather.inner().let_go.add_permits(100);
        assert_eq!(tokio::join!(gather.put(4), gather.put(0)), (Some(8), None));
        assert_eq!(gather.put(7).await, Some(14), "the next one goes on");
    }
}
