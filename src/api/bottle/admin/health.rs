//! The state of the server.

use rocket::{State, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::backups::FailureView;
use crate::api::bottle::envelope::{Envelope, Reply, ok};
use crate::api::bottle::guard::Operator;
use crate::domain::health::{FileFault, Health, HealthReport};
use crate::domain::maintenance::Run;
use crate::model::clock::Timestamp;

#[derive(Serialize, ToSchema)]
struct SizesView {
    /// the database file
    database_bytes: i64,
    /// the write-ahead log beside it
    log_bytes: i64,
    /// the backups in the folder
    backups_bytes: u64,
    /// the free space of the database's disk
    free_bytes: u64,
}

#[derive(Serialize, ToSchema)]
struct RowCountsView {
    accounts: i64,
    /// the bottles on the sea
    bottles: i64,
    /// at most a minute old, as are the replies
    openings: i64,
    replies: i64,
    /// the sessions that have not expired
    sessions: i64,
}

#[derive(Serialize, ToSchema)]
struct ActivityView {
    /// the event streams that are open
    streams: usize,
    max_streams: usize,
    /// the bottles that searches found in the cache, since the start
    map_cache_hits: u64,
    map_cache_misses: u64,
    /// the reads and changes of the last day that took longer than `slow_query_ms`
    slow_queries: u64,
    /// the requests of the last day that failed through a fault of the server
    failed_requests: u64,
}

/// The last check of the file, or of a copy of it.
#[derive(Serialize, ToSchema)]
struct CheckView {
    checked_at: Timestamp,
    is_sound: bool,
    /// the first finding, in English
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct HealthView {
    version: &'static str,
    uptime_seconds: u64,
    sizes: SizesView,
    counts: RowCountsView,
    activity: ActivityView,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<CheckView>,
    /// the last backup if it failed, until another one is made
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_failure: Option<FailureView>,
    /// what needs the operator: `disk_nearly_full`, `backup_failed`, `damaged` or `file_replaced`
    warnings: Vec<&'static str>,
}

impl From<HealthReport> for HealthView {
    fn from(report: HealthReport) -> Self {
        let warnings = warnings(&report);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: report.uptime.as_secs(),
            sizes: SizesView {
                database_bytes: report.database_bytes,
                log_bytes: report.log_bytes,
                backups_bytes: report.backups_bytes,
                free_bytes: report.free_bytes,
            },
            counts: RowCountsView {
                accounts: report.counts.accounts,
                bottles: report.counts.bottles,
                openings: report.openings,
                replies: report.replies,
                sessions: report.counts.sessions,
            },
            activity: ActivityView {
                streams: report.streams.0,
                max_streams: report.streams.1,
                map_cache_hits: report.map_cache.hits,
                map_cache_misses: report.map_cache.misses,
                slow_queries: report.slow_queries,
                failed_requests: report.failed_requests,
            },
            backup_failure: FailureView::of(report.last_backup.as_ref()),
            check: report.last_check.map(check_view),
            warnings,
        }
    }
}

fn check_view(run: Run) -> CheckView {
    CheckView {
        checked_at: run.ended_at,
        is_sound: run.is_sound == Some(true),
        finding: run.failure,
    }
}

fn warnings(report: &HealthReport) -> Vec<&'static str> {
    let has_failed = |run: &Run| run.failure.is_some();
    let was_unsound = report.last_check.as_ref().is_some_and(|run| run.is_sound == Some(false));
    let has_fault = |fault| report.file_fault == Some(fault);
    [
        ("disk_nearly_full", report.free_bytes < report.min_free_bytes),
        ("backup_failed", report.last_backup.as_ref().is_some_and(has_failed)),
        ("damaged", was_unsound || has_fault(FileFault::Damaged)),
        ("file_replaced", has_fault(FileFault::Replaced)),
    ]
    .into_iter()
    .filter_map(|(warning, holds)| holds.then_some(warning))
    .collect()
}

/// Return the state of the server
#[utoipa::path(get, path = "/admin/health",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "sizes, counts, and what needs the operator", body = Envelope<HealthView>),
        (status = 403, description = "the account is not an operator's"),
    )
)]
#[get("/admin/health")]
pub(in crate::api::bottle) async fn health(
    _operator: Operator,
    health: &State<Health>,
) -> Reply<HealthView> {
    ok("查询成功", health.report().await?.into())
}
