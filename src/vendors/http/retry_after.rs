//! What an answer says of time: when the vendor sent it, and when to ask again.

use std::time::Duration;

use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, HeaderName, RETRY_AFTER},
};

use crate::domain::Timestamp;

/// When the vendor sent an answer, by its clock.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    header(headers, &DATE).and_then(parse_date)
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn parse_date(text: &str) -> Option<Timestamp> {
    chrono::DateTime::parse_from_rfc2822(text).ok().map(Into::into)
}

/// The longest `Retry-After` that is believed; longer ones are cut. What follows has smaller bounds of its own.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);

/// The `Retry-After` header, in seconds or as a date (RFC 9110 §10.2.3). Read on 429 and 503 only. `now` is the
/// vendor's own clock where it sent one: a date says nothing beside another clock.
pub(super) fn retry_after(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let is_backpressure = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
    let text = header(headers, &RETRY_AFTER).filter(|_| is_backpressure)?;
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds
            .is_finite()
            .then(|| Duration::from_secs_f64(seconds.clamp(0.0, MAX_RETRY_AFTER.as_secs_f64())));
    }
    let wait = (parse_date(text)? - now).to_std().unwrap_or_default();
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn retry_after_is_parsed_as_seconds_or_date_on_429_and_503() {
        let now = Timestamp::from_timestamp(784_111_700, 0).expect("a time");
        let read = |status, value: &str| {
            let value = HeaderValue::from_str(value).expect("a header");
            retry_after(status, &HeaderMap::from_iter([(RETRY_AFTER, value)]), now)
        };
        let busy = StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(read(busy, " 7 "), Some(Duration::from_secs(7)));
        assert_eq!(read(busy, "Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(77)));
        assert_eq!(
            read(StatusCode::SERVICE_UNAVAILABLE, "Sun, 06 Nov 1994 08:00:00 GMT"),
            Some(Duration::ZERO)
        );
        assert_eq!(read(busy, "soon"), None);
        assert_eq!(read(StatusCode::OK, "7"), None);
        assert_eq!(read(busy, "-5"), Some(Duration::ZERO));
        assert_eq!(read(busy, "1.5"), Some(Duration::from_millis(1500)));
        for absurd in ["99999999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(read(busy, absurd), Some(MAX_RETRY_AFTER), "{absurd}");
        }
        assert_eq!([read(busy, "inf"), read(busy, "NaN")], [None, None]);
    }
}
