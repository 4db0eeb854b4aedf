//! Who acts, and the audit entry of an action.

use serde_json::Value;
use sqlx::PgConnection;

use crate::{
    domain::Timestamp,
    runtime::clock::{Clock, Entropy},
    store::{
        StoreError,
        audit::{self, AuditRow},
    },
};

/// An operator: the name of an admin token, or `cli:ACCOUNT`.
pub struct Actor<'a> {
    /// The name in the audit trail.
    pub name: &'a str,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Ids.
    pub entropy: &'a Entropy,
}

impl Actor<'_> {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Writes the audit entry of an action.
    pub(super) async fn audit(
        &self,
        db: &mut PgConnection,
        action: &str,
        connection: Option<&str>,
        subject: Option<String>,
        detail: Value,
    ) -> Result<(), StoreError> {
        let at = self.now();
        let row = AuditRow {
            id: self.entropy.id(at),
            at,
            actor: self.name.to_owned(),
            action: action.to_owned(),
            connection: connection.map(ToOwned::to_owned),
            subject,
            detail,
        };
        audit::insert(db, &row).await
    }
}
