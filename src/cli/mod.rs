//! The command line: one subcommand for each thing that a person does from a shell.

mod alerts;
mod archive_schema;
mod backup;
mod check_line;
mod command;
mod config;
mod database;
mod dispatch;
mod doctor;
mod doctor_catalogue;
mod events;
mod init;
mod init_file;
mod load;
mod names;
mod new_file;
mod next_steps;
mod order_list;
mod orders;
mod print;
mod release;
mod restore;
mod sandbox;
mod secret_files;
mod serve;
mod server_access;
mod sync;
mod sync_wait;
mod table;
mod tasks;
mod webhook_detection;
mod webhooks;

pub use command::Silta;
pub use dispatch::run;
