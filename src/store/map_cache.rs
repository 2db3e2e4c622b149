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

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::map_bottle::MapBottleRef;
use super::place::Place;
use crate::model::fields::Style;
use crate::model::geo::Position;

/// The bytes that an entry takes beside its address: its fields, their allocation, and the cache's
/// own entry.
const ENTRY_BYTES: u64 = 112;

/// The bytes of an entry with an address of usual length, to estimate the number of entries.
const USUAL_ENTRY_BYTES: u64 = ENTRY_BYTES + 24;

/// A bottle as the map shows it: owner, latitude, longitude, style, the distance within which it can
/// be opened (0 for any) and address, each field in little-endian order. One allocation, because most of a look-up's time is waiting for memory.
#[derive(Clone)]
pub(super) struct CachedBottle(Arc<[u8]>);

impl CachedBottle {
    fn new(bottle: &MapBottleRef<'_>) -> Self {
        let MapBottleRef { owner, style, position, formatted_address, open_within_m, .. } = bottle;
        let mut bytes = Vec::with_capacity(29 + formatted_address.len());
        bytes.extend(owner.to_le_bytes());
        bytes.extend(position.latitude().to_le_bytes());
        bytes.extend(position.longitude().to_le_bytes());
        bytes.push(style.number());
        bytes.extend(open_within_m.unwrap_or(0).to_le_bytes());
        bytes.extend(formatted_address.as_bytes());
        Self(bytes.into())
    }

    /// Returns the bottle with this place. Never returns `None` for what [`CachedBottle::new`] made.
    pub(super) fn bottle(&self, place: Place) -> Option<MapBottleRef<'_>> {
        let (owner, rest) = self.0.split_first_chunk()?;
        let (latitude, rest) = rest.split_first_chunk()?;
        let (longitude, rest) = rest.split_first_chunk()?;
        let (style, rest) = rest.split_first()?;
        let (open_within_m, address) = rest.split_first_chunk()?;
        let (latitude, longitude) = (f64::from_le_bytes(*latitude), f64::from_le_bytes(*longitude));
        Some(MapBottleRef {
            id: place.bottle(),
            owner: i64::from_le_bytes(*owner),
            style: Style::parse(i64::from(*style)).ok()?,
            position: Position::new(latitude, longitude).ok()?,
            formatted_address: std::str::from_utf8(address).ok()?,
            open_within_m: Some(u32::from_le_bytes(*open_within_m)).filter(|metres| *metres > 0),
        })
    }
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Place, CachedBottle> for Bytes {
    fn weight(&self, _: &Place, bottle: &CachedBottle) -> u64 {
        ENTRY_BYTES + bottle.0.len() as u64
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
    let usual_count = usize::try_from(max_bytes / USUAL_ENTRY_BYTES).unwrap_or(usize::MAX);
    Cache::with_weighter(usual_count, max_bytes, Bytes)
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
