//! The rules of moderation: reports, hiding, muting and freezing.

use std::sync::Arc;

use crate::domain::accounts::{Account, Login};
use crate::domain::events::{Event, EventBus};
use crate::model::clock::{Clock, Timestamp};
use crate::model::error::Result;
use crate::model::fields::Reason;
use crate::store::map_bottle::MapBottle;
use crate::store::pages::PageRequest;
use crate::store::{Store, moderation, sessions};

pub use crate::store::action::Action;
pub use crate::store::moderation::{AuditEntry, CaseFilter, Report, ReportedBottle};

/// The moderation of a store.
pub struct Moderation {
    store: Arc<Store>,
    clock: Clock,
    events: EventBus,
    /// The number of reports that hide a bottle until a teacher decides; 0 hides none.
    reports_to_hide: u32,
}

/// The freeze and the mutes that are in force.
#[derive(Debug)]
pub struct ModerationStatus {
    /// True if throwing is frozen.
    pub frozen: bool,
    /// The muted accounts, and the ends of their mutes.
    pub muted: Vec<(Account, Timestamp)>,
}

impl Moderation {
    /// Creates the moderation of `store`, which publishes changes of the sea on `events`.
    pub fn new(store: Arc<Store>, clock: Clock, events: EventBus, reports_to_hide: u32) -> Self {
        Self { store, clock, events, reports_to_hide }
    }

    /// Reports a bottle. With enough reports by different accounts, it is hidden until a teacher
    /// decides.
    pub async fn report(&self, login: &Login, bottle: i64, reason: Reason) -> Result<()> {
        let (now, threshold) = (self.clock.now(), self.reports_to_hide);
        let change = sessions::authorized(login.session, &self.clock, move |db, reporter| {
            let open = moderation::report(db, bottle, reporter.id, &reason, now)?;
            if threshold == 0 || open < i64::from(threshold) {
                return Ok(None);
            }
            let hidden = moderation::set_hidden(db, bottle, Some(now))?;
            if let Some(hidden) = &hidden {
                let target = (Some(bottle), Some(hidden.owner));
                moderation::log(db, None, Action::Hide, target, None, now)?;
            }
            Ok(hidden)
        });
        self.store.write_then(change, self.publish(true)).await.map(drop)
    }

    /// Hides a bottle or shows it again, and settles its reports.
    pub async fn set_hidden(&self, login: &Login, bottle: i64, hidden: bool) -> Result<()> {
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, teacher| {
            teacher.check_teacher()?;
            let changed = moderation::set_hidden(db, bottle, hidden.then_some(now))?;
            moderation::settle(db, bottle, now)?;
            if let Some(changed) = &changed {
                let action = if hidden { Action::Hide } else { Action::Show };
                let target = (Some(bottle), Some(changed.owner));
                moderation::log(db, Some(&teacher.username), action, target, None, now)?;
            }
            Ok(changed)
        });
        self.store.write_then(change, self.publish(hidden)).await.map(drop)
    }

    /// Returns the callback that publishes, after the commit, which bottle was hidden or shown.
    fn publish(&self, hidden: bool) -> impl FnOnce(&Option<MapBottle>) + Send + 'static {
        let events = self.events.clone();
        move |changed| match changed {
            Some(bottle) if hidden => events.publish(Event::Hidden(bottle.id, bottle.position)),
            Some(bottle) => events.publish(Event::Thrown(bottle.clone())),
            None => {}
        }
    }

    /// Mutes an account for a number of minutes; 0 unmutes it.
    pub async fn mute(&self, login: &Login, account: i64, minutes: u32) -> Result<()> {
        let now = self.clock.now();
        let until = (minutes > 0).then(|| now.plus_seconds(minutes.saturating_mul(60)));
        let change = sessions::authorized(login.session, &self.clock, move |db, teacher| {
            teacher.check_teacher()?;
            moderation::mute(db, account, until)?;
            let action = if until.is_some() { Action::Mute } else { Action::Unmute };
            moderation::log(db, Some(&teacher.username), action, (None, Some(account)), until, now)
        });
        self.store.write(change).await
    }

    /// Freezes throwing for everyone, or ends the freeze.
    pub async fn freeze(&self, login: &Login, frozen: bool) -> Result<()> {
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, teacher| {
            teacher.check_teacher()?;
            let action = if frozen { Action::Freeze } else { Action::Unfreeze };
            let name = Some(teacher.username.as_str());
            let is_changed = moderation::freeze(db, frozen)?;
            if is_changed {
                moderation::log(db, name, action, (None, None), None, now)?;
            }
            Ok(is_changed)
        });
        let events = self.events.clone();
        let publish = move |is_changed: &bool| {
            if *is_changed {
                events.publish(Event::Frozen(frozen));
            }
        };
        self.store.write_then(change, publish).await.map(drop)
    }

    /// Returns true if throwing is frozen.
    pub fn is_frozen(&self) -> Result<bool> {
        self.store.read(moderation::is_frozen)
    }

    /// Returns the freeze and the mutes that are in force.
    pub fn status(&self) -> Result<ModerationStatus> {
        let now = self.clock.now();
        self.store.read(|db| {
            Ok(ModerationStatus {
                frozen: moderation::is_frozen(db)?,
                muted: moderation::muted(db, now)?,
            })
        })
    }

    /// Passes the reported or hidden bottles to `show`, by id; see
    /// [`crate::domain::bottles::Bottles::created`].
    pub async fn cases(
        &self,
        filter: CaseFilter,
        page: PageRequest,
        show: impl FnMut(ReportedBottle) -> Result<usize>,
    ) -> Result<bool> {
        self.store.read_long(|db| moderation::cases(db, filter, page, show)).await
    }

    /// Passes the moderation log to `show`, newest first.
    pub async fn log(
        &self,
        page: PageRequest,
        show: impl FnMut(AuditEntry) -> Result<usize>,
    ) -> Result<bool> {
        self.store.read_long(|db| moderation::log_entries(db, page, show)).await
    }
}
