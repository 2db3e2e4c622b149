//! Seeing the bottles around. This is the answer that is asked for most, so its JSON is written while
//! SQLite still holds the rows, and nothing is copied in between.

use std::ops::Range;

use rocket::http::ContentType;
use rocket::{State, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Answer, Refusal};
use super::guard::PrivateCookie;
use super::query::{PageQuery, RectangleQuery, page};
use super::view::MapBottleView;
use crate::domain::bottles::{Bottles, MapBottleRef, NearbyQuery};
use crate::http::SessionSnapshot;
use crate::model::error::{Error, Result};
use crate::model::geo::Rectangle;

/// The bottles in the closed rectangle around a place
#[utoipa::path(get, path = "/bottles/nearby",
    params(RectangleQuery, PageQuery),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "by id; if they are too many, those nearest to the centre", body = Answer<Around<'_>>),
    )
)]
#[get("/bottles/nearby?<limit>&<after>&<asked..>")]
pub(super) fn nearby(
    session: SessionSnapshot<PrivateCookie>,
    asked: RectangleQuery<'_>,
    limit: Option<&str>,
    after: Option<&str>,
    bottles: &State<Bottles>,
) -> Result<(ContentType, String), Refusal> {
    let rectangle = asked.rectangle()?;
    let page = page(limit, after)?;
    let wanted = NearbyQuery { limit: page.limit as usize, after: page.after };
    let viewer = session.login.account.id;

    let mut written = Vec::with_capacity(4096);
    let seen =
        bottles.nearby(session.snapshot, &rectangle, wanted, |sighting: &MapBottleRef<'_>| {
            let start = written.len();
            write(&mut written, &MapBottleView::new(sighting, viewer))?;
            Ok(start..written.len())
        })?;
    let tail = Tail { total: seen.total, truncated: seen.truncated, next: seen.next };
    Ok((ContentType::JSON, envelope(&rectangle, &written, &seen.items, &tail)?))
}

#[derive(Serialize, ToSchema)]
struct Pair {
    latitude: f64,
    longitude: f64,
}

/// What follows the bottles in `data`.
#[derive(Serialize, ToSchema)]
struct Tail {
    /// an upper bound, if not all are here
    total: i64,
    truncated: bool,
    next: Option<i64>,
}

/// What the pieces make together, for the document.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the answer is written piece by piece")]
struct Around<'a> {
    center: Pair,
    span: Pair,
    bottles: Vec<MapBottleView<'a>>,
    #[schema(inline)]
    #[serde(flatten)]
    tail: Tail,
}

/// The whole answer, with the written bottles in the order of `bottles`.
fn envelope(
    rectangle: &Rectangle,
    written: &[u8],
    bottles: &[Range<usize>],
    tail: &Tail,
) -> Result<String> {
    let center = rectangle.center();
    let center = Pair { latitude: center.latitude(), longitude: center.longitude() };
    let span = Pair { latitude: rectangle.latitude_span(), longitude: rectangle.longitude_span() };
    let mut out = Vec::with_capacity(written.len() + bottles.len() + 320);
    out.extend(br#"{"status":"OK","msg":""#);
    out.extend("查询附近的漂流瓶成功".as_bytes());
    out.extend(br#"","data":{"center":"#);
    write(&mut out, &center)?;
    out.extend(br#","span":"#);
    write(&mut out, &span)?;
    out.extend(br#","bottles":["#);
    for (n, bottle) in bottles.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend(&written[bottle.clone()]);
    }
    // The tail is an object of its own: it goes on where its opening brace would stand.
    out.extend(b"],");
    let opened = out.len();
    write(&mut out, tail)?;
    out.remove(opened);
    out.push(b'}');
    String::from_utf8(out).map_err(|e| Error::Internal(e.to_string()))
}

fn write(out: &mut Vec<u8>, value: &impl Serialize) -> Result<()> {
    serde_json::to_writer(out, value).map_err(|e| Error::Internal(e.to_string()))
}
