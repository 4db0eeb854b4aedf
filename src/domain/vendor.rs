//! The two outside services.

use std::fmt;

/// One of the two vendors that Silta ties together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vendor {
    /// The web shop.
    MyCashflow,
    /// The warehouse.
    Ogoship,
}

impl Vendor {
    /// The word in labels, rows and URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MyCashflow => "mycashflow",
            Self::Ogoship => "ogoship",
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
