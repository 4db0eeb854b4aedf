//! Streams the counts to open pages as server-sent events.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::stream::{Stream, unfold};
use tokio::time::interval;

use super::{
    deps::DashboardState,
    user::{User, find_session},
};

const INTERVAL: Duration = Duration::from_secs(3);

/// Sends the counts now and whenever they change, until shutdown or
/// the end of the session.
pub(super) async fn stream(
    State(deps): State<DashboardState>,
    user: User,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let audience = user.audience();
    let start = (deps, headers, interval(INTERVAL), (audience, String::new()));
    let events = unfold(start, async |(deps, headers, mut ticks, (audience, last))| {
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = deps.closing.cancelled() => return None,
            }
            // Once the session or its token has ended, nothing more is sent.
            match find_session(&deps, &headers).await {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(_) => continue, // as below
            }
            let counts = deps.counts.get(&deps.pool, audience, (deps.clock.now(), INTERVAL / 2)).await;
            // An unavailable database shows at the page's next load.
            let Ok(counts) = counts else { continue };
            if counts != last {
                return Some((
                    Ok(Event::default().data(&counts)),
                    (deps, headers, ticks, (audience, counts)),
                ));
            }
        }
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
