//! Points of another program that are imported at once, as bottles of one account.

use serde_json::Value;

use super::geojson;
use super::import::{ImportResult, Rejections};
use super::incoming::{IncomingBottle, Row};
use super::inserter::{Defaults, Failure, ImportIndex, Inserter};
use crate::model::clock::Timestamp;
use crate::model::error::Result;
use crate::store::Connection;

/// Inserts features as bottles of the account called `owner`, which exists. Owners and ids in the
/// features do not count. A feature that is no bottle is rejected with a reason.
pub fn insert_features(
    db: &Connection,
    features: &[Value],
    owner: &str,
    now: Timestamp,
) -> Result<ImportResult> {
    let mut index = ImportIndex::default();
    // No account is created, so none needs a hash.
    let defaults = Defaults { owner: Some(owner.to_owned()), now, unusable_hash: String::new() };
    let mut inserter = Inserter { db, index: &mut index, defaults: &defaults };
    let (mut added, mut existing, mut rejections) = (0, 0, Rejections::default());
    for (number, feature) in (1..).zip(features) {
        let bottle = match geojson::bottle(feature) {
            Ok(bottle) => IncomingBottle { id: None, owner: None, ..bottle },
            Err(reason) => {
                rejections.add(number, reason);
                continue;
            }
        };
        match inserter.insert(&Row::Bottle(bottle)) {
            Ok(true) => added += 1,
            Ok(false) => existing += 1,
            Err(Failure::Row(reason)) => rejections.add(number, reason),
            Err(Failure::Store(e)) => return Err(e),
        }
    }
    Ok(ImportResult { added, existing, rejected: rejections.into_list() })
}
