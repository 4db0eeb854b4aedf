//! What a test reads: tasks, orders, rows.

use silta::dev::sandbox::reconcile;
use sqlx::{Connection, PgConnection};

use super::{CONNECTION, TestSilta};

impl TestSilta {
    /// State and reason of a subject's newest task, separated by a space.
    pub async fn task_state(&self, subject: &str) -> String {
        let sql =
            "select concat_ws(' ', state, reason) from task where subject = $1 order by number desc limit 1";
        sqlx::query_scalar(sql).bind(subject).fetch_one(&self.pool).await.unwrap()
    }

    /// State and reason of an order's newest task.
    pub async fn order_task_state(&self, order: u64) -> String {
        self.task_state(&format!("order:{order}")).await
    }

    /// How many orders the warehouse has under our reference of this order.
    pub fn warehouse_count(&self, order: u64) -> usize {
        self.warehouse.count(&format!("{CONNECTION}-{order}"))
    }

    /// An order as the admin API shows it.
    pub async fn show_order(&self, order: u64) -> serde_json::Value {
        self.api.get(&format!("/admin/v1/orders/{CONNECTION}/{order}")).await.body
    }

    /// Lost and doubled orders by the sandbox's own data.
    pub fn lost_and_doubled(&self) -> (usize, usize) {
        let found = reconcile(&self.shop, &self.warehouse, "shop-");
        (found.lost, found.doubled)
    }

    /// The rows of a table, or of `TABLE where CONDITION`.
    pub async fn count(&self, table: &str) -> i64 {
        self.scalar_text(&format!("select count(*) from {table}")).await
    }

    /// The only column of the only row.
    pub async fn scalar<T>(&self, sql: &'static str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        self.scalar_text(sql).await
    }

    /// The same by a query that the test builds.
    pub async fn scalar_text<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&self.pool).await.unwrap()
    }

    /// The only column of the row, if there is one.
    pub async fn scalar_optional<T>(&self, sql: &'static str) -> Option<T>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        sqlx::query_scalar(sql).fetch_optional(&self.pool).await.unwrap()
    }

    pub fn database_url(&self) -> String {
        self.database.url()
    }

    /// A database connection outside the service's pools.
    pub async fn outside_connection(&self) -> PgConnection {
        PgConnection::connect(&self.database.url()).await.unwrap()
    }
}
