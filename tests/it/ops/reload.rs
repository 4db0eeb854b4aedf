//! The configuration is reloaded under load.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use serde_json::json;

use crate::harness::{
    CONNECTION, Database, answer,
    process::{Process, config_file, sandbox},
    wait_until,
};

/// Signs a body as the shop does.
fn signature(key: &str, body: &[u8]) -> String {
    hex::encode(silta::security::signature::sign(key, body))
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_rotation_under_load_refuses_no_webhook() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let config = config_file(&sandbox, "");
    let process = Process::start(config.path(), Some(&database.url()));
    let first = "083c584d-ae65-11ec-aef4-0242ac130002";
    let key = Arc::new(Mutex::new(first.to_owned()));
    let (is_done, sent, refused) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let url = format!("{}/webhooks/mycashflow/{CONNECTION}/sandbox-token-4f1d", process.url);
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let (key, is_done, sent, refused, url) =
                (key.clone(), is_done.clone(), sent.clone(), refused.clone(), url.clone());
            tokio::spawn(async move {
                let client = reqwest::Client::new();
                for number in 0.. {
                    if is_done.load(Ordering::SeqCst) {
                        return;
                    }
                    let body = json!({ "topic": "order.created", "data": { "id": 1_000_000 * (sender + 1) + number } }).to_string();
                    let signature = signature(&key.lock().unwrap().clone(), body.as_bytes());
                    let request = client.post(&url).header("X-MyCashflow-Signature", signature).body(body);
                    let answer = answer(request).await;
                    sent.fetch_add(1, Ordering::SeqCst);
                    if answer.status != 200 {
                        refused.lock().unwrap().push((answer.status, answer.body));
                    }
                }
            })
        })
        .collect();
    let wait_for_more = async || {
        let before = sent.load(Ordering::SeqCst);
        wait_until("webhooks go on", async || sent.load(Ordering::SeqCst) > before + 40).await;
    };
    let write_secrets = |secrets: &str| {
        let text = std::fs::read_to_string(config.path()).unwrap();
        let line = text.lines().find(|line| line.starts_with("secrets = ")).unwrap().to_owned();
        std::fs::write(config.path(), text.replace(&line, &format!("secrets = {secrets}"))).unwrap();
    };
    for round in 0..3 {
        let (old, new) = (key.lock().unwrap().clone(), format!("key-number-{round}"));
        wait_for_more().await;
        write_secrets(&format!("[\"{old}\", \"{new}\"]"));
        process.reload("connections.shop.mycashflow.signature.secrets").await;
        wait_for_more().await;
        key.lock().unwrap().clone_from(&new); // from now on the shop signs with the new key
        wait_for_more().await;
        write_secrets(&format!("[\"{new}\"]"));
        process.reload("connections.shop.mycashflow.signature.secrets").await;
    }
    wait_for_more().await;
    // A configuration with a fault changes nothing.
    write_secrets("[]\nnonsense = 1");
    process.send_signal("HUP");
    process.wait_for_log("the configuration was not reloaded").await;
    wait_for_more().await;
    is_done.store(true, Ordering::SeqCst);
    for sender in senders {
        sender.await.unwrap();
    }
    assert_eq!(*refused.lock().unwrap(), []);
    // A retired secret is refused.
    let request = reqwest::Client::new()
        .post(&url)
        .header("X-MyCashflow-Signature", signature(first, b"{}"))
        .body("{}");
    assert_eq!(answer(request).await.status, 401);
    assert!(process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_extra_file_changes_nothing() {
    let sandbox = sandbox().await;
    let database = Database::fresh().await;
    let extra = tempfile::NamedTempFile::new().unwrap();
    let write = |text: &str| std::fs::write(extra.path(), text).unwrap();
    write("code,hs_code\nCUP,69120023\n");
    let section = format!("[connections.products]\nextra_file = {:?}\n", extra.path());
    let config = config_file(&sandbox, "");
    let text = std::fs::read_to_string(config.path()).unwrap();
    std::fs::write(config.path(), text + &section).unwrap();
    let process = Process::start(config.path(), Some(&database.url()));
    write("code,hs_code\nCUP,69120023\nPOT,12\n");
    process.send_signal("HUP");
    process.wait_for_log("line 3: hs_code must have eight digits").await;
    write("code,hs_code\nCUP,69120023\nPOT,69120024\n");
    process.reload("connections.shop.products.extra_file").await;
    assert!(process.terminate());
}
