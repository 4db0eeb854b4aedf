//! Registers the prefixes of the connections' references: none is shared within a merchant, and none is forgotten.

use std::collections::HashMap;

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
    reference_prefixes::register(db, &all.iter().flat_map(new_prefixes).collect::<Vec<_>>(), now).await?;
    let merchants: Vec<_> = all.iter().flat_map(|it| it.merchants.clone()).collect();
    let mut by_merchant: HashMap<_, Vec<_>> = HashMap::new();
    for known in reference_prefixes::list(db, &merchants).await? {
        by_merchant.entry(known.merchant.clone()).or_default().push(known);
    }
    for ConnectionReferences { connection, merchants, references, replaced } in all {
        let prefix = references.current();
        let mut former = Vec::new();
        for merchant in merchants {
            for known in by_merchant.get(merchant).into_iter().flatten().cloned() {
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

/// A connection's prefix under each name of its merchant, with the connection whose place it has taken.
fn new_prefixes(of: &ConnectionReferences) -> impl Iterator<Item = (OwnedPrefix, &str)> {
    of.merchants.iter().map(|merchant| {
        let (prefix, connection) = (of.references.current().to_owned(), of.connection.clone());
        (OwnedPrefix { merchant: merchant.clone(), prefix, connection }, &*of.replaced)
    })
}
