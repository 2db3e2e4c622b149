//! Memory for answers under way: a client that does not read keeps its answer in memory, so that all large ones
//! together have a budget.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::Request;
use rocket::http::{ContentType, Status};
use rocket::response::{self, Response};

/// How many bytes of large answers may be under way at one time: 16 of the longest lists.
const MAX_BYTES_UNDER_WAY: usize = 64 * 1024 * 1024;

/// Shorter answers do not count: they are most, and the limits on connections bound them.
const LARGE_BYTES: usize = 64 * 1024;

/// Counts the bytes of large answers from their making until they are sent or dropped. A clone counts to the
/// same.
#[derive(Clone, Default)]
pub struct ByteBudget(Arc<AtomicUsize>);

/// A part of the budget; dropping it gives it back.
struct Reservation {
    budget: ByteBudget,
    bytes: usize,
}

impl ByteBudget {
    /// Reserves so many bytes, if there is room for them. Where nothing else is under way, there is room for any
    /// answer.
    fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let with_these = |used: usize| {
            let sum = used.saturating_add(bytes);
            (used == 0 || sum <= MAX_BYTES_UNDER_WAY).then_some(sum)
        };
        let reserved = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with_these);
        reserved.is_ok().then(|| Reservation { budget: self.clone(), bytes })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A body, with its part of the budget if it is large.
struct Counted {
    bytes: Vec<u8>,
    _reservation: Option<Reservation>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// An answer with this JSON. Without room in the budget it fails with 503, which the contract's catcher words.
pub(crate) fn json_response(request: &Request<'_>, mut json: Vec<u8>) -> response::Result<'static> {
    let size = json.len();
    let mut reservation = None;
    if size >= LARGE_BYTES {
        json.shrink_to_fit();
        let budget = request.rocket().state::<ByteBudget>().ok_or(Status::InternalServerError)?;
        reservation = budget.reserve(size);
        if reservation.is_none() {
            tracing::warn!("an answer of {size} bytes was refused: too many are under way");
            return Err(Status::ServiceUnavailable);
        }
    }
    let body = Counted { bytes: json, _reservation: reservation };
    Response::build().header(ContentType::JSON).sized_body(size, Cursor::new(body)).ok()
}
