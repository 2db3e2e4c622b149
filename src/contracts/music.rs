//! The Music contract: accounts with an email address. Its login is a bearer token.

use rocket::http::Status;
use rocket::response::{self, Responder};
use rocket::{Catcher, Request, Route, State, catch, catchers, delete, get, post, put, routes};
use serde::{Deserialize, Serialize};

use super::{Body, Credential, Lifetimes, OptionalBody, Refused, Session, chinese, respond};
use crate::accounts::{
    Accounts, Contract, Name, ProfileChanges, Registration, SessionKind, required,
};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::fields::{AvatarUrl, Email, Nickname, Username};
use crate::token::Token;

/// The envelope of every answer: `{code, message}` and, where there is some, `data`. Code 0 is
/// success; any other is under HTTP status 400 unless its first three digits are one.
#[derive(Serialize)]
struct Answer<T> {
    code: u32,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
}

type Reply<T> = Result<Answer<T>, Refusal>;

/// The data of an answer that has none.
type Nothing = ();

fn ok<T>(message: &'static str, data: Option<T>) -> Reply<T> {
    Ok(Answer { code: 0, message, data })
}

impl<'r, T: Serialize> Responder<'r, 'static> for Answer<T> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        respond(request, Status::Ok, &self)
    }
}

/// Why there is no data.
#[derive(Debug, Serialize)]
struct Refusal {
    #[serde(skip)]
    status: Status,
    code: u32,
    message: String,
}

/// A documented failure.
fn refusal(code: u32, message: impl Into<String>) -> Refusal {
    Refusal { status: Status::BadRequest, code, message: message.into() }
}

impl<'r> Responder<'r, 'static> for Refusal {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        respond(request, self.status, &self)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refused::from(error).into()
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let message = match &refused {
            Refused::Domain(error) => return said(error),
            Refused::NotJson => "请求体必须是application/json",
            Refused::Malformed => return refusal(40000, "请求格式不正确"),
            Refused::TooLarge => "请求体过大",
            Refused::NoSuchPath => "路径不存在",
            Refused::WrongMethod => "不支持该请求方法",
            Refused::Unavailable => "服务暂时不可用，请稍后再试",
            Refused::Bug => "服务器内部错误",
        };
        let status = refused.status();
        Self { status, code: u32::from(status.code) * 100, message: message.into() }
    }
}

/// What the domain said, where every endpoint says it alike.
fn said(error: &Error) -> Refusal {
    let forbidden =
        |message: &str| Refusal { status: Status::Forbidden, code: 40301, message: message.into() };
    match error {
        Error::Field { field, problem } => refusal(40000, chinese::problem(field, problem)),
        Error::NoToken => forbidden("请登录后操作"),
        Error::NotLoggedIn => forbidden("无效的访问令牌"),
        // What an endpoint has no words for.
        _ => Refused::Bug.into(),
    }
}

/// The endpoint's own words for an error; "try again later", under its own code, for a store that
/// cannot do it now.
fn in_words(
    error: Error,
    later: (u32, &str),
    words: impl FnOnce(&Error) -> Option<(u32, &'static str)>,
) -> Refusal {
    if let Some((code, message)) = words(&error) {
        return refusal(code, message);
    }
    match Refused::from(error) {
        Refused::Unavailable => refusal(later.0, later.1),
        refused => refused.into(),
    }
}

/// The token in `Authorization`, with or without the word `Bearer` before it.
struct Bearer;

impl Credential for Bearer {
    const CONTRACT: Contract = Contract::Music;

    fn token(request: &Request<'_>) -> Result<Token, Error> {
        let header = request.headers().get_one("Authorization").unwrap_or_default().trim();
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ if header.eq_ignore_ascii_case("bearer") => "",
            _ => header,
        };
        if token.is_empty() { Err(Error::NoToken) } else { Ok(Token::presented(token)) }
    }
}

/// The same at `profile`, where the document calls no token an invalid one too.
struct ProfileBearer;

impl Credential for ProfileBearer {
    const CONTRACT: Contract = Contract::Music;

    fn token(request: &Request<'_>) -> Result<Token, Error> {
        Bearer::token(request).map_err(|_| Error::NotLoggedIn)
    }
}

#[derive(Deserialize)]
struct NewAccount {
    nickname: Option<String>,
    email: Option<String>,
    password: Option<String>,
}

#[post("/register", data = "<body>")]
async fn register(body: Body<NewAccount>, accounts: &State<Accounts>) -> Reply<Nothing> {
    let nickname = required("nickname", body.0.nickname)?;
    let registration = Registration {
        username: Username::parse("nickname", &nickname)?,
        nickname: Some(Nickname::parse(&nickname)?),
        email: Some(Email::parse(&required("email", body.0.email)?)?),
        password: accounts.new_password("password", &required("password", body.0.password)?)?,
        gender: None,
    };
    let later = (40003, "注册请求处理失败，请稍后再试");
    accounts.register(registration).await.map_err(|e| {
        in_words(e, later, |e| match e {
            Error::UsernameTaken(_) => Some((40001, "该用户名已存在")),
            Error::EmailTaken => Some((40002, "该邮箱已注册")),
            _ => None,
        })
    })?;
    ok("注册成功", None)
}

#[derive(Deserialize)]
struct Credentials {
    email: Option<String>,
    password: Option<String>,
}

