//! The log of what teachers and operators did.

use std::time::Duration;

use bottle_test_support::{App, Client, run_ok, run_ok_with_input};
use rstest::rstest;
use serde_json::{Value, json};

use crate::registration::{invite, set};

fn entries(root: &Client, query: &str) -> Vec<Value> {
    root.get(&format!("/api/admin/log{query}")).data()["entries"].as_array().unwrap().clone()
}

/// Returns the actor, the action, the account and the detail of each entry, oldest first.
fn summary(root: &Client) -> Vec<[Value; 4]> {
    let summary =
        |entry: &Value| ["actor", "action", "username", "detail"].map(|field| entry[field].clone());
    entries(root, "").iter().rev().map(summary).collect()
}

fn path_of(client: &Client) -> String {
    format!("/api/admin/people/{}", client.get("/api/users/self").data()["user_id"])
}

#[test]
fn every_action_of_an_operator_is_logged() {
    let app = App::new();
    let root = app.operator("root");
    let ada = app.user("ada");
    let path = path_of(&ada);
    let before = summary(&root).len();
    set(&root, "invite");
    invite(&root, &json!({ "uses": 3 }));
    root.delete("/api/admin/invitations/1");
    root.post("/api/admin/people", &json!({ "username": "bob", "role": "teacher" }));
    root.post("/api/admin/people/import", &json!({ "csv": "username\neve\nbob\n" }));
    root.put(&path, &json!({ "username": "lovelace", "role": "teacher" }));
    root.put(&path, &json!({ "username": "lovelace", "role": "teacher" }));
    root.post(&format!("{path}/password"), &json!({}));
    root.put(&format!("{path}/mute"), &json!({ "muted_minutes": 5 }));
    root.put(&format!("{path}/mute"), &json!({ "muted_minutes": 0 }));
    root.delete(&format!("{path}/sessions"));
    root.delete(&path);
    // What is refused or only looked at is not logged.
    root.delete(&path);
    root.post("/api/admin/people/import", &json!({ "csv": "username\nx\n", "dry_run": true }));
    let logged = summary(&root)[before..].to_vec();
    assert!(logged.iter().all(|[actor, ..]| actor == "root"), "{logged:?}");
    let expected = [
        ("set_registration", "", "invite"),
        ("make_invitation", "", "1: role user, uses 3, until "),
        ("revoke_invitation", "", "1: role user, uses 3, until "),
        ("add_account", "bob", "teacher"),
        ("add_account", "eve", "user"),
        ("rename_account", "ada", "lovelace"),
        ("set_role", "lovelace", "teacher"),
        ("set_password", "lovelace", "one-time"),
        ("mute", "lovelace", ""),
        ("unmute", "lovelace", ""),
        ("end_sessions", "lovelace", ""),
        ("delete_account", "lovelace", ""),
    ];
    assert_eq!(logged.len(), expected.len(), "{logged:#?}");
    for ([_, action, username, detail], expected) in logged.iter().zip(expected) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert_eq!((text(action).as_str(), text(username).as_str()), (expected.0, expected.1));
        assert!(text(detail).starts_with(expected.2), "{detail}");
    }
}

#[test]
fn the_command_line_is_logged_without_an_actor() {
    let app = App::new();
    let root = app.operator("root");
    run_ok_with_input(app.folder(), &["user", "add", "ada"], "pass\n");
    run_ok(app.folder(), &["user", "rename", "ada", "lovelace"]);
    run_ok(app.folder(), &["user", "role", "lovelace", "teacher"]);
    run_ok(app.folder(), &["user", "mute", "lovelace", "5"]);
    run_ok_with_input(app.folder(), &["user", "passwd", "lovelace"], "newer\n");
    run_ok(app.folder(), &["user", "logout", "lovelace"]);
    run_ok(app.folder(), &["user", "delete", "lovelace", "--yes"]);
    run_ok(app.folder(), &["invite", "create"]);
    run_ok(app.folder(), &["invite", "revoke", "1"]);
    let logged = summary(&root);
    let actions: Vec<&str> = logged.iter().filter_map(|[_, action, ..]| action.as_str()).collect();
    let expected = [
        "add_account",
        "rename_account",
        "set_role",
        "mute",
        "set_password",
        "end_sessions",
        "delete_account",
        "make_invitation",
        "revoke_invitation",
    ];
    assert!(actions.ends_with(&expected), "{actions:?}");
    assert!(logged.iter().all(|[actor, ..]| actor.is_null()), "{logged:?}");

    let printed = run_ok(app.folder(), &["log", "--account", "lovelace"]);
    // Before it was renamed it had another name, and since it is gone it has none.
    assert_eq!(printed.lines().count(), 5, "{printed}");
    let last = printed.lines().next().unwrap();
    assert!(last.contains("-                 delete_account      lovelace"), "{last}");
    let json = run_ok(app.folder(), &["log", "--json", "--action", "set_role", "--limit", "1"]);
    let entry: Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!((&entry["username"], &entry["detail"]), (&json!("lovelace"), &json!("teacher")));
    let unknown = bottle_test_support::run(app.folder(), &["log", "--action", "sing"]);
    assert!(!unknown.status.success());
}

