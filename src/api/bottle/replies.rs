//! The conversations of a bottle's owner with its openers.

use rocket::{State, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bottles::{ReportRequest, ReportResult};
use super::envelope::{Empty, Envelope, ErrorResponse, Reply, ok};
use super::guard::{CookieOrToken, OwnedBottle, Thrower, bottle_id, reply_id};
use super::items::{Items, JsonText};
use super::query::{PageQuery, parse_id, parse_page};
use super::view::Person;
use crate::domain::accounts::required;
use crate::domain::conversations::{self, Conversations, ThreadPage};
use crate::domain::moderation::Moderation;
use crate::http::{Body, ClientConnection, Session};
use crate::model::clock::Timestamp;
use crate::model::error::Error;
use crate::model::fields::{Reason, ReplyText};

/// A reply.
#[derive(Serialize, ToSchema)]
pub(super) struct ReplyView {
    reply_id: i64,
    bottle_id: i64,
    author: Person,
    content: String,
    created_at: Timestamp,
    /// present only if true, and only to a teacher
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hidden: bool,
}

impl From<conversations::Reply> for ReplyView {
    fn from(reply: conversations::Reply) -> Self {
        Self {
            reply_id: reply.id,
            bottle_id: reply.thread.bottle,
            author: reply.author.into(),
            content: reply.content,
            created_at: reply.created_at,
            hidden: reply.hidden_at.is_some(),
        }
    }
}

#[derive(Deserialize, ToSchema)]
pub(super) struct ReplyRequest {
    #[schema(value_type = String, min_length = 1, max_length = 500)]
    content: Option<String>,
    /// the opener to whom the owner writes; an opener leaves it out
    opener_id: Option<i64>,
}

/// Write a reply, as an opener of the bottle to its owner, or as the owner to an opener who has
/// written
#[utoipa::path(post, path = "/bottles/{bottle_id}/replies",
    params(("bottle_id" = i64, Path)),
    request_body = ReplyRequest,
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the reply", body = Envelope<ReplyView>),
        (status = 403, description = "`reason`: not_opened, not_participant, opener_first (the owner has no reply of this opener to answer), blocked (one side has blocked the other), hidden (the bottle), muted or frozen"),
        (status = 404, description = "no such bottle"),
    )
)]
#[post("/bottles/<id>/replies", data = "<body>")]
pub(super) async fn reply(
    writer: Thrower,
    id: &str,
    body: Body<ReplyRequest>,
    conversations: &State<Conversations>,
) -> Reply<ReplyView> {
    let content = ReplyText::parse(&required("content", body.0.content)?)?;
    let written =
        conversations.reply(&writer.login, bottle_id(id)?, body.0.opener_id, content).await;
    match written {
        Ok(reply) => ok("回复成功", reply.into()),
        Err(error @ Error::Frozen) => {
            Err(ErrorResponse::from(error).with_message("现在不能回复").with_reason("frozen"))
        }
        Err(Error::Muted(until)) => {
            let message = format!("您被禁言，{until}之前不能回复");
            let error = ErrorResponse::from(Error::Muted(until));
            Err(error.with_message(message).with_reason("muted"))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Serialize)]
struct ThreadHead {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    blocked: bool,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
pub(super) struct Replies {
    /// present only if the account has blocked the other side
    #[schema(nullable = false)]
    blocked: Option<bool>,
    replies: Vec<ReplyView>,
    next: Option<i64>,
}

/// List the replies of a thread, oldest first; this marks them as read
#[utoipa::path(get, path = "/bottles/{bottle_id}/replies",
    params(
        ("bottle_id" = i64, Path),
        ("opener_id" = Option<i64>, Query, description = "the opener, for the owner and for a teacher"),
        PageQuery
    ),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "a page of the list", body = Envelope<Replies>),
        (status = 403, description = "`reason`: not_opened or not_participant"),
        (status = 404, description = "no such bottle"),
    )
)]
#[get("/bottles/<id>/replies?<opener_id>&<limit>&<after>")]
pub(super) async fn replies(
    session: Session<CookieOrToken>,
    id: &str,
    opener_id: Option<&str>,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    conversations: &State<Conversations>,
) -> Result<JsonText, ErrorResponse> {
    let (page, mut items) = (parse_page(limit, after)?, Items::default());
    let opener = opener_id.map(|text| parse_id("opener_id", text)).transpose()?;
    let write_item = |reply: conversations::Reply| items.push(reply.id, &ReplyView::from(reply));
    let read = conversations.replies(&session.login, bottle_id(id)?, opener, page, write_item);
    let ThreadPage { is_blocked: blocked, has_more } = connection.while_open(read).await?;
    Ok(items.response("查询回复成功", &ThreadHead { blocked }, "replies", has_more)?)
}

