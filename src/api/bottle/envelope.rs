//! The envelope of every response of the Bottle contract: `{status, msg, data}`.

use rocket::http::Status;
use rocket::response::{self, Responder};
use rocket::{Request, catch};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{Rejection, problem_message, respond};
use crate::model::error::{Error, ThreadRule};

/// The result of a handler: the response, or an error response.
pub(super) type Reply<T> = Result<Envelope<T>, ErrorResponse>;

/// A response with status 200.
#[derive(Serialize, ToSchema)]
pub(super) struct Envelope<T> {
    status: &'static str,
    msg: String,
    data: T,
}

/// Wraps `data` in the envelope, with the documented message.
pub(super) fn ok<T>(msg: impl Into<String>, data: T) -> Reply<T> {
    Ok(Envelope { status: "OK", msg: msg.into(), data })
}

/// The `data` of a response without any: `{}`.
#[derive(Serialize, ToSchema)]
pub(super) struct Empty {}

impl<'r, T: Serialize> Responder<'r, 'static> for Envelope<T> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        respond(request, Status::Ok, &self)
    }
}

/// The `data` of an error response.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct ErrorData {
    /// the invalid field
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// the distance from the bottle in metres, rounded up to 10
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_m: Option<u32>,
    /// the distance in metres within which the bottle can be opened
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    open_within_m: Option<u32>,
    /// why the account may not write, read, delete or report the reply
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// the address at which to write, if this server is a standby
    #[schema(nullable = false, value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_url: Option<Box<str>>,
}

/// An error response.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    status: Status,
    code: &'static str,
    msg: String,
    data: ErrorData,
}

impl ErrorResponse {
    fn new(status: u16, code: &'static str, msg: impl Into<String>) -> Self {
        Self { status: Status::new(status), code, msg: msg.into(), data: ErrorData::default() }
    }

    /// Maps a domain error to the contract's status and message.
    fn from_domain(error: &Error) -> Self {
        match error {
            Error::Field { field, problem } => {
                let msg = problem_message(field, problem);
                let field = Some(field.to_string());
                Self::new(422, "UNPROCESSABLE_ENTITY", msg)
                    .with_data(ErrorData { field, ..ErrorData::default() })
            }
            Error::UsernameTaken(name) => {
                Self::new(409, "CONFLICT_USERNAME", format!("用户名{name}已存在"))
            }
            Error::UnknownAccount | Error::WrongPassword => {
                Self::new(403, "FORBIDDEN", "用户名或密码错误")
            }
            Error::NotLoggedIn | Error::NoToken => Self::new(401, "UNAUTHORIZED", "未登录"),
            Error::NoSuchBottle(id) => Self::new(404, "NOT_FOUND", format!("漂流瓶{id}不存在")),
            Error::NotOwner => Self::new(403, "FORBIDDEN", "您不是该瓶子的主人"),
            Error::NoSuchUser(id) => Self::new(404, "NOT_FOUND", format!("用户{id}不存在")),
            Error::OwnBottle => Self::new(403, "FORBIDDEN", "不能举报自己的漂流瓶"),
            Error::NotTeacher => Self::new(403, "FORBIDDEN", "只有老师可以这样做"),
            Error::Frozen => Self::new(403, "FORBIDDEN", "现在不能扔漂流瓶"),
            Error::Muted(until) => {
                Self::new(403, "FORBIDDEN", format!("您被禁言，{until}之前不能扔漂流瓶"))
            }
            Error::TooFar { distance_m } => too_far(*distance_m),
            Error::NoPosition { open_within_m } => {
                let open_within_m = *open_within_m;
                let msg = format!("这个漂流瓶要在{open_within_m}米以内才能打开");
                let open_within_m = Some(open_within_m);
                Self::new(403, "TOO_FAR", msg)
                    .with_data(ErrorData { open_within_m, ..ErrorData::default() })
            }
            Error::NothingToCatch => Self::new(404, "NOT_FOUND", "现在没有可以捞的漂流瓶"),
            Error::NoSuchReply(id) => Self::new(404, "NOT_FOUND", format!("回复{id}不存在")),
            Error::Thread(rule) => {
                let (reason, msg) = thread_rule(*rule);
                Self::new(403, "FORBIDDEN", msg).with_reason(reason)
            }
            Error::OwnAccount => Self::new(403, "FORBIDDEN", "不能屏蔽自己"),
            error => Self::from_access_token(error),
        }
    }

    /// Maps an error of personal access tokens or feeds.
    fn from_access_token(error: &Error) -> Self {
        match error {
            Error::ReadOnlyToken => Self::new(403, "READ_ONLY_TOKEN", "这个访问令牌只能读取"),
            Error::SessionRequired => {
                Self::new(403, "SESSION_REQUIRED", "访问令牌不能这样做，请登录后操作")
            }
            Error::NoSuchFeed => Self::new(404, "NOT_FOUND", "订阅链接不存在或已失效"),
            Error::NoSuchAccessToken => Self::new(404, "NOT_FOUND", "访问令牌不存在"),
            Error::TooManyAccessTokens(max) => {
                Self::new(409, "TOO_MANY_TOKENS", format!("每个账号最多{max}个访问令牌"))
            }
            error => Self::from_admission(error),
        }
    }

