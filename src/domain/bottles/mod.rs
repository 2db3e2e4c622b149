//! The rules of throwing, listing and opening bottles.

mod nearby;

use std::sync::Arc;

use crate::domain::accounts::{Account, Login};
use crate::domain::events::{Event, EventBus};
use crate::model::clock::Clock;
use crate::model::error::Result;
use crate::model::geo::{Position, Rectangle};
use crate::store::cells::{self, LEVELS};
use crate::store::{Store, bottles, moderation, openings, past_openings, sessions};

pub use crate::store::bottles::{Bottle, NewBottle};
pub use crate::store::cells::{Cell, Grid};
pub use crate::store::map_bottle::{MapBottle, MapBottleRef};
pub use crate::store::openings::{Opened, Opener};
pub use crate::store::pages::{MAX_PAGE_BYTES, PageRequest};
pub use nearby::{NearbyQuery, NearbyResult};

/// The maximum number of items in a response.
pub const MAX_LIST: u32 = 10_000;

/// The bottles of a store. Clones share their state.
#[derive(Clone)]
pub struct Bottles {
    store: Arc<Store>,
    clock: Clock,
    events: EventBus,
}

/// The number of bottles per cell.
#[derive(Debug)]
pub struct Counts {
    /// The width and height of a cell, in degrees.
    pub cell_size: f64,
    /// The cells that are not empty.
    pub cells: Vec<Cell>,
}

impl Bottles {
    /// Creates the bottles of `store`, which publish changes of the sea on `events`.
    pub fn new(store: Arc<Store>, clock: Clock, events: EventBus) -> Self {
        Self { store, clock, events }
    }

    /// Throws a bottle. Returns [`Error::Muted`] or [`Error::Frozen`] if the account may not throw
    /// now.
    ///
    /// [`Error::Muted`]: crate::model::error::Error::Muted
    /// [`Error::Frozen`]: crate::model::error::Error::Frozen
    pub async fn throw(&self, login: &Login, new: NewBottle) -> Result<Bottle> {
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, owner| {
            moderation::ensure_can_throw(db, owner.id, now)?;
            bottles::insert(db, owner.id, &new, now)
        });
        let (events, owner) = (self.events.clone(), login.account.id);
        let publish =
            move |bottle: &Bottle| events.publish(Event::Thrown(MapBottle::of(bottle, owner)));
        self.store.write_then(change, publish).await
    }

    /// Deletes a bottle of the account, with its openings and reports.
    pub async fn delete(&self, login: &Login, id: i64) -> Result<()> {
        let change = sessions::authorized(login.session, &self.clock, move |db, owner| {
            bottles::check_owner(db, id, owner.id)?;
            bottles::delete(db, id)
        });
        let events = self.events.clone();
        let publish = move |on_sea: &Option<Position>| {
            if let Some(position) = on_sea {
                events.publish(Event::Hidden(id, *position));
            }
        };
        self.store.write_then(change, publish).await.map(drop)
    }

    /// Counts the bottles in each cell that the rectangle touches.
    ///
    /// The size of the cells suits a map at `zoom`, but is no finer than `grid` allows, nor so fine
    /// that the rectangle has more than 4,096 cells.
    pub fn counts(&self, rectangle: &Rectangle, zoom: u8, grid: Grid) -> Result<Counts> {
        let max_level =
            zoom.saturating_add(2).min(grid.finest_level()).min(nearby::finest_level(rectangle));
        let level = LEVELS.into_iter().rfind(|level| *level <= max_level).unwrap_or(LEVELS[0]);
        let cells = self.store.read(|db| cells::touched(db, rectangle, level, grid))?;
        Ok(Counts { cell_size: cells::size(level), cells })
    }

    /// Passes the bottles that `owner` threw to `show`, oldest first, until the page is full.
    /// Returns true if there are more. `show` returns the bytes that a bottle takes in the
    /// response: a page is also full at [`MAX_PAGE_BYTES`].
    pub async fn created(
        &self,
        owner: &Account,
        page: PageRequest,
        show: impl FnMut(Bottle) -> Result<usize>,
    ) -> Result<bool> {
        self.store.read_long(|db| bottles::by_owner(db, owner.id, page, show)).await
    }

    /// Passes the bottles that `opener` opened to `show`, in the order of opening, as
    /// [`Bottles::created`] does.
    pub async fn opened(
        &self,
        opener: &Account,
        page: PageRequest,
        show: impl FnMut(Opened) -> Result<usize>,
    ) -> Result<bool> {
        self.store.read_long(|db| openings::opened(db, opener.id, page, show)).await
    }

    /// Opens a bottle. Only the first opening by an account other than the owner is recorded.
    pub async fn open(&self, login: &Login, id: i64) -> Result<Opened> {
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, opener| {
            openings::open(db, id, opener.id, now)
        });
        let events = self.events.clone();
        let publish = move |(Opened { bottle, .. }, recorded): &(Opened, bool)| {
            if *recorded {
                events.publish(Event::Opened(id, bottle.position, bottle.openers_count));
            }
        };
        self.store.write_then(change, publish).await.map(|(opened, _)| opened)
    }

    /// Deletes the cursors of openings that were deleted more than a day ago; see
    /// [`past_openings`].
    pub async fn delete_old_past_openings(&self) -> Result<()> {
        let now = self.clock.now();
        if self.store.read(|db| past_openings::any_old(db, now))? {
            self.store.write(move |db| past_openings::delete_old(db, now)).await?;
        }
        Ok(())
    }

    /// Checks that the bottle exists and belongs to `owner`. Returns [`Error::NoSuchBottle`] if it
    /// is hidden and another account's: only its owner learns that it exists.
    ///
    /// [`Error::NoSuchBottle`]: crate::model::error::Error::NoSuchBottle
    pub fn check_owner(&self, id: i64, owner: &Account) -> Result<()> {
        self.store.read(|db| bottles::check_owner(db, id, owner.id))
    }

    /// Passes the openers of the bottle to `show`, in the order of opening. Returns the number of
    /// all openers, and true if there are more after the page.
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