#[derive(Serialize)]
struct Carried {
    token: String,
}

#[post("/login", data = "<body>")]
async fn log_in(
    body: Body<Credentials>,
    accounts: &State<Accounts>,
    lifetimes: &State<Lifetimes>,
) -> Reply<Carried> {
    let email = required("email", body.0.email)?;
    let password = required("password", body.0.password)?;
    let (name, unknown) = if email.contains('@') {
        (Name::Email(&email), (40001, "邮箱未注册"))
    } else {
        (Name::Username(&email), (40002, "用户名不存在"))
    };
    let seconds = lifetimes.music;
    let kind = SessionKind { contract: Contract::Music, seconds, terminal: None };
    let later = (40004, "登录请求处理失败，请稍后再试");
    let begun = accounts.log_in(name, password, kind).await.map_err(|e| {
        in_words(e, later, |e| match e {
            Error::UnknownAccount => Some(unknown),
            Error::WrongPassword => Some((40003, "密码错误")),
            _ => None,
        })
    })?;
    ok("登录成功", Some(Carried { token: begun.token.secret().to_owned() }))
}

#[derive(Serialize)]
struct Profile {
    user_id: i64,
    nickname: String,
    email: String,
    avatar_url: String,
    created_at: Timestamp,
}

#[get("/profile")]
async fn profile(session: Session<ProfileBearer>, accounts: &State<Accounts>) -> Reply<Profile> {
    let later = (40003, "获取用户信息请求失败，请稍后再试");
    let account =
        accounts.settled(session.login).await.map_err(|e| in_words(e, later, |_| None))?;
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

#[derive(Deserialize)]
struct NewName {
    password: Option<String>,
    new_nickname: Option<String>,
}

#[put("/update/username", data = "<body>")]
async fn rename(
    session: Session<Bearer>,
    body: Body<NewName>,
    accounts: &State<Accounts>,
) -> Reply<Nothing> {
    let name = required("new_nickname", body.0.new_nickname)?;
    let changes = ProfileChanges {
        username: Some(Username::parse("new_nickname", &name)?),
        nickname: Some(Nickname::parse(&name)?),
        current_password: Some(required("password", body.0.password)?),
        ..ProfileChanges::default()
    };
    let later = (40003, "修改请求处理失败，请稍后再试");
    accounts.update(session.login, changes).await.map_err(|e| {
        in_words(e, later, |e| match e {
            Error::WrongPassword => Some((40001, "原密码错误")),
            Error::UsernameTaken(_) => Some((40002, "该用户名已存在")),
            _ => None,
        })
    })?;
    ok("用户名修改成功", None)
}

#[derive(Deserialize)]
struct Shown {
    nickname: Option<String>,
    avatar_url: Option<String>,
}

#[put("/update", data = "<body>")]
async fn update(
    session: Session<Bearer>,
    body: Body<Shown>,
    accounts: &State<Accounts>,
) -> Reply<Nothing> {
    let changes = ProfileChanges {
        nickname: body.0.nickname.as_deref().map(Nickname::parse).transpose()?,
        avatar_url: body.0.avatar_url.as_deref().map(AvatarUrl::parse).transpose()?,
        ..ProfileChanges::default()
    };
    let later = (40003, "更新请求处理失败，请稍后再试");
    accounts.update(session.login, changes).await.map_err(|e| in_words(e, later, |_| None))?;
    ok("更新成功", None)
}

#[derive(Deserialize)]
struct NewPassword {
    password: Option<String>,
    new_password: Option<String>,
}

#[put("/update/password", data = "<body>")]
async fn change_password(
    session: Session<Bearer>,
    body: Body<NewPassword>,
    accounts: &State<Accounts>,
) -> Reply<Nothing> {
    let old = required("password", body.0.password)?;
    let new = required("new_password", body.0.new_password)?;
    let new = accounts.new_password("new_password", &new)?;
    let later = (40003, "修改密码请求处理失败，请稍后再试");
    accounts.replace_password(session.login, old, new).await.map_err(|e| {
        in_words(e, later, |e| match e {
            Error::WrongPassword => Some((40001, "原密码错误")),
            Error::SamePassword => Some((40002, "新密码与旧密码一致")),
            _ => None,
        })
    })?;
    ok("密码修改成功", None)
}

#[derive(Deserialize, Default)]
struct Farewell {
    password: Option<String>,
}

#[delete("/delete", data = "<body>")]
async fn delete_account(
    session: Session<Bearer>,
    body: OptionalBody<Farewell>,
    accounts: &State<Accounts>,
) -> Reply<Nothing> {
    let later = (40002, "注销请求处理失败，请稍后再试");
    accounts.delete(session.login, body.0.password).await.map_err(|e| {
        in_words(e, later, |e| match e {
            Error::WrongPassword => Some((40001, "密码错误")),
            _ => None,
        })
    })?;
    ok("注销成功", None)
}

/// Every endpoint, to be mounted at `/api/user`.
pub fn routes() -> Vec<Route> {
    routes![register, log_in, profile, rename, update, change_password, delete_account]
}

/// The envelope for whatever no endpoint answered.
pub fn catchers() -> Vec<Catcher> {
    catchers![refuse]
}

#[catch(default)]
fn refuse(status: Status, request: &Request<'_>) -> Refusal {
    Refused::caught(status, request).into()
}
