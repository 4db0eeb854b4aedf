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
use super::{App, ServiceHalf};
use crate::web::server;

/// The pause after a part of the service has panicked.
const PANIC_PAUSE: Duration = Duration::from_secs(1);

/// Serves until told to stop, and ends once everything begun has ended. What comes by `reloads` takes over from what was
/// there.
pub async fn serve(
    mut app: App,
    listener: TcpListener,
    limits: server::Limits,
    only: Option<ServiceHalf>,
    shutdown: Shutdown,
    mut reloads: mpsc::Receiver<App>,
) {
    let Shutdown { soft, hard } = shutdown;
    let (routers, router) = watch::channel(app.router_for(only));
    let tasks = TaskTracker::new();
    let listening = tasks.spawn(server::serve(listener, router, limits, soft.clone(), hard.clone()));
    loop {
        let generation = soft.child_token();
        let (hot_pool, closing) = (app.hot_pool.clone(), app.closing.clone());
        let running = tasks.spawn(app.run(only, generation.clone(), hard.clone()));
        let next = tokio::select! {
            () = soft.cancelled() => None,
            next = reloads.recv() => next,
        };
        if let Some(next) = next {
            // The old pool is not closed: what was asked of the old router is still answered by it.
            drop(routers.send_replace(next.router_for(only)));
            closing.cancel();
            generation.cancel();
            app = next;
            continue;
        }
        soft.cancelled().await; // nobody reloads any more
        closing.cancel();
        let _ = running.await;
        tasks.close();
        let _ = listening.await;
        tasks.wait().await; // an older generation may still let its last attempts end
        hot_pool.close().await;
        return;
    }
}

impl App {
    /// What a process of this half answers.
    fn router_for(&self, only: Option<ServiceHalf>) -> Router {
        if only == Some(ServiceHalf::Worker) { self.health.clone() } else { self.router.clone() }
    }

    /// Works until told to stop, and ends once everything begun has ended.
    async fn run(self, only: Option<ServiceHalf>, soft: CancellationToken, hard: CancellationToken) {
        let Self { worker, retention, alerts, subscriptions, key_usage, pool, .. } = self;
        let (poller, syncer) = (Arc::new(self.poller), Arc::new(self.syncer));
        /// Clones what a part needs, and runs it under supervision.
        macro_rules! run_supervised {
            ($name:literal, |$($it:ident),+| $run:expr) => {
                supervise($name, &soft, || {
                    $(let $it = $it.clone();)+
                    async move { $run.await }
                })
            };
        }
        let worker_half = async {
            if only != Some(ServiceHalf::Http) {
                tokio::join!(
                    run_supervised!("worker", |worker, soft, hard| worker.run(soft, hard)),
                    run_supervised!("polls", |poller, soft| poller.run(soft)),
                    run_supervised!("syncs", |syncer, soft| syncer.run(soft)),
                    run_supervised!("retention", |retention, soft| retention.run(soft)),
                    run_supervised!("alerts", |alerts, soft| alerts.run(soft)),
                    run_supervised!("subscriptions", |subscriptions, soft| subscriptions.run(soft)),
                );
            }
        };
        let http_half = async {
            if only != Some(ServiceHalf::Worker) {
                run_supervised!("key_usage", |key_usage, pool, soft| key_usage.run(&pool, soft)).await;
            }
        };
        tokio::join!(worker_half, http_half);
    }
}

/// Runs a part of the service until told to stop, and again after a panic: a poisoned page of a list costs one turn of
/// its own part, never the process.
async fn supervise<F>(name: &str, soft: &CancellationToken, run: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let tasks = TaskTracker::new();
    while AbortOnDropHandle::new(tasks.spawn(run())).await.is_err() {
        tracing::error!(component = name, "panicked: a fault of ours; it goes on in a second");
        if tokio::time::timeout(PANIC_PAUSE, soft.cancelled()).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_part_of_the_service_that_panics_goes_on_and_the_others_never_notification() {
        let turns = Arc::new(AtomicUsize::new(0));
        let soft = CancellationToken::new();
        supervise("component", &soft, || {
            let turns = turns.clone();
            async move { assert!(turns.fetch_add(1, Ordering::SeqCst) > 0, "as the test wants it") }
        })
        .await;
        assert_eq!(turns.load(Ordering::SeqCst), 2);
    }
}
