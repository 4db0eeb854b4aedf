//! Refuses what a switch of the connection rules out.

use sqlx::PgConnection;

use super::{ActionError, ConflictError};
use crate::{
    domain::{event::subject::SubjectKind, switch::Switch},
    store::connections,
};

/// Refuses where this kind is switched off, as the newest configuration says. An attempt checks the configuration of its own
/// process again.
pub(super) async fn require_switched_on(
    db: &mut PgConnection,
    connection: &str,
    kind: SubjectKind,
) -> Result<Switch, ActionError> {
    let row = connections::find(db, connection).await?.ok_or(ActionError::NotFound)?;
    match row.switches().of(kind) {
        Switch::Off => Err(ConflictError::switched_off(kind).into()),
        switch => Ok(switch),
    }
}
