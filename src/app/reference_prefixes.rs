//! Registers the prefixes of the connections' references: none is shared within a merchant, and none is forgotten.

use sqlx::PgConnection;

use crate::{
    domain::{
        Timestamp,
        event::reference::{ReferencePrefixes, may_collide},
    },
    store::{
        StoreError,
        reference_prefixes::{self, OwnedPrefix},
    },
};

/// Why the service cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Two connections of one merchant would give different orders the same reference.
    #[error(
        "connections.{connection}.orders.reference_prefix = {prefix:?} may give orders the references of connection \
         {owner}, which has or had {taken:?} at the same merchant: choose another prefix, or, if this connection has taken the place of \
         that one, set replaces = {owner:?}"
    )]
    PrefixTaken {
        /// The connection that wants it.
        connection: String,
        /// Its prefix.
        prefix: String,
        /// The connection that has one like it.
        owner: String,
        /// That one.
        taken: String,
    },
}

/// The references of a connection, and whose they are.
#[derive(Clone, Debug)]
pub(super) struct ConnectionReferences {
    pub(super) connection: String,
    /// Digests of the merchant's names at the warehouse.
    pub(super) merchants: Vec<String>,
    pub(super) references: ReferencePrefixes,
    /// The connection whose place this one has taken; empty for none.
    pub(super) replaced: String,
}

/// Registers every connection's prefix, and loads those that it had before.
pub(super) async fn register(
    db: &mut PgConnection,
    all: &[ConnectionReferences],
    now: Timestamp,
) -> Result<(), PrepareError> {
    for ConnectionReferences { connection, merchants, references, replaced } in all {
        let prefix = references.current();
        let owned = OwnedPrefix { prefix: prefix.to_owned(), connection: connection.clone() };
        let mut former = Vec::new();
        for merchant in merchants {
            reference_prefixes::register(db, merchant, &owned, replaced, now).await?;
            for known in reference_prefixes::list(db, merchant).await? {
                let is_own = known.connection == *connection;
                if is_own && known.prefix != prefix {
                    former.push(known.prefix);
                } else if !is_own && known.connection != *replaced && may_collide(&known.prefix, prefix) {
                    return Err(PrepareError::PrefixTaken {
                        connection: connection.clone(),
                        prefix: prefix.to_owned(),
                        owner: known.connection,
                        taken: known.prefix,
                    });
                }
            }
        }
        references.set_former(former);
    }
    Ok(())
}
