//! A bounded cache of what the map shows of a bottle.
//!
//! The R*-tree decides which bottles a rectangle contains, in the snapshot of the request; the cache
//! only describes them. It therefore stays correct without being told of throws, hidden or deleted
//! bottles: a bottle's owner, look, position and address never change, its place stands for no other
//! bottle, and a bottle that leaves the sea leaves the R*-tree.
//!
//! Only a change from outside of Bottle, such as an `UPDATE` in the `sqlite3` shell, can change
//! a description. [`MapCache::invalidate`] then begins an empty cache. A reader takes the cache
//! before its snapshot begins, so that it adds nothing old to a newer one.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use quick_cache::sync::{Cache, DefaultLifecycle as Lifecycle};
use quick_cache::{DefaultHashBuilder as Hasher, OptionsBuilder, Weighter};

use super::map_bottle::MapBottleRef;
use super::place::Place;
use crate::model::fields::Style;
use crate::model::geo::Position;

/// The bytes that an entry takes beside a long address: its place in the cache's table, and its share
/// of the evicted bottles that the cache remembers.
const ENTRY_BYTES: u64 = 108;

/// The number of evicted bottles that the cache remembers, compared with that of bottles. Each takes
/// almost as much memory as a bottle.
const GHOSTS: f64 = 0.1;

/// A bottle as the map shows it, without its place.
///
/// Most of a look-up's time is waiting for memory, so an address of usual length is kept beside the
/// other fields.
#[derive(Clone)]
pub(super) struct CachedBottle {
    owner: i64,
    position: Position,
    open_within_m: Option<NonZeroU32>,
    style: Style,
    address: Address,
}

const _: () = assert!(size_of::<CachedBottle>() == 64, "`ENTRY_BYTES` counts on it");

/// An address, whose first bytes may be all of it.
#[derive(Clone)]
enum Address {
    Short { len: u8, bytes: [u8; Self::SHORT] },
    Long(Arc<str>),
}

impl Address {
    /// The length in bytes of the longest short address.
    const SHORT: usize = 30;

    fn new(text: &str) -> Self {
        let mut bytes = [0; Self::SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(start), Ok(len)) => {
                start.copy_from_slice(text.as_bytes());
                Self::Short { len, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Short { len, bytes } => {
                let text = bytes.get(..usize::from(*len)).unwrap_or_default();
                std::str::from_utf8(text).unwrap_or_default()
            }
            Self::Long(text) => text,
        }
    }
}

impl CachedBottle {
    fn new(bottle: &MapBottleRef<'_>) -> Self {
        Self {
            owner: bottle.owner,
            position: bottle.position,
            open_within_m: bottle.open_within_m.and_then(NonZeroU32::new),
            style: bottle.style,
            address: Address::new(bottle.formatted_address),
        }
    }

    /// Returns the bottle at `place`, which is the place under which it is cached.
    pub(super) fn bottle(&self, place: Place) -> MapBottleRef<'_> {
        MapBottleRef {
            id: place.bottle(),
            owner: self.owner,
            style: self.style,
            position: self.position,
            formatted_address: self.address.as_str(),
            open_within_m: self.open_within_m.map(NonZeroU32::get),
        }
    }
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Place, CachedBottle> for Bytes {
    fn weight(&self, _: &Place, bottle: &CachedBottle) -> u64 {
        match &bottle.address {
            Address::Short { .. } => ENTRY_BYTES,
            Address::Long(text) => ENTRY_BYTES + text.len() as u64,
        }
    }
}

type Entries = Cache<Place, CachedBottle, Bytes>;

/// The cache. It takes no memory until it is used.
pub(super) struct MapCache {
    /// The largest weight of the entries; 0 turns the cache off.
    max_bytes: u64,
    entries: RwLock<Arc<Entries>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// The numbers of bottles that searches found in the cache and in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct CacheStats {
    pub hits: u64,
    pub misses: u64,
}

impl MapCache {
    /// Creates a cache of at most `max_bytes`; 0 turns it off.
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            max_bytes,
            entries: RwLock::new(Arc::new(empty(max_bytes))),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Drops all bottles.
    pub(super) fn invalidate(&self) {
        let new = Arc::new(empty(self.max_bytes));
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// Returns the numbers of hits and misses since the start.
    pub(super) fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }
}

fn empty(max_bytes: u64) -> Entries {
    let usual_count = usize::try_from(max_bytes / ENTRY_BYTES).unwrap_or(usize::MAX);
    let options = OptionsBuilder::new()
        .estimated_items_capacity(usual_count)
        .weight_capacity(max_bytes)
        .ghost_allocation(GHOSTS)
        .build();
    match options {
        Ok(options) => Cache::with_options(options, Bytes, Hasher::default(), Lifecycle::default()),
        // Never: both required options are set.
        Err(_) => Cache::with_weighter(usual_count, max_bytes, Bytes),
    }
}

/// The cache as the reads of one snapshot may use it.
#[derive(Clone)]
pub struct CacheView {
    cache: Arc<MapCache>,
    /// `None` if the cache is turned off.
    entries: Option<Arc<Entries>>,
}

impl CacheView {
    /// Returns the view for a snapshot that has not begun yet.
    pub(super) fn new(cache: &Arc<MapCache>) -> Self {
        let entries = cache.entries.read().unwrap_or_else(PoisonError::into_inner);
        let entries = (cache.max_bytes > 0).then(|| Arc::clone(&entries));
        Self { cache: Arc::clone(cache), entries }
    }

    /// Returns the bottle with this place, if it is cached.
    pub(super) fn get(&self, place: Place) -> Option<CachedBottle> {
        self.entries.as_ref()?.get(&place)
    }

    /// Adds a bottle that was read in the snapshot.
    pub(super) fn insert(&self, place: Place, bottle: &MapBottleRef<'_>) {
        if let Some(entries) = &self.entries {
            entries.insert(place, CachedBottle::new(bottle));
        }
    }

    /// Adds to the numbers of hits and misses.
    pub(super) fn count(&self, hits: u64, misses: u64) {
        self.cache.hits.fetch_add(hits, Ordering::Relaxed);
        self.cache.misses.fetch_add(misses, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", true)]
    #[case("Harbour Street 7", true)]
    #[case(&"海".repeat(10), true)]
    #[case(&"x".repeat(31), false)]
    #[case(&"海".repeat(11), false)]
    #[case(&"x".repeat(300), false)]
    fn an_address_is_kept_as_it_is(#[case] text: &str, #[case] is_short: bool) {
        let address = Address::new(text);
        assert_eq!(address.as_str(), text);
        assert_eq!(matches!(address, Address::Short { .. }), is_short);
    }
}
