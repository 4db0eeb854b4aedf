//! What a claim of one delivery costs beside everything that heaps up: a million closed, a million due in the future, a
//! hundred thousand dead, a hundred thousand pieces of news on one subject, somebody's long snapshot. As the worker
//! claims it: by the connections of the hot path, from the floor.

use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde_json::json;
use silta::{domain::{event::{source::Source, subject::{Subject, Urgency}}, id::{DeliveryId, EventId}, task::outcome::Outcome}, runtime::clock::Entropy, store::{self, claim::{self, Room, Wanted}, connections, ingest::{self, Arrival, OwnNews}, settle::{self, Entry, Settled}}};
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
    insert into delivery (id, connection, kind, subject, state, urgency, due_at, created_at, settled_at)
    select gen_random_uuid(), 'bench', 'stock', 'stock:closed-' || n, 'delivered', 1, at, at, at
    from generate_series(1, 1000000) n, lateral (select now() - interval '1 hour' - n * interval '1 ms' as at) told";
const FUTURE: &str = "
    insert into delivery (id, connection, kind, subject, state, urgency, due_at, created_at)
    select gen_random_uuid(), 'bench', 'stock', 'stock:future-' || n, 'pending', 1,
           now() + interval '1 hour' + n * interval '1 ms', now()
    from generate_series(1, 1000000) n";
const DEAD: &str = "
    insert into delivery (id, connection, kind, subject, state, reason, urgency, due_at, created_at, settled_at)
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
    let mut turns = Turns {
        rounds: bench.rounds,
        nothing: Claims::of(&server.another("nothing").await?).await?,
        heap: Claims::of(&server.options).await?,
    };
    let (_, alone) = turns.take().await?;
    bench.report.row(Row::alone("a claim of one, nothing else there", Unit::Micros, alone));
    for (name, sql) in HEAPS {
        server.run(sql).await?;
        server.run("vacuum analyze delivery").await?;
        turns.heap.forget_plans().await?;
        turns.row(bench, name).await?;
    }
    turns.heap.tell_of_one(100_000).await?;
    turns.row(bench, "and 100,000 news of one subject, unvacuumed").await?;

    let mut holder = server.connection().await?;
    sqlx::raw_sql("begin isolation level repeatable read; select count(*) from connection")
        .execute(&mut holder)
        .await?;
    turns.heap.settle_together(50_000).await?;
    tokio::time::sleep(2 * FLOOR).await;
    turns.row(bench, "and 50,000 that went by under a held snapshot").await
}

/// Claims beside the heap and in a database of the same server that has none, one by one in turn: what the machine is like
/// in this moment, both meet.
struct Turns {
    rounds: usize,
    nothing: Claims,
    heap: Claims,
}

impl Turns {
    async fn row(&mut self, bench: &mut Bench, name: &str) -> Result<()> {
        let (beside, alone) = self.take().await?;
        bench.report.row(Row::beside(name, "nothing there", Unit::Micros, beside, alone).at_most(MOST));
        Ok(())
    }

    /// The median claims of each round, beside the heap and without it.
    async fn take(&mut self) -> Result<(Vec<f64>, Vec<f64>)> {
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
    async fn of(database: &PgConnectOptions) -> Result<Self> {
        let hot = database.clone().options(store::HOT_PATH);
        let db = PgConnection::connect_with(&hot).await?;
        let mut claims = Self { hot, db, entropy: Entropy::seeded(1), number: 0 };
        connections::ensure(&mut claims.db, &["bench".to_owned()], Utc::now()).await?;
        claims.settle_together(5_000).await?;
        sqlx::raw_sql("vacuum analyze").execute(&mut claims.db).await?;
        Ok(claims)
    }

    /// The plans of a connection end with it.
    async fn forget_plans(&mut self) -> Result<()> {
        self.db = PgConnection::connect_with(&self.hot).await?;
        Ok(())
    }

    /// News of a subject, as a sweep brings it.
    fn news(&self, code: String, body: serde_json::Value, at: DateTime<Utc>) -> Arrival {
        let news = OwnNews {
            connection: "bench",
            subject: Subject::stock(code),
            source: Source::Sweep,
            topic: "bench",
            body,
            urgency: Urgency(1),
            at,
        };
        news.arrival(EventId(self.entropy.id(at)), DeliveryId(self.entropy.id(at)))
    }

    async fn tell(&mut self, many: u64) -> Result<()> {
        let first = self.number;
        self.number += many;
        let news = |number| self.news(format!("S-{number}"), json!({ "number": number }), Utc::now());
        let arrivals: Vec<_> = (first..first + many).map(news).collect();
        ingest::receive(&mut self.db, &arrivals).await?;
        Ok(())
    }

    /// So many pieces of news about one subject, a hundred in a commit, and nobody who looks.
    async fn tell_of_one(&mut self, many: u64) -> Result<()> {
        // Due later, as what backs off from a fault: it is news, and not to be claimed.
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
    async fn settle_together(&mut self, many: usize) -> Result<()> {
        for _ in 0..many / 500 {
            self.tell(500).await?;
            self.claim_and_settle(500).await?;
        }
        Ok(())
    }

    /// The time of the claim alone, in microseconds.
    async fn claim_and_settle(&mut self, many: usize) -> Result<f64> {
        let fences: Vec<_> = (0..many).map(|_| self.entropy.fence()).collect();
        let rooms = [Room { connection: "bench".into(), most: many }];
        let now = Utc::now();
        let wanted = Wanted {
            fences: &fences,
            worker: "bench",
            rooms: &rooms,
            background: many,
            since: now - FLOOR,
            now,
            leased_until: now + Duration::from_secs(60),
        };
        let begun = Instant::now();
        let held = claim::claim_due(&mut self.db, &wanted).await?;
        let took = begun.elapsed().as_secs_f64() * 1e6;
        anyhow::ensure!(held.len() == many, "{} of {many} were claimed", held.len());
        let outcome = Outcome::InStep;
        let next: Vec<_> = held
            .iter()
            .map(|held| silta::domain::task::transition::settle(held, &outcome, None, &super::POLICY, now, 0.0))
            .collect();
        let entry = Entry::of(&outcome);
        let settled: Vec<_> =
            held.iter().zip(&next).map(|(held, next)| Settled { held, next, entry }).collect();
        settle::settle(&mut self.db, &settled, now).await?;
        Ok(took)
    }

    /// The time of a claim of one that has just become due, in microseconds.
    async fn claim_one(&mut self) -> Result<f64> {
        self.tell(1).await?;
        self.claim_and_settle(1).await
    }
}
