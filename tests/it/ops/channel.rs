//! A notification channel that records what it receives.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::Value;
use silta::background::notifications::AlertMonitor;

use crate::harness::{TestOptions, TestSilta, http};

/// The signing secret of the webhook channel.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

/// A notification channel that keeps what it received and first fails a set number of times.
#[derive(Clone, Default)]
pub struct TestChannel {
    received: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    pub failures_left: Arc<Mutex<usize>>,
}

impl TestChannel {
    pub fn received(&self) -> Vec<(HeaderMap, String)> {
        self.received.lock().unwrap().clone()
    }

    pub fn bodies(&self) -> Vec<Value> {
        self.received().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }

    pub async fn serve(&self) -> (String, tokio_util::task::AbortOnDropHandle<()>) {
        async fn receive(State(channel): State<TestChannel>, headers: HeaderMap, body: Bytes) -> StatusCode {
            let mut failures_left = channel.failures_left.lock().unwrap();
            channel.received.lock().unwrap().push((headers, String::from_utf8(body.to_vec()).unwrap()));
            if *failures_left > 0 {
                *failures_left -= 1;
                return StatusCode::INTERNAL_SERVER_ERROR;
            }
            StatusCode::OK
        }
        http::serve(Router::new().route("/{*any}", post(receive)).with_state(self.clone())).await
    }
}

pub async fn start_with_channels(channels: &str) -> (TestSilta, AlertMonitor) {
    let service = format!("[alerts]\nbacklog_older_than = \"15m\"\n{channels}");
    let options = TestOptions { service: Box::leak(service.into_boxed_str()), connection: "" };
    let silta = TestSilta::start_with(options).await;
    let alerts = silta.alerts.clone();
    (silta, alerts)
}
