//! Actions that begin in one statement: each is fenced by its own claim, and one that may not begin spoils no other.

use silta::{
    dev::sandbox::OrderSpec,
    domain::task::action::{ActionKind, NewAction},
    store::{
        begun_actions::{self, Beginning, Begun},
        tasks,
    },
};

use crate::harness::TestSilta;

fn place() -> NewAction {
    NewAction {
        kind: ActionKind::Place,
        target: String::new(),
        key: "k".into(),
        reference: Some("shop-1".into()),
        sent: None,
        inputs: None,
        policy_digest: None,
    }
}

#[tokio::test]
async fn each_of_several_beginnings_is_fenced_by_its_own_claim() {
    let mut silta = TestSilta::start().await;
    for _ in 0..3 {
        let order = silta.shop.place_order(OrderSpec::of("A", 1));
        silta.send_webhook(silta.shop.order_created(order)).await;
    }
    silta.leave_unfinished();
    let (leased, place, now) = (silta.claim_tasks(3).await, place(), silta.now());
    let [often, first, lost] = [0, 1, 2].map(|at| Beginning { leased: &leased[at], action: &place });
    let mut db = silta.pool.acquire().await.unwrap();
    tasks::return_claim(&mut db, lost.leased, None).await.unwrap();
    for number in 1..=5 {
        let begun = begun_actions::begin(&mut db, &[often], now).await.unwrap();
        assert_eq!(begun, [Begun::Entered(number)]);
    }
    let rejected = begun_actions::begin(&mut db, &[often, first, lost], now).await;
    assert!(matches!(rejected, Err(silta::store::StoreError::Rejected(_))), "{rejected:?}");
    assert_eq!(begun_actions::begin(&mut db, &[often], now).await.unwrap(), [Begun::TooOften]);
    let begun = begun_actions::begin(&mut db, &[first, lost], now).await.unwrap();
    assert_eq!(begun, [Begun::Entered(1), Begun::LeaseLost]);
    assert_eq!(silta.count("action").await, 6);
}
