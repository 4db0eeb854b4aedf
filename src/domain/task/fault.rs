//! A vendor's fault: what failed, so that it can be seen whether calls of other subjects fail alike.
//!
//! One failed call never stops a connection: it belongs to its subject, counts there and ends with a person.
//! It belongs to the connection only where calls of several subjects failed alike and no call of
//! that kind has succeeded in between, or where a probe fails alike.

use super::reason::Reason;
use crate::domain::vendor::Vendor;

/// The kind of a call. Faults are counted for each alone: a vendor that cannot write may still answer reads.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, strum::EnumString, strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum CallKind {
    /// Changes nothing.
    Read,
    /// Changes something.
    Write,
}

impl CallKind {
    /// The spelling in rows.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// How many subjects must fail alike before the fault is the vendor's. A read that fails says that the vendor
    /// is down. A write is often refused or lost for reasons of its subject: at 30 % lost answers, five in a row
    /// come twice in a thousand orders, ten never.
    pub const fn subjects_to_open(self) -> i64 {
        match self {
            Self::Read => 5,
            Self::Write => 10,
        }
    }
}

/// How a vendor failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum FaultKind {
    /// It does not work: unreachable, silent, failing, or under maintenance.
    Down,
    /// It refuses access (401, 403).
    Denied,
}

impl FaultKind {
    /// The spelling in rows.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Why a circuit is open for it.
    pub const fn circuit_reason(self) -> Reason {
        match self {
            Self::Down => Reason::VendorDown,
            Self::Denied => Reason::CredentialsRefused,
        }
    }
}

/// A vendor's fault that an attempt has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which vendor.
    pub vendor: Vendor,
    /// In which kind of call.
    pub call: CallKind,
    /// How it failed.
    pub kind: FaultKind,
}
