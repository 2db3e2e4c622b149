//! The rules of moderation: reports, hiding, muting and freezing.

use std::sync::Arc;

use crate::domain::accounts::{Account, Login};
use crate::domain::events::{Event, EventBus};
use crate::model::clock::{Clock, Timestamp};
use crate::model::error::Result;
use crate::model::fields::Reason;
use crate::store::bottles::MapBottle;
use crate::store::pages::PageRequest;
use crate::store::{Store, moderation, sessions};

pub use crate::store::action::Action;
pub use crate::store::moderation::{AuditEntry, CaseFilter, Report, ReportedBottle};

/// The moderation of a store.
pub struct Moderation {
    store: Arc<Store>,
    clock: Clock,
    live: EventBus,
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
    /// Creates the moderation of `store`, which publishes changes of the sea on `live`.
    pub fn new(store: Arc<Store>, clock: Clock, live: EventBus, reports_to_hide: u32) -> Self {
        Self { store, clock, live, reports_to_hide }
    }

    /// Reports a bottle. With enough reports by different accounts, it is hidden until a teacher
    /// decides.
    pub async fn report(&self, login: &Login, bottle: i64, reason: Reason) -> Result<()> {
        let (now, enough) = (self.clock.now(), self.reports_to_hide);
        let change = sessions::authorized(login.session, &self.clock, move |db, reporter| {
            let open = moderation::report(db, bottle, reporter.id, &reason, now)?;
            if enough == 0 || open < i64::from(enough) {
                return Ok(None);
            }
            let hidden = moderation::set_hidden(db, bottle, Some(now))?;
            if let Some(spot) = &hidden {
                let whose = (Some(bottle), Some(spot.owner));
                moderation::log(db, None, Action::Hide, whose, None, now)?;
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
            if let Some(spot) = &changed {
                let action = if hidden { Action::Hide } else { Action::Show };
                let whose = (Some(bottle), Some(spot.owner));
                moderation::log(db, Some(&teacher.username), action, whose, None, now)?;
            }
            Ok(changed)
        });
        self.store.write_then(change, self.publish(hidden)).await.map(drop)
    }

    /// Returns the callback that publishes, after the commit, which bottle was hidden or shown.
    fn publish(&self, hidden: bool) -> impl FnOnce(&Option<MapBottle>) + Send + 'static {
        let live = self.live.clone();
        move |changed| match changed {
            Some(spot) if hidden => live.publish(Event::Hidden(spot.id, spot.position)),
            Some(spot) => live.publish(Event::Thrown(spot.clone())),
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
            match moderation::freeze(db, frozen)? {
                true => moderation::log(db, name, action, (None, None), None, now),
                false => Ok(()),
            }
        });
        self.store.write(change).await
    }

    /// Returns the freeze and the mutes that are in force.
    pub fn standing(&self) -> Result<ModerationStatus> {
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
        which: CaseFilter,
        page: PageRequest,
        show: impl FnMut(ReportedBottle) -> Result<usize>,
    ) -> Result<bool> {
        self.store.read_long(|db| moderation::cases(db, which, page, show)).await
    }

    /// Passes the moderation log to `show`, newest first.
    pub async fn log(
        &self,
        page: PageRequest,
        show: impl FnMut(AuditEntry) -> Result<usize>,
    ) -> Result<bool> {
        self.store.read_long(|db| moderation::entries(db, page, show)).await
    }
}
