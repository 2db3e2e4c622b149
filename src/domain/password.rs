//! Passwords: Argon2id, on a few threads that do nothing else.

use std::sync::Arc;

use argon2::{Config, ThreadMode, Variant, Version};
use scheduled_thread_pool::ScheduledThreadPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::model::error::{Error, Result};
use crate::model::fields::NewPassword;

/// What one hash costs whoever makes it: the server once, a thief each guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
}

/// What checking a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Another password, or no such account.
    Wrong,
    /// The right one.
    Right,
    /// The right one, under a hash weaker than today's setting.
    NeedsRehash,
}

/// The right to hash one password now.
pub struct HashPermit {
    _permit: OwnedSemaphorePermit,
}

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    cost: Cost,
    permits: Arc<Semaphore>,
    // They live as long as the server.
    threads: Arc<ScheduledThreadPool>,
}

impl Passwords {
    /// At most `workers` hashes at one time: each takes a core and `cost.memory_kib`, and five
    /// hundred logins at once would otherwise take 9 GB and stall every read.
    pub fn new(cost: Cost, workers: usize) -> Self {
        let threads = ScheduledThreadPool::builder()
            .num_threads(workers)
            .thread_name_pattern("password-{}")
            .build();
        Self { cost, permits: Arc::new(Semaphore::new(workers)), threads: Arc::new(threads) }
    }

    /// Waits until one more password may be hashed.
    pub async fn acquire(&self) -> Result<HashPermit> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let stopped = |_| Error::Internal("the password workers have stopped".into());
        Ok(HashPermit { _permit: permit.map_err(stopped)? })
    }

    /// The hash to store for a new password.
    pub async fn hash(&self, password: NewPassword) -> Result<String> {
        let cost = self.cost;
        Ok(self.run(self.acquire().await?, move || hash(password.secret(), cost)).await?.0)
    }

    /// The hash to store for a password that was just found right.
    pub async fn rehash(&self, password: String) -> Result<String> {
        let cost = self.cost;
        Ok(self.run(self.acquire().await?, move || hash(&password, cost)).await?.0)
    }

    /// A hash that no password anyone can find belongs to, which costs as much to check as `like`, or
    /// as much as today's setting says. Checked where there is no account, it keeps time from telling.
    pub fn dummy_hash(&self, like: Option<&str>) -> String {
        dummy_hash(like.and_then(cost_of).unwrap_or(self.cost))
    }

    /// Whether `password` is the one behind `stored`. The permit ends when the caller lets it go, once
    /// what was found has been counted.
    pub async fn verify(
        &self,
        permit: HashPermit,
        stored: String,
        password: String,
    ) -> Result<(Verdict, HashPermit)> {
        let cost = self.cost;
        self.run(permit, move || {
            let right = argon2::verify_encoded(&stored, password.as_bytes())
                .map_err(|e| Error::Internal(format!("a stored password hash: {e}")))?;
            Ok(match right {
                false => Verdict::Wrong,
                true if is_weaker(&stored, cost) => Verdict::NeedsRehash,
                true => Verdict::Right,
            })
        })
        .await
    }

    /// Runs `work` on one of the threads. With a permit at hand, one of them is idle.
    async fn run<T: Send + 'static>(
        &self,
        permit: HashPermit,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<(T, HashPermit)> {
        let (answer, answered) = oneshot::channel();
        self.threads.execute(move || {
            lower_priority();
            // The client may be gone by now; the permit is returned either way.
            let _ = answer.send(work().map(|done| (done, permit)));
        });
        answered.await.map_err(|_| Error::Internal("a password worker panicked".into()))?
    }
}

/// Leaves the cores to the other threads where they need them: a hash is long, and whoever waits for
/// it is patient.
fn lower_priority() {
    // On Linux this is the thread's own priority; elsewhere it would be the whole program's.
    #[cfg(target_os = "linux")]
    if let Err(e) = rustix::process::setpriority_process(None, 10) {
        tracing::warn!("a password worker keeps its priority: {e}");
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
        .map_err(|e| Error::Internal(format!("Argon2: {e}")))
}

/// A hash of this cost that belongs to no password anyone can find.
fn dummy_hash(cost: Cost) -> String {
    format!(
        "$argon2id$v=19$m={},t={},p=1${}${}",
        cost.memory_kib,
        cost.iterations,
        "A".repeat(22),
        "A".repeat(43)
    )
}

/// The cost kept in a hash, a PHC string.
fn cost_of(stored: &str) -> Option<Cost> {
    let parameter = |name: &str| -> Option<u32> {
        stored.split(['$', ',']).find_map(|part| part.strip_prefix(name))?.parse().ok()
    };
    Some(Cost { memory_kib: parameter("m=")?, iterations: parameter("t=")? })
}

/// Whether either parameter kept in the hash is under today's setting.
fn is_weaker(stored: &str, today: Cost) -> bool {
    cost_of(stored)
        .is_none_or(|cost| cost.memory_kib < today.memory_kib || cost.iterations < today.iterations)
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
