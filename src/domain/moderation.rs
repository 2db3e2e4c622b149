//! The rules of moderation: reports, hiding and freezing.

mod projector;

use std::sync::Arc;

use crate::domain::accounts::{Account, Login};
use crate::domain::conversations;
use crate::domain::events::{Event, EventBus};
use crate::domain::expiry::Expiry;
use crate::model::clock::{Clock, Timestamp};
use crate::model::error::{Error, Result, ThreadRule};
use crate::model::fields::Reason;
use crate::model::inbox::Kind;
use crate::model::live::{LiveSetting, LiveValues};
use crate::store::audit_log::{LogFilter, NewEntry, Target};
use crate::store::inbox::{self, NewItem};
use crate::store::map_bottle::MapBottle;
use crate::store::moderation::Moved;
use crate::store::pages::PageRequest;
use crate::store::replies::{self, Participants};
use crate::store::{
    self, Connection, Store, audit_log, moderation, outbox, reported_replies, sessions,
};

pub use crate::store::action::Action;
pub use crate::store::audit_log::AuditEntry;
pub use crate::store::moderation::{CaseFilter, Report, ReportOutcome, ReportedBottle};
pub use crate::store::projector::FirstWords;
pub use crate::store::reported_replies::ReportedReply;

/// The moderation of a store.
pub struct Moderation {
    store: Arc<Store>,
    clock: Clock,
    events: EventBus,
    expiry: Expiry,
    settings: LiveValues,
}

/// The freeze and the mutes that are in force.
#[derive(Debug)]
pub struct ModerationStatus {
    /// True if throwing is frozen.
    pub frozen: bool,
    /// True if teachers show the first words of new bottles.
    pub shows_messages: bool,
    /// The muted accounts, and the ends of their mutes.
    pub muted: Vec<(Account, Timestamp)>,
}

/// Logs that a bottle was hidden or shown, and informs its owner.
fn log_and_inform(
    db: &Connection,
    actor: Option<&str>,
    action: Action,
    bottle: &MapBottle,
    now: Timestamp,
) -> Result<()> {
    let target =
        Target { bottle: Some(bottle.id), account: Some(bottle.owner), ..Target::default() };
    audit_log::add(db, NewEntry { target, ..NewEntry::new(actor, action) }, now)?;
    let (user, kind) = (bottle.owner, kind(action));
    inbox::add(db, NewItem { user, kind, bottle: bottle.id, actor: None, reply: None }, now)
}

/// Logs that a reply was hidden or shown, and informs its author.
fn log_reply(
    db: &Connection,
    actor: Option<&str>,
    action: Action,
    reply: i64,
    Participants { thread, author, .. }: Participants,
    now: Timestamp,
) -> Result<()> {
    let (bottle, reply) = (thread.bottle, Some(reply));
    let target = Target { bottle: Some(bottle), reply, account: Some(author) };
    audit_log::add(db, NewEntry { target, ..NewEntry::new(actor, action) }, now)?;
    inbox::add(db, NewItem { user: author, kind: kind(action), bottle, actor: None, reply }, now)
}

/// Returns the kind of inbox item that informs of an action.
fn kind(action: Action) -> Kind {
    if action == Action::Hide { Kind::Hidden } else { Kind::Shown }
}

impl Moderation {
    /// Creates the moderation of `store`, which publishes changes of the sea on `events`.
    pub fn new(
        store: Arc<Store>,
        clock: Clock,
        events: EventBus,
        expiry: Expiry,
        settings: LiveValues,
    ) -> Self {
        Self { store, clock, events, expiry, settings }
    }

    /// Returns the number of reports that hide a bottle until a teacher decides; 0 hides none.
    fn reports_to_hide(&self) -> u32 {
        self.settings.get(LiveSetting::ReportsToHide)
    }

    /// Reports a bottle. With enough reports by different accounts, it is hidden until a teacher
    /// decides.
    pub async fn report(
        &self,
        login: &Login,
        bottle: i64,
        reason: Reason,
    ) -> Result<ReportOutcome> {
        self.expiry.end_due().await;
        let (now, threshold) = (self.clock.now(), self.reports_to_hide());
        let change = sessions::authorized(login.session, &self.clock, move |db, reporter| {
            let state = moderation::report(db, bottle, &reporter, &reason, now)?;
            let is_hidden = threshold > 0 && state.open >= i64::from(threshold);
            if state.outcome == ReportOutcome::Stored {
                let reports = state.open;
                let event = outbox::Event::BottleReported { bottle, reports, is_hidden };
                outbox::add(db, event, now)?;
            }
            if !is_hidden {
                return Ok((None, state.outcome));
            }
            let hidden = moderation::set_hidden(db, bottle, Some(now))?;
            if let Some(hidden) = &hidden {
                log_and_inform(db, None, Action::Hide, &hidden.bottle, now)?;
            }
            Ok((hidden, state.outcome))
        });
        let publish = self.publish(true);
        let reported = self.store.write_then(change, move |(hidden, _)| publish(hidden)).await;
        reported.map(|(_, outcome)| outcome)
    }

