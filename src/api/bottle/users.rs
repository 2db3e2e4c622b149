//! The routes of sessions and accounts.

use rocket::{State, delete, get, post, put};
use serde::Deserialize;
use utoipa::ToSchema;

use super::envelope::{Empty, Envelope, ErrorResponse, Reply, ok};
use super::guard::{CookieOrToken, PrivateCookie, Revision, SessionCookie};
use super::inbox_kinds::InboxKinds;
use super::view::User;
use crate::domain::accounts::{
    Accounts, Contract, Name, ProfileChanges, Registration, SessionKind, required,
};
use crate::http::{Body, ClientIp, Lifetimes, RegistrationLimit, Session};
use crate::model::error::Error;
use crate::model::fields::{Gender, Nickname, Username};
use crate::model::invitation::InvitationCode;

#[derive(Deserialize, ToSchema)]
pub(super) struct Credentials {
    #[schema(value_type = String)]
    username: Option<String>,
    #[schema(value_type = String)]
    password: Option<String>,
}

/// Log in
#[utoipa::path(post, path = "/sessions",
    request_body = Credentials,
    responses(
        (status = 200, description = "the account; the cookie is in `Set-Cookie`", body = Envelope<User>),
        (status = 403, description = "wrong username or password"),
    )
)]
#[post("/sessions", data = "<body>")]
pub(super) async fn log_in(
    body: Body<Credentials>,
    client: ClientIp,
    accounts: &State<Accounts>,
    lifetimes: &State<Lifetimes>,
    cookie: SessionCookie<'_>,
) -> Reply<User> {
    let username = required("username", body.0.username)?;
    let password = required("password", body.0.password)?;
    let seconds = lifetimes.bottle;
    let kind = SessionKind {
        contract: Contract::Bottle,
        seconds,
        terminal: None,
        replaces: cookie.token(),
    };
    let started = accounts.log_in(Name::Username(&username), password, kind, client.0).await?;
    cookie.set(&started.token, seconds);
    ok("登录成功", started.account.into())
}

/// Log out
#[utoipa::path(delete, path = "/sessions/self",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the session has ended", body = Envelope<Empty>),
    )
)]
#[delete("/sessions/self")]
pub(super) async fn log_out(
    session: Session<PrivateCookie>,
    accounts: &State<Accounts>,
    cookie: SessionCookie<'_>,
) -> Reply<Empty> {
    accounts.log_out(&session.login).await?;
    cookie.remove();
    ok("登出成功", Empty {})
}

/// End all sessions of the account
#[utoipa::path(delete, path = "/sessions",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "all sessions of the account have ended", body = Envelope<Empty>),
    )
)]
#[delete("/sessions")]
pub(super) async fn log_out_everywhere(
    session: Session<PrivateCookie>,
    accounts: &State<Accounts>,
    cookie: SessionCookie<'_>,
) -> Reply<Empty> {
    accounts.log_out_everywhere(&session.login).await?;
    cookie.remove();
    ok("已登出所有设备", Empty {})
}

#[derive(Deserialize, ToSchema)]
pub(super) struct DeleteAccountRequest {
    #[schema(value_type = String)]
    password: Option<String>,
}

