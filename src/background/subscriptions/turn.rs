//! One registration of a connection's webhooks at a time: of the page's button, the command line and the hourly check.
//! Two at once would both find the same subscription missing, and make it twice.

use serde_json::json;
use uuid::Uuid;

use super::{CreatedSubscription, Subscriber, SubscriptionError, Subscriptions};
use crate::{
    domain::{
        check::{Check, CheckName, Found},
        connection_work::WorkKind,
    },
    store::{
        self,
        connection_work::{self, NewWork},
    },
};

/// What a registration has changed.
#[derive(Debug, Default)]
pub struct Registration {
    /// The subscriptions that it made.
    pub created: Vec<CreatedSubscription>,
    /// How many it removed that called the path of a former webhook token.
    pub removed: usize,
}

impl Registration {
    /// As the page shows it.
    fn check(&self) -> Check {
        let created = self.created.iter().map(|it| (it.source.to_owned(), it.topic.clone())).collect();
        Check::good(CheckName::Webhooks, Found::Registered { created, removed: self.removed })
    }
}

/// A registration that was begun: no other one of the connection runs until it has ended.
pub(super) struct Turn<'a> {
    connection: &'a str,
    id: Uuid,
}

impl Subscriptions {
    /// Registers what is missing, and removes what calls the path of a former webhook token. Refused while another registration
    /// of the connection runs.
    pub async fn register_in_turn(
        &self,
        subscriber: &Subscriber,
        rotate: bool,
        actor: &str,
    ) -> Result<Registration, SubscriptionError> {
        let turn = self.begin(subscriber, actor).await?.ok_or(SubscriptionError::Running)?;
        let done = self.register_and_replace(subscriber, rotate, actor).await;
        self.end(turn, done.as_ref().ok()).await;
        done
    }

    /// The same within a turn.
    pub(super) async fn register_and_replace(
        &self,
        subscriber: &Subscriber,
        rotate: bool,
        actor: &str,
    ) -> Result<Registration, SubscriptionError> {
        let created = self.register(subscriber, rotate, actor).await?;
        let removed = self.remove_outdated(subscriber).await?;
        Ok(Registration { created, removed })
    }

    /// Begins a registration; `None` while another one runs.
    pub(super) async fn begin<'a>(
        &self,
        subscriber: &'a Subscriber,
        actor: &str,
    ) -> store::Result<Option<Turn<'a>>> {
        let (connection, at) = (subscriber.clients.name.as_str(), self.clock.now());
        let id = self.entropy.id(at);
        let new = NewWork { id, connection, kind: WorkKind::Register, actor, at };
        let mut db = self.pool.acquire().await?;
        Ok(connection_work::begin(&mut db, &new).await?.then_some(Turn { connection, id }))
    }

    /// Ends it with what it has changed; without that, nothing is kept of it. What was registered counts, so a failure here is
    /// no failure of the registration: another one can begin once its time is over.
    pub(super) async fn end(&self, turn: Turn<'_>, done: Option<&Registration>) {
        let key = (turn.connection, WorkKind::Register, turn.id);
        let ended = async {
            let mut db = self.pool.acquire().await?;
            match done {
                Some(done) => {
                    let checks = json!([done.check()]);
                    connection_work::finish(&mut db, key, &checks, self.clock.now()).await
                }
                None => connection_work::withdraw(&mut db, key).await,
            }
        };
        if let Err(error) = ended.await {
            tracing::warn!(connection = turn.connection, error = %error, "the end of a webhook registration was not stored");
        }
    }
}
