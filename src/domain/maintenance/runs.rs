//! One run: making a backup or a check, and storing its result.

use std::thread;

use chrono::NaiveDate;
use tokio::runtime::Handle;

use super::{Kind, Maintenance, Permit, Run, Shared};
use crate::domain::password::lower_priority;
use crate::model::error::{Error, Result};
use crate::model::live::LiveSetting;
use crate::store::backup::CopyError;
use crate::store::outbox::{self, Event};
use crate::store::{OpenError, backup_folder, maintenance};

impl Permit {
    /// Runs on a thread of its own, and stores the result.
    pub(super) fn run(self, kind: Kind, night: Option<NaiveDate>) -> Result<()> {
        let runtime = Handle::current();
        let work = move || {
            lower_priority();
            let this = self.0.clone();
            let run = match kind {
                Kind::Backup => this.back_up(night).map_or_else(|e| this.failed_backup(&e), Some),
                Kind::Check => this.check(),
            };
            if let Some(run) = run {
                runtime.block_on(this.record(run, night));
            }
        };
        let started = thread::Builder::new().name("maintenance".into()).spawn(work);
        started.map(drop).map_err(|e| Error::Unavailable(format!("cannot start a thread: {e}")))
    }
}

impl Maintenance {
    /// Makes the backup, and deletes older ones after the one of a night.
    fn back_up(&self, night: Option<NaiveDate>) -> Result<Run, CopyError> {
        let Shared { store, clock, settings, folder, progress, stop, .. } = &*self.0;
        let name = backup_folder::default_name(clock.now());
        let follow = |done, all| {
            progress.send_modify(|progress| {
                if let Some(progress) = progress {
                    (progress.pages, progress.all_pages) = (done, all);
                }
            });
        };
        let bytes = store.back_up(folder, &name, follow, stop)?;
        if night.is_some() {
            let keep = settings.get(LiveSetting::BackupKeep).max(1) as usize;
            let newest = folder.path.join(&name);
            let pruned = backup_folder::prune(&newest, store.path(), keep, |deleted| {
                tracing::info!("deleted the old backup {}", deleted.display());
            });
            if let Err(e) = pruned {
                tracing::warn!("a backup was made, but cannot delete older ones: {e}");
            }
        }
        Ok(Run {
            kind: Kind::Backup,
            ended_at: clock.now(),
            file: Some((name, bytes)),
            is_sound: Some(true),
            failure: None,
        })
    }

    /// Returns the run of a backup that has failed with `error`; `None` if it was stopped.
    fn failed_backup(&self, error: &CopyError) -> Option<Run> {
        let is_sound = match error {
            CopyError::Stopped => return None,
            CopyError::Unsound { .. } | CopyError::Open(OpenError::Damaged { .. }) => Some(false),
            _ => None,
        };
        let (ended_at, failure) = (self.0.clock.now(), Some(error.to_string()));
        Some(Run { kind: Kind::Backup, ended_at, file: None, is_sound, failure })
    }

    /// Checks the database. Returns `None` if the check was stopped.
    fn check(&self) -> Option<Run> {
        let (is_sound, failure) = match self.0.store.check(&self.0.stop) {
            Ok(None) => return None,
            Ok(Some(findings)) => {
                let first = findings.first().map(|finding| finding.description.clone());
                (Some(first.is_none()), first)
            }
            Err(e) => (None, Some(e.to_string())),
        };
        let ended_at = self.0.clock.now();
        Some(Run { kind: Kind::Check, ended_at, file: None, is_sound, failure })
    }

    /// Stores a run and its night, after the commit of which the next one may begin. This is the
    /// one place that learns of every backup that fails.
    async fn record(&self, run: Run, night: Option<NaiveDate>) {
        if let Some(failure) = &run.failure {
            tracing::error!("a {} failed: {failure}", run.kind.as_str());
        }
        *self.unsaved() = Some((run, night));
        self.save().await;
    }

    /// Stores a run that could not be stored when it ended. To be called every minute.
    pub async fn save(&self) {
        let Some((run, night)) = self.unsaved().clone() else { return };
        let saved = self.0.store.write(move |db| {
            if night.is_some() {
                maintenance::set_last_night(db, night)?;
            }
            if let (Kind::Backup, Some(reason)) = (run.kind, &run.failure) {
                outbox::add(db, Event::BackupFailed { reason }, run.ended_at)?;
            }
            maintenance::insert(db, &run)
        });
        match saved.await {
            Ok(()) => *self.unsaved() = None,
            Err(e) => tracing::warn!("cannot store the result of a backup or check: {e}"),
        }
    }

    /// Returns the last backup that was made or failed.
    pub fn last_backup(&self) -> Result<Option<Run>> {
        let unsaved = self.unsaved().as_ref().map(|(run, _)| run.clone());
        match unsaved.filter(|run| run.kind == Kind::Backup) {
            Some(run) => Ok(Some(run)),
            None => self.0.store.read(maintenance::last_backup),
        }
    }

    /// Returns the last run that has checked the file or a copy of it.
    pub fn last_check(&self) -> Result<Option<Run>> {
        self.0.store.read(maintenance::last_check)
    }
}
