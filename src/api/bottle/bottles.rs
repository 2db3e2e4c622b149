//! Throwing, listing, opening, reporting and deleting bottles.

use rocket::{State, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::envelope::{Empty, Envelope, ErrorResponse, Reply, ok};
use super::guard::{CookieOrToken, IdempotencyKey, OwnedBottle, Thrower, bottle_id};
use super::items::{Items, JsonText};
use super::query::{PageQuery, parse_page};
use super::view::{CreatedView, OpenedView, OpenerView};
use crate::domain::accounts::required;
use crate::domain::bottles::{Bottle, Bottles, NewBottle, Opened, Opener};
use crate::domain::moderation::{Moderation, ReportOutcome};
use crate::http::{Body, ClientConnection, Session};
use crate::model::clock::{Clock, Timestamp};
use crate::model::fields::{Address, Content, ExpiresIn, OpenWithin, Reason, Style};
use crate::model::geo::Position;

#[derive(Deserialize, ToSchema)]
pub(super) struct ThrowRequest {
    #[schema(value_type = String, min_length = 1, max_length = 4000)]
    content: Option<String>,
    /// 0 (blue, the default), 1 (green) or 2 (yellow)
    #[schema(minimum = 0, maximum = 2)]
    style: Option<i64>,
    #[schema(value_type = LocationRequest)]
    location: Option<LocationRequest>,
    /// the days after which the bottle leaves the sea by itself
    #[schema(minimum = 1, maximum = 365)]
    expires_in_days: Option<i64>,
    /// the distance in metres within which others can open it
    #[schema(minimum = 20, maximum = 50_000)]
    open_within_m: Option<i64>,
}

#[derive(Deserialize, ToSchema)]
struct LocationRequest {
    #[schema(max_length = 256)]
    formatted_address: Option<String>,
    /// degrees
    #[schema(value_type = f64, minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// degrees
    #[schema(value_type = f64, minimum = -180, maximum = 180)]
    longitude: Option<f64>,
}

impl ThrowRequest {
    fn bottle(self, now: Timestamp) -> crate::model::error::Result<NewBottle> {
        let expires_in = self.expires_in_days.map(ExpiresIn::parse).transpose()?;
        let location = required("location", self.location)?;
        Ok(NewBottle {
            content: Content::parse(&required("content", self.content)?)?,
            formatted_address: Address::parse(&location.formatted_address.unwrap_or_default())?,
            position: Position::new(
                required("latitude", location.latitude)?,
                required("longitude", location.longitude)?,
            )?,
            style: self.style.map_or(Ok(Style::default()), Style::parse)?,
            expires_at: expires_in.map(|after| now.plus_seconds(after.seconds())),
            open_within: self.open_within_m.map(OpenWithin::parse).transpose()?,
        })
    }
}

/// Throw a bottle
#[utoipa::path(post, path = "/bottles",
    params(("Idempotency-Key" = Option<String>, Header, description = "any key of up to 64 characters: a request with a key that the account used within a day throws no second bottle, and is answered with the first")),
    request_body = ThrowRequest,
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the thrown bottle", body = Envelope<CreatedView>),
        (status = 403, description = "the account is muted, or throwing is frozen"),
    )
)]
#[post("/bottles", data = "<body>")]
pub(super) async fn throw(
    thrower: Thrower,
    key: IdempotencyKey,
    body: Body<ThrowRequest>,
    clock: &State<Clock>,
    bottles: &State<Bottles>,
) -> Reply<CreatedView> {
    let bottle = bottles.throw(&thrower.login, body.0.bottle(clock.now())?, key.0).await?;
    ok("创建漂流瓶成功", bottle.into())
}

/// A page of a list. `next` is the cursor of the next page, for `after`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
pub(super) struct List<T> {
    bottles: Vec<T>,
    next: Option<i64>,
}

/// List the bottles that the account threw, oldest first
#[utoipa::path(get, path = "/bottles/created",
    params(PageQuery),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "a page of the list", body = Envelope<List<CreatedView>>),
    )
)]
#[get("/bottles/created?<limit>&<after>")]
pub(super) async fn created(
    session: Session<CookieOrToken>,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    bottles: &State<Bottles>,
) -> Result<JsonText, ErrorResponse> {
    let (page, mut items) = (parse_page(limit, after)?, Items::default());
    let write_item = |bottle: Bottle| items.push(bottle.id, &CreatedView::from(bottle));
    let read = bottles.created(&session.login.account, page, write_item);
    let has_more = connection.while_open(read).await?;
    Ok(items.response("查询创建的漂流瓶列表成功", &Empty {}, "bottles", has_more)?)
}

