//! Keeps forms from choosing their HTTP method.
//!
//! Rocket turns a POSTed form whose first field is `_method=delete` into a DELETE request. A form
//! on any other site could then send a request that only this server's own scripts may send.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::form::Form;
use rocket::http::Method;
use rocket::{Data, Request, async_trait};

/// The number of bytes of each body that Rocket reads ahead, to look for such a field.
pub(super) const READ_AHEAD: usize = "_method=delete".len();

/// Restores the method POST of a form whose method Rocket has replaced.
pub struct NoMethodOverride;

#[async_trait]
impl Fairing for NoMethodOverride {
    fn info(&self) -> Info {
        Info { name: "no method override", kind: Kind::Request }
    }

    async fn on_request(&self, request: &mut Request<'_>, data: &mut Data<'_>) {
        let is_form = request.content_type().is_some_and(|kind| kind.is_form());
        if is_form && chooses_method(data.peek(READ_AHEAD).await) {
            request.set_method(Method::Post);
        }
    }
}

/// Returns whether Rocket takes the method from a form with this `start`.
fn chooses_method(start: &[u8]) -> bool {
    std::str::from_utf8(start)
        .ok()
        .and_then(|form| Form::values(form).next())
        .is_some_and(|field| field.name == "_method")
}
