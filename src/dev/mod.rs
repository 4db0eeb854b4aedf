//! Programs for developers: the sandbox vendors, the demo and the chaos run. No part of the service uses them.

pub mod chaos;
pub mod demo;
pub mod sandbox;
mod temporary_directory;
