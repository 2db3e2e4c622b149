//! Opening a bottle, and catching a random one.

use rocket::{State, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::envelope::{Envelope, Reply, ok};
use super::guard::{CookieOrToken, bottle_id};
use super::view::OpenedView;
use crate::domain::accounts::required;
use crate::domain::bottles::Bottles;
use crate::http::{ClientConnection, LenientBody, OptionalBody, Session};
use crate::model::error::Result;
use crate::model::geo::{Position, Rectangle};

/// A position from which a bottle is opened.
#[derive(Deserialize, ToSchema)]
pub(super) struct OpenRequest {
    /// degrees
    #[schema(minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// degrees
    #[schema(minimum = -180, maximum = 180)]
    longitude: Option<f64>,
}

impl OpenRequest {
    /// Returns the position, if there is one.
    fn position(self) -> Result<Option<Position>> {
        match (self.latitude, self.longitude) {
            (None, None) => Ok(None),
            (latitude, longitude) => {
                let latitude = required("latitude", latitude)?;
                Position::new(latitude, required("longitude", longitude)?).map(Some)
            }
        }
    }
}

/// Open a bottle
///
/// The body is needed only for a bottle with `open_within_m`: opening it for the first time needs a
/// position within that distance.
#[utoipa::path(post, path = "/bottles/{bottle_id}/open",
    params(("bottle_id" = i64, Path)),
    request_body(content = Option<OpenRequest>),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the bottle with its message", body = Envelope<OpenedView>),
        (status = 403, description = "`TOO_FAR`: `distance_m` away from the bottle, or no position was sent and the bottle can be opened within `open_within_m`"),
        (status = 404, description = "no such bottle"),
    )
)]
#[post("/bottles/<id>/open", data = "<body>")]
pub(super) async fn open(
    session: Session<CookieOrToken>,
    id: &str,
    body: LenientBody<OpenRequest>,
    bottles: &State<Bottles>,
) -> Reply<OpenedView> {
    let at = body.0.map(OpenRequest::position).transpose()?.flatten();
    let opened = bottles.open(&session.login, bottle_id(id)?, at).await?;
    ok("打开漂流瓶成功", opened.into())
}

/// A rectangle in which to catch a bottle: all four numbers, or none for the whole sea.
#[derive(Default, Deserialize, ToSchema)]
pub(super) struct CatchRequest {
    /// the latitude of the centre, in degrees
    #[schema(minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// the longitude of the centre, in degrees
    #[schema(minimum = -180, maximum = 180)]
    longitude: Option<f64>,
    /// the distance from the centre to the northern and to the southern edge, in degrees
    #[schema(minimum = 0)]
    latitude_span: Option<f64>,
    /// the distance from the centre to the eastern and to the western edge, in degrees
    #[schema(minimum = 0)]
    longitude_span: Option<f64>,
}

impl CatchRequest {
    fn rectangle(self) -> Result<Option<Rectangle>> {
        let Self { latitude, longitude, latitude_span, longitude_span } = self;
        let all = [latitude, longitude, latitude_span, longitude_span];
        if all.iter().all(Option::is_none) {
            return Ok(None);
        }
        let latitude = required("latitude", latitude)?;
        let center = Position::new(latitude, required("longitude", longitude)?)?;
        let latitude_span = required("latitude_span", latitude_span)?;
        let longitude_span = required("longitude_span", longitude_span)?;
        Rectangle::new(center, latitude_span, longitude_span).map(Some)
    }
}

/// Open a random bottle of another account, of the whole sea or of a rectangle
///
/// Each bottle is equally likely that the account has not opened yet, that has no open report and no
/// `open_within_m`, and whose owner has not blocked the account.
#[utoipa::path(post, path = "/bottles/catch",
    request_body(content = Option<CatchRequest>),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the bottle with its message", body = Envelope<OpenedView>),
        (status = 404, description = "there is no such bottle"),
    )
)]
#[post("/bottles/catch", data = "<body>")]
pub(super) async fn catch(
    session: Session<CookieOrToken>,
    body: OptionalBody<CatchRequest>,
    connection: ClientConnection,
    bottles: &State<Bottles>,
) -> Reply<OpenedView> {
    let within = body.0.rectangle()?;
    let opened = connection.while_open(bottles.catch(&session.login, within)).await?;
    ok("捞到一个漂流瓶", opened.into())
}
