//! The table `webhook`: where the server sends what happens, and how that went.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::outbox;
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::webhook::{EventSet, Form, SigningSecret, WebhookUrl};

/// The choices of an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The address.
    pub url: WebhookUrl,
    /// The form of the messages.
    pub form: Form,
    /// The events that it receives.
    pub events: EventSet,
}

/// The webhook, and how the deliveries went.
#[derive(Clone, Debug)]
pub struct Status {
    /// The choices of an operator.
    pub target: Target,
    /// The time at which the receiver answered that it wants no more messages.
    pub gone_at: Option<Timestamp>,
    /// The time of the last delivery.
    pub last_success_at: Option<Timestamp>,
    /// The time of the last attempt that failed, and the reason.
    pub last_failure: Option<(Timestamp, String)>,
    /// The number of messages that wait.
    pub waiting: i64,
    /// The number of messages that were given up after the last attempt.
    pub given_up: i64,
    /// The number of messages that were dropped because too many waited.
    pub dropped: i64,
}

/// Returns the webhook, or `None` while it is off.
pub fn status(db: &Connection) -> Result<Option<Status>> {
    let waiting = outbox::count(db)?;
    let read = |row: &Row<'_>| {
        let failed_at: Option<Timestamp> = row.get(5)?;
        Ok(Status {
            target: target_row(row)?,
            gone_at: row.get(3)?,
            last_success_at: row.get(4)?,
            last_failure: failed_at.zip(row.get(6)?),
            waiting,
            given_up: row.get(7)?,
            dropped: row.get(8)?,
        })
    };
    let sql = "SELECT url, form, events, gone_at, last_success_at, last_failure_at, last_failure,
                      given_up, dropped
               FROM webhook";
    Ok(db.prepare_cached(sql)?.query_row([], read).optional()?)
}

/// Reads a [`Target`] from the first three columns.
fn target_row(row: &Row<'_>) -> rusqlite::Result<Target> {
    let events: String = row.get(2)?;
    Ok(Target { url: row.get(0)?, form: row.get(1)?, events: EventSet::from_column(&events) })
}

/// Returns the choices and the secret, or `None` while the webhook is off.
pub fn target(db: &Connection) -> Result<Option<(Target, SigningSecret)>> {
    let sql = "SELECT url, form, events, secret FROM webhook";
    let read =
        |row: &Row<'_>| Ok((target_row(row)?, SigningSecret::stored(row.get::<_, String>(3)?)));
    Ok(db.prepare_cached(sql)?.query_row([], read).optional()?)
}

/// Stores the choices of an operator, and lets all messages that wait be sent now. Returns the secret
/// if there was none before.
pub fn set(db: &Connection, target: &Target, now: Timestamp) -> Result<Option<SigningSecret>> {
    let secret = SigningSecret::random();
    let stored: String = db
        .prepare_cached(
            "INSERT INTO webhook (id, url, form, events, secret)
             VALUES (1, :url, :form, :events, :secret)
             ON CONFLICT DO UPDATE SET
                 url = excluded.url, form = excluded.form, events = excluded.events, gone_at = NULL
             RETURNING secret",
        )?
        .query_row(
            named_params! {
                ":url": target.url,
                ":form": target.form,
                ":events": target.events.to_column(),
                ":secret": secret.reveal(),
            },
            |row| row.get(0),
        )?;
    outbox::hurry(db, now)?;
    Ok((stored == secret.reveal()).then_some(secret))
}

/// Replaces the secret. Returns [`Error::NoWebhook`] while the webhook is off.
pub fn replace_secret(db: &Connection) -> Result<SigningSecret> {
    let secret = SigningSecret::random();
    let sql = "UPDATE webhook SET secret = ?1";
    let changed = db.prepare_cached(sql)?.execute([secret.reveal()])?;
    if changed == 1 { Ok(secret) } else { Err(Error::NoWebhook) }
}

/// Deletes the webhook and the messages that wait. Returns false if it was off.
pub fn delete(db: &Connection) -> Result<bool> {
    outbox::clear(db)?;
    Ok(db.prepare_cached("DELETE FROM webhook")?.execute([])? == 1)
}

/// Stores that the receiver wants no more messages, and deletes those that wait.
pub fn set_gone(db: &Connection, reason: &str, now: Timestamp) -> Result<()> {
    outbox::clear(db)?;
    db.prepare_cached("UPDATE webhook SET gone_at = ?1")?.execute([now])?;
    record_failure(db, reason, false, now)
}

/// Stores the time of a delivery.
pub fn record_success(db: &Connection, now: Timestamp) -> Result<()> {
    db.prepare_cached("UPDATE webhook SET last_success_at = ?1")?.execute([now])?;
    Ok(())
}

/// Stores the reason of an attempt that failed. `is_last` counts a message that is given up.
pub fn record_failure(db: &Connection, reason: &str, is_last: bool, now: Timestamp) -> Result<()> {
    let sql = "UPDATE webhook
               SET last_failure_at = ?1, last_failure = ?2, given_up = given_up + ?3";
    db.prepare_cached(sql)?.execute(params![now, reason, is_last])?;
    Ok(())
}

/// Returns whether the last message about the disk said that it is nearly full, or `None` while the
/// webhook is off.
pub fn disk_is_low(db: &Connection) -> Result<Option<bool>> {
    let sql = "SELECT disk_is_low FROM webhook";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?)
}

/// Stores whether the disk is nearly full.
pub fn set_disk_is_low(db: &Connection, is_low: bool) -> Result<()> {
    db.prepare_cached("UPDATE webhook SET disk_is_low = ?1")?.execute([is_low])?;
    Ok(())
}

impl ToSql for WebhookUrl {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.reveal().into())
    }
}

impl FromSql for WebhookUrl {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).map_err(|e| FromSqlError::Other(Box::new(e)))
    }
}

impl ToSql for Form {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Form {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).map_err(|e| FromSqlError::Other(Box::new(e)))
    }
}
