//! What the process gets from its surroundings: the clock and randomness, failpoints, the heartbeat of
//! the claim loop, a private PostgreSQL.

pub mod clock;
pub mod embedded_postgres;
pub mod failpoints;
pub mod heartbeat;
pub mod wrong_clock;
