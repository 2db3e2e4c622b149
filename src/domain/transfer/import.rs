//! Data that come in: what is there already stays as it is, so that the same file may come again.

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

/// So many rows are one transaction.
const ROWS_AT_ONCE: usize = 1000;

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many rows were added.
    pub added: u64,
    /// How many were there already.
    pub there: u64,
    /// Those that were left out, in the order of the first of each reason.
    pub left_out: Vec<LeftOut>,
}

/// Rows that were left out for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The first row's number in the file.
    pub first: u64,
    /// How many they are.
    pub count: u64,
    /// Why.
    pub why: String,
}

/// An import on its way.
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
    /// Into `store`, at the time `now`. Accounts come without passwords, and get `no_password` for
    /// their hash.
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

    /// The same, where the account called `username` owns the bottles that other programs wrote.
    /// [`Error::UnknownAccount`] if there is none.
    pub fn owned_by(mut self, username: &str) -> Result<Self> {
        self.store.read(|db| users::id_by_name(db, username))?.ok_or(Error::UnknownAccount)?;
        self.defaults.owner = Some(username.to_owned());
        Ok(self)
    }

    /// Takes what stands at this number of the file; whether it is time to write.
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

    /// Writes the rest.
    pub async fn end(mut self) -> Result<Imported> {
        self.write().await?;
        let mut left_out: Vec<LeftOut> = self.left_out.into_values().collect();
        left_out.sort_by_key(|left_out| left_out.first);
        Ok(Imported { added: self.added, there: self.there, left_out })
    }

    /// Writes what was taken, in one transaction.
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

/// The row that `value` is, or why it is none.
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
