//! Requests syncs and reads their reports.

use serde_json::{Value, json};

use crate::harness::{TestSilta, secs};

impl TestSilta {
    /// Requests and runs a sync without running the tasks that it opens; returns its report.
    pub async fn run_sync(&self, what: &str, dry_run: bool) -> Value {
        let body = json!({ "connection": "shop", "what": what, "dry_run": dry_run });
        let created = self.api.post("/admin/v1/syncs", body).await;
        assert_eq!((created.status, created.text("/state")), (201, "running"));
        self.syncer.run_due().await.unwrap();
        self.report(created.text("/id")).await
    }

    pub async fn report(&self, id: &str) -> Value {
        self.api.get(&format!("/admin/v1/syncs/{id}")).await.body
    }

    /// The report of the newest sync of a kind.
    pub async fn last_sync(&self, what: &str) -> Value {
        let connection = self.api.get("/admin/v1/connections/shop").await.body;
        self.report(connection["last_syncs"][what]["id"].as_str().unwrap()).await
    }
}

/// Item, or else subject, and kind of each difference.
pub fn differences(report: &Value) -> Vec<(String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let named = |row: &Value| match text(row, "item") {
        item if item.is_empty() => text(row, "subject"),
        item => item,
    };
    let rows = report["differences"].as_array().unwrap();
    rows.iter().map(|row| (named(row), text(row, "difference"))).collect()
}

pub fn expected_differences<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
    expected.map(|(subject, word)| (subject.to_owned(), word.to_owned())).to_vec()
}

/// Starts Silta with products 1 to `count` in sync on both sides.
pub async fn start_in_sync(count: u64) -> TestSilta {
    start_in_sync_with(count, &[]).await
}

/// The same with settings of the connection.
pub async fn start_in_sync_with(count: u64, settings: &[(&str, &str)]) -> TestSilta {
    let silta = TestSilta::start_with_settings(settings).await;
    for id in 1..=count {
        let (code, name) = (format!("P-{id:03}"), format!("Tuote {id}"));
        silta.shop.add_product(id, &code, &name, 10);
        silta.warehouse.add_product(&code, json!({ "code": code, "name": name }));
        silta.warehouse.receive_goods(&code, 10);
    }
    silta.syncer.run_due().await.unwrap();
    silta.run_until_idle().await; // it reads the stock of each new item
    assert_eq!(silta.shop.writes(), 0, "nothing differs");
    silta.clock.advance(secs(60));
    silta
}
