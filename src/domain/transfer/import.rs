//! Imports rows. Existing rows stay unchanged, so the same file can be imported again.

use std::collections::HashMap;
use std::mem::take;
use std::sync::Arc;

use serde_json::Value;

use super::geojson;
use super::incoming::Row;
use super::inserter::{Defaults, Failure, ImportIndex, Inserter};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::store::transfer::{self, Record};
use crate::store::{Store, users};

/// The number of rows per transaction.
const ROWS_PER_TRANSACTION: usize = 1000;

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportResult {
    /// The number of added rows.
    pub added: u64,
    /// The number of rows that existed.
    pub existing: u64,
    /// The rejected rows, in the order of the first of each reason.
    pub rejected: Vec<RejectedRows>,
}

/// Rows that were rejected for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRows {
    /// The number of the first one in the file.
    pub first: u64,
    /// The number of rows.
    pub count: u64,
    /// The reason.
    pub reason: String,
}

/// The rejected rows by their reasons.
#[derive(Default)]
pub(super) struct Rejections(HashMap<String, RejectedRows>);

impl Rejections {
    pub(super) fn add(&mut self, number: u64, reason: String) {
        let new = || RejectedRows { first: number, count: 0, reason: reason.clone() };
        let rejected = self.0.entry(reason.clone()).or_insert_with(new);
        rejected.count += 1;
        rejected.first = rejected.first.min(number);
    }

    /// Returns them in the order of the first row of each reason.
    pub(super) fn into_list(self) -> Vec<RejectedRows> {
        let mut rejected: Vec<RejectedRows> = self.0.into_values().collect();
        rejected.sort_by_key(|rejected| rejected.first);
        rejected
    }
}

/// An import in progress.
pub struct Import {
    store: Arc<Store>,
    batch: Vec<(u64, Row)>,
    index: ImportIndex,
    defaults: Defaults,
    added: u64,
    /// The number of added bottles that are on the sea.
    added_to_sea: u64,
    existing: u64,
    rejections: Rejections,
}

impl Import {
    /// Creates an import into `store` at the time `now`. Accounts are exported without passwords,
    /// and get the hash `unusable_hash`.
    pub fn new(store: Arc<Store>, unusable_hash: String, now: Timestamp) -> Self {
        Self {
            store,
            batch: Vec::new(),
            index: ImportIndex::default(),
            defaults: Defaults { owner: None, now, unusable_hash },
            added: 0,
            added_to_sea: 0,
            existing: 0,
            rejections: Rejections::default(),
        }
    }

    /// Makes the account called `username` the owner of bottles that other programs wrote. Returns
    /// [`Error::UnknownAccount`] if it does not exist.
    pub fn with_owner(mut self, username: &str) -> Result<Self> {
        self.store.read(|db| users::id_by_name(db, username))?.ok_or(Error::UnknownAccount)?;
        self.defaults.owner = Some(username.to_owned());
        Ok(self)
    }

    /// Adds the row with this number to the batch. Returns true if the batch is full.
    pub fn push(&mut self, number: u64, value: Result<Value, String>) -> bool {
        match value.and_then(row_of) {
            Ok(row) => self.batch.push((number, row)),
            Err(reason) => self.rejections.add(number, reason),
        }
        self.batch.len() >= ROWS_PER_TRANSACTION
    }

    /// Writes the last batch, packs the R*-tree if most of its bottles are new, and returns the
    /// result.
    pub async fn finish(mut self) -> Result<ImportResult> {
        self.write_batch(true).await?;
        let rejected = self.rejections.into_list();
        Ok(ImportResult { added: self.added, existing: self.existing, rejected })
    }

    /// Writes the batch in one transaction.
    pub async fn flush(&mut self) -> Result<()> {
        self.write_batch(false).await
    }

    async fn write_batch(&mut self, is_last: bool) -> Result<()> {
        let rows = take(&mut self.batch);
        let earlier = self.added_to_sea;
        let mut index = take(&mut self.index);
        let defaults = self.defaults.clone();
        let written = self.store.write(move |db| {
            let (mut added, mut added_to_sea, mut existing, mut rejected) = (0, 0, 0, Vec::new());
            let mut inserter = Inserter { db, index: &mut index, defaults: &defaults };
            for (number, row) in rows {
                match inserter.insert(&row) {
                    Ok(true) => {
                        added += 1;
                        added_to_sea += u64::from(row.is_on_sea());
                    }
                    Ok(false) => existing += 1,
                    Err(Failure::Row(reason)) => rejected.push((number, reason)),
                    Err(Failure::Store(e)) => return Err(e),
                }
            }
            if is_last {
                transfer::pack_after_import(db, earlier + added_to_sea)?;
            }
            Ok((index, added, added_to_sea, existing, rejected))
        });
        let (index, added, added_to_sea, existing, rejected) = written.await?;
        self.index = index;
        self.added += added;
        self.added_to_sea += added_to_sea;
        self.existing += existing;
        rejected.into_iter().for_each(|(number, reason)| self.rejections.add(number, reason));
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
        Record::Reply(reply) => Row::Reply(reply),
        Record::Block(block) => Row::Block(block),
    })
}
