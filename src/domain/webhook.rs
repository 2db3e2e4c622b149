//! The webhook of an operator: its choices, and the outcome of each attempt to deliver a message.

use std::sync::Arc;

use serde_json::json;

use crate::domain::accounts::Login;
use crate::model::clock::{Clock, Timestamp};
use crate::model::error::{Error, Result};
use crate::model::webhook::{EventKind, SigningSecret};
use crate::store::action::Action;
use crate::store::audit_log::NewEntry;
use crate::store::outbox::Event;
use crate::store::{Connection, Store, audit_log, outbox, sessions, webhook};

pub use crate::store::outbox::{Message, Waiting};
pub use crate::store::webhook::{Status, Target};

/// The seconds from a failed attempt to the next, three days in all, as the
/// [specification](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)
/// recommends. After the last, a message is given up.
const RETRY_SECONDS: [u32; 10] =
    [5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 24 * 3600];

/// The free space below which the disk is nearly full, and that from which it no longer is: 512 MiB
/// and 1 GiB.
const LOW_BYTES: u64 = 512 << 20;
const ENOUGH_BYTES: u64 = 1 << 30;

/// The webhook of a store. Clones share their state.
#[derive(Clone)]
pub struct Webhook {
    store: Arc<Store>,
    clock: Clock,
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver accepted the message.
    Delivered,
    /// The receiver wants no more messages, for this reason.
    Gone(String),
    /// The receiver did not accept the message, for this reason.
    Failed(String),
}

impl Webhook {
    /// Creates the webhook of `store`.
    pub fn new(store: Arc<Store>, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Returns the webhook, or `None` while it is off.
    pub fn status(&self) -> Result<Option<Status>> {
        self.store.read(webhook::status)
    }

    /// Stores the choices of an operator. Returns the secret if there was none before. An operator of
    /// the command line has no `login`.
    pub async fn set(
        &self,
        login: Option<&Login>,
        target: Target,
    ) -> Result<Option<SigningSecret>> {
        let now = self.clock.now();
        let detail = target.url.host().to_owned();
        self.change(login, Action::SetWebhook, detail, move |db| webhook::set(db, &target, now))
            .await
    }

    /// Replaces the secret and returns it. Returns [`Error::NoWebhook`] while the webhook is off.
    pub async fn replace_secret(&self, login: Option<&Login>) -> Result<SigningSecret> {
        let detail = "a new secret".to_owned();
        self.change(login, Action::SetWebhook, detail, webhook::replace_secret).await
    }

    /// Deletes the webhook and the messages that wait. Returns [`Error::NoWebhook`] if it was off.
    pub async fn turn_off(&self, login: Option<&Login>) -> Result<()> {
        let delete = |db: &Connection| match webhook::delete(db)? {
            true => Ok(()),
            false => Err(Error::NoWebhook),
        };
        self.change(login, Action::SetWebhook, "off".to_owned(), delete).await
    }

    /// Logs that an operator sends a test message, and returns it with its target. Returns
    /// [`Error::NoWebhook`] while the webhook is off.
    pub async fn begin_test(
        &self,
        login: Option<&Login>,
    ) -> Result<(Target, SigningSecret, Message)> {
        let message = Message::new(EventKind::Test, &json!({}), self.clock.now());
        let target = |db: &Connection| webhook::target(db)?.ok_or(Error::NoWebhook);
        let detail = message.id.clone();
        let (target, secret) = self.change(login, Action::TestWebhook, detail, target).await?;
        Ok((target, secret, message))
    }

    /// Applies a change of an operator, and logs it.
    async fn change<T: Send + 'static>(
        &self,
        login: Option<&Login>,
        action: Action,
        detail: String,
        apply: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let now = self.clock.now();
        let apply = move |db: &Connection, actor: Option<&str>| {
            let changed = apply(db)?;
            let entry = NewEntry { detail: Some(&detail), ..NewEntry::new(actor, action) };
            audit_log::add(db, entry, now)?;
            Ok(changed)
        };
        let Some(login) = login else {
            return self.store.write(move |db| apply(db, None)).await;
        };
        let change = sessions::authorized(login.session, &self.clock, move |db, operator| {
            operator.check_operator()?;
            apply(db, Some(&operator.username))
        });
        self.store.write(change).await
    }

    /// Returns at most `limit` messages whose time has come, with the target to which they go.
    pub fn due(&self, limit: usize) -> Result<Option<(Target, SigningSecret, Vec<Waiting>)>> {
        let now = self.clock.now();
        self.store.read(|db| {
            let due = outbox::due(db, limit, now)?;
            let target = if due.is_empty() { None } else { webhook::target(db)? };
            Ok(target.map(|(target, secret)| (target, secret, due)))
        })
    }

    /// Stores the outcomes of attempts.
    pub async fn record(&self, outcomes: Vec<(Waiting, Outcome)>) -> Result<()> {
        let now = self.clock.now();
        let change = move |db: &Connection| {
            outcomes.iter().try_for_each(|(waiting, outcome)| record(db, waiting, outcome, now))
        };
        self.store.write(change).await
    }

    /// Stores the outcome of a test message.
    pub async fn record_test(&self, outcome: Outcome) -> Result<()> {
        let now = self.clock.now();
        let change = move |db: &Connection| match &outcome {
            Outcome::Delivered => webhook::record_success(db, now),
            Outcome::Gone(reason) => webhook::set_gone(db, reason, now),
            Outcome::Failed(reason) => webhook::record_failure(db, reason, false, now),
        };
        self.store.write(change).await
    }

    /// Returns the time, in seconds since 1970, that a message carries.
    pub fn now_seconds(&self) -> i64 {
        self.clock.now().millis().div_euclid(1000)
    }

    /// Adds a message when the disk becomes nearly full: one until there is enough space again.
    pub async fn note_free_space(&self, free_bytes: u64) -> Result<()> {
        let Some(was_low) = self.store.read(webhook::disk_is_low)? else { return Ok(()) };
        let is_low = free_bytes < if was_low { ENOUGH_BYTES } else { LOW_BYTES };
        if is_low == was_low {
            return Ok(());
        }
        let now = self.clock.now();
        let change = move |db: &Connection| {
            if is_low {
                outbox::add(db, Event::DiskLow { free_bytes }, now)?;
            }
            webhook::set_disk_is_low(db, is_low)
        };
        self.store.write(change).await
    }
}

/// Stores the outcome of an attempt.
fn record(db: &Connection, waiting: &Waiting, outcome: &Outcome, now: Timestamp) -> Result<()> {
    match outcome {
        Outcome::Delivered => {
            outbox::delete(db, waiting.row)?;
            webhook::record_success(db, now)
        }
        Outcome::Gone(reason) => webhook::set_gone(db, reason, now),
        Outcome::Failed(reason) => {
            let delay = usize::try_from(waiting.attempts).ok().and_then(|n| RETRY_SECONDS.get(n));
            match delay {
                Some(seconds) => {
                    let next = now.plus_seconds(with_jitter(*seconds));
                    outbox::postpone(db, waiting.row, waiting.attempts + 1, next)?;
                }
                None => {
                    outbox::delete(db, waiting.row)?;
                }
            }
            webhook::record_failure(db, reason, delay.is_none(), now)
        }
    }
}

/// Adds up to a fifth, so that messages that failed together do not come back together.
fn with_jitter(seconds: u32) -> u32 {
    seconds + rand::random_range(0..=seconds / 5)
}
