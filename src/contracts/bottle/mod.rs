//! The Bottle contract, in both its revisions: accounts, and the bottles themselves.

mod bottles;
mod envelope;
mod guard;
mod nearby;
mod page;
mod query;
mod users;
mod view;

pub use page::{DemoAccount, Mbtiles, PageSettings};
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
        nearby::nearby,
        bottles::created,
        bottles::opened,
        bottles::open,
        bottles::openers,
    ]
}

/// What the page asks for besides, to be mounted at `/api`.
pub fn page_routes() -> Vec<Route> {
    routes![
        page::settings,
        page::counts,
        users::export,
        users::log_out_everywhere,
        users::delete_account
    ]
}

/// The envelope for whatever no endpoint answered.
pub fn catchers() -> Vec<Catcher> {
    catchers![envelope::refuse]
}
