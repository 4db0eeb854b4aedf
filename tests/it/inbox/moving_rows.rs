//! Rows that move while a list is read are met twice, never missed.

use silta::dev::sandbox::OrderSpec;

use crate::harness::{TestSilta, secs};

impl TestSilta {
    /// The subjects of this kind that polls have found.
    async fn polled_subjects(&self, kind: &str) -> i64 {
        let sql =
            format!("select count(distinct subject) from event where source = 'poll' and kind = '{kind}'");
        self.scalar_text(&sql).await
    }
}

#[tokio::test]
async fn orders_edited_while_a_backlog_is_paged_are_all_found() {
    for seconds_apart in [0, 1, 60] {
        let mut silta = TestSilta::start().await;
        silta.leave_unfinished();
        for _ in 0..260 {
            silta.clock.advance(secs(seconds_apart));
            silta.shop.place_order(OrderSpec::of("A", 1).unpaid());
        }
        let (shop, clock) = (silta.shop.clone(), silta.clock.clone());
        silta.sandbox.shop_server.after_each("/orders", move |page| {
            clock.advance(secs(1));
            for at in 0..5 {
                shop.touch_order(1000 + (page as u64 * 5 + at) % 90 + 1); // they move to the end
            }
        });
        silta.poll().await;
        assert_eq!(silta.polled_subjects("order").await, 260, "{seconds_apart} seconds apart");
    }
}

#[tokio::test]
async fn products_edited_while_a_backlog_is_paged_are_all_found() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    for id in 1..=260 {
        silta.clock.advance(secs(1));
        silta.shop.add_product(id, &format!("P-{id}"), "Tuote", 0);
    }
    let (shop, clock) = (silta.shop.clone(), silta.clock.clone());
    silta.sandbox.shop_server.after_each("/products", move |page| {
        clock.advance(secs(1));
        for at in 0..5 {
            shop.rename_product((page as u64 * 5 + at) % 90 + 1, "Muutettu");
        }
    });
    silta.poll().await;
    assert_eq!(silta.polled_subjects("product").await, 260);
}

#[tokio::test]
async fn warehouse_rows_edited_while_their_lists_are_paged_are_found() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    silta.warehouse.sort_lists_by_time();
    for id in 1..=600 {
        silta.clock.advance(secs(1));
        silta.warehouse.add_foreign_order(&format!("shop-{id}"), &format!("A-{id}"), 1);
    }
    let (warehouse, clock) = (silta.warehouse.clone(), silta.clock.clone());
    silta.sandbox.warehouse_server.after_each("/api/v1/", move |page| {
        clock.advance(secs(1));
        for at in 0..5 {
            let id = (page * 5 + at) % 200 + 1;
            warehouse.touch_order(&format!("shop-{id}"));
            warehouse.receive_goods(&format!("A-{id}"), 1);
        }
    });
    silta.poll().await;
    let found = (silta.polled_subjects("order").await, silta.polled_subjects("stock").await);
    assert_eq!(found, (600, 600));
}

#[tokio::test]
async fn next_poll_finds_what_moved_behind_the_walk() {
    let silta = TestSilta::start().await;
    for _ in 0..110 {
        silta.clock.advance(secs(1));
        silta.shop.place_order(OrderSpec::of("A", 1).unpaid());
    }
    let (shop, clock) = (silta.shop.clone(), silta.clock.clone());
    silta.sandbox.shop_server.after_each("/api/v0/orders", move |page| {
        if page == 2 {
            clock.advance(secs(5));
            shop.mark_paid(1105); // after the last page was answered
        }
    });
    silta.poll().await;
    silta.run_until_idle().await;
    silta.clock.advance(secs(300));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!(silta.warehouse_count(1105), 1);
}

#[tokio::test]
async fn list_that_lags_is_caught_by_the_overlap() {
    let silta = TestSilta::start().await;
    silta.poll().await;
    silta.shop.delay_lists(secs(120));
    let late = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.clock.advance(secs(60));
    silta.shop.delay_lists(secs(0));
    let newer = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.shop.delay_lists(secs(50)); // the newer is hidden, too
    silta.clock.advance(secs(300));
    silta.poll().await;
    silta.run_until_idle().await;
    assert_eq!((silta.warehouse_count(late), silta.warehouse_count(newer)), (1, 1));
}
