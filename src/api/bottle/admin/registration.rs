//! The mode of registration.

use rocket::{State, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::bottle::envelope::{Envelope, Reply, ok};
use crate::api::bottle::guard::Operator;
use crate::domain::accounts::{Accounts, RegistrationMode, RegistrationStatus, Source, required};
use crate::http::Body;
use crate::model::error::{Error, Problem};

#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct RegistrationView {
    /// the mode: `open` for everyone, `invite` for people with an invitation, or `closed`
    registration: RegistrationMode,
    /// the source of the mode: `default`, `page`, or `settings` for the settings file and the
    /// environment, which the page cannot change
    source: &'static str,
}

impl From<RegistrationStatus> for RegistrationView {
    fn from(status: RegistrationStatus) -> Self {
        let source = match status.source {
            Source::Default => "default",
            Source::Stored => "page",
            Source::Setting => "settings",
        };
        Self { registration: status.mode, source }
    }
}

/// Return who may register
#[utoipa::path(get, path = "/admin/registration",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the mode, and where it was chosen", body = Envelope<RegistrationView>),
        (status = 403, description = "the account is not an operator's"),
    )
)]
#[get("/admin/registration")]
pub(in crate::api::bottle) fn registration(
    _operator: Operator,
    accounts: &State<Accounts>,
) -> Reply<RegistrationView> {
    ok("查询成功", accounts.registration()?.into())
}

#[derive(Deserialize, ToSchema)]
pub(in crate::api::bottle) struct RegistrationRequest {
    /// `open`, `invite` or `closed`
    #[schema(value_type = RegistrationMode)]
    registration: Option<String>,
}

/// Parses a mode of registration.
pub(in crate::api::bottle) fn parse_mode(text: &str) -> Result<RegistrationMode, Error> {
    let unknown = || Error::field("registration", Problem::NotOneOf("open, invite, closed"));
    RegistrationMode::parse(text).ok_or_else(unknown)
}

/// Change who may register
#[utoipa::path(put, path = "/admin/registration",
    request_body = RegistrationRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the mode is changed", body = Envelope<RegistrationView>),
        (status = 403, description = "the account is not an operator's"),
        (status = 409, description = "the settings file or the environment sets the mode"),
    )
)]
#[put("/admin/registration", data = "<body>")]
pub(in crate::api::bottle) async fn set_registration(
    operator: Operator,
    body: Body<RegistrationRequest>,
    accounts: &State<Accounts>,
) -> Reply<RegistrationView> {
    let mode = parse_mode(&required("registration", body.0.registration)?)?;
    accounts.set_registration((&operator.login).into(), mode).await?;
    ok("设置成功", RegistrationStatus { mode, source: Source::Stored }.into())
}
