//! Table `event`, and the one statement by which news enters: events and the debts they open, together.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Page, Result};
use crate::domain::{
    Timestamp,
    event::{NewEvent, Source},
    fingerprint::{Sameness, fingerprint},
    id::{DeliveryId, EventId},
    subject::{Subject, Urgency},
};

/// An event with the delivery that it opens if its subject has none open.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The event.
    pub event: NewEvent,
    /// The id of the delivery, should one be opened.
    pub delivery_id: DeliveryId,
    /// The urgency of its news.
    pub urgency: Urgency,
}

/// News of our own making about one subject: asked by a person, or found by us.
#[derive(Clone, Debug)]
pub struct OwnNews<'a> {
    /// Whose subject.
    pub connection: &'a str,
    /// What may be out of step.
    pub subject: Subject,
    /// A person, or a sweep.
    pub source: Source,
    /// As `order.transfer`.
    pub topic: &'a str,
    /// What makes it the same news when told again.
    pub body: serde_json::Value,
    /// Who is served first.
    pub urgency: Urgency,
    /// When.
    pub at: Timestamp,
}

impl OwnNews<'_> {
    /// Ready to be received, under these ids.
    pub fn arrival(self, id: EventId, delivery_id: DeliveryId) -> Arrival {
        let Self { connection, subject, source, topic, body, urgency, at } = self;
        let body = body.to_string().into_bytes();
        let event = NewEvent {
            id,
            connection: connection.to_owned(),
            source,
            topic: topic.to_owned(),
            subject: Some(subject),
            received_at: at,
            fingerprint: fingerprint(source, topic, &body, Sameness::Forever, at),
            body,
        };
        Arrival { event, delivery_id, urgency }
    }
}

/// What became of an arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The stored event: this one, or the one it repeats.
    pub event_id: EventId,
    /// True where it repeats a stored event.
    pub duplicate: bool,
    /// The open delivery that it opened or whose news it became.
    pub delivery_id: Option<DeliveryId>,
    /// True where that delivery was opened by it.
    pub opened: bool,
}

/// Stores events and opens or refreshes their deliveries, all in one statement: so it is atomic also without a
/// transaction around it, and many arrivals share one commit. Answers in the order of the arrivals.
///
/// Two simultaneous tellings of one event race to `event_told_once`; the loser has at most added news to an open
/// debt, which costs one look.
#[expect(clippy::too_many_lines, reason = "one statement, told in its CTEs; read, not traced")]
pub async fn receive(db: &mut PgConnection, arrivals: &[Arrival]) -> Result<Vec<Received>> {
    let mut columns = Columns::default();
    for arrival in arrivals {
        columns.push(arrival);
    }
    let rows = sqlx::query!(
        r#"
        with incoming as (
            select * from unnest(
                $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                $8::bytea[], $9::bytea[], $10::bool[], $11::smallint[], $12::uuid[]
            ) with ordinality as told (
                event_id, connection, source, topic, kind, subject, received_at,
                fingerprint, body, same_forever, urgency, delivery_id, place
            )
        ),
        known as (
            select incoming.event_id, event.id as known_id
            from incoming join event using (connection, source, fingerprint)
        ),
        fresh as (
            select distinct on (connection, source, fingerprint) incoming.*
            from incoming left join known using (event_id)
            where known.known_id is null
            order by connection, source, fingerprint, place
        ),
        news as (
            -- A repeat that does not prove itself one is still news: a look is cheap, a loss is not.
            select
                connection, kind, subject, min(urgency) as urgency, count(*) as pieces,
                min(received_at) as due_at, (array_agg(delivery_id order by place))[1] as delivery_id
            from incoming
            where subject is not null and (not same_forever or event_id in (select event_id from fresh))
            group by connection, kind, subject
            order by connection, subject -- one lock order for all writers
        ),
        owed as (
            insert into delivery (id, connection, kind, subject, state, urgency, news, due_at, created_at)
            select delivery_id, connection, kind, subject, 'pending', urgency, pieces, due_at, due_at from news
            on conflict (connection, subject) where state in ('pending', 'leased', 'in_doubt') do update set
                news = delivery.news + excluded.news,
                urgency = least(delivery.urgency, excluded.urgency),
                -- What waits for the world is looked at again at once; what backs off from a fault goes on backing off.
                due_at = case
                    when delivery.state = 'pending' and delivery.attempts = 0
                        then least(delivery.due_at, excluded.due_at)
                    else delivery.due_at
                end
            returning id, connection, subject, xmax = 0 as opened
        ),
        stored as (
            insert into event
                (id, connection, source, topic, kind, subject, received_at, fingerprint, body, delivery_id)
            select
                fresh.event_id, fresh.connection, fresh.source, fresh.topic, fresh.kind, fresh.subject,
                fresh.received_at, fresh.fingerprint, fresh.body, owed.id
            from fresh left join owed using (connection, subject)
            on conflict on constraint event_told_once do nothing
            returning id
        ),
        woken as (select pg_notify('silta_due', '') from owed limit 1)
        select
            incoming.event_id as "event_id!",
            stored.id is not null as "stored!",
            coalesce(known.known_id, stored_twin.id) as "same_as",
            owed.id as "delivery_id?",
            coalesce(owed.opened, false) as "opened!",
            (select count(*) from woken) as "woken!"
        from incoming
        left join stored on stored.id = incoming.event_id
        left join known using (event_id)
        left join fresh twin using (connection, source, fingerprint)
        -- A twin that lost the race to another transaction was not stored either.
        left join stored stored_twin on stored_twin.id = twin.event_id
        left join owed on owed.connection = incoming.connection and owed.subject = incoming.subject
        order by incoming.place
        "#,
        &columns.event_id,
        &columns.connection,
        &columns.source,
        &columns.topic,
        &columns.kind as &[Option<String>],
        &columns.subject as &[Option<String>],
        &columns.received_at,
        &columns.fingerprint as &[&[u8]],
        &columns.body as &[&[u8]],
        &columns.same_forever,
        &columns.urgency,
        &columns.delivery_id,
    )
    .fetch_all(&mut *db)
    .await?;

    let mut received = Vec::with_capacity(rows.len());
    for (row, arrival) in rows.into_iter().zip(arrivals) {
        let stored = row.stored;
        let same_as = row.same_as.filter(|id| *id != row.event_id);
        let event_id = match same_as {
            _ if stored => row.event_id,
            Some(id) => id,
            None => find_same(db, &arrival.event).await?.unwrap_or(row.event_id), // lost the race described above
        };
        let delivery_id = row.delivery_id.map(DeliveryId);
        received.push(Received {
            event_id: EventId(event_id),
            duplicate: !stored,
            delivery_id,
            opened: row.opened,
        });
    }
    Ok(received)
}

