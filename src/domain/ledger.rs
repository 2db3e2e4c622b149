//! What a Ledger account has: cards, members and divisions.

use std::sync::Arc;

use crate::domain::accounts::Account;
use crate::model::error::Result;
use crate::model::fields::{Holding, HoldingName};
use crate::store::{Store, ledger};

/// All cards, members and divisions.
pub struct Holdings {
    store: Arc<Store>,
}

impl Holdings {
    /// Those in `store`.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Adds one.
    pub async fn add(&self, kind: Holding, owner: &Account, name: HoldingName) -> Result<()> {
        let owner = owner.id;
        self.store.write(move |db| ledger::insert(db, kind, owner, &name)).await
    }

    /// Id and name of each that `owner` has, oldest first.
    pub fn list(&self, kind: Holding, owner: &Account) -> Result<Vec<(i64, String)>> {
        self.store.read(|db| ledger::list(db, kind, owner.id))
    }

    /// Deletes one of `owner`'s.
    pub async fn remove(&self, kind: Holding, owner: &Account, id: i64) -> Result<()> {
        let owner = owner.id;
        self.store.write(move |db| ledger::delete(db, kind, owner, id)).await
    }
}
