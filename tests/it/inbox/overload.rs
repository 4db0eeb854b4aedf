//! More webhooks than the database can take.

use std::sync::Arc;

use reqwest::Method;
use silta::dev::sandbox::{Webhook, WebhookSender};
use uuid::Uuid;

use crate::harness::{Answer, TestOptions, TestSilta, answer, wait_until};

const SMALL_BUFFER: TestOptions = TestOptions {
    service: "[http]\nbody_limit = \"4KiB\"\nwaiting = \"64KiB\"\naccept_within = \"2s\"\n",
    connection: "",
};

/// A 2 KiB webhook about the stock of one code.
pub fn webhook(number: usize) -> Webhook {
    let body = format!(
        r#"{{"productCode":"S-{}","modified":"{number}","note":"{}"}}"#,
        number % 50,
        "x".repeat(2000)
    );
    Webhook::raw_from_warehouse(body.as_bytes())
}

async fn send(silta: &TestSilta, number: usize) -> Answer {
    let webhook = webhook(number);
    let (header, signature) = WebhookSender::signature(&webhook);
    let request = silta.api.request(Method::POST, "/webhooks/ogoship/shop");
    answer(request.header(header, signature).body(webhook.body)).await
}

/// Sends webhooks concurrently; returns the accepted event ids and the count of 503 answers, and asserts that there is
/// no third kind of answer.
async fn send_all(silta: &Arc<TestSilta>, numbers: std::ops::Range<usize>) -> (Vec<Uuid>, usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in numbers {
        let silta = silta.clone();
        tasks.spawn(async move { send(&silta, number).await });
    }
    let (mut accepted, mut refused) = (Vec::new(), 0);
    for answer in tasks.join_all().await {
        if answer.status == 200 {
            accepted.push(answer.text("/event_id").parse().unwrap());
        } else {
            // On a machine that does much else the database may be too slow as well; that is said as what it is.
            assert!(
                answer.status == 503 && ["busy", "unavailable"].contains(&answer.text("/code")),
                "{answer:?}"
            );
            assert!(answer.headers.contains_key("retry-after"));
            refused += 1;
        }
    }
    (accepted, refused)
}

async fn stored(silta: &TestSilta, ids: &[Uuid]) -> usize {
    let sql = "select count(*) from event where id = any($1)";
    let count: i64 = sqlx::query_scalar(sql).bind(ids).fetch_one(&silta.pool).await.unwrap();
    usize::try_from(count).unwrap()
}

/// Waits until the service has verified this many webhooks; each then waits for its commit.
async fn wait_until_verified(silta: &TestSilta, count: i64) {
    let verified = async || {
        silta.key_usage.flush(&silta.pool).await.unwrap();
        let sql = "select coalesce(sum(uses), 0)::bigint from key_usage where purpose = 'ogoship_webhook'";
        silta.scalar::<i64>(sql).await == count
    };
    wait_until("every webhook is verified", verified).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_answers_503_and_keeps_every_acknowledged_webhook() {
    let mut silta = TestSilta::start_with(SMALL_BUFFER).await;
    silta.leave_unfinished();
    // Every insert of events takes 20 ms, as on a slow disk.
    sqlx::raw_sql(
        "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.02); return null; end $$;
         create trigger slow after insert on event for each statement execute function slow()",
    )
    .execute(&silta.pool)
    .await
    .unwrap();
    let silta = Arc::new(silta);
    let (accepted, refused) = send_all(&silta, 0..600).await;
    assert!(refused > 0 && !accepted.is_empty(), "{} taken, {refused} refused", accepted.len());
    assert_eq!(stored(&silta, &accepted).await, accepted.len());

    // Nothing can be committed: every sender gets 503 within `accept_within`, none gets 200.
    let mut admin_db = silta.outside_connection().await;
    sqlx::raw_sql("begin; lock table event in access exclusive mode").execute(&mut admin_db).await.unwrap();
    let (accepted, refused) = send_all(&silta, 1000..1200).await;
    assert_eq!((accepted.len(), refused), (0, 200));
    sqlx::raw_sql("commit").execute(&mut admin_db).await.unwrap();

    // Once the lock is released, webhooks are accepted again.
    wait_until("webhooks are taken again", async || send(&silta, 1000).await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_request_bodies_do_not_block_other_senders() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let mut silta = TestSilta::start_with(SMALL_BUFFER).await;
    silta.leave_unfinished();
    let address = silta.api.url.trim_start_matches("http://").to_owned();
    let mut idle_streams = Vec::new();
    for _ in 0..100 {
        let mut idle_stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head = "POST /webhooks/ogoship/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 4000\r\n\r\n{";
        idle_stream.write_all(head.as_bytes()).await.unwrap();
        idle_streams.push(idle_stream);
    }
    assert_eq!(send(&silta, 1).await.status, 200);
    // A chunked body has no Content-Length: the limit counts the bytes that arrive.
    let mut long = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = "POST /webhooks/ogoship/shop HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    long.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..5 {
        let _ = long.write_all(format!("400\r\n{}\r\n", "x".repeat(0x400)).as_bytes()).await;
    }
    let mut answer = [0; 12];
    long.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_webhooks_share_a_commit() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    let mut admin_db = silta.outside_connection().await;
    sqlx::raw_sql("begin; lock table event in access exclusive mode").execute(&mut admin_db).await.unwrap();
    let silta = Arc::new(silta);
    let sending = {
        let silta = silta.clone();
        tokio::spawn(async move { send_all(&silta, 0..100).await })
    };
    // One commit waits for the lock; all later webhooks queue for the next one.
    wait_until("a commit waits", async || {
        let sql =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
               and query like '%unnest%'";
        let waiting: i64 =
            sqlx::query_scalar(sql).fetch_one(&mut silta.outside_connection().await).await.unwrap();
        waiting == 1
    })
    .await;
    wait_until_verified(&silta, 100).await;
    sqlx::raw_sql("commit").execute(&mut admin_db).await.unwrap();
    let (accepted, _) = sending.await.unwrap();
    assert_eq!((accepted.len(), stored(&silta, &accepted).await), (100, 100));
    // xmin names the transaction that wrote a row.
    let sql = "select count(distinct xmin::text) from event";
    let commits: i64 = sqlx::query_scalar(sql).fetch_one(&silta.pool).await.unwrap();
    assert!(commits <= 2, "{commits} commits: the one that waited, and one for all others");
    assert_eq!(send(&silta, 500).await.status, 200);
}

#[tokio::test]
async fn refused_webhook_does_not_fail_its_batch() {
    let mut silta = TestSilta::start().await;
    silta.leave_unfinished();
    sqlx::raw_sql("alter table event add constraint no_s7 check (subject <> 'stock:S-7')")
        .execute(&silta.pool)
        .await
        .unwrap();
    let mut admin_db = silta.outside_connection().await;
    sqlx::raw_sql("begin; lock table event in access exclusive mode").execute(&mut admin_db).await.unwrap();
    let silta = Arc::new(silta);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20 {
        let silta = silta.clone();
        tasks.spawn(async move { send(&silta, number).await.status });
    }
    wait_until_verified(&silta, 20).await;
    sqlx::raw_sql("commit").execute(&mut admin_db).await.unwrap();
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!((statuses[..19].to_vec(), statuses[19]), (vec![200; 19], 500));
}
