//! How a private server is started, and its start.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::{
    account::Account,
    cluster::ClusterDirs,
    place::Place,
    private_postgres::PrivatePostgres,
    programs::{Installations, Programs},
    server::{Durability, Server, settings},
    startup::{WaitOptions, wait_for_old_server, wait_until_ready},
};

/// How a private server is started.
pub struct Launch {
    pub(super) data_dir: PathBuf,
    durability: Durability,
    /// As `shared_buffers=1GB`.
    settings: Vec<String>,
    pub(super) installations: Installations,
    pub(super) wait: WaitOptions,
}

impl Launch {
    /// Every commit on disk, by the programs of this machine.
    pub fn new(data_dir: &Path) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            durability: Durability::Full,
            settings: Vec::new(),
            installations: Installations::of_this_machine(),
            wait: WaitOptions::default(),
        }
    }

    /// With this durability.
    #[must_use]
    pub fn durability(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }

    /// With extra settings such as `shared_buffers=1GB`.
    #[must_use]
    pub fn settings(self, settings: &[&str]) -> Self {
        Self { settings: settings.iter().map(|&setting| setting.to_owned()).collect(), ..self }
    }

    /// With these programs.
    #[must_use]
    pub fn installations(self, installations: Installations) -> Self {
        Self { installations, ..self }
    }

    /// Waiting in this way.
    #[must_use]
    pub fn wait(self, wait: WaitOptions) -> Self {
        Self { wait, ..self }
    }

    /// Starts the server and creates its cluster if there is none, or joins the server that another process runs there.
    /// Blocks.
    pub fn start(self) -> Result<PrivatePostgres> {
        let account = Account::unprivileged()?;
        let place = Place::prepare(&self.data_dir, &account)?;
        let Some(lock) = place.try_lock()? else {
            return Ok(PrivatePostgres::joined(place, self.installations, self.wait));
        };
        let dirs = ClusterDirs::of(&place.data_dir);
        dirs.finish_upgrade()?;
        let programs = self.installations.for_cluster(&dirs.current, &account)?.clone();
        if !dirs.current.exists() {
            dirs.init(&programs, &account)?;
        }
        let server = self.start_server(&place, &dirs.current, (&programs, &account), lock)?;
        Ok(PrivatePostgres::owned(place, server, self.installations, self.wait))
    }

    /// Starts the server of a cluster and waits until it is ready.
    pub(super) fn start_server(
        &self,
        place: &Place,
        cluster: &Path,
        (programs, account): (&Programs, &Account),
        lock: File,
    ) -> Result<Server> {
        wait_for_old_server(cluster, account, &self.wait)?;
        let settings = settings(&place.socket_dir, self.durability, &self.settings);
        let server = Server::spawn(programs, account, cluster, &settings, lock)?;
        wait_until_ready(&server, (cluster, account), &place.socket(), &self.wait)?;
        Ok(server)
    }
}

impl PrivatePostgres {
    /// Starts the server of `data_dir` and creates its cluster if there is none, or joins the server that another process
    /// runs there. Blocks.
    pub fn start(data_dir: &Path, durability: Durability) -> Result<Self> {
        Launch::new(data_dir).durability(durability).start()
    }

    /// Starts a hot standby of this server in a directory of its own, from a copy by `pg_basebackup`. Its name is the one for
    /// `synchronous_standby_names`. Blocks.
    pub fn standby(&self, data_dir: &Path, name: &str, extra_settings: &[&str]) -> Result<Self> {
        self.copy_to(data_dir, name)?;
        Launch::new(data_dir).settings(extra_settings).start()
    }
}
