//! The claim under somebody's long snapshot: 100,000 deliveries go by while a transaction of `REPEATABLE READ` is held open,
//! as a dump holds it, and PostgreSQL may take none of their dead versions away. How long a claim of one delivery takes, from
//! the floor (as the worker claims) and from the beginning of the index (as it would without), beside the same claim before;
//! all in one run on one server. The last figures are what the table takes while it lasts, and after it.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark stands outside")]

use std::time::{Duration, Instant};

use serde_json::json;
use silta::{
    clock::{Clock, Entropy, SystemClock},
    domain::{
        Timestamp,
        event::Source,
        id::{DeliveryId, EventId},
        outcome::Outcome,
        retry::RetryPolicy,
        settlement::settle,
        subject::{Subject, Urgency},
    },
    embedded_postgres::{Durability, PrivatePostgres},
    store::{
        self, connections,
        deliveries::{self, Room, Wanted},
        events::{self, OwnNews},
    },
};
use sqlx::{Connection, PgConnection};

const DELIVERIES: usize = 100_000;
const CLAIMS: usize = 400;
/// The worker's floor lies so far behind the present.
const FLOOR: Duration = Duration::from_millis(500);
const POLICY: RetryPolicy = RetryPolicy {
    base: Duration::from_secs(2),
    cap: Duration::from_secs(3600),
    attempts: 12,
    look_again: Duration::from_secs(10),
    unknown_for: Duration::from_secs(3600),
};

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let private = PrivatePostgres::start(&directory.path().join("data"), Durability::Full).unwrap();
    let options = private.database().await.unwrap();
    store::migrate(&store::connect(options.clone(), 2)).await.unwrap();
    let mut bench = Bench {
        db: PgConnection::connect_with(&options).await.unwrap(),
        entropy: Entropy::seeded(1),
        number: 0,
    };
    connections::ensure(&mut bench.db, &["bench".to_owned()], SystemClock.now()).await.unwrap();

    bench.go_by(2_000).await;
    sqlx::raw_sql("vacuum analyze delivery").execute(&mut bench.db).await.unwrap();
    let before = bench.claims(true).await;
    let empty = bench.size().await;

    let mut holder = PgConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("begin isolation level repeatable read; select count(*) from delivery")
        .execute(&mut holder)
        .await
        .unwrap();
    let begun = Instant::now();
    bench.go_by(DELIVERIES).await;
    let rate = DELIVERIES / usize::try_from(begun.elapsed().as_secs().max(1)).unwrap();
    let held = bench.size().await;
    let floor = bench.claims(true).await;
    let beginning = bench.claims(false).await;
    sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    sqlx::raw_sql("vacuum analyze delivery").execute(&mut bench.db).await.unwrap();
    let grown = bench.size().await;
    bench.go_by(DELIVERIES / 4).await;
    let later = bench.size().await;

    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let ratio = |time: Duration| micros(time) / micros(before);
    println!("{:<64}{:>10}{:>8}", "median of a claim of one delivery", "", "ratio");
    println!("{:<64}{:>7.0} µs{:>8.2}", "before", micros(before), 1.0);
    println!("{:<64}{:>7.0} µs{:>8.2}", "under the snapshot, from the floor", micros(floor), ratio(floor));
    println!(
        "{:<64}{:>7.0} µs{:>8.2}",
        "under the snapshot, from the beginning",
        micros(beginning),
        ratio(beginning)
    );
    let each = (held - empty) / i64::try_from(DELIVERIES).unwrap();
    let each_later = (later - grown) / i64::try_from(DELIVERIES / 4).unwrap();
    println!(
        "{DELIVERIES} deliveries went by at {rate} a second: {each} bytes each while it lasted, {each_later} after it"
    );
    println!(
        "{}",
        json!({
            "deliveries": DELIVERIES, "before_micros": micros(before), "floor_ratio": ratio(floor),
            "beginning_ratio": ratio(beginning), "bytes_each": each, "bytes_each_later": each_later,
        })
    );
    assert!(ratio(beginning) > 4.0 * ratio(floor), "what the floor is for");
}

struct Bench {
    db: PgConnection,
    entropy: Entropy,
    number: usize,
}

impl Bench {
    /// So many are told of, claimed and settled, in groups.
    async fn go_by(&mut self, many: usize) {
        for _ in 0..many / 200 {
            self.tell(200).await;
            let mut tx = self.db.begin().await.unwrap();
            let now = SystemClock.now();
            let held = claim(&mut tx, &self.entropy, 200, now - FLOOR, now).await;
            assert_eq!(held.len(), 200);
            for held in held {
                let next = settle(&held, &Outcome::InStep, None, &POLICY, now, 0.0);
                deliveries::settle(&mut tx, &held, &next, now).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
    }

    async fn tell(&mut self, many: usize) {
        let at = SystemClock.now();
        let mut arrivals = Vec::with_capacity(many);
        for _ in 0..many {
            self.number += 1;
            let news = OwnNews {
                connection: "bench",
                subject: Subject::stock(format!("S-{}", self.number)),
                source: Source::Sweep,
                topic: "bench",
                body: json!({ "number": self.number }),
                urgency: Urgency(1),
                at,
            };
            arrivals.push(news.arrival(EventId(self.entropy.id(at)), DeliveryId(self.entropy.id(at))));
        }
        events::receive(&mut self.db, &arrivals).await.unwrap();
    }

    /// The median time of a claim of one delivery that has just become due.
    async fn claims(&mut self, from_the_floor: bool) -> Duration {
        let mut times = Vec::with_capacity(CLAIMS);
        for _ in 0..if from_the_floor { CLAIMS } else { CLAIMS / 10 } {
            self.tell(1).await;
            let now = SystemClock.now();
            let since = if from_the_floor { now - FLOOR } else { Timestamp::UNIX_EPOCH };
            let begun = Instant::now();
            let held = claim(&mut self.db, &self.entropy, 32, since, now).await;
            times.push(begun.elapsed());
            assert_eq!(held.len(), 1);
            let next = settle(&held[0], &Outcome::InStep, None, &POLICY, now, 0.0);
            deliveries::settle(&mut self.db, &held[0], &next, now).await.unwrap();
        }
        times.sort_unstable();
        times[times.len() / 2]
    }

    async fn size(&mut self) -> i64 {
        let sql = "select pg_table_size('delivery') + pg_indexes_size('delivery')";
        sqlx::query_scalar(sql).fetch_one(&mut self.db).await.unwrap()
    }
}

async fn claim(
    db: &mut PgConnection,
    entropy: &Entropy,
    many: usize,
    since: Timestamp,
    now: Timestamp,
) -> Vec<silta::domain::delivery::Leased> {
    let fences: Vec<_> = (0..many).map(|_| entropy.fence()).collect();
    let rooms = [Room { connection: "bench".into(), most: many }];
    let wanted = Wanted {
        fences: &fences,
        worker: "bench",
        rooms: &rooms,
        background: many,
        since,
        now,
        leased_until: now + Duration::from_secs(60),
    };
    deliveries::claim_due(db, &wanted).await.unwrap()
}
