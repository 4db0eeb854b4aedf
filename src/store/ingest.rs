//! The one statement by which news enters: rows of table `event` and the debts they open in table `delivery`, together.

use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
};

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::{
    Timestamp,
    event::{
        dedup::{Sameness, fingerprint},
        source::{NewEvent, Source},
        subject::{Subject, Urgency},
    },
    id::{DeliveryId, EventId},
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
pub async fn receive<A: Borrow<Arrival>>(db: &mut PgConnection, arrivals: &[A]) -> Result<Vec<Received>> {
    // Tellings of one event in one batch: the first stands for all, with the news of every one that is news.
    let mut first = HashMap::with_capacity(arrivals.len());
    let mut stands_for = Vec::with_capacity(arrivals.len());
    let mut columns = Columns::default();
    for Arrival { event, delivery_id, urgency } in arrivals.iter().map(Borrow::borrow) {
        let told = (&event.connection, event.source, event.fingerprint.digest);
        let place = *first.entry(told).or_insert(columns.event_id.len());
        stands_for.push(place);
        if place == columns.event_id.len() {
            columns.push(event, *delivery_id, *urgency);
        } else if event.fingerprint.sameness != Sameness::Forever {
            columns.pieces[place] += 1;
        }
    }
    let answered = store(db, &columns).await?;

    let mut known = HashMap::new();
    let mut stored = HashSet::with_capacity(columns.event_id.len());
    let mut owed = HashMap::with_capacity(columns.event_id.len());
    for row in &answered {
        match (row.known, row.connection.as_deref(), row.subject.as_deref()) {
            (Some(event), ..) => drop(known.insert(row.id, event)),
            (None, Some(connection), Some(subject)) => {
                owed.insert((connection, subject), (DeliveryId(row.id), row.opened));
            }
            _ => drop(stored.insert(row.id)),
        }
    }
    let mut received = Vec::with_capacity(arrivals.len());
    for (arrival, place) in arrivals.iter().map(Borrow::borrow).zip(stands_for) {
        let of = columns.event_id[place];
        let event_id = match known.get(&of) {
            Some(event) => *event,
            None if stored.contains(&of) => of,
            None => find_same(db, &arrival.event).await?.unwrap_or(of), // lost the race described above
        };
        let subject = columns.subject[place].as_deref();
        let opened = subject.and_then(|subject| owed.get(&(columns.connection[place], subject)).copied());
        received.push(Received {
            event_id: EventId(event_id),
            duplicate: !stored.contains(&arrival.event.id.0),
            delivery_id: opened.map(|(delivery, _)| delivery),
            opened: opened.is_some_and(|(_, anew)| anew),
        });
    }
    Ok(received)
}

/// What the statement answers, of three kinds: an event that was `known` already, by the id it came with; a delivery that
/// is owed, with its subject; an event that was stored.
struct Told {
    id: Uuid,
    known: Option<Uuid>,
    connection: Option<String>,
    subject: Option<String>,
    opened: bool,
}

/// The statement. Its parts are joined by nobody: what they answer is put together above, in time that grows with the
/// arrivals and not with their square.
async fn store(db: &mut PgConnection, columns: &Columns<'_>) -> Result<Vec<Told>> {
    let told = sqlx::query_as!(
        Told,
        r#"
        with incoming as materialized (
            select told.*, (
                select event.id from event
                where event.connection = told.connection and event.source = told.source
                  and event.fingerprint = told.fingerprint
            ) as known
            from unnest(
                $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                $8::bytea[], $10::bool[], $11::smallint[], $12::uuid[], $13::int[]
            ) with ordinality as told (
                event_id, connection, source, topic, kind, subject, received_at,
                fingerprint, same_forever, urgency, delivery_id, pieces, place
            )
        ),
        owed as (
            insert into delivery (id, connection, kind, subject, state, urgency, news, due_at, created_at)
            -- A repeat that does not prove itself one is still news: a look is cheap, a loss is not.
            select
                (array_agg(delivery_id))[1], connection, kind, subject, 'pending', min(urgency), sum(pieces),
                min(received_at), min(received_at)
            from incoming
            where subject is not null and (not same_forever or known is null)
            group by connection, kind, subject
            -- One lock order for all writers: what is open by its id, as in a settle, and then what is not yet.
            order by (
                select open.id from delivery as open
                where open.connection = incoming.connection and open.subject = incoming.subject
                  and open.state in ('pending', 'leased', 'in_doubt')
            ), connection, subject
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
                event_id, connection, source, topic, kind, subject, received_at, fingerprint,
                ($9::bytea[])[place], -- a row of `incoming` that held it would be copied from step to step
                owed.id
            from incoming left join owed using (connection, subject)
            where incoming.known is null
            on conflict on constraint event_told_once do nothing
            returning id
        ),
        woken as (select pg_notify('silta_due', '') from owed limit 1)
        select event_id as "id!", known, null as connection, null as subject, false as "opened!"
        from incoming where known is not null
        union all
        select id, null, connection, subject, opened from owed, (select count(*) from woken) as heard
        union all
        select id, null, null, null, false from stored
        "#,
        &columns.event_id,
        &columns.connection as &[&str],
        &columns.source as &[&str],
        &columns.topic as &[&str],
        &columns.kind as &[Option<&str>],
        &columns.subject as &[Option<String>],
        &columns.received_at,
        &columns.fingerprint as &[&[u8]],
        &columns.body as &[&[u8]],
        &columns.same_forever,
        &columns.urgency,
        &columns.delivery_id,
        &columns.pieces,
    );
    Ok(told.fetch_all(db).await?)
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
    connection: Vec<&'a str>,
    source: Vec<&'static str>,
    topic: Vec<&'a str>,
    kind: Vec<Option<&'static str>>,
    subject: Vec<Option<String>>,
    received_at: Vec<Timestamp>,
    fingerprint: Vec<&'a [u8]>,
    body: Vec<&'a [u8]>,
    same_forever: Vec<bool>,
    urgency: Vec<i16>,
    delivery_id: Vec<Uuid>,
    pieces: Vec<i32>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, event: &'a NewEvent, delivery_id: DeliveryId, urgency: Urgency) {
        let NewEvent { id, connection, source, topic, subject, received_at, fingerprint, body } = event;
        self.event_id.push(id.0);
        self.connection.push(connection);
        self.source.push(source.as_str());
        self.topic.push(topic);
        self.kind.push(subject.as_ref().map(|subject| subject.kind.as_str()));
        self.subject.push(subject.as_ref().map(ToString::to_string));
        self.received_at.push(*received_at);
        self.fingerprint.push(&fingerprint.digest);
        self.body.push(body);
        self.same_forever.push(fingerprint.sameness == Sameness::Forever);
        self.urgency.push(urgency.0);
        self.delivery_id.push(delivery_id.0);
        self.pieces.push(1);
    }
}
