//! What a claim of one task costs beside everything that heaps up: a million closed, a million due in the future, a
//! hundred thousand dead, a hundred thousand pieces of news on one subject, somebody's long snapshot. As the worker
//! claims it: by the connections of the hot path, from the floor.

use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde_json::json;
use silta::{domain::{event::{source::Source, subject::{Subject, Priority}}, id::{TaskId, EventId}, task::outcome::Outcome}, runtime::clock::Entropy, store::{self, claim::{self, ConnectionCapacity, ClaimRequest}, connections, ingest::{self, IncomingEvent, InternalEvent}, settle::{self, AttemptRecord, SettledAttempt}}};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::Bench;
use crate::{
    measure::median,
    report::{Row, Unit},
    stage::Server,
};

const CLAIMS: usize = 400;
/// The worker's floor lies so far behind the present.
const FLOOR: Duration = Duration::from_millis(500);
const MOST: f64 = 1.3;

const CLOSED: &str = "
    insert into task (id, connection, kind, subject, state, priority, due_at, created_at, settled_at)
    select gen_random_uuid(), 'bench', 'stock', 'stock:closed-' || n, 'delivered', 1, at, at, at
    from generate_series(1, 1000000) n, lateral (select now() - interval '1 hour' - n * interval '1 ms' as at) told";
const FUTURE: &str = "
    insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
    select gen_random_uuid(), 'bench', 'stock', 'stock:future-' || n, 'pending', 1,
           now() + interval '1 hour' + n * interval '1 ms', now()
    from generate_series(1, 1000000) n";
const DEAD: &str = "
    insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
    select gen_random_uuid(), 'bench', 'stock', 'stock:dead-' || n, 'dead', 'refused', 1, now(), now(), now()
    from generate_series(1, 100000) n";

/// What heaps up in turn, each on top of the last.
const HEAPS: [(&str, &str); 3] = [
    ("beside a million closed", CLOSED),
    ("and a million in the future", FUTURE),
    ("and a hundred thousand dead", DEAD),
];

pub async fn run(bench: &mut Bench) -> Result<()> {
    let server = Server::start().await?;
    let mut rounds_of_claims = Rounds {
        rounds: bench.rounds,
        nothing: Claims::new(&server.another("nothing").await?).await?,
        heap: Claims::new(&server.options).await?,
    };
    let (_, alone) = rounds_of_claims.measure().await?;
    bench.report.row(Row::single("a claim of one, nothing else there", Unit::Micros, alone));
    for (name, sql) in HEAPS {
        server.run(sql).await?;
        server.run("vacuum analyze task").await?;
        rounds_of_claims.heap.reconnect().await?;
        rounds_of_claims.row(bench, name).await?;
    }
    rounds_of_claims.heap.enqueue_same_subject(100_000).await?;
    rounds_of_claims.row(bench, "and 100,000 news of one subject, unvacuumed").await?;

    let mut holder = server.connection().await?;
    sqlx::raw_sql("begin isolation level repeatable read; select count(*) from connection")
        .execute(&mut holder)
        .await?;
    rounds_of_claims.heap.settle_batch(50_000).await?;
    tokio::time::sleep(2 * FLOOR).await;
    rounds_of_claims.row(bench, "and 50,000 that went by under a leased snapshot").await
}

/// Claims beside the heap and in a database of the same server that has none, one by one in turn: what the machine is like
/// in this moment, both meet.
struct Rounds {
    rounds: usize,
    nothing: Claims,
    heap: Claims,
}

impl Rounds {
    async fn row(&mut self, bench: &mut Bench, name: &str) -> Result<()> {
        let (beside, alone) = self.measure().await?;
        bench.report.row(Row::compared(name, "nothing there", Unit::Micros, beside, alone).at_most(MOST));
        Ok(())
    }

