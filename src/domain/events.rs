//! Events of the sea, published to all subscribers after the commit. A change never waits for a
//! subscriber.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};

use crate::model::error::{Error, Result};
use crate::model::geo::{Position, Rectangle};
use crate::store::map_bottle::MapBottle;

/// The number of events that are kept for subscribers that reconnect or are slow. A subscriber that
/// has missed more is reset.
const MAX_RECENT: usize = 1024;

/// A change of the sea.
#[derive(Clone, Debug)]
pub enum Event {
    /// A bottle is on the sea: it was thrown, or is shown again.
    Thrown(MapBottle),
    /// A bottle was opened: its id, its position, and the new number of openers.
    Opened(i64, Position, i64),
    /// A bottle was deleted or hidden: its id and position.
    Hidden(i64, Position),
    /// Throwing was frozen (true) or the freeze ended (false).
    Frozen(bool),
    /// Too many changes for single events: an account was deleted with its bottles, or another
    /// process changed the file.
    Reset,
}

impl Event {
    fn concerns(&self, rectangle: &Rectangle) -> bool {
        match self {
            Self::Thrown(bottle) => rectangle.contains(bottle.position),
            Self::Opened(_, position, _) | Self::Hidden(_, position) => {
                rectangle.contains(*position)
            }
            Self::Frozen(_) | Self::Reset => true,
        }
    }
}

/// An event with its sequence number.
#[derive(Clone, Debug)]
pub struct SequencedEvent {
    /// The sequence number, which grows by 1 with each event.
    pub number: u64,
    /// The event.
    pub event: Event,
}

/// Publishes events to subscribers. Clones share their subscribers.
#[derive(Clone)]
pub struct EventBus(Arc<Shared>);

struct Shared {
    sender: broadcast::Sender<Arc<SequencedEvent>>,
    recent: Mutex<Recent>,
    /// The subscribed inboxes by account, with the number of changes of the account's threads.
    inboxes: Mutex<HashMap<i64, watch::Sender<u64>>>,
    permits: Arc<Semaphore>,
    max_subscribers: usize,
    /// Identifies this start of the server: sequence numbers begin again with each start.
    start: String,
}

#[derive(Default)]
struct Recent {
    last: u64,
    events: VecDeque<Arc<SequencedEvent>>,
}

