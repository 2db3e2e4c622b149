//! Rejects all changes at a standby.

use std::sync::Arc;

use rocket::route::{Handler, Outcome};
use rocket::{Data, Request, Route, async_trait};

use super::drain::{METHODS_EXCEPT_GET, drain};
use super::rejection::Rejection;
use crate::store::Store;

/// Returns the routes of a standby, to be mounted at `/`. They reject every request except GET and HEAD,
/// before a guard looks up its session or hashes its password.
pub fn routes() -> Vec<Route> {
    // After the protection against other sites.
    let route = |method| Route::ranked(isize::MIN + 1, method, "/<_..>", Standby);
    METHODS_EXCEPT_GET.into_iter().map(route).collect()
}

/// Reads the body, then rejects the request.
#[derive(Clone)]
struct Standby;

#[async_trait]
impl Handler for Standby {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        drain(request, data).await;
        let store = request.rocket().state::<Arc<Store>>();
        let primary_url = store.and_then(|store| store.primary_url()).unwrap_or_default();
        Outcome::Error(Rejection::Standby(primary_url.to_owned()).stash(request).0)
    }
}
