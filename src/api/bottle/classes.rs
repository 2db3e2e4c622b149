//! Guest classes: the routes of their teachers, which need the cookie of a session, and the one with
//! which guests join.

use std::sync::Arc;

use rocket::http::ContentType;
use rocket::{State, delete, get, post, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::envelope::{Empty, Envelope, ErrorResponse, Reply, ok};
use super::export::Download;
use super::guard::{PrivateCookie, SessionCookie, Teacher, class_id};
use super::items::{Items, JsonText};
use super::join_address::JoinAddress;
use super::query::{PageQuery, parse_page};
use super::record::CollectionRecord;
use super::view::User;
use crate::domain::accounts::{Accounts, Class, required};
use crate::domain::transfer;
use crate::http::{Body, ClientConnection, ClientIp, qr_code};
use crate::model::class::{ClassCode, parse_minutes};
use crate::model::clock::{Clock, Timestamp};
use crate::model::error::Error;
use crate::store::Store;

/// Returns the link to the page that fills in the code.
fn link(address: &JoinAddress, code: &ClassCode) -> String {
    address.link(&format!("class/{}", code.as_str()))
}

/// A guest class.
#[derive(Serialize, ToSchema)]
pub(super) struct ClassView {
    class_id: i64,
    /// the code with which guests join; present only while they can
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// the link to the page that fills in the code; present only with `code`
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// the username of its teacher; none if it was opened on the command line
    teacher: Option<String>,
    opened_at: Timestamp,
    /// the time at which it ends or has ended
    ends_at: Timestamp,
    /// true once it has ended
    ended: bool,
    /// the number of guests that have joined, 100 at most
    guests: u32,
    /// the number of their bottles
    bottles: i64,
}

impl ClassView {
    fn new(class: Class, now: Timestamp, address: &JoinAddress) -> Self {
        let ended = class.ends_at <= now;
        let code = class.code.filter(|_| !ended);
        Self {
            class_id: class.id,
            link: code.as_ref().map(|code| link(address, code)),
            code: code.map(|code| code.as_str().to_owned()),
            teacher: class.teacher,
            opened_at: class.opened_at,
            ends_at: class.ends_at,
            ended,
            guests: class.guests,
            bottles: class.bottles,
        }
    }
}

#[derive(Deserialize, ToSchema)]
pub(super) struct ClassRequest {
    /// the minutes that it lasts
    #[schema(value_type = i64, minimum = 1, maximum = 480)]
    minutes: Option<i64>,
}

/// Open a guest class
#[utoipa::path(post, path = "/teacher/classes",
    request_body = ClassRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the class and its code", body = Envelope<ClassView>),
        (status = 403, description = "the account is not a teacher's"),
    )
)]
#[post("/teacher/classes", data = "<body>")]
pub(super) async fn open(
    teacher: Teacher<PrivateCookie>,
    body: Body<ClassRequest>,
    accounts: &State<Accounts>,
    clock: &State<Clock>,
    address: JoinAddress,
) -> Reply<ClassView> {
    let class = accounts
        .open_class(&teacher.login, parse_minutes(required("minutes", body.0.minutes)?)?)
        .await?;
    ok("课堂已开始", ClassView::new(class, clock.now(), &address))
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
pub(super) struct ClassesView {
    classes: Vec<ClassView>,
    next: Option<i64>,
}

/// List the guest classes, latest first: all for an operator, their own for a teacher
#[utoipa::path(get, path = "/teacher/classes",
    params(PageQuery),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "a page of the list", body = Envelope<ClassesView>),
        (status = 403, description = "the account is not a teacher's"),
    )
)]
#[get("/teacher/classes?<limit>&<after>")]
pub(super) async fn classes(
    teacher: Teacher<PrivateCookie>,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    accounts: &State<Accounts>,
    clock: &State<Clock>,
    address: JoinAddress,
) -> Result<JsonText, ErrorResponse> {
    let (page, mut items, now) = (parse_page(limit, after)?, Items::default(), clock.now());
    let write_item = |class: Class| items.push(class.id, &ClassView::new(class, now, &address));
    let listed = accounts.classes(&teacher.login.account, page, write_item);
    let has_more = connection.while_open(listed).await?;
    Ok(items.response("查询成功", &Empty {}, "classes", has_more)?)
}

