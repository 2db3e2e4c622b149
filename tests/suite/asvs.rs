//! Requirements of `docs/asvs.md` that no test of another subject shows.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use bottle_test_support::App;
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::hostile::{known, stored};

#[test]
fn a_new_sea_has_no_accounts() {
    let app = App::new();
    let db = Connection::open(app.database()).unwrap();
    let count: i64 = db.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 0);
}

/// No rule about its characters, nothing cut off, nothing folded.
#[rstest]
#[case::all_alike("aaaaaaaa", &["aaaaaaa", "aaaaaaaaa", "AAAAAAAA"])]
#[case::spaces(" a b  c ", &["a b  c", " a b  c", " a b c "])]
#[case::any_script("雪🦀é\u{301}…\"\\", &["雪🦀\u{e9}\u{301}…\"", "雪🦀e\u{301}\u{301}…\"\\"])]
#[case::a_phrase_of_200(&"wave ".repeat(40), &[&*"wave ".repeat(39), &*"wave ".repeat(20)])]
fn a_password_is_taken_and_checked_as_it_stands(#[case] password: &str, #[case] near: &[&str]) {
    let app = App::new();
    let anon = app.anon();
    let ada = json!({ "username": "ada", "password": password });
    assert_eq!(anon.post("/api/users", &ada).status, 200);
    let log_in = |password: &str| {
        [
            ("/api/sessions", json!({ "username": "ada", "password": password })),
            ("/user/login", json!({ "name": "ada", "password": password })),
            ("/api/user/login", json!({ "email": "ada", "password": password })),
            ("/auth/login", json!({ "user_id": "ada", "password": password, "terminal": "t" })),
        ]
        .map(|(path, body)| anon.post(path, &body).status)
    };
    assert_eq!(log_in(password), [200; 4]);
    for near in near {
        assert_eq!(log_in(near), [403, 403, 400, 401], "{near}");
    }
}

/// No route that is documented for another method does anything when it is only read.
#[test]
fn to_read_changes_nothing() {
    let app = App::new();
    let ada = known(&app);
    let id = ada.throw(1.0, 1.0).to_string();
    let before = stored(&app);
    let mut paths = 0;
    for line in include_str!("../../docs/contracts.md").lines() {
        let Some((method, path)) = line.strip_prefix("| `").and_then(|line| line.split_once(' '))
        else {
            continue;
        };
        let path = path.split('`').next().unwrap().replace("<name>", "backup_hour");
        let path = path.replace("<id>", &id).replace("<_>", &id);
        if method != "GET" {
            paths += 1;
            for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
                ada.send(method, &path, &[], None);
            }
        }
    }
    assert!(paths > 20);
    assert_eq!(stored(&app), before);
}

#[rstest]
fn trace_is_refused(#[values("/", "/api/users/self", "/user", "/auth/login")] path: &str) {
    let app = App::new();
    let response = app.anon().send("TRACE", path, &[("X-Mark", "echoed")], None);
    assert!((400..500).contains(&response.status), "{}", response.status);
    assert!(!response.text.contains("echoed"));
}

/// A page of another origin gets no leave to read anything.
/// Neither lists of a folder, nor what lies beside the page, nor anything hidden.
#[test]
fn nothing_but_the_page_is_served() {
    let app = App::new();
    let client = app.anon();
    for path in [
        "/js/",
        "/js",
        "/vendor",
        "/.git/config",
        "/.env",
        "/../Cargo.toml",
        "/..%2fCargo.toml",
        "/%2e%2e/Cargo.toml",
        "/js/..%5c..%5cCargo.toml",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/bottle.db",
        "/Rocket.toml",
        "/js/main.js%00",
        "/c:/windows",
    ] {
        let response = client.get(path);
        assert!((400..500).contains(&response.status), "{path}: {}", response.status);
    }
}

#[test]
fn no_other_origin_may_read() {
    let app = App::new();
    let ada = app.user("ada");
    let headers =
        [("Origin", "https://elsewhere.example"), ("Access-Control-Request-Method", "PUT")];
    for method in ["GET", "OPTIONS"] {
        for path in ["/", "/api/users/self", "/api/settings", "/user", "/auth/login"] {
            let response = ada.send(method, path, &headers, None);
            let leave =
                response.headers.keys().find(|name| name.as_str().starts_with("access-control"));
            assert_eq!(leave, None, "{method} {path}");
        }
    }
}

#[test]
fn a_resource_of_another_account_is_not_reachable() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let id = ada.throw(1.0, 1.0);
    assert_eq!(bob.get(&format!("/api/bottles/{id}/openers")).status, 403);
    assert_eq!(bob.get("/api/bottles/created").data()["bottles"], json!([]));

    let ledger = |name: &str| {
        let login = json!({ "name": name, "password": "pass" });
        let jwt = app.anon().post("/user/login", &login).header("set-cookie").to_owned();
        let jwt = jwt.split(';').next().unwrap().to_owned();
        let mut client = app.anon();
        client.headers.push(("Cookie".into(), jwt));
        client
    };
    let (ada, bob) = (ledger("ada"), ledger("bob"));
    for kind in ["card", "member", "division"] {
        assert_eq!(ada.post(&format!("/{kind}"), &json!({ "name": "hers" })).status, 201);
        let id = ada.get(&format!("/{kind}")).data()[0]["id"].clone();
        assert_eq!(bob.get(&format!("/{kind}")).data(), json!([]));
        assert_eq!(bob.delete(&format!("/{kind}/{id}")).status, 404);
        assert_eq!(ada.get(&format!("/{kind}")).data()[0]["id"], id);
    }
}

