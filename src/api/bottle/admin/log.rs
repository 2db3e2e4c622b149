//! The log of what teachers and operators did.

use std::sync::Arc;

use rocket::http::ContentType;
use rocket::{FromForm, Responder, State, get};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::log_csv;
use crate::api::bottle::envelope::{Empty, Envelope, ErrorResponse};
use crate::api::bottle::export::Download;
use crate::api::bottle::guard::Operator;
use crate::api::bottle::items::{Items, JsonText, write};
use crate::api::bottle::query::{PageQuery, parse_page};
use crate::domain::audit_log::{self, Action, AuditEntry, LogFilter};
use crate::http::ClientConnection;
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Problem, Result};
use crate::store::Store;

/// An entry of the log.
#[derive(Serialize, ToSchema)]
struct LogEntryView {
    entry_id: i64,
    done_at: Timestamp,
    /// the username of the teacher or operator; none for the command line, and if the number of reports
    /// hid a bottle or a reply
    actor: Option<String>,
    /// what was done, such as `hide`, `set_role` or `delete_account`
    action: &'static str,
    bottle_id: Option<i64>,
    reply_id: Option<i64>,
    /// the account that it concerns, or whose bottle or reply it is
    user_id: Option<i64>,
    /// the username that this account had then
    username: Option<String>,
    /// the end of a mute
    until: Option<Timestamp>,
    /// the new value, such as a role, a mode of registration or a username
    detail: Option<String>,
}

impl From<AuditEntry> for LogEntryView {
    fn from(entry: AuditEntry) -> Self {
        let (user_id, username) = entry.user.unzip();
        Self {
            entry_id: entry.id,
            done_at: entry.done_at,
            actor: entry.actor,
            action: entry.action.as_str(),
            bottle_id: entry.bottle,
            reply_id: entry.reply,
            user_id,
            username,
            until: entry.until,
            detail: entry.detail,
        }
    }
}

/// The query parameters of the log, as text, so that a wrong one gets the contract's own error.
#[derive(FromForm, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api::bottle) struct LogQuery<'r> {
    /// the username of the teacher or operator
    actor: Option<&'r str>,
    /// what was done
    action: Option<&'r str>,
    /// the username of the account that it concerns
    username: Option<&'r str>,
    /// the earliest time, in RFC 3339
    #[param(value_type = String, format = DateTime)]
    from: Option<&'r str>,
    /// the time before which it was done, in RFC 3339
    #[param(value_type = String, format = DateTime)]
    to: Option<&'r str>,
}

impl LogQuery<'_> {
    fn filter(&self) -> Result<LogFilter> {
        let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let unknown = || Error::field("action", Problem::NotOneOf("the actions in the log"));
        let action = given(self.action);
        let action = action.map(|word| Action::parse(&word).ok_or_else(unknown)).transpose()?;
        Ok(LogFilter {
            is_moderation: false,
            actor: given(self.actor),
            action,
            account: given(self.username),
            from: parse_time("from", given(self.from))?,
            to: parse_time("to", given(self.to))?,
        })
    }
}

fn parse_time(field: &'static str, text: Option<String>) -> Result<Option<Timestamp>> {
    let invalid = || Error::field(field, Problem::NotATime);
    text.map(|text| Timestamp::parse(&text).ok_or_else(invalid)).transpose()
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
pub(in crate::api::bottle) struct LogEntriesView {
    entries: Vec<LogEntryView>,
    next: Option<i64>,
}

/// A page of the log, or all of it as a file.
#[derive(Responder)]
pub(in crate::api::bottle) enum LogResponse {
    Page(JsonText),
    File(Box<Download>),
}

/// List the log of what teachers and operators did, latest entry first
///
/// With `format` it is a file of all entries that fit: CSV, or JSON with an entry per line.
#[utoipa::path(get, path = "/admin/log",
    params(
        LogQuery,
        ("format" = Option<String>, Query, description = "`json` (the default), `csv` or `ndjson`"),
        PageQuery
    ),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "a page of the log, or the file", content(
            (Envelope<LogEntriesView> = "application/json"),
            (String = "text/csv"),
            (String = "application/x-ndjson"),
        )),
        (status = 403, description = "the account is not an operator's"),
    )
)]
#[get("/admin/log?<format>&<limit>&<after>&<query..>")]
pub(in crate::api::bottle) async fn log(
    _operator: Operator,
    query: LogQuery<'_>,
    format: Option<&str>,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    store: &State<Arc<Store>>,
) -> Result<LogResponse, ErrorResponse> {
    let filter = query.filter()?;
    match format {
        None | Some("json") => {
            let (page, mut items) = (parse_page(limit, after)?, Items::default());
            let write_item = |entry: AuditEntry| items.push(entry.id, &LogEntryView::from(entry));
            let listed = audit_log::list(store, &filter, page, write_item);
            let has_more = connection.while_open(listed).await?;
            let page = items.response("查询成功", &Empty {}, "entries", has_more)?;
            Ok(LogResponse::Page(page))
        }
        Some("csv") => {
            let chunks = audit_log::export(store, filter, log_csv::head()?, log_csv::line);
            let chunks = connection.while_open(chunks).await?;
            let name = "bottle-log.csv".to_owned();
            let file = Download::new(ContentType::CSV, name, chunks, connection);
            Ok(LogResponse::File(Box::new(file)))
        }
        Some("ndjson") => {
            let chunks = audit_log::export(store, filter, Vec::new(), json_line);
            let chunks = connection.while_open(chunks).await?;
            let (kind, name) =
                (ContentType::new("application", "x-ndjson"), "bottle-log.ndjson".to_owned());
            let file = Download::new(kind, name, chunks, connection);
            Ok(LogResponse::File(Box::new(file)))
        }
        Some(_) => Err(Error::field("format", Problem::NotOneOf("json, csv, ndjson")).into()),
    }
}

fn json_line(entry: AuditEntry) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    write(&mut line, &LogEntryView::from(entry))?;
    line.push(b'\n');
    Ok(line)
}
