//! Feeds: a secret link of an account, for programs that cannot log in.

mod atom;

use rocket::http::{ContentType, Status};
use rocket::response::{self, Responder, Response};
use rocket::{Request, State, delete, get, post};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::envelope::{Empty, Envelope, ErrorResponse, Reply, ok};
use super::guard::PrivateCookie;
use super::items::write;
use super::join_address::JoinAddress;
use super::query::{PageQuery, RectangleQuery, parse_page};
use super::record::PointRecord;
use crate::domain::accounts::{Accounts, Contract, Login};
use crate::domain::bottles::{Bottles, MapBottleRef, NearbyQuery};
use crate::domain::inbox::Inbox;
use crate::http::budget::json_response;
use crate::http::{ClientConnection, Credential, Session, feed_secret, is_cached};
use crate::model::clock::Timestamp;
use crate::model::error::Error;
use crate::model::token::Token;

/// The credential of a feed: the secret in the path, which only reads.
pub(super) struct FeedLink;

impl Credential for FeedLink {
    const CONTRACT: Contract = Contract::Bottle;

    fn token(request: &Request<'_>) -> Result<Token, Error> {
        feed_secret(request).ok_or(Error::NoSuchFeed)
    }

    fn resolve(request: &Request<'_>, accounts: &Accounts) -> Result<Login, Error> {
        accounts.resolve_feed(&Self::token(request)?)
    }
}

/// The feed of an account, without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct FeedView {
    /// true if the account has a feed
    active: bool,
    /// the time at which it was made
    created_at: Option<Timestamp>,
}

/// Return whether the account has a feed
#[utoipa::path(get, path = "/feed",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the feed, without its secret", body = Envelope<FeedView>),
        (status = 403, description = "the request has an access token"),
    )
)]
#[get("/feed")]
pub(super) fn feed(session: Session<PrivateCookie>, accounts: &State<Accounts>) -> Reply<FeedView> {
    let created_at = accounts.feed(&session.login)?;
    ok("查询成功", FeedView { active: created_at.is_some(), created_at })
}

/// A new feed with its links.
#[derive(Serialize, ToSchema)]
pub(super) struct NewFeedView {
    created_at: Timestamp,
    /// the link to the bottles of a rectangle, which a client appends as for `nearby`; shown once
    nearby: String,
    /// the link to the openings and replies in the inbox; shown once
    inbox: String,
}

/// Make the feed of the account; it replaces an earlier one
///
/// It ends with a new password, and when all sessions of the account are ended.
#[utoipa::path(post, path = "/feed",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the links", body = Envelope<NewFeedView>),
        (status = 403, description = "the request has an access token, or the account is a guest's"),
    )
)]
#[post("/feed")]
pub(super) async fn make(
    session: Session<PrivateCookie>,
    accounts: &State<Accounts>,
    address: JoinAddress,
) -> Reply<NewFeedView> {
    let (created_at, token) = accounts.make_feed(&session.login).await?;
    let base = format!("{}/feeds/{}", address.base(), token.secret());
    let (nearby, inbox) = (format!("{base}/nearby.geojson"), format!("{base}/inbox.atom"));
    ok("已创建订阅链接", NewFeedView { created_at, nearby, inbox })
}

/// End the feed of the account, if it has one
#[utoipa::path(delete, path = "/feed",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the account has no feed", body = Envelope<Empty>),
        (status = 403, description = "the request has an access token"),
    )
)]
#[delete("/feed")]
pub(super) async fn revoke(
    session: Session<PrivateCookie>,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    accounts.end_feed(&session.login).await?;
    ok("已撤销订阅链接", Empty {})
}

/// A bottle on the map as a GeoJSON feature.
#[derive(Serialize, ToSchema)]
struct MapFeature<'a> {
    r#type: &'static str,
    id: i64,
    #[schema(value_type = PointRecord)]
    geometry: Point,
    properties: MapProperties<'a>,
}

#[derive(Serialize)]
struct Point {
    r#type: &'static str,
    /// Longitude, then latitude (RFC 7946, section 3.1.1).
    coordinates: [f64; 2],
}

#[derive(Serialize, ToSchema)]
struct MapProperties<'a> {
    bottle_id: i64,
    style: u8,
    is_owner: bool,
    formatted_address: &'a str,
    /// present only if the bottle can be opened within this distance only, in metres
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    open_within_m: Option<u32>,
}

