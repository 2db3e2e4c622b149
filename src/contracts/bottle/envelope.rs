//! The envelope that every answer of the Bottle contract comes in: `{status, msg, data}`.

use rocket::http::{Header, Status};
use rocket::response::{self, Responder, Response};
use rocket::serde::json::Json;
use rocket::{Request, catch};
use serde::Serialize;
use serde_json::{Value, json};

use crate::contracts::{Refused, allowed_methods, chinese};
use crate::error::Error;

/// A handler's answer: its data, or why there is none.
pub(super) type Reply<T> = Result<Answer<T>, Refusal>;

/// What was asked for, with status 200.
#[derive(Serialize)]
pub(super) struct Answer<T> {
    status: &'static str,
    msg: String,
    data: T,
}

/// `data` under the document's message.
pub(super) fn ok<T>(msg: impl Into<String>, data: T) -> Reply<T> {
    Ok(Answer { status: "OK", msg: msg.into(), data })
}

/// The data of an answer that has none: `{}`.
#[derive(Serialize)]
pub(super) struct Nothing {}

impl<'r, T: Serialize> Responder<'r, 'static> for Answer<T> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        Json(self).respond_to(request)
    }
}

/// Why there is no data.
#[derive(Debug)]
pub(super) struct Refusal {
    status: Status,
    code: &'static str,
    msg: String,
    /// The field that is wrong, for clients that show the error beside it.
    field: Option<String>,
}

impl Refusal {
    fn new(status: u16, code: &'static str, msg: impl Into<String>) -> Self {
        Self { status: Status::new(status), code, msg: msg.into(), field: None }
    }

    /// The same refusal in other words.
    pub(super) fn in_words(self, msg: impl Into<String>) -> Self {
        Self { msg: msg.into(), ..self }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Domain(error) => error.into(),
            Refused::NotJson => {
                Self::new(415, "UNSUPPORTED_MEDIA_TYPE", "请求体必须是application/json")
            }
            Refused::Malformed => Self::new(400, "BAD_REQUEST", "请求格式不正确"),
            Refused::TooLarge => Self::new(413, "PAYLOAD_TOO_LARGE", "请求体过大"),
            Refused::NoSuchPath => Self::new(404, "NOT_FOUND", "路径不存在"),
            Refused::WrongMethod => Self::new(405, "METHOD_NOT_ALLOWED", "不支持该请求方法"),
            Refused::Other(status) => match status.code {
                503 => Self::new(503, "SERVICE_UNAVAILABLE", "服务暂时不可用，请稍后再试"),
                code @ 400..500 => Self::new(code, "BAD_REQUEST", "请求无法处理"),
                _ => Self::new(500, "INTERNAL_SERVER_ERROR", "服务器内部错误"),
            },
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Field { field, problem } => {
                let msg = chinese::problem(&field, &problem);
                let refusal = Self::new(422, "UNPROCESSABLE_ENTITY", msg);
                Self { field: Some(field.into_owned()), ..refusal }
            }
            Error::UsernameTaken(name) => {
                Self::new(409, "CONFLICT_USERNAME", format!("用户名{name}已存在"))
            }
            Error::UnknownAccount | Error::WrongPassword => {
                Self::new(403, "FORBIDDEN", "用户名或密码错误")
            }
            Error::NotLoggedIn => Self::new(401, "UNAUTHORIZED", "未登录"),
            Error::NoSuchBottle(id) => Self::new(404, "NOT_FOUND", format!("漂流瓶{id}不存在")),
            Error::NotOwner => Self::new(403, "FORBIDDEN", "您不是该瓶子的主人"),
            Error::Unavailable(why) => {
                tracing::warn!("the store is unavailable: {why}");
                Refused::Other(Status::ServiceUnavailable).into()
            }
            Error::Internal(why) => {
                tracing::error!("{why}");
                Refused::Other(Status::InternalServerError).into()
            }
        }
    }
}

impl<'r> Responder<'r, 'static> for Refusal {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let data = self.field.map_or_else(|| json!({}), |field| json!({ "field": field }));
        let body: Answer<Value> = Answer { status: self.code, msg: self.msg, data };
        let mut response = Response::build_from(body.respond_to(request)?);
        response.status(self.status);
        match self.status.code {
            405 => {
                let allowed: Vec<_> = allowed_methods(request).iter().map(|m| m.as_str()).collect();
                response.header(Header::new("Allow", allowed.join(", ")));
            }
            503 => {
                response.header(Header::new("Retry-After", "5"));
            }
            _ => {}
        }
        response.ok()
    }
}

/// Answers, in the envelope, every request that no handler answered.
#[catch(default)]
pub(super) fn refuse(status: Status, request: &Request<'_>) -> Refusal {
    Refused::caught(status, request).into()
}
