//! The rows of a file, one at a time: however large it is, few of them are in memory.

use std::fmt;
use std::io::{self, BufRead};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{TransferError, geojson};
use crate::error::Error;

/// A file of rows.
pub enum Rows<R> {
    /// A row a line, as [`super::export`] writes both formats: a line that is broken spoils no other.
    Lines(R),
    /// A GeoJSON collection as other programs write it, laid out in any way.
    Features(R),
}

impl<R: BufRead> Rows<R> {
    /// The rows of `file`, by what it begins with.
    pub fn of(mut file: R) -> io::Result<Self> {
        let start = String::from_utf8_lossy(file.fill_buf()?).into_owned();
        let is_ours = start.strip_prefix(geojson::HEAD).is_some_and(|rest| rest.starts_with('\n'));
        let packed: String = start.split_whitespace().collect();
        let is_collection = packed.contains(r#""features":["#);
        Ok(if is_collection && !is_ours { Self::Features(file) } else { Self::Lines(file) })
    }

    /// What its rows are called.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Lines(_) => "line",
            Self::Features(_) => "feature",
        }
    }

    /// Gives each row to `take`, with its number, or why it is none.
    pub fn each(self, take: &mut Take<'_>) -> Result<(), TransferError> {
        match self {
            Self::Lines(file) => each_line(file, take),
            Self::Features(file) => each_feature(file, take),
        }
    }
}

type Take<'a> = dyn FnMut(u64, Result<Value, String>) -> Result<(), Error> + 'a;

fn each_line(mut file: impl BufRead, take: &mut Take<'_>) -> Result<(), TransferError> {
    let mut line = Vec::new();
    let mut number = 0;
    while file.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        if let Some(row) = row_in(&String::from_utf8_lossy(&line)) {
            take(number, serde_json::from_str(row).map_err(|e| format!("no JSON: {e}")))?;
        }
        line.clear();
    }
    Ok(())
}

/// What a line holds; nothing where it only holds the others together.
fn row_in(line: &str) -> Option<&str> {
    let line = line.trim();
    let row = line.strip_prefix(geojson::HEAD).unwrap_or(line).trim_end_matches(',').trim_end();
    Some(row).filter(|row| !row.is_empty() && *row != "]}")
}

fn each_feature(file: impl BufRead, take: &mut Take<'_>) -> Result<(), TransferError> {
    let mut features = Features { take, failed: None };
    let mut json = serde_json::Deserializer::from_reader(file);
    let read = json.deserialize_map(&mut features).and_then(|()| json.end());
    match features.failed {
        Some(e) => Err(e.into()),
        None => Ok(read?),
    }
}

/// A collection's features, taken as they are read.
struct Features<'a, 'b> {
    take: &'a mut Take<'b>,
    /// Why one could not be taken.
    failed: Option<Error>,
}

impl<'de> Visitor<'de> for &mut Features<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a GeoJSON collection with a list of features")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "features" => map.next_value_seed(&mut *self)?,
                _ => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut features: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(feature) = features.next_element::<Value>()? {
            number += 1;
            if let Err(e) = (self.take)(number, Ok(feature)) {
                let told = serde::de::Error::custom(&e);
                self.failed = Some(e);
                return Err(told);
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Features<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}