    /// Hides a bottle or shows it again, and settles its reports.
    pub async fn set_hidden(&self, login: &Login, bottle: i64, hidden: bool) -> Result<()> {
        self.expiry.end_due().await;
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, teacher| {
            teacher.check_teacher()?;
            let changed = moderation::set_hidden(db, bottle, hidden.then_some(now))?;
            moderation::settle(db, bottle, now)?;
            if let Some(changed) = &changed {
                let action = if hidden { Action::Hide } else { Action::Show };
                log_and_inform(db, Some(&teacher.username), action, &changed.bottle, now)?;
            }
            Ok(changed)
        });
        self.store.write_then(change, self.publish(hidden)).await.map(drop)
    }

    /// Returns the callback that publishes, after the commit, which bottle was hidden or shown.
    fn publish(&self, hidden: bool) -> impl FnOnce(&Option<Moved>) + Send + 'static {
        let events = self.events.clone();
        move |changed| {
            let Some(Moved { bottle, has_ended }) = changed else { return };
            match hidden {
                _ if *has_ended => {}
                true => events.publish(Event::Hidden(bottle.id, bottle.position)),
                false => events.publish(Event::Thrown(bottle.clone())),
            }
            events.publish_inbox(bottle.owner);
        }
    }

    /// Reports a reply of the other side. With enough reports, it is hidden until a teacher
    /// decides.
    pub async fn report_reply(
        &self,
        login: &Login,
        id: i64,
        reason: Reason,
    ) -> Result<ReportOutcome> {
        self.expiry.end_due().await;
        let (now, threshold) = (self.clock.now(), self.reports_to_hide());
        let change = sessions::authorized(login.session, &self.clock, move |db, reporter| {
            let (participants, _) = conversations::visible(db, id, reporter.id)?;
            if participants.author == reporter.id {
                return Err(Error::Thread(ThreadRule::OwnReply));
            }
            let state = reported_replies::report(db, id, reporter.id, &reason, now)?;
            let is_hidden = threshold > 0 && state.open >= i64::from(threshold);
            if state.outcome == ReportOutcome::Stored {
                let (bottle, reports) = (participants.thread.bottle, state.open);
                let event = outbox::Event::ReplyReported { reply: id, bottle, reports, is_hidden };
                outbox::add(db, event, now)?;
            }
            if is_hidden {
                reported_replies::set_hidden(db, id, Some(now))?;
                log_reply(db, None, Action::Hide, id, participants, now)?;
            }
            Ok((participants, state.outcome))
        });
        let publish = self.publish_reply();
        let reported =
            self.store.write_then(change, move |(participants, _)| publish(participants)).await;
        reported.map(|(_, outcome)| outcome)
    }

    /// Hides a reply or shows it again, and settles its reports.
    pub async fn set_reply_hidden(&self, login: &Login, id: i64, hidden: bool) -> Result<()> {
        self.expiry.end_due().await;
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, teacher| {
            teacher.check_teacher()?;
            let participants = replies::participants(db, id)?;
            reported_replies::settle(db, id, now)?;
            if reported_replies::set_hidden(db, id, hidden.then_some(now))? {
                let action = if hidden { Action::Hide } else { Action::Show };
                log_reply(db, Some(&teacher.username), action, id, participants, now)?;
            }
            Ok(participants)
        });
        self.store.write_then(change, self.publish_reply()).await.map(drop)
    }

    /// Returns the callback that publishes, after the commit, that a thread has changed.
    fn publish_reply(&self) -> impl FnOnce(&Participants) + Send + 'static {
        let events = self.events.clone();
        move |participants| {
            events.publish_threads([participants.owner, participants.thread.opener]);
        }
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
                audit_log::add(db, NewEntry::new(name, action), now)?;
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
                shows_messages: store::projector::shows_messages(db)?,
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
        self.expiry.end_due().await;
        self.store.read_long(|db| moderation::cases(db, filter, page, show)).await
    }

    /// Passes the moderation log to `show`, newest first.
    pub async fn log(
        &self,
        page: PageRequest,
        show: impl FnMut(AuditEntry) -> Result<usize>,
    ) -> Result<bool> {
        let filter = LogFilter { is_moderation: true, ..LogFilter::default() };
        self.store.read_long(|db| audit_log::list(db, &filter, page, show)).await
    }
}
