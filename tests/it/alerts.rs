//! People are told what is wrong, once, and that it is right again.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use silta::{background::notifications::AlertMonitor, dev::sandbox::OrderSpec};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::harness::{TestOptions, TestSilta, http, secs};

/// The secret of the webhook channel, and its bytes.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

/// Somebody who is told: keeps what came, and refuses as long as it is told to.
#[derive(Clone, Default)]
struct Listener {
    heard: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    refuses: Arc<Mutex<usize>>,
}

impl Listener {
    fn heard(&self) -> Vec<(HeaderMap, String)> {
        self.heard.lock().unwrap().clone()
    }

    fn bodies(&self) -> Vec<Value> {
        self.heard().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }

    async fn serve(&self) -> (String, tokio_util::task::AbortOnDropHandle<()>) {
        async fn hear(State(listener): State<Listener>, headers: HeaderMap, body: Bytes) -> StatusCode {
            let mut refuses = listener.refuses.lock().unwrap();
            listener.heard.lock().unwrap().push((headers, String::from_utf8(body.to_vec()).unwrap()));
            if *refuses > 0 {
                *refuses -= 1;
                return StatusCode::INTERNAL_SERVER_ERROR;
            }
            StatusCode::OK
        }
        http::serve(Router::new().route("/{*any}", post(hear)).with_state(self.clone())).await
    }
}

async fn start_with_channels(channels: &str) -> (TestSilta, AlertMonitor) {
    let service = format!("[alerts]\nbacklog_older_than = \"15m\"\n{channels}");
    let options = TestOptions { service: Box::leak(service.into_boxed_str()), connection: "" };
    let silta = TestSilta::start_with(options).await;
    let alerts = silta.alerts.clone();
    (silta, alerts)
}

#[tokio::test]
async fn thousand_failures_send_one_alert_that_closes_itself() {
    let listener = Listener::default();
    let (url, _serving) = listener.serve().await;
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
    assert_eq!(listener.heard().len(), 0, "it may still fix itself");
    silta.clock.advance(secs(60));
    for _ in 0..3 {
        alerts.check_and_notify().await.unwrap();
    }
    let bodies = listener.bodies();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(bodies[0]["type"], "alert.opened");
    assert_eq!(bodies[0]["data"]["count"], 1000);
    assert_eq!(bodies[0]["data"]["detail"], "900 × shipping_unmapped, 100 × refused");

    silta.clock.advance(secs(86_400));
    alerts.check_and_notify().await.unwrap();
    assert_eq!(listener.bodies()[1]["type"], "alert.reminded");

    sqlx::query("update task set state = 'done', reason = null").execute(&silta.pool).await.unwrap();
    alerts.check_and_notify().await.unwrap();
    alerts.check_and_notify().await.unwrap();
    let bodies = listener.bodies();
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
    let listener = Listener::default();
    *listener.refuses.lock().unwrap() = 2;
    let (url, _serving) = listener.serve().await;
    let channels =
        format!("[[alerts.channels]]\nname = \"ops\"\nwebhook = \"{url}/hook\"\nsecret = \"{SECRET}\"\n");
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
    let heard = listener.heard();
    assert_eq!(heard.len(), 3, "refused twice, then taken, then never again");
    let id = |at: usize| heard[at].0["webhook-id"].to_str().unwrap().to_owned();
    assert!(id(0) == id(1) && id(1) == id(2));
    for (headers, body) in &heard {
        let header = |name: &str| headers[name].to_str().unwrap();
        let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
        let key = base64::engine::general_purpose::STANDARD.decode(&SECRET[6..]).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(signed.as_bytes());
        let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(header("webhook-signature"), format!("v1,{expected}"));
    }
    assert_eq!(listener.bodies()[2]["data"]["kind"], "circuit_open");
    sqlx::query("update connection set circuit_open_until = null, circuit_reason = null")
        .execute(&silta.pool)
        .await
        .unwrap();
    alerts.check_and_notify().await.unwrap();
    assert_eq!(listener.bodies().last().unwrap()["type"], "alert.closed");
}

#[tokio::test]
async fn fault_within_the_grace_period_sends_no_alert() {
    let listener = Listener::default();
    let (url, _serving) = listener.serve().await;
    let (silta, alerts) =
        start_with_channels(&format!("[[alerts.channels]]\nname = \"chat\"\nslack = \"{url}/services/x\"\n"))
            .await;
    let brake = |on: bool| {
        let (at, detail) = if on { ("now()", "'9 of 10'") } else { ("null", "null") };
        sqlx::AssertSqlSafe(format!("update connection set braked_at = {at}, brake_detail = {detail}"))
    };
    sqlx::query(brake(true)).execute(&silta.pool).await.unwrap();
    alerts.check_and_notify().await.unwrap();
    silta.clock.advance(secs(30));
    sqlx::query(brake(false)).execute(&silta.pool).await.unwrap();
    silta.clock.advance(secs(60));
    alerts.check_and_notify().await.unwrap();
    assert_eq!((listener.heard().len(), silta.count("alert").await), (0, 0));

    sqlx::query(brake(true)).execute(&silta.pool).await.unwrap();
    alerts.check_and_notify().await.unwrap();
    silta.clock.advance(secs(60));
    alerts.check_and_notify().await.unwrap();
    let text = listener.bodies()[0]["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Silta: shop:") && text.contains("9 of 10"), "{text}");
}

