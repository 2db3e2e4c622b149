//! Backups and checks that the server makes, one at a time and on a thread of their own.

pub mod schedule;

mod runs;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{Local, NaiveDate};
use tokio::sync::watch;

use self::schedule::{Nights, next_start, night_of};
use crate::domain::accounts::Login;
use crate::model::clock::{Clock, Timestamp};
use crate::model::error::{Error, Result};
use crate::model::live::{LiveSetting, LiveValues};
use crate::store::audit_log::NewEntry;
use crate::store::backup::Stop;
use crate::store::{Store, audit_log, backup_folder, maintenance, sessions};

pub use crate::store::BackupFolder;
pub use crate::store::action::Action;
pub use crate::store::maintenance::{Kind, Run};

/// The time in which a backup must stop when the server shuts down.
const STOP_TIME: Duration = Duration::from_secs(5);

/// The backups and checks of a store. Clones share their state.
#[derive(Clone)]
pub struct Maintenance(Arc<Shared>);

struct Shared {
    store: Arc<Store>,
    clock: Clock,
    settings: LiveValues,
    folder: BackupFolder,
    /// The run in progress.
    progress: watch::Sender<Option<Progress>>,
    stop: Stop,
    nights: Mutex<Nights>,
    /// A run that could not be stored, perhaps because the disk is full, and its night.
    unsaved: Mutex<Option<(Run, Option<NaiveDate>)>>,
}

/// The progress of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The kind of the run.
    pub kind: Kind,
    /// The time at which it started.
    pub started_at: Timestamp,
    /// The pages copied; all of them while the copy is checked.
    pub pages: u64,
    /// The pages in all; 0 for a check.
    pub all_pages: u64,
}

/// A backup in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// The name, without its folder.
    pub name: String,
    /// The size in bytes.
    pub bytes: u64,
    /// The time at which it was made.
    pub made_at: Timestamp,
    /// True if this server has checked it; a backup of the command line was checked by that.
    pub is_sound: bool,
}

/// The right to make the run in progress. Dropping it ends the run.
struct Permit(Maintenance);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.0.progress.send_replace(None);
    }
}

impl Maintenance {
    /// Creates the maintenance of `store`, with backups in `folder`. Deletes what a killed server
    /// has left there.
    pub fn new(
        store: Arc<Store>,
        clock: Clock,
        settings: LiveValues,
        folder: BackupFolder,
    ) -> Self {
        if let Err(e) = Store::delete_unfinished(&folder.path) {
            tracing::warn!("cannot delete unfinished backups in {}: {e}", folder.path.display());
        }
        Self(Arc::new(Shared {
            store,
            clock,
            settings,
            folder,
            progress: watch::Sender::new(None),
            stop: Stop::default(),
            nights: Mutex::default(),
            unsaved: Mutex::default(),
        }))
    }

    /// Starts a backup or a check. Returns [`Error::Busy`] while another run is in progress.
    pub async fn start(&self, login: &Login, kind: Kind) -> Result<()> {
        let permit = self.acquire(kind)?;
        let action = match kind {
            Kind::Backup => Action::BackUp,
            Kind::Check => Action::Check,
        };
        self.log(login, action, None).await?;
        permit.run(kind, None)
    }

    /// Logs what an operator did. Returns [`Error::NotOperator`] if it is not one any more.
    async fn log(&self, login: &Login, action: Action, detail: Option<String>) -> Result<()> {
        let now = self.0.clock.now();
        let change = sessions::authorized(login.session, &self.0.clock, move |db, operator| {
            operator.check_operator()?;
            let entry = NewEntry::new(Some(&operator.username), action);
            audit_log::add(db, NewEntry { detail: detail.as_deref(), ..entry }, now)
        });
        self.0.store.write(change).await
    }

    fn acquire(&self, kind: Kind) -> Result<Permit> {
        let started_at = self.0.clock.now();
        let is_free = self.0.progress.send_if_modified(|progress| {
            let is_free = progress.is_none() && !self.0.stop.is_requested();
            if is_free {
                *progress = Some(Progress { kind, started_at, pages: 0, all_pages: 0 });
            }
            is_free
        });
        if is_free { Ok(Permit(self.clone())) } else { Err(Error::Busy) }
    }

