//! Sends response bodies in large chunks.
//!
//! Rocket hands a body to the socket 4 KiB at a time, and waits for the socket each time.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Request, Response, async_trait};

/// The largest chunk, and so the memory that a response's buffer takes.
const MAX_CHUNK_BYTES: usize = 64 * 1024;

/// Raises the chunk size of each response of known length, up to 64 KiB.
pub struct ResponseChunkSize;

#[async_trait]
impl Fairing for ResponseChunkSize {
    fn info(&self) -> Info {
        Info { name: "response chunk size", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, _: &'r Request<'_>, response: &mut Response<'r>) {
        // One byte more than the body, so that Rocket sees its end without reading another chunk.
        if let Some(size) = response.body().preset_size() {
            response.set_max_chunk_size((size + 1).min(MAX_CHUNK_BYTES));
        }
    }
}
