//! Which of two machines is the primary, and how far a standby is behind: the epoch and the heartbeat,
//! which are in the table `meta` and so reach the standby with everything else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use rusqlite::Connection;

use super::check::{self, Finding};
use super::open::{self, OpenError};
use super::{Store, files, meta};
use crate::model::clock::Timestamp;
use crate::model::error::Result;

const EPOCH: &str = "epoch";
const HEARTBEAT: &str = "heartbeat";

/// The state of replication that a file records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replication {
    /// The number of promotions that led to this file. Of two primaries, the one with the smaller
    /// number is out of date.
    pub epoch: u64,
    /// The time of the primary's last heartbeat, in milliseconds since 1970; `None` if it has none.
    pub heartbeat_ms: Option<i64>,
}

impl Store {
    /// Reads what the file says of its primary.
    pub fn replication(&self) -> Result<Replication> {
        self.read(|db| Ok(Replication { epoch: epoch(db)?, heartbeat_ms: heartbeat(db)? }))
    }

    /// Stores a heartbeat: a standby holds every change that was answered before the one it has.
    pub async fn beat(&self, now: Timestamp) -> Result<()> {
        let text = now.millis().to_string();
        self.write(move |db| Ok(meta::set(db, HEARTBEAT, &text)?)).await
    }
}

fn epoch(db: &Connection) -> rusqlite::Result<u64> {
    Ok(meta::get(db, EPOCH)?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn heartbeat(db: &Connection) -> rusqlite::Result<Option<i64>> {
    Ok(meta::get(db, HEARTBEAT)?.and_then(|text| text.parse().ok()))
}

/// The reason why a file was not promoted.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum PromotionError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(
        "{path} is held by another program, process {process}.\n\
         Stop it: a follower would go on to write the file."
    )]
    Held { path: PathBuf, process: u32 },
    #[error(
        "{path} is not sound: {}. It was not changed.\n\
         Start the follower until it has applied the rest of the replica, stop it, and try again; or delete \
         {path} and {path}-txid, and restore the replica.",
        finding.description
    )]
    Unsound { path: PathBuf, finding: Finding },
}

/// Makes the database at `path`, which a follower has written, one that a server writes. Returns its
/// new epoch. Checks the file first, and fails with [`PromotionError`] if a server or a follower holds
/// it.
pub fn promote(path: &Path) -> Result<u64, PromotionError> {
    let path = &files::resolve(path)?;
    let _lock = open::lock(path)?;
    if let Some(process) = holder(path) {
        return Err(PromotionError::Held { path: path.to_owned(), process });
    }
    if let Some(finding) = check::check(path)?.into_iter().next() {
        return Err(PromotionError::Unsound { path: path.to_owned(), finding });
    }
    let db = open::open_unfollowed(path)?;
    let promoted = epoch(&db).and_then(|epoch| {
        meta::set(&db, EPOCH, &(epoch + 1).to_string())?;
        Ok(epoch + 1)
    });
    let epoch = promoted.map_err(|e| open::refusal(path, e))?;
    drop(db);
    // Last, because a crash before this leaves a file that nobody takes for a primary's.
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    match fs::remove_file(open::followers_position(path)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io(e).into()),
        _ => files::sync_folder(path).map_err(io)?,
    }
    Ok(epoch)
}

/// Returns the id of another process that has the file open. On other systems than Linux, and for the
/// processes of other users, this cannot be seen.
fn holder(path: &Path) -> Option<u32> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| *id != process::id()).find(|id| {
        let files = fs::read_dir(format!("/proc/{id}/fd"));
        files.is_ok_and(|all| all.flatten().any(|file| files::is_same_file(&file.path(), path)))
    })
}
