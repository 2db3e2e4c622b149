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