/// A thread of an own bottle.
#[derive(Serialize, ToSchema)]
struct ThreadView {
    opener: Person,
    replies_count: i64,
    /// the replies of the opener that the owner has not read
    unread_count: i64,
    last_reply_at: Timestamp,
}

impl From<conversations::Thread> for ThreadView {
    fn from(thread: conversations::Thread) -> Self {
        Self {
            opener: thread.opener.into(),
            replies_count: thread.replies_count,
            unread_count: thread.unread_count,
            last_reply_at: thread.last_reply_at,
        }
    }
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
pub(super) struct Threads {
    threads: Vec<ThreadView>,
    next: Option<i64>,
}

/// List the threads of the account's own bottle, the latest first
#[utoipa::path(get, path = "/bottles/{bottle_id}/threads",
    params(("bottle_id" = i64, Path), PageQuery),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "a page of the list", body = Envelope<Threads>),
        (status = 403, description = "another account owns the bottle"),
        (status = 404, description = "no such bottle"),
    )
)]
#[get("/bottles/<_>/threads?<limit>&<after>")]
pub(super) async fn threads(
    bottle: OwnedBottle,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    conversations: &State<Conversations>,
) -> Result<JsonText, ErrorResponse> {
    let (page, mut items) = (parse_page(limit, after)?, Items::default());
    let write_item =
        |thread: conversations::Thread| items.push(thread.last_reply, &ThreadView::from(thread));
    let read = conversations.threads(bottle.id, page, write_item);
    let has_more = connection.while_open(read).await?;
    Ok(items.response("查询对话列表成功", &Empty {}, "threads", has_more)?)
}

/// Delete an own reply
#[utoipa::path(delete, path = "/replies/{reply_id}",
    params(("reply_id" = i64, Path)),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the reply is deleted", body = Envelope<Empty>),
        (status = 403, description = "`reason`: not_author"),
        (status = 404, description = "no such reply"),
    )
)]
#[delete("/replies/<id>")]
pub(super) async fn delete(
    session: Session<CookieOrToken>,
    id: &str,
    conversations: &State<Conversations>,
) -> Reply<Empty> {
    conversations.delete(&session.login, reply_id(id)?).await?;
    ok("删除回复成功", Empty {})
}

/// Report a reply of the other side to the teachers; only the first report of an account counts
#[utoipa::path(post, path = "/replies/{reply_id}/report",
    params(("reply_id" = i64, Path)),
    request_body = ReportRequest,
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the report is stored, unless the account has reported the reply before", body = Envelope<ReportResult>),
        (status = 403, description = "`reason`: own_reply"),
        (status = 404, description = "no such reply"),
    )
)]
#[post("/replies/<id>/report", data = "<body>")]
pub(super) async fn report(
    session: Session<CookieOrToken>,
    id: &str,
    body: Body<ReportRequest>,
    moderation: &State<Moderation>,
) -> Reply<ReportResult> {
    let reason = Reason::parse(&required("reason", body.0.reason)?)?;
    let outcome = moderation.report_reply(&session.login, reply_id(id)?, reason).await?;
    ok("举报成功", outcome.into())
}
