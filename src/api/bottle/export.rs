//! Exports of an account's data and of the bottles of a class, sent in chunks so that little of them
//! is in memory.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rocket::http::{ContentType, Header};
use rocket::response::{self, Responder, Response};
use rocket::tokio::io::{AsyncRead, ReadBuf};
use rocket::tokio::time::Instant;
use rocket::{Request, State, get};
use utoipa::ToSchema;

use super::envelope::{Envelope, ErrorResponse};
use super::guard::CookieOrToken;
use super::items::JsonText;
use super::record::Record;
use crate::domain::transfer::{self, Chunks, Format};
use crate::http::{ClientConnection, Session};
use crate::model::error::{Error, Problem};
use crate::store::Store;

/// The time in which a client must read the whole export. Meanwhile its snapshot keeps SQLite from
/// truncating the write-ahead log.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The time, besides the request timeout, in which a client must read a chunk.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(30);

/// The size of a chunk. A shorter export is sent whole.
const CHUNK_BYTES: usize = 64 * 1024;

const HEAD: &[u8] = "{\"status\":\"OK\",\"msg\":\"导出成功\",\"data\":{\"records\":[".as_bytes();
const TAIL: &[u8] = b"]}}";

/// The body, as the OpenAPI document describes it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written record by record")]
pub(super) struct ExportData {
    records: Vec<Record>,
}

/// Parses the format of an export. Returns it with its content type.
fn parse_format(text: Option<&str>) -> Result<(Format, ContentType), Error> {
    match text.unwrap_or("json") {
        "json" => Ok((Format::JsonLines, ContentType::JSON)),
        "geojson" => Ok((Format::GeoJson, ContentType::new("application", "geo+json"))),
        "gpx" => Ok((Format::Gpx, ContentType::new("application", "gpx+xml"))),
        _ => Err(Error::field("format", Problem::NotOneOf("json, geojson, gpx"))),
    }
}

/// Export the account, its bottles and its openings, as `bottle export` writes them
///
/// In the formats `geojson` and `gpx`, the response is a document with the bottles only.
#[utoipa::path(get, path = "/users/self/export",
    params(("format" = Option<String>, Query, description = "`json` (the default), `geojson` or `gpx`")),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the records, or a document", content(
            (Envelope<ExportData> = "application/json"),
            (String = "application/geo+json"),
            (String = "application/gpx+xml"),
        )),
    )
)]
#[get("/users/self/export?<format>")]
pub(super) async fn export(
    session: Session<CookieOrToken>,
    format: Option<&str>,
    store: &State<Arc<Store>>,
    connection: ClientConnection,
) -> Result<Export, ErrorResponse> {
    let (format, kind) = parse_format(format)?;
    let (head, tail) = if format == Format::JsonLines { (HEAD, TAIL) } else { (&[][..], &[][..]) };
    let read = transfer::export_account(store, session.login.account.id, format);
    let mut chunks = connection.while_open(read).await?;
    let mut start = head.to_vec();
    while start.len() < CHUNK_BYTES {
        match chunks.next().await? {
            Some(chunk) => start.extend(chunk),
            None => {
                start.extend(tail);
                return Ok(Export { kind, content: Content::Whole(start) });
            }
        }
    }
    let body = Body::new(start, chunks, tail, connection);
    Ok(Export { kind, content: Content::Stream(body) })
}

/// The response with an export.
pub(super) struct Export {
    kind: ContentType,
    content: Content,
}

enum Content {
    /// An export that fits into one chunk.
    Whole(Vec<u8>),
    /// An export whose length is not yet known.
    Stream(Body),
}

impl<'r> Responder<'r, 'static> for Export {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        match self.content {
            Content::Whole(bytes) => {
                let mut response = JsonText(bytes).respond_to(request)?;
                response.set_header(self.kind);
                Ok(response)
            }
            Content::Stream(body) => Response::build()
                .header(self.kind)
                .streamed_body(body)
                .max_chunk_size(CHUNK_BYTES)
                .ok(),
        }
    }
}

/// The response with a file.
pub(super) struct Download {
    kind: ContentType,
    name: String,
    body: Body,
}

impl Download {
    /// Creates the response with a file of this name, which must be ASCII without quotation marks.
    pub(super) fn new(
        kind: ContentType,
        name: String,
        chunks: Chunks,
        connection: ClientConnection,
    ) -> Self {
        Self { kind, name, body: Body::new(Vec::new(), chunks, b"", connection) }
    }
}

impl<'r> Responder<'r, 'static> for Download {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let disposition = format!("attachment; filename=\"{}\"", self.name);
        Response::build()
            .header(self.kind)
            .header(Header::new("Content-Disposition", disposition))
            .streamed_body(self.body)
            .max_chunk_size(CHUNK_BYTES)
            .ok()
    }
}

/// The body of a streamed export. It is dropped, with its snapshot, when the connection ends.
pub(super) struct Body {
    ready: Vec<u8>,
    /// The number of bytes of `ready` that were sent.
    sent: usize,
    /// `None` once the last chunk is in `ready`.
    chunks: Option<Chunks>,
    /// The bytes after the last chunk.
    tail: &'static [u8],
    connection: ClientConnection,
    deadline: Instant,
}

impl Body {
    fn new(
        ready: Vec<u8>,
        chunks: Chunks,
        tail: &'static [u8],
        connection: ClientConnection,
    ) -> Self {
        let deadline = Instant::now() + TIMEOUT;
        Self { ready, sent: 0, chunks: Some(chunks), tail, connection, deadline }
    }

    /// Reads the next chunk into `ready`, unless that was the last.
    fn poll_refill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(chunks) = &mut self.chunks else { return Poll::Ready(Ok(())) };
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let chunk = ready!(chunks.poll_next(context)).map_err(|e| {
            tracing::error!("an export was cut off: {e}");
            io::Error::other(e)
        })?;
        // A client that does not read the chunk does not cause another poll, and is disconnected.
        self.connection.expect_read(CHUNK_TIMEOUT.min(left));
        self.sent = 0;
        self.ready = chunk.unwrap_or_else(|| {
            self.chunks = None;
            self.tail.to_vec()
        });
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Body {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.sent == self.ready.len() {
            ready!(self.poll_refill(context))?;
        }
        let end = self.ready.len().min(self.sent + out.remaining());
        out.put_slice(&self.ready[self.sent..end]);
        self.sent = end;
        Poll::Ready(Ok(()))
    }
}