/// Teachers see the six actions of moderation, in the documented shape, whatever operators do.
#[test]
fn the_log_of_teachers_shows_moderation_alone() {
    let app = App::new();
    let (root, grace, ada) = (app.operator("root"), app.teacher("grace"), app.user("ada"));
    let bottle = ada.throw(1.0, 1.0);
    let path = path_of(&ada);
    for hidden in [true, false] {
        grace.put(&format!("/api/teacher/bottles/{bottle}"), &json!({ "hidden": hidden }));
        set(&root, "closed");
        root.put(&path, &json!({ "role": "teacher" }));
        root.put(&format!("{path}/mute"), &json!({ "muted_minutes": u8::from(hidden) }));
        root.put(&path, &json!({ "role": "user" }));
        grace.put("/api/teacher/sea", &json!({ "frozen": hidden }));
    }
    let log = grace.get("/api/teacher/log").data();
    let seen = log["entries"].as_array().unwrap();
    let actions: Vec<&Value> = seen.iter().rev().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["hide", "mute", "freeze", "show", "unmute", "unfreeze"]);
    let fields =
        ["action", "actor", "bottle_id", "done_at", "entry_id", "until", "user_id", "username"];
    for entry in seen {
        assert_eq!(entry.as_object().unwrap().keys().collect::<Vec<_>>(), fields, "{entry}");
    }
    // Its cursor passes over what teachers do not see.
    let first = grace.get("/api/teacher/log?limit=1").data();
    let second = grace.get(&format!("/api/teacher/log?limit=1&after={}", first["next"])).data();
    assert_eq!(second["entries"][0]["action"], "unmute");
    assert_eq!(grace.get("/api/admin/log").status, 403);
}

#[test]
fn the_log_is_filtered_and_paged() {
    let app = App::new();
    let (root, other, ada) = (app.operator("root"), app.operator("other"), app.user("ada"));
    let path = path_of(&ada);
    root.put(&path, &json!({ "role": "teacher" }));
    app.clock.advance(Duration::from_secs(3600));
    other.put(&path, &json!({ "role": "user", "username": "lovelace" }));
    let count = |query: &str| entries(&root, query).len();
    assert_eq!(count("?actor=ROOT"), 1);
    assert_eq!(count("?actor=other&action=set_role"), 1);
    assert_eq!(count("?actor=&action=&username=&from=&to=&limit=100"), count(""));
    // By its name then and by its name now.
    assert_eq!((count("?username=ada"), count("?username=Lovelace")), (2, 3));
    let newest = entries(&root, "?limit=1")[0].clone();
    let time = newest["done_at"].as_str().unwrap();
    assert_eq!(count(&format!("?from={time}")), 2);
    assert_eq!(count(&format!("?to={time}&actor=root")), 1);
    assert_eq!(count("?from=2100-01-01T00:00:00%2B08:00"), 0);
    for (query, field) in [
        ("?from=yesterday", "from"),
        ("?to=2026-01-01", "to"),
        ("?action=sing", "action"),
        ("?format=xml", "format"),
        ("?limit=0", "limit"),
    ] {
        let wrong = root.get(&format!("/api/admin/log{query}"));
        assert_eq!((wrong.status, &wrong.data()["field"]), (422, &json!(field)), "{query}");
    }
    let page = root.get("/api/admin/log?limit=2").data();
    let rest = root.get(&format!("/api/admin/log?after={}", page["next"])).data();
    let all = count("");
    assert_eq!(
        page["entries"].as_array().unwrap().len() + rest["entries"].as_array().unwrap().len(),
        all
    );
    assert_eq!(rest["next"], Value::Null);
}

#[rstest]
#[case("csv", "text/csv", "bottle-log.csv")]
#[case("ndjson", "application/x-ndjson", "bottle-log.ndjson")]
fn the_log_is_exported(#[case] format: &str, #[case] kind: &str, #[case] name: &str) {
    let app = App::new();
    let root = app.operator("root");
    root.post("/api/admin/people", &json!({ "username": "=cmd|'/c calc'!A1, \"x\"" }));
    let file = root.get(&format!("/api/admin/log?actor=root&format={format}"));
    assert!(file.header("content-type").starts_with(kind), "{}", file.header("content-type"));
    assert!(file.header("content-disposition").contains(name));
    if format == "csv" {
        let mut lines = file.text.lines();
        assert_eq!(
            lines.next().unwrap(),
            "\u{feff}time,actor,action,account,bottle,reply,until,detail"
        );
        let line = lines.next().unwrap();
        assert!(
            line.ends_with(r#",root,add_account,"'=cmd|'/c calc'!A1, ""x""",,,,user"#),
            "{line}"
        );
        assert_eq!(lines.next(), None);
    } else {
        let entry: Value = serde_json::from_str(file.text.trim_end()).unwrap();
        assert_eq!(vec![entry], entries(&root, "?actor=root"));
    }
}

/// A file longer than a chunk is whole, and in order.
#[test]
fn a_long_log_is_exported() {
    let app = App::new();
    let root = app.operator("root");
    let db = rusqlite::Connection::open(app.database()).unwrap();
    db.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO audit_log (done_at, action, detail) SELECT i, 'set_role', i FROM n",
    )
    .unwrap();
    let file = root.get("/api/admin/log?action=set_role&format=csv");
    let details: Vec<&str> =
        file.text.lines().skip(1).filter_map(|l| l.rsplit(',').next()).collect();
    assert_eq!(details.len(), 20_000);
    assert_eq!((details[0], details[19_999]), ("20000", "1"));
}

#[test]
fn the_setup_is_logged() {
    let app = App::new();
    let link = bottle::model::token::Token::random();
    let db = rusqlite::Connection::open(app.database()).unwrap();
    db.execute("INSERT INTO meta VALUES ('setup_hash', ?1)", [link.hash().to_hex()]).unwrap();
    let account = json!({
        "token": link.secret(), "username": "root", "password": "pass", "registration": "closed"
    });
    assert_eq!(app.anon().post("/api/setup", &account).status, 200);
    let mut root = app.anon();
    root.log_in("root", "pass");
    assert_eq!(summary(&root), [["root", "set_up", "root", "closed"].map(|text| json!(text))]);
}
