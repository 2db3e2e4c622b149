//! The Music contract: accounts with an email address. The credential is a bearer token.

mod profile;

use rocket::http::Status;
use rocket::response::{self, Responder};
use rocket::{Catcher, Request, State, catch, catchers, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::accounts::{Accounts, Contract, Name, Registration, SessionKind, required};
use crate::http::openapi::{ContractSpec, documented_routes};
use crate::http::{
    Body, ClientIp, Credential, Lifetimes, RegistrationLimit, Rejection, problem_message, respond,
};
use crate::model::error::Error;
use crate::model::fields::{Email, Nickname, Username};
use crate::model::token::Token;

/// The envelope of every response: `{code, message}` and, if there are any, `data`. Code 0 means
/// success; the HTTP status of others is their first three digits if those are a status, or 400.
#[derive(Serialize, ToSchema)]
#[schema(as = music::Envelope)]
struct Envelope<T> {
    code: u32,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
}

type Reply<T> = Result<Envelope<T>, ErrorResponse>;

/// The type of `data` in a response without any.
type Empty = ();

fn ok<T>(message: &'static str, data: Option<T>) -> Reply<T> {
    Ok(Envelope { code: 0, message, data })
}

impl<'r, T: Serialize> Responder<'r, 'static> for Envelope<T> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        respond(request, Status::Ok, &self)
    }
}

/// An error response.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = music::ErrorResponse)]
struct ErrorResponse {
    #[serde(skip)]
    status: Status,
    /// True if the server failed. Each documented path has its own code and message for that.
    #[serde(skip)]
    is_fault: bool,
    code: u32,
    message: String,
}

/// Returns an error response with status 400.
fn error_response(code: u32, message: impl Into<String>) -> ErrorResponse {
    ErrorResponse { status: Status::BadRequest, is_fault: false, code, message: message.into() }
}

impl<'r> Responder<'r, 'static> for ErrorResponse {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let response = match try_again_later(request) {
            Some((code, message)) if self.is_fault => error_response(code, message),
            _ => self,
        };
        respond(request, response.status, &response)
    }
}

/// The documented message of a registration that fails.
const REGISTRATION_FAILED: &str = "注册请求处理失败，请稍后再试";

/// Returns the code and message that the contract documents for "try again later" on this path.
///
/// The path chooses them, because the catcher also responds when a guard rejects or a handler panics.
fn try_again_later(request: &Request<'_>) -> Option<(u32, &'static str)> {
    let segments: Vec<&str> = request.uri().path().segments().collect();
    match segments.join("/").strip_prefix("api/user/")? {
        "register" => Some((40003, REGISTRATION_FAILED)),
        "login" => Some((40004, "登录请求处理失败，请稍后再试")),
        "profile" => Some((40003, "获取用户信息请求失败，请稍后再试")),
        "update/username" => Some((40003, "修改请求处理失败，请稍后再试")),
        "update" => Some((40003, "更新请求处理失败，请稍后再试")),
        "update/password" => Some((40003, "修改密码请求处理失败，请稍后再试")),
        "delete" => Some((40002, "注销请求处理失败，请稍后再试")),
        _ => None,
    }
}

impl From<Error> for ErrorResponse {
    fn from(error: Error) -> Self {
        Rejection::from(error).into()
    }
}

impl From<Rejection> for ErrorResponse {
    fn from(rejection: Rejection) -> Self {
        let message = match &rejection {
            Rejection::Domain(error) => return from_domain(error),
            Rejection::NotJson => "请求体必须是application/json",
            Rejection::Malformed => return error_response(40000, "请求格式不正确"),
            Rejection::TooLarge => "请求体过大",
            Rejection::NoSuchPath => "路径不存在",
            Rejection::WrongMethod => "不支持该请求方法",
            Rejection::CrossSite => "拒绝来自其他网站的请求",
            Rejection::RateLimited => "操作过于频繁，请一分钟后再试",
            Rejection::Unavailable => "服务暂时不可用，请稍后再试",
            Rejection::Internal => "服务器内部错误",
        };
        let status = rejection.status();
        let is_fault = matches!(rejection, Rejection::Unavailable | Rejection::Internal);
        Self { status, is_fault, code: u32::from(status.code) * 100, message: message.into() }
    }
}

/// Maps the domain errors that all routes report alike.
fn from_domain(error: &Error) -> ErrorResponse {
    let forbidden = |message: &str| ErrorResponse {
        status: Status::Forbidden,
        ..error_response(40301, message)
    };
    match error {
        Error::Field { field, problem } => error_response(40000, problem_message(field, problem)),
        Error::NoToken => forbidden("请登录后操作"),
        Error::NotLoggedIn => forbidden("无效的访问令牌"),
        // The handlers map their own errors by `map_error`.
        _ => Rejection::Internal.into(),
    }
}

