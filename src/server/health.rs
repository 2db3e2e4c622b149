//! The health checks, for service managers and load balancers.

use std::sync::Arc;

use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{State, get};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;

use crate::http::openapi::documented_routes;
use crate::store::Store;
use crate::store::condition::FileFault;
use crate::store::disk::MIN_FREE_BYTES;

/// `status` is `ok`, or the reason for a failure.
#[derive(Serialize, ToSchema)]
struct Health {
    status: String,
}

/// Check that the server runs
#[utoipa::path(get, path = "/healthz",
    responses((status = 200, description = "the server runs", body = Health))
)]
#[get("/healthz")]
fn healthz() -> Json<Health> {
    Json(Health { status: "ok".into() })
}

/// Check that the database answers and is sound, and the disk has free space
#[utoipa::path(get, path = "/readyz",
    responses(
        (status = 200, description = "the server is ready", body = Health),
        (status = 503, description = "the server is not ready; `status` is the reason", body = Health),
    )
)]
#[get("/readyz")]
fn readyz(store: &State<Arc<Store>>) -> (Status, Json<Health>) {
    let (code, status) = match readiness_failure(store) {
        None => (Status::Ok, "ok".to_owned()),
        Some(why) => (Status::ServiceUnavailable, why.to_owned()),
    };
    (code, Json(Health { status }))
}

fn readiness_failure(store: &Store) -> Option<&'static str> {
    if let Err(e) = store.ping() {
        tracing::error!("not ready: the database does not answer: {e}");
        return Some("the database does not answer");
    }
    match store.file_fault() {
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
