//! The health checks, for service managers and load balancers.

use std::sync::Arc;

use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{State, get};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;

use crate::http::openapi::documented_routes;
use crate::model::clock::Clock;
use crate::store::Store;
use crate::store::condition::FileFault;
use crate::store::disk::MIN_FREE_BYTES;

/// `status` is `ok`, or the reason for a failure.
#[derive(Default, Serialize, ToSchema)]
struct Health {
    status: String,
    /// the number of promotions of the database, if there were any
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    /// the address of the primary, on a standby
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_url: Option<String>,
    /// on a standby whose primary has a heartbeat: it holds everything that is older than so many seconds
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    lag_seconds: Option<f64>,
}

/// Check that the server runs
#[utoipa::path(get, path = "/healthz",
    responses((status = 200, description = "the server runs", body = Health))
)]
#[get("/healthz")]
fn healthz() -> Json<Health> {
    Json(Health { status: "ok".into(), ..Health::default() })
}

/// Check that the database answers and is sound, and the disk has free space
#[utoipa::path(get, path = "/readyz",
    responses(
        (status = 200, description = "the server is ready", body = Health),
        (status = 503, description = "the server is not ready; `status` is the reason", body = Health),
    )
)]
#[get("/readyz")]
fn readyz(store: &State<Arc<Store>>, clock: &State<Clock>) -> (Status, Json<Health>) {
    let (code, status) = match readiness_failure(store) {
        None => (Status::Ok, "ok".to_owned()),
        Some(why) => (Status::ServiceUnavailable, why.to_owned()),
    };
    let primary_url = store.primary_url().map(str::to_owned);
    let Ok(replication) = store.replication() else {
        return (code, Json(Health { status, primary_url, ..Health::default() }));
    };
    let lag = |beat: i64| (clock.now().millis() - beat).max(0) as f64 / 1000.0;
    let lag_seconds = replication.heartbeat_ms.filter(|_| primary_url.is_some()).map(lag);
    let epoch = Some(replication.epoch).filter(|epoch| *epoch > 0);
    (code, Json(Health { status, epoch, primary_url, lag_seconds }))
}

fn readiness_failure(store: &Store) -> Option<&'static str> {
    if let Err(e) = store.ping() {
        tracing::error!("not ready: the database does not answer: {e}");
        return Some("the database does not answer");
    }
    match store.file_fault() {
        Some(FileFault::Replaced) if store.primary_url().is_some() => {
            return Some("the file was replaced; restart the standby");
        }
        Some(FileFault::Replaced) => return Some("the database was replaced or deleted"),
        Some(FileFault::Damaged) => return Some("the database is damaged"),
        None => {}
    }
    match store.room() {
        Ok(room) if room < MIN_FREE_BYTES => Some("the disk is nearly full"),
        Ok(_) => None,
        Err(e) => {
            tracing::error!("not ready: cannot read the free space of the disk: {e}");
            Some("the disk does not answer")
        }
    }
}

documented_routes! {
    /// Returns the routes, to be mounted at `/`.
    pub fn routes, fn api => [healthz, readyz]
}

/// Describes the routes for the OpenAPI document.
pub fn describe() -> OpenApi {
    api()
}