/// Maps `error` to the route's own code and message, if `words` has any.
fn map_error(
    error: Error,
    words: impl FnOnce(&Error) -> Option<(u32, &'static str)>,
) -> ErrorResponse {
    match words(&error) {
        Some((code, message)) => error_response(code, message),
        None => error.into(),
    }
}

/// The credential: a token in `Authorization`, with or without the scheme `Bearer`.
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

#[derive(Deserialize, ToSchema)]
#[schema(as = music::NewAccount)]
struct NewAccount {
    #[schema(value_type = String)]
    nickname: Option<String>,
    #[schema(value_type = String)]
    email: Option<String>,
    #[schema(value_type = String)]
    password: Option<String>,
}

/// Register an account
#[utoipa::path(post, path = "/register",
    request_body = NewAccount,
    responses(
        (status = 200, description = "the account is registered", body = Envelope<Empty>),
        (status = 400, description = "40001: the username is taken; 40002: the email address is taken; 40003: try again later, or registration is closed; 40000: a field is invalid"),
    )
)]
#[post("/register", data = "<body>")]
async fn register(
    _limit: RegistrationLimit,
    body: Body<NewAccount>,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    let nickname = required("nickname", body.0.nickname)?;
    let registration = Registration {
        username: Username::parse("nickname", &nickname)?,
        nickname: Some(Nickname::parse(&nickname)?),
        email: Some(Email::parse(&required("email", body.0.email)?)?),
        password: accounts.new_password("password", &required("password", body.0.password)?)?,
        gender: None,
    };
    accounts.register(registration).await.map_err(|e| {
        map_error(e, |e| match e {
            Error::UsernameTaken(_) => Some((40001, "该用户名已存在")),
            Error::EmailTaken => Some((40002, "该邮箱已注册")),
            Error::RegistrationClosed => Some((40003, REGISTRATION_FAILED)),
            _ => None,
        })
    })?;
    ok("注册成功", None)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = music::Credentials)]
struct Credentials {
    /// an email address, or a username without `@`
    #[schema(value_type = String)]
    email: Option<String>,
    #[schema(value_type = String)]
    password: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = music::TokenData)]
struct TokenData {
    token: String,
}

/// Log in
#[utoipa::path(post, path = "/login",
    request_body = Credentials,
    responses(
        (status = 200, description = "the token of the new session", body = Envelope<TokenData>),
        (status = 400, description = "40001: unknown email address; 40002: unknown username; 40003: wrong password; 40004: try again later; 40000: a field is invalid"),
    )
)]
#[post("/login", data = "<body>")]
async fn log_in(
    body: Body<Credentials>,
    client: ClientIp,
    accounts: &State<Accounts>,
    lifetimes: &State<Lifetimes>,
) -> Reply<TokenData> {
    let email = required("email", body.0.email)?;
    let password = required("password", body.0.password)?;
    let (name, unknown) = if email.contains('@') {
        (Name::Email(&email), (40001, "邮箱未注册"))
    } else {
        (Name::Username(&email), (40002, "用户名不存在"))
    };
    let seconds = lifetimes.music;
    let kind = SessionKind { contract: Contract::Music, seconds, terminal: None, replaces: None };
    let started = accounts.log_in(name, password, kind, client.0).await.map_err(|e| {
        map_error(e, |e| match e {
            Error::UnknownAccount => Some(unknown),
            Error::WrongPassword => Some((40003, "密码错误")),
            _ => None,
        })
    })?;
    ok("登录成功", Some(TokenData { token: started.token.secret().to_owned() }))
}

documented_routes! {
    /// Returns the routes, to be mounted at `/api/user`.
    pub fn routes, fn api, schemas(ErrorResponse) => [
        register,
        log_in,
        profile::profile,
        profile::rename,
        profile::update,
        profile::change_password,
        profile::delete_account,
    ]
}

/// Describes the routes for the OpenAPI document.
pub fn describe() -> ContractSpec {
    ContractSpec {
        api: api(),
        contract: "Music",
        error_schema: "music.ErrorResponse",
        unauthenticated_status: "403",
        invalid_field_statuses: &["400"],
    }
}

/// Returns the catcher, which answers in the envelope.
pub fn catchers() -> Vec<Catcher> {
    catchers![catch_all]
}

#[catch(default)]
fn catch_all(status: Status, request: &Request<'_>) -> ErrorResponse {
    Rejection::from_catcher(status, request).into()
}
