//! A private PostgreSQL: started, joined, or made a standby.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};

use super::{
    account::Account,
    place::{PORT, Place},
    programs::{Installations, NAME, run},
    server::Server,
    startup::{Reporter, WaitOptions},
};

/// How long a joined server may give no answer at all: its owner may still be creating its cluster. One that answers that
/// it is starting is waited for.
const SILENCE_LIMIT: Duration = Duration::from_secs(300);

/// What a server answers while it starts, recovers or stops (`cannot_connect_now`).
const CANNOT_CONNECT_NOW: &str = "57P03";

/// A running private server. If this process started it, it stops when dropped.
pub struct PrivatePostgres {
    place: Place,
    /// `None` where the server of another process was joined.
    server: Option<Server>,
    installations: Installations,
    wait: WaitOptions,
}

impl PrivatePostgres {
    pub(super) fn owned(
        place: Place,
        server: Server,
        installations: Installations,
        wait: WaitOptions,
    ) -> Self {
        Self { place, server: Some(server), installations, wait }
    }

    pub(super) fn joined(place: Place, installations: Installations, wait: WaitOptions) -> Self {
        Self { place, server: None, installations, wait }
    }

    /// Copies this server's cluster for a hot standby of this name.
    pub(super) fn copy_to(&self, data_dir: &Path, name: &str) -> Result<()> {
        let account = Account::unprivileged()?;
        let cluster = Place::prepare(data_dir, &account)?.data_dir.join("cluster");
        account.create_dir(&cluster)?;
        let programs = self.installations.for_cluster(&self.place.data_dir.join("cluster"), &account)?;
        let primary = self.place.socket_dir.display();
        let mut copy = programs.command("pg_basebackup", &account);
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--dbname"])
            .arg(format!("host={primary} user={NAME} application_name={name}"))
            .arg("--pgdata")
            .arg(cluster);
        run(copy).map(drop)
    }

    /// Promotes a standby to primary and waits until it is.
    pub async fn promote(&self) -> Result<()> {
        let mut db = self.connect_with_retry().await?;
        let promoted: bool = sqlx::query_scalar("select pg_promote()").fetch_one(&mut db).await?;
        ensure!(promoted, "the standby was not promoted in time");
        Ok(())
    }

    /// Ends the server as a crash does, with SIGQUIT: nothing is written and clients get no message.
    pub fn kill(&self) -> Result<()> {
        let server = self.server.as_ref().context("another process runs this server")?;
        let mut kill = Account::unprivileged()?.command(Path::new("/bin/sh"));
        let killed = kill.args(["-c", &format!("kill -QUIT {}", server.pid)]).status()?;
        ensure!(killed.success(), "cannot send SIGQUIT");
        Ok(())
    }

    /// True where this process started the server; false where another process did.
    pub const fn is_own(&self) -> bool {
        self.server.is_some()
    }

    /// Where its cluster and its socket are.
    pub(super) fn cluster_and_socket_dir(&self) -> (PathBuf, &Path) {
        (self.place.data_dir.join("cluster"), &self.place.socket_dir)
    }

    /// The path of the socket.
    pub fn socket(&self) -> PathBuf {
        self.place.socket()
    }

    /// The options to connect to one of its databases.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        // What libpq's variables would say (`PGPORT`, `PGSSLMODE`) is of other servers.
        let options = PgConnectOptions::new_without_pgpass().socket(&self.place.socket_dir).port(PORT);
        options.ssl_mode(PgSslMode::Disable).username(NAME).database(database)
    }

    /// The URL of one of its databases, for other processes.
    pub fn url(&self, database: &str) -> String {
        let socket_dir = self.place.socket_dir.display();
        format!("postgres://{NAME}@localhost:{PORT}/{database}?host={socket_dir}&sslmode=disable")
    }

    /// The database of the service, created if there is none.
    pub async fn database(&self) -> Result<PgConnectOptions> {
        let mut maintenance = self.connect_with_retry().await?;
        // Two processes may both find it missing; the second one's error says that it exists.
        let _ = sqlx::query("create database silta").execute(&mut maintenance).await;
        maintenance.close().await?;
        Ok(self.options(NAME))
    }

    /// Connects; a joined server may still be starting, for as long as its recovery takes.
    async fn connect_with_retry(&self) -> Result<PgConnection> {
        let (mut heard, mut reporter) = (Instant::now(), Reporter::new(&self.wait));
        loop {
            let error = match PgConnection::connect_with(&self.options("postgres")).await {
                Ok(connection) => return Ok(connection),
                Err(error) => error,
            };
            self.wait.ensure_wanted()?;
            let code =
                error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
            if code.as_deref() == Some(CANNOT_CONNECT_NOW) {
                heard = Instant::now();
            } else if heard.elapsed() > SILENCE_LIMIT || self.server.is_some() {
                return Err(error).context("the private PostgreSQL does not answer");
            } else if self.place.try_lock()?.is_some() {
                bail!("the process that ran the private PostgreSQL has ended; start again");
            }
            reporter.report(|| "waiting for the private PostgreSQL of another process".to_owned());
            #[expect(clippy::disallowed_methods, reason = "waiting for another process's server")]
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
