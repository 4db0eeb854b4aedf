//! A private PostgreSQL from the machine's own binaries: for trying Silta, for small shops, and for tests.
//!
//! It listens on a unix socket alone, in a directory that only its account may enter, so it needs no password and is
//! met by nobody else. PostgreSQL refuses to run as root: root drops to the `postgres` account, or to `nobody`.
//!
//! **Stopped with us, however we end.** The server is the child of a small shell that does nothing but wait for the end
//! of its standard input, which is a pipe that we hold: when we are gone, killed or not, the pipe closes and the shell
//! stops the server. So nothing is left over after a `kill -9`, and a start that comes while the old server is still
//! stopping waits for it. PostgreSQL's own crash recovery covers the rest.
//!
//! **One owner.** A lock on `silta.lock` says whose server it is; a second process (an admin command beside
//! `silta serve`) joins the running server and leaves it running.

mod programs;

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use programs::{Account, Binaries};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

/// The name of its superuser and its database.
const NAME: &str = "silta";

/// A unix socket's path has at most 107 bytes (unix(7)); `.s.PGSQL.5432` is behind ours.
const MAX_SOCKET_DIR_BYTES: usize = 90;

/// How long a start, or the end of an older server, may take: crash recovery of a big write-ahead log included.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// May the server forget what it answered when the machine (not the server) dies?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every commit is on disk.
    Full,
    /// For tests alone: nothing is waited for.
    ForTestsOnly,
}

/// A running private server; stopped when dropped, if we started it.
pub struct PrivatePostgres {
    data_dir: PathBuf,
    socket_dir: PathBuf,
    /// Held, and so stopped, with us; `None` where we joined another Silta's.
    _server: Option<Server>,
}

/// A server of our own. The fields drop in this order: first the pipe, which stops it; then the lock.
struct Server {
    pipe: Option<ChildStdin>,
    guardian: Child,
    _lock: File,
}

impl PrivatePostgres {
    /// Starts the server of `data_dir`, making its cluster first where there is none; or joins the one that another
    /// Silta has running there. Blocks.
    pub fn start(data_dir: &Path, durability: Durability) -> Result<Self> {
        Self::start_with(data_dir, durability, &[])
    }

    /// The same, with more settings, as `shared_buffers=1GB`.
    pub fn start_with(data_dir: &Path, durability: Durability, extra_settings: &[&str]) -> Result<Self> {
        fs::create_dir_all(data_dir).with_context(|| format!("cannot make {}", data_dir.display()))?;
        let data_dir = data_dir.canonicalize()?;
        let socket_dir = socket_dir(&data_dir)?;
        let lock =
            File::options().create(true).truncate(false).write(true).open(data_dir.join("silta.lock"))?;
        if lock.try_lock().is_err() {
            return Ok(Self { data_dir, socket_dir, _server: None });
        }
        let binaries = Binaries::find()?;
        let account = Account::unprivileged()?;
        let cluster = data_dir.join("cluster");
        account.take_ownership(&data_dir)?;
        account.take_ownership(&socket_dir)?;
        binaries.init_cluster(&data_dir, &cluster, &account)?;
        wait_for_old_server(&cluster)?;

        let log_path = data_dir.join("postgres.log");
        let log = File::options().create(true).append(true).open(&log_path)?;
        let mut guardian = Command::new("/bin/sh");
        guardian
            .args([
                "-c",
                r#""$@" & server=$!; cat >/dev/null; kill -INT "$server"; wait "$server""#,
                "silta-guardian",
            ])
            .arg(binaries.dir.join("postgres"))
            .arg("-D")
            .arg(&cluster)
            .args(settings(&socket_dir, durability, extra_settings))
            .current_dir(&cluster)
            .process_group(0) // Ctrl-C in a terminal is for us: we stop the server after the last settle
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        account.apply_to(&mut guardian);
        let mut guardian = guardian.spawn().context("cannot start PostgreSQL")?;
        let pipe = guardian.stdin.take();
        let server = Server { pipe, guardian, _lock: lock };
        let private = Self { data_dir, socket_dir, _server: Some(server) };
        private.wait_until_ready(&cluster, &log_path)?;
        Ok(private)
    }

