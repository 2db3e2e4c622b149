//! A form may not choose its method. Rocket lets the first field of a POSTed form, `_method=delete`,
//! make a DELETE of it: then a page of anyone's could send what only this server's own scripts may.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::form::Form;
use rocket::http::Method;
use rocket::{Data, Request, async_trait};

/// So much of each body Rocket reads ahead, to look for such a field.
pub(super) const READ_AHEAD: usize = "_method=delete".len();

/// Makes such a request the POST again that it was sent as.
pub struct NoMethodOverride;

#[async_trait]
impl Fairing for NoMethodOverride {
    fn info(&self) -> Info {
        Info { name: "forms are posted", kind: Kind::Request }
    }

    async fn on_request(&self, request: &mut Request<'_>, data: &mut Data<'_>) {
        let is_form = request.content_type().is_some_and(|kind| kind.is_form());
        if is_form && chooses_method(data.peek(READ_AHEAD).await) {
            request.set_method(Method::Post);
        }
    }
}

/// Whether Rocket would have taken the method from this form.
fn chooses_method(start: &[u8]) -> bool {
    std::str::from_utf8(start)
        .ok()
        .and_then(|form| Form::values(form).next())
        .is_some_and(|field| field.name == "_method")
}
