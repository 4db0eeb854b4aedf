//! The cost of claiming one task in a full database: a million closed tasks, a million due in the future, a hundred
//! thousand dead, a hundred thousand events of one subject, a long-lived snapshot. The claim is the worker's own: the same
//! connection options, from the due watermark.

use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde_json::json;
use silta::{
    domain::{
        event::{
            source::Source,
            subject::{Priority, Subject},
        },
        id::{EventId, TaskId},
        switch::Switches,
        task::{
            outcome::Outcome,
            transition::{AttemptEnd, transition},
        },
    },
    runtime::clock::Entropy,
    store::{
        self,
        claim::{self, ClaimRequest, ConnectionCapacity},
        connections,
        ingest::{self, IncomingEvent, InternalEvent},
        settle::{self, AttemptRecord, SettledAttempt},
    },
};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::Bench;
use crate::{
    measure::median,
    report::{Row, Unit},
    setup::Server,
};

const CLAIMS: usize = 400;
/// How far the worker's due watermark lies behind the present.
const WATERMARK_LAG: Duration = Duration::from_millis(500);
const MAX_RATIO: f64 = 1.3;

const CLOSED: &str = "
    insert into task (id, connection, kind, subject, state, priority, due_at, created_at, settled_at)
    select gen_random_uuid(), 'bench', 'stock', 'stock:closed-' || n, 'done', 1, at, at, at
    from generate_series(1, 1000000) n, lateral (select now() - interval '1 hour' - n * interval '1 ms' as at) moments";
const FUTURE: &str = "
    insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
    select gen_random_uuid(), 'bench', 'stock', 'stock:future-' || n, 'pending', 1,
           now() + interval '1 hour' + n * interval '1 ms', now()
    from generate_series(1, 1000000) n";
const DEAD: &str = "
    insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
    select gen_random_uuid(), 'bench', 'stock', 'stock:dead-' || n, 'dead', 'refused', 1, now(), now(), now()
    from generate_series(1, 100000) n";

/// What fills the table in turn, each on top of the one before.
const HEAPS: [(&str, &str); 3] = [
    ("beside a million closed", CLOSED),
    ("and a million in the future", FUTURE),
    ("and a hundred thousand dead", DEAD),
];

pub async fn run(bench: &mut Bench) -> Result<()> {
    let server = Server::start().await?;
    let mut rounds = Rounds {
        count: bench.rounds,
        nothing: Claims::new(&server.another("nothing").await?).await?,
        heap: Claims::new(&server.options).await?,
    };
    let (_, alone) = rounds.measure().await?;
    bench.report.row(Row::single("a claim of one, nothing else there", Unit::Micros, alone));
    for (name, sql) in HEAPS {
        server.run(sql).await?;
        server.run("vacuum analyze task").await?;
        rounds.heap.reconnect().await?;
        rounds.row(bench, name).await?;
    }
    rounds.heap.enqueue_same_subject(100_000).await?;
    rounds.row(bench, "and 100,000 events of one subject, unvacuumed").await?;

    let mut holder = server.connection().await?;
    sqlx::raw_sql("begin isolation level repeatable read; select count(*) from connection")
        .execute(&mut holder)
        .await?;
    rounds.heap.settle_batch(50_000).await?;
    tokio::time::sleep(2 * WATERMARK_LAG).await;
    rounds.row(bench, "and 50,000 settled under a long snapshot").await
}

/// Claims in the full database and in an empty one on the same server, one by one in turn, so that both see the same
/// momentary load of the machine.
struct Rounds {
    count: usize,
    nothing: Claims,
    heap: Claims,
}

impl Rounds {
    async fn row(&mut self, bench: &mut Bench, name: &str) -> Result<()> {
        let (beside, alone) = self.measure().await?;
        bench
            .report
            .row(Row::compared(name, "nothing there", Unit::Micros, beside, alone).at_most(MAX_RATIO));
        Ok(())
    }

    /// The median claim of each round, in the full database and in the empty one.
    async fn measure(&mut self) -> Result<(Vec<f64>, Vec<f64>)> {
        let (mut beside, mut alone) = (Vec::new(), Vec::new());
        for _ in 0..self.count {
            let mut times = [Vec::with_capacity(CLAIMS), Vec::with_capacity(CLAIMS)];
            for _ in 0..CLAIMS {
                times[0].push(self.heap.claim_one().await?);
                times[1].push(self.nothing.claim_one().await?);
            }
            beside.push(median(&times[0]));
            alone.push(median(&times[1]));
        }
        Ok((beside, alone))
    }
}