/// Neither what others see nor what a body may set is more than the contract's fields.
#[test]
fn fields_are_shown_and_set_by_name() {
    let app = App::new();
    let (anon, bob) = (app.anon(), app.user("bob"));
    let kim = json!({ "nickname": "kim", "email": "kim@example.org", "password": "pass" });
    assert_eq!(anon.post("/api/user/register", &kim).status, 200);
    let mut kim = app.anon();
    kim.log_in("kim", "pass");
    let id = kim.post("/api/bottles", &json!({
        "bottle_id": 99, "owner_id": 1, "openers_count": 7, "created_at": "2000-01-01T00:00:00.000Z",
        "content": "c", "location": { "latitude": 1, "longitude": 1 }
    }));
    assert_eq!(id.data()["openers_count"], 0, "{}", id.text);
    assert_ne!(id.data()["bottle_id"], 99);
    let id = id.data()["bottle_id"].clone();

    let owner = bob.post(&format!("/api/bottles/{id}/open"), &json!({})).data()["owner"].clone();
    assert_eq!(names(&owner), ["gender", "nickname", "user_id", "username"]);
    let openers = kim.get(&format!("/api/bottles/{id}/openers")).data()["openers"].clone();
    assert_eq!(names(&openers[0]), ["gender", "nickname", "open_at", "user_id", "username"]);

    let before = bob.get("/api/users/self").data();
    let wanted = json!({
        "user_id": 99, "username": "root", "email": "a@example.org", "password_hash": "x",
        "password_version": 9, "created_at": "2000-01-01T00:00:00.000Z"
    });
    assert_eq!(bob.put("/api/users/self", &wanted).data(), before);
}

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Two servers in a row that disagree about where a message ends can be made to mix up two people's
/// requests. Chunks go before a length; what can be read in two ways is refused.
#[rstest]
#[case::chunks_before_length("Content-Length: 9999\r\nTransfer-Encoding: chunked", CHUNKED, 200)]
#[case::two_lengths("Content-Length: 36\r\nContent-Length: 3", ADA, 400)]
#[case::two_lengths_in_one("Content-Length: 36, 3", ADA, 400)]
#[case::signed("Content-Length: +36", ADA, 400)]
#[case::not_chunked("Transfer-Encoding: gzip", ADA, 400)]
#[case::chunked_twice("Transfer-Encoding: chunked, gzip", CHUNKED, 400)]
#[case::space_before_colon("Content-Length : 36", ADA, 400)]
#[case::folded("X: a\r\n b\r\nContent-Length: 36", ADA, 400)]
fn a_message_ends_in_one_place(#[case] headers: &str, #[case] body: &str, #[case] status: u16) {
    let app = App::new();
    let mut socket = app.connect();
    let head = "POST /api/users HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    socket.write_all(format!("{head}{headers}\r\n\r\n{body}").as_bytes()).unwrap();
    let mut response = String::new();
    let _ = socket.read_to_string(&mut response);
    assert_eq!(response.split(' ').nth(1), Some(&*status.to_string()), "{response}");
    assert_eq!(response.matches("HTTP/1.1").count(), 1, "{response}");
}

const ADA: &str = r#"{"username":"ada","password":"pass"}"#;
const CHUNKED: &str = "23\r\n{\"username\":\"ada\",\"password\":\"pass\"\r\n1\r\n}\r\n0\r\n\r\n";

/// The JavaScript files in a folder and in the folders below it.
fn scripts_in(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut scripts = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scripts.extend(scripts_in(path));
        } else {
            scripts.push(path);
        }
    }
    scripts
}

/// The page makes elements and sets their text: nothing that someone wrote is ever read as markup
/// or as a script.
#[test]
fn the_page_reads_no_text_as_markup() {
    let mut scripts = 0;
    for path in scripts_in("static/js").into_iter().chain(scripts_in("static/lang")) {
        let script = std::fs::read_to_string(&path).unwrap();
        for danger in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
            "setHTML",
            // Leaflet inserts these as markup.
            "addAttribution",
            "control.attribution",
            "bindPopup",
            "bindTooltip",
            " html:",
            "javascript:",
            "srcdoc",
            "postMessage",
            "__proto__",
            "location.href =",
        ] {
            assert!(!script.contains(danger), "{danger} in {}", path.display());
        }
        scripts += 1;
    }
    assert!(scripts > 20);
}

/// Hidden while they are typed, and open to pasting and to password managers.
#[test]
fn password_fields_are_hidden_and_open_to_managers() {
    let mut fields = 0;
    for path in scripts_in("static/js") {
        let script = std::fs::read_to_string(path).unwrap();
        assert!(!script.contains("onpaste") && !script.contains("'paste'"));
        for line in script.lines().filter(|line| line.contains("type: 'password'")) {
            assert!(line.contains("autocomplete: '"), "{line}");
            fields += 1;
        }
        for line in script.lines().filter(|line| line.contains("-password'")) {
            assert!(line.contains("type: 'password'"), "{line}");
        }
    }
    assert!(fields >= 3, "{fields}");
}

#[rstest]
#[case("/", "text/html; charset=utf-8")]
#[case("/js/main.js", "text/javascript; charset=utf-8")]
#[case("/img/favicon.svg", "image/svg+xml; charset=utf-8")]
#[case("/css/page.css", "text/css; charset=utf-8")]
#[case("/vendor/leaflet/LICENSE", "text/plain; charset=utf-8")]
#[case("/api/settings", "application/json")]
fn text_says_its_encoding(#[case] path: &str, #[case] kind: &str) {
    let response = App::new().anon().get(path);
    assert_eq!((response.status, response.header("content-type")), (200, kind));
}
