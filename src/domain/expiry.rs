//! Ends bottles at their time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::events::{Event, EventBus};
use crate::model::clock::{Clock, Timestamp};
use crate::model::inbox::Kind;
use crate::store::expiry::{self, Ended};
use crate::store::inbox::{self, NewItem};
use crate::store::{Connection, Store};

/// Ends the bottles whose time has come, before a request could see them. Clones share their state.
///
/// A comparison with the time at which the next bottle ends costs almost nothing, so every request
/// about bottles makes it, and no query has a condition for the time.
#[derive(Clone)]
pub struct Expiry {
    store: Arc<Store>,
    clock: Clock,
    events: EventBus,
    /// The time at which the next bottle ends, in milliseconds. It may be too early.
    next_ms: Arc<AtomicI64>,
}

impl Expiry {
    /// Creates the expiry of the bottles in `store`.
    pub fn new(store: Arc<Store>, clock: Clock, events: EventBus) -> Self {
        Self { store, clock, events, next_ms: Arc::new(AtomicI64::new(i64::MIN)) }
    }

    /// Returns the callback for changes by another process: the next request looks up again which
    /// bottle ends next. It does not keep the store open.
    pub fn invalidate(&self) -> impl Fn() + Send + Sync + 'static {
        let next_ms = Arc::clone(&self.next_ms);
        move || next_ms.store(i64::MIN, Ordering::Relaxed)
    }

    /// Returns the callback for the commit of a bottle that ends at this time.
    pub(super) fn note(&self, expires_at: Option<Timestamp>) -> impl FnOnce() + Send + 'static {
        let next_ms = Arc::clone(&self.next_ms);
        move || {
            if let Some(expires_at) = expires_at {
                next_ms.fetch_min(expires_at.millis(), Ordering::Relaxed);
            }
        }
    }

    /// Returns true if a bottle may have to end now.
    fn is_due(&self) -> bool {
        let next_ms = self.next_ms.load(Ordering::Relaxed);
        // A standby's bottles end at its primary.
        next_ms != i64::MAX
            && next_ms <= self.clock.now().millis()
            && self.store.primary_url().is_none()
    }

    /// Returns true if the next bottle that ends is unknown after a change by another process, and a look
    /// finds none whose time has come. The look needs no lock, which that process may hold for long; it is
    /// not kept, because a bottle may be thrown meanwhile.
    fn is_later(&self) -> bool {
        let now = self.clock.now();
        let is_unknown = self.next_ms.load(Ordering::Relaxed) == i64::MIN;
        let next = || self.store.read_one(expiry::next);
        is_unknown && next().is_ok_and(|next| next.is_none_or(|next| next > now))
    }

    /// Ends the bottles whose time has come. If the store cannot be written, logs that: the bottles
    /// then stay on the sea until the next attempt.
    pub async fn end_due(&self) {
        if self.is_due() && !self.is_later() {
            self.settle().await;
        }
    }

    /// Ends the bottles whose time has come, as [`Expiry::end_due`] does, and finds out which one ends
    /// next if that is unknown. To be called every second.
    pub async fn settle(&self) {
        while self.is_due() {
            let now = self.clock.now();
            let (events, next_ms) = (self.events.clone(), Arc::clone(&self.next_ms));
            // In the order of commits, so that a bottle thrown meanwhile is not missed.
            let publish = move |(ended, next): &(Vec<Ended>, Option<Timestamp>)| {
                next_ms.store(next.map_or(i64::MAX, Timestamp::millis), Ordering::Relaxed);
                for ended in ended {
                    if !ended.was_hidden {
                        events.publish(Event::Hidden(ended.id, ended.position));
                    }
                    events.publish_inbox(ended.owner);
                }
            };
            if let Err(e) = self.store.write_then(move |db| end_due(db, now), publish).await {
                tracing::warn!("cannot end bottles: {e}; trying again at the next request");
                return;
            }
        }
    }
}

/// Ends the bottles whose time has come and informs their owners. Returns the time of the next one.
fn end_due(
    db: &Connection,
    now: Timestamp,
) -> crate::model::error::Result<(Vec<Ended>, Option<Timestamp>)> {
    let ended = expiry::end_due(db, now)?;
    for Ended { id, owner, .. } in &ended {
        let item =
            NewItem { user: *owner, kind: Kind::Expired, bottle: *id, actor: None, reply: None };
        inbox::add(db, item, now)?;
    }
    Ok((ended, expiry::next(db)?))
}
