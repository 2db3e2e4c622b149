//! The routes for teachers: reported bottles, hiding, muting, freezing, the moderation log.

use rocket::{State, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::case_view::ReportedBottleView;
use super::envelope::{Empty, Envelope, ErrorResponse, Reply, ok};
use super::guard::{Teacher, bottle_id, reply_id, user_id};
use super::items::{Items, JsonText};
use super::query::{PageQuery, parse_page};
use super::view::Person;
use crate::domain::accounts::{Accounts, required};
use crate::domain::moderation::{AuditEntry, CaseFilter, Moderation, ReportedBottle};
use crate::http::{Body, ClientConnection};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Problem};

#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
pub(super) struct Cases {
    bottles: Vec<ReportedBottleView>,
    next: Option<i64>,
}

/// List the reported or the hidden bottles
#[utoipa::path(get, path = "/teacher/bottles",
    params(
        ("state" = Option<String>, Query, description = "`reported` (the default) or `hidden`"),
        PageQuery
    ),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "a page of the list, by id", body = Envelope<Cases>),
        (status = 403, description = "the account is not a teacher's"),
    )
)]
#[get("/teacher/bottles?<state>&<limit>&<after>")]
pub(super) async fn cases(
    _teacher: Teacher,
    state: Option<&str>,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    moderation: &State<Moderation>,
) -> Result<JsonText, ErrorResponse> {
    let filter = match state {
        None | Some("reported") => CaseFilter::Reported,
        Some("hidden") => CaseFilter::Hidden,
        Some(_) => return Err(Error::field("state", Problem::NotOneOf("reported, hidden")).into()),
    };
    let (page, mut items) = (parse_page(limit, after)?, Items::default());
    let write_item =
        |case: ReportedBottle| items.push(case.bottle.id, &ReportedBottleView::from(case));
    let has_more = connection.while_open(moderation.cases(filter, page, write_item)).await?;
    Ok(items.response("查询成功", &Empty {}, "bottles", has_more)?)
}

#[derive(Deserialize, ToSchema)]
pub(super) struct HideRequest {
    #[schema(value_type = bool)]
    hidden: Option<bool>,
}

/// Hide a bottle or show it again; either settles its reports
#[utoipa::path(put, path = "/teacher/bottles/{bottle_id}",
    params(("bottle_id" = i64, Path)),
    request_body = HideRequest,
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the bottle is hidden or shown", body = Envelope<Empty>),
        (status = 403, description = "the account is not a teacher's"),
        (status = 404, description = "no such bottle"),
    )
)]
#[put("/teacher/bottles/<id>", data = "<body>")]
pub(super) async fn hide(
    teacher: Teacher,
    id: &str,
    body: Body<HideRequest>,
    moderation: &State<Moderation>,
) -> Reply<Empty> {
    let hidden = required("hidden", body.0.hidden)?;
    moderation.set_hidden(&teacher.login, bottle_id(id)?, hidden).await?;
    ok(if hidden { "已隐藏" } else { "已恢复" }, Empty {})
}

/// Hide a reply or show it again; either settles its reports
#[utoipa::path(put, path = "/teacher/replies/{reply_id}",
    params(("reply_id" = i64, Path)),
    request_body = HideRequest,
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the reply is hidden or shown", body = Envelope<Empty>),
        (status = 403, description = "the account is not a teacher's"),
        (status = 404, description = "no such reply"),
    )
)]
#[put("/teacher/replies/<id>", data = "<body>")]
pub(super) async fn hide_reply(
    teacher: Teacher,
    id: &str,
    body: Body<HideRequest>,
    moderation: &State<Moderation>,
) -> Reply<Empty> {
    let hidden = required("hidden", body.0.hidden)?;
    moderation.set_reply_hidden(&teacher.login, reply_id(id)?, hidden).await?;
    ok(if hidden { "已隐藏" } else { "已恢复" }, Empty {})
}

#[derive(Deserialize, ToSchema)]
pub(super) struct MuteRequest {
    /// the duration in minutes; 0 ends the mute
    #[schema(value_type = u32)]
    muted_minutes: Option<u32>,
}

/// Mute an account for a time
#[utoipa::path(put, path = "/teacher/users/{user_id}",
    params(("user_id" = i64, Path)),
    request_body = MuteRequest,
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the account is muted, or may throw again", body = Envelope<Empty>),
        (status = 403, description = "the account is not a teacher's"),
        (status = 404, description = "no such user"),
    )
)]
#[put("/teacher/users/<id>", data = "<body>")]
pub(super) async fn mute(
    teacher: Teacher,
    id: &str,
    body: Body<MuteRequest>,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    let minutes = required("muted_minutes", body.0.muted_minutes)?;
    accounts.mute((&teacher.login).into(), user_id(id)?, minutes).await?;
    ok(if minutes > 0 { "已禁言" } else { "已解除禁言" }, Empty {})
}

