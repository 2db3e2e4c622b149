//! Backups and checks that the server makes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rocket::http::{ContentType, Header, Status};
use rocket::response::{self, Responder, Response};
use rocket::tokio::fs::File;
use rocket::tokio::io::{AsyncRead, AsyncReadExt, ReadBuf, Take};
use rocket::{Request, State, get, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::bottle::envelope::{Empty, Envelope, ErrorResponse, ok};
use crate::api::bottle::guard::Operator;
use crate::domain::maintenance::{BackupSummary, Kind, Maintenance, Progress, Run};
use crate::domain::settings::LiveSettings;
use crate::http::ClientConnection;
use crate::model::clock::Timestamp;
use crate::model::error::Error;
use crate::model::live::LiveSetting;
use crate::store::Store;

/// The time, besides the request timeout, in which a client must read a part of a backup.
const PART_TIMEOUT: Duration = Duration::from_secs(30);

/// The size of these parts.
const PART_BYTES: usize = 64 * 1024;

/// A backup in the folder.
#[derive(Serialize, ToSchema)]
struct BackupView {
    name: String,
    bytes: u64,
    made_at: Timestamp,
    /// `sound` if the server has checked the copy, `unknown` for one that it did not make
    verdict: &'static str,
}

impl From<BackupSummary> for BackupView {
    fn from(backup: BackupSummary) -> Self {
        let verdict = if backup.is_sound { "sound" } else { "unknown" };
        Self { name: backup.name, bytes: backup.bytes, made_at: backup.made_at, verdict }
    }
}

/// The backup or check in progress.
#[derive(Serialize, ToSchema)]
struct ProgressView {
    /// `backup` or `check`
    kind: &'static str,
    started_at: Timestamp,
    /// the pages copied; all of them while the copy is checked
    pages: u64,
    /// the pages in all; 0 for a check, and until a backup begins to copy
    all_pages: u64,
}

impl From<Progress> for ProgressView {
    fn from(progress: Progress) -> Self {
        let Progress { kind, started_at, pages, all_pages } = progress;
        Self { kind: kind.as_str(), started_at, pages, all_pages }
    }
}

/// A backup that failed.
#[derive(Serialize, ToSchema)]
pub(super) struct FailureView {
    failed_at: Timestamp,
    /// the reason, in English
    reason: String,
}

impl FailureView {
    /// Returns the failure of the last backup, unless that was made.
    pub(super) fn of(last: Option<&Run>) -> Option<Self> {
        let last = last?;
        let reason = last.failure.clone()?;
        Some(Self { failed_at: last.ended_at, reason })
    }
}

#[derive(Serialize, ToSchema)]
struct ScheduleView {
    /// the hour of the nightly backup, on the clock at the server's place
    hour: u32,
    /// the number of backups to keep; 0 for no nightly backup
    keep: u32,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct BackupsView {
    /// the newest first
    backups: Vec<BackupView>,
    /// the reason why the folder cannot be read, in English
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    running: Option<ProgressView>,
    /// the last backup if it failed, until another one is made
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureView>,
    schedule: ScheduleView,
    /// the folder of the backups, on the server
    folder: String,
    /// the database file, on the server
    database: String,
}

/// List the backups, with the one in progress and the schedule
#[utoipa::path(get, path = "/admin/backups",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the backups of this database in the server's folder", body = Envelope<BackupsView>),
        (status = 403, description = "the account is not an operator's"),
    )
)]
#[get("/admin/backups")]
pub(in crate::api::bottle) async fn list(
    _operator: Operator,
    maintenance: &State<Maintenance>,
    live: &State<LiveSettings>,
    store: &State<std::sync::Arc<Store>>,
) -> Result<Envelope<BackupsView>, ErrorResponse> {
    // First, so that a backup that ends meanwhile is in the list.
    let running = maintenance.progress().map(ProgressView::from);
    let (backups, unreadable) = match maintenance.backups().await {
        Ok(backups) => (backups, None),
        Err(Error::Unavailable(why) | Error::Damaged(why)) => (Vec::new(), Some(why)),
        Err(error) => return Err(error.into()),
    };
    let values = live.values();
    ok(
        "查询成功",
        BackupsView {
            backups: backups.into_iter().map(BackupView::from).collect(),
            unreadable,
            running,
            failure: FailureView::of(maintenance.last_backup()?.as_ref()),
            schedule: ScheduleView {
                hour: values.get(LiveSetting::BackupHour),
                keep: values.get(LiveSetting::BackupKeep),
                next_at: maintenance.next_at(),
            },
            folder: maintenance.folder().display().to_string(),
            database: store.path().display().to_string(),
        },
    )
}

