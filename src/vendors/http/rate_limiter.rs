//! A vendor's rate budget: one token bucket per connection and system, shared by all replicas, so that every caller is
//! polite by construction.
//!
//! It has two lanes. What is live takes any token there is, and borrows from the next seconds where there is none. What
//! can wait (a full comparison, and whatever sweeps and replays have found) takes a token only while half of the bucket
//! stays behind it: as long as live calls keep the bucket low it stands still, and alone it has the whole rate.
//!
//! It learns. A 429 halves the rate, and closes the bucket for as long as the system asked; every quiet minute gives a
//! tenth of the configured rate back.
//!
//! The bucket is a row ([`BudgetBook`]), replaced only as it was read, so that two replicas never spend one token. Where
//! the rate is high, tokens are fetched a twentieth of a second's worth at a time.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::{
    domain::{
        Timestamp,
        rate_limit::{LONGEST_WAIT, Lane, Standing, Taken},
    },
    runtime::clock::Clock,
};

/// An unbounded word of theirs must not silence us for a week; the retry policy clamps likewise.
const LONGEST_CLOSED: Duration = Duration::from_secs(300);

/// Fetched tokens that are not used go stale: they must not pile up into a burst.
const FRESH: chrono::Duration = chrono::Duration::seconds(1);

/// When the book cannot be read now.
const BOOK_AWAY: Duration = Duration::from_secs(1);

/// Why a call may not be made now, and when it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The system itself asked to be left alone so long.
    Closed(Duration),
    /// Others have spent the budget; there may be a token after so long.
    Spent(Duration),
}

/// Where a budget is written down, for all replicas.
#[async_trait]
pub trait BudgetBook: fmt::Debug + Send + Sync {
    /// As it stands; nothing where nothing was ever spent.
    async fn read(&self) -> Result<Option<Standing>, BookAway>;

    /// Replaces what still stands as it was read; false where somebody else was faster.
    async fn replace(&self, old: Option<&Standing>, new: &Standing) -> Result<bool, BookAway>;
}

/// The book cannot be read or written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the budget's book is away")]
pub struct BookAway;

/// Tokens are earned at a steady rate and saved up to one second's worth.
#[derive(Debug)]
pub struct Budget {
    per_second: f64,
    clock: Arc<dyn Clock>,
    book: Arc<dyn BudgetBook>,
    fetched: Mutex<Fetched>,
}

#[derive(Debug, Default)]
struct Fetched {
    /// What we last saw written; another replica may have written since.
    seen: Option<Standing>,
    /// Ours to spend until they go stale.
    tokens: u32,
    at: Option<Timestamp>,
}

impl Budget {
    /// A budget of so many calls a second.
    pub fn new(per_second: f64, clock: Arc<dyn Clock>, book: Arc<dyn BudgetBook>) -> Self {
        Self { per_second, clock, book, fetched: Mutex::default() }
    }

    /// The time by its clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for a token, or answers how long the wait would be where that is too long.
    pub async fn spend(&self, lane: Lane) -> Result<(), Denied> {
        let mut waited = Duration::ZERO;
        loop {
            let wait = self.take(lane).await?;
            if lane == Lane::Live || wait.is_zero() {
                sleep(wait).await;
                return Ok(());
            }
            if waited + wait > LONGEST_WAIT {
                return Err(Denied::Spent(wait));
            }
            sleep(wait).await;
            waited += wait;
        }
    }

    /// The system said how long it wants to be left alone.
    pub async fn close_for(&self, wait: Duration) {
        let until = self.clock.now() + wait.min(LONGEST_CLOSED);
        self.change(|standing| Standing { closed_until: Some(until), ..standing }).await;
    }

    /// The system said that it was too much, to a call begun at `begun`: of many that hear it at once, one is a lesson.
    pub async fn teach(&self, begun: Timestamp) {
        let now = self.clock.now();
        self.change(|standing| standing.taught(begun, now)).await;
    }

