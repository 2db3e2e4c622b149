//! Takes messages from the outbox and delivers them.

use std::collections::HashMap;
use std::time::Duration;

use rocket::tokio::select;
use rocket::tokio::task::JoinSet;
use rocket::tokio::time::interval;

use super::Deliveries;
use crate::domain::webhook::{Outcome, Waiting};

/// The number of messages that are sent at one time.
const MAX_AT_ONCE: usize = 20;

type Sent = (Waiting, Outcome);

/// The messages on their way.
#[derive(Default)]
struct Progress {
    sending: JoinSet<Sent>,
    /// Whether a message is being sent (`None`), or its outcome is not stored yet, by row.
    taken: HashMap<i64, Option<Sent>>,
    /// True after the store failed, which is logged once.
    has_failed: bool,
}

impl Deliveries {
    /// Delivers messages within a second, until the future is dropped. A message whose outcome was
    /// not stored by then is sent again, with the same id, after the next start.
    pub async fn run(self) {
        let mut progress = Progress::default();
        let mut seconds = interval(Duration::from_secs(1));
        loop {
            select! {
                _ = seconds.tick() => {}
                Some(sent) = progress.sending.join_next() => progress.note(sent.ok()),
            }
            while let Some(sent) = progress.sending.try_join_next() {
                progress.note(sent.ok());
            }
            if let Err(e) = self.step(&mut progress).await {
                if !std::mem::replace(&mut progress.has_failed, true) {
                    tracing::warn!(
                        "cannot read or store what the webhook is sent: {e}; trying again each second"
                    );
                }
            } else {
                progress.has_failed = false;
            }
        }
    }

    /// Stores the outcomes, and then sends what is due.
    async fn step(&self, progress: &mut Progress) -> crate::model::error::Result<()> {
        let outcomes: Vec<Sent> = progress.taken.values().flatten().cloned().collect();
        if !outcomes.is_empty() {
            let rows: Vec<i64> = outcomes.iter().map(|(waiting, _)| waiting.row).collect();
            self.webhook.record(outcomes).await?;
            rows.iter().for_each(|row| drop(progress.taken.remove(row)));
        }
        let room = MAX_AT_ONCE.saturating_sub(progress.sending.len());
        if room == 0 {
            return Ok(());
        }
        // Those on their way are still in the outbox.
        let due = self.webhook.due(room + progress.taken.len())?;
        let Some((target, secret, due)) = due else { return Ok(()) };
        let due = due.into_iter().filter(|waiting| !progress.taken.contains_key(&waiting.row));
        for waiting in due.take(room).collect::<Vec<_>>() {
            progress.taken.insert(waiting.row, None);
            let (this, target, secret) = (self.clone(), target.clone(), secret.clone());
            progress.sending.spawn(async move {
                let (_, outcome) = this.send(&target, &secret, &waiting.message).await;
                log(&waiting, &outcome);
                (waiting, outcome)
            });
        }
        Ok(())
    }
}

impl Progress {
    /// Keeps an outcome until it is stored.
    fn note(&mut self, sent: Option<Sent>) {
        if let Some(sent) = sent {
            self.taken.insert(sent.0.row, Some(sent));
        }
    }
}

fn log(waiting: &Waiting, outcome: &Outcome) {
    let (id, attempt) = (&waiting.message.id, waiting.attempts + 1);
    match outcome {
        Outcome::Delivered => {}
        Outcome::Gone(reason) => {
            tracing::warn!("the webhook is switched off until an operator sets it again: {reason}");
        }
        Outcome::Failed(reason) => {
            tracing::warn!("attempt {attempt} to send {id} to the webhook failed: {reason}");
        }
    }
}
