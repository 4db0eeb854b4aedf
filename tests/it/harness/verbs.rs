//! What a test does: orders, webhooks, time, operator actions.

use std::time::Duration;

use silta::{
    dev::sandbox::{OrderSpec, Webhook},
    domain::{Timestamp, task::state::LeasedTask},
    runtime::clock::Clock,
};

use super::{CONNECTION, TestSilta, claim_tasks, secs};

impl TestSilta {
    /// Places an order in the shop, sends its webhook and runs what is due; returns the order number.
    pub async fn place_order(&self, spec: OrderSpec) -> u64 {
        let order = self.shop.place_order(spec);
        self.send_webhook(self.shop.order_created(order)).await;
        self.run_until_idle().await;
        order
    }

    /// A minute later, sends the shop's webhook about a changed order and runs what is due.
    pub async fn send_order_update(&self, order: u64) {
        self.clock.advance(secs(61));
        self.send_webhook(self.shop.order_updated(order)).await;
        self.run_until_idle().await;
    }

    /// Posts an operator action on an order and runs what is due; returns the HTTP status.
    pub async fn post_order_action(&self, order: u64, action: &str) -> u16 {
        let path = format!("/admin/v1/orders/{CONNECTION}/{order}/{action}");
        let answer = self.api.post(&path, serde_json::json!({})).await;
        self.run_until_idle().await;
        answer.status
    }

    /// Sends a webhook, which must be accepted; returns the answer.
    pub async fn send_webhook(&self, webhook: Webhook) -> serde_json::Value {
        let (status, body) = self.webhook_sender.send(&webhook).await.expect("Silta answers");
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Runs every due task; returns how many attempts that took.
    pub async fn run_until_idle(&self) -> usize {
        self.worker.run_until_idle().await.unwrap()
    }

    /// Runs every due poll; returns how many events they found.
    pub async fn poll(&self) -> usize {
        self.poller.poll_due().await.unwrap()
    }

    /// Advances the clock in twenty steps and runs what is due after each.
    pub async fn advance(&self, time: Duration) {
        let step = time / 20;
        for _ in 0..20 {
            self.clock.advance(step);
            self.run_until_idle().await;
        }
    }

    /// Claims up to `count` tasks by hand for a minute, as another worker.
    pub async fn claim_tasks(&self, count: usize) -> Vec<LeasedTask> {
        let mut db = self.pool.acquire().await.unwrap();
        let names: Vec<String> =
            sqlx::query_scalar("select name from connection").fetch_all(&mut *db).await.unwrap();
        claim_tasks(&mut db, &names, count, self.now()).await
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
