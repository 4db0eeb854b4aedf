//! The fake warehouse's authentication: access tokens by OAuth, or an API key.

use std::collections::HashMap;

use axum::{
    Form, Json,
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::Duration;
use serde_json::json;

use super::{credentials, warehouse::Warehouse, warehouse_response::refuse};

/// How long an access token lives.
const ACCESS_LIFE: Duration = Duration::minutes(90);

/// 401 without a valid token or key.
pub(super) async fn authenticate(
    State(warehouse): State<Warehouse>,
    request: Request,
    next: Next,
) -> Response {
    if is_authentic(&warehouse, &request) {
        return next.run(request).await;
    }
    refuse(StatusCode::UNAUTHORIZED, "not authorized")
}

fn is_authentic(warehouse: &Warehouse, request: &Request) -> bool {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let token = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let now = warehouse.now();
    let known = |token: &str| warehouse.state().access_tokens.get(token).is_some_and(|ends| *ends > now);
    header("x-ogokey") == Some(credentials::API_KEY_OGOSHIP) || token.is_some_and(known)
}

/// Grants an access token. Takes a form only; a refresh token works once.
pub(super) async fn grant(
    State(warehouse): State<Warehouse>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let field = |key: &str| form.get(key).map_or("", String::as_str);
    if (field("client_id"), field("client_secret")) != (credentials::CLIENT_ID, credentials::CLIENT_SECRET) {
        return refuse(StatusCode::BAD_REQUEST, "invalid_client");
    }
    let now = warehouse.now();
    let [access, refresh] = ["access", "refresh"].map(|kind| format!("{kind}-{}", warehouse.entropy.fence()));
    let mut state = warehouse.state();
    match field("grant_type") {
        "password"
            if (field("username"), field("password"))
                == (credentials::MERCHANT_ID, credentials::SECRET_TOKEN) =>
        {
            state.grants.0 += 1;
        }
        "refresh_token" => {
            let Some(at) = state.refresh_tokens.iter().position(|token| token == field("refresh_token"))
            else {
                return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
            };
            state.refresh_tokens.remove(at);
            state.grants.1 += 1;
        }
        _ => return refuse(StatusCode::BAD_REQUEST, "invalid_grant"),
    }
    let lifetime = state.token_lifetime.unwrap_or(ACCESS_LIFE);
    let stated = state.stated_lifetime.clone().unwrap_or_else(|| json!(lifetime.num_seconds()));
    state.access_tokens.insert(access.clone(), now + lifetime);
    state.refresh_tokens.push(refresh.clone());
    let body = json!({
        "access_token": access, "token_type": "bearer", "refresh_token": refresh,
        "expires_in": stated,
    });
    Json(body).into_response()
}