    /// A hot standby of this server in a directory of its own: a copy by `pg_basebackup`, which from then on follows.
    /// Its name is what `synchronous_standby_names` asks for. Blocks.
    pub fn standby(&self, data_dir: &Path, name: &str, extra_settings: &[&str]) -> Result<Self> {
        fs::create_dir_all(data_dir)?;
        let account = Account::unprivileged()?;
        account.take_ownership(data_dir)?;
        let primary = self.socket_dir.display();
        let mut copy = Command::new(Binaries::find()?.dir.join("pg_basebackup"));
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--dbname"])
            .arg(format!("host={primary} user={NAME} application_name={name}"))
            .arg("--pgdata")
            .arg(data_dir.join("cluster"))
            .current_dir("/")
            .stdin(Stdio::null());
        account.apply_to(&mut copy);
        let output = copy.output().context("cannot run pg_basebackup")?;
        if !output.status.success() {
            bail!("pg_basebackup failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Self::start_with(data_dir, Durability::Full, extra_settings)
    }

    /// Makes a standby the primary, and waits until it is.
    pub async fn promote(&self) -> Result<()> {
        let mut db = self.connect_with_retry().await?;
        let promoted: bool = sqlx::query_scalar("select pg_promote()").fetch_one(&mut db).await?;
        anyhow::ensure!(promoted, "the standby was not promoted in time");
        Ok(())
    }

    /// Ends the server as a crash does (SIGQUIT): nothing is written, nobody is told.
    pub fn kill(&self) -> Result<()> {
        let pid_file = fs::read_to_string(self.data_dir.join("cluster/postmaster.pid"))?;
        let pid = pid_file.lines().next().context("its pid file is empty")?;
        let killed = Command::new("/bin/sh").args(["-c", &format!("kill -QUIT {pid}")]).status()?;
        anyhow::ensure!(killed.success(), "cannot send SIGQUIT");
        Ok(())
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.socket_dir.join(".s.PGSQL.5432")
    }

    /// How to connect to a database of it.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(&self.socket_dir).username(NAME).database(database)
    }

    /// The same as a URL, for other processes.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{NAME}@localhost/{database}?host={}", self.socket_dir.display())
    }

    /// The database of the service, made where there is none.
    pub async fn database(&self) -> Result<PgConnectOptions> {
        let mut maintenance = self.connect_with_retry().await?;
        // Two processes may both find it missing; the loser's error says that it is there.
        let _ = sqlx::query("create database silta").execute(&mut maintenance).await;
        maintenance.close().await?;
        Ok(self.options(NAME))
    }

    /// A joined server may still be starting.
    async fn connect_with_retry(&self) -> Result<PgConnection> {
        let begun = Instant::now();
        loop {
            match PgConnection::connect_with(&self.options("postgres")).await {
                Ok(connection) => return Ok(connection),
                Err(error) if begun.elapsed() > START_TIMEOUT => return Err(error.into()),
                #[expect(clippy::disallowed_methods, reason = "waiting for another process's server")]
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Ready is written into the server's own pid file once it takes connections (its `pg_ctl` waits for the same).
    fn wait_until_ready(&self, cluster: &Path, log_path: &Path) -> Result<()> {
        let begun = Instant::now();
        let pid_file = cluster.join("postmaster.pid");
        while begun.elapsed() < START_TIMEOUT {
            let text = fs::read_to_string(&pid_file).unwrap_or_default();
            if text.lines().nth(7).is_some_and(|status| status.trim() == "ready") && self.socket_exists() {
                return Ok(());
            }
            let log_text = fs::read_to_string(log_path).unwrap_or_default();
            if log_text.lines().rev().take(3).any(|line| line.contains("FATAL:"))
                && begun.elapsed().as_secs() >= 2
            {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(log_path).unwrap_or_default();
        let tail: Vec<_> = log.lines().rev().take(5).collect();
        bail!(
            "the private PostgreSQL did not start; its log ends:\n{}",
            tail.into_iter().rev().collect::<Vec<_>>().join("\n")
        )
    }

    fn socket_exists(&self) -> bool {
        self.socket().exists()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.pipe.take(); // the guardian reads its end, and stops the server
        let _ = self.guardian.wait();
    }
}

/// Where the socket is: beside the data, or where that path is too long, in a directory of the vendor's temporary one
/// that is named after it.
fn socket_dir(data_dir: &Path) -> Result<PathBuf> {
    let beside = data_dir.join("run");
    let dir = if beside.as_os_str().len() <= MAX_SOCKET_DIR_BYTES {
        beside
    } else {
        let digest = crate::domain::digest::sha256_hex(data_dir.as_os_str().as_encoded_bytes());
        std::env::temp_dir().join(format!("silta-{}", &digest[..16]))
    };
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}

fn settings(socket_dir: &Path, durability: Durability, extra_settings: &[&str]) -> Vec<String> {
    let mut settings = vec![
        "listen_addresses=".to_owned(),
        "port=5432".to_owned(),
        format!("unix_socket_directories={}", socket_dir.display()),
        "unix_socket_permissions=0700".to_owned(),
        "max_connections=200".to_owned(),
        "timezone=UTC".to_owned(),
        "log_min_error_statement=panic".to_owned(), // statements hold bodies, and bodies hold people
    ];
    if durability == Durability::ForTestsOnly {
        settings
            .extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(ToOwned::to_owned));
    }
    settings.extend(extra_settings.iter().map(|&setting| setting.to_owned()));
    settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]).collect()
}

/// An older server of this cluster, whose owner was killed, stops by itself: wait for it.
fn wait_for_old_server(cluster: &Path) -> Result<()> {
    let pid_file = cluster.join("postmaster.pid");
    let begun = Instant::now();
    while begun.elapsed() < START_TIMEOUT {
        let text = fs::read_to_string(&pid_file).unwrap_or_default();
        let Some(pid) = text.lines().next().map(str::trim).filter(|pid| !pid.is_empty()) else {
            return Ok(());
        };
        if !is_postgres(pid) {
            return Ok(()); // a stale file; PostgreSQL finds that out for itself
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("another PostgreSQL still runs on {}", cluster.display())
}

/// Is this process alive and a PostgreSQL? Where there is no `/proc`, PostgreSQL's own check must do.
fn is_postgres(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres")
}
