//! The Bookstore contract: accounts with one token per terminal, in the header `token`.

use rocket::http::Status;
use rocket::response::{self, Responder};
use rocket::{Catcher, Request, State, catch, catchers, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::accounts::{Accounts, Contract, Name, Registration, SessionKind};
use crate::http::openapi::{ContractSpec, documented_routes};
use crate::http::{
    Body, ClientIp, Credential, Lifetimes, RegistrationLimit, Rejection, Session, respond,
};
use crate::model::error::Error;
use crate::model::fields::{Terminal, Username};
use crate::model::token::Token;

/// The envelope of every response: `{message, token?}`. The message is `ok`, or one sentence that
/// describes the failure; then the token is empty.
#[derive(Serialize, ToSchema)]
#[schema(as = bookstore::Envelope)]
struct Envelope {
    #[serde(skip)]
    status: Status,
    message: String,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

type Reply = Result<Envelope, Envelope>;

fn ok(token: Option<String>) -> Reply {
    Ok(Envelope { status: Status::Ok, message: "ok".into(), token })
}

fn failure(status: u16, message: impl Into<String>) -> Envelope {
    Envelope { status: Status::new(status), message: message.into(), token: Some(String::new()) }
}

impl<'r> Responder<'r, 'static> for Envelope {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        respond(request, self.status, &self)
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
            Rejection::NotJson => "The body must be application/json.",
            Rejection::Malformed => "The request is malformed.",
            Rejection::TooLarge => "The body is too large.",
            Rejection::NoSuchPath => "There is no such path.",
            Rejection::WrongMethod => "This path does not take that method.",
            Rejection::CrossSite => "Requests from other sites are refused.",
            Rejection::RateLimited => "Too many attempts, try again in a minute.",
            Rejection::Unavailable => "The store is unavailable now, try again later.",
            Rejection::Standby(url) => {
                return failure(503, format!("This is the standby, write at {url}."));
            }
            Rejection::Internal => "The server made a mistake.",
        };
        failure(rejection.status().code, message)
    }
}

fn from_domain(error: &Error) -> Envelope {
    match error {
        Error::Field { field, problem } => failure(422, format!("The field {field} {problem}.")),
        Error::UsernameTaken(_) => failure(508, "This user_id is taken."),
        Error::UnknownAccount | Error::WrongPassword => {
            failure(401, "The user_id or the password is wrong.")
        }
        Error::RegistrationClosed => failure(401, "Registration is closed."),
        Error::LastOperator => failure(401, "The last operator cannot be deleted."),
        Error::NoToken | Error::NotLoggedIn => failure(401, "The token is wrong."),
        // Only handlers of other contracts return these.
        _ => Rejection::Internal.into(),
    }
}

/// The credential: the header `token`.
struct TerminalToken;

impl Credential for TerminalToken {
    const CONTRACT: Contract = Contract::Bookstore;

    fn token(request: &Request<'_>) -> Result<Token, Error> {
        request.headers().get_one("token").map(Token::presented).ok_or(Error::NoToken)
    }
}

/// The body of every request; each route reads some of the fields.
#[derive(Deserialize, ToSchema)]
#[schema(as = bookstore::Form)]
#[serde(rename_all = "camelCase")]
struct Form {
    #[serde(rename = "user_id")]
    user_id: Option<String>,
    password: Option<String>,
    terminal: Option<String>,
    old_password: Option<String>,
    new_password: Option<String>,
}

/// Returns the text of a required field, or the error for a missing one.
fn required_text(field: &'static str, text: Option<String>) -> Result<String, Envelope> {
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| failure(518, format!("The field {field} is missing.")))
}

/// Register an account: `user_id`, `password`
#[utoipa::path(post, path = "/register",
    request_body = Form,
    responses(
        (status = 200, description = "the account is registered", body = Envelope),
        (status = 401, description = "registration is closed"),
        (status = 508, description = "the username is taken"),
    )
)]
#[post("/register", data = "<body>")]
async fn register(
    _limit: RegistrationLimit,
    body: Body<Form>,
    accounts: &State<Accounts>,
) -> Reply {
    let user_id = required_text("user_id", body.0.user_id)?;
    let password = required_text("password", body.0.password)?;
    let registration = Registration {
        username: Username::parse("user_id", &user_id)?,
        password: accounts.new_password("password", &password)?,
        nickname: None,
        gender: None,
        email: None,
    };
    accounts.register(registration).await?;
    ok(None)
}