/// Make a backup
///
/// The response comes when it has begun. The list has its progress, and then the backup or the
/// reason why it failed.
#[utoipa::path(post, path = "/admin/backups",
    security(("bottle_session" = [])),
    responses(
        (status = 202, description = "the backup has begun", body = Envelope<Empty>),
        (status = 403, description = "the account is not an operator's"),
        (status = 409, description = "`BUSY`: a backup or a check is in progress"),
    )
)]
#[post("/admin/backups")]
pub(in crate::api::bottle) async fn make(
    operator: Operator,
    maintenance: &State<Maintenance>,
) -> Result<(Status, Envelope<Empty>), ErrorResponse> {
    maintenance.start(&operator.login, Kind::Backup).await?;
    Ok((Status::Accepted, ok("已开始备份", Empty {})?))
}

/// Check the database for damage
///
/// The response comes when the check has begun. The state of the server has its result.
#[utoipa::path(post, path = "/admin/check",
    security(("bottle_session" = [])),
    responses(
        (status = 202, description = "the check has begun", body = Envelope<Empty>),
        (status = 403, description = "the account is not an operator's"),
        (status = 409, description = "`BUSY`: a backup or a check is in progress"),
    )
)]
#[post("/admin/check")]
pub(in crate::api::bottle) async fn check(
    operator: Operator,
    maintenance: &State<Maintenance>,
) -> Result<(Status, Envelope<Empty>), ErrorResponse> {
    maintenance.start(&operator.login, Kind::Check).await?;
    Ok((Status::Accepted, ok("已开始检查", Empty {})?))
}

/// Download a backup
#[utoipa::path(get, path = "/admin/backups/{name}", operation_id = "download_backup",
    params(("name" = String, Path)),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the file, for `bottle restore`", content_type = "application/vnd.sqlite3"),
        (status = 403, description = "the account is not an operator's"),
        (status = 404, description = "the list has no such backup"),
    )
)]
#[get("/admin/backups/<name>")]
pub(in crate::api::bottle) async fn download(
    operator: Operator,
    name: &str,
    maintenance: &State<Maintenance>,
    connection: ClientConnection,
) -> Result<Download, ErrorResponse> {
    let (file, bytes) = maintenance.open(&operator.login, name).await?;
    let file = File::from_std(file).take(bytes);
    let part = Part { file, connection };
    Ok(Download { name: name.to_owned(), bytes, part })
}

/// The response with a backup.
pub(in crate::api::bottle) struct Download {
    /// A name of the list, which has neither quotation marks nor control characters.
    name: String,
    bytes: u64,
    part: Part,
}

impl<'r> Responder<'r, 'static> for Download {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let disposition = format!("attachment; filename=\"{}\"", self.name);
        Response::build()
            .header(ContentType::new("application", "vnd.sqlite3"))
            .header(Header::new("Content-Disposition", disposition))
            .header(Header::new("Content-Length", self.bytes.to_string()))
            .streamed_body(self.part)
            .max_chunk_size(PART_BYTES)
            .ok()
    }
}

/// A file that is sent in parts, each of which the client must read in time.
struct Part {
    file: Take<File>,
    connection: ClientConnection,
}

impl AsyncRead for Part {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A client that does not read the part does not cause another poll, and is disconnected.
        self.connection.expect_read(PART_TIMEOUT);
        Pin::new(&mut self.file).poll_read(context, out)
    }
}
