//! The secret of a feed: who gets one, when it ends, and where it is not.

use bottle_test_support::{App, Client, Program, Response, bottle, run_ok};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::json;

use crate::classes::{self, guest};
use crate::feeds::{WORLD, make};
use crate::registration::status_of;

/// Each role on each route that manages a feed.
#[test]
fn every_account_but_a_guests_has_a_feed() {
    let app = App::new();
    let grace = app.teacher("grace");
    let code = classes::open(&grace, 5)["code"].as_str().unwrap().to_owned();
    let zoe = guest(&app, &code, "Zoe");
    for client in [&grace, &app.user("ada"), &app.operator("root")] {
        let none = json!({ "active": false, "created_at": null });
        assert_eq!(client.get("/api/feed").data(), none);
        let links = make(client);
        assert_eq!(client.get("/api/feed").data()["active"], true);
        assert_eq!(app.anon().get(&links.inbox).status, 200);
        assert_eq!(client.delete("/api/feed").status, 200);
        assert_eq!(client.get("/api/feed").data(), none);
        assert_eq!(app.anon().get(&links.inbox).status, 404);
        assert_eq!(client.delete("/api/feed").status, 200, "there is none to end");
    }
    assert_eq!(status_of(&zoe.post("/api/feed", &json!({}))), (403, "GUEST".to_owned()));
    assert_eq!(zoe.get("/api/feed").status, 200);
    for (method, path) in [("GET", "/api/feed"), ("POST", "/api/feed"), ("DELETE", "/api/feed")] {
        assert_eq!(app.anon().send(method, path, &[], None).status, 401, "{method}");
    }
}

/// Ends the feed of ada in this way.
fn end(app: &App, ada: &Client, way: &str) {
    let response = match way {
        "revoked" => ada.delete("/api/feed"),
        "replaced" => ada.post("/api/feed", &json!({})),
        "new password" => {
            let change = json!({ "password": "newer", "current_password": "pass" });
            ada.put("/api/users/self", &change)
        }
        "logged out everywhere" => ada.delete("/api/sessions"),
        "logged out by the operator" => {
            run_ok(app.folder(), &["user", "logout", "ada"]);
            return;
        }
        _ => ada.json("DELETE", "/api/users/self", &json!({ "password": "pass" })),
    };
    assert_eq!(response.status, 200, "{way}: {}", response.text);
}

/// A feed that has ended is answered as one that never was.
#[rstest]
fn a_feed_ends(
    #[values(
        "revoked",
        "replaced",
        "new password",
        "logged out everywhere",
        "logged out by the operator",
        "deleted"
    )]
    way: &str,
) {
    let app = App::new();
    let ada = app.user("ada");
    let links = make(&ada);
    assert_eq!(app.anon().get(&links.inbox).status, 200);
    end(&app, &ada, way);
    let wrong = "0".repeat(32);
    for path in [links.inbox, links.nearby] {
        let secret = path.split('/').nth(2).unwrap();
        let ended = app.anon().get(&path);
        let never = app.anon().get(&path.replace(secret, &wrong));
        assert_eq!(ended.status, 404, "{}", ended.text);
        assert_eq!((ended.status, &ended.text), (never.status, &never.text));
        let names = |response: &Response| {
            let mut names: Vec<_> = response.headers.keys().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert_eq!(names(&ended), names(&never));
    }
}

#[rstest]
#[case("x")]
#[case("%00")]
#[case("..")]
#[case(&"x".repeat(3000))]
fn a_wrong_secret_is_no_feed(#[case] secret: &str) {
    let app = App::new();
    make(&app.user("ada"));
    for file in ["inbox.atom", "nearby.geojson", "other"] {
        let response = app.anon().get(&format!("/feeds/{secret}/{file}?{WORLD}"));
        assert_eq!(response.status, 404, "{file}: {}", response.text);
    }
}

/// A feed only reads its two documents: neither its secret nor a token is a credential elsewhere.
#[test]
fn a_secret_is_good_for_its_feed_only() {
    let app = App::new();
    let ada = app.user("ada");
    let links = make(&ada);
    let secret = links.inbox.split('/').nth(2).unwrap().to_owned();
    let mut client = app.anon();
    client.headers.push(("Authorization".into(), format!("Bearer bottle_{secret}")));
    assert_eq!(client.get("/api/users/self").status, 401);
    for method in ["POST", "PUT", "DELETE"] {
        assert!(app.anon().send(method, &links.inbox, &[], None).status >= 400, "{method}");
    }
    let token = crate::tokens::make(&ada, "full");
    let token = token["token"].as_str().unwrap().strip_prefix("bottle_").unwrap().to_owned();
    assert_eq!(app.anon().get(&links.inbox.replace(&secret, &token)).status, 404);
}

#[test]
fn only_the_hash_of_a_secret_is_stored() {
    let app = App::new();
    let links = make(&app.user("ada"));
    let secret = links.inbox.split('/').nth(2).unwrap();
    assert_eq!(secret.len(), 32);
    for entry in std::fs::read_dir(app.folder()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
    let db = Connection::open(app.database()).unwrap();
    let length: i64 =
        db.query_row("SELECT length(token_hash) FROM feeds", [], |row| row.get(0)).unwrap();
    assert_eq!(length, 32);
}

/// Whatever the level, and however the client spells the path.
#[rstest]
fn no_log_holds_the_secret(#[values("normal", "debug")] level: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_LOG_LEVEL", level);
    let mut program = Program::start(command);
    let [printed, log] = program.read_pipes();
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    let links = make(&ada);
    let secret = links.inbox.split('/').nth(2).unwrap().to_owned();
    assert_eq!(program.client().get(&links.inbox).status, 200);
    assert_eq!(program.client().get(&links.nearby).status, 200);
    for odd in [
        format!("//feeds//{secret}/inbox.atom"),
        format!("/%66eeds/{secret}/inbox.atom"),
        format!("/feeds/{secret}"),
        format!("/feeds/{secret}/other"),
    ] {
        program.client().get(&odd);
    }
    program.client().send("POST", &links.inbox, &[], None);
    program.signal("TERM");
    program.status();
    let logged = printed.join().unwrap() + &log.join().unwrap();
    assert!(logged.contains("GET /feeds/-/inbox.atom 200"), "{logged}");
    assert!(!logged.contains(&secret), "{logged}");
}
