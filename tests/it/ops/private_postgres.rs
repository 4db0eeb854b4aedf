//! The private PostgreSQL: how long its start is waited for, which programs run it, and its upgrade.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use silta::runtime::embedded_postgres::{
    Durability, Installations, Launch, PrivatePostgres, Upgrade, WaitOptions,
};
use sqlx::{Connection, Executor, PgConnection};

use super::fake_postgres::{end_fake_server, fake_programs, write_program};
use crate::harness::secs;

const KNOCKS: &str = "for second in 1 2 3 4 5 6; do
    echo 'FATAL:  the database system is starting up' >&2; sleep 0.5
done";

/// Lets a server end that a failing test leaves behind.
const ENDS_BY_ITSELF: &str = "{ sleep 15; rm -f \"$cluster/postmaster.pid\"; } >/dev/null 2>&1 &";

/// Collects what a start reports.
fn wait(stall_limit: Duration) -> (WaitOptions, Arc<Mutex<Vec<String>>>) {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let kept = reports.clone();
    let report = Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned()));
    (
        WaitOptions {
            report_every: Duration::from_millis(200),
            stall_limit,
            report,
            ..WaitOptions::default()
        },
        reports,
    )
}

fn launch(directory: &Path, versions: &[(u32, &str)]) -> Launch {
    let dirs = versions.iter().map(|(version, start)| fake_programs(directory, *version, start));
    Launch::new(&directory.join("data")).installations(Installations::in_dirs(dirs.collect::<Vec<_>>()))
}

fn started_by(directory: &Path) -> String {
    std::fs::read_to_string(directory.join("data/cluster/started-by")).unwrap().trim().to_owned()
}

/// Clients that knock meanwhile fill the log with `FATAL`; for more than two seconds nothing else is in it.
#[test]
fn recovery_is_waited_for_while_clients_knock() {
    let directory = tempfile::tempdir().unwrap();
    let (wait, reports) = wait(secs(60));
    let start = format!("echo 'LOG:  redo in progress, elapsed time: 10.00 s' >&2; {KNOCKS}");
    let private = launch(directory.path(), &[(15, &start)]).wait(wait).start().unwrap();
    end_fake_server(&directory.path().join("data"));
    drop(private);
    let reports = reports.lock().unwrap().clone();
    assert!(reports.iter().any(|line| line.contains("redo in progress")), "{reports:?}");
    assert!(reports.iter().all(|line| !line.contains("FATAL")), "{reports:?}");
}

#[test]
fn start_fails_at_once_with_its_own_lines_when_the_server_ends() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    let log = directory.path().join("data/postgres.log");
    std::fs::write(&log, "FATAL:  an earlier start\n").unwrap();
    std::fs::set_permissions(&log, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    let begun = Instant::now();
    let failing = launch(directory.path(), &[(15, "echo 'FATAL:  no space left' >&2; exit 1")]);
    let error = failing.start().err().unwrap().to_string();
    assert!(error.contains("no space left") && !error.contains("an earlier start"), "{error}");
    assert!(begun.elapsed() < secs(10), "it does not wait for a process that has ended");
}

/// They say that it is ready, until the next one writes its own.
#[test]
fn files_of_a_killed_server_are_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let killed = launch(directory.path(), &[(15, "")]).start().unwrap();
    end_fake_server(&data);
    drop(killed);
    std::fs::remove_file(data.join("cluster/started-by")).unwrap();
    let pid_file = data.join("cluster/postmaster.pid");
    std::fs::write(&pid_file, "4194304\n\n\n\n\n\n\nready\n").unwrap(); // the socket is still there
    std::fs::set_permissions(&pid_file, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    let program = directory.path().join("programs-15/postgres");
    let slow = format!("{ENDS_BY_ITSELF}\nsleep 1; status starting");
    let text = std::fs::read_to_string(&program).unwrap().replace("status starting", &slow);
    std::fs::write(&program, text).unwrap();
    let programs = Installations::in_dirs([directory.path().join("programs-15")]);
    let private = Launch::new(&data).installations(programs).start().unwrap();
    assert_eq!(started_by(directory.path()), "15");
    end_fake_server(&data);
    drop(private);
}