struct Claims {
    /// The options of the worker's connections.
    hot: PgConnectOptions,
    db: PgConnection,
    entropy: Entropy,
    number: u64,
}

impl Claims {
    /// Connects, and uses the database a little.
    async fn new(database: &PgConnectOptions) -> Result<Self> {
        let hot = database.clone().options(store::HOT_PATH);
        let db = PgConnection::connect_with(&hot).await?;
        let mut claims = Self { hot, db, entropy: Entropy::seeded(1), number: 0 };
        connections::ensure(&mut claims.db, &[("bench".to_owned(), Switches::default())], Utc::now()).await?;
        claims.settle_batch(5_000).await?;
        sqlx::raw_sql("vacuum analyze").execute(&mut claims.db).await?;
        Ok(claims)
    }

    /// Reconnects: cached plans end with the connection.
    async fn reconnect(&mut self) -> Result<()> {
        self.db = PgConnection::connect_with(&self.hot).await?;
        Ok(())
    }

    /// An event of a subject, as a poll finds it.
    fn event(&self, code: String, body: serde_json::Value, at: DateTime<Utc>) -> IncomingEvent {
        let event = InternalEvent {
            connection: "bench",
            subject: Subject::stock(code),
            source: Source::Poll,
            topic: "bench",
            body,
            priority: Priority(1),
            at,
        };
        event.into_incoming(EventId(self.entropy.id(at)), TaskId(self.entropy.id(at)))
    }

    async fn enqueue(&mut self, many: u64) -> Result<()> {
        let first = self.number;
        self.number += many;
        let event = |number| self.event(format!("S-{number}"), json!({ "number": number }), Utc::now());
        let events: Vec<_> = (first..first + many).map(event).collect();
        ingest::ingest(&mut self.db, &events).await?;
        Ok(())
    }

    /// Ingests events of one subject, a hundred in a commit, while no worker claims.
    async fn enqueue_same_subject(&mut self, many: u64) -> Result<()> {
        // Due later, like a task that backs off: it gets events and is not claimed.
        let at = Utc::now() + chrono::Duration::hours(1);
        for hundred in 0..many / 100 {
            let body = |number| json!({ "hundred": hundred, "number": number });
            let events: Vec<_> =
                (0..100).map(|number| self.event("HOT".to_owned(), body(number), at)).collect();
            ingest::ingest(&mut self.db, &events).await?;
        }
        Ok(())
    }

    /// Enqueues, claims and settles tasks, 500 at a time.
    async fn settle_batch(&mut self, many: usize) -> Result<()> {
        for _ in 0..many / 500 {
            self.enqueue(500).await?;
            self.claim_and_settle(500).await?;
        }
        Ok(())
    }

    /// Claims and settles tasks; returns the time of the claim alone, in microseconds.
    async fn claim_and_settle(&mut self, many: usize) -> Result<f64> {
        let claim_ids: Vec<_> = (0..many).map(|_| self.entropy.fence()).collect();
        let capacities = [ConnectionCapacity {
            connection: "bench".into(),
            max_tasks: many,
            max_background: many,
            max_risen: 0,
        }];
        let now = Utc::now();
        let request = ClaimRequest {
            claim_ids: &claim_ids,
            worker: "bench",
            capacities: &capacities,
            background: many,
            is_trial: false,
            since: now - WATERMARK_LAG,
            now,
            leased_until: now + Duration::from_secs(60),
        };
        let begun = Instant::now();
        let leased = claim::claim_due(&mut self.db, &request).await?;
        let took = begun.elapsed().as_secs_f64() * 1e6;
        anyhow::ensure!(leased.len() == many, "{} of {many} were claimed", leased.len());
        let outcome = Outcome::InSync;
        let end =
            AttemptEnd { outcome: &outcome, in_doubt_since: None, keeps_place: false, at: now, jitter: 0.0 };
        let next: Vec<_> = leased.iter().map(|leased| transition(leased, &end, &super::POLICY)).collect();
        let entry = AttemptRecord::without_calls(&outcome);
        let settled: Vec<_> =
            leased.iter().zip(&next).map(|(leased, next)| SettledAttempt { leased, next, entry }).collect();
        settle::settle(&mut self.db, &settled, now).await?;
        Ok(took)
    }

    /// The time of claiming one task that has just become due, in microseconds.
    async fn claim_one(&mut self) -> Result<f64> {
        self.enqueue(1).await?;
        self.claim_and_settle(1).await
    }
}
