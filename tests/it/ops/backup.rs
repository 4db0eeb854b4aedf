//! `silta backup` and `silta restore`: under load, between the private database and a server, and refused where something
//! would be lost.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use silta::{
    dev::sandbox::{OrderSpec, Sandbox, WebhookSender, reconcile},
    runtime::embedded_postgres::{ArchivePrograms, Launch, ServerAccess},
};
use sqlx::{Connection, Executor, PgConnection, migrate::Migrate};

use super::fake_postgres::write_program;
use crate::harness::{
    CONNECTION, Database,
    process::{BINARY, Process, config_file, run, sandbox},
    wait_until,
};

/// No `DATABASE_URL`: the private database.
const PRIVATE: &str = "";

/// Runs a command, which must succeed.
fn run_ok(arguments: &[&str], config: &Path, database: &str) -> String {
    let (code, output, stderr) = run(arguments, config, database);
    assert_eq!(code, Some(0), "{arguments:?}: {output}{stderr}");
    output
}

/// Runs a command, which must fail; returns what it says.
fn run_failing(arguments: &[&str], config: &Path, database: &str) -> String {
    let (code, output, stderr) = run(arguments, config, database);
    assert_eq!(code, Some(1), "{arguments:?}: {output}{stderr}");
    stderr
}

/// Shoppers who order and a warehouse that ships, whether Silta hears of it or not.
struct Load {
    stop: Arc<AtomicBool>,
    running: tokio::task::JoinHandle<()>,
}

impl Load {
    fn start(sandbox: &Arc<Sandbox>, url: &str) -> Self {
        let (stop, sandbox) = (Arc::new(AtomicBool::new(false)), sandbox.clone());
        let (stopped, sender) = (stop.clone(), WebhookSender::to(url, CONNECTION));
        let running = tokio::spawn(async move {
            while !stopped.load(Ordering::SeqCst) {
                let order = sandbox.shop.place_order(OrderSpec::of("A", 1));
                sender.send(&sandbox.shop.order_created(order)).await;
                ship_all(&sandbox);
                tokio::time::sleep(std::time::Duration::from_millis(20)).await; // the pace of the shoppers
            }
        });
        Self { stop, running }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.running.await.unwrap();
    }
}

fn ship_all(sandbox: &Sandbox) {
    for order in sandbox.warehouse.orders() {
        if order.status == "New" {
            sandbox.warehouse.ship_order(&order.reference);
        }
    }
}

fn counted(sandbox: &Sandbox) -> silta::dev::sandbox::Reconciliation {
    reconcile(&sandbox.shop, &sandbox.warehouse, "shop-")
}

/// Waits until this many more orders are at the warehouse.
async fn wait_for_orders(sandbox: &Sandbox, more: usize) {
    let before = counted(sandbox).at_warehouse;
    let what = format!("{more} more orders at the warehouse");
    wait_until(&what, async || counted(sandbox).at_warehouse >= before + more).await;
}