    /// Makes the backup of the night if the schedule has one and it is not made yet, also where the
    /// server was off at its hour. To be called every second.
    pub async fn run_if_due(&self) {
        if let Err(e) = self.try_run_if_due().await {
            tracing::warn!("cannot start the backup of the night: {e}; trying again");
        }
    }

    async fn try_run_if_due(&self) -> Result<()> {
        if self.0.settings.get(LiveSetting::BackupKeep) == 0 {
            return Ok(());
        }
        let night = self.night();
        let unsaved = self.unsaved().as_ref().and_then(|(_, night)| *night);
        let Some(last) = unsaved.or(self.0.store.read(maintenance::last_night)?) else {
            // The schedule begins now.
            let begin = move |db: &_| maintenance::set_last_night(db, Some(night));
            return self.0.store.write(begin).await;
        };
        let is_due = lock(&self.0.nights).is_due(night, last);
        match is_due.then(|| self.acquire(Kind::Backup)) {
            Some(Ok(permit)) => permit.run(Kind::Backup, Some(night)),
            // Not due, or due after the run in progress.
            _ => Ok(()),
        }
    }

    /// Returns the last night that has begun.
    fn night(&self) -> NaiveDate {
        night_of(self.0.clock.now().local(), self.0.settings.get(LiveSetting::BackupHour))
    }

    /// Returns the time of the next scheduled backup; `None` without a schedule.
    pub fn next_at(&self) -> Option<Timestamp> {
        let (hour, keep) = [LiveSetting::BackupHour, LiveSetting::BackupKeep]
            .map(|setting| self.0.settings.get(setting))
            .into();
        if keep == 0 { None } else { next_start(self.night(), hour, &Local) }
    }

    fn unsaved(&self) -> MutexGuard<'_, Option<(Run, Option<NaiveDate>)>> {
        lock(&self.0.unsaved)
    }

    /// Returns the run in progress.
    pub fn progress(&self) -> Option<Progress> {
        *self.0.progress.borrow()
    }

    /// Returns the folder of the backups.
    pub fn folder(&self) -> &PathBuf {
        &self.0.folder.path
    }

    /// Returns the backups in the folder, the newest first. Reads the disk, so it runs on a thread
    /// of its own.
    pub async fn backups(&self) -> Result<Vec<BackupSummary>> {
        let this = self.clone();
        blocking(move || this.list()).await
    }

    fn list(&self) -> Result<Vec<BackupSummary>> {
        let Shared { store, folder, .. } = &*self.0;
        let files = store.backups(&folder.path).map_err(|e| unreadable(&folder.path, &e))?;
        let sound = store.read(maintenance::sound_backups)?;
        let summary = |file: backup_folder::BackupFile| BackupSummary {
            is_sound: sound.iter().any(|(name, bytes)| *name == file.name && *bytes == file.bytes),
            name: file.name,
            bytes: file.bytes,
            made_at: file.made_at,
        };
        Ok(files.into_iter().map(summary).collect())
    }

    /// Opens a backup for an operator, logs that, and returns the file and its size in bytes.
    /// Returns [`Error::NoSuchBackup`] if the folder has none of this name.
    pub async fn open(&self, login: &Login, name: &str) -> Result<(std::fs::File, u64)> {
        let (this, name) = (self.clone(), name.to_owned());
        let opened = blocking({
            let name = name.clone();
            move || {
                let folder = &this.0.folder.path;
                let opened = this.0.store.open_backup(folder, &name);
                opened.map_err(|e| unreadable(folder, &e))?.ok_or(Error::NoSuchBackup)
            }
        });
        let opened = opened.await?;
        match self.log(login, Action::DownloadBackup, Some(name)).await {
            // A backup is most needed where nothing can be written any more.
            Err(Error::Unavailable(e) | Error::Damaged(e)) => {
                tracing::warn!("cannot log that {} downloads a backup: {e}", login.account.id);
            }
            logged => logged?,
        }
        Ok(opened)
    }

    /// Stops the run in progress, lets no other begin, and waits until it has ended, for a few
    /// seconds at most.
    pub async fn shut_down(&self) {
        self.0.stop.stop();
        let mut progress = self.0.progress.subscribe();
        let _ = tokio::time::timeout(STOP_TIME, progress.wait_for(Option::is_none)).await;
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::Internal("listing the backups panicked".into()))?
}

fn unreadable(folder: &std::path::Path, error: &std::io::Error) -> Error {
    Error::Unavailable(format!("cannot read {}: {error}", folder.display()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
