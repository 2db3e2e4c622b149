//! How often one may try: wrong passwords, registrations and throws, by account and by address.
//!
//! Time is counted from the program's start, not read off the wall, so that a clock set back locks
//! nobody out.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter as Governor};

use crate::model::clock::Clock;
use crate::model::error::{Error, Result};
use crate::model::network::network;

/// So many times as much is allowed from one address as for one account: a class may share one.
const ACCOUNTS_PER_ADDRESS: u32 = 10;

/// Nobody is kept waiting longer, and the `Retry-After` of a refusal says so.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Keys are forgotten once there are so many of them, unless they still count.
const KEYS_KEPT: usize = 10_000;

/// How often a minute; 0 is as often as one likes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// Wrong passwords for one account.
    pub logins: u32,
    /// Registrations from one address.
    pub registrations: u32,
    /// Bottles thrown by one account.
    pub throws: u32,
}

/// Counts tries.
pub struct RateLimiter {
    clock: Clock,
    // Of names only hashes are kept: whoever asks chooses their length.
    hasher: RandomState,
    wrong_for_account: Limit<u64>,
    wrong_from_address: Limit<IpAddr>,
    /// Until when (since the start) an address may not try a password: of one account, or of any.
    closed: Mutex<HashMap<(IpAddr, Option<u64>), Duration>>,
    registrations: Limit<IpAddr>,
    throws_by_account: Limit<i64>,
    throws_from_address: Limit<IpAddr>,
}

impl RateLimiter {
    /// Nothing counted yet.
    pub fn new(rates: Rates, clock: &Clock) -> Self {
        let many = |rate: u32| rate.saturating_mul(ACCOUNTS_PER_ADDRESS);
        Self {
            clock: clock.clone(),
            hasher: RandomState::new(),
            wrong_for_account: Limit::new(rates.logins, clock),
            wrong_from_address: Limit::new(many(rates.logins), clock),
            closed: Mutex::default(),
            registrations: Limit::new(rates.registrations, clock),
            throws_by_account: Limit::new(rates.throws, clock),
            throws_from_address: Limit::new(many(rates.throws), clock),
        }
    }

    /// Whether a password of the account called `name` may be tried, before it is.
    pub fn check_login(&self, name: &str, from: IpAddr) -> Result<()> {
        let (from, now) = (network(from), self.clock.uptime());
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_closed = |name| closed.get(&(from, name)).is_some_and(|until| *until > now);
        match is_closed(None) || is_closed(Some(self.hasher.hash_one(name))) {
            true => Err(Error::TooOften),
            false => Ok(()),
        }
    }

    /// Counts a wrong password. Only the addresses that guessed are shut out of an account: its owner
    /// elsewhere is not.
    pub fn record_failure(&self, name: &str, from: IpAddr) {
        let (from, now) = (network(from), self.clock.uptime());
        let name = self.hasher.hash_one(name);
        let was_last = |left| matches!(left, None | Some(0));
        let last_for_account = was_last(self.wrong_for_account.take(name));
        let last_from_address = was_last(self.wrong_from_address.take(from));

        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if closed.len() > KEYS_KEPT {
            closed.retain(|_, until| *until > now);
        }
        if last_for_account {
            closed.insert((from, Some(name)), now + LONGEST_WAIT);
        }
        if last_from_address {
            closed.insert((from, None), now + LONGEST_WAIT);
        }
    }

    /// Counts a registration, or refuses it.
    pub fn register(&self, from: IpAddr) -> Result<()> {
        self.registrations.take(network(from)).map(drop).ok_or(Error::TooOften)
    }

    /// Counts a throw, or refuses it.
    pub fn throw(&self, account: i64, from: IpAddr) -> Result<()> {
        let by_account = self.throws_by_account.take(account);
        let from_address = || self.throws_from_address.take(network(from));
        by_account.and_then(|_| from_address()).map(drop).ok_or(Error::TooOften)
    }
}

type Limiter<K> = Governor<K, HashMapStateStore<K>, SinceStart, StateInformationMiddleware>;

/// So many a minute for each key, or no limit.
struct Limit<K: Hash + Eq + Clone>(Option<Limiter<K>>);

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(per_minute: u32, clock: &Clock) -> Self {
        Self(NonZeroU32::new(per_minute).map(|per_minute| {
            let clock = SinceStart(clock.clone());
            Governor::hashmap_with_clock(Quota::per_minute(per_minute), clock).with_middleware()
        }))
    }

    /// How many more `key` may take at once, after this one; `None` if this was one too many.
    fn take(&self, key: K) -> Option<u32> {
        let Some(limiter) = &self.0 else { return Some(u32::MAX) };
        if limiter.len() > KEYS_KEPT {
            limiter.retain_recent();
        }
        limiter.check_key(&key).ok().map(|state| state.remaining_burst_capacity())
    }
}

/// Our clock, as `governor` asks for one.
#[derive(Clone)]
struct SinceStart(Clock);

impl governor::clock::Clock for SinceStart {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.uptime()
    }
}
