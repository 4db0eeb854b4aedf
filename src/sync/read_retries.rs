//! Retries the read of a page.

use std::time::Duration;

use crate::{
    domain::task::{outcome::Outcome, reason::Reason},
    vendors::http::error::{CallError, Effect, Failure},
};

/// How often a page is read before the sync fails.
const MAX_READ_FAILURES: u32 = 5;

/// How long live calls may delay one page before the sync fails.
const MAX_YIELD_TIME: Duration = Duration::from_secs(600);

/// Reads a page, retrying transient failures, waiting as long as the vendor asks for, and letting live calls go first.
pub(super) async fn read_with_retries<T, F: Future<Output = Result<T, CallError>>>(
    read: impl Fn() -> F,
) -> Result<T, CallError> {
    let mut retries = ReadRetries::default();
    loop {
        match read().await {
            Ok(page) => return Ok(page),
            Err(error) => retries.wait_or_fail(error).await?,
        }
    }
}

#[derive(Default)]
struct ReadRetries {
    failures: u32,
    yielded: Duration,
}

impl ReadRetries {
    /// Waits before the next read, or returns the error.
    async fn wait_or_fail(&mut self, error: CallError) -> Result<(), CallError> {
        let wait = match error.verdict(Effect::Read) {
            Outcome::Snoozed { after, .. } => {
                after.unwrap_or(Duration::from_secs(2)).min(Duration::from_secs(60))
            }
            // No retry gives access, and a wrong key that is tried again and again may lock the account.
            Outcome::Retryable { reason: Reason::AccessDenied } => return Err(error),
            Outcome::Retryable { .. } => Duration::from_millis(200) * 2_u32.pow(self.failures + 1),
            _ => return Err(error),
        };
        if error.failure == Failure::RateLimited {
            self.yielded += wait;
        } else {
            self.failures += 1;
        }
        if self.failures == MAX_READ_FAILURES || self.yielded > MAX_YIELD_TIME {
            return Err(error);
        }
        #[expect(clippy::disallowed_methods, reason = "nothing tells when the vendor has recovered")]
        tokio::time::sleep(wait).await;
        Ok(())
    }
}
