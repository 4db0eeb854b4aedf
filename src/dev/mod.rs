//! Programs for developers: the sandbox vendors, the demo and the chaos run. No part of the service uses them.

pub mod chaos;
pub mod demo;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod sandbox;
mod temporary_directory;
