//! Notifications: one message per cause, signed, retried, closed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::{
    harness::secs,
    ops::channel::{SECRET, TestChannel, start_with_channels},
};

#[tokio::test]
async fn thousand_failures_send_one_alert_that_closes_itself() {
    let channel = TestChannel::default();
    let (url, _serving) = channel.serve().await;
    let channels =
        format!("[[alerts.channels]]\nname = \"ops\"\nwebhook = \"{url}/hook\"\nsecret = \"{SECRET}\"\n");
    let (mut silta, alerts) = start_with_channels(&channels).await;
    silta.leave_unfinished();
    sqlx::query(
        "insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
         select gen_random_uuid(), 'shop', 'order', 'order:' || n, 'dead',
                case when n <= 900 then 'shipping_unmapped' else 'refused' end, 1, $1, $1, $1
         from generate_series(1, 1000) n",
    )
    .bind(silta.now())
    .execute(&silta.pool)
    .await
    .unwrap();
    alerts.check_and_notify().await.unwrap();
    assert_eq!(channel.received().len(), 0, "still within the grace period");
    silta.clock.advance(secs(60));
    for _ in 0..3 {
        alerts.check_and_notify().await.unwrap();
    }
    let bodies = channel.bodies();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(bodies[0]["type"], "alert.opened");
    assert_eq!(bodies[0]["data"]["count"], 1000);
    assert_eq!(bodies[0]["data"]["detail"], "900 × shipping_unmapped, 100 × refused");

    silta.clock.advance(secs(86_400));
    alerts.check_and_notify().await.unwrap();
    assert_eq!(channel.bodies()[1]["type"], "alert.reminded");

    sqlx::query("update task set state = 'done', reason = null").execute(&silta.pool).await.unwrap();
    alerts.check_and_notify().await.unwrap();
    alerts.check_and_notify().await.unwrap();
    let bodies = channel.bodies();
    assert_eq!((bodies.len(), &bodies[2]["type"]), (3, &Value::from("alert.closed")));
    let of = async |path: &str| {
        let listed = silta.api.get(path).await;
        let dead = listed.items().iter().filter(|item| item["kind"] == "dead");
        dead.cloned().collect::<Vec<_>>()
    };
    assert!(of("/admin/v1/alerts").await[0]["closed_at"].is_string());
    assert_eq!(of("/admin/v1/alerts?open=true").await, Vec::<Value>::new());
}

#[tokio::test]
async fn notification_is_signed_and_retried_under_one_id() {
    let channel = TestChannel::default();
    *channel.failures_left.lock().unwrap() = 2;
    let (url, _serving) = channel.serve().await;
    let channels =
        format!("[[alerts.channels]]\nname = \"ops\"\nwebhook = \"{url}/hook\"\nsecret = \"{SECRET}\"\n");
    let channels = format!("runbook_url = \"https://wiki.test/silta\"\n{channels}");
    let (silta, alerts) = start_with_channels(&channels).await;
    sqlx::query("update connection set circuit_open_until = $1, circuit_reason = 'vendor_down'")
        .bind(silta.now() + secs(3600))
        .execute(&silta.pool)
        .await
        .unwrap();
    alerts.check_and_notify().await.unwrap();
    silta.clock.advance(secs(60));
    for _ in 0..6 {
        alerts.check_and_notify().await.unwrap();
        silta.clock.advance(secs(60));
    }
    let received = channel.received();
    assert_eq!(received.len(), 3, "refused twice, then accepted, then not repeated");
    let id = |at: usize| received[at].0["webhook-id"].to_str().unwrap().to_owned();
    assert!(id(0) == id(1) && id(1) == id(2));
    for (headers, body) in &received {
        let header = |name: &str| headers[name].to_str().unwrap();
        let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
        let key = base64::engine::general_purpose::STANDARD.decode(&SECRET[6..]).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(signed.as_bytes());
        let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(header("webhook-signature"), format!("v1,{expected}"));
    }
    assert_eq!(channel.bodies()[2]["data"]["kind"], "circuit_open");
    assert_eq!(channel.bodies()[2]["data"]["runbook_url"], "https://wiki.test/silta#circuit_open");
    let metrics = silta.api.get("/metrics").await;
    assert!(metrics.body.as_str().unwrap().contains("runbook_url=\"https://wiki.test/silta\""), "silta_info");
    sqlx::query("update connection set circuit_open_until = null, circuit_reason = null")
        .execute(&silta.pool)
        .await
        .unwrap();
    alerts.check_and_notify().await.unwrap();
    assert_eq!(channel.bodies().last().unwrap()["type"], "alert.closed");
}

