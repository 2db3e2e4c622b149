//! Rate limits on wrong passwords, registrations and throws, by account and by address.
//!
//! Attempts are counted with the generic cell rate algorithm (ITU-T I.371): a limit of n per minute
//! allows n attempts at once and one more every 60/n seconds, and stores a single time per key.
//! Times are measured from the start of the program, so a clock that is set back locks nobody out.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::clock::Clock;
use crate::model::error::{Error, Result};
use crate::model::live::{LiveSetting, LiveValues};
use crate::model::network::network;

/// The factor by which the limit of an address exceeds that of an account: a class may share an
/// address.
const ACCOUNTS_PER_ADDRESS: u32 = 10;

/// The period of all rates, the duration of a lockout, and the `Retry-After` of a rejection.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The number of keys from which expired ones are swept. A key expires after [`LONGEST_WAIT`] at
/// most.
const MIN_SWEPT_KEYS: usize = 10_000;

/// The limits per minute; 0 is no limit.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    /// Wrong passwords for one account. An address may send ten times as many of them, and of wrong
    /// invitations.
    pub logins: u32,
    /// Registrations from one address, and bottles thrown by one account.
    pub live: LiveValues,
}

impl Rates {
    fn registrations(&self) -> u32 {
        self.live.get(LiveSetting::RegistrationsPerMinute)
    }

    fn throws(&self) -> u32 {
        self.live.get(LiveSetting::ThrowsPerMinute)
    }
}

/// Counts attempts, and rejects those that exceed a limit.
pub struct RateLimiter {
    clock: Clock,
    rates: Rates,
    /// Only hashes of names are stored, because clients choose the length of names.
    hasher: RandomState,
    times: Mutex<Times>,
}

impl RateLimiter {
    /// Creates a limiter that has counted nothing.
    pub fn new(rates: Rates, clock: &Clock) -> Self {
        let hasher = RandomState::new();
        Self { clock: clock.clone(), rates, hasher, times: Mutex::default() }
    }

    /// Returns [`Error::TooOften`] if a password of the account called `name` may not be verified
    /// now.
    pub fn check_login(&self, name: &str, from: IpAddr) -> Result<()> {
        let (from, name) = (network(from), self.hasher.hash_one(name));
        let (now, times) = (self.clock.uptime(), self.times());
        let is_locked_out = |name| times.contains(Key::Lockout(from, name), now);
        if is_locked_out(None) || is_locked_out(Some(name)) { Err(Error::TooOften) } else { Ok(()) }
    }

    /// Counts a wrong password. The last one of a limit locks the address out, of the account or of
    /// all accounts; the owner at another address can still log in.
    pub fn record_failure(&self, name: &str, from: IpAddr) {
        let (from, name) = (network(from), self.hasher.hash_one(name));
        let (now, mut times) = (self.clock.uptime(), self.times());
        let by_account = times.count(Key::Failures(name), self.rates.logins, now);
        let by_address = times.count(Key::FailuresFrom(from), by_class(self.rates.logins), now);
        if by_account != Attempt::Allowed {
            times.insert(Key::Lockout(from, Some(name)), now + LONGEST_WAIT, now);
        }
        if by_address != Attempt::Allowed {
            times.insert(Key::Lockout(from, None), now + LONGEST_WAIT, now);
        }
    }

    /// Counts a registration. Returns [`Error::TooOften`] if it exceeds the limit of its address.
    pub fn register(&self, from: IpAddr) -> Result<()> {
        let (now, mut times) = (self.clock.uptime(), self.times());
        times.count(Key::Registrations(network(from)), self.rates.registrations(), now).into()
    }

    /// Returns [`Error::TooOften`] if an address has sent too many wrong invitations.
    pub fn check_guess(&self, from: IpAddr) -> Result<()> {
        let (now, times) = (self.clock.uptime(), self.times());
        let is_locked_out = times.contains(Key::GuessLockout(network(from)), now);
        if is_locked_out { Err(Error::TooOften) } else { Ok(()) }
    }

    /// Counts a wrong invitation. The last one of the limit locks the address out.
    pub fn record_guess(&self, from: IpAddr) {
        let from = network(from);
        let (now, mut times) = (self.clock.uptime(), self.times());
        let guesses = times.count(Key::Guesses(from), by_class(self.rates.logins), now);
        if guesses != Attempt::Allowed {
            times.insert(Key::GuessLockout(from), now + LONGEST_WAIT, now);
        }
    }

    /// Counts an attempt to use the setup link. Returns [`Error::TooOften`] if it exceeds the limit
    /// of its address.
    pub fn set_up(&self, from: IpAddr) -> Result<()> {
        let (now, mut times) = (self.clock.uptime(), self.times());
        times.count(Key::Setups(network(from)), self.rates.logins, now).into()
    }