impl<'a> MapFeature<'a> {
    fn new(bottle: &MapBottleRef<'a>, viewer: i64) -> Self {
        let position = bottle.position;
        Self {
            r#type: "Feature",
            id: bottle.id,
            geometry: Point {
                r#type: "Point",
                coordinates: [position.longitude(), position.latitude()],
            },
            properties: MapProperties {
                bottle_id: bottle.id,
                style: bottle.style.number(),
                is_owner: bottle.owner == viewer,
                formatted_address: bottle.formatted_address,
                open_within_m: bottle.open_within_m,
            },
        }
    }
}

/// The body, as the OpenAPI document describes it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
struct MapFeatures<'a> {
    r#type: String,
    features: Vec<MapFeature<'a>>,
    #[schema(inline)]
    #[serde(flatten)]
    tail: Tail,
}

/// The members after the features, which are not of GeoJSON.
#[derive(Serialize, ToSchema)]
struct Tail {
    /// the number of bottles, or an upper bound if `truncated`
    total: i64,
    truncated: bool,
    next: Option<i64>,
}

/// Return the bottles in a rectangle as GeoJSON, as `nearby` does for the account of the link
#[utoipa::path(get, path = "/{secret}/nearby.geojson",
    params(("secret" = String, Path), RectangleQuery, PageQuery),
    responses(
        (status = 200, description = "a collection of points (RFC 7946)", content_type = "application/geo+json", body = MapFeatures<'_>),
        (status = 304, description = "the client has it, by `If-None-Match`"),
        (status = 404, description = "no such feed: wrong or ended"),
    )
)]
#[get("/<_>/nearby.geojson?<limit>&<after>&<query..>")]
pub(super) async fn nearby(
    feed: Session<FeedLink>,
    query: RectangleQuery<'_>,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    bottles: &State<Bottles>,
) -> Result<Document, ErrorResponse> {
    let rectangle = query.rectangle()?;
    let page = parse_page(limit, after)?;
    let nearby_query = NearbyQuery { limit: page.limit as usize, after: page.after };
    let viewer = feed.login.account.id;
    let read = bottles.nearby(&rectangle, nearby_query, |bottle: &MapBottleRef<'_>| {
        let mut feature = Vec::new();
        write(&mut feature, &MapFeature::new(bottle, viewer))?;
        let size = feature.len() + 1;
        Ok((feature, size))
    });
    let result = connection.while_open(read).await?;
    let tail = Tail { total: result.total, truncated: result.truncated, next: result.next };
    let mut body = br#"{"type":"FeatureCollection","features":["#.to_vec();
    body.extend(result.items.join(&b','));
    body.extend(b"]");
    // Replaces the opening brace of the tail by a comma.
    let opening = body.len();
    write(&mut body, &tail)?;
    body[opening] = b',';
    Ok(Document { kind: ContentType::new("application", "geo+json"), body })
}

/// Return the latest 100 openings and replies in the inbox as an Atom feed in English (RFC 4287), with
/// the positions of their bottles (GeoRSS-Simple)
#[utoipa::path(get, path = "/{secret}/inbox.atom",
    params(("secret" = String, Path)),
    responses(
        (status = 200, description = "the feed", content_type = "application/atom+xml", body = String),
        (status = 304, description = "the client has it, by `If-None-Match`"),
        (status = 404, description = "no such feed: wrong or ended"),
    )
)]
#[get("/<_>/inbox.atom")]
pub(super) async fn inbox(
    feed: Session<FeedLink>,
    inbox: &State<Inbox>,
    connection: ClientConnection,
    address: JoinAddress,
) -> Result<Document, ErrorResponse> {
    let items = connection.while_open(inbox.feed_items(&feed.login)).await?;
    let body = atom::feed(&feed.login.account, &items, address.base()).into_bytes();
    let kind = ContentType::new("application", "atom+xml").with_params(("charset", "utf-8"));
    Ok(Document { kind, body })
}

/// A response that a client may keep and ask about again, and that names its address to nobody.
pub(super) struct Document {
    kind: ContentType,
    body: Vec<u8>,
}

impl Document {
    fn etag(&self) -> String {
        let digest = Sha256::digest(&self.body);
        let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        format!("\"{hex}\"")
    }
}

impl<'r> Responder<'r, 'static> for Document {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let etag = self.etag();
        let mut response = if is_cached(request, &etag) {
            Response::build().status(Status::NotModified).finalize()
        } else {
            let mut whole = json_response(request, self.body)?;
            whole.set_header(self.kind);
            whole
        };
        response.set_raw_header("ETag", etag);
        response.set_raw_header("Cache-Control", "private, no-cache");
        response.set_raw_header("Referrer-Policy", "no-referrer");
        Ok(response)
    }
}
