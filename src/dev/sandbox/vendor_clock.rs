//! The clock of a fake vendor: whole seconds, and as far off as a test wants.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use chrono::{DateTime, Duration, SubsecRound, Utc};

use crate::runtime::clock::Clock;

/// The clock of a fake vendor.
#[derive(Clone)]
pub(super) struct VendorClock {
    clock: Arc<dyn Clock>,
    /// Seconds that it is ahead.
    ahead: Arc<AtomicI64>,
    hides_date: Arc<AtomicBool>,
}

impl VendorClock {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, ahead: Arc::default(), hides_date: Arc::default() }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        let ahead = Duration::seconds(self.ahead.load(Ordering::Relaxed));
        (self.clock.now() + ahead).trunc_subsecs(0)
    }

    pub(super) fn set_ahead(&self, seconds: i64) {
        self.ahead.store(seconds, Ordering::Relaxed);
    }

    pub(super) fn hide_date(&self) {
        self.hides_date.store(true, Ordering::Relaxed);
    }
}

/// Dates each answer.
pub(super) async fn date(State(clock): State<VendorClock>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let date = clock.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date)
        && !clock.hides_date.load(Ordering::Relaxed)
    {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}