#[tokio::test]
async fn fault_within_the_grace_period_sends_no_alert() {
    let channel = TestChannel::default();
    let (url, _serving) = channel.serve().await;
    let (silta, alerts) =
        start_with_channels(&format!("[[alerts.channels]]\nname = \"chat\"\nslack = \"{url}/services/x\"\n"))
            .await;
    let set_brake = |on: bool| {
        let (at, detail) = if on { ("now()", "'9 of 10'") } else { ("null", "null") };
        sqlx::AssertSqlSafe(format!("update connection set braked_at = {at}, brake_detail = {detail}"))
    };
    sqlx::query(set_brake(true)).execute(&silta.pool).await.unwrap();
    alerts.check_and_notify().await.unwrap();
    silta.clock.advance(secs(30));
    sqlx::query(set_brake(false)).execute(&silta.pool).await.unwrap();
    silta.clock.advance(secs(60));
    alerts.check_and_notify().await.unwrap();
    assert_eq!((channel.received().len(), silta.count("alert").await), (0, 0));

    sqlx::query(set_brake(true)).execute(&silta.pool).await.unwrap();
    alerts.check_and_notify().await.unwrap();
    silta.clock.advance(secs(60));
    alerts.check_and_notify().await.unwrap();
    let text = channel.bodies()[0]["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Silta: shop:") && text.contains("9 of 10"), "{text}");
}

/// An SMTP server that accepts everything; returns its URL and the received mails.
async fn mail_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let channel = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = channel.local_addr().unwrap();
    let mails = Arc::new(Mutex::new(Vec::new()));
    let taken = mails.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = channel.accept().await {
            let (read, mut write) = stream.into_split();
            write.write_all(b"220 test\r\n").await.unwrap();
            let (mut lines, mut mail, mut in_data) = (BufReader::new(read).lines(), String::new(), false);
            while let Ok(Some(line)) = lines.next_line().await {
                if in_data && line != "." {
                    mail.push_str(&line);
                    mail.push('\n');
                    continue;
                }
                let answer = match line.split(' ').next().unwrap() {
                    "EHLO" => {
                        mail.push_str(&line);
                        mail.push('\n');
                        "250 ok"
                    }
                    "." => {
                        in_data = false;
                        taken.lock().unwrap().push(std::mem::take(&mut mail));
                        "250 taken"
                    }
                    "DATA" => {
                        in_data = true;
                        "354 go on"
                    }
                    "QUIT" => "221 bye",
                    _ => "250 ok",
                };
                write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
        }
    });
    (format!("smtp://{address}"), mails)
}

/// A mail as a reader decodes it.
struct Mail {
    headers: HashMap<String, String>,
    text: String,
}

impl Mail {
    fn parse(mail: &str) -> Self {
        let (head, body) = mail.split_once("\n\n").unwrap();
        let headers =
            head.replace("\n ", "").lines().filter_map(|line| line.split_once(": ")).map(own).collect();
        let headers: HashMap<String, String> = headers;
        let text = match headers["Content-Transfer-Encoding"].as_str() {
            "base64" => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(body.replace('\n', "")).unwrap();
                String::from_utf8(bytes).unwrap()
            }
            "quoted-printable" => decode_quoted_printable(body),
            _ => body.replace('\n', "\r\n"),
        };
        Self { headers, text }
    }
}

fn own((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn decode_quoted_printable(body: &str) -> String {
    let body = body.replace("=\n", "").replace('\n', "\r\n");
    let mut bytes = Vec::new();
    let mut rest = body.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'=' {
            bytes.extend(hex::decode(&rest[..2]).unwrap());
            rest = &rest[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn alert_mail_is_sent_in_the_chosen_language() {
    let (server, mails) = mail_server().await;
    let channels = format!(
        "language = \"fi\"\n[[alerts.channels]]\nname = \"mail\"\nmail = \"{server}\"\nfrom = \"Silta <silta@example.fi>\"\nto = [\"ops@example.fi\"]\n"
    );
    let (silta, alerts) = start_with_channels(&channels).await;
    sqlx::query("update connection set braked_at = now(), brake_detail = '9 of 10'")
        .execute(&silta.pool)
        .await
        .unwrap();
    alerts.check_and_notify().await.unwrap();
    silta.clock.advance(secs(60));
    alerts.check_and_notify().await.unwrap();
    sqlx::query("update connection set braked_at = null, brake_detail = null")
        .execute(&silta.pool)
        .await
        .unwrap();
    alerts.check_and_notify().await.unwrap();
    let mails = mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 2);
    assert!(mails[0].contains("To: ops@example.fi"), "{}", mails[0]);
    assert!(mails[0].contains("Message-ID: <") && mails[0].contains("@example.fi>"), "{}", mails[0]);
    let [first, last] = [&mails[0], &mails[1]].map(|mail| Mail::parse(mail));
    for mail in [&first, &last] {
        assert_eq!(mail.headers["MIME-Version"], "1.0");
        assert_eq!(mail.headers["Content-Type"], "text/plain; charset=utf-8");
        assert_eq!(mail.headers["Auto-Submitted"], "auto-generated");
        assert!(mail.headers["Subject"].is_ascii(), "RFC 2047: {}", mail.headers["Subject"]);
    }
    assert!(
        first.text.starts_with("Silta: shop: liian moni saldo putosi nollaan\r\nAlkoi ")
            && first.text.contains(".2026 klo "),
        "{}",
        first.text
    );
    assert!(
        first.text.contains("Varastosaldoja: 9 of 10")
            && first.text.contains("hyväksy ne, jos ne ovat oikein"),
        "{}",
        first.text
    );
    assert!(
        last.text.contains("Silta: shop: ohi: liian moni") && last.text.contains("ja on nyt ohi."),
        "{}",
        last.text
    );
    assert!(mails[0].starts_with("EHLO example.fi\n"), "{}", mails[0]);
}
