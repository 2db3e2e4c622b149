//! The Bottle contract, in both its revisions: accounts, and the bottles themselves.

mod bottles;
mod envelope;
mod guard;
mod query;
mod users;
mod view;

use rocket::{Catcher, Route, catchers, routes};

/// Every endpoint, to be mounted at `/api` and, for the first draft, at `/`.
pub fn routes() -> Vec<Route> {
    routes![
        users::log_in,
        users::log_out,
        users::register,
        users::profile,
        users::update,
        bottles::throw,
        bottles::nearby,
        bottles::created,
        bottles::opened,
        bottles::open,
        bottles::openers,
    ]
}

/// The envelope for whatever no endpoint answered.
pub fn catchers() -> Vec<Catcher> {
    catchers![envelope::refuse]
}
