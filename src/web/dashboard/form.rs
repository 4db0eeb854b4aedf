//! The forms of operators: every change of the dashboard comes in as one, is executed in one transaction with its audit
//! entry, and ends with a redirect, so that reloading the page repeats nothing.

use axum::{
    extract::{FromRequest, Request},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{deps::DashboardState, error::PageError, user::User};
use crate::{
    actions::{ActionError, Actor},
    web::request_body,
};

/// The largest form: a thousand selected ids.
const FORM_LIMIT: usize = 128 << 10;

/// A form sent by an operator, from a page of their own session.
pub(super) struct OperatorForm {
    pub(super) user: User,
    fields: Vec<(String, String)>,
}

impl FromRequest<DashboardState> for OperatorForm {
    type Rejection = Response;

    async fn from_request(request: Request, deps: &DashboardState) -> Result<Self, Response> {
        use axum::extract::FromRequestParts;

        let (mut parts, body) = request.into_parts();
        let user = User::from_request_parts(&mut parts, deps).await?;
        let invalid = || PageError::InvalidForm.into_response();
        request_body::allow(&parts.extensions, FORM_LIMIT);
        let body = axum::body::to_bytes(body, FORM_LIMIT).await.map_err(|_| invalid())?;
        let request = Request::from_parts(parts, body.into());
        let is_foreign = is_cross_site(request.headers());
        let axum::Form(fields): axum::Form<Vec<(String, String)>> =
            axum::Form::from_request(request, &()).await.map_err(|_| invalid())?;
        if fields.iter().any(|(name, value)| [name, value].iter().any(|it| it.contains(char::is_control))) {
            return Err(invalid());
        }
        let form = Self { user, fields };
        if !form.user.is_operator() {
            return Err(PageError::Forbidden.into_response());
        }
        if is_foreign || form.field("csrf") != Some(&form.user.csrf) {
            return Err(invalid());
        }
        Ok(form)
    }
}

impl OperatorForm {
    /// The value of a field, unless it is empty.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The value of a required field.
    pub(super) fn require(&self, name: &str) -> Result<&str, PageError> {
        self.field(name).ok_or(PageError::InvalidForm)
    }

    /// The values of a field that may be there several times.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(key, _)| key == name).map(|(_, value)| value.trim()).collect()
    }

    /// The selected ids.
    pub(super) fn ids(&self) -> Result<Vec<Uuid>, PageError> {
        let values = self.fields.iter().filter(|(key, _)| key == "id");
        values.map(|(_, value)| value.parse().map_err(|_| PageError::InvalidForm)).collect()
    }

    /// Executes an action in one transaction.
    pub(super) async fn execute<T>(
        &self,
        deps: &DashboardState,
        action: impl AsyncFnOnce(&mut PgConnection, &Actor<'_>) -> Result<T, ActionError>,
    ) -> Result<T, PageError> {
        let actor = Actor { name: &self.user.token.name, clock: &*deps.clock, entropy: &deps.entropy };
        let mut db = deps.pool.begin().await?;
        let result = action(&mut db, &actor).await?;
        db.commit().await?;
        Ok(result)
    }
}

/// True if the browser says that another site sent the request.
pub(super) fn is_cross_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    site.is_some_and(|site| site != "same-origin" && site != "none")
}