#[derive(Serialize, ToSchema)]
struct MutedView {
    #[serde(flatten)]
    person: Person,
    muted_until: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ModerationStatusView {
    frozen: bool,
    /// present only if true: teachers may show the first words of new bottles
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shows_messages: bool,
    muted: Vec<MutedView>,
}

/// Return whether throwing is frozen, and the muted accounts
#[utoipa::path(get, path = "/teacher/sea",
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the status", body = Envelope<ModerationStatusView>),
        (status = 403, description = "the account is not a teacher's"),
    )
)]
#[get("/teacher/sea")]
pub(super) fn status(
    _teacher: Teacher,
    moderation: &State<Moderation>,
) -> Reply<ModerationStatusView> {
    let status = moderation.status()?;
    let muted = status.muted.into_iter();
    let muted =
        muted.map(|(account, until)| MutedView { person: account.into(), muted_until: until });
    let (frozen, shows_messages) = (status.frozen, status.shows_messages);
    ok("查询成功", ModerationStatusView { frozen, shows_messages, muted: muted.collect() })
}

#[derive(Deserialize, ToSchema)]
pub(super) struct FreezeRequest {
    /// required unless `shows_messages` is present
    frozen: Option<bool>,
    /// whether teachers may show the first words of bottles that are thrown from now on
    shows_messages: Option<bool>,
}

/// Freeze throwing for all accounts, or end that; let teachers show the first words of new bottles, or
/// end that
#[utoipa::path(put, path = "/teacher/sea",
    request_body = FreezeRequest,
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the status has changed", body = Envelope<Empty>),
        (status = 403, description = "the account is not a teacher's"),
    )
)]
#[put("/teacher/sea", data = "<body>")]
pub(super) async fn freeze(
    teacher: Teacher,
    body: Body<FreezeRequest>,
    moderation: &State<Moderation>,
) -> Reply<Empty> {
    if let Some(shown) = body.0.shows_messages {
        moderation.show_messages(&teacher.login, shown).await?;
        if body.0.frozen.is_none() {
            return ok(if shown { "已开始显示新留言" } else { "已停止显示新留言" }, Empty {});
        }
    }
    let frozen = required("frozen", body.0.frozen)?;
    moderation.freeze(&teacher.login, frozen).await?;
    ok(if frozen { "已暂停扔瓶子" } else { "已恢复扔瓶子" }, Empty {})
}

#[derive(Serialize, ToSchema)]
struct AuditEntryView {
    entry_id: i64,
    done_at: Timestamp,
    /// the username of the teacher; none if the number of reports hid the bottle
    actor: Option<String>,
    /// hide, show, mute, unmute, freeze or unfreeze
    action: &'static str,
    bottle_id: Option<i64>,
    /// present only if the entry is about a reply
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_id: Option<i64>,
    /// the muted account, the author of the reply, or the owner of the bottle
    user_id: Option<i64>,
    username: Option<String>,
    until: Option<Timestamp>,
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        let (user_id, username) = entry.user.unzip();
        Self {
            entry_id: entry.id,
            done_at: entry.done_at,
            actor: entry.actor,
            action: entry.action.as_str(),
            bottle_id: entry.bottle,
            reply_id: entry.reply,
            user_id,
            username,
            until: entry.until,
        }
    }
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
pub(super) struct LogView {
    entries: Vec<AuditEntryView>,
    next: Option<i64>,
}

/// List the moderation log, latest entry first
#[utoipa::path(get, path = "/teacher/log",
    params(PageQuery),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "a page of the log", body = Envelope<LogView>),
        (status = 403, description = "the account is not a teacher's"),
    )
)]
#[get("/teacher/log?<limit>&<after>")]
pub(super) async fn log(
    _teacher: Teacher,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    moderation: &State<Moderation>,
) -> Result<JsonText, ErrorResponse> {
    let (page, mut items) = (parse_page(limit, after)?, Items::default());
    let write_item = |entry: AuditEntry| items.push(entry.id, &AuditEntryView::from(entry));
    let has_more = connection.while_open(moderation.log(page, write_item)).await?;
    Ok(items.response("查询成功", &Empty {}, "entries", has_more)?)
}
