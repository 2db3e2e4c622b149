//! Accounts as operators see and change them.

use std::thread;
use std::time::Duration;

use bottle_test_support::{App, Client, Response, run_ok};
use rstest::rstest;
use serde_json::{Value, json};

use crate::registration::status_of;

fn id_of(client: &Client) -> i64 {
    client.get("/api/users/self").data()["user_id"].as_i64().unwrap()
}

fn path_of(client: &Client) -> String {
    format!("/api/admin/people/{}", id_of(client))
}

/// Returns the accounts of the list, each by `field`.
pub(crate) fn listed(root: &Client, query: &str, field: &str) -> Vec<Value> {
    let data = root.get(&format!("/api/admin/people{query}")).data();
    data["people"].as_array().unwrap().iter().map(|one| one[field].clone()).collect()
}

/// Each role on each route: visitor, user, teacher, operator.
#[rstest]
#[case("GET", "/api/admin/people", "")]
#[case("POST", "/api/admin/people", r#"{"username":"new"}"#)]
#[case("POST", "/api/admin/people/import", r#"{"csv":"username\nnew\n"}"#)]
#[case("POST", "/api/admin/people/import", r#"{"csv":"username\nnew\n","dry_run":true}"#)]
#[case("PUT", "/api/admin/people/1", r#"{"role":"teacher"}"#)]
#[case("POST", "/api/admin/people/1/password", "")]
#[case("PUT", "/api/admin/people/1/mute", r#"{"muted_minutes":5}"#)]
#[case("DELETE", "/api/admin/people/1/sessions", "")]
#[case("DELETE", "/api/admin/people/1", "")]
#[case("GET", "/api/admin/log", "")]
#[case("GET", "/api/admin/log?format=csv", "")]
fn only_operators_may(#[case] method: &str, #[case] path: &str, #[case] body: &str) {
    let app = App::new();
    let clients = [app.anon(), app.user("ada"), app.teacher("grace"), app.operator("root")];
    for (client, expected) in clients.iter().zip([401, 403, 403, 200]) {
        let headers = [("Content-Type", "application/json")];
        let body = (!body.is_empty()).then_some(body.as_bytes());
        let response = client.send(method, path, &headers, body);
        assert_eq!(response.status, expected, "{method} {path}: {}", response.text);
    }
}

#[test]
fn the_list_is_searched_and_paged() {
    let app = App::new();
    let root = app.operator("root");
    let ada = app.user("ada");
    ada.put("/api/users/self", &json!({ "nickname": "100% Lovelace_" }));
    app.teacher("grace");
    app.user("小明");
    let names = |query: &str| listed(&root, query, "username");
    assert_eq!(names(""), ["root", "ada", "grace", "小明"]);
    assert_eq!(names("?q=LOVE"), ["ada"]);
    assert_eq!(names("?q=%E6%98%8E"), ["小明"]);
    assert_eq!(names("?q=%25"), ["ada"], "a percent sign is no wildcard");
    assert_eq!(names("?q=l__e").len(), 0, "nor is an underscore");
    assert_eq!(names("?role=operator"), ["root"]);
    assert_eq!(names("?role=teacher"), ["grace"]);
    assert_eq!(names("?role=user&q=a"), ["ada"]);
    assert_eq!(root.get("/api/admin/people?role=captain").status, 422);
    let page = root.get("/api/admin/people?limit=3").data();
    assert_eq!(page["next"], 3);
    let page = root.get("/api/admin/people?limit=3&after=3").data();
    assert_eq!((&page["people"][0]["username"], &page["next"]), (&json!("小明"), &Value::Null));
}

#[test]
fn a_row_says_what_the_account_did() {
    let app = App::new();
    let root = app.operator("root");
    let ada = app.user("ada");
    let row =
        |name: &str| root.get(&format!("/api/admin/people?q={name}")).data()["people"][0].clone();
    let before = row("ada");
    assert_eq!((&before["bottles"], &before["sessions"]), (&json!(0), &json!(1)));
    assert!(before.get("muted_until").is_none() && before.get("is_last_operator").is_none());
    assert_eq!(row("root")["is_last_operator"], true);
    app.clock.advance(Duration::from_secs(60));
    ada.throw(1.0, 1.0);
    let after = row("ada");
    assert_eq!(after["bottles"], 1);
    assert!(after["last_seen"].as_str() > before["last_seen"].as_str(), "{after}");
    assert_eq!(
        root.put(&format!("{}/mute", path_of(&ada)), &json!({ "muted_minutes": 5 })).status,
        200
    );
    assert!(row("ada")["muted_until"].is_string());
    app.clock.advance(Duration::from_secs(600));
    assert!(row("ada").get("muted_until").is_none());

    let added = root.post("/api/admin/people", &json!({ "username": "new" })).data();
    let new = row("new");
    assert_eq!((&new["last_seen"], &new["password_is_one_time"]), (&Value::Null, &json!(true)));
    assert_eq!(added["role"], "user");
    app.operator("other");
    assert!(row("root").get("is_last_operator").is_none());
}

