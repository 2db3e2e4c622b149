//! JSON in which an array never stands for an object.
//!
//! The `Deserialize` that serde derives for a struct reads its fields from an object by name, or
//! from an array by order. No contract documents the latter.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

/// Deserializes a JSON value, and rejects an array in place of a struct at any depth.
pub(super) struct StrictJson(pub(super) Value);

impl<'de> IntoDeserializer<'de, Error> for StrictJson {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for StrictJson {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(map) => {
                let entries = map.into_iter().map(|(key, value)| (key, Self(value)));
                visitor.visit_map(MapDeserializer::new(entries))
            }
            Value::Array(items) => {
                visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Self)))
            }
            scalar => scalar.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(_) => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::StrictJson;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Place {
        x: Option<f64>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Body {
        place: Option<Place>,
        #[serde(default)]
        places: Vec<Place>,
        #[serde(default)]
        wrapped: Option<Wrapped>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(Place);

    fn parse(value: Value) -> Result<Body, String> {
        serde_path_to_error::deserialize(StrictJson(value)).map_err(|e| e.path().to_string())
    }

    #[rstest]
    #[case::top(json!([null]), ".")]
    #[case::field(json!({ "place": [1.0] }), "place")]
    #[case::empty(json!({ "place": [] }), "place")]
    #[case::in_a_list(json!({ "places": [{ "x": 1.0 }, [1.0]] }), "places[1]")]
    #[case::in_a_wrapper(json!({ "wrapped": [1.0] }), "wrapped")]
    #[case::wrong_type(json!({ "place": { "x": "1" } }), "place.x")]
    fn an_array_in_place_of_an_object_is_rejected(#[case] value: Value, #[case] path: &str) {
        assert_eq!(parse(value), Err(path.to_owned()));
    }

    #[test]
    fn objects_lists_and_unknown_fields_are_read() {
        let value = json!({
            "place": { "x": 1, "y": [[1], { "z": [] }] }, "places": [{ "x": null }, {}], "more": [1]
        });
        let none = || Place { x: None };
        let read = Body {
            place: Some(Place { x: Some(1.0) }),
            places: vec![none(), none()],
            wrapped: None,
        };
        assert_eq!(parse(value), Ok(read));
    }
}
