//! The types shared by reports of bottles and reports of replies.

use rusqlite::Row;

use super::users::{self, Account};
use crate::model::clock::Timestamp;

/// A report of a bottle or of a reply.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Report {
    pub reporter: Account,
    pub reason: String,
    pub reported_at: Timestamp,
    /// The time of a teacher's decision.
    pub settled_at: Option<Timestamp>,
}

/// The state of a report. Only the first one of an account counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportOutcome {
    /// The report is stored.
    Stored,
    /// The account has reported this before, and no teacher has decided yet.
    Repeated,
    /// A teacher has decided on the earlier report of the account.
    Settled,
}

/// The reports of a bottle or of a reply, after one was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportState {
    /// The number of reports that no teacher has settled.
    pub open: i64,
    /// The state of this report.
    pub outcome: ReportOutcome,
}

/// Reads a [`ReportState`] from the number of open reports and whether that of this reporter is
/// settled.
pub(super) fn report_state(row: &Row<'_>, is_stored: bool) -> rusqlite::Result<ReportState> {
    let outcome = match row.get(1)? {
        true => ReportOutcome::Settled,
        false if is_stored => ReportOutcome::Stored,
        false => ReportOutcome::Repeated,
    };
    Ok(ReportState { open: row.get(0)?, outcome })
}

/// The bottles that a teacher requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseFilter {
    /// Bottles with reports that no teacher has settled, of themselves or of a reply.
    Reported,
    /// Hidden bottles, and bottles with hidden replies.
    Hidden,
}

/// Reads a [`Report`] from the columns of an account, the reason and the two times.
pub(super) fn report_row(row: &Row<'_>) -> rusqlite::Result<Report> {
    Ok(Report {
        reporter: users::account(row, 0)?,
        reason: row.get(users::COLUMN_COUNT)?,
        reported_at: row.get(users::COLUMN_COUNT + 1)?,
        settled_at: row.get(users::COLUMN_COUNT + 2)?,
    })
}
