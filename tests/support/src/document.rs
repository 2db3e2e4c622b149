//! The OpenAPI document, and the check of every response against it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::Response;

/// The OpenAPI document of this build.
pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(bottle::server::openapi::document()).unwrap());

/// The statuses that `default` covers.
const DEFAULT_STATUSES: [&str; 7] = ["400", "403", "413", "415", "429", "500", "503"];

/// A method, a path template of the document, and a status.
pub type ResponseKey = (String, String, String);

/// The documented responses that this process has received and checked.
pub static CHECKED: LazyLock<Mutex<BTreeSet<ResponseKey>>> = LazyLock::new(Mutex::default);

/// Panics if the document does not contain this response.
#[track_caller]
pub(crate) fn check(method: &str, path: &str, response: &Response) {
    let Some((template, operation)) = find(method, path) else { return };
    let status = response.status.to_string();
    let responses = &operation["responses"];
    let key = if responses.get(&status).is_some() { &status } else { "default" };
    let is_documented = key != "default" || DEFAULT_STATUSES.contains(&status.as_str());
    assert!(is_documented, "the document has no {status} for {method} {template}");
    // Another form of a response in JSON, such as a file, cannot be held against a schema.
    let kind = response.header("content-type").split(';').next().unwrap_or_default();
    let contents = &responses[key]["content"];
    let is_json = kind == "application/json"
        || kind.ends_with("+json") && contents.get("application/json").is_none();
    let is_other_form = !is_json && contents.get(kind).is_some();
    let key = (method.to_owned(), template.to_owned(), key.to_owned());
    if is_other_form || response.status == 304 {
        CHECKED.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        return;
    }
    let validator = validator(&key, &responses[&key.2]);
    let body = response.json();
    if let Err(e) = validator.validate(&body) {
        panic!("{method} {path}, {status}: {e} at {}: {}", e.instance_path(), response.text);
    }
    CHECKED.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
}

/// Returns every operation: its method in lower case, its path template, and its description.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(|(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

/// Returns the method and path template of the operations that satisfy `predicate`.
pub fn operations_with(predicate: impl Fn(&Value) -> bool) -> BTreeSet<(String, String)> {
    operations()
        .filter(|(_, _, operation)| predicate(operation))
        .map(|(method, path, _)| (method.to_uppercase(), path.to_owned()))
        .collect()
}

/// Returns the method and path template of the operation that handles a request.
pub fn operation_for(method: &str, path: &str) -> (String, String) {
    let (template, _) = find(method, path).unwrap_or_else(|| panic!("no {method} {path}"));
    (method.to_owned(), template.to_owned())
}

/// Finds the operation that handles a request. A template without parameters goes first.
fn find(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let path = path.split('?').next()?;
    let segments = |path: &'_ str| {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let given = segments(path);
    let matches = |template: &str| {
        let segments = segments(template);
        let mut pairs = segments.iter().zip(&given);
        segments.len() == given.len()
            && pairs.all(|(segment, text)| segment == text || segment.starts_with('{'))
    };
    let paths = DOCUMENT["paths"].as_object()?;
    let found = paths.iter().filter(|(template, _)| matches(template));
    let (template, item) = found.min_by_key(|(template, _)| template.matches('{').count())?;
    Some((template, item.get(method.to_lowercase())?))
}

/// Returns the validator of a response, which rejects fields that the document does not name.
fn validator(key: &ResponseKey, response: &Value) -> Arc<Validator> {
    static CACHE: LazyLock<Mutex<HashMap<ResponseKey, Arc<Validator>>>> =
        LazyLock::new(Mutex::default);
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let validator = cache.entry(key.clone()).or_insert_with(|| {
        let contents = response["content"].as_object().unwrap();
        let content = contents.get("application/json").or(contents.values().next()).unwrap();
        let mut schema = content["schema"].clone();
        let mut components = DOCUMENT["components"].clone();
        for schema in components["schemas"].as_object_mut().unwrap().values_mut() {
            forbid_unnamed_fields(schema, false);
        }
        forbid_unnamed_fields(&mut schema, true);
        schema["components"] = components;
        Arc::new(jsonschema::draft202012::new(&schema).unwrap())
    });
    Arc::clone(validator)
}

/// Forbids fields that the schema does not name, below it, and in it if it is `whole`: not one part of
/// an `allOf`, `oneOf` or `anyOf`.
fn forbid_unnamed_fields(schema: &mut Value, whole: bool) {
    let Some(schema) = schema.as_object_mut() else { return };
    for parts in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get_mut(parts).and_then(Value::as_array_mut).into_iter().flatten() {
            forbid_unnamed_fields(part, false);
        }
    }
    for value in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        forbid_unnamed_fields(value.1, true);
    }
    if let Some(items) = schema.get_mut("items") {
        forbid_unnamed_fields(items, true);
    }
    if whole {
        schema.insert("unevaluatedProperties".into(), json!(false));
    }
}
