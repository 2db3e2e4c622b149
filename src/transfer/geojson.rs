//! Bottles as GeoJSON (RFC 7946): a point each, one a line.

use std::io::Write;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::TransferError;
use crate::clock::Timestamp;
use crate::store::transfer::{self, Place, Record, Thrown, Whose};

/// A bottle on a map.
#[derive(Serialize, Deserialize)]
pub(super) struct Feature {
    r#type: FeatureType,
    geometry: Geometry,
    properties: Properties,
}

#[derive(Serialize, Deserialize)]
enum FeatureType {
    Feature,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "coordinates")]
enum Geometry {
    /// Longitude first.
    Point([f64; 2]),
}

#[derive(Serialize, Deserialize)]
struct Properties {
    bottle_id: i64,
    owner: String,
    content: String,
    #[serde(default)]
    style: i64,
    #[serde(default)]
    formatted_address: String,
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hidden_at: Option<Timestamp>,
}

impl From<Thrown> for Feature {
    fn from(bottle: Thrown) -> Self {
        Self {
            r#type: FeatureType::Feature,
            geometry: Geometry::Point([bottle.location.longitude, bottle.location.latitude]),
            properties: Properties {
                bottle_id: bottle.bottle_id,
                owner: bottle.owner,
                content: bottle.content,
                style: bottle.style,
                formatted_address: bottle.location.formatted_address,
                created_at: bottle.created_at,
                hidden_at: bottle.hidden_at,
            },
        }
    }
}

impl From<Feature> for Thrown {
    fn from(
        Feature { geometry: Geometry::Point([longitude, latitude]), properties, .. }: Feature,
    ) -> Self {
        let formatted_address = properties.formatted_address;
        Self {
            bottle_id: properties.bottle_id,
            owner: properties.owner,
            content: properties.content,
            style: properties.style,
            location: Place { formatted_address, latitude, longitude },
            created_at: properties.created_at,
            hidden_at: properties.hidden_at,
        }
    }
}

/// What a file of this format begins with, and ends with.
pub(super) const HEAD: &str = "{\"type\":\"FeatureCollection\",\"features\":[";
const TAIL: &str = "\n]}\n";

/// Writes the bottles; `told` is called for each row, also for those that have no place here.
pub(super) fn write(
    db: &Connection,
    whose: Whose,
    out: &mut impl Write,
    told: &mut impl FnMut(),
) -> Result<(), TransferError> {
    out.write_all(HEAD.as_bytes())?;
    let mut separator = "\n";
    transfer::each(db, whose, |record| {
        told();
        if let Record::Bottle(bottle) = record {
            out.write_all(separator.as_bytes())?;
            serde_json::to_writer(&mut *out, &Feature::from(bottle))?;
            separator = ",\n";
        }
        Ok::<_, TransferError>(())
    })?;
    Ok(out.write_all(TAIL.as_bytes())?)
}
