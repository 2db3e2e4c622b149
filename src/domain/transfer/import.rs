//! Imports rows. Existing rows stay unchanged, so the same file can be imported again.

use std::collections::HashMap;
use std::mem::take;
use std::sync::Arc;

use serde_json::Value;

use super::adding::{Adding, Defaults, Failure, ImportIndex};
use super::geojson;
use super::incoming::Row;
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::store::transfer::Record;
use crate::store::{Store, users};

/// The number of rows per transaction.
const ROWS_AT_ONCE: usize = 1000;

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The number of added rows.
    pub added: u64,
    /// The number of rows that existed.
    pub there: u64,
    /// The rejected rows, in the order of the first of each reason.
    pub left_out: Vec<LeftOut>,
}

/// Rows that were rejected for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The number of the first one in the file.
    pub first: u64,
    /// The number of rows.
    pub count: u64,
    /// The reason.
    pub why: String,
}

/// An import in progress.
pub struct Import {
    store: Arc<Store>,
    waiting: Vec<(u64, Row)>,
    known: ImportIndex,
    defaults: Defaults,
    added: u64,
    there: u64,
    left_out: HashMap<String, LeftOut>,
}

impl Import {
    /// Creates an import into `store` at the time `now`. Accounts are exported without passwords,
    /// and get the hash `no_password`.
    pub fn new(store: Arc<Store>, no_password: String, now: Timestamp) -> Self {
        Self {
            store,
            waiting: Vec::new(),
            known: ImportIndex::default(),
            defaults: Defaults { owner: None, now, no_password },
            added: 0,
            there: 0,
            left_out: HashMap::new(),
        }
    }

    /// Makes the account called `username` the owner of bottles that other programs wrote. Returns
    /// [`Error::UnknownAccount`] if it does not exist.
    pub fn owned_by(mut self, username: &str) -> Result<Self> {
        self.store.read(|db| users::id_by_name(db, username))?.ok_or(Error::UnknownAccount)?;
        self.defaults.owner = Some(username.to_owned());
        Ok(self)
    }

    /// Adds the row with this number to the batch. Returns true if the batch is full.
    pub fn take(&mut self, number: u64, value: Result<Value, String>) -> bool {
        match value.and_then(row_of) {
            Ok(row) => self.waiting.push((number, row)),
            Err(why) => self.leave_out(number, why),
        }
        self.waiting.len() >= ROWS_AT_ONCE
    }

    fn leave_out(&mut self, number: u64, why: String) {
        let new = || LeftOut { first: number, count: 0, why: why.clone() };
        let left_out = self.left_out.entry(why.clone()).or_insert_with(new);
        left_out.count += 1;
        left_out.first = left_out.first.min(number);
    }

    /// Writes the last batch, and returns the result.
    pub async fn end(mut self) -> Result<Imported> {
        self.write().await?;
        let mut left_out: Vec<LeftOut> = self.left_out.into_values().collect();
        left_out.sort_by_key(|left_out| left_out.first);
        Ok(Imported { added: self.added, there: self.there, left_out })
    }

    /// Writes the batch in one transaction.
    pub async fn write(&mut self) -> Result<()> {
        let rows = take(&mut self.waiting);
        let mut known = take(&mut self.known);
        let defaults = self.defaults.clone();
        let written = self.store.write(move |db| {
            let (mut added, mut there, mut left_out) = (0, 0, Vec::new());
            let mut adding = Adding { db, known: &mut known, defaults: &defaults };
            for (number, row) in rows {
                match adding.add(&row) {
                    Ok(true) => added += 1,
                    Ok(false) => there += 1,
                    Err(Failure::Row(why)) => left_out.push((number, why)),
                    Err(Failure::Store(e)) => return Err(e),
                }
            }
            Ok((known, added, there, left_out))
        });
        let (known, added, there, left_out) = written.await?;
        self.known = known;
        self.added += added;
        self.there += there;
        left_out.into_iter().for_each(|(number, why)| self.leave_out(number, why));
        Ok(())
    }
}

/// Converts JSON to a row. Returns a message if that is impossible.
fn row_of(value: Value) -> Result<Row, String> {
    if value["type"] == "Feature" {
        return geojson::bottle(&value).map(Row::Bottle);
    }
    let record = serde_json::from_value(value).map_err(|e| e.to_string())?;
    Ok(match record {
        Record::User(person) => Row::User(person),
        Record::Bottle(bottle) => Row::Bottle(bottle.into()),
        Record::Opening(opening) => Row::Opening(opening),
    })
}
