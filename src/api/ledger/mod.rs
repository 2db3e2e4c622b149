//! The Ledger contract: accounts with cards, members and divisions. The credential is a JWT in a
//! cookie without a name.

mod holdings;
mod jwt;

use rocket::http::Status;
use rocket::response::{self, Responder};
use rocket::{Catcher, Request, State, catch, catchers, delete, post, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;

use crate::domain::accounts::{
    Accounts, Contract, Name, ProfileChanges, Registration, SessionKind,
};
use crate::http::openapi::{ContractSpec, documented_routes};
use crate::http::{
    Body, ClientIp, Credential, Lifetimes, PublicUrl, RegistrationLimit, Rejection, Session,
    respond,
};
use crate::model::error::Error;
use crate::model::fields::{Holding, Username};
use crate::model::token::Token;

use holdings::Item;
pub use holdings::{describe as describe_holdings, routes as holding_routes};
pub use jwt::Jwt;

/// The envelope of every response: `{code, message}` and, for lists, `data`. `code` is the status.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ledger::Envelope)]
struct Envelope {
    code: u16,
    message: String,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Vec<Item>>,
}

type Reply = Result<Envelope, Envelope>;

fn reply(code: u16, message: impl Into<String>) -> Envelope {
    Envelope { code, message: message.into(), data: None }
}

impl<'r> Responder<'r, 'static> for Envelope {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        respond(request, Status::new(self.code), &self)
    }
}

impl From<Error> for Envelope {
    fn from(error: Error) -> Self {
        Rejection::from(error).into()
    }
}

impl From<Rejection> for Envelope {
    fn from(rejection: Rejection) -> Self {
        let message = match &rejection {
            Rejection::Domain(error) => return from_domain(error),
            Rejection::NotJson => "the body must be application/json",
            Rejection::Malformed => "malformed request",
            Rejection::TooLarge => "the body is too large",
            Rejection::NoSuchPath => "no such path",
            Rejection::WrongMethod => "method not allowed",
            Rejection::CrossSite => "requests from other sites are refused",
            Rejection::RateLimited => "too many attempts, try again in a minute",
            Rejection::Unavailable => "unavailable now, try again later",
            Rejection::Standby(url) => {
                return reply(503, format!("this is the standby, write at {url}"));
            }
            Rejection::Internal => "internal server error",
        };
        reply(rejection.status().code, message)
    }
}

/// Maps a domain error to the contract's status and message.
fn from_domain(error: &Error) -> Envelope {
    match error {
        Error::Field { field, problem } => reply(422, format!("{field} {problem}")),
        Error::UsernameTaken(_) => reply(409, "username already taken"),
        Error::UnknownAccount => reply(404, "user not exist"),
        Error::WrongPassword => reply(403, "wrong password"),
        Error::NoToken => reply(400, "no token found"),
        Error::NotLoggedIn => reply(400, "invalid token"),
        Error::ExpiredToken => reply(400, "expired token"),
        Error::HasHolding(kind) => reply(
            403,
            format!(
                "cannot delete user cause there is at least a {} under it",
                holding_name(*kind)
            ),
        ),
        Error::RegistrationClosed => reply(403, "registration is closed"),
        Error::LastOperator => reply(403, "cannot delete user cause it is the last operator"),
        Error::NoSuchHolding(kind) => reply(404, format!("{} not exist", holding_name(*kind))),
        // Only handlers of other contracts return these.
        _ => Rejection::Internal.into(),
    }
}

fn holding_name(kind: Holding) -> &'static str {
    match kind {
        Holding::Card => "card",
        Holding::Member => "member",
        Holding::Division => "division",
    }
}

/// The credential: a JWT in the raw `Cookie` header.
struct BareCookie;

impl Credential for BareCookie {
    const CONTRACT: Contract = Contract::Ledger;

    fn token(request: &Request<'_>) -> Result<Token, Error> {
        let jwt = jwt::in_cookies(request).ok_or(Error::NoToken)?;
        let reader = request.rocket().state::<Jwt>();
        reader.ok_or_else(|| Error::Internal("Rocket manages no Jwt".into()))?.read(jwt)
    }
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ledger::Credentials)]
struct Credentials {
    #[schema(value_type = String)]
    name: Option<String>,
    #[schema(value_type = String)]
    password: Option<String>,
}

/// Returns the text of a required field, or the error for a blank one.
fn required_text(field: &'static str, text: Option<String>) -> Result<String, Envelope> {
    text.filter(|text| !text.trim().is_empty())
        .ok_or_else(|| reply(400, format!("{field} cannot be blank")))
}

