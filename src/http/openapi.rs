//! A contract's part of the OpenAPI document.

use utoipa::openapi::OpenApi;

/// A contract's handlers as OpenAPI paths, and the answers that all its routes share.
pub struct ContractSpec {
    /// The paths and schemas of the handlers.
    pub api: OpenApi,
    /// The tag that its routes are listed under.
    pub contract: &'static str,
    /// The schema of an error answer.
    pub refusal: &'static str,
    /// The status without a session, on routes that require one.
    pub logged_out: &'static str,
    /// The statuses for an invalid field, on routes that take input.
    pub wrong_field: &'static [&'static str],
}
