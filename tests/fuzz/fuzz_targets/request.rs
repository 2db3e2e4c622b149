//! Sends whole requests through Rocket, to every operation of the OpenAPI document: none may panic or return a
//! 500, and every response must be JSON, except for event streams.

#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bottle::model::clock::Clock;
use bottle::server::{self, AppState, config};
use bottle::store::{Options, Store};
use bottle_test_support::{document, fast_settings, store_options};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::local::blocking::Client;
use serde_json::Value as Json;

const METHODS: [Method; 6] =
    [Method::Get, Method::Post, Method::Put, Method::Delete, Method::Patch, Method::Options];

/// The operations of the OpenAPI document, which lists all that is mounted for programs.
static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    document::operations()
        .map(|(method, template, operation)| Operation {
            method: method.to_uppercase().parse().expect("a method"),
            path: fill(template),
            is_stream: operation["responses"]["200"]["content"].get("text/event-stream").is_some(),
        })
        .collect()
});

struct Operation {
    method: Method,
    path: String,
    /// True if a successful response is an event stream instead of JSON.
    is_stream: bool,
}

/// Returns a path whose parameters are the id 1.
fn fill(template: &str) -> String {
    let segment = |part: &str| if part.starts_with('{') { "1" } else { part }.to_owned();
    template.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// The names of all query parameters and of all fields of request bodies.
static FIELDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut names = BTreeSet::new();
    for (_, _, operation) in document::operations() {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let queried = parameters.filter(|parameter| parameter["in"] == "query");
        names.extend(queried.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)));
        add_fields(&operation["requestBody"], &mut names);
    }
    names.into_iter().collect()
});

/// Adds the names of the fields in a schema, and in all schemas that it refers to.
fn add_fields(schema: &Json, names: &mut BTreeSet<String>) {
    match schema {
        Json::Object(members) => {
            if let Some(Json::String(reference)) = members.get("$ref") {
                let target = document::DOCUMENT.pointer(reference.trim_start_matches('#'));
                add_fields(target.expect("a schema"), names);
            }
            if let Some(Json::Object(properties)) = members.get("properties") {
                names.extend(properties.keys().cloned());
            }
            members.values().for_each(|member| add_fields(member, names));
        }
        Json::Array(items) => items.iter().for_each(|item| add_fields(item, names)),
        _ => {}
    }
}

const HEADERS: &[&str] = &[
    "Cookie",
    "Authorization",
    "token",
    "Origin",
    "Sec-Fetch-Site",
    "Accept",
    "Content-Type",
    "X-Real-IP",
    "If-None-Match",
    "Accept-Encoding",
    "Host",
];

#[derive(Arbitrary, Debug)]
enum Value<'a> {
    Null,
    True,
    Number(f64),
    Integer(i64),
    Text(&'a str),
    Place(f64, f64),
}

#[derive(Arbitrary, Debug)]
enum Body<'a> {
    Nothing,
    Raw(&'a [u8]),
    Json(Vec<(u8, Value<'a>)>),
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    operation: u8,
    /// Instead of the operation's own.
    method: Option<u8>,
    more_path: &'a str,
    query: Vec<(u8, &'a str)>,
    headers: Vec<(u8, &'a str)>,
    logged_in: bool,
    body: Body<'a>,
}

/// Returns the item at this index, modulo the length of the list.
fn pick<T>(list: &[T], at: u8) -> &T {
    &list[usize::from(at) % list.len()]
}

struct Server {
    client: Client,
    /// Of the logged-in account `ada`.
    cookie: String,
    _folder: tempfile::TempDir,
}

thread_local! {
    /// One server for all requests.
    static SERVER: Server = start();
}

fn start() -> Server {
    // In memory, because the disk is not under test.
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder");
    let settings = fast_settings();
    let options = Options { readers: 2, ..store_options(&settings) };
    let store = Store::open(&folder.path().join("bottle.db"), &options).expect("a store");
    let state = AppState::new(store.into(), Clock::default());
    let figment = config::figment().merge(("log_level", "off"));
    let client = Client::untracked(server::build(figment, &settings, state)).expect("a server");
    let ada = r#"{"username":"ada","password":"pass"}"#;
    client.post("/api/users").header(ContentType::JSON).body(ada).dispatch();
    let login = client.post("/api/sessions").header(ContentType::JSON).body(ada).dispatch();
    assert_eq!(login.status(), Status::Ok);
    let cookie = login.headers().get_one("Set-Cookie").and_then(|cookie| cookie.split(';').next());
    let cookie = cookie.expect("a cookie").to_owned();
    drop(login);
    Server { client, cookie, _folder: folder }
}

fn json(fields: &[(u8, Value<'_>)]) -> Vec<u8> {
    let fields = fields.iter().map(|(name, value)| {
        let value = match value {
            Value::Null => Json::Null,
            Value::True => true.into(),
            Value::Number(number) => (*number).into(),
            Value::Integer(number) => (*number).into(),
            Value::Text(text) => (*text).into(),
            Value::Place(latitude, longitude) => {
                serde_json::json!({ "latitude": latitude, "longitude": longitude })
            }
        };
        (pick(&FIELDS, *name).clone(), value)
    });
    Json::Object(fields.collect()).to_string().into_bytes()
}

fuzz_target!(|input: Input<'_>| SERVER.with(|server| send(server, &input)));

fn send(server: &Server, input: &Input<'_>) {
    let operation = pick(&OPERATIONS, input.operation);
    let method = input.method.map_or(operation.method, |method| *pick(&METHODS, method));
    let mut uri = format!("{}{}", operation.path, input.more_path);
    for (n, (name, value)) in input.query.iter().enumerate() {
        let mark = if n == 0 { '?' } else { '&' };
        uri += &format!("{mark}{}={value}", pick(&FIELDS, *name));
    }
    let mut request = server.client.req(method, uri.as_str());
    let body = match &input.body {
        Body::Nothing => Vec::new(),
        Body::Raw(bytes) => bytes.to_vec(),
        Body::Json(fields) => json(fields),
    };
    request = request.header(ContentType::JSON).body(body);
    for (name, value) in &input.headers {
        request.add_header(Header::new(*pick(HEADERS, *name), (*value).to_owned()));
    }
    if input.logged_in {
        request.add_header(Header::new("Cookie", server.cookie.clone()));
    }
    let response = request.dispatch();
    let status = response.status();
    assert_ne!(status, Status::InternalServerError, "{uri}");
    let is_stream = operation.is_stream && status == Status::Ok;
    assert!(is_stream || response.content_type() == Some(ContentType::JSON), "{uri}");
}
