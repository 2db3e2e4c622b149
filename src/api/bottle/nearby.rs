//! The rectangle search. It is the most frequent request, so its JSON is written while SQLite holds
//! the rows, and no row is copied.

use rocket::{State, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Envelope, ErrorResponse};
use super::guard::CookieOrToken;
use super::items::{JsonText, envelope};
use super::map_bottle_view::MapBottleView;
use super::query::{PageQuery, RectangleQuery, parse_page};
use super::view::Coordinates;
use crate::domain::bottles::{Bottles, MapBottleRef, NearbyQuery};
use crate::http::{ClientConnection, Session};

/// List the bottles in a rectangle, edges included
#[utoipa::path(get, path = "/bottles/nearby",
    params(RectangleQuery, PageQuery),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the bottles by id; if there are more than `limit`, those nearest to the centre", body = Envelope<NearbyData<'_>>),
    )
)]
#[get("/bottles/nearby?<limit>&<after>&<query..>")]
pub(super) async fn nearby(
    session: Session<CookieOrToken>,
    query: RectangleQuery<'_>,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    bottles: &State<Bottles>,
) -> Result<JsonText, ErrorResponse> {
    let rectangle = query.rectangle()?;
    let page = parse_page(limit, after)?;
    let nearby_query = NearbyQuery { limit: page.limit as usize, after: page.after };
    let viewer = session.login.account.id;

    let mut json = Vec::with_capacity(4096);
    let write_bottle = |bottle: &MapBottleRef<'_>| {
        let start = json.len();
        MapBottleView::new(bottle, viewer).write_to(&mut json)?;
        Ok((start..json.len(), json.len() + 1 - start))
    };
    let read = bottles.nearby(&rectangle, nearby_query, write_bottle);
    let result = connection.while_open(read).await?;
    let head = Head {
        center: rectangle.center().into(),
        span: Coordinates {
            latitude: rectangle.latitude_span(),
            longitude: rectangle.longitude_span(),
        },
    };
    let items = result.items.iter().map(|item| &json[item.clone()]);
    let tail = Tail { total: result.total, truncated: result.truncated, next: result.next };
    Ok(envelope("查询附近的漂流瓶成功", &head, "bottles", items, &tail)?)
}

/// The fields before the bottles in `data`.
#[derive(Serialize)]
struct Head {
    center: Coordinates,
    span: Coordinates,
}

/// The fields after the bottles in `data`.
#[derive(Serialize, ToSchema)]
struct Tail {
    /// the number of bottles, or an upper bound if `truncated`
    total: i64,
    truncated: bool,
    next: Option<i64>,
}

/// The body, as the OpenAPI document describes it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
struct NearbyData<'a> {
    center: Coordinates,
    span: Coordinates,
    bottles: Vec<MapBottleView<'a>>,
    #[schema(inline)]
    #[serde(flatten)]
    tail: Tail,
}
