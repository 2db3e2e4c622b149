//! The Music contract: accounts with an email address. The credential is a bearer token.

mod envelope;
mod profile;

use rocket::http::Status;
use rocket::{Catcher, Request, State, catch, catchers, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::envelope::{Empty, Envelope, ErrorResponse, REGISTRATION_FAILED, Reply, map_error, ok};
use crate::domain::accounts::{Accounts, Contract, Name, Registration, SessionKind, required};
use crate::http::openapi::{ContractSpec, documented_routes};
use crate::http::{Body, ClientIp, Credential, Lifetimes, RegistrationLimit, Rejection};
use crate::model::error::Error;
use crate::model::fields::{Email, Nickname, Username};
use crate::model::token::Token;

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
