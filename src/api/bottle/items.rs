//! Lists whose JSON is written item by item while the query runs, so that only their text is in
//! memory.

use rocket::Request;
use rocket::response::{self, Responder};
use serde::Serialize;

use crate::http::budget::json_response;
use crate::model::error::{Error, Result};

/// A response whose body is finished JSON.
pub(super) struct JsonText(pub(super) Vec<u8>);

impl<'r> Responder<'r, 'static> for JsonText {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        json_response(request, self.0)
    }
}

/// The items of a list, as JSON.
#[derive(Default)]
pub(super) struct Items {
    json: Vec<u8>,
    last: Option<i64>,
}

impl Items {
    /// Appends the item with this id, and returns the number of bytes that it takes.
    pub(super) fn push(&mut self, id: i64, item: &impl Serialize) -> Result<usize> {
        let start = self.json.len();
        if start > 0 {
            self.json.push(b',');
        }
        write(&mut self.json, item)?;
        self.last = Some(id);
        Ok(self.json.len() - start)
    }

    /// Returns the response with the list as the field `name`, between the fields of `head` and
    /// `next`.
    pub(super) fn response(
        &self,
        msg: &str,
        head: &impl Serialize,
        name: &str,
        has_more: bool,
    ) -> Result<JsonText> {
        let tail = Next { next: self.last.filter(|_| has_more) };
        envelope(msg, head, name, [self.json.as_slice()], &tail)
    }
}

#[derive(Serialize)]
struct Next {
    next: Option<i64>,
}

/// Returns the response whose `data` has the fields of `head`, the list `name`, and the fields of
/// `tail`, which must have at least one. Each of `items` is the JSON of one item, or of several with
/// commas between them.
pub(super) fn envelope<'a>(
    msg: &str,
    head: &impl Serialize,
    name: &str,
    items: impl IntoIterator<Item = &'a [u8], IntoIter: Clone>,
    tail: &impl Serialize,
) -> Result<JsonText> {
    let items = items.into_iter();
    let size: usize = items.clone().map(|item| item.len() + 1).sum();
    let mut out = Vec::with_capacity(size + 320);
    out.extend(br#"{"status":"OK","msg":"#);
    write(&mut out, msg)?;
    out.extend(br#","data":"#);
    write(&mut out, head)?;
    // Removes the closing brace of the head, to append the list.
    if out.pop_if(|last| *last == b'}').is_some() && out.last() != Some(&b'{') {
        out.push(b',');
    }
    write(&mut out, name)?;
    out.extend(b":[");
    for (n, item) in items.enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend(item);
    }
    out.extend(b"]");
    // Replaces the opening brace of the tail by a comma.
    let opening = out.len();
    write(&mut out, tail)?;
    out[opening] = b',';
    out.push(b'}');
    Ok(JsonText(out))
}

/// Appends `value` to `out` as JSON.
pub(super) fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<()> {
    serde_json::to_writer(out, value).map_err(|e| Error::Internal(e.to_string()))
}