/// Delete the account with its bottles
#[utoipa::path(delete, path = "/users/self",
    request_body = DeleteAccountRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the account is deleted", body = Envelope<Empty>),
        (status = 403, description = "wrong password"),
    )
)]
#[delete("/users/self", data = "<body>")]
pub(super) async fn delete_account(
    session: Session<PrivateCookie>,
    body: Body<DeleteAccountRequest>,
    client: ClientIp,
    accounts: &State<Accounts>,
    cookie: SessionCookie<'_>,
) -> Reply<Empty> {
    let password = required("password", body.0.password)?;
    match accounts.delete(&session.login, Some(password), client.0).await {
        Ok(()) => {
            cookie.remove();
            ok("注销成功", Empty {})
        }
        Err(Error::WrongPassword) => {
            Err(ErrorResponse::from(Error::WrongPassword).with_message("密码错误"))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize, ToSchema)]
pub(super) struct RegisterRequest {
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    username: Option<String>,
    #[schema(value_type = String)]
    password: Option<String>,
    #[schema(max_length = 64)]
    nickname: Option<String>,
    #[schema(value_type = Option<Gender>)]
    gender: Option<String>,
    /// the code of an invitation, where registration needs one
    invitation: Option<String>,
}

/// Parses the fields of a new account.
pub(super) fn parse_registration(
    accounts: &Accounts,
    username: Option<String>,
    password: Option<String>,
    nickname: Option<String>,
    gender: Option<String>,
) -> Result<Registration, Error> {
    Ok(Registration {
        gender: gender.as_deref().map(Gender::parse).transpose()?,
        nickname: nickname.as_deref().map(Nickname::parse).transpose()?,
        username: Username::parse("username", &required("username", username)?)?,
        password: accounts.new_password("password", &required("password", password)?)?,
        email: None,
    })
}

/// Register an account
#[utoipa::path(post, path = "/users",
    request_body = RegisterRequest,
    responses(
        (status = 200, description = "the new account", body = Envelope<User>),
        (status = 403, description = "`REGISTRATION_CLOSED`, or `INVITATION_INVALID` for a wrong, used-up or old invitation"),
        (status = 409, description = "the username is taken"),
    )
)]
#[post("/users", data = "<body>")]
pub(super) async fn register(
    _limit: RegistrationLimit,
    revision: Revision,
    body: Body<RegisterRequest>,
    client: ClientIp,
    accounts: &State<Accounts>,
) -> Reply<User> {
    let code = body.0.invitation.as_deref().map(InvitationCode::presented);
    let RegisterRequest { username, password, nickname, gender, .. } = body.0;
    let registration = parse_registration(accounts, username, password, nickname, gender)?;
    let registered = match code.filter(|code| !code.is_empty()) {
        Some(code) => accounts.register_invited(registration, &code, client.0).await,
        None => accounts.register(registration).await,
    };
    match (revision, registered) {
        (Revision::Current, Ok(account)) => {
            ok(format!("用户{}注册成功", account.username), account.into())
        }
        (Revision::Draft, Ok(account)) => ok("注册成功", account.into()),
        (Revision::Draft, Err(error @ Error::UsernameTaken(_))) => {
            Err(ErrorResponse::from(error).with_message("用户名已存在"))
        }
        (_, Err(error)) => Err(error.into()),
    }
}

/// Return the account of the session
#[utoipa::path(get, path = "/users/self",
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the account", body = Envelope<User>),
    )
)]
#[get("/users/self")]
pub(super) fn profile(session: Session<CookieOrToken>) -> Reply<User> {
    ok("获取用户资料成功", session.login.account.into())
}

#[derive(Deserialize, ToSchema)]
pub(super) struct ProfileRequest {
    #[schema(max_length = 64)]
    nickname: Option<String>,
    #[schema(value_type = Option<Gender>)]
    gender: Option<String>,
    /// a new password; it ends all sessions of the account
    password: Option<String>,
    /// the current password, which the page sends with a new one
    current_password: Option<String>,
    /// kinds of inbox items to silence (false) or not (true)
    inbox: Option<InboxKinds>,
}

/// Change the profile
#[utoipa::path(put, path = "/users/self",
    request_body = ProfileRequest,
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the changed account", body = Envelope<User>),
        (status = 403, description = "`current_password` is wrong"),
    )
)]
#[put("/users/self", data = "<body>")]
pub(super) async fn update(
    session: Session<CookieOrToken>,
    body: Body<ProfileRequest>,
    client: ClientIp,
    accounts: &State<Accounts>,
) -> Reply<User> {
    let new_password = |text: String| accounts.new_password("password", &text);
    let current = session.login.account.nickname.as_str();
    let nickname = |text| Nickname::replacing(&[current], text);
    let changes = ProfileChanges {
        gender: body.0.gender.as_deref().map(Gender::parse).transpose()?,
        nickname: body.0.nickname.as_deref().map(nickname).transpose()?,
        password: body.0.password.map(new_password).transpose()?,
        current_password: body.0.current_password,
        silenced: body.0.inbox.map(|kinds| kinds.change(session.login.account.silenced)),
        ..ProfileChanges::default()
    };
    match accounts.update(&session.login, changes, client.0).await {
        Ok(account) => ok("更新用户资料成功", account.into()),
        Err(Error::WrongPassword) => {
            Err(ErrorResponse::from(Error::WrongPassword).with_message("当前密码错误"))
        }
        Err(error) => Err(error.into()),
    }
}
