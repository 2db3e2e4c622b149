//! The first words of new bottles on a projector.

use super::{Action, Moderation};
use crate::domain::accounts::Login;
use crate::model::error::Result;
use crate::store::audit_log::NewEntry;
use crate::store::projector::{self, FirstWords};
use crate::store::{audit_log, sessions};

impl Moderation {
    /// Lets teachers show the first words of bottles that are thrown from now on, or ends that.
    pub async fn show_messages(&self, login: &Login, shown: bool) -> Result<()> {
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, teacher| {
            teacher.check_teacher()?;
            let action = if shown { Action::ShowMessages } else { Action::HideMessages };
            if projector::show_messages(db, shown)? {
                let name = Some(teacher.username.as_str());
                audit_log::add(db, NewEntry::new(name, action), now)?;
            }
            Ok(())
        });
        self.store.write(change).await
    }

    /// Returns true if teachers show the first words of new bottles.
    pub fn shows_messages(&self) -> Result<bool> {
        self.store.read(projector::shows_messages)
    }

    /// Returns the words of the latest bottles, the latest first; none unless they are shown.
    pub async fn first_words(&self) -> Result<Vec<FirstWords>> {
        self.expiry.end_due().await;
        self.store.read(projector::first_words)
    }
}
