//! The rules of throwing, seeing and opening bottles.

mod nearby;

use std::sync::Arc;

use crate::domain::accounts::{Account, Login};
use crate::domain::events::{Event, EventBus};
use crate::model::clock::Clock;
use crate::model::error::Result;
use crate::model::geo::{Position, Rectangle};
use crate::store::cells::{self, LEVELS};
use crate::store::{Store, bottles, moderation, sessions};

pub use crate::store::bottles::{Bottle, MapBottle, NewBottle, Opened, Opener, PageRequest};
pub use crate::store::cells::Cell;
pub use crate::store::nearby::MapBottleRef;
pub use nearby::{NearbyQuery, NearbyResult};

/// The longest list that one answer carries.
pub const MAX_LIST: u32 = 10_000;

/// All bottles.
pub struct Bottles {
    store: Arc<Store>,
    clock: Clock,
    live: EventBus,
}

/// A part of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The part asked for.
    pub items: Vec<T>,
    /// Whether there are more after it.
    pub more: bool,
}

/// The finest cells for those who are not logged in: about 10 km.
pub const PUBLIC_LEVEL: u8 = 12;
/// The finest cells there are.
pub const FINEST_LEVEL: u8 = 14;

/// Bottles counted by cell.
#[derive(Debug)]
pub struct Counts {
    /// The width and height of a cell, in degrees.
    pub cell_size: f64,
    /// The cells that are not empty.
    pub cells: Vec<Cell>,
}

impl Bottles {
    /// The bottles in `store`.
    pub fn new(store: Arc<Store>, clock: Clock) -> Self {
        Self { store, clock, live: EventBus::new(0) }
    }

    /// The same, where what changes on the sea is told to `live`.
    pub fn with_events(self, live: EventBus) -> Self {
        Self { live, ..self }
    }

    /// Throws a bottle. [`Error::Muted`] or [`Error::Frozen`] if that may not be now.
    pub async fn throw(&self, login: &Login, new: NewBottle) -> Result<Bottle> {
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, owner| {
            moderation::ensure_can_throw(db, owner.id, now)?;
            bottles::insert(db, owner.id, &new, now)
        });
        let (live, owner) = (self.live.clone(), login.account.id);
        let publish =
            move |bottle: &Bottle| live.publish(Event::Thrown(MapBottle::of(bottle, owner)));
        self.store.write_then(change, publish).await
    }

    /// Deletes one's own bottle with its openings.
    pub async fn delete(&self, login: &Login, id: i64) -> Result<()> {
        let change = sessions::authorized(login.session, &self.clock, move |db, owner| {
            bottles::check_owner(db, id, owner.id)?;
            bottles::delete(db, id)
        });
        let live = self.live.clone();
        let publish = move |on_sea: &Option<Position>| {
            if let Some(position) = on_sea {
                live.publish(Event::Hidden(id, *position));
            }
        };
        self.store.write_then(change, publish).await.map(drop)
    }

    /// How many bottles lie in each cell that the rectangle touches, in cells as fine as suits a map
    /// at `zoom`, but no finer than `finest` and never so fine that the answer grows long.
    pub fn counts(&self, rectangle: &Rectangle, zoom: u8, finest: u8) -> Result<Counts> {
        let most = zoom.saturating_add(2).min(finest).min(nearby::finest_level(rectangle));
        let level = LEVELS.into_iter().rfind(|level| *level <= most).unwrap_or(LEVELS[0]);
        let cells = self.store.read(|db| cells::touched(db, rectangle, level))?;
        Ok(Counts { cell_size: cells::size(level), cells })
    }

    /// What `owner` threw, oldest first.
    pub fn created(&self, owner: &Account, page: PageRequest) -> Result<Page<Bottle>> {
        listed(page, |page| self.store.read_long(|db| bottles::created(db, owner.id, page)))
    }

    /// What `opener` opened, in the order of opening.
    pub fn opened(&self, opener: &Account, page: PageRequest) -> Result<Page<Opened>> {
        listed(page, |page| self.store.read_long(|db| bottles::opened(db, opener.id, page)))
    }

    /// Opens a bottle. Only the first opening by another than the owner is recorded.
    pub async fn open(&self, login: &Login, id: i64) -> Result<Opened> {
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, opener| {
            bottles::open(db, id, opener.id, now)
        });
        let live = self.live.clone();
        let publish = move |(Opened { bottle, .. }, recorded): &(Opened, bool)| {
            if *recorded {
                live.publish(Event::Opened(id, bottle.position, bottle.openers_count));
            }
        };
        self.store.write_then(change, publish).await.map(|(opened, _)| opened)
    }

    /// Fails unless the bottle exists and is `owner`'s. [`Error::NoSuchBottle`] if it is hidden and
    /// another's: only its owner learns that there is one.
    pub fn check_owner(&self, id: i64, owner: &Account) -> Result<()> {
        self.store.read(|db| bottles::check_owner(db, id, owner.id))
    }

    /// Who opened the bottle, in the order of opening, and how many they are in all.
    pub fn openers(&self, id: i64, page: PageRequest) -> Result<(i64, Page<Opener>)> {
        self.store.read_long(|db| {
            let openers = listed(page, |page| bottles::openers(db, id, page))?;
            Ok((bottles::openers_count(db, id)?, openers))
        })
    }
}

/// Asks for one item more than wanted, which tells whether there are more.
pub(crate) fn listed<T>(
    page: PageRequest,
    query: impl FnOnce(PageRequest) -> Result<Vec<T>>,
) -> Result<Page<T>> {
    let mut items = query(PageRequest { limit: page.limit + 1, ..page })?;
    let more = items.len() > page.limit as usize;
    items.truncate(page.limit as usize);
    Ok(Page { items, more })
}
