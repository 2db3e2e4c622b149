//! The Bottle contract, in both its revisions: accounts and bottles.

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

/// Returns the documented routes, to be mounted at `/api` and, for the first draft, at `/`.
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

/// Returns the further routes of the page, to be mounted at `/api`.
pub fn page_routes() -> Vec<Route> {
    routes![
        page::settings,
        page::counts,
        export::export,
        users::log_out_everywhere,
        users::delete_account
    ]
}

/// Returns the routes for a class (events, joining, moderation, x-ray), to be mounted at `/api`.
pub fn class_routes() -> Vec<Route> {
    routes![
        events::stream,
        page::join,
        page::join_qr_code,
        bottles::delete,
        bottles::report,
        teacher::cases,
        teacher::hide,
        teacher::mute,
        teacher::status,
        teacher::freeze,
        teacher::log,
        xray::tree,
        xray::search,
    ]
}

/// Describes [`routes`] for the OpenAPI document.
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
        components(schemas(envelope::Envelope<envelope::ErrorData>))
    )]
    struct Api;
    contract_spec(Api::openapi())
}

/// Describes [`page_routes`] for the OpenAPI document.
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
    contract_spec(Api::openapi())
}

/// Describes [`class_routes`] for the OpenAPI document.
pub fn describe_class() -> ContractSpec {
    #[derive(OpenApi)]
    #[openapi(paths(
        events::stream,
        page::join,
        bottles::delete,
        bottles::report,
        teacher::cases,
        teacher::hide,
        teacher::mute,
        teacher::status,
        teacher::freeze,
        teacher::log,
        xray::tree,
        xray::search,
    ))]
    struct Api;
    contract_spec(Api::openapi())
}

fn contract_spec(api: utoipa::openapi::OpenApi) -> ContractSpec {
    ContractSpec {
        api,
        contract: "Bottle",
        error_schema: "Envelope_ErrorData",
        unauthenticated_status: "401",
        invalid_field_statuses: &["422"],
    }
}

/// Returns the catcher, which answers in the envelope.
pub fn catchers() -> Vec<Catcher> {
    catchers![envelope::catch_all]
}