async fn find_same(db: &mut PgConnection, event: &NewEvent) -> Result<Option<Uuid>> {
    let found = sqlx::query_scalar!(
        "select id from event where connection = $1 and source = $2 and fingerprint = $3",
        event.connection,
        event.source.as_str(),
        &event.fingerprint.digest[..],
    );
    Ok(found.fetch_optional(db).await?)
}

/// The arrivals turned on their side, as `unnest` takes them.
#[derive(Default)]
struct Columns<'a> {
    event_id: Vec<Uuid>,
    connection: Vec<String>,
    source: Vec<String>,
    topic: Vec<String>,
    kind: Vec<Option<String>>,
    subject: Vec<Option<String>>,
    received_at: Vec<Timestamp>,
    fingerprint: Vec<&'a [u8]>,
    body: Vec<&'a [u8]>,
    same_forever: Vec<bool>,
    urgency: Vec<i16>,
    delivery_id: Vec<Uuid>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, Arrival { event, delivery_id, urgency }: &'a Arrival) {
        let NewEvent { id, connection, source, topic, subject, received_at, fingerprint, body } = event;
        self.event_id.push(id.0);
        self.connection.push(connection.clone());
        self.source.push(source.as_str().to_owned());
        self.topic.push(topic.clone());
        self.kind.push(subject.as_ref().map(|subject| subject.kind.as_str().to_owned()));
        self.subject.push(subject.as_ref().map(ToString::to_string));
        self.received_at.push(*received_at);
        self.fingerprint.push(&fingerprint.digest);
        self.body.push(body);
        self.same_forever.push(fingerprint.sameness == Sameness::Forever);
        self.urgency.push(urgency.0);
        self.delivery_id.push(delivery_id.0);
    }
}

/// An event as people see it; its body stays behind.
#[derive(Clone, Debug, serde::Serialize)]
pub struct EventRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Which connection it came by.
    pub connection: String,
    /// mycashflow, ogoship, sweep or person.
    pub source: String,
    /// The sender's own word.
    pub topic: String,
    /// What may be out of step.
    pub subject: Option<String>,
    /// When all of it had arrived.
    pub received_at: Timestamp,
    /// The debt that it opened or whose news it became.
    pub delivery_id: Option<Uuid>,
    /// Bytes in its body.
    pub body_bytes: i32,
}

/// Which events to list; every field left out means "any".
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventFilter {
    /// By connection.
    pub connection: Option<String>,
    /// By source.
    pub source: Option<String>,
    /// By topic.
    pub topic: Option<String>,
    /// By subject.
    pub subject: Option<String>,
    /// Received at or after.
    pub since: Option<Timestamp>,
    /// Received before.
    pub until: Option<Timestamp>,
}

/// Events, newest first.
pub async fn list(db: &mut PgConnection, filter: &EventFilter, page: &Page) -> Result<Vec<EventRow>> {
    let rows = sqlx::query_as!(
        EventRow,
        r#"
        select id, connection, source, topic, subject, received_at, delivery_id,
               octet_length(body) as "body_bytes!"
        from event
        where ($1::text is null or connection = $1)
          and ($2::text is null or source = $2)
          and ($3::text is null or topic = $3)
          and ($4::text is null or subject = $4)
          and ($5::timestamptz is null or received_at >= $5)
          and ($6::timestamptz is null or received_at < $6)
          and ($7::uuid is null or id < $7)
        order by id desc
        limit $8
        "#,
        filter.connection,
        filter.source,
        filter.topic,
        filter.subject,
        filter.since,
        filter.until,
        page.before,
        page.limit,
    );
    Ok(rows.fetch_all(db).await?)
}

/// One event.
pub async fn find(db: &mut PgConnection, id: EventId) -> Result<Option<EventRow>> {
    let row = sqlx::query_as!(
        EventRow,
        r#"
        select id, connection, source, topic, subject, received_at, delivery_id,
               octet_length(body) as "body_bytes!"
        from event where id = $1
        "#,
        id.0,
    );
    Ok(row.fetch_optional(db).await?)
}
