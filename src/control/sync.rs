//! A sync: a person asks for a full comparison of both sides.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Actor, Declined};
use crate::{
    domain::Timestamp,
    store::{
        connections,
        syncs::{self, NewSync},
    },
};

/// Asks for a comparison; answers its id, and whether it is a new one: of each kind one runs at a time.
pub async fn request_sync(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    connection: &str,
    what: &str,
    dry_run: bool,
    since: Option<Timestamp>,
) -> Result<(Uuid, bool), Declined> {
    let row = connections::find(db, connection).await?.ok_or(Declined::NotFound)?;
    let at = actor.now();
    let since = since.unwrap_or_else(|| syncs::usual_since(row.created_at, at));
    let new = NewSync { id: actor.entropy.id(at), connection, what, dry_run, actor: actor.name, since, at };
    let (id, opened) = syncs::request(db, &new).await?;
    if opened {
        let detail = json!({ "sync": id, "dry_run": dry_run, "since": since });
        actor.audit(db, "sync.request", Some(connection), Some(what.to_owned()), detail).await?;
    }
    Ok((id, opened))
}
