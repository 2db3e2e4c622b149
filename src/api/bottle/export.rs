//! The export of an account's data, sent in chunks so that little of it is in memory.

use std::sync::Arc;

use rocket::http::ContentType;
use rocket::response::{self, Responder, Response};
use rocket::{Request, State, get};
use utoipa::ToSchema;

use super::envelope::{Envelope, ErrorResponse};
use super::guard::CookieOrToken;
use super::items::JsonText;
use super::record::Record;
use super::streamed_body::{CHUNK_BYTES, StreamedBody};
use crate::domain::transfer;
use crate::http::{ClientConnection, Session};
use crate::store::Store;

const HEAD: &[u8] = "{\"status\":\"OK\",\"msg\":\"导出成功\",\"data\":{\"records\":[".as_bytes();
const TAIL: &[u8] = b"]}}";

/// The body, as the OpenAPI document describes it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written record by record")]
pub(super) struct ExportData {
    records: Vec<Record>,
}

/// Export the account, its bottles and its openings, as `bottle export` writes them
#[utoipa::path(get, path = "/users/self/export",
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the records", body = Envelope<ExportData>),
    )
)]
#[get("/users/self/export")]
pub(super) async fn export(
    session: Session<CookieOrToken>,
    store: &State<Arc<Store>>,
    connection: ClientConnection,
) -> Result<Export, ErrorResponse> {
    let read = transfer::export_account(store, session.login.account.id);
    let mut chunks = connection.while_open(read).await?;
    let mut start = HEAD.to_vec();
    // A shorter export is sent whole.
    while start.len() < CHUNK_BYTES {
        match chunks.next().await? {
            Some(chunk) => start.extend(chunk),
            None => {
                start.extend(TAIL);
                return Ok(Export::Whole(JsonText(start)));
            }
        }
    }
    Ok(Export::Stream(StreamedBody::new(start, chunks, TAIL, connection)))
}

/// The response with an export.
pub(super) enum Export {
    /// An export that fits into one chunk.
    Whole(JsonText),
    /// An export whose length is not yet known.
    Stream(StreamedBody),
}

impl<'r> Responder<'r, 'static> for Export {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        match self {
            Self::Whole(json) => json.respond_to(request),
            Self::Stream(body) => Response::build()
                .header(ContentType::JSON)
                .streamed_body(body)
                .max_chunk_size(CHUNK_BYTES)
                .ok(),
        }
    }
}
