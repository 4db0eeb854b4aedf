//! The section `[log]`.

use super::section::Section;

/// The section `[log]`.
#[derive(Debug)]
pub struct Log {
    /// A filter such as that of `RUST_LOG`.
    pub filter: String,
    /// True for JSON lines instead of text.
    pub json: bool,
}

pub(super) fn read_log(mut section: Section<'_>) -> Log {
    let filter = section.text("filter");
    let json = section.choice("format", &[("text", false), ("json", true)]);
    section.finish();
    Log { filter, json }
}
