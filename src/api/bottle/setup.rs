//! The route of the setup link, which makes the first operator.

use rocket::{State, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::admin::registration::parse_mode;
use super::envelope::{Envelope, Reply, ok};
use super::users::parse_registration;
use super::view::User;
use crate::domain::accounts::{Accounts, RegistrationMode, required};
use crate::http::{Body, SetupLimit};
use crate::model::fields::Gender;
use crate::model::token::Token;

#[derive(Deserialize, ToSchema)]
pub(super) struct SetupRequest {
    /// the part of the printed link after `#`
    #[schema(value_type = String)]
    token: Option<String>,
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    username: Option<String>,
    #[schema(value_type = String)]
    password: Option<String>,
    #[schema(max_length = 64)]
    nickname: Option<String>,
    #[schema(value_type = Option<Gender>)]
    gender: Option<String>,
    /// `open`, `invite` or `closed`; ignored where the settings file or the environment sets it
    #[schema(value_type = Option<RegistrationMode>)]
    registration: Option<String>,
}

/// Make the first operator's account
#[utoipa::path(post, path = "/setup",
    request_body = SetupRequest,
    responses(
        (status = 200, description = "the operator's account; the link has ended", body = Envelope<User>),
        (status = 403, description = "`SETUP_INVALID`: the link is wrong or used, or there is an operator"),
        (status = 409, description = "the username is taken"),
    )
)]
#[post("/setup", data = "<body>")]
pub(super) async fn set_up(
    _limit: SetupLimit,
    mut body: Body<SetupRequest>,
    accounts: &State<Accounts>,
) -> Reply<User> {
    let token = Token::presented(required("token", body.0.token.take())?);
    // Nothing is said about the fields to a client without the link.
    accounts.check_setup(&token)?;
    let SetupRequest { username, password, nickname, gender, registration: mode, .. } = body.0;
    let registration = parse_registration(accounts, username, password, nickname, gender)?;
    let mode = mode.as_deref().map(parse_mode).transpose()?;
    let account = accounts.set_up(registration, &token, mode).await?;
    ok(format!("管理员{}注册成功", account.username), account.into())
}
