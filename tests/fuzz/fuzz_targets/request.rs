//! Sends whole requests through Rocket: none may panic or return a 500, and every response must be JSON.

#![no_main]

use bottle::model::clock::Clock;
use bottle::server::config::{self, Settings};
use bottle::server::{self, AppState};
use bottle::store::{Options, Store};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::local::blocking::Client;

const METHODS: [Method; 6] =
    [Method::Get, Method::Post, Method::Put, Method::Delete, Method::Patch, Method::Options];

const PATHS: &[&str] = &[
    "/api/users",
    "/api/sessions",
    "/api/users/self",
    "/api/bottles",
    "/api/bottles/nearby",
    "/api/bottles/counts",
    "/api/bottles/created",
    "/api/bottles/opened",
    "/api/bottles/1/open",
    "/api/bottles/1/openers",
    "/users",
    "/bottles",
    "/user/register",
    "/user/login",
    "/user",
    "/card",
    "/card/1",
    "/member",
    "/division",
    "/api/user/register",
    "/api/user/login",
    "/api/user/profile",
    "/api/user/update",
    "/api/user/update/username",
    "/api/user/update/password",
    "/auth/register",
    "/auth/login",
    "/auth/password",
    "/auth/logout",
];

const FIELDS: &[&str] = &[
    "username",
    "password",
    "current_password",
    "nickname",
    "gender",
    "content",
    "style",
    "location",
    "latitude",
    "longitude",
    "latitude_span",
    "longitude_span",
    "zoom",
    "limit",
    "after",
    "name",
    "email",
    "new_nickname",
    "new_password",
    "avatar_url",
    "user_id",
    "terminal",
    "oldPassword",
    "newPassword",
    "formatted_address",
];

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
    method: u8,
    path: u8,
    more_path: &'a str,
    query: Vec<(u8, &'a str)>,
    headers: Vec<(u8, &'a str)>,
    logged_in: bool,
    body: Body<'a>,
}

/// Returns the item at this index, modulo the length of the list.
fn pick<T: Copy>(list: &[T], at: u8) -> T {
    list[usize::from(at) % list.len()]
}

struct Served {
    client: Client,
    /// Of the logged-in account `ada`.
    cookie: String,
    _folder: tempfile::TempDir,
}

thread_local! {
    /// One server for all requests.
    static SERVED: Served = serve();
}

fn serve() -> Served {
    // In memory, because the disk is not under test.
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder");
    let settings = Settings {
        argon2_memory_kib: 8,
        argon2_iterations: 1,
        login_attempts_per_minute: 0,
        registrations_per_minute: 0,
        throws_per_minute: 0,
        ..Settings::default()
    };
    let options = Options { readers: 2, long_readers: 1, busy_timeout: settings.busy_timeout(), slow: None };
    let store = Store::open(&folder.path().join("bottle.db"), &options).expect("a store");
    let sea = AppState::new(store.into(), Clock::default());
    let figment = config::figment().merge(("log_level", "off"));
    let client = Client::untracked(server::build(figment, &settings, sea)).expect("a server");
    let ada = r#"{"username":"ada","password":"pass"}"#;
    client.post("/api/users").header(ContentType::JSON).body(ada).dispatch();
    let login = client.post("/api/sessions").header(ContentType::JSON).body(ada).dispatch();
    assert_eq!(login.status(), Status::Ok);
    let cookie = login.headers().get_one("Set-Cookie").and_then(|cookie| cookie.split(';').next());
    let cookie = cookie.expect("a cookie").to_owned();
    drop(login);
    Served { client, cookie, _folder: folder }
}

fn json(fields: &[(u8, Value<'_>)]) -> Vec<u8> {
    let fields = fields.iter().map(|(name, value)| {
        let value = match value {
            Value::Null => serde_json::Value::Null,
            Value::True => true.into(),
            Value::Number(number) => (*number).into(),
            Value::Integer(number) => (*number).into(),
            Value::Text(text) => (*text).into(),
            Value::Place(latitude, longitude) => {
                serde_json::json!({ "latitude": latitude, "longitude": longitude })
            }
        };
        (pick(FIELDS, *name).to_owned(), value)
    });
    serde_json::Value::Object(fields.collect()).to_string().into_bytes()
}

fuzz_target!(|input: Input<'_>| SERVED.with(|served| ask(served, &input)));

fn ask(served: &Served, input: &Input<'_>) {
    let mut uri = format!("{}{}", pick(PATHS, input.path), input.more_path);
    for (n, (name, value)) in input.query.iter().enumerate() {
        let mark = if n == 0 { '?' } else { '&' };
        uri += &format!("{mark}{}={value}", pick(FIELDS, *name));
    }
    let mut request = served.client.req(pick(&METHODS, input.method), uri.as_str());
    let body = match &input.body {
        Body::Nothing => Vec::new(),
        Body::Raw(bytes) => bytes.to_vec(),
        Body::Json(fields) => json(fields),
    };
    request = request.header(ContentType::JSON).body(body);
    for (name, value) in &input.headers {
        request.add_header(Header::new(pick(HEADERS, *name), (*value).to_owned()));
    }
    if input.logged_in {
        request.add_header(Header::new("Cookie", served.cookie.clone()));
    }
    let answer = request.dispatch();
    let status = answer.status();
    assert_ne!(status, Status::InternalServerError, "{uri}");
    assert_eq!(answer.content_type(), Some(ContentType::JSON), "{uri}");
}
