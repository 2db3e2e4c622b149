//! Blocked accounts.

use rocket::{State, get, put};
use serde::Deserialize;
use utoipa::ToSchema;

use super::envelope::{Empty, Envelope, ErrorResponse, Reply, ok};
use super::guard::{CookieOrToken, user_id};
use super::items::{Items, JsonText};
use super::query::{PageQuery, parse_page};
use super::view::Person;
use crate::domain::accounts::{Account, required};
use crate::domain::conversations::Conversations;
use crate::http::{Body, ClientConnection, Session};

#[derive(Deserialize, ToSchema)]
pub(super) struct BlockRequest {
    #[schema(value_type = bool)]
    blocked: Option<bool>,
}

/// Block an account, or end that: it no longer opens one's bottles nor replies to them
#[utoipa::path(put, path = "/users/{user_id}/block",
    params(("user_id" = i64, Path)),
    request_body = BlockRequest,
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the account is blocked, or no longer", body = Envelope<Empty>),
        (status = 403, description = "it is the account's own id"),
        (status = 404, description = "no such user"),
    )
)]
#[put("/users/<id>/block", data = "<body>")]
pub(super) async fn block(
    session: Session<CookieOrToken>,
    id: &str,
    body: Body<BlockRequest>,
    conversations: &State<Conversations>,
) -> Reply<Empty> {
    let blocked = required("blocked", body.0.blocked)?;
    conversations.block(&session.login, user_id(id)?, blocked).await?;
    ok(if blocked { "已屏蔽" } else { "已取消屏蔽" }, Empty {})
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
pub(super) struct Blocked {
    blocked: Vec<Person>,
    next: Option<i64>,
}

/// List the accounts that one has blocked
#[utoipa::path(get, path = "/users/self/blocks",
    params(PageQuery),
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "a page of the list", body = Envelope<Blocked>),
    )
)]
#[get("/users/self/blocks?<limit>&<after>")]
pub(super) async fn blocked(
    session: Session<CookieOrToken>,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    conversations: &State<Conversations>,
) -> Result<JsonText, ErrorResponse> {
    let (page, mut items) = (parse_page(limit, after)?, Items::default());
    let write_item = |account: Account| items.push(account.id, &Person::from(account));
    let read = conversations.blocked(&session.login, page, write_item);
    let has_more = connection.while_open(read).await?;
    Ok(items.response("查询屏蔽列表成功", &Empty {}, "blocked", has_more)?)
}
