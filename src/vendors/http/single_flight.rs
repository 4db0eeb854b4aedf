//! Single flight: of many callers that need the same answer one asks the vendor, and the others wait for its
//! result, also where that is a failure. Else callers would ask a vendor that hangs one after the other: each
//! would wait longer than its lease, and the last ones would report nothing about the vendor.
//!
//! Written here and not taken from `moka` (docs/dependencies.md): a failure must be shared with the callers
//! that waited for it and with none later, and a refused token must be invalidated by value.

use tokio::{sync::Mutex, time::Instant};

use super::error::CallError;

/// A cached answer, fetched by one caller at a time. A caller that gets another's failure has made no call
/// itself.
#[derive(Debug)]
pub(in crate::vendors) struct SingleFlight<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    answer: Option<T>,
    failed: Option<(Instant, CallError)>,
}

impl<T: Clone> SingleFlight<T> {
    /// An empty cache.
    pub(in crate::vendors) fn new() -> Self {
        Self(Mutex::new(State { answer: None, failed: None }))
    }

    /// Returns the cached answer while `is_valid` holds, else the result of `fetch`, or the failure of another
    /// caller's fetch that ended while this one waited. `fetch` gets the outdated answer.
    pub(in crate::vendors) async fn get_or_fetch(
        &self,
        is_valid: impl FnOnce(&T) -> bool,
        fetch: impl AsyncFnOnce(Option<T>) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let started_at = Instant::now();
        let mut state = self.0.lock().await;
        if let Some(answer) = &state.answer
            && is_valid(answer)
        {
            return Ok(answer.clone());
        }
        if let Some((at, error)) = &state.failed
            && *at >= started_at
        {
            return Err(error.clone());
        }
        let result = fetch(state.answer.take()).await;
        match &result {
            Ok(answer) => state.answer = Some(answer.clone()),
            Err(error) => state.failed = Some((Instant::now(), error.clone())),
        }
        result
    }

    /// Changes the cached answer, if there is one.
    pub(in crate::vendors) async fn update_cached(&self, change: impl FnOnce(&mut T)) {
        if let Some(answer) = self.0.lock().await.answer.as_mut() {
            change(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{domain::vendor::Vendor, vendors::http::error::Failure};

    #[tokio::test]
    async fn waiting_callers_share_one_result_and_later_ones_fetch_again() {
        let (flight, asked) = (SingleFlight::new(), AtomicUsize::new(0));
        let asks = async |answer: Result<u8, Failure>| {
            let fetch = async |_| {
                asked.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                let failed = |failure| CallError {
                    message: None,
                    vendor: Vendor::MyCashflow,
                    call: "list",
                    failure,
                    retry_after: None,
                };
                answer.map_err(failed)
            };
            flight.get_or_fetch(|_| true, fetch).await.map_err(|error| error.failure)
        };
        let lost: Result<u8, Failure> = Err(Failure::Lost);
        assert_eq!(tokio::join!(asks(lost), asks(Ok(1)), asks(Ok(2))), (lost, lost, lost));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert_eq!(tokio::join!(asks(Ok(3)), asks(lost)), (Ok(3), Ok(3)));
        assert_eq!((asks(lost).await, asked.load(Ordering::SeqCst)), (Ok(3), 2));
    }
}
