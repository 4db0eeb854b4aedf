//! Answers that are made to take memory.

use silta::dev::sandbox::{Fault, OrderSpec, WebhookSender};

use crate::harness::{
    CONNECTION, Database,
    process::{Process, config_file, sandbox},
    wait_until,
};

/// Attempts at once, each of which gets such an answer.
const AT_ONCE: usize = 40;

/// Forty answers of 8 MiB at a time, made of brackets or of long texts, and a process that may write to 128 MiB.
#[tokio::test(flavor = "multi_thread")]
async fn forty_answers_of_brackets_fit_into_little_memory() {
    let (sandbox, database) = (sandbox().await, Database::fresh().await);
    let config = config_file(&sandbox, "");
    let text = std::fs::read_to_string(config.path()).unwrap();
    let text = text.replace("[worker]\n", &format!("[worker]\nconcurrency = {AT_ONCE}\n"));
    std::fs::write(config.path(), text).unwrap();
    sandbox.shop.add_product(1, "A", "A", 0);
    sandbox.warehouse.receive_goods("A", 10_000);
    let process = Process::with_memory(config.path(), &database.url(), 128);
    let webhook_sender = WebhookSender::to(&process.url, CONNECTION);
    let faults = &sandbox.shop_server.faults;
    let shapes = [
        ("[", "[],"),
        ("{\"data\":[", "{\"a\":1},"),
        ("", "{\"a\":"),
        ("[", "\"a long text in which there is nothing that costs more than its length, again and again\","),
    ];
    faults.set_everywhere(Some(Fault::Repeated(shapes[0].0, shapes[0].1)));
    for _ in 0..AT_ONCE {
        let order = sandbox.shop.place_order(OrderSpec::of("A", 1));
        assert_eq!(webhook_sender.send(&sandbox.shop.order_created(order)).await.expect("alive").0, 200);
    }
    for (start, repeated) in shapes {
        faults.set_everywhere(Some(Fault::Repeated(start, repeated)));
        let met = faults.hit_count();
        wait_until("everybody gets one", async || faults.hit_count() >= met + AT_ONCE).await;
    }
    faults.set_everywhere(None);
    wait_until("every order arrives", async || sandbox.warehouse.orders().len() == AT_ONCE).await;
    let peak = process.peak_memory();
    assert!(peak < 128, "{peak} MiB");
    assert!(process.terminate(), "it has lived through them");
}