    /// Counts a throw. Returns [`Error::TooOften`] if it exceeds the limit of its account or
    /// address.
    pub fn throw(&self, account: i64, from: IpAddr) -> Result<()> {
        let (now, mut times, rate) = (self.clock.uptime(), self.times(), self.rates.throws());
        Result::from(times.count(Key::Throws(account), rate, now))?;
        times.count(Key::ThrowsFrom(network(from)), by_class(rate), now).into()
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn by_class(rate: u32) -> u32 {
    rate.saturating_mul(ACCOUNTS_PER_ADDRESS)
}

/// The things that are counted. Names are hashes, and addresses are networks.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Failures(u64),
    FailuresFrom(IpAddr),
    /// An address that may not log in to the account of that name or, without a name, to any.
    Lockout(IpAddr, Option<u64>),
    Registrations(IpAddr),
    /// Wrong invitations.
    Guesses(IpAddr),
    /// An address that may not send invitations.
    GuessLockout(IpAddr),
    Setups(IpAddr),
    Throws(i64),
    ThrowsFrom(IpAddr),
}

/// The result of counting an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Allowed,
    /// Allowed, but another attempt at the same moment would be rejected.
    Last,
    Rejected,
}

impl From<Attempt> for Result<()> {
    fn from(attempt: Attempt) -> Self {
        if attempt == Attempt::Rejected { Err(Error::TooOften) } else { Ok(()) }
    }
}

/// A time for each key: the end of a lockout, or the theoretical arrival time of the rate
/// algorithm. A time in the past means as much as none.
struct Times {
    by_key: HashMap<Key, Duration>,
    /// The number of keys at which expired ones are swept next.
    next_sweep: usize,
}

impl Default for Times {
    fn default() -> Self {
        Self { by_key: HashMap::new(), next_sweep: MIN_SWEPT_KEYS }
    }
}

impl Times {
    fn contains(&self, key: Key, now: Duration) -> bool {
        self.by_key.get(&key).is_some_and(|time| *time > now)
    }

    /// Stores a time. Sweeping at twice the keys that the last sweep left bounds memory to about
    /// twice the keys of a minute, at a constant cost per insertion on average.
    fn insert(&mut self, key: Key, time: Duration, now: Duration) {
        if self.by_key.len() >= self.next_sweep {
            self.by_key.retain(|_, time| *time > now);
            self.next_sweep = MIN_SWEPT_KEYS.max(2 * self.by_key.len());
        }
        self.by_key.insert(key, time);
    }

    /// Counts an attempt against a limit of `per_minute`, unless it is rejected.
    fn count(&mut self, key: Key, per_minute: u32, now: Duration) -> Attempt {
        let Some(interval) = LONGEST_WAIT.checked_div(per_minute) else { return Attempt::Allowed };
        let tolerance = interval * (per_minute - 1);
        let arrival = self.by_key.get(&key).map_or(now, |time| now.max(*time));
        if arrival > now + tolerance {
            return Attempt::Rejected;
        }
        let next = arrival + interval;
        self.insert(key, next, now);
        if next > now + tolerance { Attempt::Last } else { Attempt::Allowed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn limiter(per_minute: u32) -> (RateLimiter, Clock) {
        let clock = Clock::default();
        let live = LiveValues::default();
        live.set(LiveSetting::RegistrationsPerMinute, per_minute);
        live.set(LiveSetting::ThrowsPerMinute, per_minute);
        let rates = Rates { logins: per_minute, live };
        (RateLimiter::new(rates, &clock), clock)
    }

    #[test]
    fn a_limit_allows_a_burst_and_then_its_rate() {
        let mut times = Times::default();
        let mut count = |seconds| times.count(Key::Throws(1), 3, Duration::from_secs(seconds));
        let burst = [count(0), count(0), count(0), count(0), count(19)];
        use Attempt::{Allowed, Last, Rejected};
        assert_eq!(burst, [Allowed, Allowed, Last, Rejected, Rejected]);
        assert_eq!(
            [count(20), count(20), count(80), count(80)],
            [Last, Rejected, Allowed, Allowed]
        );
    }

    #[test]
    fn the_last_failure_locks_out_its_address_alone() {
        let (limiter, clock) = limiter(2);
        limiter.record_failure("ada", HERE);
        assert_eq!(limiter.check_login("ada", HERE), Ok(()));
        limiter.record_failure("ada", HERE);
        assert_eq!(limiter.check_login("ada", HERE), Err(Error::TooOften));
        assert_eq!(limiter.check_login("bob", HERE), Ok(()));
        assert_eq!(limiter.check_login("ada", ELSEWHERE), Ok(()));
        clock.advance(LONGEST_WAIT);
        assert_eq!(limiter.check_login("ada", HERE), Ok(()));
    }

    #[test]
    fn zero_is_no_limit() {
        let (limiter, _clock) = limiter(0);
        for _ in 0..1000 {
            assert_eq!(limiter.register(HERE).and(limiter.throw(1, HERE)), Ok(()));
            limiter.record_failure("ada", HERE);
        }
        assert_eq!(limiter.check_login("ada", HERE), Ok(()));
        assert!(limiter.times().by_key.is_empty());
    }

    #[test]
    fn expired_keys_are_swept() {
        let (limiter, clock) = limiter(1);
        let throw = |accounts: std::ops::Range<i64>| {
            accounts.for_each(|id| limiter.throw(id, HERE).unwrap_or_default());
        };
        throw(0..30_000);
        clock.advance(LONGEST_WAIT);
        assert_eq!(limiter.times().by_key.len(), 30_001);
        throw(30_000..60_000);
        assert!(limiter.times().by_key.len() <= 30_001);
        assert_eq!(limiter.throw(59_999, HERE), Err(Error::TooOften));
    }
}
