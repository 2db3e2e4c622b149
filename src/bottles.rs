//! The rules of throwing, seeing and opening bottles.

mod nearby;

use std::sync::Arc;

use crate::accounts::Account;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::geo::Rectangle;
use crate::live::{Event, Live};
use crate::store::cells::{self, LEVELS};
use crate::store::{Store, bottles, moderation};

pub use crate::store::bottles::{Bottle, NewBottle, Opened, Opener, Page, Spot};
pub use crate::store::cells::{Cell, Grid};
pub use crate::store::nearby::Sighting;
pub use nearby::{Seen, Wanted};

/// The longest list that one answer carries.
pub const LIST_MOST: u32 = 10_000;

/// All bottles.
pub struct Bottles {
    store: Arc<Store>,
    clock: Clock,
    live: Live,
}

/// A part of a list.
#[derive(Debug)]
pub struct Listed<T> {
    /// The part asked for.
    pub items: Vec<T>,
    /// Whether there are more after it.
    pub more: bool,
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
        Self { store, clock, live: Live::new(0) }
    }

    /// The same, where what changes on the sea is told to `live`.
    pub fn telling(self, live: Live) -> Self {
        Self { live, ..self }
    }

    /// Throws a bottle. [`Error::Muted`] or [`Error::Frozen`] if that may not be now.
    pub async fn throw(&self, owner: &Account, new: NewBottle) -> Result<Bottle> {
        let (owner, now) = (owner.id, self.clock.now());
        let thrown = self.store.write(move |db| {
            moderation::may_throw(db, owner, now)?;
            bottles::insert(db, owner, &new, now)
        });
        let bottle = thrown.await?;
        self.live.tell(Event::Thrown(Spot {
            id: bottle.id,
            owner,
            style: bottle.style,
            position: bottle.position,
            formatted_address: bottle.formatted_address.clone(),
        }));
        Ok(bottle)
    }

    /// Deletes a bottle with its openings.
    pub async fn delete(&self, id: i64) -> Result<()> {
        if let Some(position) = self.store.write(move |db| bottles::delete(db, id)).await? {
            self.live.tell(Event::Hidden(id, position));
        }
        Ok(())
    }

    /// How many bottles lie in each cell that the rectangle touches, in cells as fine as suits a map
    /// at `zoom`, but no finer than `grid` has them and never so fine that the answer grows long.
    pub fn counts(&self, rectangle: &Rectangle, zoom: u8, grid: Grid) -> Result<Counts> {
        let most =
            zoom.saturating_add(2).min(grid.finest_level()).min(nearby::finest_level(rectangle));
        let level = LEVELS.into_iter().rfind(|level| *level <= most).unwrap_or(LEVELS[0]);
        let cells = self.store.read(|db| cells::touched(db, rectangle, level, grid))?;
        Ok(Counts { cell_size: cells::size(level), cells })
    }

    /// What `owner` threw, oldest first.
    pub fn created(&self, owner: &Account, page: Page) -> Result<Listed<Bottle>> {
        listed(page, |page| self.store.read_long(|db| bottles::created(db, owner.id, page)))
    }

    /// What `opener` opened, in the order of opening.
    pub fn opened(&self, opener: &Account, page: Page) -> Result<Listed<Opened>> {
        listed(page, |page| self.store.read_long(|db| bottles::opened(db, opener.id, page)))
    }

    /// Opens a bottle. Only the first opening by another than the owner is recorded.
    pub async fn open(&self, id: i64, opener: &Account) -> Result<Opened> {
        let (opener, now) = (opener.id, self.clock.now());
        let opened = self.store.write(move |db| bottles::open(db, id, opener, now));
        let (opened, recorded) = opened.await?;
        if recorded {
            let bottle = &opened.bottle;
            self.live.tell(Event::Opened(id, bottle.position, bottle.openers_count));
        }
        Ok(opened)
    }

    /// Fails unless the bottle exists and is `owner`'s.
    pub fn check_owner(&self, id: i64, owner: &Account) -> Result<()> {
        match self.store.read(|db| bottles::owner(db, id))? {
            None => Err(Error::NoSuchBottle(id.to_string())),
            Some(found) if found != owner.id => Err(Error::NotOwner),
            Some(_) => Ok(()),
        }
    }

    /// Who opened the bottle, in the order of opening, and how many they are in all.
    pub fn openers(&self, id: i64, page: Page) -> Result<(i64, Listed<Opener>)> {
        self.store.read_long(|db| {
            let openers = listed(page, |page| bottles::openers(db, id, page))?;
            Ok((bottles::openers_count(db, id)?, openers))
        })
    }
}

/// Asks for one item more than wanted, which tells whether there are more.
pub(crate) fn listed<T>(
    page: Page,
    query: impl FnOnce(Page) -> Result<Vec<T>>,
) -> Result<Listed<T>> {
    let mut items = query(Page { limit: page.limit + 1, ..page })?;
    let more = items.len() > page.limit as usize;
    items.truncate(page.limit as usize);
    Ok(Listed { items, more })
}
