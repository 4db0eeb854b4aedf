//! Registers the prefixes of the connections' references: none is shared within a merchant, and none is forgotten.

use std::collections::HashMap;

use sqlx::PgConnection;

use crate::{
    domain::{
        Timestamp,
        event::reference::{PrefixIndex, ReferencePrefixes},
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
    let mut by_merchant: HashMap<_, Merchant> = HashMap::new();
    for known in reference_prefixes::list(db, &merchants).await? {
        by_merchant.entry(known.merchant.clone()).or_default().add(known);
    }
    for of in all {
        let known = || of.merchants.iter().filter_map(|merchant| by_merchant.get(merchant));
        if let Some(taken) = known().find_map(|merchant| merchant.find_taken(of)) {
            return Err(PrepareError::PrefixTaken {
                connection: of.connection.clone(),
                prefix: of.references.current().to_owned(),
                owner: taken.connection.clone(),
                taken: taken.prefix.clone(),
            });
        }
        of.references.set_former(known().flat_map(|merchant| merchant.former(of)).collect());
    }
    Ok(())
}

/// What is known of the prefixes of a merchant's connections.
#[derive(Default)]
struct Merchant {
    prefixes: PrefixIndex<OwnedPrefix>,
    by_connection: HashMap<String, Vec<String>>,
}

impl Merchant {
    fn add(&mut self, known: OwnedPrefix) {
        self.by_connection.entry(known.connection.clone()).or_default().push(known.prefix.clone());
        self.prefixes.insert(&known.prefix.clone(), known);
    }

    /// A prefix of another connection that may collide with this one's, unless this one has taken its place.
    fn find_taken(&self, of: &ConnectionReferences) -> Option<&OwnedPrefix> {
        let mut colliding = self.prefixes.colliding(of.references.current()).into_iter();
        colliding.find(|known| known.connection != of.connection && known.connection != of.replaced)
    }

    /// The prefixes that a connection had before.
    fn former(&self, of: &ConnectionReferences) -> Vec<String> {
        let all = self.by_connection.get(&of.connection).into_iter().flatten();
        all.filter(|prefix| *prefix != of.references.current()).cloned().collect()
    }
}

/// A connection's prefix under each name of its merchant, with the connection whose place it has taken.
fn new_prefixes(of: &ConnectionReferences) -> impl Iterator<Item = (OwnedPrefix, &str)> {
    of.merchants.iter().map(|merchant| {
        let (prefix, connection) = (of.references.current().to_owned(), of.connection.clone());
        (OwnedPrefix { merchant: merchant.clone(), prefix, connection }, &*of.replaced)
    })
}