/// It recovers for longer than a server that does nothing is waited for.
#[test]
fn slow_start_that_makes_progress_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let (wait, _) = wait(secs(2));
    let lines = "for line in 1 2 3 4 5 6 7 8; do echo \"LOG:  redo in progress, $line\" >&2; sleep 0.5; done";
    let start = format!("{ENDS_BY_ITSELF}\n{lines}");
    let private = launch(directory.path(), &[(15, &start)]).wait(wait).start().unwrap();
    end_fake_server(&directory.path().join("data"));
    drop(private);
}

/// Its process lives and does nothing; that clients knock is no progress.
#[test]
fn start_without_progress_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let (wait, _) = wait(secs(1));
    let stuck = launch(directory.path(), &[(15, &format!("{KNOCKS}; exit 1"))]).wait(wait);
    let error = stuck.start().err().unwrap().to_string();
    assert!(error.contains("has not worked on its start"), "{error}");
}

#[test]
fn start_that_is_cancelled_ends() {
    let directory = tempfile::tempdir().unwrap();
    let (wait, _) = wait(secs(60));
    wait.cancelled.cancel();
    let error = launch(directory.path(), &[(15, "sleep 1; exit 1")]).wait(wait).start().err().unwrap();
    assert!(error.to_string().contains("stopped before"), "{error}");
}

#[test]
fn cluster_is_run_by_the_programs_of_its_version() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let start = |versions: &[(u32, &str)]| {
        let private = launch(path, versions).start().map_err(|error| error.to_string())?;
        let version = started_by(path);
        end_fake_server(&path.join("data"));
        drop(private);
        Ok::<_, String>(version)
    };
    assert_eq!(start(&[(14, ""), (13, "")]).unwrap(), "14", "the newest creates it");
    assert_eq!(start(&[(14, ""), (17, "")]).unwrap(), "14", "a system update brought a newer one beside it");
    let error = start(&[(17, "")]).unwrap_err();
    assert!(error.contains("PostgreSQL 14") && error.contains("postgresql-14"), "{error}");
    assert!(error.contains("it has 17"), "{error}");
}

#[test]
fn lost_cluster_is_not_replaced_by_an_empty_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::create_dir_all(path.join("data/cluster.of-14")).unwrap();
    let error = launch(path, &[(17, ENDS_BY_ITSELF)]).start().err().unwrap().to_string();
    assert!(error.contains("cluster.of-14") && error.contains("move that one back"), "{error}");

    // An upgrade that was interrupted between its last two renames is finished.
    std::fs::create_dir(path.join("data/cluster.upgraded")).unwrap();
    std::fs::write(path.join("data/cluster.upgraded/PG_VERSION"), "17\n").unwrap();
    std::fs::set_permissions(
        path.join("data/cluster.upgraded"),
        std::os::unix::fs::PermissionsExt::from_mode(0o777),
    )
    .unwrap();
    let private = launch(path, &[(17, "")]).start().unwrap();
    assert_eq!(started_by(path), "17");
    end_fake_server(&path.join("data"));
    drop(private);
}