/// Delete the account: `user_id`, `password`
#[utoipa::path(post, path = "/unregister",
    request_body = Form,
    responses(
        (status = 200, description = "the account is deleted", body = Envelope),
        (status = 401, description = "wrong username or password"),
    )
)]
#[post("/unregister", data = "<body>")]
async fn unregister(body: Body<Form>, client: ClientIp, accounts: &State<Accounts>) -> Reply {
    let user_id = required_text("user_id", body.0.user_id)?;
    let password = required_text("password", body.0.password)?;
    accounts.delete_by_name(&user_id, password, client.0).await?;
    ok(None)
}

/// Log in: `user_id`, `password`, `terminal`
#[utoipa::path(post, path = "/login",
    request_body = Form,
    responses(
        (status = 200, description = "the token of the new session", body = Envelope),
        (status = 401, description = "wrong username or password"),
    )
)]
#[post("/login", data = "<body>")]
async fn log_in(
    body: Body<Form>,
    client: ClientIp,
    accounts: &State<Accounts>,
    lifetimes: &State<Lifetimes>,
) -> Reply {
    let user_id = required_text("user_id", body.0.user_id)?;
    let password = required_text("password", body.0.password)?;
    let terminal = Terminal::parse(&required_text("terminal", body.0.terminal)?)?;
    let kind = SessionKind {
        contract: Contract::Bookstore,
        seconds: lifetimes.bookstore,
        terminal: Some(terminal),
        replaces: None,
    };
    let started = accounts.log_in(Name::Username(&user_id), password, kind, client.0).await?;
    ok(Some(started.token.secret().to_owned()))
}

/// Change the password: `user_id`, `oldPassword`, `newPassword`
#[utoipa::path(post, path = "/password",
    request_body = Form,
    responses(
        (status = 200, description = "the password is changed", body = Envelope),
        (status = 401, description = "wrong username or password"),
    )
)]
#[post("/password", data = "<body>")]
async fn change_password(body: Body<Form>, client: ClientIp, accounts: &State<Accounts>) -> Reply {
    let user_id = required_text("user_id", body.0.user_id)?;
    let old = required_text("oldPassword", body.0.old_password)?;
    let new = required_text("newPassword", body.0.new_password)?;
    let new = accounts.new_password("newPassword", &new)?;
    accounts.change_password(&user_id, old, new, client.0).await?;
    ok(None)
}

/// Log out: `user_id`
#[utoipa::path(post, path = "/logout",
    request_body = Form,
    security(("bookstore_session" = [])),
    responses(
        (status = 200, description = "the session has ended", body = Envelope),
    )
)]
#[post("/logout", data = "<body>")]
async fn log_out(
    session: Session<TerminalToken>,
    body: Body<Form>,
    accounts: &State<Accounts>,
) -> Reply {
    let user_id = required_text("user_id", body.0.user_id)?;
    if !session.login.account.is_called(&user_id) {
        return Err(Error::NotLoggedIn.into());
    }
    accounts.log_out(&session.login).await?;
    ok(None)
}

documented_routes! {
    /// Returns the routes, to be mounted at `/auth`.
    pub fn routes, fn api => [register, unregister, log_in, change_password, log_out]
}

/// Describes the routes for the OpenAPI document.
pub fn describe() -> ContractSpec {
    ContractSpec {
        api: api(),
        contract: "Bookstore",
        error_schema: "bookstore.Envelope",
        unauthenticated_status: "401",
        invalid_field_statuses: &["422", "518"],
    }
}

/// Returns the catcher, which answers in the envelope.
pub fn catchers() -> Vec<Catcher> {
    catchers![catch_all]
}

#[catch(default)]
fn catch_all(status: Status, request: &Request<'_>) -> Envelope {
    Rejection::from_catcher(status, request).into()
}
