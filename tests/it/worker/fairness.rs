//! Fairness: neither a bulk replay nor a busy merchant delays the others.

use silta::{
    dev::sandbox::OrderSpec,
    domain::{Timestamp, task::state::LeasedTask},
    runtime::clock::Entropy,
    store::claim::{self, ClaimRequest, ConnectionCapacity},
};

use crate::{
    harness::{TestSilta, secs},
    inbox::overload::webhook,
};

/// Adds a second connection as a row only: these tests look at claims alone.
async fn add_second_merchant(silta: &TestSilta, background: i64) {
    sqlx::raw_sql("insert into connection (name) values ('small')").execute(&silta.pool).await.unwrap();
    let sql = "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
         select gen_random_uuid(), 'shop', 'stock', 'stock:' || n, 'pending', 3, $2, $2
         from generate_series(1, $1) n";
    sqlx::query(sql).bind(background).bind(silta.now()).execute(&silta.pool).await.unwrap();
}

async fn claim_subjects(
    silta: &TestSilta,
    capacities: &[(&str, usize)],
    background: usize,
    all: usize,
) -> Vec<String> {
    let capacities = capacities
        .iter()
        .map(|(name, most)| ConnectionCapacity {
            connection: (*name).to_owned(),
            max_tasks: *most,
            max_background: *most,
            max_risen: 0,
        })
        .collect();
    let leased = claim_up_to(silta, capacities, background, all).await;
    leased.into_iter().map(|leased| format!("{} {}", leased.connection, leased.subject)).collect()
}

/// Claims for a minute.
pub async fn claim_up_to(
    silta: &TestSilta,
    capacities: Vec<ConnectionCapacity>,
    background: usize,
    all: usize,
) -> Vec<LeasedTask> {
    let entropy = Entropy::from_os();
    let claim_ids: Vec<_> = (0..all).map(|_| entropy.fence()).collect();
    let request = ClaimRequest {
        claim_ids: &claim_ids,
        worker: "w",
        capacities: &capacities,
        background,
        is_trial: false,
        since: Timestamp::UNIX_EPOCH,
        now: silta.now(),
        leased_until: silta.now() + secs(60),
    };
    let mut db = silta.pool.acquire().await.unwrap();
    claim::claim_due(&mut db, &request).await.unwrap()
}

#[tokio::test]
async fn bulk_replay_does_not_delay_live_orders() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    add_second_merchant(&silta, 10_000).await;
    // Background tasks fill the slots they may use: three quarters of the process.
    assert_eq!(claim_subjects(&silta, &[("shop", 32)], 24, 32).await.len(), 24);
    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    let next = claim_subjects(&silta, &[("shop", 8)], 0, 8).await;
    assert_eq!(next, [format!("shop order:{order}")], "the next claim takes it");
    assert_eq!(
        claim_subjects(&silta, &[("shop", 8)], 2, 8).await.len(),
        2,
        "background tasks continue in free slots"
    );
}

#[tokio::test]
async fn busy_merchant_does_not_starve_another() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    add_second_merchant(&silta, 0).await;
    for number in 0..200 {
        silta.send_webhook(webhook(number)).await;
    }
    // The busy connection holds its maximum, half of the slots; then the other one's order arrives.
    assert_eq!(claim_subjects(&silta, &[("shop", 16), ("small", 16)], 24, 32).await.len(), 16);
    let sql = "insert into task (id, connection, kind, subject, state, priority, due_at, created_at)
         values (gen_random_uuid(), 'small', 'order', 'order:1', 'pending', 0, $1, $1)";
    sqlx::query(sql).bind(silta.now()).execute(&silta.pool).await.unwrap();
    assert_eq!(claim_subjects(&silta, &[("small", 16)], 24, 16).await, ["small order:1"]);
}
