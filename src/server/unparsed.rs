//! Responses to requests that Rocket cannot parse: an unknown method, or a target without a path.
//! Rocket passes them to a catcher, as a GET with status 400, and runs no fairing.

use std::sync::Arc;

use rocket::catcher::{self, Catcher, Handler};
use rocket::fairing::Fairing;
use rocket::http::Status;
use rocket::{Request, async_trait};

use crate::server::logging::request_start;

/// The response fairings that every response needs.
pub(super) type Fairings = Arc<[Arc<dyn Fairing>]>;

/// Wraps `catchers` so that they run `fairings` on the responses to unparsed requests.
pub(super) fn with_fairings(mut catchers: Vec<Catcher>, fairings: &Fairings) -> Vec<Catcher> {
    for catcher in &mut catchers {
        let (handler, fairings) = (catcher.handler.clone(), Arc::clone(fairings));
        catcher.handler = Box::new(WithFairings { handler, fairings });
    }
    catchers
}

#[derive(Clone)]
struct WithFairings {
    handler: Box<dyn Handler>,
    fairings: Fairings,
}

#[async_trait]
impl Handler for WithFairings {
    async fn handle<'r>(&self, status: Status, request: &'r Request<'_>) -> catcher::Result<'r> {
        let mut response = self.handler.handle(status, request).await?;
        if request_start(request).method.is_none() {
            for fairing in self.fairings.iter() {
                fairing.on_response(request, &mut response).await;
            }
        }
        Ok(response)
    }
}
