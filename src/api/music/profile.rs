//! The account of the session: reading, changing and deleting it.

use rocket::{Request, State, delete, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Bearer;
use super::envelope::{Empty, Envelope, Reply, map_error, ok};
use crate::domain::accounts::{Account, Accounts, Contract, ProfileChanges, required};
use crate::http::{Body, ClientIp, Credential, OptionalBody, Session};
use crate::model::clock::Timestamp;
use crate::model::error::Error;
use crate::model::fields::{AvatarUrl, Nickname, Username};
use crate::model::token::Token;

/// The credential of `profile`, whose document reports a missing token as an invalid one.
pub(super) struct ProfileBearer;

impl Credential for ProfileBearer {
    const CONTRACT: Contract = Contract::Music;

    fn token(request: &Request<'_>) -> Result<Token, Error> {
        Bearer::token(request).map_err(|_| Error::NotLoggedIn)
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = music::Profile)]
pub(super) struct Profile {
    user_id: i64,
    nickname: String,
    email: String,
    avatar_url: String,
    created_at: Timestamp,
}

/// Return the account of the session
#[utoipa::path(get, path = "/profile",
    security(("music_session" = [])),
    responses(
        (status = 200, description = "the account", body = Envelope<Profile>),
        (status = 400, description = "40003: try again later"),
    )
)]
#[get("/profile")]
pub(super) async fn profile(
    session: Session<ProfileBearer>,
    accounts: &State<Accounts>,
) -> Reply<Profile> {
    let account = accounts.read_after_writes(&session.login).await?;
    ok(
        "获取成功",
        Some(Profile {
            user_id: account.id,
            nickname: account.nickname,
            email: account.email.unwrap_or_default(),
            avatar_url: account.avatar_url.unwrap_or_default(),
            created_at: account.created_at,
        }),
    )
}

#[derive(Deserialize, ToSchema)]
#[schema(as = music::RenameRequest)]
pub(super) struct RenameRequest {
    #[schema(value_type = String)]
    password: Option<String>,
    #[schema(value_type = String)]
    new_nickname: Option<String>,
}

/// Change the username
#[utoipa::path(put, path = "/update/username",
    request_body = RenameRequest,
    security(("music_session" = [])),
    responses(
        (status = 200, description = "the username is changed", body = Envelope<Empty>),
        (status = 400, description = "40001: wrong password; 40002: the username is taken; 40003: try again later; 40000: a field is invalid"),
    )
)]
#[put("/update/username", data = "<body>")]
pub(super) async fn rename(
    session: Session<Bearer>,
    body: Body<RenameRequest>,
    client: ClientIp,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    let name = required("new_nickname", body.0.new_nickname)?;
    let Account { username, nickname, .. } = &session.login.account;
    let changes = ProfileChanges {
        username: Some(Username::replacing(username, "new_nickname", &name)?),
        nickname: Some(Nickname::replacing(&[username, nickname], &name)?),
        current_password: Some(required("password", body.0.password)?),
        ..ProfileChanges::default()
    };
    accounts.update(&session.login, changes, client.0).await.map_err(|e| {
        map_error(e, |e| match e {
            Error::WrongPassword => Some((40001, "原密码错误")),
            Error::UsernameTaken(_) => Some((40002, "该用户名已存在")),
            _ => None,
        })
    })?;
    ok("用户名修改成功", None)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = music::ProfileUpdate)]
pub(super) struct ProfileUpdate {
    nickname: Option<String>,
    avatar_url: Option<String>,
}

/// Change the nickname and the avatar
#[utoipa::path(put, path = "/update",
    request_body = ProfileUpdate,
    security(("music_session" = [])),
    responses(
        (status = 200, description = "the account is changed", body = Envelope<Empty>),
        (status = 400, description = "40003: try again later; 40000: a field is invalid"),
    )
)]
#[put("/update", data = "<body>")]
pub(super) async fn update(
    session: Session<Bearer>,
    body: Body<ProfileUpdate>,
    client: ClientIp,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    let current = session.login.account.nickname.as_str();
    let nickname = |text| Nickname::replacing(&[current], text);
    let changes = ProfileChanges {
        nickname: body.0.nickname.as_deref().map(nickname).transpose()?,
        avatar_url: body.0.avatar_url.as_deref().map(AvatarUrl::parse).transpose()?,
        ..ProfileChanges::default()
    };
    accounts.update(&session.login, changes, client.0).await?;
    ok("更新成功", None)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = music::NewPassword)]
pub(super) struct NewPassword {
    #[schema(value_type = String)]
    password: Option<String>,
    #[schema(value_type = String)]
    new_password: Option<String>,
}

/// Change the password
#[utoipa::path(put, path = "/update/password",
    request_body = NewPassword,
    security(("music_session" = [])),
    responses(
        (status = 200, description = "the password is changed", body = Envelope<Empty>),
        (status = 400, description = "40001: wrong password; 40002: the new password equals the old one; 40003: try again later; 40000: a field is invalid"),
    )
)]
#[put("/update/password", data = "<body>")]
pub(super) async fn change_password(
    session: Session<Bearer>,
    body: Body<NewPassword>,
    client: ClientIp,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    let old = required("password", body.0.password)?;
    let new = required("new_password", body.0.new_password)?;
    let new = accounts.new_password("new_password", &new)?;
    accounts.replace_password(&session.login, old, new, client.0).await.map_err(|e| {
        map_error(e, |e| match e {
            Error::WrongPassword => Some((40001, "原密码错误")),
            Error::SamePassword => Some((40002, "新密码与旧密码一致")),
            _ => None,
        })
    })?;
    ok("密码修改成功", None)
}

#[derive(Deserialize, Default, ToSchema)]
#[schema(as = music::DeleteAccountRequest)]
pub(super) struct DeleteAccountRequest {
    password: Option<String>,
}

/// Delete the account
#[utoipa::path(delete, path = "/delete",
    request_body = Option<DeleteAccountRequest>,
    security(("music_session" = [])),
    responses(
        (status = 200, description = "the account is deleted", body = Envelope<Empty>),
        (status = 400, description = "40001: wrong password; 40002: try again later, or the account is the last operator; 40000: a field is invalid"),
    )
)]
#[delete("/delete", data = "<body>")]
pub(super) async fn delete_account(
    session: Session<Bearer>,
    body: OptionalBody<DeleteAccountRequest>,
    client: ClientIp,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    accounts.delete(&session.login, body.0.password, client.0).await.map_err(|e| {
        map_error(e, |e| match e {
            Error::WrongPassword => Some((40001, "密码错误")),
            Error::LastOperator => Some((40002, "您是最后一位管理员，不能注销")),
            _ => None,
        })
    })?;
    ok("注销成功", None)
}
