//! What the process gets from its surroundings: the clock and randomness, failpoints, a private PostgreSQL.

pub mod clock;
pub mod embedded_postgres;
pub mod failpoints;