    /// Maps an error of roles, registration, invitations or guest classes.
    fn from_admission(error: &Error) -> Self {
        match error {
            Error::NotOperator => Self::new(403, "FORBIDDEN", "只有管理员可以这样做"),
            Error::LastOperator => {
                Self::new(403, "LAST_OPERATOR", "这是最后一位管理员，不能禁言、降级或删除")
            }
            Error::OwnerOnly => {
                Self::new(403, "OWN_ACCOUNT", "这是您自己的账号，请在账号设置中操作")
            }
            Error::RegistrationClosed => Self::new(403, "REGISTRATION_CLOSED", "注册已关闭"),
            Error::InvalidInvitation => Self::new(403, "INVITATION_INVALID", "邀请码无效"),
            Error::InvalidClassCode => {
                Self::new(403, "CLASS_CODE_INVALID", "课堂码无效或课堂已结束")
            }
            Error::ClassFull(max) => {
                Self::new(403, "CLASS_FULL", format!("这个课堂已有{max}位游客，不能再加入"))
            }
            Error::NoSuchClass(id) => Self::new(404, "NOT_FOUND", format!("课堂{id}不存在")),
            Error::Guest => Self::new(403, "GUEST", "游客不能这样做"),
            Error::InvalidSetup => Self::new(403, "SETUP_INVALID", "设置链接无效或已使用"),
            Error::NoSuchInvitation(id) => Self::new(404, "NOT_FOUND", format!("邀请{id}不存在")),
            Error::NoWebhook => Self::new(404, "NOT_FOUND", "没有设置webhook"),
            Error::Overridden(setting) => {
                Self::new(409, "SETTING_OVERRIDDEN", format!("{setting}由设置文件或环境变量决定"))
            }
            error => Self::from_administration(error),
        }
    }

    /// Maps an error of backups or settings.
    fn from_administration(error: &Error) -> Self {
        match error {
            Error::NoSuchSetting => Self::new(404, "NOT_FOUND", "没有可以在运行时更改的这个设置"),
            Error::Busy => Self::new(409, "BUSY", "正在备份或检查，请稍后再试"),
            Error::NoSuchBackup => Self::new(404, "NOT_FOUND", "没有这个备份"),
            // Only handlers of other contracts return these.
            _ => Rejection::Internal.into(),
        }
    }

    fn with_data(self, data: ErrorData) -> Self {
        Self { data, ..self }
    }

    /// Sets the reason in `data`.
    pub(super) fn with_reason(mut self, reason: &'static str) -> Self {
        self.data.reason = Some(reason);
        self
    }

    /// Replaces the message.
    pub(super) fn with_message(self, msg: impl Into<String>) -> Self {
        Self { msg: msg.into(), ..self }
    }
}

/// Returns the response to a change at a standby.
fn standby(primary_url: &str) -> ErrorResponse {
    let msg = format!("这是备用服务器，请在{primary_url}上操作");
    let data = ErrorData { primary_url: Some(primary_url.into()), ..ErrorData::default() };
    ErrorResponse::new(503, "STANDBY", msg).with_data(data)
}

/// Returns the response to an opening from too far away. The distance is rounded, so that it gives
/// the place of the bottle no more exactly than the map.
fn too_far(distance_m: f64) -> ErrorResponse {
    let distance_m = (distance_m / 10.0).ceil() as u32 * 10;
    let msg = format!("您离漂流瓶还有{distance_m}米，走近些才能打开");
    let data = ErrorData { distance_m: Some(distance_m), ..ErrorData::default() };
    ErrorResponse::new(403, "TOO_FAR", msg).with_data(data)
}

/// Returns the reason and the message of the rule that keeps an account out of a thread.
fn thread_rule(rule: ThreadRule) -> (&'static str, &'static str) {
    match rule {
        ThreadRule::Participants => ("not_participant", "您不能查看这段对话"),
        ThreadRule::OpenFirst => ("not_opened", "请先打开这个漂流瓶"),
        ThreadRule::OpenerFirst => ("opener_first", "对方回复之后您才能回复"),
        ThreadRule::Blocked => ("blocked", "您和对方之间有一方屏蔽了另一方"),
        ThreadRule::Hidden => ("hidden", "这个漂流瓶已被隐藏，不能回复"),
        ThreadRule::NotAuthor => ("not_author", "只能删除自己的回复"),
        ThreadRule::OwnReply => ("own_reply", "不能举报自己的回复"),
    }
}

impl From<Rejection> for ErrorResponse {
    fn from(rejection: Rejection) -> Self {
        let (code, msg) = match &rejection {
            Rejection::Domain(error) => return Self::from_domain(error),
            Rejection::NotJson => ("UNSUPPORTED_MEDIA_TYPE", "请求体必须是application/json"),
            Rejection::Malformed => ("BAD_REQUEST", "请求格式不正确"),
            Rejection::TooLarge => ("PAYLOAD_TOO_LARGE", "请求体过大"),
            Rejection::NoSuchPath => ("NOT_FOUND", "路径不存在"),
            Rejection::WrongMethod => ("METHOD_NOT_ALLOWED", "不支持该请求方法"),
            Rejection::CrossSite => ("FORBIDDEN", "拒绝来自其他网站的请求"),
            Rejection::RateLimited => ("TOO_MANY_REQUESTS", "操作过于频繁，请一分钟后再试"),
            Rejection::Unavailable => ("SERVICE_UNAVAILABLE", "服务暂时不可用，请稍后再试"),
            Rejection::Standby(url) => return standby(url),
            Rejection::Internal => ("INTERNAL_SERVER_ERROR", "服务器内部错误"),
        };
        Self::new(rejection.status().code, code, msg)
    }
}

impl From<Error> for ErrorResponse {
    fn from(error: Error) -> Self {
        Rejection::from(error).into()
    }
}

impl<'r> Responder<'r, 'static> for ErrorResponse {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let body = Envelope { status: self.code, msg: self.msg, data: self.data };
        respond(request, self.status, &body)
    }
}

/// Answers in the envelope every request that no handler answered.
#[catch(default)]
pub(super) fn catch_all(status: Status, request: &Request<'_>) -> ErrorResponse {
    Rejection::from_catcher(status, request).into()
}
