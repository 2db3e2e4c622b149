//! The Bottle contract, in both its revisions: accounts and bottles.

mod admin;
mod blocks;
mod bottles;
mod case_view;
mod classes;
mod credential;
mod envelope;
mod events;
mod export;
mod feeds;
mod guard;
mod inbox;
mod inbox_kinds;
mod items;
mod join_address;
mod map_bottle_view;
mod nearby;
mod opening;
mod page;
mod projector;
mod query;
mod record;
mod replies;
mod setup;
mod teacher;
mod tokens;
mod users;
mod view;
mod xray;

pub use admin::settings::{SettingOrigin, SettingRow, SettingsTable};
pub use page::{DemoAccount, JoinInfo, MapKind, MapView, Mbtiles, PageSettings, SharedJoinInfo};
use rocket::{Catcher, Route, catchers, routes};
use utoipa::openapi::OpenApi;

use crate::http::openapi::{ContractSpec, documented_routes};

documented_routes! {
    /// Returns the documented routes, to be mounted at `/api` and, for the first draft, at `/`.
    pub fn routes, fn api, schemas(envelope::Envelope<envelope::ErrorData>) => [
        users::log_in,
        users::log_out,
        users::register,
        users::profile,
        users::update,
        bottles::throw,
        nearby::nearby,
        bottles::created,
        bottles::opened,
        opening::open,
        bottles::openers,
    ]
}

documented_routes! {
    /// Returns the further routes of the page, to be mounted at `/api`.
    pub fn page_routes, fn page_api => [
        page::settings,
        page::counts,
        export::export,
        users::log_out_everywhere,
        users::delete_account,
    ]
}

documented_routes! {
    /// Returns the routes of conversations, the inbox and the catch, to be mounted at `/api`.
    pub fn conversation_routes, fn conversation_api => [
        replies::reply,
        replies::replies,
        replies::threads,
        replies::delete,
        replies::report,
        blocks::block,
        blocks::blocked,
        inbox::inbox,
        inbox::mark_read,
        inbox::stream,
        opening::catch,
    ]
}

documented_routes! {
    /// Returns the routes for a class (events, joining, moderation, x-ray), to be mounted at
    /// `/api`.
    pub fn class_routes, fn class_api => [
        events::stream,
        page::join,
        bottles::delete,
        bottles::report,
        teacher::cases,
        teacher::hide,
        teacher::hide_reply,
        teacher::mute,
        teacher::status,
        teacher::freeze,
        teacher::log,
        projector::newest,
        xray::tree,
        xray::search,
    ]
}

documented_routes! {
    /// Returns the routes that manage personal access tokens and the feed, to be mounted at `/api`.
    pub fn token_routes, fn token_api => [
        tokens::tokens,
        tokens::make,
        tokens::revoke,
        feeds::feed,
        feeds::make,
        feeds::revoke,
    ]
}

documented_routes! {
    /// Returns the routes of feeds, to be mounted at `/feeds`.
    pub fn feed_routes, fn feed_api, schemas(envelope::Envelope<envelope::ErrorData>) => [
        feeds::nearby,
        feeds::inbox,
    ]
}

documented_routes! {
    /// Returns the routes for operators, to be mounted at `/api`.
    pub fn admin_routes, fn admin_api => [
        admin::registration::registration,
        admin::registration::set_registration,
        admin::invitations::invite,
        admin::invitations::invitations,
        admin::invitations::revoke,
        admin::import::import,
        admin::webhook::show,
        admin::webhook::set,
        admin::webhook::turn_off,
        admin::webhook::replace_secret,
        admin::webhook::test,
        admin::people::people,
        admin::person::add,
        admin::person::change,
        admin::person::replace_password,
        admin::person::mute,
        admin::person::end_sessions,
        admin::person::remove,
        admin::roster::import,
        admin::log::log,
        setup::set_up,
    ]
}

documented_routes! {
    /// Returns the routes of guest classes, to be mounted at `/api`.
    pub fn guest_class_routes, fn guest_class_api => [
        classes::open,
        classes::classes,
        classes::end,
        classes::delete,
        classes::sea,
        classes::join,
    ]
}

documented_routes! {
    /// Returns the routes with which an operator runs the server, to be mounted at `/api`.
    pub fn server_routes, fn server_api => [
        admin::backups::list,
        admin::backups::make,
        admin::backups::download,
        admin::backups::check,
        admin::health::health,
        admin::settings::list,
        admin::settings::set,
    ]
}

/// Returns the routes that the OpenAPI document omits, because they return no JSON, to be mounted at
/// `/api`.
pub fn picture_routes() -> Vec<Route> {
    routes![page::join_qr_code, classes::join_qr_code]
}

/// Describes [`routes`] for the OpenAPI document.
pub fn describe() -> ContractSpec {
    contract_spec(api())
}

/// Describes [`page_routes`] for the OpenAPI document.
pub fn describe_page() -> ContractSpec {
    contract_spec(page_api())
}

/// Describes [`conversation_routes`] for the OpenAPI document.
pub fn describe_conversations() -> ContractSpec {
    contract_spec(conversation_api())
}

/// Describes [`class_routes`] for the OpenAPI document.
pub fn describe_class() -> ContractSpec {
    contract_spec(class_api())
}

/// Describes [`token_routes`] for the OpenAPI document.
pub fn describe_tokens() -> ContractSpec {
    contract_spec(token_api())
}

/// Describes [`admin_routes`] for the OpenAPI document.
pub fn describe_admin() -> ContractSpec {
    contract_spec(admin_api())
}

/// Describes [`guest_class_routes`] for the OpenAPI document.
pub fn describe_guest_classes() -> ContractSpec {
    contract_spec(guest_class_api())
}

/// Describes [`server_routes`] for the OpenAPI document.
pub fn describe_server() -> ContractSpec {
    contract_spec(server_api())
}

/// Describes [`feed_routes`] for the OpenAPI document.
pub fn describe_feeds() -> ContractSpec {
    contract_spec(feed_api())
}

fn contract_spec(api: OpenApi) -> ContractSpec {
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
