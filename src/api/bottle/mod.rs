//! The Bottle contract, in both its revisions: accounts, and the bottles themselves.

mod bottles;
mod envelope;
mod events;
mod export;
mod guard;
mod items;
mod nearby;
mod page;
mod query;
mod teacher;
mod users;
mod view;
mod xray;

pub use page::{DemoAccount, JoinInfo, Mbtiles, PageSettings, SharedJoinInfo};
use rocket::{Catcher, Route, catchers, routes};
use utoipa::OpenApi;

use crate::http::openapi::ContractSpec;

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
        export::export,
        users::log_out_everywhere,
        users::delete_account
    ]
}

/// What keeps the sea alive and kind, to be mounted at `/api`.
pub fn class_routes() -> Vec<Route> {
    routes![
        events::live,
        page::join,
        page::join_picture,
        bottles::delete,
        bottles::report,
        teacher::cases,
        teacher::hide,
        teacher::mute,
        teacher::standing,
        teacher::freeze,
        teacher::log,
        xray::tree,
        xray::search,
    ]
}

/// What the document says of these routes.
pub fn describe() -> ContractSpec {
    #[derive(OpenApi)]
    #[openapi(
        paths(
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
        ),
        components(schemas(envelope::Answer<envelope::ErrorData>))
    )]
    struct Api;
    described(Api::openapi())
}

/// What it says of what the page asks for besides.
pub fn describe_page() -> ContractSpec {
    #[derive(OpenApi)]
    #[openapi(paths(
        page::settings,
        page::counts,
        export::export,
        users::log_out_everywhere,
        users::delete_account
    ))]
    struct Api;
    described(Api::openapi())
}

/// What it says of what keeps the sea alive and kind.
pub fn describe_class() -> ContractSpec {
    #[derive(OpenApi)]
    #[openapi(paths(
        events::live,
        page::join,
        bottles::delete,
        bottles::report,
        teacher::cases,
        teacher::hide,
        teacher::mute,
        teacher::standing,
        teacher::freeze,
        teacher::log,
        xray::tree,
        xray::search,
    ))]
    struct Api;
    described(Api::openapi())
}

fn described(api: utoipa::openapi::OpenApi) -> ContractSpec {
    ContractSpec {
        api,
        contract: "Bottle",
        refusal: "Answer_ErrorData",
        logged_out: "401",
        wrong_field: &["422"],
    }
}

/// The envelope for whatever no endpoint answered.
pub fn catchers() -> Vec<Catcher> {
    catchers![envelope::refuse]
}
