//! Records that spoil every page of a list that holds them.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// How a record spoils a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// 500.
    Failed,
    /// 200 without a body, as PHP answers what it cannot encode.
    Empty,
    /// 200 with a list of no rows that says how many it has.
    NoRows,
    /// 200 with half of an answer.
    CutOff,
    /// 200 with bytes that are no UTF-8 in the record.
    BadUtf8,
    /// 200 with half of a surrogate pair in the record.
    HalfSurrogate,
}

impl Poison {
    /// What becomes of a page that holds the record.
    pub(super) fn spoil(self, mut page: serde_json::Value, has_meta: bool) -> Response {
        let json = page.to_string();
        let body = match self {
            Self::Failed => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Self::Empty => Vec::new(),
            Self::NoRows if has_meta => {
                page["data"] = serde_json::json!([]);
                page["meta"]["next"] = serde_json::Value::Null;
                page.to_string().into_bytes()
            }
            Self::NoRows => b"{}".to_vec(),
            Self::CutOff => json.as_bytes()[..json.len() / 2].to_vec(),
            Self::BadUtf8 => Self::inside(&json, b"\xff\xe4"),
            Self::HalfSurrogate => Self::inside(&json, b"\\ud83d"),
        };
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    /// The answer with bytes inside the text of its first record.
    fn inside(json: &str, bytes: &[u8]) -> Vec<u8> {
        let at = json.find("\"poison\":\"").map_or(json.len(), |at| at + "\"poison\":\"".len());
        [&json.as_bytes()[..at], bytes, &json.as_bytes()[at..]].concat()
    }
}
