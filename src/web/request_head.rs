//! What a request's head must be for any handler: HTTP/1.0 or 1.1, with one valid `Host`.
//!
//! hyper does not ask for `Host`, and closes a connection that begins with the preface of HTTP/2 without a word.
//! [`H2Preface`] lets it parse that preface as a request of HTTP/1.0, which [`check`] answers 505.

use axum::http::{HeaderMap, Request, Version, header, uri::Authority};

use super::problem::{Code, Problem};

/// The method of the preface `PRI * HTTP/2.0`. No other request has it.
const PREFACE_METHOD: &str = "PRI";

/// The preface up to its version, which follows.
const PREFACE: &[u8] = b"PRI * HTTP/";

/// Checks the head of a request.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), Problem> {
    if request.method() == PREFACE_METHOD {
        return Err(Code::HttpVersion.into());
    }
    if has_valid_host(request.version(), request.headers()) {
        return Ok(());
    }
    Err(Problem::new(Code::Invalid, "a request of HTTP/1.1 has one Host header, which names a host"))
}

/// RFC 9112, 3.2: one `Host` in a request of HTTP/1.1, at most one in one of HTTP/1.0, and nothing but a host in it.
fn has_valid_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version == Version::HTTP_10,
        // Empty where the target has no authority.
        (Some(host), None) => host.is_empty() || is_authority(host.as_bytes()),
        (Some(_), Some(_)) => false,
    }
}

fn is_authority(host: &[u8]) -> bool {
    Authority::try_from(host).is_ok_and(|authority| !authority.as_str().contains('@'))
}

/// Finds the preface of HTTP/2 at the begin of a connection, in however small pieces it comes.
///
/// Holds how many bytes of it have come; `None` once it was found, or another byte has come.
pub(super) struct H2Preface(Option<usize>);

impl Default for H2Preface {
    fn default() -> Self {
        Self(Some(0))
    }
}

impl H2Preface {
    /// Looks at bytes that were read, and makes the version of a preface 1.0.
    pub(super) fn rewrite(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            let Some(matched) = self.0 else { return };
            let expected = PREFACE.get(matched);
            if expected.is_none() && *byte == b'2' {
                *byte = b'1';
            }
            self.0 = expected.filter(|expected| **expected == *byte).map(|_| matched + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<u8> {
        let mut preface = H2Preface::default();
        let mut pieces: Vec<_> = pieces.iter().map(|piece| piece.to_vec()).collect();
        for piece in &mut pieces {
            preface.rewrite(piece);
        }
        pieces.concat()
    }

    #[test]
    fn preface_is_found_at_the_begin_alone_and_in_any_pieces() {
        let rewritten = b"PRI * HTTP/1.0\r\n\r\nSM\r\n\r\n".to_vec();
        assert_eq!(read(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]), rewritten);
        assert_eq!(read(&[b"PR", b"I * HTTP/", b"2.0\r\n\r\nSM\r\n\r\n"]), rewritten);
        for other in ["GET / HTTP/1.1\r\n\r\nPRI * HTTP/2.0", "PRI * HTTP/3.0", "PRI", "xPRI * HTTP/2.0"] {
            assert_eq!(read(&[other.as_bytes()]), other.as_bytes());
        }
    }

    #[test]
    fn host_is_one_and_names_a_host() {
        let valid = |version, hosts: &[&'static str]| {
            let hosts = hosts.iter().map(|host| (header::HOST, host.parse().expect("a value")));
            let mut headers = HeaderMap::new();
            for (name, host) in hosts {
                headers.append(name, host);
            }
            has_valid_host(version, &headers)
        };
        for host in ["silta.test", "silta.test:8080", "[::1]:80", "127.0.0.1", ""] {
            assert!(valid(Version::HTTP_11, &[host]), "{host}");
        }
        for host in ["a b", "user@silta.test", "silta.test/path"] {
            assert!(!valid(Version::HTTP_11, &[host]), "{host}");
        }
        assert!(!valid(Version::HTTP_11, &[]) && valid(Version::HTTP_10, &[]));
        assert!(!valid(Version::HTTP_11, &["a", "a"]) && !valid(Version::HTTP_10, &["a", "a"]));
    }
}
