//! Every change goes through here: one transaction for the action, its audit line and, with an `Idempotency-Key`, the
//! answer that a repeat of the request will get (as the IETF draft says: 409 while the first is running, 422 for
//! another request under the same key).

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgConnection;

use super::{
    ApiState,
    auth::{Operator, Token},
};
use crate::{
    actions::{ActionError, Actor},
    domain::{digest::sha256_hex, language::Language},
    explain,
    store::{
        StoreError,
        idempotency::{self, KeyStatus},
    },
    web::problem::{Code, Problem},
};

/// The largest body of an admin request.
const BODY_LIMIT: usize = 64 << 10;

/// A change that an operator asks for.
pub(super) struct Change {
    operator: Operator,
    key: Option<String>,
    request_hash: String,
    body: Bytes,
}

impl FromRequest<ApiState> for Change {
    type Rejection = Problem;

    async fn from_request(request: Request, admin: &ApiState) -> Result<Self, Problem> {
        use axum::extract::FromRequestParts;

        let (mut parts, body) = request.into_parts();
        let operator = Operator::from_request_parts(&mut parts, admin).await?;
        let body = axum::body::to_bytes(body, BODY_LIMIT).await.map_err(|_| Problem::from(Code::TooLarge))?;
        let key = idempotency_key(&parts.headers)?;
        let request_hash = hash_request(&parts.method, &parts.uri, &body);
        Ok(Self { operator, key, request_hash, body })
    }
}

impl Change {
    /// The request's JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let code = if error.is_data() { Code::Invalid } else { Code::NotJson };
            Problem::new(code, error.to_string())
        })
    }

    /// The request's JSON, where an empty body says nothing.
    pub(super) fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }

    /// Carries the change out, or answers what it was answered before. A refusal changes nothing and keeps no key.
    pub(super) async fn execute(
        self,
        admin: &ApiState,
        action: impl AsyncFnOnce(&mut PgConnection, &Actor<'_>) -> Result<(StatusCode, Value), ActionError>,
    ) -> Result<Response, Problem> {
        let Self { operator: Operator(token), key, request_hash, body: _ } = self;
        let actor = Actor { name: &token.name, clock: &*admin.clock, entropy: &admin.entropy };
        let mut db = admin.pool.begin().await.map_err(StoreError::from)?;
        let answer = run_once_per_key(&mut db, admin, &token, key.as_deref(), &request_hash, async |db| {
            action(db, &actor).await
        });
        match answer.await {
            Ok(answer) => {
                db.commit().await.map_err(StoreError::from)?;
                Ok(answer.into_response())
            }
            // Said and not only dropped: whoever asks again at once must find the key free.
            Err(problem) => {
                let _ = db.rollback().await;
                Err(problem)
            }
        }
    }
}

/// The action under its key: done and its answer kept, or the answer that it was given before.
async fn run_once_per_key(
    db: &mut PgConnection,
    admin: &ApiState,
    token: &Token,
    key: Option<&str>,
    request_hash: &str,
    action: impl AsyncFnOnce(&mut PgConnection) -> Result<(StatusCode, Value), ActionError>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Some(key) = key else {
        let (status, answer) = action(db).await?;
        return Ok((status, Json(answer)));
    };
    match idempotency::reserve(db, &token.name, key, request_hash, admin.clock.now()).await? {
        KeyStatus::Reserved => {}
        KeyStatus::Running => return Err(Code::KeyInUse.into()),
        KeyStatus::OtherRequest => return Err(Code::KeyReused.into()),
        KeyStatus::Answered(status, body) => {
            return Ok((StatusCode::from_u16(status).unwrap_or(StatusCode::OK), Json(body)));
        }
    }
    let (status, answer) = action(db).await?;
    idempotency::record_answer(db, &token.name, key, status.as_u16(), &answer).await?;
    Ok((status, Json(answer)))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    // The draft says a structured-header string, in quotes; most callers leave them out.
    let key = value.to_str().unwrap_or_default().trim().trim_matches('"');
    if key.is_empty() || key.len() > 255 {
        return Err(Problem::new(Code::Invalid, "Idempotency-Key must have 1 to 255 visible characters"));
    }
    Ok(Some(key.to_owned()))
}

fn hash_request(method: &Method, uri: &Uri, body: &[u8]) -> String {
    let mut request = format!("{method} {uri}\n").into_bytes();
    request.extend_from_slice(body);
    sha256_hex(&request)
}

impl From<ActionError> for Problem {
    fn from(declined: ActionError) -> Self {
        match declined {
            ActionError::NotFound => Code::NotFound.into(),
            ActionError::Conflict(conflict) => {
                Self::new(Code::Conflict, explain::conflict_text(conflict, Language::English))
            }
            ActionError::Store(error) => error.into(),
        }
    }
}