/// The real server: killed in the middle of its work, and asked without a pause while it recovers.
#[tokio::test(flavor = "multi_thread")]
async fn crashed_server_recovers_while_clients_knock() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let settings = ["checkpoint_timeout=1h", "max_wal_size=8GB"];
    let launch = || Launch::new(&data_dir).settings(&settings);
    let (first, second) = (launch(), launch());
    let private = first.start().unwrap();
    let mut db = PgConnection::connect_with(&private.database().await.unwrap()).await.unwrap();
    db.execute(
        "create table work as select n, repeat(md5(n::text), 20) as filler from generate_series(1, 200000) n",
    )
    .await
    .unwrap();
    private.kill().unwrap();
    drop(private);

    let (options, knocking) = (
        sqlx::postgres::PgConnectOptions::new()
            .socket(data_dir.join("run"))
            .username("silta")
            .database("silta"),
        tokio_util::sync::CancellationToken::new(),
    );
    let stop = knocking.clone();
    let knocker = tokio::spawn(async move {
        let mut refused = 0;
        while !stop.is_cancelled() {
            refused += usize::from(PgConnection::connect_with(&options).await.is_err());
            tokio::task::yield_now().await;
        }
        refused
    });
    let private = tokio::task::spawn_blocking(|| second.start()).await.unwrap().unwrap();
    let mut db = PgConnection::connect_with(&private.options("silta")).await.expect("ready means ready");
    let rows: i64 = sqlx::query_scalar("select count(*) from work").fetch_one(&mut db).await.unwrap();
    assert_eq!(rows, 200_000);
    knocking.cancel();
    assert!(knocker.await.unwrap() > 0, "clients knocked in vain meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_keeps_no_row_that_was_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let private = Launch::new(&data_dir).start().unwrap();
    let mut db = PgConnection::connect_with(&private.database().await.unwrap()).await.unwrap();
    db.execute("create table person (name text primary key)").await.unwrap();
    let insert = "insert into person values ('Aino Asiakas')";
    db.execute(insert).await.unwrap();
    assert!(db.execute(insert).await.is_err());
    let log = std::fs::read_to_string(data_dir.join("postgres.log")).unwrap();
    assert!(log.contains("duplicate key") && !log.contains("Aino"), "{log}");
}

/// `pg_upgrade` moves a cluster to its own version as well. So the old version is this machine's in disguise: its programs
/// say another number, and the cluster's file has it whenever nobody runs it.
#[tokio::test(flavor = "multi_thread")]
async fn upgrade_keeps_the_data_and_the_old_cluster() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let private = PrivatePostgres::start(&data_dir, Durability::Full).unwrap();
    let mut db = PgConnection::connect_with(&private.database().await.unwrap()).await.unwrap();
    db.execute("create table kept as select 42 as answer").await.unwrap();
    let bin: String = sqlx::query_scalar("select setting from pg_config where name = 'BINDIR'")
        .fetch_one(&mut db)
        .await
        .unwrap();
    private.kill().unwrap(); // a crash: the upgrade must recover it first
    drop((db, private));
    let version_file = data_dir.join("cluster/PG_VERSION");
    let version = std::fs::read_to_string(&version_file).unwrap().trim().to_owned();
    std::fs::write(&version_file, "9\n").unwrap();

    let old = directory.path().join("old");
    let restore = format!("echo {version} > {}", version_file.display());
    write_program(&old, "initdb", "exit 1");
    write_program(&old, "pg_controldata", &format!("exec {bin}/pg_controldata \"$@\""));
    write_program(
        &old,
        "postgres",
        &format!(
            "[ \"$1\" = --version ] && {{ echo 'postgres (PostgreSQL) 9.9'; exit; }}\n{restore}\nexec {bin}/postgres \"$@\""
        ),
    );
    let new = directory.path().join("new");
    for program in ["initdb", "postgres", "vacuumdb"] {
        write_program(&new, program, &format!("exec {bin}/{program} \"$@\""));
    }
    let real = format!("exec {bin}/pg_upgrade \"$@\" --old-bindir {bin} --new-bindir {bin}");
    write_program(&new, "pg_upgrade", &format!("{restore}\n{real}"));
    let launch = || Launch::new(&data_dir).installations(Installations::in_dirs([old.clone(), new.clone()]));

    let running = launch().start().unwrap();
    let error = launch().upgrade().unwrap_err().to_string();
    assert!(error.contains("stop silta serve first"), "{error}");
    drop(running);
    std::fs::write(&version_file, "9\n").unwrap();

    let done = launch().upgrade().unwrap();
    let kept = data_dir.canonicalize().unwrap().join("cluster.of-9");
    assert_eq!(done, Upgrade::Done { from: 9, to: version.parse().unwrap(), kept: kept.clone() });
    assert!(kept.join("base").exists(), "the old cluster is kept");
    let private = launch().start().unwrap();
    let mut db = PgConnection::connect_with(&private.options("silta")).await.unwrap();
    let answer: i32 = sqlx::query_scalar("select answer from kept").fetch_one(&mut db).await.unwrap();
    assert_eq!(answer, 42);
    drop((db, private));
    assert_eq!(launch().upgrade().unwrap(), Upgrade::AlreadyNewest { version: version.parse().unwrap() });
}
