//! The section `[dashboard]`.

use chrono_tz::Tz;

use super::section::Section;

/// The time zone of the pages.
pub(super) fn read_dashboard(mut section: Section<'_>) -> Tz {
    let name = section.text("time_zone");
    let zone = name.parse().unwrap_or_else(|_| {
        section.add_error("time_zone", "must be a name of the IANA database, as Europe/Helsinki");
        Tz::UTC
    });
    section.finish();
    zone
}
