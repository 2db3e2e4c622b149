//! What happens on the sea, told at once to whoever looks: after a commit, and never so that a change
//! waits for a listener.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

use crate::model::error::{Error, Result};
use crate::model::geo::{Position, Rectangle};
use crate::store::bottles::MapBottle;

/// So many events are kept for listeners that come back, or that are slow. Whoever missed more begins
/// anew.
const KEPT: usize = 1024;

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A bottle is on the sea: it was thrown, or is shown again.
    Thrown(MapBottle),
    /// So many have opened a bottle now.
    Opened(i64, Position, i64),
    /// A bottle is not on the sea any more.
    Hidden(i64, Position),
    /// More has changed than is worth telling one by one: an account went, with all its bottles, or
    /// another process wrote to the file.
    Reset,
}

impl Event {
    fn concerns(&self, rectangle: &Rectangle) -> bool {
        match self {
            Self::Thrown(spot) => rectangle.holds(spot.position),
            Self::Opened(_, position, _) | Self::Hidden(_, position) => rectangle.holds(*position),
            Self::Reset => true,
        }
    }
}

/// An event with its number, which grows by one from event to event.
#[derive(Clone, Debug)]
pub struct SequencedEvent {
    /// Its place in the order.
    pub number: u64,
    /// What happened.
    pub event: Event,
}

/// Tells what happens. A clone is the same.
#[derive(Clone)]
pub struct EventBus(Arc<Hub>);

struct Hub {
    sender: broadcast::Sender<Arc<SequencedEvent>>,
    recent: Mutex<Recent>,
    places: Arc<Semaphore>,
    /// Numbers begin anew with each start: this tells one start from another.
    start: String,
}

#[derive(Default)]
struct Recent {
    last: u64,
    events: VecDeque<Arc<SequencedEvent>>,
}

impl EventBus {
    /// For at most so many listeners.
    pub fn new(listeners_most: usize) -> Self {
        let (sender, _) = broadcast::channel(KEPT);
        let places = Arc::new(Semaphore::new(listeners_most.min(Semaphore::MAX_PERMITS)));
        let start = format!("{:08x}", rand::random::<u32>());
        Self(Arc::new(Hub { sender, recent: Mutex::default(), places, start }))
    }

    /// Tells all listeners that something happened.
    pub fn publish(&self, event: Event) {
        let mut recent = self.recent();
        recent.last += 1;
        let numbered = Arc::new(SequencedEvent { number: recent.last, event });
        recent.events.push_back(Arc::clone(&numbered));
        if recent.events.len() > KEPT {
            recent.events.pop_front();
        }
        // Sent under the lock, so that the order is one. Nobody may be listening.
        let _ = self.0.sender.send(numbered);
    }

    /// Listens to what happens in the rectangle, from the event after `last` on, or from now on.
    /// [`Error::Unavailable`] if too many listen.
    pub fn subscribe(&self, rectangle: Rectangle, last: Option<&str>) -> Result<Subscription> {
        let place = Arc::clone(&self.0.places).try_acquire_owned();
        let place = place.map_err(|_| Error::Unavailable("too many listen".into()))?;
        let recent = self.recent();
        let receiver = self.0.sender.subscribe();
        let missed = last.map(|id| self.missed(&recent, id));
        Ok(Subscription {
            rectangle,
            receiver,
            needs_reset: matches!(missed, Some(None)),
            missed: missed.flatten().unwrap_or_default(),
            _place: place,
        })
    }

    /// What an event is called on the wire.
    pub fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.0.start)
    }

    /// The events after the one called `id`, unless some of them are kept no more.
    fn missed(&self, recent: &Recent, id: &str) -> Option<VecDeque<Arc<SequencedEvent>>> {
        let (start, number) = id.rsplit_once('-')?;
        let number: u64 = number.parse().ok().filter(|_| start == self.0.start)?;
        let oldest = recent.events.front().map_or(recent.last + 1, |oldest| oldest.number);
        let known = (oldest..=recent.last + 1).contains(&(number + 1));
        known.then(|| recent.events.iter().filter(|e| e.number > number).cloned().collect())
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Someone who listens.
pub struct Subscription {
    rectangle: Rectangle,
    receiver: broadcast::Receiver<Arc<SequencedEvent>>,
    missed: VecDeque<Arc<SequencedEvent>>,
    needs_reset: bool,
    _place: OwnedSemaphorePermit,
}

impl Subscription {
    /// Whether it asked for more than is kept: what it knows of the sea is out of date.
    pub fn needs_reset(&self) -> bool {
        self.needs_reset
    }

    /// The next event in the rectangle; `None` once the listener has fallen too far behind.
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