/// List the bottles that the account opened, in the order of opening
#[utoipa::path(get, path = "/bottles/opened",
    params(PageQuery),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "a page of the list", body = Envelope<List<OpenedView>>),
    )
)]
#[get("/bottles/opened?<limit>&<after>")]
pub(super) async fn opened(
    session: Session<CookieOrToken>,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    bottles: &State<Bottles>,
) -> Result<JsonText, ErrorResponse> {
    let (page, mut items) = (parse_page(limit, after)?, Items::default());
    let write_item = |opened: Opened| items.push(opened.bottle.id, &OpenedView::from(opened));
    let read = bottles.opened(&session.login.account, page, write_item);
    let has_more = connection.while_open(read).await?;
    Ok(items.response("查询打开的漂流瓶列表成功", &Empty {}, "bottles", has_more)?)
}

#[derive(Serialize)]
struct OpenersCount {
    openers_count: i64,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
pub(super) struct Openers {
    openers_count: i64,
    openers: Vec<OpenerView>,
    next: Option<i64>,
}

/// List the openers of the account's own bottle
#[utoipa::path(get, path = "/bottles/{bottle_id}/openers",
    params(("bottle_id" = i64, Path), PageQuery),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "a page of the list", body = Envelope<Openers>),
        (status = 403, description = "another account owns the bottle"),
        (status = 404, description = "no such bottle"),
    )
)]
#[get("/bottles/<_>/openers?<limit>&<after>")]
pub(super) async fn openers(
    bottle: OwnedBottle,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    bottles: &State<Bottles>,
) -> Result<JsonText, ErrorResponse> {
    let (page, mut items) = (parse_page(limit, after)?, Items::default());
    let write_item = |opener: Opener| items.push(opener.account.id, &OpenerView::from(opener));
    let read = bottles.openers(bottle.id, page, write_item);
    let (openers_count, has_more) = connection.while_open(read).await?;
    let head = OpenersCount { openers_count };
    Ok(items.response("查询漂流瓶的打开者列表成功", &head, "openers", has_more)?)
}

/// Delete the account's own bottle, with its openings
#[utoipa::path(delete, path = "/bottles/{bottle_id}",
    params(("bottle_id" = i64, Path)),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the bottle is deleted", body = Envelope<Empty>),
        (status = 403, description = "another account owns the bottle"),
        (status = 404, description = "no such bottle"),
    )
)]
#[delete("/bottles/<_>")]
pub(super) async fn delete(bottle: OwnedBottle, bottles: &State<Bottles>) -> Reply<Empty> {
    bottles.delete(&bottle.login, bottle.id).await?;
    ok("删除漂流瓶成功", Empty {})
}

#[derive(Deserialize, ToSchema)]
pub(super) struct ReportRequest {
    #[schema(value_type = String, min_length = 1, max_length = 500)]
    pub(super) reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ReportResult {
    /// present only if true: a teacher has decided on the account's earlier report
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    settled: bool,
    /// present only if true: the account has reported this before, and no teacher has decided yet
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repeated: bool,
}

impl From<ReportOutcome> for ReportResult {
    fn from(outcome: ReportOutcome) -> Self {
        Self {
            settled: outcome == ReportOutcome::Settled,
            repeated: outcome == ReportOutcome::Repeated,
        }
    }
}

/// Report another account's bottle to the teachers; only the first report of an account counts
#[utoipa::path(post, path = "/bottles/{bottle_id}/report",
    params(("bottle_id" = i64, Path)),
    request_body = ReportRequest,
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the report is stored, unless the account has reported the bottle before", body = Envelope<ReportResult>),
        (status = 403, description = "the account owns the bottle"),
        (status = 404, description = "no such bottle"),
    )
)]
#[post("/bottles/<id>/report", data = "<body>")]
pub(super) async fn report(
    session: Session<CookieOrToken>,
    id: &str,
    body: Body<ReportRequest>,
    moderation: &State<Moderation>,
) -> Reply<ReportResult> {
    let reason = Reason::parse(&required("reason", body.0.reason)?)?;
    let outcome = moderation.report(&session.login, bottle_id(id)?, reason).await?;
    ok("举报成功", outcome.into())
}