/// Under load: backs up, goes on, stops, restores elsewhere, and ends with everything done once.
async fn move_under_load(sandbox: &Arc<Sandbox>, config: &Path, from: &str, to: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("silta.dump").display().to_string();
    let process = Process::start(config, Some(from));
    let load = Load::start(sandbox, &process.url);
    wait_for_orders(sandbox, 5).await;
    let backup = {
        let (file, config, from) = (file.clone(), config.to_owned(), from.to_owned());
        tokio::task::spawn_blocking(move || run_ok(&["backup", &file], &config, &from))
    };
    let output = backup.await.unwrap();
    assert!(output.contains(" is backed up to "), "{output}");
    wait_for_orders(sandbox, 5).await; // the backup does not know of these
    assert!(process.terminate());
    load.end().await;

    let output = run_ok(&["restore", &file, "--force"], config, to);
    assert!(output.contains(" is restored from "), "{output}");
    let process = Process::start(config, Some(to));
    wait_until("everything is done once", async || {
        ship_all(sandbox);
        let counts = counted(sandbox);
        counts.at_warehouse == counts.placed && counts.tracking_back == counts.placed
    })
    .await;
    assert!(process.terminate());
    let counts = counted(sandbox);
    assert_eq!((counts.lost, counts.doubled), (0, 0), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn database_moves_to_a_server_and_back_under_load() {
    let sandbox = Arc::new(sandbox().await);
    sandbox.shop.add_product(1, "A", "A", 0);
    sandbox.warehouse.receive_goods("A", 100_000);
    let folder = tempfile::tempdir().unwrap();
    let config = config_file(&sandbox, &format!("[database]\ndata_dir = {:?}\n", folder.path().join("data")));
    let server = Database::empty().await;
    // No product is sent before the catalogue was read once.
    run(&["sync", "products", CONNECTION, "--dry-run"], config.path(), PRIVATE);
    move_under_load(&sandbox, config.path(), PRIVATE, &server.url()).await;
    move_under_load(&sandbox, config.path(), &server.url(), PRIVATE).await;
}

/// A database of this Silta with one connection, and a backup of it.
async fn backed_up(folder: &Path, config: &Path) -> (Arc<Database>, String) {
    let database = Database::fresh().await;
    execute(&database, "insert into connection (name, created_at) values ('kept', now())").await;
    execute(&database, "insert into instance (key, created_at) values (sha256('a'), now())").await;
    let file = folder.join("silta.dump").display().to_string();
    run_ok(&["backup", &file], config, &database.url());
    (database, file)
}

async fn execute(database: &Database, sql: &'static str) {
    let mut db = PgConnection::connect(&database.url()).await.unwrap();
    db.execute(sql).await.unwrap();
    db.close().await.unwrap();
}

async fn connections(database: &Database) -> Vec<String> {
    let mut db = PgConnection::connect(&database.url()).await.unwrap();
    let names = sqlx::query_scalar("select name from connection order by name");
    let names = names.fetch_all(&mut db).await.unwrap();
    db.close().await.unwrap();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn restore_replaces_data_only_with_force_and_then_all_of_it() {
    let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
    let config = config_file(&sandbox, "");
    let (database, file) = backed_up(folder.path(), config.path()).await;
    execute(&database, "insert into connection (name, created_at) values ('later', now())").await;

    let error = run_failing(&["restore", &file], config.path(), &database.url());
    assert!(error.contains("has data (connection, instance): --force replaces all of it"), "{error}");
    assert_eq!(connections(&database).await, ["kept", "later"]);

    let output = run_ok(&["restore", &file, "--force"], config.path(), &database.url());
    assert!(output.contains("Start silta serve"), "{output}");
    assert_eq!(connections(&database).await, ["kept"]);
    let mut db = PgConnection::connect(&database.url()).await.unwrap();
    let audit: String = sqlx::query_scalar("select action from audit").fetch_one(&mut db).await.unwrap();
    assert_eq!(audit, "database.restore");
    let keys: i64 = sqlx::query_scalar("select count(*) from instance").fetch_one(&mut db).await.unwrap();
    assert_eq!(keys, 0, "a copy is another Silta than the one that was backed up");
    let comments: i64 = sqlx::query_scalar("select count(*) from pg_description where objsubid > 0")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert!(comments > 100, "the schema is whole: {comments}");

    // A schema without data is nothing to lose.
    let empty = Database::fresh().await;
    run_ok(&["restore", &file], config.path(), &empty.url());
    assert_eq!(connections(&empty).await, ["kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn restore_of_a_file_that_is_not_whole_changes_nothing() {
    let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
    let config = config_file(&sandbox, "");
    let (database, file) = backed_up(folder.path(), config.path()).await;
    execute(&database, "insert into connection (name, created_at) values ('later', now())").await;
    let bytes = fs::read(&file).unwrap();
    let whole = bytes.len();
    // Cut off in the head, within the table of contents, within the rows, and one byte before the end.
    for length in [0, 3, 40, whole / 2, whole * 9 / 10, whole - 200, whole - 1] {
        fs::write(&file, &bytes[..length]).unwrap();
        let error = run_failing(&["restore", &file, "--force"], config.path(), &database.url());
        assert!(
            error.contains("is unchanged") || error.contains("is no backup of Silta"),
            "{length}: {error}"
        );
        assert_eq!(connections(&database).await, ["kept", "later"], "{length} of {whole} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn restore_refuses_what_is_not_of_this_silta() {
    let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
    let config = config_file(&sandbox, "");
    let (_, file) = backed_up(folder.path(), config.path()).await;
    let restore = |file: &str, database: &Database| {
        run_failing(&["restore", file, "--force"], config.path(), &database.url())
    };
    let target = Database::empty().await;
    let text = folder.path().join("text");
    fs::write(&text, "select 1;").unwrap();
    for none in [text.to_str().unwrap(), "/dev/null", "/nowhere/silta.dump"] {
        let error = restore(none, &target);
        assert!(error.contains("is no backup of Silta"), "{error}");
    }

    // Of a newer Silta.
    let newer = Database::fresh().await;
    execute(
        &newer,
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'of a later version', true, '', 0)",
    )
    .await;
    let newer_file = folder.path().join("newer").display().to_string();
    run_ok(&["backup", &newer_file], config.path(), &newer.url());
    let error = restore(&newer_file, &target);
    assert!(error.contains("made by a newer Silta: its schema is 9999"), "{error}");
    let mut db = PgConnection::connect(&target.url()).await.unwrap();
    let tables: i64 =
        sqlx::query_scalar("select count(*) from pg_class where relnamespace = 'public'::regnamespace")
            .fetch_one(&mut db)
            .await
            .unwrap();
    assert_eq!(tables, 0, "nothing was changed");
    db.close().await.unwrap();

    // Into a database that another program uses, whatever --force says.
    execute(&target, "create table invoices (id int)").await;
    let error = restore(&file, &target);
    assert!(error.contains("has what is not Silta's") && error.contains("invoices"), "{error}");
    let nothing = run_failing(&["backup", &file], config.path(), &target.url());
    assert!(nothing.contains("has nothing of Silta"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn restore_refuses_a_database_in_use() {
    let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
    let data = format!("[database]\ndata_dir = {:?}\n", folder.path().join("data"));
    let config = config_file(&sandbox, &data);
    let (database, file) = backed_up(folder.path(), config.path()).await;
    let of_server = " is in use: stop silta serve first, on every machine (process ";
    let of_private = "another process runs the private database: stop silta serve";
    for (url, expected) in [(database.url().as_str(), of_server), (PRIVATE, of_private)] {
        let process = Process::start(config.path(), Some(url));
        let error = run_failing(&["restore", &file, "--force"], config.path(), url);
        assert!(error.contains(expected), "{error}");
        assert!(process.terminate());
    }
    run_ok(&["restore", &file, "--force"], config.path(), &database.url());
    assert_eq!(connections(&database).await, ["kept"]);
}

/// A process that starts meanwhile would find half a schema: it takes the same lock for its migrations.
#[tokio::test(flavor = "multi_thread")]
async fn restore_and_migrations_wait_for_each_other() {
    let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
    let config = config_file(&sandbox, "");
    let (_, file) = backed_up(folder.path(), config.path()).await;
    let target = Database::empty().await;
    let mut db = PgConnection::connect(&target.url()).await.unwrap();
    db.lock().await.unwrap();
    let mut restore = Command::new(BINARY);
    restore.args(["restore", &file, "--config"]).arg(config.path()).env("DATABASE_URL", target.url());
    let restore = restore.stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the restore waits for the lock", async || {
        let waiting = "select exists (select 1 from pg_locks where locktype = 'advisory' and not granted
                       and database = (select oid from pg_database where datname = current_database()))";
        sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut db).await.unwrap()
    })
    .await;
    db.close().await.unwrap();
    let output = tokio::task::spawn_blocking(move || restore.wait_with_output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(connections(&target).await, ["kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn backup_is_a_new_file_for_its_owner_alone() {
    let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
    let config = config_file(&sandbox, "");
    let (database, file) = backed_up(folder.path(), config.path()).await;
    let of_file = |file: &str| fs::metadata(file).unwrap();
    assert_eq!(of_file(&file).mode() & 0o777, 0o600);
    let before = of_file(&file).ino();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    run_ok(&["backup", &file], config.path(), &database.url());
    assert_ne!(of_file(&file).ino(), before, "who reads the old one does not get the new one");
    assert_eq!(of_file(&file).mode() & 0o777, 0o600);

    // One that fails leaves the last one, and nothing of its own.
    let bytes = fs::read(&file).unwrap();
    let gone = database.url().replace("it_", "gone_");
    let error = run_failing(&["backup", &file], config.path(), &gone);
    assert!(error.contains("cannot reach the database gone_"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let nowhere = config_file(&sandbox, "[database]\ndata_dir = \"/nowhere/data\"\n");
    let error = run_failing(&["backup", &file], nowhere.path(), PRIVATE);
    assert!(error.contains("there is no private database in /nowhere/data"), "{error}");
    assert!(!Path::new("/nowhere").exists());
}

/// Every account of a machine sees the arguments of a process, and its own account the variables.
#[tokio::test(flavor = "multi_thread")]
async fn password_reaches_pg_dump_by_no_argument_or_variable() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("hba.conf");
    fs::write(&rules, "local all silta trust\nlocal all keeper scram-sha-256\n").unwrap();
    let data_dir = folder.path().join("data");
    let setting = format!("hba_file={}", rules.display());
    let private = Launch::new(&data_dir).settings(&[&setting]).start().unwrap();
    let mut db = PgConnection::connect_with(&private.database().await.unwrap()).await.unwrap();
    db.execute("create role keeper superuser login password 'pass=word'").await.unwrap();
    let bin: String = sqlx::query_scalar("select setting from pg_config where name = 'BINDIR'")
        .fetch_one(&mut db)
        .await
        .unwrap();
    let version: String = sqlx::query_scalar("show server_version").fetch_one(&mut db).await.unwrap();
    let version = version.split('.').next().unwrap().parse().unwrap();

    let (programs, seen) = (folder.path().join("programs"), folder.path().join("seen"));
    let record = format!("{{ env; echo \"$@\"; }} >> {}\nexec {bin}/pg_dump \"$@\"", seen.display());
    write_program(&programs, "pg_dump", &record);
    write_program(&programs, "pg_restore", "exit 1");
    let programs = ArchivePrograms::in_dirs([programs]);
    let dump = |password: &str| {
        let settings = format!(
            "host={}\nuser=keeper\ndbname=silta\npassword={password}\n",
            data_dir.join("run").display()
        );
        let access = ServerAccess { settings, environment: Vec::new() };
        let file = fs::File::create(folder.path().join("dump")).unwrap();
        programs.dump_server(&access, version, file).map_err(|error| error.to_string())
    };
    let error = dump("wrong").unwrap_err();
    assert!(error.contains("password authentication failed"), "{error}");
    dump("pass=word").unwrap();
    assert!(fs::read(folder.path().join("dump")).unwrap().starts_with(b"PGDMP"));
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("PGSERVICEFILE=") && seen.contains("service=silta"), "{seen}");
    assert!(!seen.contains("pass=word") && !seen.contains("wrong"), "{seen}");
    assert!(!seen.contains("CARGO"), "nothing of our environment: {seen}");
}
