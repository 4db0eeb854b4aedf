//! Drains a backlog with a flow that does nothing, beside the Rust crate `graphile_worker` with its local queue on the same
//! server. Both store 1 KB for each task; a task counts once it is committed as done. Silta also records each attempt and
//! keeps the task; the reference deletes the job.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use chrono::Utc;
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, WorkerContext, WorkerOptions,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use silta::{
    app::{
        App, AppDeps,
        config::{Config, Environment},
    },
    domain::{
        event::{
            source::Source,
            subject::{Priority, Subject, SubjectKind},
        },
        id::{EventId, TaskId},
        task::outcome::Outcome,
    },
    flows::{AttemptResult, Context, Flow},
    runtime::{
        clock::{Entropy, SystemClock},
        failpoints::Failpoints,
        pressure::Pressure,
    },
    store::{
        self,
        ingest::{self, InternalEvent},
    },
    worker::{self, Worker},
};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::Bench;
use crate::{
    measure::median,
    picture::{Line, Picture},
    report::{Row, Unit},
    setup::Server,
};

/// The size of the reference's local queue and its concurrency; Silta's concurrency is the sum of both.
const AT_ONCE: usize = 500;
const BACKLOG: usize = 50_000;
const REFERENCE: &str = "graphile_worker";

/// Leaves out each attempt's row, at the price of a trigger that does nothing else: what the log costs.
const NO_LOG: &str = "
    create function leave_out() returns trigger language plpgsql as 'begin return null; end';
    create trigger no_log before insert on attempt for each row execute function leave_out()";

static DONE: AtomicUsize = AtomicUsize::new(0);

pub async fn run(bench: &mut Bench) -> Result<()> {
    let (mut silta_figures, mut reference_figures, mut without_log) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        reference_figures.push(measure_reference(BACKLOG).await?);
        silta_figures.push(measure_silta(bench, BACKLOG, 1).await?);
        without_log.push(drain(bench, BACKLOG, 1, Some(NO_LOG)).await?);
    }
    bench.report.row(Row::compared(
        "tasks drained without a log of attempts",
        "with it",
        Unit::PerSecond,
        without_log,
        silta_figures.clone(),
    ));
    bench.report.row(
        Row::compared(
            "tasks drained",
            REFERENCE,
            Unit::PerSecond,
            silta_figures.clone(),
            reference_figures.clone(),
        )
        .at_least(1.0),
    );
    if bench.quick {
        return Ok(());
    }
    let (mut silta_line, mut reference_line) = (Vec::new(), Vec::new());
    for backlog in [5_000, 20_000, BACKLOG, 150_000, 300_000] {
        let (silta_rate, reference_rate) = if backlog == BACKLOG {
            (median(&silta_figures), median(&reference_figures))
        } else {
            (measure_silta(bench, backlog, 1).await?, measure_reference(backlog).await?)
        };
        silta_line.push((backlog as f64, silta_rate));
        reference_line.push((backlog as f64, reference_rate));
    }
    bench.draw(&Picture {
        file: "drain",
        title: "Drained a second, over the backlog that was waiting",
        x: "waiting at the start",
        y: "a second",
        log_y: false,
        lines: vec![Line::first("silta", silta_line), Line::second(REFERENCE, reference_line)],
    })
}

struct NoopFlow;

#[async_trait]
impl Flow for NoopFlow {
    async fn run(&self, _: &Context) -> AttemptResult {
        DONE.fetch_add(1, Ordering::Relaxed);
        AttemptResult::new(Outcome::InSync)
    }
}

fn noop_flow(_: SubjectKind) -> &'static dyn Flow {
    &NoopFlow
}

/// Tasks done a second, from the start of all workers to the last commit.
pub async fn measure_silta(bench: &Bench, backlog: usize, workers: usize) -> Result<f64> {
    drain(bench, backlog, workers, None).await
}

/// The same after a change of the schema, with which no attempt is recorded.
async fn drain(bench: &Bench, backlog: usize, workers: usize, no_log: Option<&'static str>) -> Result<f64> {
    let server = Server::start().await?;
    let pool = server.pool(10);
    let mut workers_to_run = Vec::new();
    for _ in 0..workers {
        workers_to_run.push(worker(bench, &pool).await?);
    }
    fill(&pool, "bench", backlog).await?;
    if let Some(change) = no_log {
        server.run(change).await?;
    }
    server.run("vacuum analyze task").await?;
    server.run("checkpoint").await?;
    DONE.store(0, Ordering::Relaxed);
    let begun = Instant::now();
    let (soft, hard) = (CancellationToken::new(), CancellationToken::new());
    let running: Vec<_> = workers_to_run
        .into_iter()
        .map(|worker| {
            let (soft, hard) = (soft.clone(), hard.clone());
            tokio::spawn(async move { worker.run(soft, hard).await })
        })
        .collect();
    wait_for(backlog, || async {
        let sql = "select not exists (select from task where state in ('pending', 'leased', 'in_doubt'))";
        Ok(sqlx::query_scalar(sql).fetch_one(&pool).await?)
    })
    .await?;
    let took = begun.elapsed();
    soft.cancel();
    for running in running {
        running.await?;
    }
    let attempts: i64 = sqlx::query_scalar("select count(*) from attempt").fetch_one(&pool).await?;
    let expected = if no_log.is_some() { 0 } else { i64::try_from(backlog)? };
    anyhow::ensure!(attempts == expected, "{attempts} attempts for {backlog} tasks");
    Ok(backlog as f64 / took.as_secs_f64())
}

