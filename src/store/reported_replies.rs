//! The table `reply_reports`, and replies that are hidden.

use rusqlite::{Connection, Row, params};

use super::replies::{self, COLUMNS, Reply, TABLES};
use super::reports::{CaseFilter, Report, ReportState, report_row, report_state};
use super::users;
use crate::model::clock::Timestamp;
use crate::model::error::Result;
use crate::model::fields::Reason;

/// A reply for a teacher's decision.
#[derive(Clone, Debug)]
pub struct ReportedReply {
    /// The reply.
    pub reply: Reply,
    /// Its reports, oldest first.
    pub reports: Vec<Report>,
}

/// Reports a reply, once per reporter.
pub fn report(
    db: &Connection,
    reply: i64,
    reporter: i64,
    reason: &Reason,
    now: Timestamp,
) -> Result<ReportState> {
    let stored = db
        .prepare_cached(
            "INSERT INTO reply_reports (reply_id, reporter_id, reason, reported_at)
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![reply, reporter, reason.as_str(), now])?;
    let sql = "SELECT count(*) FILTER (WHERE settled_at IS NULL),
                      max(reporter_id = ?2 AND settled_at IS NOT NULL)
               FROM reply_reports WHERE reply_id = ?1";
    let state = |row: &Row<'_>| report_state(row, stored == 1);
    Ok(db.prepare_cached(sql)?.query_row([reply, reporter], state)?)
}

/// Hides a reply, or shows it again. Returns false if it was in that state already.
pub fn set_hidden(db: &Connection, id: i64, hidden_at: Option<Timestamp>) -> Result<bool> {
    let changed = db
        .prepare_cached(
            "UPDATE replies SET hidden_at = ?2
             WHERE id = ?1 AND (hidden_at IS NULL) <> (?2 IS NULL)",
        )?
        .execute(params![id, hidden_at])?;
    Ok(changed == 1)
}

/// Settles all reports of a reply.
pub fn settle(db: &Connection, reply: i64, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE reply_reports SET settled_at = ?2 WHERE reply_id = ?1 AND settled_at IS NULL",
    )?
    .execute(params![reply, now])?;
    Ok(())
}

/// Returns the reported or hidden replies in the threads of a bottle, oldest first.
pub(super) fn of_bottle(
    db: &Connection,
    bottle: i64,
    filter: CaseFilter,
) -> Result<Vec<ReportedReply>> {
    let condition = match filter {
        CaseFilter::Reported => {
            "replies.id IN (SELECT reply_id FROM reply_reports WHERE settled_at IS NULL)"
        }
        CaseFilter::Hidden => "replies.hidden_at IS NOT NULL",
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, {} FROM {TABLES} WHERE bottle_id = ?1 AND {condition}
         ORDER BY replies.id",
        users::COLUMNS
    ))?;
    let replies: Vec<Reply> =
        statement.query_map([bottle], replies::reply)?.collect::<rusqlite::Result<_>>()?;
    let reported = |reply: Reply| Ok(ReportedReply { reports: reports(db, reply.id)?, reply });
    replies.into_iter().map(reported).collect()
}

fn reports(db: &Connection, reply: i64) -> Result<Vec<Report>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {}, reason, reported_at, settled_at FROM reply_reports JOIN users ON users.id = reporter_id
         WHERE reply_id = ?1 ORDER BY reported_at, reporter_id",
        users::COLUMNS
    ))?;
    Ok(statement.query_map([reply], report_row)?.collect::<rusqlite::Result<_>>()?)
}
