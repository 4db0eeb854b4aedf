//! Why an address cannot be reached, by its cause: names, addresses, ports, TLS, time.

use std::{error::Error, io};

use reqwest::{Client, Response};

use crate::domain::failed_call::Unreached;

/// Asks for a URL without credentials: any answer at all means that it can be reached.
pub(super) async fn ask(client: &Client, url: &str) -> Result<Response, Unreached> {
    #[expect(
        clippy::disallowed_methods,
        reason = "no vendor's API is called: neither a rate limit nor a call log applies"
    )]
    let answer = client.get(url).send().await;
    answer.map_err(|error| classify(&error))
}

fn classify(error: &reqwest::Error) -> Unreached {
    let mut sources = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(source) = next {
        sources.push(source);
        next = source.source();
    }
    if let Some(tls) = sources.iter().find_map(|source| tls_error(*source)) {
        return Unreached::Tls(tls);
    }
    let texts: Vec<_> = sources.iter().map(ToString::to_string).collect();
    if texts.iter().any(|text| text.contains("no public address")) {
        return Unreached::PrivateAddress;
    }
    let is_lookup = |text: &String| text.contains("dns error") || text.contains("failed to lookup address");
    if texts.iter().any(is_lookup) {
        return Unreached::UnknownName;
    }
    let kinds =
        || sources.iter().filter_map(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
    if kinds().any(|kind| kind == io::ErrorKind::ConnectionRefused) {
        return Unreached::Refused;
    }
    if error.is_timeout() || kinds().any(|kind| kind == io::ErrorKind::TimedOut) {
        return Unreached::Timeout;
    }
    Unreached::Other(texts.last().cloned().unwrap_or_default())
}

/// The words of a TLS error, which I/O errors may hold, one in another.
fn tls_error(source: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = source.downcast_ref::<rustls::Error>() {
        return Some(match error {
            rustls::Error::InvalidMessage(_) => "the answer is not TLS".to_owned(),
            error => error.to_string(),
        });
    }
    tls_error(source.downcast_ref::<io::Error>()?.get_ref()?)
}
