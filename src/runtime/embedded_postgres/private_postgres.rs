//! A private PostgreSQL: started, joined, or made a standby.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::{
    account::Account,
    programs::{NAME, Programs},
    server::{Durability, START_TIMEOUT, Server, log_path, settings, wait_for_old_server},
};

/// The longest directory of a socket: a path has at most 107 bytes (unix(7)), and `.s.PGSQL.5432` follows.
const MAX_SOCKET_DIR_BYTES: usize = 90;

/// A running private server. If this process started it, it stops when dropped.
pub struct PrivatePostgres {
    data_dir: PathBuf,
    socket_dir: PathBuf,
    /// `None` where the server of another process was joined.
    _server: Option<Server>,
}

impl PrivatePostgres {
    /// Starts the server of `data_dir` and creates its cluster if there is none, or joins the server that another process
    /// runs there. Blocks.
    pub fn start(data_dir: &Path, durability: Durability) -> Result<Self> {
        Self::start_with(data_dir, durability, &[])
    }

    /// Starts with extra settings such as `shared_buffers=1GB`. Blocks.
    pub fn start_with(data_dir: &Path, durability: Durability, extra_settings: &[&str]) -> Result<Self> {
        fs::create_dir_all(data_dir).with_context(|| format!("cannot create {}", data_dir.display()))?;
        let data_dir = data_dir.canonicalize()?;
        let socket_dir = socket_dir(&data_dir)?;
        let lock =
            File::options().create(true).truncate(false).write(true).open(data_dir.join("silta.lock"))?;
        if lock.try_lock().is_err() {
            return Ok(Self { data_dir, socket_dir, _server: None });
        }
        let programs = Programs::find()?;
        let account = Account::unprivileged()?;
        let cluster = data_dir.join("cluster");
        account.take_ownership(&data_dir)?;
        account.take_ownership(&socket_dir)?;
        programs.init_cluster(&data_dir, &cluster, &account)?;
        wait_for_old_server(&cluster)?;

        let settings = settings(&socket_dir, durability, extra_settings);
        let server = Server::spawn(&programs, &account, &cluster, settings, lock)?;
        let private = Self { data_dir, socket_dir, _server: Some(server) };
        private.wait_until_ready(&cluster)?;
        Ok(private)
    }

    /// Starts a hot standby of this server in a directory of its own, from a copy by `pg_basebackup`. Its name is the one for
    /// `synchronous_standby_names`. Blocks.
    pub fn standby(&self, data_dir: &Path, name: &str, extra_settings: &[&str]) -> Result<Self> {
        fs::create_dir_all(data_dir)?;
        let account = Account::unprivileged()?;
        account.take_ownership(data_dir)?;
        let primary = self.socket_dir.display();
        let mut copy = Command::new(Programs::find()?.dir.join("pg_basebackup"));
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

    /// Promotes a standby to primary and waits until it is.
    pub async fn promote(&self) -> Result<()> {
        let mut db = self.connect_with_retry().await?;
        let promoted: bool = sqlx::query_scalar("select pg_promote()").fetch_one(&mut db).await?;
        anyhow::ensure!(promoted, "the standby was not promoted in time");
        Ok(())
    }

    /// Ends the server as a crash does, with SIGQUIT: nothing is written and clients get no message.
    pub fn kill(&self) -> Result<()> {
        let pid_file = fs::read_to_string(self.data_dir.join("cluster/postmaster.pid"))?;
        let pid = pid_file.lines().next().context("its pid file is empty")?;
        let killed = Command::new("/bin/sh").args(["-c", &format!("kill -QUIT {pid}")]).status()?;
        anyhow::ensure!(killed.success(), "cannot send SIGQUIT");
        Ok(())
    }

    /// The path of the socket.
    pub fn socket(&self) -> PathBuf {
        self.socket_dir.join(".s.PGSQL.5432")
    }

    /// The options to connect to one of its databases.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(&self.socket_dir).username(NAME).database(database)
    }

    /// The URL of one of its databases, for other processes.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{NAME}@localhost/{database}?host={}", self.socket_dir.display())
    }

    /// The database of the service, created if there is none.
    pub async fn database(&self) -> Result<PgConnectOptions> {
        let mut maintenance = self.connect_with_retry().await?;
        // Two processes may both find it missing; the second one's error says that it exists.
        let _ = sqlx::query("create database silta").execute(&mut maintenance).await;
        maintenance.close().await?;
        Ok(self.options(NAME))
    }

    /// Connects; a joined server may still be starting.
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

    /// Waits until the server's pid file says `ready`, as `pg_ctl` does.
    fn wait_until_ready(&self, cluster: &Path) -> Result<()> {
        let begun = Instant::now();
        let log_path = log_path(cluster);
        let pid_file = cluster.join("postmaster.pid");
        while begun.elapsed() < START_TIMEOUT {
            let text = fs::read_to_string(&pid_file).unwrap_or_default();
            if text.lines().nth(7).is_some_and(|status| status.trim() == "ready") && self.socket_exists() {
                return Ok(());
            }
            let log_text = fs::read_to_string(&log_path).unwrap_or_default();
            if log_text.lines().rev().take(3).any(|line| line.contains("FATAL:"))
                && begun.elapsed().as_secs() >= 2
            {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(&log_path).unwrap_or_default();
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

/// The directory of the socket: beside the data, or in the temporary directory where that path is too long.
fn socket_dir(data_dir: &Path) -> Result<PathBuf> {
    let beside = data_dir.join("run");
    let dir = if beside.as_os_str().len() <= MAX_SOCKET_DIR_BYTES {
        beside
    } else {
        let digest = crate::domain::digest::sha256_hex(data_dir.as_os_str().as_encoded_bytes());
        std::env::temp_dir().join(format!("silta-{}", &digest[..16]))
    };
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    Ok(dir)
}
