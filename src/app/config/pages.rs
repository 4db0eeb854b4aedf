//! The section `[connections.pages]`, and what else only pages use.

use std::time::Duration;

use reqwest::Url;

use super::section::Section;
use crate::domain::vendor_pages::{PLACE, VendorPages};

/// The longest time that may be given to take something back: an order must not wait for it.
const LONGEST_UNDO: Duration = Duration::from_secs(600);

/// `orders.undo`
pub(super) fn read_undo(section: &mut Section<'_>) -> Duration {
    let undo = section.duration("undo");
    if undo > LONGEST_UNDO {
        section.add_error("undo", "must be at most 10m: an order waits so long for nothing else");
    }
    undo
}

/// The vendors' own pages. One that is not given is not shown.
pub(super) fn read_pages(mut section: Section<'_>) -> VendorPages {
    let pages = VendorPages {
        shop_order: read_address(&mut section, "shop_order", true),
        warehouse_order: read_address(&mut section, "warehouse_order", true),
        calculator: read_address(&mut section, "calculator", false),
    };
    section.finish();
    pages
}

/// An https address that a browser may be sent to, with the place of the order where it needs one.
fn read_address(section: &mut Section<'_>, key: &str, needs_place: bool) -> Option<String> {
    let text = section.text(key);
    if text.is_empty() {
        return None;
    }
    let url = Url::parse(&text.replace(PLACE, "1")).ok();
    let is_usable = url.is_some_and(|url| {
        url.scheme() == "https" && url.has_host() && url.username().is_empty() && url.password().is_none()
    });
    // The order never decides which host it is.
    let host_end = text.get(8..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(text.len(), |at| at + 8);
    let has_place_in_host = text.get(..host_end).is_some_and(|start| start.contains(PLACE));
    if !is_usable || has_place_in_host || text.contains(char::is_control) {
        section.add_error(key, "must be an https address");
        return None;
    }
    if needs_place && !text.contains(PLACE) {
        section.add_error(key, "must have {id}, which stands for the order");
        return None;
    }
    Some(text)
}
