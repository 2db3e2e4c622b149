//! The holdings of Ledger accounts: cards, members and divisions.

use std::sync::Arc;

use crate::domain::accounts::{Account, Login};
use crate::model::clock::Clock;
use crate::model::error::Result;
use crate::model::fields::{Holding, HoldingName};
use crate::store::{Store, ledger, sessions};

/// The holdings of a store.
pub struct Holdings {
    store: Arc<Store>,
    clock: Clock,
}

impl Holdings {
    /// Creates the holdings of `store`.
    pub fn new(store: Arc<Store>, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Adds a holding to the account.
    pub async fn add(&self, login: &Login, kind: Holding, name: HoldingName) -> Result<()> {
        let change = sessions::authorized(login.session, &self.clock, move |db, owner| {
            ledger::insert(db, kind, owner.id, &name)
        });
        self.store.write(change).await
    }

    /// Returns the id and name of each holding of `owner`, oldest first.
    pub fn list(&self, kind: Holding, owner: &Account) -> Result<Vec<(i64, String)>> {
        self.store.read(|db| ledger::list(db, kind, owner.id))
    }

    /// Deletes a holding of the account. Returns
    /// [`Error::NoSuchHolding`](crate::model::error::Error::NoSuchHolding) if it has none with this
    /// id.
    pub async fn remove(&self, login: &Login, kind: Holding, id: i64) -> Result<()> {
        let change = sessions::authorized(login.session, &self.clock, move |db, owner| {
            ledger::delete(db, kind, owner.id, id)
        });
        self.store.write(change).await
    }
}
