//! Reads the rows of a file one at a time, with bounded memory.

use std::fmt;
use std::io::{self, BufRead, Chain, Cursor, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{TransferError, geojson};
use crate::model::error::Error;

/// A file of rows.
pub struct Rows<R> {
    layout: Layout,
    /// The file from its beginning: the bytes that were read to detect its layout are chained in
    /// front.
    file: Chain<Cursor<Vec<u8>>, R>,
}

/// The layout of the rows in a file.
enum Layout {
    /// One row per line, as [`super::export`] writes both formats. A broken line affects no other.
    Lines,
    /// A GeoJSON collection of another program, with any white space.
    Features,
}

/// The byte order mark of UTF-8, with which some programs begin a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl<R: BufRead> Rows<R> {
    /// Detects the layout of `file`. Reads of a collection the members up to its `type` or
    /// `features`.
    pub fn detect(mut file: R) -> io::Result<Self> {
        let mut start = Vec::new();
        file.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut start)?;
        if start == BYTE_ORDER_MARK {
            start.clear();
        }
        let exported = format!("{}\n", geojson::HEAD).into_bytes();
        let missing = exported.len() - start.len();
        file.by_ref().take(missing as u64).read_to_end(&mut start)?;
        let layout = match start != exported && is_collection(&mut start, &mut file)? {
            true => Layout::Features,
            false => Layout::Lines,
        };
        Ok(Self { layout, file: Cursor::new(start).chain(file) })
    }

    /// Returns the word for a row, for messages.
    pub fn unit(&self) -> &'static str {
        match self.layout {
            Layout::Lines => "line",
            Layout::Features => "feature",
        }
    }

    /// Passes each row to `take` with its number, or with a message if it is invalid.
    pub fn for_each(self, take: &mut Take<'_>) -> Result<(), TransferError> {
        match self.layout {
            Layout::Lines => for_each_line(self.file, take),
            Layout::Features => for_each_feature(self.file, take),
        }
    }
}

/// Returns true if a file is a GeoJSON collection. The bytes that it reads are appended to `start`.
fn is_collection(start: &mut Vec<u8>, file: &mut impl Read) -> io::Result<bool> {
    let recorded = Cursor::new(start.clone());
    let mut json = serde_json::Deserializer::from_reader(recorded.chain(Recorder { file, start }));
    let mut is_collection = false;
    match json.deserialize_map(Head(&mut is_collection)) {
        Err(e) if e.is_io() => Err(e.into()),
        // The parser stops early at the decisive member, or the file is not an object.
        _ => Ok(is_collection),
    }
}

/// A reader that records what it reads.
struct Recorder<'a, R> {
    file: R,
    start: &'a mut Vec<u8>,
}

impl<R: Read> Read for Recorder<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.start.extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

/// Visits the members of an object up to the first that shows whether it is a collection.
struct Head<'a>(&'a mut bool);

impl<'de> Visitor<'de> for Head<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "features" => *self.0 = true,
                "type" => *self.0 = map.next_value::<Value>()? == "FeatureCollection",
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            }
            break;
        }
        Ok(())
    }
}

type Take<'a> = dyn FnMut(u64, Result<Value, String>) -> Result<(), Error> + 'a;

fn for_each_line(mut file: impl BufRead, take: &mut Take<'_>) -> Result<(), TransferError> {
    let mut line = Vec::new();
    let mut number = 0;
    while file.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        match str::from_utf8(&line).map(row_in) {
            Ok(None) => {}
            Ok(Some(row)) => {
                take(number, serde_json::from_str(row).map_err(|e| format!("not JSON: {e}")))?;
            }
            Err(_) => take(number, Err("not UTF-8".to_owned()))?,
        }
        line.clear();
    }
    Ok(())
}

/// Returns the row in a line; `None` for a line that is only a part of the collection around the
/// rows.
fn row_in(line: &str) -> Option<&str> {
    let line = line.trim();
    let row = line.strip_prefix(geojson::HEAD).unwrap_or(line).trim_end_matches(',').trim_end();
    Some(row).filter(|row| !row.is_empty() && *row != "]}")
}

fn for_each_feature(file: impl BufRead, take: &mut Take<'_>) -> Result<(), TransferError> {
    let mut features = Features { take, failed: None };
    let mut json = serde_json::Deserializer::from_reader(file);
    let read = json.deserialize_map(&mut features).and_then(|()| json.end());
    match features.failed {
        Some(e) => Err(e.into()),
        None => Ok(read?),
    }
}

/// Passes the features of a collection to `take` as they are read.
struct Features<'a, 'b> {
    take: &'a mut Take<'b>,
    /// The error of `take` that stopped the parser.
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
                let error = serde::de::Error::custom(&e);
                self.failed = Some(e);
                return Err(error);
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

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    type Numbered = (u64, Result<Value, String>);

    /// Reads all rows of `text`. Returns what they are called, and each with its number.
    fn rows(text: &str) -> (&'static str, Vec<Numbered>) {
        let rows = Rows::detect(text.as_bytes()).unwrap();
        let (unit, mut found) = (rows.unit(), Vec::new());
        rows.for_each(&mut |number, row| {
            found.push((number, row));
            Ok(())
        })
        .unwrap();
        (unit, found)
    }

    #[rstest]
    #[case::long_crs(format!(r#""type":"FeatureCollection","crs":{{"x":"{}"}},"#, "x".repeat(20_000)), "")]
    #[case::type_last(format!(r#""metadata":["{}"],"#, "x".repeat(20_000)), r#","type":"FeatureCollection""#)]
    #[case::no_type(format!(r#""name":"{}","#, "x".repeat(20_000)), "")]
    #[case::a_decoy(format!(r#""name":"\"features\":[","x":{{"features":[1]}},"y":"{}","#, "x".repeat(20_000)), "")]
    #[case::at_once(String::new(), "")]
    fn features_are_found_wherever_they_come(
        #[case] head: String,
        #[case] tail: &str,
        #[values(false, true)] laid_out: bool,
    ) {
        let features: Vec<Value> = (0..3).map(|n| json!({ "type": "Feature", "id": n })).collect();
        let mut text = format!("{{{head}\"features\":{}{tail}}}", json!(features));
        if laid_out {
            text = text.replace(',', ",\r\n\t").replace("[{", "[\n{");
        }
        let expected = (1..).zip(features.into_iter().map(Ok)).collect();
        assert_eq!(rows(&text), ("feature", expected));
    }

    #[test]
    fn a_row_a_line_may_be_joined_to_a_collection() {
        let expected = vec![(2, Ok(json!({ "n": 1 }))), (4, Ok(json!({ "n": 2 })))];
        let lines = format!("{}\n{{\"n\":1}},\n\n{{\"n\":2}}\n]}}\n", geojson::HEAD);
        assert_eq!(rows(&lines), ("line", expected.clone()));
        assert_eq!(rows("\u{feff}\n{\"n\":1}\n\n{\"n\":2}"), ("line", expected));
        let (_, broken) = rows("{\"n\":1}\n{\"n\":");
        assert!(broken[0].1.is_ok() && broken[1].1.is_err(), "{broken:?}");
    }
}
