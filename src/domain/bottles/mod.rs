//! The rules of throwing, seeing and opening bottles.

mod nearby;

use std::sync::Arc;

use crate::domain::accounts::{Account, Login};
use crate::domain::events::{Event, EventBus};
use crate::model::clock::Clock;
use crate::model::error::Result;
use crate::model::geo::{Position, Rectangle};
use crate::store::cells::{self, LEVELS};
use crate::store::{Store, bottles, moderation, openings, past_openings, sessions};

pub use crate::store::bottles::{Bottle, MapBottle, NewBottle};
pub use crate::store::cells::{Cell, Grid};
pub use crate::store::nearby::MapBottleRef;
pub use crate::store::openings::{Opened, Opener};
pub use crate::store::pages::{MAX_PAGE_BYTES, PageRequest};
pub use nearby::{NearbyQuery, NearbyResult};

/// The longest list that one answer carries.
pub const MAX_LIST: u32 = 10_000;

/// All bottles. A clone is the same.
#[derive(Clone)]
pub struct Bottles {
    store: Arc<Store>,
    clock: Clock,
    live: EventBus,
}

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

    /// Counts the bottles in each cell that the rectangle touches.
    ///
    /// The cells suit a map at `zoom`, but are no finer than `grid` allows, and never so fine that the
    /// list grows long.
    pub fn counts(&self, rectangle: &Rectangle, zoom: u8, grid: Grid) -> Result<Counts> {
        let max_level =
            zoom.saturating_add(2).min(grid.finest_level()).min(nearby::finest_level(rectangle));
        let level = LEVELS.into_iter().rfind(|level| *level <= max_level).unwrap_or(LEVELS[0]);
        let cells = self.store.read(|db| cells::touched(db, rectangle, level, grid))?;
        Ok(Counts { cell_size: cells::size(level), cells })
    }

    /// Shows `show` what `owner` threw, oldest first, until the page is full; whether there are more. `show`
    /// returns how many bytes a bottle takes in the answer: a page is full at [`MAX_PAGE_BYTES`] too.
    pub async fn created(
        &self,
        owner: &Account,
        page: PageRequest,
        show: impl FnMut(Bottle) -> Result<usize>,
    ) -> Result<bool> {
        self.store.read_long(|db| bottles::created(db, owner.id, page, show)).await
    }

    /// Shows `show` what `opener` opened, in the order of opening.
    pub async fn opened(
        &self,
        opener: &Account,
        page: PageRequest,
        show: impl FnMut(Opened) -> Result<usize>,
    ) -> Result<bool> {
        self.store.read_long(|db| openings::opened(db, opener.id, page, show)).await
    }

    /// Opens a bottle. Only the first opening by another than the owner is recorded.
    pub async fn open(&self, login: &Login, id: i64) -> Result<Opened> {
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, opener| {
            openings::open(db, id, opener.id, now)
        });
        let live = self.live.clone();
        let publish = move |(Opened { bottle, .. }, recorded): &(Opened, bool)| {
            if *recorded {
                live.publish(Event::Opened(id, bottle.position, bottle.openers_count));
            }
        };
        self.store.write_then(change, publish).await.map(|(opened, _)| opened)
    }

    /// Clears away what is kept of openings that have been gone for a day; see [`past_openings`].
    pub async fn clear_past_openings(&self) -> Result<()> {
        let now = self.clock.now();
        if self.store.read(|db| past_openings::any_old(db, now))? {
            self.store.write(move |db| past_openings::clear(db, now)).await?;
        }
        Ok(())
    }

    /// Fails unless the bottle exists and is `owner`'s. [`Error::NoSuchBottle`] if it is hidden and
    /// another's: only its owner learns that there is one.
    pub fn check_owner(&self, id: i64, owner: &Account) -> Result<()> {
        self.store.read(|db| bottles::check_owner(db, id, owner.id))
    }

    /// Shows `show` who opened the bottle, in the order of opening; how many they are in all, and whether
    /// there are more after the page.
    pub async fn openers(
        &self,
        id: i64,
        page: PageRequest,
        show: impl FnMut(Opener) -> Result<usize>,
    ) -> Result<(i64, bool)> {
        let openers = self.store.read_long(|db| {
            Ok((openings::openers_count(db, id)?, openings::openers(db, id, page, show)?))
        });
        openers.await
    }
}
