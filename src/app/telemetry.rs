//! Logging, and spans to a collector where one is configured. `docs/telemetry.md` says what is logged and what never is.
//!
//! Spans are a request by its route (`request_span.rs`), `receive` (an accepted webhook), `attempt` (one attempt of a task) and `call`
//! (one call to a vendor in it). They hold names, ids, codes and times, never a body. They are sent by OTLP over HTTP in
//! the background; without an answer from the collector spans are lost, and nothing else.

use std::{io::IsTerminal, sync::Arc, time::Duration};

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing_subscriber::{EnvFilter, Layer, filter::filter_fn, fmt, prelude::*};

use super::telemetry_resource::ResourceAttributes;

/// How long a shutdown waits for the last spans.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// The section `[traces]`.
#[derive(Clone, Debug)]
pub struct Traces {
    /// The collector's base URL; spans go to its path `/v1/traces`.
    pub otlp: String,
    /// The share of traces that are recorded, each as a whole.
    pub share: f64,
}

/// The tracer provider, to be shut down with the process.
#[derive(Default)]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Sends the remaining spans.
    pub async fn shutdown(self) {
        if let Some(spans) = self.0 {
            let ended = tokio::task::spawn_blocking(move || spans.shutdown_with_timeout(SHUTDOWN_TIMEOUT));
            if !matches!(ended.await, Ok(Ok(()))) {
                tracing::warn!("the collector did not accept the last spans");
            }
        }
    }
}

/// Starts logging to standard error, as text or JSON lines, and sending spans with this client. A second call changes
/// nothing.
pub fn init(
    filter: &str,
    json: bool,
    traces: Option<(&Traces, reqwest::Client, &ResourceAttributes)>,
) -> Telemetry {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let ansi = std::io::stderr().is_terminal();
    let log = if json {
        fmt::layer().json().with_writer(std::io::stderr).with_filter(filter).boxed()
    } else {
        fmt::layer().with_writer(std::io::stderr).with_ansi(ansi).with_filter(filter).boxed()
    };
    let provider =
        traces.and_then(|(traces, client, resource)| build_tracer_provider(traces, client, resource));
    let spans = provider.as_ref().map(|provider| {
        let is_own_span = filter_fn(|it| it.is_span() && it.target().starts_with("silta"));
        tracing_opentelemetry::layer().with_tracer(provider.tracer("silta")).with_filter(is_own_span)
    });
    match tracing_subscriber::registry().with(log).with(spans).try_init() {
        Ok(()) => Telemetry(provider),
        Err(_) => Telemetry(None),
    }
}

fn build_tracer_provider(
    traces: &Traces,
    client: reqwest::Client,
    resource: &ResourceAttributes,
) -> Option<SdkTracerProvider> {
    let endpoint = format!("{}/v1/traces", traces.otlp.trim_end_matches('/'));
    let client = OtlpClient { client, runtime: Handle::try_current().ok()? };
    let exporter =
        SpanExporter::builder().with_http().with_http_client(client).with_endpoint(endpoint).build().ok()?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(traces.share)));
    Some(
        SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.to_resource())
            .with_sampler(sampler)
            .build(),
    )
}

/// The HTTP client of the exporter. Spans are sent from a thread without a runtime, so the call runs on the runtime of the
/// process.
#[derive(Debug)]
struct OtlpClient {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for OtlpClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (client, request) = (self.client.clone(), Arc::new(request));
        let sent = self.runtime.spawn(async move {
            let (to, headers) = (request.uri().to_string(), request.headers().clone());
            let call = client.post(to).headers(headers).body(request.body().clone());
            #[expect(
                clippy::disallowed_methods,
                reason = "no vendor is called: neither a rate limit nor a call log applies"
            )]
            let answer = call.send().await?;
            let status = answer.status();
            let mut response = Response::new(answer.bytes().await?);
            *response.status_mut() = status;
            Ok::<_, reqwest::Error>(response)
        });
        Ok(sent.await??)
    }
}
