//! The options of the demo, and what its fault levels mean.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, ValueEnum};

use crate::{
    dev::sandbox::{Fault, RandomFaults, Traffic},
    runtime::clock::Entropy,
};

/// How the day is played.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Orders that shoppers place
    #[arg(long, default_value_t = 60)]
    pub(super) orders: usize,
    /// How much goes wrong
    #[arg(long, value_enum, default_value_t = FaultLevel::Some)]
    pub(super) faults: FaultLevel,
    /// The same seed plays the same day
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// End after the verdict, with status 0 only if nothing was lost, doubled or left over
    #[arg(long)]
    pub(super) exit: bool,
    /// Write the verdict to this file, as JSON
    #[arg(long)]
    pub(super) json: Option<PathBuf>,
}

/// How much goes wrong in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FaultLevel {
    /// Everything works
    None,
    /// One call in twelve fails, one webhook in ten never arrives
    Some,
    /// One call in four fails, one webhook in four never arrives
    Many,
}

impl FaultLevel {
    pub(super) const fn traffic(self, orders: usize) -> Traffic {
        match self {
            Self::None => Traffic { orders, lost: 0.0, doubled: 0.0, late: 0.0 },
            Self::Some => Traffic { orders, lost: 0.1, doubled: 0.1, late: 0.1 },
            Self::Many => Traffic { orders, lost: 0.25, doubled: 0.2, late: 0.2 },
        }
    }

    pub(super) fn random_faults(self, entropy: Arc<Entropy>) -> Option<RandomFaults> {
        let share = match self {
            Self::None => return None,
            Self::Some => 0.08,
            Self::Many => 0.25,
        };
        let mut kinds = vec![
            Fault::DropBefore,
            Fault::DropAfter,
            Fault::Status(500),
            Fault::StatusAfter(500),
            Fault::Status(504),
            Fault::StatusAfter(504),
            Fault::TooMany(1),
            Fault::Garbage,
            Fault::HalfAnswer,
            Fault::Slow(Duration::from_millis(300)),
        ];
        if self == Self::Many {
            // A maintenance window that comes and goes.
            kinds.extend([
                Fault::Page(200),
                Fault::Page(503),
                Fault::Status(302),
                Fault::RetryAfter(503, "1"),
            ]);
        }
        Some(RandomFaults { share, kinds, entropy })
    }
}
