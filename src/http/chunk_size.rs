//! Answers in few pieces: Rocket hands a body to the socket 4 KiB at a time, each with a wait of its
//! own.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Request, Response, async_trait};

/// A piece takes this much memory at most, however long the answer is.
const LARGEST: usize = 64 * 1024;

/// Lets each answer leave in one piece, or in few large ones.
pub struct ResponseChunkSize;

#[async_trait]
impl Fairing for ResponseChunkSize {
    fn info(&self) -> Info {
        Info { name: "large pieces", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, _: &'r Request<'_>, response: &mut Response<'r>) {
        // One byte more than there is, so that the end is seen without another piece.
        if let Some(size) = response.body().preset_size() {
            response.set_max_chunk_size((size + 1).min(LARGEST));
        }
    }
}
