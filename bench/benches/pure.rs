//! The pure functions that run for every webhook and every attempt.

use std::{hint::black_box, time::Duration};

use chrono::{DateTime, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use silta::{
    domain::{
        event::{
            dedup::{DedupScope, fingerprint},
            reference::ReferencePrefixes,
            source::Source,
            subject::{Priority, Subject},
        },
        id::{ClaimId, TaskId},
        order::{
            CachedDigest, Decision, OrderPolicy, OrderView, Recipient, ShopLine, ShopOrder, ShopStatus,
            TransferTime, UnitPrices, UnreadableFields, decide,
        },
        product::{ProductPolicy, Supplier},
        redact::Redactor,
        switch::Switch,
        task::{
            ledger::Ledger,
            outcome::Outcome,
            reason::Reason,
            retry::RetryPolicy,
            state::LeasedTask,
            subject_state::SubjectState,
            transition::{AttemptEnd, transition},
        },
    },
    security::signature::{Encoding, SignatureScheme},
    vendors::{json_outline::outline, mycashflow, ogoship},
};
use sqlx::types::Uuid;

fn pure(criterion: &mut Criterion) {
    let lines: Vec<_> = (0..19).map(line).collect();
    let body = json!({ "topic": "order.created", "data": { "id": 1042, "products": lines } }).to_string();
    let scheme = SignatureScheme {
        header: "X-Signature".into(),
        encoding: Encoding::Hex,
        secrets: vec!["secret".into(); 2],
    };
    criterion.bench_function("verify 2 KB, the wrong one of two secrets first", |bench| {
        bench.iter(|| scheme.verify(black_box(body.as_bytes()), &"0".repeat(64)));
    });
    let now: DateTime<Utc> = DateTime::UNIX_EPOCH;
    criterion.bench_function("fingerprint of 2 KB", |bench| {
        let of = |body| fingerprint(Source::MyCashflow, "order.created", body, DedupScope::Permanent, now);
        bench.iter(|| of(black_box(body.as_bytes())));
    });
    criterion.bench_function("read a webhook of 2 KB", |bench| {
        bench.iter(|| {
            let outline = outline(black_box(body.as_bytes())).expect("it is JSON");
            mycashflow::webhook::read(&outline, None)
        });
    });
    let held = LeasedTask {
        id: TaskId(Uuid::nil()),
        claim: ClaimId(Uuid::nil()),
        connection: "shop".into(),
        subject: Subject::order("1042"),
        priority: Priority(0),
        has_risen: false,
        failures: 3,
        number: 3,
        actions: 1,
        created_at: now,
        due_at: now,
        claimed_at: now,
        connected_at: now,
        connection_faults: 0,
        snoozes: 0,
        suspects: Vec::new(),
    };
    let policy = RetryPolicy {
        base: std::time::Duration::from_secs(2),
        cap: std::time::Duration::from_secs(3600),
        attempts: 12,
        recheck_delay: std::time::Duration::from_secs(10),
        unknown_for: std::time::Duration::from_secs(6 * 3600),
    };
    let failed = Outcome::Retryable { reason: Reason::VendorFailed };
    criterion.bench_function("transition", |bench| {
        bench.iter(|| {
            transition(
                black_box(&held),
                &AttemptEnd {
                    outcome: &failed,
                    in_doubt_since: None,
                    keeps_place: false,
                    at: now,
                    jitter: 0.5,
                },
                &policy,
            )
        });
    });
    order(criterion, now);
}

/// A line of an order in a webhook: about a hundred bytes.
fn line(number: u32) -> Value {
    json!({ "id": number, "product_code": format!("S-{:016x}", u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        "quantity": number % 7 + 1, "price": "129.90", "name": "A product of the shop" })
}

/// A paid order of five lines that is sent to the warehouse.
fn order(criterion: &mut Criterion, now: DateTime<Utc>) {
    let row = |number: u32| ShopLine {
        code: Some(format!("S-{number}")),
        name: Some(format!("Product {number}")),
        supplier: Supplier::NotRead,
        quantity: 2.into(),
        is_download: false,
        unit_price: None,
        vat_rate: None,
        shipment_id: None,
        customization: None,
    };
    let shop = ShopOrder {
        id: "1042".into(),
        created_at: Some(now),
        version: Some("v1".into()),
        status: ShopStatus::Open,
        recipient: Recipient {
            name: "N".into(),
            street: "S".into(),
            city: "C".into(),
            country: "FI".into(),
            ..Recipient::default()
        },
        shipping: None,
        lines: (0..5).map(row).collect(),
        total: None,
        payments: Vec::new(),
        shipments: Vec::new(),
        comments: None,
        receipt_url: None,
        unreadable: UnreadableFields::default(),
    };
    let policy = OrderPolicy {
        transfer: Switch::Automatic,
        when: TransferTime::Created,
        hold: Duration::ZERO,
        not_before: None,
        references: ReferencePrefixes::new("k-"),
        shipping: Vec::new(),
        cash_on_delivery: Vec::new(),
        products: ProductPolicy::default(),
        comments: false,
        customizations: false,
        receipt: false,
        unit_prices: UnitPrices::Unsent,
        longest_field: 100,
        edit: false,
        cancel: true,
        send_emails: true,
        shipment_tracking: false,
        return_types: Vec::new(),
        test: false,
        redactor: Redactor::default(),
        recheck_delay: Duration::from_secs(10),
        digest: CachedDigest::default(),
    };
    let (known, ledger) = (SubjectState::default(), Ledger::default());
    let view = OrderView {
        shop: Some(&shop),
        warehouse: None,
        reference: "k-1042".into(),
        ledger: &ledger,
        known: &known,
        intent: None,
        leaves_at: None,
        confirmed: &[],
        policy: &policy,
        connected_at: now,
        now,
    };
    let Decision::Place(placed) = decide(&view) else { panic!("a new order is placed") };
    criterion.bench_function("decide about a new order of five lines", |bench| {
        bench.iter(|| decide(black_box(&view)));
    });
    criterion.bench_function("translate it for the warehouse, as JSON", |bench| {
        bench.iter(|| serde_json::to_vec(&ogoship::translate::new_order(black_box(&placed))));
    });
}

criterion_group!(benches, pure);
criterion_main!(benches);
