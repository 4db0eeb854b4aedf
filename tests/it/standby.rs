//! Two servers: what the primary has confirmed, its hot standby has.

use chrono::Utc;
use serde_json::json;
use silta::{
    domain::{
        event::{
            source::Source,
            subject::{Subject, Urgency},
        },
        id::{DeliveryId, EventId},
    },
    runtime::{
        clock::Entropy,
        embedded_postgres::{Durability, PrivatePostgres},
    },
    store::{
        self,
        ingest::{self, OwnNews},
    },
};
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn what_was_confirmed_survives_the_primary_on_a_promoted_standby() {
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
        confirmed.push(receive(&mut db, number).await);
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
    let next = receive(&mut db, 200).await;
    assert!(!confirmed.contains(&next), "it takes new ones, and waits for no standby of its own");
}

/// A piece of news, committed; its id.
async fn receive(db: &mut PgConnection, number: u32) -> uuid::Uuid {
    let (entropy, at) = (Entropy::from_os(), Utc::now());
    let news = OwnNews {
        connection: "shop",
        subject: Subject::stock(format!("S-{number}")),
        source: Source::Sweep,
        topic: "test",
        body: json!({ "number": number }),
        urgency: Urgency(1),
        at,
    };
    let arrival = news.arrival(EventId(entropy.id(at)), DeliveryId(entropy.id(at)));
    ingest::receive(db, &[arrival]).await.unwrap()[0].event_id.0
}
