//! Whether the server lives, and whether it can do its work: for whatever starts and stops it.

use std::sync::Arc;

use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{Route, State, get, routes};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::store::Store;

/// With less room than this on the disk, changes may soon be refused.
const MIN_FREE_BYTES: u64 = 32 * 1024 * 1024;

/// `status` is `ok`, or why it is not.
#[derive(Serialize, ToSchema)]
struct Health {
    status: String,
}

/// Whether it runs
#[utoipa::path(get, path = "/healthz",
    responses((status = 200, description = "it runs", body = Health))
)]
#[get("/healthz")]
fn healthz() -> Json<Health> {
    Json(Health { status: "ok".into() })
}

/// Whether the database answers and the disk has room
#[utoipa::path(get, path = "/readyz",
    responses(
        (status = 200, description = "both", body = Health),
        (status = 503, description = "not so: `status` says why", body = Health),
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
        tracing::error!("the database does not answer: {e}");
        return Some("the database does not answer");
    }
    match store.room() {
        Ok(room) if room < MIN_FREE_BYTES => Some("the disk is nearly full"),
        Ok(_) => None,
        Err(e) => {
            tracing::error!("the disk does not answer: {e}");
            Some("the disk does not answer")
        }
    }
}

/// Routes, to be mounted at `/`.
pub fn routes() -> Vec<Route> {
    routes![healthz, readyz]
}

/// What the document says of them.
pub fn describe() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(paths(healthz, readyz))]
    struct Api;
    Api::openapi()
}
