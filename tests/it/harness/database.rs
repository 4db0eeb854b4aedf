//! One private PostgreSQL for the whole run and one database for each test.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use silta::{
    runtime::embedded_postgres::{Durability, PrivatePostgres},
    store,
};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::sync::OnceCell;

static SERVER: LazyLock<PrivatePostgres> = LazyLock::new(|| {
    // Named after this checkout and outside it: an unprivileged account must be able to enter.
    let digest = silta::domain::digest::sha256_hex(env!("CARGO_MANIFEST_DIR").as_bytes());
    let dir = std::env::temp_dir().join(format!("silta-tests-{}", &digest[..12]));
    PrivatePostgres::start(&dir, Durability::ForTestsOnly).expect("a private PostgreSQL starts")
});

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// The PostgreSQL server of this run; it stops with this process, however that ends.
pub fn server() -> &'static PrivatePostgres {
    &SERVER
}

/// The database of one test.
pub struct Database {
    name: String,
}

impl Database {
    /// Creates a database with the schema.
    pub async fn fresh() -> Arc<Self> {
        let template = TEMPLATE.get_or_init(make_template).await;
        let name = format!("it_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        execute(&format!("create database {name} template {template}")).await;
        Arc::new(Self { name })
    }

    /// Creates a database without the schema.
    pub async fn empty() -> Arc<Self> {
        let name = format!("it_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        execute(&format!("create database {name}")).await;
        Arc::new(Self { name })
    }

    pub fn pool(&self) -> PgPool {
        store::connect(server().options(&self.name), 12)
    }

    pub fn url(&self) -> String {
        server().url(&self.name)
    }

    /// Counts open tasks, and rows whose task or connection is missing. Runs on a thread of its own, since a drop cannot
    /// await.
    pub fn count_open_and_orphans(&self) -> (i64, i64) {
        let options = server().options(&self.name);
        let counts = async move {
            let mut db = PgConnection::connect_with(&options).await.unwrap();
            sqlx::query_as(
                "select
                     (select count(*) from task where settled_at is null),
                     (select count(*) from event left join task on task.id = event.task_id
                      where event.task_id is not null and event.connection is distinct from task.connection)
                     + (select count(*) from attempt left join task on task.id = attempt.task_id
                        where attempt.connection is distinct from task.connection)
                     + (select count(*) from task where connection not in (select name from connection))",
            )
            .fetch_one(&mut db)
            .await
        };
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::spawn(move || runtime().block_on(counts)).join().unwrap().unwrap()
    }
}

/// Runs a statement in the maintenance database, one at a time: creating a database locks its template.
pub async fn execute(sql: &str) {
    static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = ONE_AT_A_TIME.lock().await;
    let mut db = PgConnection::connect_with(&server().options("postgres")).await.unwrap();
    db.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
}

/// Whether the run that made this database still lives: `it_PID_N` or `it_template_PID`.
fn is_in_use(database: &str) -> bool {
    database.split('_').find_map(|piece| piece.parse().ok()).is_some_and(is_alive)
}

/// Without `/proc` no run is known to live.
fn is_alive(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// Drops the databases of earlier runs and creates the template that all others are copied from.
async fn make_template() -> String {
    server().database().await.unwrap();
    let mut db = PgConnection::connect_with(&server().options("postgres")).await.unwrap();
    let old: Vec<String> =
        sqlx::query_scalar("select datname from pg_database where starts_with(datname, 'it_')")
            .fetch_all(&mut db)
            .await
            .unwrap();
    for name in old.into_iter().filter(|name| !is_in_use(name)) {
        // Best effort: another run may drop it too.
        let _ = db.execute(sqlx::AssertSqlSafe(format!("drop database {name}"))).await;
    }
    let template = format!("it_template_{}", std::process::id());
    execute(&format!("create database {template}")).await;
    let pool = store::connect(server().options(&template), 1);
    store::migrate(&pool).await.unwrap();
    pool.close().await;
    template
}
