//! Password hashing with Argon2id (RFC 9106), on a fixed set of threads.

use std::sync::Arc;

use argon2::{Config, ThreadMode, Variant, Version};
use scheduled_thread_pool::ScheduledThreadPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::model::error::{Error, Result};
use crate::model::fields::NewPassword;

/// The cost of a hash, for the server once and for an attacker with each guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The memory in KiB.
    pub memory_kib: u32,
    /// The number of passes over that memory.
    pub iterations: u32,
}

/// The result of verifying a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is another password, or there is no such account.
    Wrong,
    /// It is the right password.
    Right,
    /// It is the right password, but its hash is weaker than the current setting.
    NeedsRehash,
}

/// A permit to hash one password now.
pub struct HashPermit {
    _permit: OwnedSemaphorePermit,
}

/// Hashes and verifies passwords. Clones share the threads.
#[derive(Clone)]
pub struct Passwords {
    cost: Cost,
    permits: Arc<Semaphore>,
    // They live as long as the server, so that a flood of logins does not create and end threads.
    threads: Arc<ScheduledThreadPool>,
}

impl Passwords {
    /// Starts `workers` threads, the maximum number of hashes at once. Each hash takes a core and
    /// `cost.memory_kib` of memory: without a limit, 500 concurrent logins would take 9 GB and
    /// delay every read.
    pub fn new(cost: Cost, workers: usize) -> Self {
        let threads = ScheduledThreadPool::builder()
            .num_threads(workers)
            .thread_name_pattern("password-{}")
            .build();
        Self { cost, permits: Arc::new(Semaphore::new(workers)), threads: Arc::new(threads) }
    }

    /// Waits for a permit.
    pub async fn acquire(&self) -> Result<HashPermit> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let stopped = |_| Error::Internal("the password workers have stopped".into());
        Ok(HashPermit { _permit: permit.map_err(stopped)? })
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: NewPassword) -> Result<String> {
        let cost = self.cost;
        Ok(self.run(self.acquire().await?, move || hash(password.secret(), cost)).await?.0)
    }

    /// Hashes a password that was just verified.
    pub async fn rehash(&self, password: String) -> Result<String> {
        let cost = self.cost;
        Ok(self.run(self.acquire().await?, move || hash(&password, cost)).await?.0)
    }

    /// Returns a hash that matches no known password, and costs as much to verify as the hash
    /// `like` or, without it, as the current setting. Verified for an unknown name, it makes the
    /// response time independent of whether the account exists.
    pub fn dummy_hash(&self, like: Option<&str>) -> String {
        dummy_hash(like.and_then(cost_of).unwrap_or(self.cost))
    }

    /// Verifies `password` against the hash `stored`. The permit is returned, so that the caller
    /// can count a failure before the next attempt is checked.
    pub async fn verify(
        &self,
        permit: HashPermit,
        stored: String,
        password: String,
    ) -> Result<(Verdict, HashPermit)> {
        let cost = self.cost;
        self.run(permit, move || {
            let is_right = argon2::verify_encoded(&stored, password.as_bytes()).map_err(|e| {
                Error::Internal(format!("cannot verify a stored password hash: {e}"))
            })?;
            Ok(match is_right {
                false => Verdict::Wrong,
                true if is_weaker(&stored, cost) => Verdict::NeedsRehash,
                true => Verdict::Right,
            })
        })
        .await
    }

    /// Runs `work` on one of the threads. There are as many permits as threads, so one is idle.
    async fn run<T: Send + 'static>(
        &self,
        permit: HashPermit,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<(T, HashPermit)> {
        let (sender, receiver) = oneshot::channel();
        self.threads.execute(move || {
            lower_priority();
            // The client may have disconnected; the permit is dropped either way.
            let _ = sender.send(work().map(|result| (result, permit)));
        });
        receiver.await.map_err(|_| Error::Internal("a password worker panicked".into()))?
    }
}

