//! What a teacher does: looks at what was reported, hides and shows, mutes and freezes.

use rocket::{State, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::envelope::{Answer, Empty, Refusal, Reply, ok};
use super::guard::{Teacher, bottle_id};
use super::items::{Items, JsonText};
use super::query::{PageQuery, page};
use super::view::{CreatedView, Person};
use crate::domain::accounts::required;
use crate::domain::moderation::{AuditEntry, CaseFilter, Moderation, ReportedBottle};
use crate::http::{Body, ClientConnection};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Problem};

#[derive(Serialize, ToSchema)]
struct ReportView {
    reporter: Person,
    reason: String,
    reported_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
struct ReportedBottleView {
    #[serde(flatten)]
    bottle: CreatedView,
    owner: Person,
    /// until when the owner may throw nothing
    muted_until: Option<Timestamp>,
    reports: Vec<ReportView>,
}

impl From<ReportedBottle> for ReportedBottleView {
    fn from(case: ReportedBottle) -> Self {
        let reports = case.reports.into_iter().map(|report| ReportView {
            reporter: report.reporter.into(),
            reason: report.reason,
            reported_at: report.reported_at,
        });
        Self {
            reports: reports.collect(),
            bottle: case.bottle.into(),
            owner: case.owner.into(),
            muted_until: case.muted_until,
        }
    }
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "the answer is written item by item")]
pub(super) struct Cases {
    bottles: Vec<ReportedBottleView>,
    next: Option<i64>,
}

/// The bottles for a teacher to look at
#[utoipa::path(get, path = "/teacher/bottles",
    params(
        ("state" = Option<String>, Query, description = "`reported` (if not given) or `hidden`"),
        PageQuery
    ),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "a part of the list, by id", body = Answer<Cases>),
        (status = 403, description = "not a teacher"),
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
) -> Result<JsonText, Refusal> {
    let which = match state {
        None | Some("reported") => CaseFilter::Reported,
        Some("hidden") => CaseFilter::Hidden,
        Some(_) => return Err(Error::field("state", Problem::NotOneOf("reported, hidden")).into()),
    };
    let (page, mut items) = (page(limit, after)?, Items::default());
    let show = |case: ReportedBottle| items.push(case.bottle.id, &ReportedBottleView::from(case));
    let more = connection.while_open(moderation.cases(which, page, show)).await?;
    Ok(items.answer("查询成功", &Empty {}, "bottles", more)?)
}

#[derive(Deserialize, ToSchema)]
pub(super) struct HideRequest {
    #[schema(value_type = bool)]
    hidden: Option<bool>,
}

/// Hide a bottle or show it again; either settles what was reported of it
#[utoipa::path(put, path = "/teacher/bottles/{bottle_id}",
    params(("bottle_id" = i64, Path)),
    request_body = HideRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "it is so", body = Answer<Empty>),
        (status = 403, description = "not a teacher"),
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

#[derive(Deserialize, ToSchema)]
pub(super) struct MuteRequest {
    /// 0 lets them throw again
    #[schema(value_type = u32)]
    muted_minutes: Option<u32>,
}

/// Let an account throw nothing for a time
#[utoipa::path(put, path = "/teacher/users/{user_id}",
    params(("user_id" = i64, Path)),
    request_body = MuteRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "it is so", body = Answer<Empty>),
        (status = 403, description = "not a teacher"),
        (status = 404, description = "no such user"),
    )
)]
#[put("/teacher/users/<id>", data = "<body>")]
pub(super) async fn mute(
    teacher: Teacher,
    id: &str,
    body: Body<MuteRequest>,
    moderation: &State<Moderation>,
) -> Reply<Empty> {
    let minutes = required("muted_minutes", body.0.muted_minutes)?;
    let user = id.parse().map_err(|_| Error::NoSuchUser(id.chars().take(20).collect()))?;
    moderation.mute(&teacher.login, user, minutes).await?;
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
    muted: Vec<MutedView>,
}

/// Whether nobody may throw, and who may not
#[utoipa::path(get, path = "/teacher/sea",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "how things stand", body = Answer<ModerationStatusView>),
        (status = 403, description = "not a teacher"),
    )
)]
#[get("/teacher/sea")]
pub(super) fn standing(
    _teacher: Teacher,
    moderation: &State<Moderation>,
) -> Reply<ModerationStatusView> {
    let standing = moderation.status()?;
    let muted = standing.muted.into_iter();
    let muted =
        muted.map(|(account, until)| MutedView { person: account.into(), muted_until: until });
    ok("查询成功", ModerationStatusView { frozen: standing.frozen, muted: muted.collect() })
}

#[derive(Deserialize, ToSchema)]
pub(super) struct FreezeRequest {
    #[schema(value_type = bool)]
    frozen: Option<bool>,
}

/// Let nobody throw, or all again
#[utoipa::path(put, path = "/teacher/sea",
    request_body = FreezeRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "it is so", body = Answer<Empty>),
        (status = 403, description = "not a teacher"),
    )
)]
#[put("/teacher/sea", data = "<body>")]
pub(super) async fn freeze(
    teacher: Teacher,
    body: Body<FreezeRequest>,
    moderation: &State<Moderation>,
) -> Reply<Empty> {
    let frozen = required("frozen", body.0.frozen)?;
    moderation.freeze(&teacher.login, frozen).await?;
    ok(if frozen { "已暂停扔瓶子" } else { "已恢复扔瓶子" }, Empty {})
}

#[derive(Serialize, ToSchema)]
struct AuditEntryView {
    entry_id: i64,
    done_at: Timestamp,
    /// who did it; none where enough reports did
    actor: Option<String>,
    /// hide, show, mute, unmute, freeze or unfreeze
    action: &'static str,
    bottle_id: Option<i64>,
    /// who was muted, or whose bottle it is
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
            user_id,
            username,
            until: entry.until,
        }
    }
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "the answer is written item by item")]
pub(super) struct LogView {
    entries: Vec<AuditEntryView>,
    next: Option<i64>,
}

/// Who did what, the latest first
#[utoipa::path(get, path = "/teacher/log",
    params(PageQuery),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "a part of the log", body = Answer<LogView>),
        (status = 403, description = "not a teacher"),
    )
)]
#[get("/teacher/log?<limit>&<after>")]
pub(super) async fn log(
    _teacher: Teacher,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    moderation: &State<Moderation>,
) -> Result<JsonText, Refusal> {
    let (page, mut items) = (page(limit, after)?, Items::default());
    let show = |entry: AuditEntry| items.push(entry.id, &AuditEntryView::from(entry));
    let more = connection.while_open(moderation.log(page, show)).await?;
    Ok(items.answer("查询成功", &Empty {}, "entries", more)?)
}
