//! The rules of throwing, listing and opening bottles.

mod import;
mod nearby;

use std::sync::Arc;

use crate::domain::accounts::{Account, Login};
use crate::domain::events::{Event, EventBus};
use crate::domain::expiry::Expiry;
use crate::model::clock::{Clock, Timestamp};
use crate::model::error::{Error, Result};
use crate::model::fields::ThrowKey;
use crate::model::geo::{Position, Rectangle};
use crate::model::inbox::Kind;
use crate::store::cells::{self, LEVELS};
use crate::store::inbox::{self, NewItem};
use crate::store::{
    Connection, Store, bottles, catch, moderation, openings, outbox, past_openings, sessions,
    throw_keys,
};

pub use crate::store::bottles::{Bottle, NewBottle};
pub use crate::store::cells::{Cell, Grid};
pub use crate::store::map_bottle::{MapBottle, MapBottleRef};
pub use crate::store::openings::{Opened, Opener, ThreadCounts};
pub use crate::store::pages::{MAX_PAGE_BYTES, PageRequest};
pub use nearby::{NearbyQuery, NearbyResult};

/// The maximum number of items in a response.
pub const MAX_LIST: u32 = 10_000;

/// Throws a bottle, unless one was thrown with the same key. Returns true with a new one.
fn throw_once(
    db: &Connection,
    owner: &Account,
    new: &NewBottle,
    key: Option<&ThrowKey>,
    now: Timestamp,
) -> Result<(Bottle, bool)> {
    if let Some(key) = key
        && let Some(earlier) = throw_keys::bottle(db, owner.id, key.as_str())?
        && let Some(bottle) = bottles::find(db, earlier)?
    {
        return Ok((bottle, false));
    }
    moderation::ensure_can_throw(db, owner.id, now)?;
    let bottle = bottles::insert(db, owner.id, new, now)?;
    if let Some(key) = key {
        throw_keys::insert(db, owner.id, key.as_str(), bottle.id, now)?;
    }
    outbox::add(db, outbox::Event::BottleThrown { bottle: bottle.id, owner }, now)?;
    Ok((bottle, true))
}

/// Opens a bottle, and informs its owner of the first opening.
fn open_and_inform(
    db: &Connection,
    id: i64,
    opener: &Account,
    at: Option<Position>,
    now: Timestamp,
) -> Result<(Opened, bool)> {
    let (opened, recorded) = openings::open(db, id, opener, at, now)?;
    if recorded {
        let (user, actor) = (opened.owner.id, Some(opener.id));
        let item = NewItem { user, kind: Kind::Opened, bottle: id, actor, reply: None };
        inbox::add(db, item, now)?;
        let openers = opened.bottle.openers_count;
        outbox::add(db, outbox::Event::BottleOpened { bottle: id, opener, openers }, now)?;
    }
    Ok((opened, recorded))
}

/// The bottles of a store. Clones share their state.
#[derive(Clone)]
pub struct Bottles {
    store: Arc<Store>,
    clock: Clock,
    events: EventBus,
    expiry: Expiry,
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
        let expiry = Expiry::new(Arc::clone(&store), clock.clone(), events.clone());
        Self { store, clock, events, expiry }
    }

    /// Returns the expiry of the bottles.
    pub fn expiry(&self) -> &Expiry {
        &self.expiry
    }

    /// Throws a bottle. With a `key` that the account used within a day, throws none and returns the
    /// bottle that was thrown with it.
    ///
    /// Returns [`Error::Muted`] or [`Error::Frozen`] if the account may not throw now.
    ///
    /// [`Error::Muted`]: crate::model::error::Error::Muted
    /// [`Error::Frozen`]: crate::model::error::Error::Frozen
    pub async fn throw(
        &self,
        login: &Login,
        new: NewBottle,
        key: Option<ThrowKey>,
    ) -> Result<Bottle> {
        let now = self.clock.now();
        let note = self.expiry.note(new.expires_at);
        let change = sessions::authorized(login.session, &self.clock, move |db, owner| {
            throw_once(db, &owner, &new, key.as_ref(), now)
        });
        let (events, owner) = (self.events.clone(), login.account.id);
        let publish = move |(bottle, is_new): &(Bottle, bool)| {
            if *is_new {
                note();
                events.publish(Event::Thrown(MapBottle::of(bottle, owner)));
            }
        };
        self.store.write_then(change, publish).await.map(|(bottle, _)| bottle)
    }

    /// Deletes a bottle of the account, with its openings and reports.
    pub async fn delete(&self, login: &Login, id: i64) -> Result<()> {
        let change = sessions::authorized(login.session, &self.clock, move |db, owner| {
            bottles::check_owner(db, id, &owner)?;
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
    pub async fn counts(&self, rectangle: &Rectangle, zoom: u8, grid: Grid) -> Result<Counts> {
        self.expiry.end_due().await;
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
        self.expiry.end_due().await;
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
        self.expiry.end_due().await;
        self.store.read_long(|db| openings::opened(db, opener, page, show)).await
    }

    /// Opens a bottle from the position `at`. Only the first opening by an account other than the
    /// owner is recorded.
    pub async fn open(&self, login: &Login, id: i64, at: Option<Position>) -> Result<Opened> {
        self.expiry.end_due().await;
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, opener| {
            open_and_inform(db, id, &opener, at, now)
        });
        let publish = self.publish_opened();
        self.store.write_then(change, publish).await.map(|(opened, _)| opened)
    }

    /// Opens a random bottle of the sea, or of the rectangle, that the account may catch; see
    /// [`catch`]. Returns [`Error::NothingToCatch`] if none is found.
    pub async fn catch(&self, login: &Login, within: Option<Rectangle>) -> Result<Opened> {
        self.expiry.end_due().await;
        let account = login.account.id;
        loop {
            let within = within.as_ref().map(|within| (within, nearby::finest_level(within)));
            let choice = self.store.read_long(|db| {
                catch::choose(db, account, within, &mut |below| rand::random_range(0..below))
            });
            let id = choice.await?.ok_or(Error::NothingToCatch)?;
            let now = self.clock.now();
            let change = sessions::authorized(login.session, &self.clock, move |db, opener| {
                if !catch::is_eligible(db, id, opener.id)? {
                    return Ok(None);
                }
                open_and_inform(db, id, &opener, None, now).map(Some)
            });
            let publish = self.publish_opened();
            let publish = move |caught: &Option<(Opened, bool)>| caught.iter().for_each(publish);
            if let Some((opened, _)) = self.store.write_then(change, publish).await? {
                return Ok(opened);
            }
            // The bottle was opened, hidden or deleted since it was chosen.
        }
    }

    /// Returns the callback that publishes, after the commit, that a bottle was opened.
    fn publish_opened(&self) -> impl Fn(&(Opened, bool)) + Send + 'static {
        let events = self.events.clone();
        move |(Opened { bottle, owner, .. }, recorded)| {
            if *recorded {
                events.publish(Event::Opened(bottle.id, bottle.position, bottle.openers_count));
                events.publish_inbox(owner.id);
            }
        }
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
    /// is another account's and hidden or its owner has blocked this one: such an account does not
    /// learn that it exists.
    ///
    /// [`Error::NoSuchBottle`]: crate::model::error::Error::NoSuchBottle
    pub async fn check_owner(&self, id: i64, owner: &Account) -> Result<()> {
        self.expiry.end_due().await;
        self.store.read(|db| bottles::check_owner(db, id, owner))
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
