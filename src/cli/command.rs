//! The commands and their options. Doc comments here are help texts.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::{
    alerts, config, doctor, events, init, next_steps::DEFAULT_PATH, orders, release, sandbox, sync, tasks,
    webhooks,
};
use crate::{
    app::ServiceHalf,
    dev::{chaos, demo},
};

/// Printed after the help.
const EXAMPLES: &str = "\
Examples:
  silta init                                                 write a configuration to start with
  silta config default                                       every key with its default
  silta webhooks register kauppa                             subscribe to webhooks at both vendors
  silta doctor kauppa                                        is the connection ready?
  silta tasks list --state dead                              tasks that wait for an operator
  silta orders explain kauppa 1042                           why is this order where it is?
  silta sync stock kauppa --dry-run                          what differs, without fixing it
  silta backup silta.dump                                    a copy of everything that Silta keeps

Exit status: 0 success; 1 failure, or the answer is no (doctor, demo, chaos, sync); 2 wrong usage.";

/// Connects a `MyCashflow` web shop to an `OGOship` warehouse
#[derive(Parser)]
#[command(version, about, after_help = EXAMPLES)]
pub struct Silta {
    /// The configuration file
    #[arg(long, global = true, default_value = DEFAULT_PATH)]
    pub(super) config: PathBuf,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Runs the service: webhooks, admin API, dashboard, worker and polls
    Serve {
        /// Run only one half, for replicas that share a database
        #[arg(long)]
        only: Option<ServiceHalf>,
    },
    /// Plays a day with a sandbox shop and warehouse: a live view, then a verdict
    Demo(demo::Options),
    /// Runs the real program under load while everything around it breaks; status 0 only if everything recovered and
    /// nothing was lost, doubled or left over
    Chaos(chaos::Options),
    /// Runs the two sandbox vendors alone, to point a configuration at
    Sandbox(sandbox::SandboxArgs),
    /// Brings the schema of the database up to this version
    Migrate {
        /// First move the private PostgreSQL to the newest version on this machine (stop `silta serve` before)
        #[arg(long)]
        postgres: bool,
    },
    /// Backs up the whole database into a file, while `silta serve` runs or not
    Backup {
        /// The file, for its owner alone; an existing one is replaced once the new one is whole
        file: PathBuf,
    },
    /// Restores the database from a file of `silta backup`, all or nothing (stop `silta serve` before)
    Restore {
        /// The file
        file: PathBuf,
        /// Replace what the database has now
        #[arg(long)]
        force: bool,
    },
    /// The configuration: check it, print the annotated defaults, make keys and tokens
    #[command(subcommand)]
    Config(config::Command),
    /// Tasks: list, show, replay, cancel, resolve
    #[command(subcommand)]
    Tasks(tasks::Tasks),
    /// Received events: list, show
    #[command(subcommand)]
    Events(events::Events),
    /// Orders: list, explain, transfer, hold, release, cancel, refresh, erase
    #[command(subcommand)]
    Orders(orders::Orders),
    /// What waits for a switch (orders.transfer, products.upload, stock.update) or a shipping rule: list, release
    #[command(subcommand)]
    Release(release::Release),
    /// Runs a full sync of both sides now
    #[command(subcommand)]
    Sync(sync::Sync),
    /// Writes a commented configuration to start with; asks, or takes options
    Init(init::InitArgs),
    /// Webhook subscriptions at both vendors: register, list, remove; detect how an unknown sender signs
    #[command(subcommand)]
    Webhooks(webhooks::Webhooks),
    /// Alerts: list; try the notification channels
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    /// Checks whether a connection is ready and says what to do; status 1 if it is not
    Doctor(doctor::DoctorArgs),
    /// Checks whether the process at this address is alive, for a container's health check; status 1 if it is not
    Alive {
        /// The base URL, such as <http://127.0.0.1:8080>
        url: String,
    },
    /// Prints openapi.yaml
    Openapi,
    /// Prints the completions of a shell: `silta completions bash > /etc/bash_completion.d/silta`
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}