    /// Takes a token; answers how long it has to be waited for, or for a background call how long until there may be one.
    async fn take(&self, lane: Lane) -> Result<Duration, Denied> {
        let mut fetched = self.fetched.lock().await;
        loop {
            let now = self.clock.now();
            if let Some(closed) = fetched.seen.and_then(|seen| seen.closed_for(now)) {
                fetched.tokens = 0;
                return Err(Denied::Closed(closed));
            }
            if fetched.tokens > 0 && fetched.at.is_some_and(|at| now >= at && now - at < FRESH) {
                fetched.tokens -= 1;
                return Ok(Duration::ZERO);
            }
            let old = fetched.seen;
            let standing = old.unwrap_or_else(|| Standing::full(now));
            let rate = standing.rate(self.per_second, now);
            let many = at_a_time(rate);
            match standing.take(rate, many, lane, now) {
                Taken::Now(new, wait) => {
                    if self.write(&mut fetched, old, &new).await? {
                        fetched.tokens = many - 1;
                        fetched.at = Some(now);
                        return Ok(wait);
                    }
                }
                Taken::Later(wait) => {
                    // What we saw may be old: another look before we turn a call away for it.
                    let seen = self.book.read().await.map_err(away)?;
                    if seen == fetched.seen {
                        return if lane == Lane::Background { Ok(wait) } else { Err(Denied::Spent(wait)) };
                    }
                    fetched.seen = seen;
                }
            }
        }
    }

    async fn change(&self, change: impl Fn(Standing) -> Standing) {
        let mut fetched = self.fetched.lock().await;
        fetched.tokens = 0;
        loop {
            let old = fetched.seen;
            let new = change(old.unwrap_or_else(|| Standing::full(self.clock.now())));
            // With the book away the lesson is lost: the next call that goes out will hear it again.
            if old == Some(new) || self.write(&mut fetched, old, &new).await != Ok(false) {
                return;
            }
        }
    }

    /// Writes what was made of `old`; where that stands no more, sees what does.
    async fn write(
        &self,
        fetched: &mut Fetched,
        old: Option<Standing>,
        new: &Standing,
    ) -> Result<bool, Denied> {
        if self.book.replace(old.as_ref(), new).await.map_err(away)? {
            fetched.seen = Some(*new);
            return Ok(true);
        }
        fetched.seen = self.book.read().await.map_err(away)?;
        Ok(false)
    }
}

const fn away(_: BookAway) -> Denied {
    Denied::Spent(BOOK_AWAY)
}

/// How many tokens are fetched at once.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are at most 10,000")]
fn at_a_time(rate: f64) -> u32 {
    ((rate / 20.0) as u32).max(1)
}

