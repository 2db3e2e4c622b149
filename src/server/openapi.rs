//! The OpenAPI document of all contracts, at the bases where the server mounts them.
//!
//! The program embeds the finished document, `static/api/openapi.json`, and not this code, which
//! saves a megabyte. `cargo run --example openapi` writes the document, and a test compares.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, Paths, Ref, RefOr, Response,
    ResponseBuilder,
};

use super::{health, mounts};
use crate::http::mounts::MOUNTS;
use crate::http::openapi::ContractSpec;

const ABOUT: &str = "Five contracts share one set of accounts: an account that was registered through one logs in \
    through the others. Besides the listed statuses, every route may return 400 (malformed request), 403 (sent by a \
    page of another site, or with an access token that does not allow it), 413 (body too large), 415 (body is not JSON), 429 (rate limit exceeded), 500 (a bug in \
    the server) and 503 (the store is unavailable).";

const ANY_OTHER: &str = "any other rejection: 400, 403, 413, 415, 429, 500 or 503";

/// Builds the document.
pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Bottle")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT));
    let mut document = OpenApi::new(info.build(), Paths::new());
    document.components = Some(credentials().build());
    for at in MOUNTS {
        for spec in mounts::specs(at.surface) {
            mount(&mut document, at.base.trim_end_matches('/'), spec);
        }
    }
    document.merge_from(health::describe())
}

fn credentials() -> ComponentsBuilder {
    let api_key = |name, about| ApiKeyValue::with_description(name, about);
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    ComponentsBuilder::new()
        .security_scheme(
            "bottle_session",
            SecurityScheme::ApiKey(ApiKey::Cookie(api_key(
                "bottle_session",
                "an encrypted cookie; over HTTPS its name is __Host-bottle_session",
            ))),
        )
        .security_scheme(
            "access_token",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some(
                        "a personal access token, `bottle_…`; with the access `read`, for GET only",
                    ))
                    .build(),
            ),
        )
        .security_scheme(
            "ledger_session",
            SecurityScheme::ApiKey(ApiKey::Header(api_key(
                "Cookie",
                "the JWT, without a cookie name",
            ))),
        )
        .security_scheme("music_session", SecurityScheme::Http(bearer))
        .security_scheme(
            "bookstore_session",
            SecurityScheme::ApiKey(ApiKey::Header(api_key("token", "the terminal's token"))),
        )
}

/// Adds a contract's routes below `base` to `document`.
fn mount(document: &mut OpenApi, base: &str, mut spec: ContractSpec) {
    for (path, mut item) in std::mem::take(&mut spec.api.paths.paths) {
        let path = format!("{base}{}", path.trim_end_matches('/'));
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            add_shared_responses(operation, &path, &spec);
        }
        document.paths.paths.entry(path).or_default().merge_operations(item);
    }
    document.merge(spec.api);
}

/// Adds the responses that all operations of a contract share.
fn add_shared_responses(operation: &mut Operation, path: &str, spec: &ContractSpec) {
    operation.tags = Some(vec![spec.contract.to_owned()]);
    let id = operation.operation_id.take().unwrap_or_default();
    operation.operation_id =
        Some(format!("{id}{}", path.replace('/', "_").replace(['{', '}'], "")));
    let responses = &mut operation.responses.responses;
    let mut add = |status: &str, description: &str| {
        let response = ResponseBuilder::new().description(description).build();
        responses.entry(status.to_owned()).or_insert(RefOr::T(response));
    };
    if operation.security.is_some() {
        add(spec.unauthenticated_status, "the request has no live session");
    }
    if operation.request_body.is_some() || operation.parameters.is_some() {
        for status in spec.invalid_field_statuses {
            add(status, "a field is missing or invalid");
        }
    }
    add("default", ANY_OTHER);
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            set_default_schema(response, spec.error_schema);
        }
    }
}

/// Sets the schema of a response without one to the contract's error response.
fn set_default_schema(response: &mut Response, error_schema: &str) {
    if response.content.is_empty() {
        let content =
            ContentBuilder::new().schema(Some(Ref::from_schema_name(error_schema))).build();
        response.content.insert("application/json".to_owned(), content.into());
    }
}
