//! Bottles as GeoJSON (RFC 7946): one point per line.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use super::TransferError;
use super::incoming::IncomingBottle;
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Problem};
use crate::store::Connection;
use crate::store::transfer::{self, ExportScope, Place, Record, Thrown};

/// A bottle as a GeoJSON feature.
#[derive(Serialize)]
struct Feature {
    r#type: &'static str,
    geometry: Geometry,
    properties: Properties,
}

#[derive(Serialize)]
struct Geometry {
    r#type: &'static str,
    /// Longitude, then latitude (RFC 7946, section 3.1.1).
    coordinates: [f64; 2],
}

#[derive(Serialize)]
struct Properties {
    bottle_id: i64,
    owner: String,
    content: String,
    style: i64,
    formatted_address: String,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open_within_m: Option<i64>,
}

impl From<Thrown> for Feature {
    fn from(bottle: Thrown) -> Self {
        let Place { formatted_address, latitude, longitude } = bottle.location;
        Self {
            r#type: "Feature",
            geometry: Geometry { r#type: "Point", coordinates: [longitude, latitude] },
            properties: Properties {
                bottle_id: bottle.bottle_id,
                owner: bottle.owner,
                content: bottle.content,
                style: bottle.style,
                formatted_address,
                created_at: bottle.created_at,
                hidden_at: bottle.hidden_at,
                expires_at: bottle.expires_at,
                ended_at: bottle.ended_at,
                open_within_m: bottle.open_within_m,
            },
        }
    }
}

/// Converts a feature, of any program, to a bottle. Returns a message if that is impossible.
pub(super) fn bottle(feature: &Value) -> Result<IncomingBottle, String> {
    let (latitude, longitude) = position(&feature["geometry"])?;
    let properties = &feature["properties"];
    let text = |name: &str| properties[name].as_str().filter(|text| !text.is_empty());
    let content = ["content", "name", "title", "description"].into_iter().find_map(text);
    let formatted_address = text("formatted_address").unwrap_or_default().to_owned();
    Ok(IncomingBottle {
        id: properties["bottle_id"].as_i64(),
        owner: text("owner").map(str::to_owned),
        content: content
            .ok_or("no property content, name, title or description is a text")?
            .to_owned(),
        style: style(&properties["style"])?,
        location: Place { formatted_address, latitude, longitude },
        created_at: time("created_at", properties)?,
        hidden_at: time("hidden_at", properties)?,
        expires_at: time("expires_at", properties)?,
        ended_at: time("ended_at", properties)?,
        open_within_m: properties["open_within_m"].as_i64(),
    })
}

/// Returns the latitude and longitude of a point. An altitude is ignored.
fn position(geometry: &Value) -> Result<(f64, f64), String> {
    match geometry["type"].as_str() {
        Some("Point") => {}
        Some(other) => return Err(format!("its geometry is a {other}, not a Point")),
        None => return Err("it has no geometry".to_owned()),
    }
    let coordinate = |n: usize| geometry["coordinates"][n].as_f64();
    coordinate(1)
        .zip(coordinate(0))
        .ok_or_else(|| "its coordinates are not a longitude and a latitude".to_owned())
}

fn style(value: &Value) -> Result<i64, String> {
    match value {
        Value::Null => Ok(0),
        style => {
            style.as_i64().ok_or_else(|| Error::field("style", Problem::WrongType).to_string())
        }
    }
}

fn time(name: &str, properties: &Value) -> Result<Option<Timestamp>, String> {
    serde_json::from_value(properties[name].clone())
        .map_err(|_| format!("{name} is not a time like 2026-01-31T12:00:00Z"))
}

/// The first line of an exported collection.
pub(super) const HEAD: &str = "{\"type\":\"FeatureCollection\",\"features\":[";
const TAIL: &str = "\n]}\n";

/// Writes the bottles of the guests of a class as a collection.
pub(super) fn write_class(
    db: &Connection,
    class: i64,
    out: &mut impl Write,
) -> Result<(), TransferError> {
    out.write_all(HEAD.as_bytes())?;
    let mut separator = "\n";
    transfer::for_each_of_class(db, class, |record| write_feature(record, &mut separator, out))?;
    Ok(out.write_all(TAIL.as_bytes())?)
}

/// Writes a bottle; leaves out other rows, which have no place.
fn write_feature(
    record: Record,
    separator: &mut &str,
    out: &mut impl Write,
) -> Result<(), TransferError> {
    if let Record::Bottle(bottle) = record {
        out.write_all(separator.as_bytes())?;
        serde_json::to_writer(&mut *out, &Feature::from(bottle))?;
        *separator = ",\n";
    }
    Ok(())
}

/// Writes the bottles as a collection. Calls `count_row` for each row, also for those without a
/// feature.
pub(super) fn write(
    db: &Connection,
    scope: ExportScope,
    out: &mut impl Write,
    count_row: &mut impl FnMut(),
) -> Result<(), TransferError> {
    out.write_all(HEAD.as_bytes())?;
    let mut separator = "\n";
    transfer::for_each(db, scope, |record| {
        count_row();
        write_feature(record, &mut separator, out)
    })?;
    Ok(out.write_all(TAIL.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn feature(geometry: &Value, properties: &Value) -> Value {
        json!({ "type": "Feature", "geometry": geometry, "properties": properties })
    }

    #[rstest]
    #[case::line(json!({ "type": "LineString", "coordinates": [[1, 2], [3, 4]] }), json!({ "name": "a" }), "LineString")]
    #[case::none(Value::Null, json!({ "name": "a" }), "geometry")]
    #[case::short(json!({ "type": "Point", "coordinates": [1] }), json!({ "name": "a" }), "coordinates")]
    #[case::words(json!({ "type": "Point", "coordinates": ["1", "2"] }), json!({ "name": "a" }), "coordinates")]
    #[case::no_text(json!({ "type": "Point", "coordinates": [1, 2] }), json!({ "title": "", "height": 3 }), "content, name, title or description")]
    #[case::no_properties(json!({ "type": "Point", "coordinates": [1, 2] }), Value::Null, "content, name, title or description")]
    #[case::time(json!({ "type": "Point", "coordinates": [1, 2] }), json!({ "name": "a", "created_at": "yesterday" }), "created_at")]
    #[case::style(json!({ "type": "Point", "coordinates": [1, 2] }), json!({ "name": "a", "style": "blue" }), "style")]
    fn a_feature_that_is_no_bottle_is_rejected(
        #[case] geometry: Value,
        #[case] properties: Value,
        #[case] reason: &str,
    ) {
        let error = bottle(&feature(&geometry, &properties)).err().unwrap();
        assert!(error.contains(reason), "{error}");
    }

    #[rstest]
    #[case(json!({ "name": "Well", "description": "deep" }), "Well")]
    #[case(json!({ "name": "", "title": "Bench" }), "Bench")]
    #[case(json!({ "name": 7, "description": "Tree" }), "Tree")]
    #[case(json!({ "content": "Ours", "name": "Theirs" }), "Ours")]
    fn a_message_is_the_first_text_among_the_properties(
        #[case] properties: Value,
        #[case] content: &str,
    ) {
        let point = json!({ "type": "Point", "coordinates": [1.5, 2.5, 812.25] });
        let bottle = bottle(&feature(&point, &properties)).unwrap();
        assert_eq!(bottle.content, content);
        assert_eq!((bottle.location.latitude, bottle.location.longitude), (2.5, 1.5));
    }
}
