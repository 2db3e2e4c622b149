//! The envelope of every response of the Music contract: `{code, message, data?}`.

use rocket::Request;
use rocket::http::Status;
use rocket::response::{self, Responder};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{Rejection, problem_message, respond};
use crate::model::error::Error;

/// The envelope of every response: `{code, message}` and, if there are any, `data`. Code 0 means
/// success; the HTTP status of others is their first three digits if those are a status, or 400.
#[derive(Serialize, ToSchema)]
#[schema(as = music::Envelope)]
pub(super) struct Envelope<T> {
    code: u32,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
}

pub(super) type Reply<T> = Result<Envelope<T>, ErrorResponse>;

/// The type of `data` in a response without any.
pub(super) type Empty = ();

pub(super) fn ok<T>(message: &'static str, data: Option<T>) -> Reply<T> {
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
pub(super) struct ErrorResponse {
    #[serde(skip)]
    status: Status,
    /// True if the server failed. Each documented path has its own code and message for that.
    #[serde(skip)]
    is_fault: bool,
    code: u32,
    message: String,
    /// the primary, if this server is a standby
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Primary>,
}

/// The server at which changes are made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = music::Primary)]
struct Primary {
    primary_url: String,
}

/// Returns an error response with status 400.
pub(super) fn error_response(code: u32, message: impl Into<String>) -> ErrorResponse {
    let message = message.into();
    ErrorResponse { status: Status::BadRequest, is_fault: false, code, message, data: None }
}

impl<'r> Responder<'r, 'static> for ErrorResponse {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let response = match try_again_later(request) {
            Some((code, message)) if self.is_fault => {
                ErrorResponse { data: self.data, ..error_response(code, message) }
            }
            _ => self,
        };
        respond(request, response.status, &response)
    }
}

/// The documented message of a registration that fails.
pub(super) const REGISTRATION_FAILED: &str = "注册请求处理失败，请稍后再试";

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
            Rejection::Standby(_) => "这是备用服务器，请在主服务器上操作",
            Rejection::Internal => "服务器内部错误",
        };
        let status = rejection.status();
        let is_fault = matches!(
            rejection,
            Rejection::Unavailable | Rejection::Standby(_) | Rejection::Internal
        );
        let code = u32::from(status.code) * 100;
        let data = match rejection {
            Rejection::Standby(primary_url) => Some(Primary { primary_url }),
            _ => None,
        };
        Self { status, is_fault, code, message: message.into(), data }
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
pub(super) fn map_error(
    error: Error,
    words: impl FnOnce(&Error) -> Option<(u32, &'static str)>,
) -> ErrorResponse {
    match words(&error) {
        Some((code, message)) => error_response(code, message),
        None => error.into(),
    }
}
