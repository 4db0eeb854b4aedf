//! Serving: the parts of the service side by side, and one generation of them after another.
//!
//! A configuration is reloaded by building a whole new service from it beside the old one. The router is changed
//! between two requests; the old generation claims nothing new and lets its attempts end, as before a shutdown, while
//! the new one has begun. The two meet as two replicas do, so nothing is lost or done twice, and no webhook is refused
//! in between.

use std::{sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};

use super::shutdown::Shutdown;
use super::{App, Only};
use crate::web::server;

/// The pause after a part of the service has panicked.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// Serves until told to stop, and ends once everything begun has ended. What comes by `reloads` takes over from what was
/// there.
pub async fn serve(
    mut app: App,
    listener: TcpListener,
    limits: server::Limits,
    only: Option<Only>,
    shutdown: Shutdown,
    mut reloads: mpsc::Receiver<App>,
) {
    let Shutdown { soft, hard } = shutdown;
    let (routers, router) = watch::channel(app.answers(only));
    let tasks = TaskTracker::new();
    let listening = tasks.spawn(server::serve(listener, router, limits, soft.clone(), hard.clone()));
    loop {
        let generation = soft.child_token();
        let (hot, leaving) = (app.hot.clone(), app.leaving.clone());
        let running = tasks.spawn(app.run(only, generation.clone(), hard.clone()));
        let next = tokio::select! {
            () = soft.cancelled() => None,
            next = reloads.recv() => next,
        };
        if let Some(next) = next {
            // The old pool is not closed: what was asked of the old router is still answered by it.
            drop(routers.send_replace(next.answers(only)));
            leaving.cancel();
            generation.cancel();
            app = next;
            continue;
        }
        soft.cancelled().await; // nobody reloads any more
        leaving.cancel();
        let _ = running.await;
        tasks.close();
        let _ = listening.await;
        tasks.wait().await; // an older generation may still let its last attempts end
        hot.close().await;
        return;
    }
}

impl App {
    /// What a process of this half answers.
    fn answers(&self, only: Option<Only>) -> Router {
        if only == Some(Only::Worker) { self.watch.clone() } else { self.router.clone() }
    }

    /// Works until told to stop, and ends once everything begun has ended.
    async fn run(self, only: Option<Only>, soft: CancellationToken, hard: CancellationToken) {
        let Self { worker, retention, alerts, subscriptions, tally, pool, .. } = self;
        let (sweeper, syncer) = (Arc::new(self.sweeper), Arc::new(self.syncer));
        /// Clones what a part needs, and runs it under supervision.
        macro_rules! part {
            ($name:literal, |$($it:ident),+| $run:expr) => {
                supervised($name, &soft, || {
                    $(let $it = $it.clone();)+
                    async move { $run.await }
                })
            };
        }
        let works = async {
            if only != Some(Only::Http) {
                tokio::join!(
                    part!("worker", |worker, soft, hard| worker.run(soft, hard)),
                    part!("sweeps", |sweeper, soft| sweeper.run(soft)),
                    part!("syncs", |syncer, soft| syncer.run(soft)),
                    part!("retention", |retention, soft| retention.run(soft)),
                    part!("alerts", |alerts, soft| alerts.run(soft)),
                    part!("subscriptions", |subscriptions, soft| subscriptions.run(soft)),
                );
            }
        };
        let answers = async {
            if only != Some(Only::Worker) {
                part!("tally", |tally, pool, soft| tally.run(&pool, soft)).await;
            }
        };
        tokio::join!(works, answers);
    }
}

/// Runs a part of the service until told to stop, and again after a panic: a poisoned page of a list costs one turn of
/// its own part, never the process.
async fn supervised<F>(part: &str, soft: &CancellationToken, run: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let tasks = TaskTracker::new();
    while AbortOnDropHandle::new(tasks.spawn(run())).await.is_err() {
        tracing::error!(part, "panicked: a fault of ours; it goes on in a second");
        if tokio::time::timeout(AFTER_PANIC, soft.cancelled()).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_part_of_the_service_that_panics_goes_on_and_the_others_never_notice() {
        let turns = Arc::new(AtomicUsize::new(0));
        let soft = CancellationToken::new();
        supervised("part", &soft, || {
            let turns = turns.clone();
            async move { assert!(turns.fetch_add(1, Ordering::SeqCst) > 0, "as the test wants it") }
        })
        .await;
        assert_eq!(turns.load(Ordering::SeqCst), 2);
    }
}
