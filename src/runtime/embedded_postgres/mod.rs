//! A private PostgreSQL from the programs on this machine, for trying Silta, for small shops and for tests.
//!
//! It listens on a unix socket alone, in a directory that only its account can enter, so it needs no password. PostgreSQL
//! refuses to run as root: under root it runs as the account `postgres` or `nobody`.
//!
//! **It stops with this process, however that ends.** The server is the child of a small shell that waits for the end of
//! its standard input, a pipe that this process holds. When the process is gone, killed or not, the pipe closes and the
//! shell stops the server. So a `kill -9` leaves nothing behind, and a start during the shutdown of an older server waits
//! for it. Crash recovery by PostgreSQL covers the rest.
//!
//! **It has one owner.** A lock on `silta.lock` marks it. A second process (a command beside `silta serve`) joins the
//! running server and leaves it running.
//!
//! **Its programs have the cluster's version.** PostgreSQL opens only clusters of its own major version, and a system update
//! may bring a newer one beside it. So the programs are chosen by the cluster; only an [upgrade](Launch::upgrade) changes its
//! version.
//!
//! **It is waited for.** Recovery takes as long as the write-ahead log is long. A start is given up only when the server's
//! process has ended or does nothing; see [`WaitOptions`].
//!
//! [`ArchivePrograms`] back up and read back a database of it, or of another server.

mod account;
mod archive;
mod archive_script;
mod cluster;
mod launch;
mod place;
mod private_postgres;
mod programs;
mod server;
mod server_log;
mod startup;
mod upgrade;

pub use archive::{ArchivePrograms, ServerAccess};
pub use archive_script::ScriptPiece;
pub use launch::Launch;
pub use private_postgres::PrivatePostgres;
pub use programs::Installations;
pub use server::Durability;
pub use startup::WaitOptions;
pub use upgrade::Upgrade;
