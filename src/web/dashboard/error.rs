//! Errors of pages: every handler answers a [`PageError`], which `response` renders in the reader's language.

use std::sync::Arc;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{
    actions::{ActionError, ConflictError},
    store::StoreError,
};

/// Why a page is not shown or an action is not carried out.
#[derive(Clone, Debug)]
pub(super) enum PageError {
    /// Unknown path or id.
    NotFound,
    /// The token's role is viewer.
    Forbidden,
    /// The form comes from another session or site, or lacks a field.
    InvalidForm,
    /// The state of the subject does not allow the action.
    Conflict(ConflictError),
    /// The database failed, or what was asked for did not end; with the cause where it is known.
    Failed(Option<Arc<StoreError>>),
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        if error.is_unstorable_text() {
            return Self::NotFound;
        }
        Self::Failed(Some(Arc::new(error)))
    }
}

impl From<sqlx::Error> for PageError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<ActionError> for PageError {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::NotFound => Self::NotFound,
            ActionError::Conflict(conflict) => Self::Conflict(conflict),
            ActionError::ImpossibleStart => Self::InvalidForm,
            ActionError::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for PageError {
    /// Answers a bare status with the error as an extension: the `finish` middleware knows the reader's language and
    /// renders the page.
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::InvalidForm => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
