//! Lists whose JSON is written item by item, while the query still runs, so that no more than their text is in
//! memory.

use rocket::Request;
use rocket::response::{self, Responder};
use serde::Serialize;

use crate::http::budget::json_response;
use crate::model::error::{Error, Result};

/// An answer's JSON.
pub(super) struct JsonText(pub(super) Vec<u8>);

impl<'r> Responder<'r, 'static> for JsonText {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        json_response(request, self.0)
    }
}

/// A list's items, as JSON.
#[derive(Default)]
pub(super) struct Items {
    json: Vec<u8>,
    last: Option<i64>,
}

impl Items {
    /// Adds the item with this id; how many bytes it takes.
    pub(super) fn push(&mut self, id: i64, item: &impl Serialize) -> Result<usize> {
        let start = self.json.len();
        if start > 0 {
            self.json.push(b',');
        }
        write(&mut self.json, item)?;
        self.last = Some(id);
        Ok(self.json.len() - start)
    }

    /// The envelope around the list, which is called `name` and stands between the fields of `head` and `next`.
    pub(super) fn answer(
        &self,
        msg: &str,
        head: &impl Serialize,
        name: &str,
        more: bool,
    ) -> Result<JsonText> {
        let tail = Next { next: self.last.filter(|_| more) };
        envelope(msg, head, name, [self.json.as_slice()], &tail)
    }
}

#[derive(Serialize)]
struct Next {
    next: Option<i64>,
}

/// The answer whose data are the fields of `head`, the list called `name`, and the fields of `tail`, of which
/// there must be some. Each of `items` is an item's JSON, or that of several with commas between them.
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
    // The head is an object of its own: the list goes on where it closes.
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
    // The tail is one too: it goes on where it would open.
    let opening = out.len();
    write(&mut out, tail)?;
    out[opening] = b',';
    out.push(b'}');
    Ok(JsonText(out))
}

/// Writes `value` as JSON.
pub(super) fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<()> {
    serde_json::to_writer(out, value).map_err(|e| Error::Internal(e.to_string()))
}
