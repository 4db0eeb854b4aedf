//! Counts that move by themselves: one small stream a page, for whoever has a script.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::stream::{Stream, unfold};
use serde_json::json;
use tokio::{
    sync::Mutex,
    time::{Instant, interval},
};

use super::{Dash, session::Visitor};
use crate::store::{
    self,
    views::{attention, overview},
};

const EVERY: Duration = Duration::from_secs(3);

/// The counts that the streams of a process share.
#[derive(Default)]
pub struct Counts(Mutex<Option<(Instant, String)>>);

/// The counts now, and whenever they have changed; ends with the service.
pub(super) async fn stream(
    State(dash): State<Dash>,
    _: Visitor,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let begin = (dash, interval(EVERY), String::new());
    let told = unfold(begin, async |(dash, mut ticks, last)| {
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = dash.leaving.cancelled() => return None,
            }
            // A database that is away shows on the page's next reading.
            let Ok(counts) = shared(&dash).await else { continue };
            if counts != last {
                return Some((Ok(Event::default().data(&counts)), (dash, ticks, counts)));
            }
        }
    });
    Sse::new(told).keep_alive(KeepAlive::default())
}

/// The counts as some stream read them of late: however many look, the database is asked once.
async fn shared(dash: &Dash) -> store::Result<String> {
    let mut kept = dash.counts.0.lock().await;
    match &*kept {
        Some((at, counts)) if at.elapsed() < EVERY / 2 => Ok(counts.clone()),
        _ => {
            let counts = counts(dash).await?;
            *kept = Some((Instant::now(), counts.clone()));
            Ok(counts)
        }
    }
}

async fn counts(dash: &Dash) -> store::Result<String> {
    let mut db = dash.pool.acquire().await?;
    let needs: i64 = attention::causes(&mut db).await?.iter().map(|cause| cause.count).sum();
    let backlog = overview::backlog(&mut db, dash.clock.now()).await?;
    let open: i64 = backlog.iter().map(|backlog| backlog.open).sum();
    let due: i64 = backlog.iter().map(|backlog| backlog.due).sum();
    Ok(json!({ "needs": needs, "open": open, "due": due }).to_string())
}
