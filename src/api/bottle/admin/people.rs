//! The list of accounts, as operators see them.

use rocket::{State, get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::bottle::envelope::{Empty, Envelope, ErrorResponse};
use crate::api::bottle::guard::Operator;
use crate::api::bottle::items::{Items, JsonText};
use crate::api::bottle::query::{PageQuery, parse_page};
use crate::domain::accounts::{AccountFilter, AccountSummary, Accounts, Role};
use crate::http::ClientConnection;
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Problem, Result};
use crate::model::fields::Username;

/// An account in the list.
#[derive(Serialize, ToSchema)]
struct PersonView {
    user_id: i64,
    username: String,
    nickname: String,
    /// `user`, `teacher` or `operator`
    role: &'static str,
    created_at: Timestamp,
    /// the latest of the logins of its sessions, the uses of its access tokens, its throws and its
    /// openings
    last_seen: Option<Timestamp>,
    /// the number of bottles that it threw
    bottles: i64,
    /// the number of its live sessions, in all contracts
    sessions: i64,
    /// present only if the account is muted
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    muted_until: Option<Timestamp>,
    /// present only if true
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    password_is_one_time: bool,
    /// present only if true: it ends with its class, and has neither a password nor another role
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_guest: bool,
    /// present only if true: it cannot be deleted, muted or given another role
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_last_operator: bool,
}

impl From<AccountSummary> for PersonView {
    fn from(summary: AccountSummary) -> Self {
        let account = summary.account;
        Self {
            user_id: account.id,
            role: account.role().as_str(),
            username: account.username,
            nickname: account.nickname,
            created_at: account.created_at,
            last_seen: summary.last_seen,
            bottles: summary.bottles,
            sessions: summary.sessions,
            muted_until: summary.muted_until,
            password_is_one_time: account.password_is_one_time,
            is_guest: account.guest_until.is_some(),
            is_last_operator: summary.is_last_operator,
        }
    }
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
pub(in crate::api::bottle) struct PeopleView {
    people: Vec<PersonView>,
    next: Option<i64>,
}

/// List the accounts, oldest first
#[utoipa::path(get, path = "/admin/people",
    params(
        ("q" = Option<String>, Query, description = "a part of the username or the nickname"),
        ("role" = Option<String>, Query, description = "`user`, `teacher` or `operator`"),
        PageQuery
    ),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "a page of the list", body = Envelope<PeopleView>),
        (status = 403, description = "the account is not an operator's"),
    )
)]
#[get("/admin/people?<q>&<role>&<limit>&<after>")]
pub(in crate::api::bottle) async fn people(
    _operator: Operator,
    q: Option<&str>,
    role: Option<&str>,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    accounts: &State<Accounts>,
) -> Result<JsonText, ErrorResponse> {
    let text = q.map(str::trim).filter(|text| !text.is_empty());
    let filter = AccountFilter {
        text: text.map(|text| Username::normalized(text).as_str().to_owned()),
        role: role.map(parse_role).transpose()?,
    };
    let (page, mut items) = (parse_page(limit, after)?, Items::default());
    let write_item = |one: AccountSummary| items.push(one.account.id, &PersonView::from(one));
    let listed = accounts.people(&filter, page, write_item);
    let has_more = connection.while_open(listed).await?;
    Ok(items.response("查询成功", &Empty {}, "people", has_more)?)
}

/// Parses the word for a role.
pub(super) fn parse_role(text: &str) -> Result<Role> {
    let unknown = || Error::field("role", Problem::NotOneOf("user, teacher, operator"));
    Role::parse(text).ok_or_else(unknown)
}