impl EventBus {
    /// Creates a bus for at most `max_subscribers` subscribers.
    pub fn new(max_subscribers: usize) -> Self {
        let (sender, _) = broadcast::channel(MAX_RECENT);
        let max_subscribers = max_subscribers.min(Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(max_subscribers));
        let start = format!("{:08x}", rand::random::<u32>());
        let (recent, inboxes) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Shared { sender, recent, inboxes, permits, max_subscribers, start }))
    }

    /// Publishes an event to all subscribers.
    pub fn publish(&self, event: Event) {
        if matches!(event, Event::Reset) {
            self.inboxes().values().for_each(count_thread_change);
        }
        let mut recent = self.recent();
        recent.last += 1;
        let sequenced = Arc::new(SequencedEvent { number: recent.last, event });
        recent.events.push_back(Arc::clone(&sequenced));
        if recent.events.len() > MAX_RECENT {
            recent.events.pop_front();
        }
        // Sent under the lock, so that all subscribers see the same order. Fails without
        // subscribers.
        let _ = self.0.sender.send(sequenced);
    }

    /// Subscribes to the events in the rectangle, from the one after the id `last` on, or from now
    /// on. Returns [`Error::Unavailable`] if there are too many subscribers.
    pub fn subscribe(&self, rectangle: Rectangle, last: Option<&str>) -> Result<Subscription> {
        let permit = self.permit()?;
        let recent = self.recent();
        let receiver = self.0.sender.subscribe();
        let missed = last.map(|id| self.missed(&recent, id));
        Ok(Subscription {
            rectangle,
            receiver,
            needs_reset: matches!(missed, Some(None)),
            missed: missed.flatten().unwrap_or_default(),
            _permit: permit,
        })
    }

    /// Publishes that the inbox of an account has changed.
    pub fn publish_inbox(&self, account: i64) {
        if let Some(inbox) = self.inboxes().get(&account) {
            inbox.send_modify(|_| {});
        }
    }

    /// Publishes that a thread of these accounts has changed, and perhaps their inboxes.
    pub fn publish_threads(&self, accounts: [i64; 2]) {
        let inboxes = self.inboxes();
        accounts.iter().filter_map(|account| inboxes.get(account)).for_each(count_thread_change);
    }

    /// Subscribes to changes of the inbox and the threads of an account. Returns [`Error::Unavailable`] if there are
    /// too many subscribers.
    pub fn subscribe_inbox(&self, account: i64) -> Result<InboxSubscription> {
        let permit = self.permit()?;
        let mut inboxes = self.inboxes();
        inboxes.retain(|_, inbox| inbox.receiver_count() > 0);
        let changes = inboxes.entry(account).or_insert_with(|| watch::Sender::new(0)).subscribe();
        let thread_changes = *changes.borrow();
        Ok(InboxSubscription { changes, thread_changes, _permit: permit })
    }

    /// Returns the number of subscribers, of events and of inboxes, and how many there may be.
    pub fn subscribers(&self) -> (usize, usize) {
        let max = self.0.max_subscribers;
        (max - self.0.permits.available_permits(), max)
    }

    fn permit(&self) -> Result<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.0.permits).try_acquire_owned();
        permit.map_err(|_| Error::Unavailable("too many event streams are open".into()))
    }

    fn inboxes(&self) -> MutexGuard<'_, HashMap<i64, watch::Sender<u64>>> {
        self.0.inboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the id of an event in the event stream.
    pub fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.0.start)
    }

    /// Returns the events after the one with this id; `None` if some of them are no longer kept.
    fn missed(&self, recent: &Recent, id: &str) -> Option<VecDeque<Arc<SequencedEvent>>> {
        let (start, number) = id.rsplit_once('-')?;
        let number: u64 = number.parse().ok().filter(|_| start == self.0.start)?;
        let oldest = recent.events.front().map_or(recent.last + 1, |oldest| oldest.number);
        let is_kept = (oldest..=recent.last + 1).contains(&(number + 1));
        is_kept.then(|| recent.events.iter().filter(|e| e.number > number).cloned().collect())
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count_thread_change(inbox: &watch::Sender<u64>) {
    inbox.send_modify(|changes| *changes = changes.wrapping_add(1));
}

/// A subscription to the changes of an inbox and its account's threads. Dropping it makes room for
/// another.
pub struct InboxSubscription {
    changes: watch::Receiver<u64>,
    thread_changes: u64,
    _permit: OwnedSemaphorePermit,
}

impl InboxSubscription {
    /// Waits for a change since the last call. Returns true if a thread has changed.
    pub async fn changed(&mut self) -> bool {
        if self.changes.changed().await.is_err() {
            // The sender lives as long as its receivers.
            std::future::pending::<()>().await;
        }
        let earlier =
            std::mem::replace(&mut self.thread_changes, *self.changes.borrow_and_update());
        earlier != self.thread_changes
    }
}

/// A subscription to the events in a rectangle. Dropping it makes room for another.
pub struct Subscription {
    rectangle: Rectangle,
    receiver: broadcast::Receiver<Arc<SequencedEvent>>,
    missed: VecDeque<Arc<SequencedEvent>>,
    needs_reset: bool,
    _permit: OwnedSemaphorePermit,
}

impl Subscription {
    /// Returns true if it requested events that are no longer kept: the subscriber's state is
    /// stale.
    pub fn needs_reset(&self) -> bool {
        self.needs_reset
    }

    /// Waits for the next event in the rectangle. Returns `None` if the subscriber has fallen
    /// 1,024 events behind.
    pub async fn next(&mut self) -> Option<Arc<SequencedEvent>> {
        loop {
            let next = match self.missed.pop_front() {
                Some(missed) => missed,
                None => match self.receiver.recv().await {
                    Ok(next) => next,
                    Err(RecvError::Lagged(_) | RecvError::Closed) => return None,
                },
            };
            if next.event.concerns(&self.rectangle) {
                return Some(next);
            }
        }
    }
}
