//! The import of another program's points, by an operator.

use serde_json::Value;

use super::Bottles;
use crate::domain::accounts::Login;
use crate::domain::events::Event;
use crate::domain::transfer::{ImportResult, insert_features};
use crate::model::error::{Error, Result};
use crate::store::action::Action;
use crate::store::audit_log::{self, NewEntry};
use crate::store::{sessions, transfer, users};

impl Bottles {
    /// Imports GeoJSON features as bottles of the account called `owner`, by default the operator's
    /// own, in one change. A trial returns what would be imported, and changes nothing. Returns
    /// [`Error::NoSuchUser`] if there is no such account.
    pub async fn import(
        &self,
        login: &Login,
        features: Vec<Value>,
        owner: Option<String>,
        is_trial: bool,
    ) -> Result<ImportResult> {
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, operator| {
            operator.check_operator()?;
            let owner = owner.as_deref().unwrap_or(&operator.username);
            let id = users::id_by_name(db, owner)?;
            id.ok_or_else(|| Error::NoSuchUser(owner.chars().take(64).collect()))?;
            if is_trial {
                return transfer::try_out(db, |db| insert_features(db, &features, owner, now));
            }
            let imported = insert_features(db, &features, owner, now)?;
            let detail = format!("{} → {owner}", imported.added);
            let entry = NewEntry::new(Some(&operator.username), Action::ImportBottles);
            audit_log::add(db, NewEntry { detail: Some(&detail), ..entry }, now)?;
            Ok(imported)
        });
        let (events, invalidate_expiry) = (self.events.clone(), self.expiry.invalidate());
        let publish = move |imported: &ImportResult| {
            if !is_trial && imported.added > 0 {
                invalidate_expiry();
                events.publish(Event::Reset);
            }
        };
        self.store.write_then(change, publish).await
    }
}
