//! A load client that costs next to nothing: prepared requests over keep-alive connections, as pgbench runs prepared
//! statements, so that the service is what is measured.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use silta::{
    dev::sandbox::{Webhook, WebhookSender},
    vendors::http::tls_config,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::measure::Latencies;

/// A client for what is not timed, or timed in milliseconds. It follows no redirect.
pub fn reqwest_client() -> Result<reqwest::Client> {
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls_config());
    Ok(client.redirect(reqwest::redirect::Policy::none()).build()?)
}

/// Makes the n-th webhook.
pub type Make = Arc<dyn Fn(u64) -> Webhook + Send + Sync>;

/// The result of a round.
#[derive(Default)]
pub struct Round {
    pub accepted: u64,
    pub busy: u64,
    pub seconds: f64,
    pub latencies: Latencies,
}

impl Round {
    pub fn per_second(&self) -> f64 {
        self.accepted as f64 / self.seconds
    }
}

/// Sends webhooks to one connection of a service.
#[derive(Clone)]
pub struct Load {
    urls: Vec<String>,
    connection: String,
    make: Make,
    next: Arc<AtomicU64>,
}

impl Load {
    /// A load on these replicas; each client uses one of them, in turn.
    pub fn new(urls: &[&str], connection: &str, make: Make) -> Self {
        let urls = urls.iter().map(|&url| url.to_owned()).collect();
        Self { urls, connection: connection.to_owned(), make, next: Arc::new(AtomicU64::new(1)) }
    }

    /// Runs clients for a while: each as fast as it is answered, or all together at a rate. At a rate a latency starts when
    /// the webhook was due, not when its client sent it.
    pub async fn round(&self, clients: u32, length: Duration, rate: Option<f64>) -> Result<Round> {
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for number in 0..clients {
            let load = self.clone();
            let pace = rate.map(|rate| Pace {
                every: Duration::from_secs_f64(f64::from(clients) / rate),
                first: Duration::from_secs_f64(f64::from(number) / rate),
            });
            tasks.spawn(async move { load.client(number as usize, begun, length, pace).await });
        }
        let mut round = Round::default();
        while let Some(done) = tasks.join_next().await {
            let one = done??;
            round.accepted += one.accepted;
            round.busy += one.busy;
            round.latencies.merge(one.latencies);
        }
        round.seconds = begun.elapsed().as_secs_f64();
        Ok(round)
    }

    async fn client(
        &self,
        number: usize,
        begun: Instant,
        length: Duration,
        pace: Option<Pace>,
    ) -> Result<Round> {
        let url = &self.urls[number % self.urls.len()];
        let mut http = HttpConnection::to(url).await?;
        let webhook_sender = WebhookSender::to(url, &self.connection);
        let mut round = Round::default();
        let mut turn = 0;
        while begun.elapsed() < length {
            let request =
                request(&webhook_sender, url, &(self.make)(self.next.fetch_add(1, Ordering::Relaxed)));
            let mut from = Instant::now();
            if let Some(Pace { every, first }) = pace {
                from = begun + first + every * turn;
                if from > begun + length {
                    break;
                }
                tokio::time::sleep_until(from.into()).await;
                turn += 1;
            }
            match http.exchange(&request).await? {
                200 => {
                    round.accepted += 1;
                    round.latencies.add(from.elapsed());
                }
                503 => round.busy += 1,
                status => bail!("a webhook was answered {status}"),
            }
        }
        Ok(round)
    }
}

#[derive(Clone, Copy)]
struct Pace {
    every: Duration,
    first: Duration,
}

/// The HTTP request of a signed webhook.
pub fn request(webhook_sender: &WebhookSender, base: &str, webhook: &Webhook) -> Vec<u8> {
    let url = webhook_sender.url(webhook);
    let path = url.strip_prefix(base).unwrap_or(&url);
    let (header, signature) = WebhookSender::signature(webhook);
    let length = webhook.body.len();
    let mut bytes = format!(
        "POST {path} HTTP/1.1\r\nhost: silta\r\ncontent-type: application/json\r\n{header}: {signature}\r\n\
         content-length: {length}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(&webhook.body);
    bytes
}

/// A keep-alive connection.
pub struct HttpConnection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl HttpConnection {
    pub async fn to(url: &str) -> Result<Self> {
        let address = url.strip_prefix("http://").context("a plain address")?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(1024) })
    }

    /// Sends a request and reads the whole answer; returns its status.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        self.read.clear();
        loop {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                bail!("the connection was closed");
            }
            let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.read[..end])?;
            let length: usize = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
                })
                .context("an answer without a length")?;
            if self.read.len() >= end + 4 + length {
                return Ok(head.get(9..12).context("a status line")?.parse()?);
            }
        }
    }
}
