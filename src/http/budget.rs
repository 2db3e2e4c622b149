//! Bounds the memory that large responses take while they are sent.
//!
//! A response stays in memory until its client has read it, so a few clients that do not read could
//! otherwise exhaust the memory.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::Request;
use rocket::http::{ContentType, Status};
use rocket::response::{self, Response};

/// The number of bytes of large responses that may be in memory at one time: 16 of the longest
/// lists.
const BUDGET_BYTES: usize = 64 * 1024 * 1024;

/// The size in bytes from which a response counts. The limits on connections bound shorter ones.
const MIN_LARGE_BYTES: usize = 64 * 1024;

/// Counts the bytes of large responses until they are sent or dropped. Clones share the count.
#[derive(Clone, Default)]
pub struct ByteBudget(Arc<AtomicUsize>);

/// A part of the budget, returned when it is dropped.
struct Reservation {
    budget: ByteBudget,
    bytes: usize,
}

impl ByteBudget {
    /// Reserves `bytes`, or returns `None` if the budget is exhausted. A response of any size fits
    /// when it is the only one.
    fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let add = |used: usize| {
            let sum = used.saturating_add(bytes);
            (used == 0 || sum <= BUDGET_BYTES).then_some(sum)
        };
        let reserved = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        reserved.is_ok().then(|| Reservation { budget: self.clone(), bytes })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A body and, if it is large, its part of the budget.
struct CountedBody {
    bytes: Vec<u8>,
    _reservation: Option<Reservation>,
}

impl AsRef<[u8]> for CountedBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Returns a response with the body `json`, or 503 if it is large and the budget is exhausted.
pub(crate) fn json_response(request: &Request<'_>, mut json: Vec<u8>) -> response::Result<'static> {
    let size = json.len();
    let mut reservation = None;
    if size >= MIN_LARGE_BYTES {
        json.shrink_to_fit();
        let budget = request.rocket().state::<ByteBudget>().ok_or(Status::InternalServerError)?;
        reservation = budget.reserve(size);
        if reservation.is_none() {
            tracing::warn!(
                "rejected a response of {size} bytes: large responses already take \
                 {BUDGET_BYTES} bytes; clients read them too slowly"
            );
            return Err(Status::ServiceUnavailable);
        }
    }
    let body = CountedBody { bytes: json, _reservation: reservation };
    Response::build().header(ContentType::JSON).sized_body(size, Cursor::new(body)).ok()
}
