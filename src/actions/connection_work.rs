//! Tests a connection, registers its webhooks, and asks for the detection of a signature: what the pages of operators have in
//! common with `silta doctor` and `silta webhooks`.

use chrono::TimeDelta;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ActionError, Actor, ConflictError};
use crate::{
    domain::{connection_work::WorkKind, event::source::Source},
    store::{
        connection_work::{self, NewWork},
        connections::{self, ConnectionRow},
        signature_detections,
    },
};

/// How long a detection that is asked for from the page waits for a webhook.
const DETECTION_WAIT: TimeDelta = TimeDelta::minutes(10);

/// What the configuration of this process says of a connection's webhooks.
#[derive(Clone, Debug)]
pub struct WebhookSetup {
    /// The address that each vendor calls, without its token.
    pub addresses: [(Source, String); 2],
    /// The topics that are registered at each.
    pub topics: [Vec<String>; 2],
    /// Whether there is a public URL.
    pub has_public_url: bool,
    /// Whether a new subscription's key can be kept.
    pub keeps_keys: bool,
    /// Whether the shop's webhooks are signed; the warehouse's always are.
    pub is_shop_signed: bool,
}

/// Work that was asked for, and now is to be done.
#[derive(Clone, Debug)]
pub struct RequestedWork {
    /// Its connection.
    pub connection: String,
    /// What is done.
    pub kind: WorkKind,
    /// Its id.
    pub id: Uuid,
    /// Who asked.
    pub actor: String,
}

/// Asks vendors and tells them. `app` implements it: actions know no clients.
pub trait WorkRunner: Send + Sync {
    /// What is configured for a connection's webhooks; `None` where this process does not know the connection.
    fn webhook_setup(&self, connection: &str) -> Option<WebhookSetup>;

    /// Starts the work in the background. Its result is stored.
    fn start(&self, work: RequestedWork);
}

/// Why nothing can be registered now; `None` where it can. While the connection is paused or down it would be one more call to a
/// vendor that is not to be called.
pub fn registration_obstacle(row: &ConnectionRow, setup: &WebhookSetup) -> Option<ConflictError> {
    if row.paused_at.is_some() {
        return Some(ConflictError::ConnectionPaused);
    }
    if row.circuit_open_until.is_some() {
        return Some(ConflictError::ConnectionDown);
    }
    if !setup.has_public_url {
        return Some(ConflictError::NoPublicUrl);
    }
    if !setup.keeps_keys {
        return Some(ConflictError::NoSecretKey);
    }
    None
}

/// Asks for work. One of a kind runs at a time. Nothing is called before the caller has committed.
pub async fn request_work(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    (connection, kind): (&str, WorkKind),
    setup: Option<&WebhookSetup>,
) -> Result<RequestedWork, ActionError> {
    let row = connections::find(db, connection).await?.ok_or(ActionError::NotFound)?;
    let setup = setup.ok_or(ConflictError::NotConfiguredHere)?;
    // A test says itself what stands in its way.
    let obstacle = if kind == WorkKind::Register { registration_obstacle(&row, setup) } else { None };
    if let Some(obstacle) = obstacle {
        return Err(obstacle.into());
    }
    let at = actor.now();
    let id = actor.entropy.id(at);
    let new = NewWork { id, connection, kind, actor: actor.name, at };
    if !connection_work::begin(db, &new).await? {
        return Err(ConflictError::WorkRunning.into());
    }
    let action = match kind {
        WorkKind::Test => "connection.test",
        WorkKind::Register => "webhooks.register",
    };
    actor.audit(db, action, Some(connection), None, json!({ "work": id })).await?;
    Ok(RequestedWork { connection: connection.to_owned(), kind, id, actor: actor.name.to_owned() })
}

/// Asks for the detection of a sender's signature, of a webhook within ten minutes that a known key has signed. It stays rejected.
pub async fn request_detection(
    db: &mut PgConnection,
    actor: &Actor<'_>,
    (connection, sender): (&str, &str),
    setup: Option<&WebhookSetup>,
) -> Result<(), ActionError> {
    connections::find(db, connection).await?.ok_or(ActionError::NotFound)?;
    let setup = setup.ok_or(ConflictError::NotConfiguredHere)?;
    let senders = setup.addresses.iter().map(|(source, _)| *source);
    let source = senders.into_iter().find(|it| it.as_str() == sender).ok_or(ActionError::NotFound)?;
    if source == Source::MyCashflow && !setup.is_shop_signed {
        return Err(ConflictError::NotSigned.into());
    }
    let now = actor.now();
    if signature_detections::is_detecting(db, connection, source.as_str(), now).await? {
        return Err(ConflictError::WorkRunning.into());
    }
    let times = (now, now + DETECTION_WAIT);
    signature_detections::request_detection(db, connection, source.as_str(), actor.name, times).await?;
    let detail = json!({ "sender": source.as_str() });
    actor.audit(db, "webhooks.detect", Some(connection), None, detail).await?;
    Ok(())
}
