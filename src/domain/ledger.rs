//! What a Ledger account has: cards, members and divisions.

use std::sync::Arc;

use crate::domain::accounts::{Account, Login};
use crate::model::clock::Clock;
use crate::model::error::Result;
use crate::model::fields::{Holding, HoldingName};
use crate::store::{Store, ledger, sessions};

/// All cards, members and divisions.
pub struct Holdings {
    store: Arc<Store>,
    clock: Clock,
}

impl Holdings {
    /// Those in `store`.
    pub fn new(store: Arc<Store>, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Adds one.
    pub async fn add(&self, login: &Login, kind: Holding, name: HoldingName) -> Result<()> {
        let change = sessions::authorized(login.session, &self.clock, move |db, owner| {
            ledger::insert(db, kind, owner.id, &name)
        });
        self.store.write(change).await
    }

    /// Id and name of each that `owner` has, oldest first.
    pub fn list(&self, kind: Holding, owner: &Account) -> Result<Vec<(i64, String)>> {
        self.store.read(|db| ledger::list(db, kind, owner.id))
    }

    /// Deletes one's own one.
    pub async fn remove(&self, login: &Login, kind: Holding, id: i64) -> Result<()> {
        let change = sessions::authorized(login.session, &self.clock, move |db, owner| {
            ledger::delete(db, kind, owner.id, id)
        });
        self.store.write(change).await
    }
}