async fn sleep(wait: Duration) {
    if !wait.is_zero() {
        #[expect(clippy::disallowed_methods, reason = "waiting for its turn is what a budget is for")]
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex as StdMutex, PoisonError};

    use super::*;
    use crate::runtime::clock::ManualClock;

    /// A book in memory, which two budgets may share as two replicas do.
    #[derive(Debug, Default)]
    struct Notebook(StdMutex<Option<Standing>>);

    #[async_trait]
    impl BudgetBook for Notebook {
        async fn read(&self) -> Result<Option<Standing>, BookAway> {
            Ok(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
        }

        async fn replace(&self, old: Option<&Standing>, new: &Standing) -> Result<bool, BookAway> {
            let mut standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_as_read = standing.as_ref() == old;
            if is_as_read {
                *standing = Some(*new);
            }
            Ok(is_as_read)
        }
    }

    fn budgets(per_second: f64, count: usize) -> (Vec<Budget>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::starting_at(Timestamp::UNIX_EPOCH));
        let book = Arc::new(Notebook::default());
        ((0..count).map(|_| Budget::new(per_second, clock.clone(), book.clone())).collect(), clock)
    }

    fn budget(per_second: f64) -> (Budget, Arc<ManualClock>) {
        let (mut budgets, clock) = budgets(per_second, 1);
        (budgets.remove(0), clock)
    }

    #[tokio::test]
    async fn a_spent_budget_makes_calls_wait_their_turn_and_turns_them_away_when_the_wait_is_long() {
        let (budget, clock) = budget(2.0);
        let mut waits = Vec::new();
        for _ in 0..9 {
            waits.push(budget.take(Lane::Live).await.map(|wait| wait.as_millis()));
        }
        assert_eq!(waits[..4], [Ok(0), Ok(0), Ok(500), Ok(1000)]);
        assert_eq!(waits[7], Ok(3000));
        assert!(waits[8].is_err());
        clock.advance(Duration::from_secs(60));
        assert_eq!(budget.take(Lane::Live).await, Ok(Duration::ZERO));
    }

    #[tokio::test]
    async fn a_system_that_asks_for_patience_gets_it_from_every_replica_and_no_more_than_five_minutes() {
        let (budgets, clock) = budgets(100.0, 2);
        assert_eq!(budgets[1].spend(Lane::Live).await, Ok(()));
        budgets[0].close_for(Duration::from_secs(30)).await;
        assert_eq!(budgets[0].spend(Lane::Live).await, Err(Denied::Closed(Duration::from_secs(30))));
        clock.advance(Duration::from_secs(2));
        assert_eq!(budgets[1].spend(Lane::Live).await, Err(Denied::Closed(Duration::from_secs(28))));
        clock.advance(Duration::from_secs(28));
        assert_eq!(budgets[0].spend(Lane::Live).await, Ok(()));
        budgets[0].close_for(Duration::from_secs(1 << 40)).await;
        assert_eq!(budgets[0].spend(Lane::Live).await, Err(Denied::Closed(LONGEST_CLOSED)));
    }

    #[tokio::test]
    async fn what_can_wait_takes_only_what_nobody_live_will_miss_and_alone_has_the_whole_rate() {
        let (budget, clock) = budget(9.0);
        let spare = async || budget.take(Lane::Background).await.map(|wait| wait.is_zero());
        let mut taken = 0;
        for _ in 0..9 {
            taken += usize::from(spare().await == Ok(true));
        }
        assert_eq!(taken, 5, "four of nine stay for whoever is live");
        assert_eq!(budget.take(Lane::Live).await, Ok(Duration::ZERO), "and they do find one");
        let mut alone = 0;
        for _ in 0..90 {
            clock.advance(Duration::from_millis(100));
            alone += usize::from(spare().await == Ok(true));
        }
        assert!((75..=82).contains(&alone), "{alone} in nine seconds at nine a second");
        while budget.take(Lane::Live).await.is_ok_and(|wait| wait.is_zero()) {}
        assert_eq!(spare().await, Ok(false), "live calls have spent it all");
    }

    #[tokio::test]
    async fn replicas_share_one_rate() {
        let (budgets, clock) = budgets(10.0, 4);
        let mut made = 0;
        for tick in 0..500 {
            made += usize::from(budgets[tick % 4].take(Lane::Live).await.is_ok());
            clock.advance(Duration::from_millis(10));
        }
        // Five seconds' worth, one second saved up and three borrowed.
        assert!((85..=92).contains(&made), "{made} in five seconds at ten a second");
    }

    #[tokio::test]
    async fn a_429_halves_the_rate_once_however_many_hear_it_and_quiet_minutes_give_it_back() {
        let (budgets, clock) = budgets(8.0, 2);
        let rate = async |at: usize| {
            let seen = budgets[at].book.read().await.ok().flatten().expect("taught");
            seen.rate(8.0, clock.now())
        };
        let begun = clock.now();
        clock.advance(Duration::from_secs(1));
        for at in [0, 0, 1, 1] {
            budgets[at].teach(begun).await;
        }
        assert!((rate(0).await - 4.0).abs() < 1e-9);
        for _ in 0..20 {
            clock.advance(Duration::from_secs(1));
            budgets[1].teach(clock.now()).await;
        }
        assert!((0.8..0.9).contains(&rate(1).await), "a tenth is the least: {}", rate(1).await);
        clock.advance(Duration::from_secs(9 * 60));
        assert!((rate(1).await - 8.0).abs() < 1e-9);
    }
}
