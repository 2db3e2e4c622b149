//! A contract's part of the OpenAPI document.

use utoipa::openapi::OpenApi;

/// A contract's handlers as OpenAPI paths, and the responses that all its routes share.
pub struct ContractSpec {
    /// The paths and schemas of the handlers.
    pub api: OpenApi,
    /// The tag under which its routes are listed.
    pub contract: &'static str,
    /// The name of the schema of an error response.
    pub error_schema: &'static str,
    /// The status of a request without a session, on routes that require one.
    pub unauthenticated_status: &'static str,
    /// The statuses of a request with an invalid field, on routes that take input.
    pub invalid_field_statuses: &'static [&'static str],
}

/// Defines, from one list of handlers, a function that returns their routes and a function that
/// returns their OpenAPI paths.
///
/// Each handler needs Rocket's attribute and `#[utoipa::path]`. `schemas(...)` adds schemas that no
/// handler names.
macro_rules! documented_routes {
    (
        $(#[$meta:meta])*
        $visibility:vis fn $routes:ident, fn $api:ident
        $(, schemas($($schemas:tt)*))?
        => [$($($handler:ident)::+),* $(,)?]
    ) => {
        $(#[$meta])*
        $visibility fn $routes() -> Vec<rocket::Route> {
            rocket::routes![$($($handler)::+),*]
        }

        fn $api() -> utoipa::openapi::OpenApi {
            #[derive(utoipa::OpenApi)]
            #[openapi(
                paths($($($handler)::+),*)
                $(, components(schemas($($schemas)*)))?
            )]
            struct Api;
            <Api as utoipa::OpenApi>::openapi()
        }
    };
}
pub(crate) use documented_routes;
