//! A hot standby has what the primary has confirmed.

use chrono::Utc;
use serde_json::json;
use silta::{
    domain::{
        event::{
            source::Source,
            subject::{Priority, Subject},
        },
        id::{EventId, TaskId},
    },
    runtime::{
        clock::Entropy,
        embedded_postgres::{Durability, PrivatePostgres},
    },
    store::{
        self,
        ingest::{self, InternalEvent},
    },
};
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn promoted_standby_has_every_confirmed_event() {
    let directory = tempfile::tempdir().unwrap();
    let primary = PrivatePostgres::start(&directory.path().join("primary"), Durability::Full).unwrap();
    let options = primary.database().await.unwrap();
    store::migrate(&store::connect(options.clone(), 1)).await.unwrap();
    let soon = ["wal_retrieve_retry_interval=100ms"];
    let standby = primary.standby(&directory.path().join("standby"), "standby_a", &soon).unwrap();
    let mut db = PgConnection::connect_with(&options).await.unwrap();
    for sql in ["alter system set synchronous_standby_names = 'standby_a'", "select pg_reload_conf()"] {
        sqlx::query(sql).execute(&mut db).await.unwrap();
    }

    let mut confirmed = Vec::new();
    for number in 0..200 {
        confirmed.push(store_event(&mut db, number).await);
    }
    primary.kill().unwrap();
    standby.promote().await.unwrap();

    let mut db = PgConnection::connect_with(&standby.options("silta")).await.unwrap();
    let there: i64 = sqlx::query_scalar("select count(*) from event where id = any($1)")
        .bind(&confirmed)
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(there, 200);
    let next = store_event(&mut db, 200).await;
    assert!(!confirmed.contains(&next), "it accepts new events and waits for no standby");
}

/// Commits one event and returns its id.
async fn store_event(db: &mut PgConnection, number: u32) -> uuid::Uuid {
    let (entropy, at) = (Entropy::from_os(), Utc::now());
    let internal = InternalEvent {
        connection: "shop",
        subject: Subject::stock(format!("S-{number}")),
        source: Source::Poll,
        topic: "test",
        body: json!({ "number": number }),
        priority: Priority(1),
        at,
    };
    let incoming = internal.into_incoming(EventId(entropy.id(at)), TaskId(entropy.id(at)));
    ingest::ingest(db, &[incoming]).await.unwrap()[0].event_id.0
}
