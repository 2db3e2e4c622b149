//! Classification of SQLite's errors.

use rusqlite::ErrorCode;

use crate::model::error::Error;

impl From<rusqlite::Error> for Error {
    /// Maps pages and values that cannot be read to [`Error::Damaged`], other failures that may pass or
    /// that the operator can repair to [`Error::Unavailable`], and all others to [`Error::Internal`].
    fn from(e: rusqlite::Error) -> Self {
        use rusqlite::Error::{
            FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
        };
        match e.sqlite_error_code() {
            // SQLite also reports a page that the disk does not return as corruption.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(e.to_string())
            }
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory,
            ) => Self::Unavailable(e.to_string()),
            // The tables are strict and have no such values.
            None if matches!(
                e,
                FromSqlConversionFailure(..)
                    | IntegralValueOutOfRange(..)
                    | InvalidColumnType(..)
                    | Utf8Error(..)
            ) =>
            {
                Self::Damaged(e.to_string())
            }
            _ => Self::Internal(e.to_string()),
        }
    }
}

/// Returns true if a foreign key referred to a missing row, or kept a row from being deleted.
pub(super) fn is_foreign_key(e: &rusqlite::Error) -> bool {
    has_code(e, rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY)
        || has_code(e, rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER)
}

/// Returns true if a unique value exists already.
pub(super) fn is_duplicate(e: &rusqlite::Error) -> bool {
    has_code(e, rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
}

fn has_code(e: &rusqlite::Error, code: i32) -> bool {
    e.sqlite_error().is_some_and(|e| e.extended_code == code)
}