/// Register an account
#[utoipa::path(post, path = "/register",
    request_body = Credentials,
    responses(
        (status = 201, description = "the account is registered", body = Envelope),
        (status = 400, description = "a field is blank, or the name has more than 20 characters"),
        (status = 403, description = "registration is closed"),
        (status = 409, description = "the username is taken"),
    )
)]
#[post("/register", data = "<body>")]
async fn register(
    _limit: RegistrationLimit,
    body: Body<Credentials>,
    accounts: &State<Accounts>,
) -> Reply {
    let name = required_text("name", body.0.name)?;
    if name.chars().count() > 20 {
        return Err(reply(400, "name length cannot exceed 20"));
    }
    let password = required_text("password", body.0.password)?;
    let registration = Registration {
        username: Username::parse("name", &name)?,
        password: accounts.new_password("password", &password)?,
        nickname: None,
        gender: None,
        email: None,
    };
    accounts.register(registration).await?;
    Ok(reply(201, "created"))
}

/// The response to a login, with the JWT in `Set-Cookie`, without a name.
#[derive(Responder)]
struct LoggedIn {
    answer: Envelope,
    cookie: SetCookie,
}

struct SetCookie(String);

impl From<SetCookie> for rocket::http::Header<'static> {
    fn from(cookie: SetCookie) -> Self {
        Self::new("Set-Cookie", cookie.0)
    }
}

/// Log in
#[utoipa::path(post, path = "/login",
    request_body = Credentials,
    responses(
        (status = 200, description = "the session has started; the JWT is in `Set-Cookie`, without a name", body = Envelope),
        (status = 400, description = "a field is blank"),
        (status = 403, description = "wrong password"),
        (status = 404, description = "no such user"),
    )
)]
#[post("/login", data = "<body>")]
async fn log_in(
    body: Body<Credentials>,
    client: ClientIp,
    accounts: &State<Accounts>,
    lifetimes: &State<Lifetimes>,
    jwt: &State<Jwt>,
    url: &State<PublicUrl>,
) -> Result<LoggedIn, Envelope> {
    let name = required_text("name", body.0.name)?;
    let password = required_text("password", body.0.password)?;
    let seconds = lifetimes.ledger;
    let kind = SessionKind { contract: Contract::Ledger, seconds, terminal: None, replaces: None };
    let started = accounts.log_in(Name::Username(&name), password, kind, client.0).await?;
    let jwt = jwt.sign(&started)?;
    let secure = if url.is_https() { "; Secure" } else { "" };
    let cookie = format!("{jwt}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    Ok(LoggedIn { answer: reply(200, "success"), cookie: SetCookie(cookie) })
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ledger::NewPassword)]
struct NewPassword {
    /// the account's own name, or none
    name: Option<String>,
    #[schema(value_type = String)]
    password: Option<String>,
}

/// Change the password
#[utoipa::path(put, path = "/",
    request_body = NewPassword,
    security(("ledger_session" = [])),
    responses(
        (status = 200, description = "the password is changed", body = Envelope),
        (status = 403, description = "`name` differs from the account's name"),
    )
)]
#[put("/", data = "<body>")]
async fn change_password(
    session: Session<BareCookie>,
    body: Body<NewPassword>,
    client: ClientIp,
    accounts: &State<Accounts>,
) -> Reply {
    let own_name = session.login.account.username.as_str();
    if body.0.name.is_some_and(|name| Username::normalized(&name).as_str() != own_name) {
        return Err(reply(403, "cannot modify username"));
    }
    let password = required_text("password", body.0.password)?;
    let password = Some(accounts.new_password("password", &password)?);
    let changes = ProfileChanges { password, ..ProfileChanges::default() };
    accounts.update(&session.login, changes, client.0).await?;
    Ok(reply(200, "success"))
}

/// Delete the account
#[utoipa::path(delete, path = "/",
    security(("ledger_session" = [])),
    responses(
        (status = 200, description = "the account is deleted", body = Envelope),
        (status = 403, description = "the account still has a card, a member or a division"),
    )
)]
#[delete("/")]
async fn delete_account(session: Session<BareCookie>, accounts: &State<Accounts>) -> Reply {
    accounts.delete_if_empty(&session.login).await?;
    Ok(reply(200, "success"))
}

documented_routes! {
    /// Returns the routes of accounts, to be mounted at `/user`.
    pub fn routes, fn api => [register, log_in, change_password, delete_account]
}

/// Describes the routes of accounts for the OpenAPI document.
pub fn describe() -> ContractSpec {
    contract_spec(api())
}

fn contract_spec(api: OpenApi) -> ContractSpec {
    ContractSpec {
        api,
        contract: "Ledger",
        error_schema: "ledger.Envelope",
        unauthenticated_status: "400",
        invalid_field_statuses: &["400", "422"],
    }
}

/// Returns the catcher, which answers in the envelope, for every base of this contract.
pub fn catchers() -> Vec<Catcher> {
    catchers![catch_all]
}

#[catch(default)]
fn catch_all(status: Status, request: &Request<'_>) -> Envelope {
    Rejection::from_catcher(status, request).into()
}
