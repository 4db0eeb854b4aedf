//! The section `[outbound]`.

use reqwest::Url;

use super::section::Section;
use crate::vendors;

pub(super) fn read_outbound(mut section: Section<'_>) -> vendors::http::Options {
    let options = vendors::http::Options {
        timeout: section.duration("timeout"),
        allow_private: section.boolean("dangerously_allow_private"),
        proxy: read_proxy(&mut section),
    };
    section.finish();
    options
}

/// The proxy of all calls, if there is one.
fn read_proxy(section: &mut Section<'_>) -> Option<Url> {
    let text = section.secret("proxy").expose().to_owned();
    let url =
        Url::parse(&text).ok().filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    if url.is_none() && !text.is_empty() {
        section.add_error("proxy", "must be a URL, as http://proxy.example.fi:3128");
    }
    url
}