#[test]
fn an_account_is_added() {
    let app = App::new();
    let root = app.operator("root");
    let add = |body: Value| root.post("/api/admin/people", &body);
    let added = add(json!({ "username": "ada", "nickname": "Ada", "role": "teacher" })).data();
    let mut ada = app.anon();
    ada.log_in("ada", added["one_time_password"].as_str().unwrap());
    let profile = ada.get("/api/users/self").data();
    assert_eq!((&profile["is_teacher"], &profile["nickname"]), (&json!(true), &json!("Ada")));
    assert_eq!(profile["password_is_one_time"], true);

    let own = add(json!({ "username": "bob", "password": "secret" })).data();
    assert!(own.get("one_time_password").is_none(), "{own}");
    app.anon().log_in("bob", "secret");
    assert_eq!(status_of(&add(json!({ "username": "ADA" }))), (409, "CONFLICT_USERNAME".into()));
    for (body, field) in [
        (json!({}), "username"),
        (json!({ "username": " x" }), "username"),
        (json!({ "username": "x", "password": "abc" }), "password"),
        (json!({ "username": "x", "role": "captain" }), "role"),
    ] {
        let wrong = add(body);
        assert_eq!((wrong.status, &wrong.data()["field"]), (422, &json!(field)));
    }
}

/// Also where registration is closed, and where passwords are longer than one-time ones usually are.
#[test]
fn one_time_passwords_are_as_long_as_the_settings_say() {
    let app = App::with(|settings| settings.min_password_length = 30);
    let root = app.operator("root");
    let added = root.post("/api/admin/people", &json!({ "username": "ada" })).data();
    assert!(added["one_time_password"].as_str().unwrap().len() >= 30, "{added}");
}

#[test]
fn an_account_is_changed() {
    let app = App::new();
    let (root, mut ada) = (app.operator("root"), app.user("ada"));
    let path = path_of(&ada);
    let changed = root.put(&path, &json!({ "username": "lovelace", "role": "teacher" })).data();
    assert_eq!((&changed["username"], &changed["role"]), (&json!("lovelace"), &json!("teacher")));
    assert_eq!(ada.get("/api/teacher/sea").status, 200, "and the session goes on");
    app.user("bob");
    assert_eq!(root.put(&path, &json!({ "username": "BOB", "role": "user" })).status, 409);
    assert_eq!(listed(&root, "?q=lovelace", "role"), ["teacher"], "all or nothing");

    let given = root.post(&format!("{path}/password"), &json!({})).data();
    assert_eq!(ada.get("/api/users/self").status, 401);
    ada.log_in("lovelace", given["one_time_password"].as_str().unwrap());
    assert_eq!(root.delete(&format!("{path}/sessions")).status, 200);
    assert_eq!(ada.get("/api/users/self").status, 401);
    assert_eq!(root.delete(&path).status, 200);
    for response in [
        root.delete(&path),
        root.delete(&format!("{path}/sessions")),
        root.put(&path, &json!({ "role": "user" })),
        root.post(&format!("{path}/password"), &json!({})),
        root.put(&format!("{path}/mute"), &json!({ "muted_minutes": 1 })),
        root.delete("/api/admin/people/x"),
    ] {
        assert_eq!(response.status, 404, "{}", response.text);
    }
}

#[test]
fn the_last_operator_stays() {
    let app = App::new();
    let root = app.operator("root");
    let path = path_of(&root);
    let refused: [Response; 3] = [
        root.put(&path, &json!({ "role": "teacher" })),
        root.put(&format!("{path}/mute"), &json!({ "muted_minutes": 5 })),
        root.delete(&path),
    ];
    for response in &refused {
        assert_eq!(status_of(response), (403, "LAST_OPERATOR".to_owned()));
    }
    assert_eq!(root.put(&path, &json!({ "role": "operator" })).status, 200, "no change");

    app.operator("other");
    for response in [root.delete(&path), root.post(&format!("{path}/password"), &json!({}))] {
        assert_eq!(status_of(&response), (403, "OWN_ACCOUNT".to_owned()));
    }
    assert_eq!(root.put(&path, &json!({ "role": "user" })).status, 200);
    assert_eq!(root.get("/api/admin/people").status, 403);
}

/// Two operators take the other's role at once: one of them keeps it.
#[rstest]
#[case::each_other(false)]
#[case::themselves(true)]
fn of_two_operators_who_demote_at_once_one_stays(#[case] themselves: bool) {
    for _ in 0..5 {
        let app = App::new();
        let both = [app.operator("one"), app.operator("two")];
        let paths = both.each_ref().map(path_of);
        let mut statuses = thread::scope(|scope| {
            [0, 1]
                .map(|n| {
                    let path = &paths[if themselves { n } else { 1 - n }];
                    let client = &both[n];
                    scope.spawn(move || client.put(path, &json!({ "role": "user" })).status)
                })
                .map(|t| t.join().unwrap())
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403]);
        let remaining = both.iter().filter(|one| one.get("/api/admin/people").status == 200);
        assert_eq!(remaining.count(), 1);
    }
}

#[test]
fn the_command_line_mutes() {
    let app = App::new();
    let ada = app.user("ada");
    let muted = run_ok(app.folder(), &["user", "mute", "ada", "60"]);
    assert_eq!(muted, "ada is muted for 60 minutes\n");
    let throw = json!({ "content": "c", "location": { "latitude": 1, "longitude": 1 } });
    assert_eq!(ada.post("/api/bottles", &throw).status, 403);
    let listed: Value =
        serde_json::from_str(&run_ok(app.folder(), &["user", "list", "--json"])).unwrap();
    assert!(listed[0]["muted_until"].is_string(), "{listed}");
    assert_eq!(run_ok(app.folder(), &["user", "mute", "ada", "0"]), "ada may throw again\n");
    assert_eq!(ada.post("/api/bottles", &throw).status, 200);
}
