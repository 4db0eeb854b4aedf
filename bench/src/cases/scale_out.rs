//! Several processes on one PostgreSQL: webhooks accepted by 1, 2 and 4 replicas, and tasks drained by as many workers.

use std::time::Duration;

use anyhow::Result;

use super::{Bench, drain, ingest};
use crate::{
    client::Load,
    report::{Row, Unit},
    setup::{Server, Service},
};

const CLIENTS: u32 = 64;
const LENGTH: Duration = Duration::from_secs(5);

pub async fn run(bench: &mut Bench) -> Result<()> {
    let server = Server::start().await?;
    let mut alone = Vec::new();
    for replicas in [1_usize, 2, 4] {
        let mut services = Vec::new();
        for _ in 0..replicas {
            let config = bench.inbox_config("bench");
            services.push(Service::start(&bench.silta, &config, &server, &["--only", "http"]).await?);
        }
        let urls: Vec<_> = services.iter().map(|service| service.url.as_str()).collect();
        let load = Load::new(&urls, "bench", ingest::webhooks_from(replicas as u64 * 1_000_000_000));
        let mut figures = Vec::new();
        for _ in 0..bench.rounds {
            figures.push(load.round(CLIENTS, LENGTH, None).await?.per_second());
        }
        let name = format!("webhooks, {replicas} process{}", if replicas == 1 { "" } else { "es" });
        if replicas == 1 {
            alone.clone_from(&figures);
            bench.report.row(Row::single(&name, Unit::PerSecond, figures));
        } else {
            bench.report.row(Row::compared(&name, "one process", Unit::PerSecond, figures, alone.clone()));
        }
    }
    let mut alone = Vec::new();
    for workers in [1_usize, 2, 4] {
        let mut figures = Vec::new();
        for _ in 0..bench.rounds {
            figures.push(drain::measure_silta(bench, 50_000, workers).await?);
        }
        let name = format!("tasks drained, {workers} worker{}", if workers == 1 { "" } else { "s" });
        if workers == 1 {
            alone.clone_from(&figures);
            bench.report.row(Row::single(&name, Unit::PerSecond, figures));
        } else {
            bench.report.row(Row::compared(&name, "one worker", Unit::PerSecond, figures, alone.clone()));
        }
    }
    Ok(())
}