    /// The median claims of each round, beside the heap and without it.
    async fn measure(&mut self) -> Result<(Vec<f64>, Vec<f64>)> {
        let (mut beside, mut alone) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
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
    /// How the hot path connects.
    hot: PgConnectOptions,
    db: PgConnection,
    entropy: Entropy,
    number: u64,
}

impl Claims {
    /// In a database that has been used a little.
    async fn new(database: &PgConnectOptions) -> Result<Self> {
        let hot = database.clone().options(store::HOT_PATH);
        let db = PgConnection::connect_with(&hot).await?;
        let mut claims = Self { hot, db, entropy: Entropy::seeded(1), number: 0 };
        connections::ensure(&mut claims.db, &["bench".to_owned()], Utc::now()).await?;
        claims.settle_batch(5_000).await?;
        sqlx::raw_sql("vacuum analyze").execute(&mut claims.db).await?;
        Ok(claims)
    }

    /// The plans of a connection end with it.
    async fn reconnect(&mut self) -> Result<()> {
        self.db = PgConnection::connect_with(&self.hot).await?;
        Ok(())
    }

    /// Revision of a subject, as a poll brings it.
    fn news(&self, code: String, body: serde_json::Value, at: DateTime<Utc>) -> IncomingEvent {
        let revision = InternalEvent {
            connection: "bench",
            subject: Subject::stock(code),
            source: Source::Poll,
            topic: "bench",
            body,
            priority: Priority(1),
            at,
        };
        internal.into_incoming(EventId(self.entropy.id(at)), TaskId(self.entropy.id(at)))
    }

    async fn enqueue(&mut self, many: u64) -> Result<()> {
        let first = self.number;
        self.number += many;
        let revision = |number| self.news(format!("S-{number}"), json!({ "number": number }), Utc::now());
        let arrivals: Vec<_> = (first..first + many).map(revision).collect();
        ingest::receive(&mut self.db, &arrivals).await?;
        Ok(())
    }

    /// So many pieces of news about one subject, a hundred in a commit, and nobody who looks.
    async fn enqueue_same_subject(&mut self, many: u64) -> Result<()> {
        // Due later, as what backs off from a fault: it is revision, and not to be claimed.
        let at = Utc::now() + chrono::Duration::hours(1);
        for hundred in 0..many / 100 {
            let body = |number| json!({ "hundred": hundred, "number": number });
            let arrivals: Vec<_> =
                (0..100).map(|number| self.news("HOT".to_owned(), body(number), at)).collect();
            ingest::receive(&mut self.db, &arrivals).await?;
        }
        Ok(())
    }

    /// So many go by: told of, claimed and settled, 500 at a time.
    async fn settle_batch(&mut self, many: usize) -> Result<()> {
        for _ in 0..many / 500 {
            self.enqueue(500).await?;
            self.claim_and_settle(500).await?;
        }
        Ok(())
    }

    /// The time of the claim alone, in microseconds.
    async fn claim_and_settle(&mut self, many: usize) -> Result<f64> {
        let claim_ids: Vec<_> = (0..many).map(|_| self.entropy.fence()).collect();
        let capacities = [ConnectionCapacity { connection: "bench".into(), max_tasks: many }];
        let now = Utc::now();
        let request = ClaimRequest {
            claim_ids: &claim_ids,
            worker: "bench",
            capacities: &capacities,
            background: many,
            since: now - FLOOR,
            now,
            leased_until: now + Duration::from_secs(60),
        };
        let begun = Instant::now();
        let leased = claim::claim_due(&mut self.db, &request).await?;
        let took = begun.elapsed().as_secs_f64() * 1e6;
        anyhow::ensure!(leased.len() == many, "{} of {many} were claimed", leased.len());
        let outcome = Outcome::InSync;
        let next: Vec<_> = leased
            .iter()
            .map(|leased| silta::domain::task::transition::settle(leased, &outcome, None, &super::POLICY, now, 0.0))
            .collect();
        let entry = AttemptRecord::without_calls(&outcome);
        let settled: Vec<_> =
            leased.iter().zip(&next).map(|(leased, next)| SettledAttempt { leased, next, entry }).collect();
        settle::settle(&mut self.db, &settled, now).await?;
        Ok(took)
    }

    /// The time of a claim of one that has just become due, in microseconds.
    async fn claim_one(&mut self) -> Result<f64> {
        self.enqueue(1).await?;
        self.claim_and_settle(1).await
    }
}