/// A worker whose flow does nothing, for one connection.
pub async fn worker(bench: &Bench, pool: &PgPool) -> Result<Worker> {
    let config = Config::load(&bench.unlimited_config("bench"), &Environment::new())
        .map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let (retry, lease) = (config.retry, config.lease);
    let (clock, entropy, failpoints) =
        (Arc::new(SystemClock), Arc::new(Entropy::seeded(1)), Failpoints::disabled());
    let app = App::new(
        config,
        AppDeps {
            pool: pool.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            failpoints: failpoints.clone(),
        },
    );
    app.prepare().await?;
    Ok(Worker::new(worker::Deps {
        pool: store::hot_path_pool(pool),
        clock,
        entropy,
        clients: app.clients,
        flow_for: noop_flow,
        retry,
        options: worker::Options { concurrency: 2 * AT_ONCE, lease, name: "bench".to_owned() },
        metrics: worker::Metrics::registered(&mut prometheus_client::registry::Registry::default()),
        failpoints,
        pressure: Pressure::default(),
    }))
}

/// Enqueues tasks that are due now, each with a subject and an event of 1 KB of its own.
pub async fn fill(pool: &PgPool, connection: &str, many: usize) -> Result<()> {
    let entropy = Entropy::from_os();
    let mut db = pool.acquire().await?;
    let pad = "0123456789abcdef".repeat(60);
    let numbers: Vec<_> = (0..many).collect();
    for numbers in numbers.chunks(500) {
        let at = Utc::now();
        let incoming: Vec<_> = numbers
            .iter()
            .map(|number| {
                let event = InternalEvent {
                    connection,
                    subject: Subject::stock(format!("S-{}-{number}", entropy.id(at).simple())),
                    source: Source::Poll,
                    topic: "bench",
                    body: json!({ "number": number, "pad": pad }),
                    priority: Priority(1),
                    at,
                };
                event.into_incoming(EventId(entropy.id(at)), TaskId(entropy.id(at)))
            })
            .collect();
        ingest::ingest(&mut db, &incoming).await?;
    }
    Ok(())
}

/// Waits until this many have run, and then until the database says so.
async fn wait_for<F: Future<Output = Result<bool>>>(many: usize, is_over: impl Fn() -> F) -> Result<()> {
    while DONE.load(Ordering::Relaxed) < many {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    while !is_over().await? {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

#[derive(Deserialize, Serialize)]
struct NoopJob {
    number: usize,
    pad: String,
}

impl TaskHandler for NoopJob {
    const IDENTIFIER: &'static str = "nothing";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {
        DONE.fetch_add(1, Ordering::Relaxed);
        Ok::<(), String>(())
    }
}

/// Jobs done a second by the reference, with its local queue and batched completions.
async fn measure_reference(backlog: usize) -> Result<f64> {
    let server = Server::start().await?;
    let pool = server.pool(10);
    let worker = WorkerOptions::default()
        .pg_pool(pool.clone())
        .concurrency(AT_ONCE)
        .poll_interval(Duration::from_millis(5))
        .complete_job_batch_delay(Duration::from_millis(5))
        .local_queue(LocalQueueConfig::default().with_size(AT_ONCE))
        .listen_os_shutdown_signals(false)
        .define_job::<NoopJob>()
        .init()
        .await
        .context("graphile_worker does not start")?;
    let utils = worker.create_utils();
    let pad = "0123456789abcdef".repeat(60);
    let numbers: Vec<_> = (0..backlog).collect();
    for numbers in numbers.chunks(5_000) {
        let jobs: Vec<_> = numbers
            .iter()
            .map(|number| RawJobSpec {
                identifier: "nothing".to_owned(),
                payload: json!({ "number": number, "pad": pad }),
                spec: JobSpec::default(),
            })
            .collect();
        utils.add_raw_jobs(&jobs).await.context("graphile_worker takes no jobs")?;
    }
    server.run("vacuum analyze graphile_worker._private_jobs").await?;
    server.run("checkpoint").await?;
    DONE.store(0, Ordering::Relaxed);
    let worker = Arc::new(worker);
    let begun = Instant::now();
    let running = tokio::spawn({
        let worker = worker.clone();
        async move { worker.run().await }
    });
    wait_for(backlog, || async {
        Ok(sqlx::query_scalar("select not exists (select from graphile_worker._private_jobs)")
            .fetch_one(&pool)
            .await?)
    })
    .await?;
    let took = begun.elapsed();
    worker.request_shutdown();
    running.await?.context("graphile_worker failed")?;
    Ok(backlog as f64 / took.as_secs_f64())
}