/// End a guest class: the sessions of its guests end, and their bottles stay
#[utoipa::path(put, path = "/teacher/classes/{class_id}/end",
    params(("class_id" = i64, Path)),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the class has ended", body = Envelope<Empty>),
        (status = 403, description = "the account is not a teacher's"),
        (status = 404, description = "no such class, or another teacher's"),
    )
)]
#[put("/teacher/classes/<id>/end")]
pub(super) async fn end(
    teacher: Teacher<PrivateCookie>,
    id: &str,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    accounts.end_class(&teacher.login, class_id(id)?).await?;
    ok("课堂已结束", Empty {})
}

/// Delete a guest class with the accounts and bottles of its guests
#[utoipa::path(delete, path = "/teacher/classes/{class_id}",
    params(("class_id" = i64, Path)),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the class is deleted", body = Envelope<Empty>),
        (status = 403, description = "the account is not a teacher's"),
        (status = 404, description = "no such class, or another teacher's"),
    )
)]
#[delete("/teacher/classes/<id>")]
pub(super) async fn delete(
    teacher: Teacher<PrivateCookie>,
    id: &str,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    accounts.delete_class(&teacher.login, class_id(id)?).await?;
    ok("课堂已删除", Empty {})
}

/// Download the bottles of a guest class as a GeoJSON file
#[utoipa::path(get, path = "/teacher/classes/{class_id}/sea",
    params(("class_id" = i64, Path)),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "a GeoJSON collection of points, as `bottle export --geojson` writes it", content_type = "application/geo+json", body = CollectionRecord),
        (status = 403, description = "the account is not a teacher's"),
        (status = 404, description = "no such class, or another teacher's"),
    )
)]
#[get("/teacher/classes/<id>/sea")]
pub(super) async fn sea(
    teacher: Teacher<PrivateCookie>,
    id: &str,
    accounts: &State<Accounts>,
    store: &State<Arc<Store>>,
    connection: ClientConnection,
) -> Result<Download, ErrorResponse> {
    let class = accounts.class(&teacher.login.account, class_id(id)?)?;
    let chunks = connection.while_open(transfer::export_class(store, class.id)).await?;
    let (kind, name) =
        (ContentType::new("application", "geo+json"), format!("class-{}.geojson", class.id));
    Ok(Download::new(kind, name, chunks, connection))
}

/// Returns the link to a guest class as a QR code in SVG.
#[get("/teacher/classes/<id>/join.svg")]
pub(super) fn join_qr_code(
    teacher: Teacher<PrivateCookie>,
    id: &str,
    accounts: &State<Accounts>,
    address: JoinAddress,
) -> Result<(ContentType, String), ErrorResponse> {
    let class = accounts.class(&teacher.login.account, class_id(id)?)?;
    let code = class.code.and_then(|code| qr_code(&link(&address, &code)));
    let code = code.ok_or_else(|| Error::NoSuchClass(class.id.to_string()))?;
    Ok((ContentType::SVG, code))
}

#[derive(Deserialize, ToSchema)]
pub(super) struct GuestRequest {
    /// the code of the class, without regard to case
    #[schema(value_type = String)]
    code: Option<String>,
    /// the name that others see
    #[schema(value_type = String, min_length = 1, max_length = 40)]
    nickname: Option<String>,
}

/// Join a guest class
///
/// Makes an account without a password, whose session ends with the class. It works in every mode of
/// registration.
#[utoipa::path(post, path = "/guests",
    request_body = GuestRequest,
    responses(
        (status = 200, description = "the account of the guest; the cookie is in `Set-Cookie`", body = Envelope<User>),
        (status = 403, description = "`CLASS_CODE_INVALID` for a code that is wrong or of a class that has ended, or `CLASS_FULL`"),
    )
)]
#[post("/guests", data = "<body>")]
pub(super) async fn join(
    body: Body<GuestRequest>,
    client: ClientIp,
    accounts: &State<Accounts>,
    clock: &State<Clock>,
    cookie: SessionCookie<'_>,
) -> Reply<User> {
    let code = ClassCode::presented(&required("code", body.0.code)?);
    let nickname = required("nickname", body.0.nickname)?;
    let started = accounts.join_class(code, &nickname, cookie.token(), client.0).await?;
    let ms = started.expires_at.millis().saturating_sub(clock.now().millis());
    cookie.set(&started.token, u32::try_from(ms / 1000).unwrap_or_default());
    ok("欢迎加入课堂", started.account.into())
}
