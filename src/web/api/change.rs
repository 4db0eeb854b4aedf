//! Every change through the API: one transaction for the action, its audit entry and, with an `Idempotency-Key`, the
//! response that a repeat of the request gets. As the IETF draft says, a repeat is answered 409 while the first request
//! runs, and another request under the same key 422.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgConnection;

use super::{auth::Operator, deps::ApiState};
use crate::{
    actions::{ActionError, Actor},
    domain::{Timestamp, digest::sha256_hex},
    store::{
        StoreError,
        idempotency::{self, KeyStatus},
    },
    web::{
        parameters::{NO_CONTROL_CHARACTERS, json_has_control_characters},
        problem::{Code, Problem},
        request_body,
    },
};

/// The largest body of an admin request.
const BODY_LIMIT: usize = 64 << 10;

/// A request of an operator that changes something.
pub(super) struct Change {
    operator: Operator,
    key: Option<String>,
    request_hash: String,
    body: Bytes,
}

impl FromRequest<ApiState> for Change {
    type Rejection = Problem;

    async fn from_request(request: Request, deps: &ApiState) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let operator = Operator::from_request_parts(&mut parts, deps).await?;
        request_body::allow(&parts.extensions, BODY_LIMIT);
        // Why it was not read to its end, the layer of all bodies says.
        let body = axum::body::to_bytes(body, BODY_LIMIT).await.map_err(|_| Problem::from(Code::TooLarge))?;
        let key = idempotency_key(&parts.headers)?;
        let request_hash = hash_request(&parts.method, &parts.uri, &body);
        Ok(Self { operator, key, request_hash, body })
    }
}

impl Change {
    /// The body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let json = serde_json::from_slice::<Value>(&self.body);
        if json.is_ok_and(|json| json_has_control_characters(&json)) {
            return Err(Problem::new(Code::Invalid, NO_CONTROL_CHARACTERS));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let code = if error.is_data() { Code::Invalid } else { Code::NotJson };
            Problem::new(code, error.to_string())
        })
    }

    /// The body as JSON; the default if it is empty.
    pub(super) fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }

    /// Executes the action, or repeats the recorded response. A rejected action changes nothing and frees its key.
    pub(super) async fn execute(
        self,
        deps: &ApiState,
        action: impl AsyncFnOnce(&mut PgConnection, &Actor<'_>) -> Result<(StatusCode, Value), ActionError>,
    ) -> Result<Response, Problem> {
        let Self { operator: Operator(token), key, request_hash, body: _ } = self;
        let actor = Actor { name: &token.name, clock: &*deps.clock, entropy: &deps.entropy };
        let mut db = deps.pool.begin().await.map_err(StoreError::from)?;
        let action = async |db: &mut PgConnection| action(db, &actor).await;
        let response = match key {
            Some(key) => {
                let request = KeyedRequest { token: &token.name, key: &key, hash: &request_hash };
                request.execute(&mut db, deps.clock.now(), action).await
            }
            None => action(&mut db).await.map_err(Problem::from),
        };
        match response {
            Ok((status, body)) => {
                db.commit().await.map_err(StoreError::from)?;
                Ok((status, Json(body)).into_response())
            }
            // Rolled back here and not only dropped: an immediate repeat must find the key free.
            Err(problem) => {
                let _ = db.rollback().await;
                Err(problem)
            }
        }
    }
}

/// A request under an `Idempotency-Key`.
struct KeyedRequest<'a> {
    token: &'a str,
    key: &'a str,
    hash: &'a str,
}

impl KeyedRequest<'_> {
    /// Executes the action and records its response, or returns the recorded one.
    async fn execute(
        &self,
        db: &mut PgConnection,
        now: Timestamp,
        action: impl AsyncFnOnce(&mut PgConnection) -> Result<(StatusCode, Value), ActionError>,
    ) -> Result<(StatusCode, Value), Problem> {
        let Self { token, key, hash } = self;
        match idempotency::reserve(db, token, key, hash, now).await? {
            KeyStatus::Reserved => {}
            KeyStatus::Running => return Err(Code::KeyInUse.into()),
            KeyStatus::OtherRequest => return Err(Code::KeyReused.into()),
            KeyStatus::Answered(status, body) => {
                return Ok((StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body));
            }
        }
        let (status, body) = action(db).await?;
        idempotency::record_answer(db, token, key, status.as_u16(), &body).await?;
        Ok((status, body))
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().unwrap_or_default().trim();
    // The draft asks for a quoted structured-header string; most clients send no quotes.
    let key = key.strip_prefix('"').unwrap_or(key);
    let key = key.strip_suffix('"').unwrap_or(key);
    if key.is_empty() || key.len() > 255 || !key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"') {
        return Err(Problem::new(Code::Invalid, "Idempotency-Key must have 1 to 255 visible characters"));
    }
    Ok(Some(key.to_owned()))
}

fn hash_request(method: &Method, uri: &Uri, body: &[u8]) -> String {
    let mut request = format!("{method} {uri}\n").into_bytes();
    request.extend_from_slice(body);
    sha256_hex(&request)
}
