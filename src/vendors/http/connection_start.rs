//! When a connection began, by the vendor's own clock.
//!
//! Orders older than the connection are history. Their times are the vendor's, so what they are compared with must be,
//! too: our clock may be an hour off when the connection is first configured. The first answer that has a `Date`
//! tells the vendor's time, whatever the answer says.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::domain::Timestamp;

/// Stores when connections began.
#[async_trait]
pub trait StartStore: fmt::Debug + Send + Sync {
    /// Stores when the connection began, given the vendor's time now, unless that is stored already; returns what is
    /// stored. `None` where the connection is unknown.
    async fn record_date(
        &self,
        connection: &str,
        date: Timestamp,
    ) -> Result<Option<Timestamp>, StartStoreError>;
}

/// When the connection began cannot be stored, so it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("when the connection began is unknown: the database is unavailable")]
pub struct StartStoreError;

/// When a connection began, by the vendor's clock.
#[derive(Debug)]
pub struct ConnectionStart {
    connection: String,
    store: Arc<dyn StartStore>,
    /// What the answers so far have shown; nothing where none had a date.
    known: Mutex<Result<Option<Timestamp>, StartStoreError>>,
}

impl ConnectionStart {
    /// Begins without an answer.
    pub fn new(connection: &str, store: Arc<dyn StartStore>) -> Self {
        Self { connection: connection.to_owned(), store, known: Mutex::new(Ok(None)) }
    }

    /// When the connection began. `None` where no answer had a date; an error where the date of one could not be
    /// stored: nothing may be taken for history then, nor for new.
    pub fn get(&self) -> Result<Option<Timestamp>, StartStoreError> {
        *self.known.lock()
    }

    /// Takes note of the date of an answer, before the answer is used.
    pub(super) async fn observe(&self, date: Timestamp) {
        if self.get().is_ok_and(|known| known.is_some()) {
            return;
        }
        let stored = self.store.record_date(&self.connection, date).await;
        let mut known = self.known.lock();
        if !known.is_ok_and(|known| known.is_some()) {
            *known = stored;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails as often as this says, then stores the first date.
    #[derive(Debug, Default)]
    struct TestStore(Mutex<(usize, Option<Timestamp>)>);

    #[async_trait]
    impl StartStore for TestStore {
        async fn record_date(&self, _: &str, date: Timestamp) -> Result<Option<Timestamp>, StartStoreError> {
            let (failures, stored) = &mut *self.0.lock();
            if *failures > 0 {
                *failures -= 1;
                return Err(StartStoreError);
            }
            Ok(Some(*stored.get_or_insert(date)))
        }
    }

    #[tokio::test]
    async fn date_that_could_not_be_stored_is_neither_known_nor_missing() {
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).expect("a time");
        let start = ConnectionStart::new("shop", Arc::new(TestStore(Mutex::new((1, None)))));
        assert_eq!(start.get(), Ok(None), "no answer yet");
        start.observe(at(100)).await;
        assert_eq!(start.get(), Err(StartStoreError));
        start.observe(at(110)).await;
        start.observe(at(120)).await;
        assert_eq!(start.get(), Ok(Some(at(110))), "the first one that is stored");
    }
}
