//! The admin API: `GET /metrics`, `/status`, `/drops`, `/healthz`, `/sessions`, `/lns`; `POST /reload`, `/follow`, `/alerts`; `POST` and `DELETE /drain`;
//! `DELETE /sessions`; `POST` below `/lns` and `/vpdn`.
//!
//! It has no authentication, so it listens on a loopback address by default; nothing it serves is a secret. `/sessions` alone names
//! subscribers.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::{get, post},
};
use tokio::net::TcpListener;

use super::vpdn;
use crate::{
    metrics,
    registry::alerts::{self, Notification},
    report::Report,
    running::Running,
};

/// Opens the API's address.
///
/// # Errors
///
/// What the kernel says.
pub fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until the task is dropped.
///
/// # Errors
///
/// What the kernel says about the listening socket.
pub async fn serve(listener: std::net::TcpListener, running: Arc<Running>) -> io::Result<()> {
    let routes = Router::new()
        .route("/metrics", get(scrape))
        .route("/status", get(status))
        .route("/drops", get(drops))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/reload", post(reload))
        .route("/follow", post(follow))
        .route("/alerts", post(alerts))
        .route("/drain", post(|state| drain(state, true)).delete(|state| drain(state, false)))
        .merge(vpdn::routes())
        .with_state(running);
    axum::serve(TcpListener::from_std(listener)?, routes).await
}

async fn scrape(State(running): State<Arc<Running>>) -> impl IntoResponse {
    let text = read(running, |report| metrics::render(&report)).await;
    text.map(|text| ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

async fn status(State(running): State<Arc<Running>>) -> impl IntoResponse {
    read(running, |report| report).await.map(Json)
}

async fn drops(State(running): State<Arc<Running>>) -> impl IntoResponse {
    beside(move || running.report_drops()).await.map(Json)
}

async fn reload(State(running): State<Arc<Running>>) -> impl IntoResponse {
    // To its end, also where whoever asked does not wait for that.
    match tokio::spawn(async move { running.reload().await }).await {
        Ok(Ok(changes)) => (StatusCode::OK, changes),
        Ok(Err(error)) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n")),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "This node is stopping.\n".to_owned()),
    }
}

/// Somebody has written to the registry, and says so.
async fn follow(State(running): State<Arc<Running>>) -> (StatusCode, &'static str) {
    if running.follower.is_none() {
        return (StatusCode::NOT_FOUND, "This node has no registry: it reads documents.\n");
    }
    // To its end, also where whoever asked does not wait for that.
    match tokio::spawn(async move { running.follow().await }).await {
        Ok(()) => (StatusCode::OK, "The node goes by the registry as it is now.\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "This node is stopping.\n"),
    }
}

/// Prometheus's Alertmanager tells of alerts: each about a contract opens a draft incident.
async fn alerts(State(running): State<Arc<Running>>, body: String) -> (StatusCode, String) {
    let Some(follower) = running.follower.clone() else {
        return (StatusCode::NOT_FOUND, "This node has no registry: it reads documents.\n".to_owned());
    };
    let notification: Notification = match serde_json::from_str(&body) {
        Ok(notification) => notification,
        Err(error) => {
            return (
                StatusCode::BAD_REQUEST,
                format!("no notification of Alertmanager's webhook, version 4: {error}\n"),
            );
        }
    };
    match alerts::note(&follower, &notification).await {
        Ok(opened) => (StatusCode::OK, format!("{opened} drafts opened\n")),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
    }
}

async fn drain(State(running): State<Arc<Running>>, on: bool) -> &'static str {
    let changed = running.set_draining(on);
    match (on, changed) {
        (true, true) => {
            tracing::warn!("draining: Status-Server gets no answer; requests are served as ever");
            "Draining: Status-Server gets no answer; requests are served as ever.\n"
        }
        (false, true) => {
            tracing::info!("no longer draining: Status-Server is answered again");
            "No longer draining: Status-Server is answered again.\n"
        }
        (true, false) => "It is draining already.\n",
        (false, false) => "It was not draining.\n",
    }
}

/// Reads counters beside the runtime: a node with many customers has many.
async fn read<T: Send + 'static>(
    running: Arc<Running>,
    then: impl FnOnce(Report) -> T + Send + 'static,
) -> Result<T, StatusCode> {
    beside(move || then(running.report())).await
}

/// Reads beside the runtime.
pub(super) async fn beside<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> Result<T, StatusCode> {
    tokio::task::spawn_blocking(read).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
