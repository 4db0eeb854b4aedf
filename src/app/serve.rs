//! Runs the components of the service side by side, and replaces them at a reload.
//!
//! A reload builds a whole new service beside the old one. The router changes between two requests. The old generation
//! claims nothing new and lets its attempts end, as before a shutdown, while the new one already works. The two share the
//! database as two replicas do, so nothing is lost or done twice, and no webhook is refused in between.

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

use super::{
    build::{App, ServiceHalf},
    shutdown::Shutdown,
};
use crate::web::server;

/// Where the service listens.
pub struct Listeners {
    /// For everything.
    pub main: TcpListener,
    /// For readiness and metrics, where these are not to be on the first one.
    pub monitoring: Option<TcpListener>,
}

/// The pause before a component is restarted after a panic.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// Serves until stopped, and returns once everything that was started has ended. Each service that arrives by `reloads`
/// replaces the one before.
pub async fn serve(
    mut app: App,
    listeners: Listeners,
    limits: server::Limits,
    only: Option<ServiceHalf>,
    shutdown: Shutdown,
    mut reloads: mpsc::Receiver<App>,
) {
    let Shutdown { soft, hard } = shutdown;
    let Listeners { main, monitoring } = listeners;
    let has_own = monitoring.is_some();
    let (routers, router) = watch::channel(router_for(&app, only, has_own));
    let (health_routers, health_router) = watch::channel(app.health.clone());
    let tasks = TaskTracker::new();
    let listening = tasks.spawn(server::serve(main, router, limits, soft.clone(), hard.clone()));
    if let Some(monitoring) = monitoring {
        // Its clients are no clients of the proxies in front.
        let limits = server::Limits { proxies: 0, ..limits };
        tasks.spawn(server::serve(monitoring, health_router, limits, soft.clone(), hard.clone()));
    }
    loop {
        let generation = soft.child_token();
        let (hot_pool, closing) = (app.hot_pool.clone(), app.closing.clone());
        let running = tasks.spawn(run(app, only, generation.clone(), hard.clone()));
        let next = tokio::select! {
            () = soft.cancelled() => None,
            next = reloads.recv() => next,
        };
        if let Some(next) = next {
            // The old pool stays open: requests to the old router still need it.
            drop(routers.send_replace(router_for(&next, only, has_own)));
            drop(health_routers.send_replace(next.health.clone()));
            closing.cancel();
            generation.cancel();
            app = next;
            continue;
        }
        soft.cancelled().await; // no more reloads
        closing.cancel();
        let _ = running.await;
        tasks.close();
        let _ = listening.await;
        tasks.wait().await; // an older generation may still finish its last attempts
        hot_pool.close().await;
        return;
    }
}

/// The endpoints of the first listener of a process with this half.
fn router_for(app: &App, only: Option<ServiceHalf>, monitoring_has_own: bool) -> Router {
    match (only, monitoring_has_own) {
        (Some(ServiceHalf::Worker), false) => app.health.clone(),
        (Some(ServiceHalf::Worker), true) => app.liveness.clone(),
        (Some(ServiceHalf::Http) | None, false) => app.router.clone(),
        (Some(ServiceHalf::Http) | None, true) => app.public.clone(),
    }
}

/// Runs the background components until stopped, and returns once everything that was started has ended.
async fn run(app: App, only: Option<ServiceHalf>, soft: CancellationToken, hard: CancellationToken) {
    let App { worker, retention, counts, alerts, subscriptions, key_usage, work, pool, .. } = app;
    let end = hard.clone();
    let (poller, syncer) = (Arc::new(app.poller), Arc::new(app.syncer));
    let worker_half = async {
        if only != Some(ServiceHalf::Http) {
            tokio::join!(
                supervise("worker", &soft, (worker, hard), |(worker, hard), soft| async move {
                    worker.run(soft, hard).await;
                }),
                supervise("polls", &soft, poller, |poller, soft| async move { poller.run(soft).await }),
                supervise("syncs", &soft, syncer, |syncer, soft| async move { syncer.run(soft).await }),
                supervise("retention", &soft, retention, |retention, soft| async move {
                    retention.run(soft).await;
                }),
                supervise("counts", &soft, counts, |counts, soft| async move { counts.run(soft).await }),
                supervise("alerts", &soft, alerts, |alerts, soft| async move { alerts.run(soft).await }),
                supervise("subscriptions", &soft, subscriptions, |subscriptions, soft| async move {
                    subscriptions.run(soft).await;
                }),
            );
        }
    };
    let http_half = async {
        if only != Some(ServiceHalf::Worker) {
            supervise("key_usage", &soft, (key_usage, pool), |(key_usage, pool), soft| async move {
                key_usage.run(&pool, soft).await;
            })
            .await;
        }
    };
    tokio::join!(worker_half, http_half);
    work.finish(&end).await;
}

/// Runs a component until it is stopped, and again after a panic: one bad page of a list costs one round of its own
/// component, never the process.
async fn supervise<C, F>(
    name: &str,
    soft: &CancellationToken,
    component: C,
    run: impl Fn(C, CancellationToken) -> F,
) where
    C: Clone,
    F: Future<Output = ()> + Send + 'static,
{
    let tasks = TaskTracker::new();
    while AbortOnDropHandle::new(tasks.spawn(run(component.clone(), soft.clone()))).await.is_err() {
        tracing::error!(component = name, "component panicked, restarting it in a second");
        if tokio::time::timeout(RESTART_PAUSE, soft.cancelled()).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn component_that_panics_is_restarted() {
        let runs = Arc::new(AtomicUsize::new(0));
        let soft = CancellationToken::new();
        supervise("component", &soft, runs.clone(), |runs, _| async move {
            assert!(runs.fetch_add(1, Ordering::SeqCst) > 0, "the first run panics");
        })
        .await;
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }
}
