//! What the admin API serves of sessions and LNSs, and the operator's words on them.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};

use super::{query::pairs, server::beside};
use crate::{
    asked::{AskedError, Query},
    running::Running,
    vpdn::words::Verb,
};

/// `GET` and `DELETE /sessions`; `GET /lns`; `POST /lns/{customer}/{name}/{verb}` and `/vpdn/{contract}/failback`.
pub(super) fn routes() -> Router<Arc<Running>> {
    Router::new()
        .route("/sessions", get(sessions).delete(forget))
        .route("/lns", get(lnss))
        .route("/lns/{customer}/{name}/{verb}", post(say))
        .route("/vpdn/{contract}/failback", post(fail_back))
}

async fn sessions(State(running): State<Arc<Running>>, RawQuery(query): RawQuery) -> Result<Response, Response> {
    let query = Query::new(pairs(query.as_deref().unwrap_or_default())).map_err(refusal)?;
    let found = beside(move || running.sessions(&query)).await.map_err(IntoResponse::into_response)?;
    Ok(Json(found.map_err(refusal)?).into_response())
}

/// How many sessions were forgotten.
async fn forget(State(running): State<Arc<Running>>, RawQuery(query): RawQuery) -> Result<Response, Response> {
    let query = Query::new(pairs(query.as_deref().unwrap_or_default())).map_err(refusal)?;
    let forgotten = beside(move || running.forget_sessions(&query)).await.map_err(IntoResponse::into_response)?;
    Ok(Json(forgotten.map_err(refusal)?).into_response())
}

async fn lnss(State(running): State<Arc<Running>>, RawQuery(query): RawQuery) -> Result<Response, Response> {
    let mut customer = None;
    for (name, value) in pairs(query.as_deref().unwrap_or_default()) {
        if name != "customer" {
            return Err(refusal(AskedError::Nonsense(format!("{name:?} is not customer"))));
        }
        customer = Some(value).filter(|value| !value.is_empty());
    }
    let found = beside(move || running.lnss(customer.as_deref())).await.map_err(IntoResponse::into_response)?;
    Ok(Json(found.map_err(refusal)?).into_response())
}

/// 204; 200 with words where the word holds but could not be kept.
async fn say(
    State(running): State<Arc<Running>>,
    Path((customer, name, verb)): Path<(String, String, String)>,
) -> Response {
    let Some(verb) = Verb::ALL.into_iter().find(|known| known.name() == verb) else {
        return (StatusCode::NOT_FOUND, format!("{verb:?} is none of drain, undrain, down, up\n")).into_response();
    };
    let of = format!("{customer}/{name}");
    let said = beside(move || running.say_of_lns(&customer, &name, verb)).await;
    match said {
        Ok(Some(Ok(()))) => StatusCode::NO_CONTENT.into_response(),
        Ok(Some(Err(words))) => (StatusCode::OK, format!("{of}: {words}\n")).into_response(),
        Ok(None) => refusal(AskedError::NoSuch("LNS", of)),
        Err(status) => status.into_response(),
    }
}

async fn fail_back(State(running): State<Arc<Running>>, Path(contract): Path<String>) -> Response {
    match running.fail_back(&contract) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refusal(error),
    }
}

fn refusal(error: AskedError) -> Response {
    let status = match error {
        AskedError::Nonsense(_) => StatusCode::BAD_REQUEST,
        AskedError::NoSuch(..) => StatusCode::NOT_FOUND,
        AskedError::Unable(_) => StatusCode::CONFLICT,
    };
    (status, format!("{error}\n")).into_response()
}
