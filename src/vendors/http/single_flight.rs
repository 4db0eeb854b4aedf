//! Single flight: what many need is asked for by one of them, and the others wait for the answer, also where it is a
//! failure. So a system that hangs is waited for once, and not once more by each who stands in line behind the last: they
//! would outlast their leases there, and say nothing of the system that kept them.

use tokio::{sync::Mutex, time::Instant};

use super::error::CallError;

/// Something asked for by one and known to all. Who gets another's failure has made no call of his own.
#[derive(Debug)]
pub(in crate::vendors) struct Flight<T>(Mutex<Known<T>>);

#[derive(Debug)]
struct Known<T> {
    answer: Option<T>,
    failed: Option<(Instant, CallError)>,
}

impl<T: Clone> Flight<T> {
    /// Nothing is known yet.
    pub(in crate::vendors) fn new() -> Self {
        Self(Mutex::new(Known { answer: None, failed: None }))
    }

    /// What is known, where it is good still; else what `ask` makes of it, or the failure that came while we waited.
    pub(in crate::vendors) async fn get(
        &self,
        is_good: impl FnOnce(&T) -> bool,
        ask: impl AsyncFnOnce(Option<T>) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let came_at = Instant::now();
        let mut known = self.0.lock().await;
        if let Some(answer) = &known.answer
            && is_good(answer)
        {
            return Ok(answer.clone());
        }
        if let Some((at, error)) = &known.failed
            && *at >= came_at
        {
            return Err(error.clone());
        }
        let asked = ask(known.answer.take()).await;
        match &asked {
            Ok(answer) => known.answer = Some(answer.clone()),
            Err(error) => known.failed = Some((Instant::now(), error.clone())),
        }
        asked
    }

    /// Changes what is known, if anything is.
    pub(in crate::vendors) async fn change(&self, change: impl FnOnce(&mut T)) {
        if let Some(answer) = self.0.lock().await.answer.as_mut() {
            change(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{domain::vendor::System, vendors::http::error::Failure};

    #[tokio::test]
    async fn who_waits_gets_the_answer_or_the_failure_and_who_comes_later_asks_anew() {
        let (flight, asked) = (Flight::new(), AtomicUsize::new(0));
        let asks = async |answer: Result<u8, Failure>| {
            let ask = async |_| {
                asked.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                let failed = |failure| CallError {
                    system: System::MyCashflow,
                    call: "list",
                    failure,
                    retry_after: None,
                };
                answer.map_err(failed)
            };
            flight.get(|_| true, ask).await.map_err(|error| error.failure)
        };
        let lost: Result<u8, Failure> = Err(Failure::Lost);
        assert_eq!(tokio::join!(asks(lost), asks(Ok(1)), asks(Ok(2))), (lost, lost, lost));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert_eq!(tokio::join!(asks(Ok(3)), asks(lost)), (Ok(3), Ok(3)));
        assert_eq!((asks(lost).await, asked.load(Ordering::SeqCst)), (Ok(3), 2));
    }
}
