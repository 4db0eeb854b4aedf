//! SIGTERM at any moment ends the process soon.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use silta::dev::sandbox::Fault;

use crate::harness::{
    Database,
    process::{BINARY, Process, config_file, sandbox},
    secs, wait_until,
};

fn spawn(config: &Path, database: Option<&str>) -> Child {
    let mut command = Command::new(BINARY);
    command.arg("serve").arg("--config").arg(config).stderr(Stdio::null());
    match database {
        Some(url) => command.env("DATABASE_URL", url),
        None => command.env_remove("DATABASE_URL"),
    };
    command.spawn().unwrap()
}

/// Sends SIGTERM and returns how long the process took to end.
fn terminate(mut child: Child) -> Duration {
    let (begun, pid) = (Instant::now(), child.id().to_string());
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > secs(20) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it did not end within 20 s");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_at_any_moment_of_the_start_ends_the_process() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    for step in 0..40 {
        let child = spawn(config.path(), Some(&database.url()));
        // The delay varies the moment of the signal: it is the point of this test, not a wait for something.
        std::thread::sleep(Duration::from_millis(step * 7));
        terminate(child);
    }
}

/// The database accepts the connection and says nothing more.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_a_start_that_waits_for_its_database() {
    let sandbox = sandbox().await;
    let config = config_file(&sandbox, "");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://silta@{}/silta", silent.local_addr().unwrap());
    let child = spawn(config.path(), Some(&url));
    let _connection = silent.accept().unwrap();
    let waited = terminate(child);
    assert!(waited < secs(2), "{waited:?}: it would have given up after three seconds by itself");
}

/// With a private PostgreSQL, which must end too: one left behind would keep every later start waiting.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_during_the_start_leaves_no_postgresql_behind() {
    let sandbox = sandbox().await;
    let directory = tempfile::tempdir().unwrap();
    let data = format!("[database]\ndata_dir = {:?}", directory.path().join("data"));
    let config = config_file(&sandbox, &data);
    assert!(Process::start(config.path(), None).terminate());
    let pid_file = directory.path().join("data/cluster/postmaster.pid");
    for step in 0..20 {
        let child = spawn(config.path(), None);
        std::thread::sleep(Duration::from_millis(20 + step * 9));
        terminate(child);
        wait_until("the server has ended", async || !pid_file.exists()).await;
    }
    assert!(Process::start(config.path(), None).terminate());
}

/// The grace period is for attempts; a poll that waits for a vendor has nothing to lose.
#[tokio::test(flavor = "multi_thread")]
async fn poll_at_a_hanging_vendor_does_not_delay_the_end() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "[worker]\nshutdown_grace = \"60s\"\n");
    let text = std::fs::read_to_string(config.path()).unwrap();
    let text =
        text.replacen("[worker]\nlease = \"3s\"\n", "", 1).replace("timeout = \"1s\"", "timeout = \"50s\"");
    std::fs::write(config.path(), text.replace("[worker]\n", "[worker]\nlease = \"160s\"\n")).unwrap();
    for server in [&sandbox.shop_server, &sandbox.warehouse_server] {
        server.faults.set_everywhere(Some(Fault::Hang));
    }
    let process = Process::start(config.path(), Some(&database.url()));
    wait_until("a poll hangs", async || sandbox.shop_server.faults.hit_count() > 0).await;
    let begun = Instant::now();
    assert!(process.terminate());
    assert!(begun.elapsed() < secs(15), "{:?}", begun.elapsed());
}
