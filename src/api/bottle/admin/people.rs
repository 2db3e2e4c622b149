//! The accounts, as operators see and change them.

use rocket::{State, delete, get, post, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::bottle::envelope::{Empty, Envelope, ErrorResponse, Reply, ok};
use crate::api::bottle::guard::{Operator, user_id};
use crate::api::bottle::items::{Items, JsonText};
use crate::api::bottle::query::{PageQuery, parse_page};
use crate::domain::accounts::{
    Account, AccountFilter, AccountSummary, Accounts, LastOperator, OperatorChanges, Registration,
    Role, required,
};
use crate::http::{Body, ClientConnection};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Problem, Result};
use crate::model::fields::{Nickname, Username};

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

fn parse_role(text: &str) -> Result<Role> {
    let unknown = || Error::field("role", Problem::NotOneOf("user, teacher, operator"));
    Role::parse(text).ok_or_else(unknown)
}

/// An account after a change.
#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct ChangedView {
    user_id: i64,
    username: String,
    nickname: String,
    /// `user`, `teacher` or `operator`
    role: &'static str,
    /// present only if the server has generated one: it is shown once
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    one_time_password: Option<String>,
}

impl ChangedView {
    fn new(account: Account, one_time_password: Option<String>) -> Self {
        Self {
            user_id: account.id,
            role: account.role().as_str(),
            username: account.username,
            nickname: account.nickname,
            one_time_password,
        }
    }
}

#[derive(Deserialize, ToSchema)]
pub(in crate::api::bottle) struct NewPersonRequest {
    #[schema(value_type = String)]
    username: Option<String>,
    /// the name that others see; the username by default
    nickname: Option<String>,
    /// without one, the server generates a one-time password
    password: Option<String>,
    /// `user` (the default), `teacher` or `operator`
    role: Option<String>,
}

/// Add an account
#[utoipa::path(post, path = "/admin/people",
    request_body = NewPersonRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the account", body = Envelope<ChangedView>),
        (status = 403, description = "the account is not an operator's"),
        (status = 409, description = "the username is taken"),
    )
)]
#[post("/admin/people", data = "<body>")]
pub(in crate::api::bottle) async fn add(
    operator: Operator,
    body: Body<NewPersonRequest>,
    accounts: &State<Accounts>,
) -> Reply<ChangedView> {
    let NewPersonRequest { username, nickname, password, role } = body.0;
    let generated = password.is_none().then(|| accounts.one_time_password());
    let password = password.or_else(|| generated.clone()).unwrap_or_default();
    let new = Registration {
        username: Username::parse("username", &required("username", username)?)?,
        password: accounts.new_password("password", &password)?,
        nickname: nickname.as_deref().map(Nickname::parse).transpose()?,
        gender: None,
        email: None,
    };
    let role = role.as_deref().map_or(Ok(Role::User), parse_role)?;
    let actor = (&operator.login).into();
    let account = accounts.add(actor, new, role, generated.is_some()).await?;
    ok("已添加用户", ChangedView::new(account, generated))
}

#[derive(Deserialize, ToSchema)]
pub(in crate::api::bottle) struct PersonChanges {
    username: Option<String>,
    /// `user`, `teacher` or `operator`
    role: Option<String>,
}

/// Change the username or the role of an account
#[utoipa::path(put, path = "/admin/people/{user_id}",
    params(("user_id" = i64, Path)),
    request_body = PersonChanges,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the changed account", body = Envelope<ChangedView>),
        (status = 403, description = "the account is not an operator's, or the last operator would get another role"),
        (status = 404, description = "no such user"),
        (status = 409, description = "the username is taken"),
    )
)]
#[put("/admin/people/<id>", data = "<body>")]
pub(in crate::api::bottle) async fn change(
    operator: Operator,
    id: &str,
    body: Body<PersonChanges>,
    accounts: &State<Accounts>,
) -> Reply<ChangedView> {
    let username = body.0.username.as_deref().map(|text| Username::parse("username", text));
    let role = body.0.role.as_deref().map(parse_role);
    let changes = OperatorChanges { username: username.transpose()?, role: role.transpose()? };
    let actor = (&operator.login).into();
    let account = accounts.change(actor, user_id(id)?, changes, LastOperator::Stays).await?;
    ok("修改成功", ChangedView::new(account, None))
}

/// Replace the password of an account by a one-time password, and end its sessions
#[utoipa::path(post, path = "/admin/people/{user_id}/password",
    params(("user_id" = i64, Path)),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the account and its one-time password", body = Envelope<ChangedView>),
        (status = 403, description = "the account is not an operator's, or the password is their own"),
        (status = 404, description = "no such user"),
    )
)]
#[post("/admin/people/<id>/password")]
pub(in crate::api::bottle) async fn replace_password(
    operator: Operator,
    id: &str,
    accounts: &State<Accounts>,
) -> Reply<ChangedView> {
    let generated = accounts.one_time_password();
    let password = accounts.new_password("password", &generated)?;
    let actor = (&operator.login).into();
    let account = accounts.set_password(actor, user_id(id)?, password, true).await?;
    ok("已设置一次性密码", ChangedView::new(account, Some(generated)))
}

#[derive(Deserialize, ToSchema)]
pub(in crate::api::bottle) struct MutePersonRequest {
    /// the duration in minutes; 0 ends the mute
    #[schema(value_type = u32)]
    muted_minutes: Option<u32>,
}

/// Mute an account for a time, as teachers do
#[utoipa::path(put, path = "/admin/people/{user_id}/mute",
    params(("user_id" = i64, Path)),
    request_body = MutePersonRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the account is muted, or may throw again", body = Envelope<Empty>),
        (status = 403, description = "the account is not an operator's, or the last operator would be muted"),
        (status = 404, description = "no such user"),
    )
)]
#[put("/admin/people/<id>/mute", data = "<body>")]
pub(in crate::api::bottle) async fn mute(
    operator: Operator,
    id: &str,
    body: Body<MutePersonRequest>,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    let minutes = required("muted_minutes", body.0.muted_minutes)?;
    accounts.mute((&operator.login).into(), user_id(id)?, minutes).await?;
    ok(if minutes > 0 { "已禁言" } else { "已解除禁言" }, Empty {})
}

/// End all sessions and access tokens of an account
#[utoipa::path(delete, path = "/admin/people/{user_id}/sessions",
    params(("user_id" = i64, Path)),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the sessions have ended", body = Envelope<Empty>),
        (status = 403, description = "the account is not an operator's"),
        (status = 404, description = "no such user"),
    )
)]
#[delete("/admin/people/<id>/sessions")]
pub(in crate::api::bottle) async fn end_sessions(
    operator: Operator,
    id: &str,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    accounts.end_sessions((&operator.login).into(), user_id(id)?).await?;
    ok("已退出所有登录", Empty {})
}

/// Delete an account with its bottles and openings
#[utoipa::path(delete, path = "/admin/people/{user_id}",
    params(("user_id" = i64, Path)),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the account is deleted", body = Envelope<Empty>),
        (status = 403, description = "the account is not an operator's, or is their own or that of the last operator"),
        (status = 404, description = "no such user"),
    )
)]
#[delete("/admin/people/<id>")]
pub(in crate::api::bottle) async fn remove(
    operator: Operator,
    id: &str,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    accounts.remove((&operator.login).into(), user_id(id)?, LastOperator::Stays).await?;
    ok("已删除用户", Empty {})
}