/// Every kind, each by what makes it true; and each has its words in the runbook.
#[tokio::test]
async fn every_alert_kind_opens_and_closes() {
    let (mut silta, alerts) = start_with_channels("").await;
    silta.leave_unfinished();
    silta.poll().await;
    silta.run_until_idle().await;
    alerts.check_and_notify().await.unwrap();
    assert_eq!(silta.count("alert").await, 0, "nothing is wrong");

    let order = silta.shop.place_order(OrderSpec::of("A", 1));
    silta.send_webhook(silta.shop.order_created(order)).await;
    silta.clock.advance(secs(4 * 3600)); // due, and nobody works; polled long ago
    let (status, _) = refused(&silta).await;
    assert_eq!(status, 401);
    silta.key_usage.flush(&silta.pool).await.unwrap();
    for sql in [
        "insert into subscription (id, connection, source, topic, remote_id, url, created_by, created_at, seen_at)
         values (gen_random_uuid(), 'shop', 'ogoship', 'OrderShipped', 'x', 'u', 'ops', 'epoch', 'epoch')",
        "insert into task (id, connection, kind, subject, state, reason, priority, due_at, created_at, settled_at)
         values (gen_random_uuid(), 'shop', 'stock', 'stock:Z', 'dead', 'refused', 1, now(), now(), now())",
        "update connection set braked_at = now(), brake_detail = '9 of 10'",
    ] {
        sqlx::query(sql).execute(&silta.pool).await.unwrap();
    }
    alerts.check_and_notify().await.unwrap();
    let kinds = |rows: &crate::harness::Answer| {
        let mut kinds: Vec<_> =
            rows.items().iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        kinds
    };
    let listed = silta.api.get("/admin/v1/alerts?open=true").await;
    let expected =
        ["backlog_old", "dead", "stock_braked", "subscription_gone", "poll_stopped", "webhooks_refused"];
    assert_eq!(kinds(&listed), expected);

    // A held connection has no backlog of its own: one thing is told once.
    sqlx::query("update connection set circuit_open_until = $1, circuit_reason = 'vendor_down'")
        .bind(silta.now() + secs(9))
        .execute(&silta.pool)
        .await
        .unwrap();
    alerts.check_and_notify().await.unwrap();
    let listed = kinds(&silta.api.get("/admin/v1/alerts?open=true").await);
    assert!(listed.contains(&"circuit_open".to_owned()) && !listed.contains(&"backlog_old".to_owned()));

    let runbook = include_str!("../../docs/runbook.md");
    let rules = include_str!("../../deploy/prometheus/alerts.yaml");
    for kind in silta::domain::alert::AlertKind::ALL {
        assert!(runbook.contains(&format!("\n### {}\n", kind.as_str())), "{kind:?} has no heading");
    }
    assert!(rules.contains("runbook_url"));
}

async fn refused(silta: &TestSilta) -> (u16, Value) {
    let url = format!("{}/webhooks/ogoship/shop", silta.api.url);
    let request = reqwest::Client::new().post(url).header("X-OGOship-Hmac-SHA256", "AAAA").body("{}");
    let answer = crate::harness::answer(request).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn missing_orders_raise_the_silence_alert() {
    let (mut silta, alerts) = start_with_channels("").await;
    silta.leave_unfinished();
    // Four weeks of an order every ten minutes, then nothing for six hours.
    sqlx::query("update connection set created_at = $1 - interval '40 days'")
        .bind(silta.now())
        .execute(&silta.pool)
        .await
        .unwrap();
    sqlx::query(
        "insert into subject_state (connection, subject, seen_at, status, first_task_id)
         select 'shop', 'order:' || n, $1, 'done', (
             lpad(to_hex((extract(epoch from $1 - interval '6 hours' - n * interval '10 minutes') * 1000)::bigint), 12, '0')
             || '70008000' || lpad(to_hex(n), 12, '0'))::uuid
         from generate_series(0, 5000) n",
    )
    .bind(silta.now())
    .execute(&silta.pool)
    .await
    .unwrap();
    alerts.check_and_notify().await.unwrap();
    let listed = silta.api.get("/admin/v1/alerts?open=true").await;
    let kinds: Vec<_> = listed.items().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"silent"), "{kinds:?}");
}

/// A mail server that says yes to everything, and what it was handed.
async fn mail_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mails = Arc::new(Mutex::new(Vec::new()));
    let taken = mails.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
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

#[tokio::test]
async fn alert_mail_is_sent_with_headers() {
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
    let mails = mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("To: ops@example.fi") && mails[0].contains("9 of 10"), "{}", mails[0]);
    assert!(mails[0].contains("Message-ID: <") && mails[0].contains("@example.fi>"), "{}", mails[0]);
}
