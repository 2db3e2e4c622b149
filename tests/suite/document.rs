//! The OpenAPI document, and whether an answer is one that it names.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::app::Answer;

pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(bottle::server::openapi::document()).unwrap());

/// What `default` stands for in the document.
const ANY_OTHER: [&str; 7] = ["400", "403", "413", "415", "429", "500", "503"];

/// A method and a path as the document has it, and a status.
pub(crate) type Place = (String, String, String);

/// Where an answer was held so far.
pub(crate) static SEEN: LazyLock<Mutex<BTreeSet<Place>>> = LazyLock::new(Mutex::default);

/// Fails if `answer` is not one that the document names.
#[track_caller]
pub(crate) fn hold(method: &str, path: &str, answer: &Answer) {
    let Some((template, operation)) = operation(method, path) else { return };
    let status = answer.status.to_string();
    let told = if operation["responses"].get(&status).is_some() { &status } else { "default" };
    let named = told != "default" || ANY_OTHER.contains(&status.as_str());
    assert!(named, "the document has no {status} for {method} {template}");
    let place = (method.to_owned(), template.to_owned(), told.to_owned());
    let validator = validator(&place, &operation["responses"][told]);
    let body = answer.json();
    if let Err(e) = validator.validate(&body) {
        panic!("{method} {path}, {status}: {e} at {}: {}", e.instance_path(), answer.text);
    }
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
}

/// Every operation: its method in lower case, its path, and what the document says of it.
pub(crate) fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(|(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

/// The operations that the document says this of, each as its method and path.
pub(crate) fn operations_with(is_so: impl Fn(&Value) -> bool) -> BTreeSet<(String, String)> {
    operations()
        .filter(|(_, _, operation)| is_so(operation))
        .map(|(method, path, _)| (method.to_uppercase(), path.to_owned()))
        .collect()
}

/// The operation that a request is for, by its method and path in the document.
pub(crate) fn named(method: &str, path: &str) -> (String, String) {
    let (template, _) = operation(method, path).unwrap_or_else(|| panic!("no {method} {path}"));
    (method.to_owned(), template.to_owned())
}

/// The operation that a request is for. A path that is named as it stands goes before a pattern.
fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let path = path.split('?').next()?;
    let parts = |path: &'_ str| {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let given = parts(path);
    let fits = |template: &str| {
        let parts = parts(template);
        let mut pairs = parts.iter().zip(&given);
        parts.len() == given.len()
            && pairs.all(|(part, text)| part == text || part.starts_with('{'))
    };
    let paths = DOCUMENT["paths"].as_object()?;
    let found = paths.iter().filter(|(template, _)| fits(template));
    let (template, item) = found.min_by_key(|(template, _)| template.matches('{').count())?;
    Some((template, item.get(method.to_lowercase())?))
}

/// What checks an answer at `place`, with the same strictness for fields that are not named.
fn validator(place: &Place, response: &Value) -> Arc<Validator> {
    static KNOWN: LazyLock<Mutex<HashMap<Place, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let made = known.entry(place.clone()).or_insert_with(|| {
        let mut schema = response["content"]["application/json"]["schema"].clone();
        let mut components = DOCUMENT["components"].clone();
        for schema in components["schemas"].as_object_mut().unwrap().values_mut() {
            close(schema, false);
        }
        close(&mut schema, true);
        schema["components"] = components;
        Arc::new(jsonschema::draft202012::new(&schema).unwrap())
    });
    Arc::clone(made)
}

/// Forbids fields that the schema does not name, in it (if it is `whole`, and not a part of
/// another) and below.
fn close(schema: &mut Value, whole: bool) {
    let Some(schema) = schema.as_object_mut() else { return };
    for parts in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get_mut(parts).and_then(Value::as_array_mut).into_iter().flatten() {
            close(part, false);
        }
    }
    for value in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        close(value.1, true);
    }
    if let Some(items) = schema.get_mut("items") {
        close(items, true);
    }
    if whole {
        schema.insert("unevaluatedProperties".into(), json!(false));
    }
}
