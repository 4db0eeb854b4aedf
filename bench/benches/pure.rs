//! The pure parts that run for every webhook and every attempt.

use std::hint::black_box;

use chrono::{DateTime, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use silta::{
    domain::{
        delivery::Leased,
        event::Source,
        fingerprint::{Sameness, fingerprint},
        id::{ClaimId, DeliveryId},
        outcome::{Outcome, Reason},
        retry::RetryPolicy,
        settlement::settle,
        subject::{Subject, Urgency},
    },
    systems::{
        mycashflow,
        signature::{Encoding, Scheme},
    },
};
use sqlx::types::Uuid;

fn pure(criterion: &mut Criterion) {
    let body = format!(r#"{{"topic":"order.created","data":{{"id":1042,"pad":"{}"}}}}"#, "x".repeat(1980));
    let scheme =
        Scheme { header: "X-Signature".into(), encoding: Encoding::Hex, secrets: vec!["secret".into(); 2] };
    criterion.bench_function("verify 2 KB, the wrong one of two secrets first", |bench| {
        bench.iter(|| scheme.verify(black_box(body.as_bytes()), &"0".repeat(64)));
    });
    let now: DateTime<Utc> = DateTime::UNIX_EPOCH;
    criterion.bench_function("fingerprint of 2 KB", |bench| {
        let of = |body| fingerprint(Source::MyCashflow, "order.created", body, Sameness::Forever, now);
        bench.iter(|| of(black_box(body.as_bytes())));
    });
    criterion.bench_function("read a webhook of 2 KB", |bench| {
        bench.iter(|| {
            let json = serde_json::from_slice(black_box(body.as_bytes())).expect("it is JSON");
            mycashflow::webhook::read(&json, None)
        });
    });
    let held = Leased {
        id: DeliveryId(Uuid::nil()),
        claim: ClaimId(Uuid::nil()),
        connection: "shop".into(),
        subject: Subject::order("1042"),
        urgency: Urgency(0),
        attempts: 3,
        number: 3,
        deeds: 1,
        created_at: now,
        claimed_at: now,
        connected_at: now,
        connection_faults: 0,
    };
    let policy = RetryPolicy {
        base: std::time::Duration::from_secs(2),
        cap: std::time::Duration::from_secs(3600),
        attempts: 12,
        look_again: std::time::Duration::from_secs(10),
        unknown_for: std::time::Duration::from_secs(6 * 3600),
    };
    let failed = Outcome::Retryable { reason: Reason::SystemFailed };
    criterion.bench_function("settle", |bench| {
        bench.iter(|| settle(black_box(&held), &failed, None, &policy, now, 0.5));
    });
}

criterion_group!(benches, pure);
criterion_main!(benches);
