//! The accounts of a class, from a CSV file.

use rocket::{State, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::bottle::envelope::{Envelope, Reply, ok};
use crate::api::bottle::guard::Operator;
use crate::domain::accounts::{Accounts, LineResult, RosterLine, parse_roster, required};
use crate::http::{Body, ClientConnection, problem_message};
use crate::model::error::Error;

#[derive(Deserialize, ToSchema)]
pub(in crate::api::bottle) struct ImportRequest {
    /// the file: its first line names the columns `username` and, optionally, `nickname`; at most 1,000
    /// lines follow
    #[schema(value_type = String)]
    csv: Option<String>,
    /// whether only to return what the import would do
    dry_run: Option<bool>,
}

/// A line of the file.
#[derive(Serialize, ToSchema)]
struct LineView {
    /// the number of the line; the first is 1
    line: u64,
    username: String,
    nickname: String,
    /// `new` for one that makes an account, `created` for one that has made it, `exists` if the username
    /// is taken, `repeated` if an earlier line has it, or `invalid`
    result: &'static str,
    /// present only if the account was created
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<i64>,
    /// present only if the account was created: it is shown once
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    one_time_password: Option<String>,
    /// the line that has the username first; present only if `repeated`
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    first_line: Option<u64>,
    /// the invalid field, or `csv` for the line as a whole; present only if `invalid`
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// the reason; present only if `invalid`
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<RosterLine> for LineView {
    fn from(line: RosterLine) -> Self {
        let RosterLine { line, username, nickname, result } = line;
        let view = |result| Self {
            line,
            username,
            nickname,
            result,
            user_id: None,
            one_time_password: None,
            first_line: None,
            field: None,
            reason: None,
        };
        match result {
            LineResult::New(_) => view("new"),
            LineResult::Exists => view("exists"),
            LineResult::Created(account, password) => Self {
                user_id: Some(account.id),
                one_time_password: Some(password),
                ..view("created")
            },
            LineResult::Repeated(first) => Self { first_line: Some(first), ..view("repeated") },
            LineResult::Invalid(Error::Field { field, problem }) => Self {
                reason: Some(problem_message(&field, &problem)),
                field: Some(field.into_owned()),
                ..view("invalid")
            },
            LineResult::Invalid(_) => view("invalid"),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct ImportView {
    lines: Vec<LineView>,
}

/// Make the accounts of a class with one-time passwords, in one step, or preview that
///
/// Lines that are invalid, or whose username is taken, are skipped.
#[utoipa::path(post, path = "/admin/people/import",
    request_body = ImportRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the lines with their results", body = Envelope<ImportView>),
        (status = 403, description = "the account is not an operator's"),
    )
)]
#[post("/admin/people/import", data = "<body>")]
pub(in crate::api::bottle) async fn import(
    operator: Operator,
    body: Body<ImportRequest>,
    connection: ClientConnection,
    accounts: &State<Accounts>,
) -> Reply<ImportView> {
    let mut lines = parse_roster(&required("csv", body.0.csv)?)?;
    let msg = if body.0.dry_run.unwrap_or(false) {
        accounts.preview(&mut lines)?;
        "预览成功"
    } else {
        // Nobody would see the passwords of a request whose client has gone.
        let import = accounts.import((&operator.login).into(), lines, |_| {});
        lines = connection.while_open(import).await?;
        "导入成功"
    };
    ok(msg, ImportView { lines: lines.into_iter().map(LineView::from).collect() })
}
