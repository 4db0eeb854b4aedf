//! What the process gets from its surroundings: the clock and randomness, its share of memory, failpoints, the heartbeat of
//! the claim loop, a private PostgreSQL.

pub mod clock;
pub mod database_clock;
pub mod embedded_postgres;
pub mod failpoints;
pub mod heartbeat;
pub mod memory_limit;
pub mod pressure;
pub mod steady_clock;
pub mod wrong_clock;