/// Lowers the thread's priority: a hash or a backup takes long, and short requests go first.
pub(super) fn lower_priority() {
    // On Linux the priority is the thread's; elsewhere it would be the process's.
    #[cfg(target_os = "linux")]
    if let Err(e) = rustix::process::setpriority_process(None, 10) {
        tracing::warn!("cannot lower the priority of a thread: {e}");
    }
}

fn hash(password: &str, cost: Cost) -> Result<String> {
    let config = Config {
        variant: Variant::Argon2id,
        version: Version::Version13,
        mem_cost: cost.memory_kib,
        time_cost: cost.iterations,
        lanes: 1,
        thread_mode: ThreadMode::Sequential,
        hash_length: 32,
        ad: &[],
        secret: &[],
    };
    argon2::hash_encoded(password.as_bytes(), &rand::random::<[u8; 16]>(), &config)
        .map_err(|e| Error::Internal(format!("cannot hash a password: {e}")))
}

/// Returns a hash of this cost that matches no known password.
fn dummy_hash(cost: Cost) -> String {
    format!(
        "$argon2id$v=19$m={},t={},p=1${}${}",
        cost.memory_kib,
        cost.iterations,
        "A".repeat(22),
        "A".repeat(43)
    )
}

/// Reads the cost from a hash, which is a PHC string.
fn cost_of(stored: &str) -> Option<Cost> {
    let parameter = |name: &str| -> Option<u32> {
        stored.split(['$', ',']).find_map(|part| part.strip_prefix(name))?.parse().ok()
    };
    Some(Cost { memory_kib: parameter("m=")?, iterations: parameter("t=")? })
}

/// Returns true if either parameter of the hash is below the current setting.
fn is_weaker(stored: &str, current: Cost) -> bool {
    cost_of(stored).is_none_or(|cost| {
        cost.memory_kib < current.memory_kib || cost.iterations < current.iterations
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Cost, Passwords, cost_of, hash, is_weaker};

    const TODAY: Cost = Cost { memory_kib: 64, iterations: 2 };

    /// Checking a name that nobody has costs what checking the account's password costs.
    #[rstest]
    #[case::old(Cost { memory_kib: 8, iterations: 1 })]
    #[case::older_and_longer(Cost { memory_kib: 16, iterations: 7 })]
    #[case::todays(TODAY)]
    fn a_dummy_hash_costs_what_an_accounts_does(#[case] cost: Cost) {
        let accounts = hash("pass", cost).unwrap();
        let dummy = Passwords::new(TODAY, 1).dummy_hash(Some(&accounts));
        assert_eq!(cost_of(&dummy), Some(cost));
        // But for the salt and the hash, which are as long.
        let parameters = |hash: &str| hash.rsplitn(3, '$').last().map(str::to_owned);
        assert_eq!(parameters(&dummy), parameters(&accounts));
        assert_eq!(dummy.len(), accounts.len());
        assert_eq!(argon2::verify_encoded(&dummy, b"pass"), Ok(false));
    }

    #[rstest]
    fn without_an_account_it_costs_what_todays_setting_says(
        #[values(None, Some("none"), Some("$argon2id$v=19$m=many,t=1,p=1$a$a"))] like: Option<&str>,
    ) {
        let dummy = Passwords::new(TODAY, 1).dummy_hash(like);
        assert_eq!(cost_of(&dummy), Some(TODAY));
        assert_eq!(argon2::verify_encoded(&dummy, b"pass"), Ok(false));
    }

    #[rstest]
    #[case(Cost { memory_kib: 64, iterations: 2 }, false)]
    #[case(Cost { memory_kib: 128, iterations: 3 }, false)]
    #[case(Cost { memory_kib: 63, iterations: 9 }, true)]
    #[case(Cost { memory_kib: 99, iterations: 1 }, true)]
    fn a_hash_is_weak_by_either_parameter(#[case] cost: Cost, #[case] weak: bool) {
        assert_eq!(is_weaker(&hash("pass", cost).unwrap(), TODAY), weak);
    }
}
