//! How errors of the store and of actions become problems.

use crate::{
    actions::ActionError,
    store::StoreError,
    web::problem::{Code, Problem},
};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_unstorable_text() {
            return Self::new(Code::Invalid, "a text contains a zero byte");
        }
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(error = %error, cause, "admin request failed");
        match error {
            StoreError::Unavailable(_) => Code::Unavailable.into(),
            StoreError::Rejected(_) | StoreError::Inconsistent { .. } => Code::Internal.into(),
        }
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::NotFound => Code::NotFound.into(),
            ActionError::Conflict(conflict) => Self::new(Code::Conflict, conflict.description()),
            ActionError::ImpossibleStart => Self::new(Code::Invalid, error.to_string()),
            ActionError::Store(error) => error.into(),
        }
    }
}
