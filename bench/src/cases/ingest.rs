//! Signed webhooks of 2 KB, durably accepted over HTTP, beside prepared single-row inserts of the same bytes by pgbench
//! into a copy of the same table, with as many clients on the same server.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use serde_json::json;
use silta::dev::sandbox::Webhook;

use super::Bench;
use crate::{
    client::{Load, Make},
    measure::{Latencies, median},
    pgbench::Pgbench,
    picture::{Line, Picture},
    report::{Row, Unit},
    setup::{Server, Service},
};

const CLIENTS: u32 = 32;
const SECONDS: u32 = 5;
const BODY_BYTES: usize = 2048;

/// A table with the same columns, checks and indexes, which gets single rows.
const REFERENCE_TABLE: &str = "create table reference (like event including all)";

const REFERENCE_INSERT: &str = "
    insert into reference
        (id, connection, source, topic, kind, subject, received_at, fingerprint, body, task_id)
    values (
        gen_random_uuid(), 'bench', 'mycashflow', 'order.created', 'order', 'order:1042', now(),
        sha256(uuid_send(gen_random_uuid())), convert_to(:body, 'UTF8'), gen_random_uuid()
    );";

pub async fn run(bench: &mut Bench) -> Result<()> {
    let server = Server::start().await?;
    server.run(REFERENCE_TABLE).await?;
    let service =
        Service::start(&bench.silta, &bench.inbox_config("bench"), &server, &["--only", "http"]).await?;
    let load = Load::new(&[&service.url], "bench", webhooks());
    let body = String::from_utf8(order(1042).body)?;
    let define = [("body", body)];
    let reference = Pgbench { server: &server, script: REFERENCE_INSERT, define: &define };

    let length = Duration::from_secs(SECONDS.into());
    let mut best = (0.0, 0.0);
    for clients in [1, CLIENTS, 4 * CLIENTS] {
        let (mut silta_figures, mut reference_figures) = (Vec::new(), Vec::new());
        for _ in 0..bench.rounds {
            reference_figures.push(reference.round(clients, SECONDS, None)?.per_second);
            silta_figures.push(load.round(clients, length, None).await?.per_second());
        }
        if clients == CLIENTS {
            best = (median(&silta_figures), median(&reference_figures));
        }
        let target = if clients == 1 { 0.75 } else { 1.0 };
        let name = format!("webhooks accepted, {clients} connection{}", if clients == 1 { "" } else { "s" });
        bench.report.row(
            Row::compared(&name, "pgbench", Unit::PerSecond, silta_figures, reference_figures)
                .at_least(target),
        );
    }

    let (mut silta_figures, mut reference_figures) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        reference_figures
            .push(reference.round(CLIENTS, SECONDS, Some(best.1 / 2.0))?.latencies.percentile(99.0));
        silta_figures.push(load.round(CLIENTS, length, Some(best.0 / 2.0)).await?.latencies.percentile(99.0));
    }
    bench.report.row(
        Row::compared("p99 at half load", "pgbench", Unit::Millis, silta_figures, reference_figures)
            .at_most(5.0),
    );
    bench.report.fact("ingest_peak_memory_mb", json!(service.memory()?.1));
    if bench.quick {
        return Ok(());
    }

    let mut lines = Lines::default();
    for share in [0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 1.1] {
        let reference_figures = reference.round(CLIENTS, SECONDS, Some(best.1 * share))?;
        lines.reference_figures.add(
            best.1 * share,
            reference_figures.per_second,
            &reference_figures.latencies,
        );
        let silta_figures = load.round(CLIENTS, length, Some(best.0 * share)).await?;
        lines.silta_figures.add(best.0 * share, silta_figures.per_second(), &silta_figures.latencies);
    }
    lines.draw(bench)
}

/// Throughput and latencies over the offered load.
#[derive(Default)]
struct Lines {
    silta_figures: Curve,
    reference_figures: Curve,
}

#[derive(Default)]
struct Curve {
    answered: Vec<(f64, f64)>,
    p50: Vec<(f64, f64)>,
    p99: Vec<(f64, f64)>,
}

impl Curve {
    fn add(&mut self, offered: f64, answered: f64, latencies: &Latencies) {
        self.answered.push((offered, answered));
        self.p50.push((offered, latencies.percentile(50.0)));
        self.p99.push((offered, latencies.percentile(99.0)));
    }
}

impl Lines {
    fn draw(self, bench: &mut Bench) -> Result<()> {
        let Self { silta_figures, reference_figures } = self;
        bench.draw(&Picture {
            file: "ingest-throughput",
            title: "Accepted over offered",
            x: "offered a second",
            y: "accepted a second",
            log_y: false,
            lines: vec![
                Line::first("silta", silta_figures.answered),
                Line::second("pgbench", reference_figures.answered),
            ],
        })?;
        bench.draw(&Picture {
            file: "ingest-latency",
            title: "Time to the answer over offered load",
            x: "offered a second",
            y: "ms",
            log_y: true,
            lines: vec![
                Line::first("silta p50", silta_figures.p50),
                Line::first("silta p99", silta_figures.p99).dashed(),
                Line::second("pgbench p50", reference_figures.p50),
                Line::second("pgbench p99", reference_figures.p99).dashed(),
            ],
        })
    }
}

/// The webhook of an order: 2 KB of JSON.
pub fn order(id: u64) -> Webhook {
    let mut lines = Vec::new();
    let mut body = String::new();
    while body.len() < BODY_BYTES - 140 {
        let line = lines.len() as u64;
        let mixed = (id ^ 0x9e37_79b9).wrapping_mul(line + 1).wrapping_mul(0x2545_f491_4f6c_dd1d);
        lines.push(json!({ "id": line, "product_code": format!("S-{mixed:x}"), "quantity": mixed % 7 + 1,
            "price": format!("{}.{:02}", mixed % 900, mixed % 100) }));
        body = json!({ "topic": "order.created", "data": { "id": id, "products": lines, "pad": "" } })
            .to_string();
    }
    let pad = "x".repeat(BODY_BYTES.saturating_sub(body.len()));
    Webhook::raw_from_shop(body.replace(r#""pad":"""#, &format!(r#""pad":"{pad}""#)).as_bytes())
}

/// Webhooks of one order each; prepared except for the number.
pub fn webhooks() -> Make {
    webhooks_from(0)
}

/// The same, from this order number on.
pub fn webhooks_from(first: u64) -> Make {
    let made = order(1_000_000_000).body;
    let made = String::from_utf8(made).expect("JSON is UTF-8");
    Arc::new(move |number| {
        let id = 1_000_000_000 + first + number;
        Webhook::raw_from_shop(made.replacen(":1000000000", &format!(":{id}"), 1).as_bytes())
    })
}
