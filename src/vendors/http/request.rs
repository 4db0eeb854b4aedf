//! The request of a call.

use super::call::{Body, Call};

/// The request of a call; `None` where it cannot be built, or where its path would become another one: a segment `..`,
/// however it is encoded, would lead out of its list.
pub(super) fn build(client: &reqwest::Client, base: &str, call: Call) -> Option<reqwest::Request> {
    let Call { name: _, method, path, query, headers, body } = call;
    let mut request = client.request(method, format!("{base}{path}")).headers(headers);
    if !query.is_empty() {
        request = request.query(&query);
    }
    request = match body {
        Body::Empty => request,
        Body::Json(json) => request.json(&json),
        Body::Form(form) => request.form(&form),
    };
    let has_empty_segment = path.split('/').skip(1).any(str::is_empty);
    request.build().ok().filter(|request| !has_empty_segment && request.url().path().ends_with(&path))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::{Method, header::HeaderMap};

    use super::*;
    use crate::vendors::http::{Options, build_client};

    /// A code can be anything. Encoded or not, a segment of dots would lead out of its list.
    #[test]
    fn path_that_would_become_another_is_not_called() {
        let client =
            build_client(&Options { timeout: Duration::from_secs(1), allow_private: false, proxy: None });
        let build = |path: &str| {
            let (method, headers, body) = (Method::PUT, HeaderMap::new(), Body::Empty);
            let call = Call { name: "x", method, path: path.to_owned(), query: Vec::new(), headers, body };
            build(&client, "https://shop.example/base", call).map(|request| request.url().to_string())
        };
        for path in ["/api/stock/A%2F..%2FB", "/api/stock/...", "/api/stock/%C3%A4"] {
            assert_eq!(build(path), Some(format!("https://shop.example/base{path}")));
        }
        for path in [
            "/api/stock/..",
            "/api/stock/.",
            "/api/stock/%2e%2E",
            "/api/stock/.%2e",
            "/api/stock/../orders",
            "/api/stock/",
            "/api/stock//complete",
            "/api/stock/A?x",
            "/api/stock/A#x",
            "/api/stock/A\\..",
        ] {
            assert_eq!(build(path), None, "{path}");
        }
    }
}
