//! Changes of accounts by operators.

use rocket::{State, delete, post, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::people::parse_role;
use crate::api::bottle::envelope::{Empty, Envelope, Reply, ok};
use crate::api::bottle::guard::{Operator, user_id};
use crate::domain::accounts::{
    Account, Accounts, LastOperator, OperatorChanges, Registration, Role, required,
};
use crate::http::Body;
use crate::model::fields::{Nickname, Username};

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
