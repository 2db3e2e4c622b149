//! Guest classes: pupils join with a code and a nickname, and leave with the class.

use std::thread;
use std::time::Duration;

use bottle_test_support::{App, Client, Response, run_err, run_ok};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::registration::status_of;

const MINUTE: Duration = Duration::from_secs(60);

/// Opens a class and returns it with its code.
#[track_caller]
pub(crate) fn open(teacher: &Client, minutes: i64) -> Value {
    let opened = teacher.post("/api/teacher/classes", &json!({ "minutes": minutes }));
    assert_eq!(opened.status, 200, "{}", opened.text);
    opened.data()
}

pub(crate) fn code_of(class: &Value) -> String {
    class["code"].as_str().unwrap().to_owned()
}

fn path_of(class: &Value) -> String {
    format!("/api/teacher/classes/{}", class["class_id"])
}

pub(crate) fn join(client: &Client, code: &str, nickname: &str) -> Response {
    client.post("/api/guests", &json!({ "code": code, "nickname": nickname }))
}

/// Joins, and returns a client with the session of the guest.
#[track_caller]
pub(crate) fn guest(app: &App, code: &str, nickname: &str) -> Client {
    let mut client = app.anon();
    let joined = join(&client, code, nickname);
    assert_eq!(joined.status, 200, "{}", joined.text);
    let cookie = joined.header("set-cookie").split(';').next().unwrap().to_owned();
    client.headers.push(("Cookie".into(), cookie));
    client
}

pub(crate) fn listed(teacher: &Client) -> Value {
    teacher.get("/api/teacher/classes").data()["classes"].clone()
}

fn count(app: &App, sql: &str) -> i64 {
    Connection::open(app.database()).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_class_from_its_opening_to_its_deletion() {
    let app = App::new();
    let (grace, ada) = (app.teacher("grace"), app.user("ada"));
    let class = open(&grace, 45);
    let code = code_of(&class);
    assert_eq!((&class["teacher"], &class["ended"]), (&json!("grace"), &json!(false)));
    let link = class["link"].as_str().unwrap();
    assert_eq!(link, format!("{}/#class/{code}", app.origin()));
    let qr_code = grace.get(&format!("{}/join.svg", path_of(&class)));
    assert_eq!((qr_code.status, qr_code.header("content-type")), (200, "image/svg+xml"));

    // As a child types it.
    let zoe = guest(&app, &format!("{}-{} ", &code[..3], &code[3..]).to_lowercase(), " Zoë ");
    let account = zoe.get("/api/users/self").data();
    assert_eq!((&account["nickname"], &account["username"]), (&json!("Zoë"), &json!("guest-Zoë")));
    assert_eq!((&account["is_guest"], &account["guest_until"]), (&json!(true), &class["ends_at"]));
    let bottle = zoe.throw(10.0, 20.0);
    assert_eq!(ada.post(&format!("/api/bottles/{bottle}/open"), &json!({})).status, 200);
    let other = ada.throw(10.0, 20.0);
    assert_eq!(zoe.post(&format!("/api/bottles/{other}/open"), &json!({})).status, 200);
    let class_now = &listed(&grace)[0];
    assert_eq!((&class_now["guests"], &class_now["bottles"]), (&json!(1), &json!(1)));

    let path = path_of(&class);
    assert_eq!(grace.put(&format!("{path}/end"), &json!({})).status, 200);
    assert_eq!(zoe.get("/api/users/self").status, 401);
    assert_eq!(status_of(&join(&app.anon(), &code, "Max")).1, "CLASS_CODE_INVALID");
    let ended = &listed(&grace)[0];
    assert_eq!((&ended["ended"], ended.get("code")), (&json!(true), None));
    assert_eq!(grace.get(&format!("{path}/join.svg")).status, 404);

    // The bottles stay until the class is deleted.
    let sea = grace.get(&format!("{path}/sea"));
    assert_eq!(sea.header("content-type"), "application/geo+json");
    assert_eq!(sea.header("content-disposition"), "attachment; filename=\"class-1.geojson\"");
    let features = sea.json()["features"].clone();
    assert_eq!(features.as_array().unwrap().len(), 1);
    assert_eq!(features[0]["geometry"]["coordinates"], json!([20.0, 10.0]));
    assert_eq!(features[0]["properties"]["owner"], "guest-Zoë");

    assert_eq!(grace.delete(&path).status, 200);
    assert_eq!(grace.delete(&path).status, 404);
    assert_eq!(listed(&grace), json!([]));
    assert_eq!(count(&app, "SELECT count(*) FROM users"), 2);
    assert_eq!(count(&app, "SELECT count(*) FROM bottles"), 1);
    let openers = ada.get(&format!("/api/bottles/{other}/openers")).data();
    assert_eq!(openers["openers_count"], 0, "{openers}");

    let log = app.operator("root").get("/api/admin/log?actor=grace").data();
    let logged = log["entries"].as_array().unwrap().iter().rev();
    let logged: Vec<_> = logged.map(|entry| (&entry["action"], &entry["detail"])).collect();
    let expected = [
        (&json!("open_class"), &json!("class 1, 45 minutes")),
        (&json!("end_class"), &json!("class 1, 1 guests")),
        (&json!("delete_class"), &json!("class 1")),
    ];
    assert_eq!(logged, expected);
    // The log of moderation is about what people wrote.
    assert_eq!(grace.get("/api/teacher/log").data()["entries"], json!([]));
    run_ok(app.folder(), &["check"]);
}

/// Each role on each route: visitor, guest, user, the teacher, another teacher, operator. Two classes
/// of the teacher are open.
#[rstest]
#[case("GET", "", "", [401, 403, 403, 200, 200, 200])]
#[case("POST", "", r#"{"minutes":5}"#, [401, 403, 403, 200, 200, 200])]
#[case("GET", "/1/sea", "", [401, 403, 403, 200, 404, 200])]
#[case("GET", "/1/join.svg", "", [401, 403, 403, 200, 404, 200])]
#[case("PUT", "/1/end", "", [401, 403, 403, 200, 404, 200])]
#[case("DELETE", "/1", "", [401, 403, 403, 200, 404, 404])]
#[case("DELETE", "/x", "", [401, 403, 403, 404, 404, 404])]
fn every_role_gets_what_is_its_own(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &str,
    #[case] expected: [u16; 6],
) {
    let app = App::new();
    let (grace, edith) = (app.teacher("grace"), app.teacher("edith"));
    open(&grace, 5);
    let class = open(&grace, 5);
    let clients = [
        app.anon(),
        guest(&app, &code_of(&class), "Zoe"),
        app.user("ada"),
        grace,
        edith.clone(),
        app.operator("root"),
    ];
    for (client, expected) in clients.iter().zip(expected) {
        let body = (!body.is_empty()).then_some(body.as_bytes());
        let headers = [("Content-Type", "application/json")];
        let response = client.send(method, &format!("/api/teacher/classes{path}"), &headers, body);
        assert_eq!(response.status, expected, "{method} {path}: {}", response.text);
    }
    // A teacher sees their own classes, an operator all.
    if method == "POST" {
        let seen = |client: &Client| listed(client).as_array().unwrap().len();
        assert_eq!((seen(&clients[3]), seen(&edith), seen(&clients[5])), (3, 1, 5));
    }
}

#[rstest]
#[case(json!({}))]
#[case(json!({ "minutes": 0 }))]
#[case(json!({ "minutes": 481 }))]
#[case(json!({ "minutes": 1.5 }))]
fn a_class_lasts_a_lesson_or_a_day(#[case] body: Value) {
    let app = App::new();
    let opened = app.teacher("grace").post("/api/teacher/classes", &body);
    assert_eq!((opened.status, &opened.data()["field"]), (422, &json!("minutes")));
}

/// A session ends at the time of its class, also over a restart, and with a clock that goes on.
#[test]
fn a_class_ends_at_its_time() {
    let app = App::new();
    let (root, grace) = (app.operator("root"), app.teacher("grace"));
    let class = open(&grace, 10);
    let code = code_of(&class);
    let zoe = guest(&app, &code, "Zoe");
    app.clock.advance(9 * MINUTE);
    let max = join(&app.anon(), &code, "Max");
    let cookie = max.header("set-cookie");
    let lifetime = cookie.split("Max-Age=").nth(1).unwrap().split(';').next().unwrap();
    assert!((1..=60).contains(&lifetime.parse::<u32>().unwrap()), "{cookie}");
    let app = App::over(app.stop(), |_| {});
    let again = |client: &Client| {
        let mut moved = app.anon();
        moved.headers = client.headers.clone();
        moved
    };
    let (zoe, grace, root) = (again(&zoe), again(&grace), again(&root));
    assert_eq!(zoe.get("/api/users/self").status, 200);
    app.clock.advance(10 * MINUTE);
    assert_eq!(zoe.get("/api/users/self").status, 401);
    assert_eq!(status_of(&join(&app.anon(), &code, "Eve")).1, "CLASS_CODE_INVALID");
    let ended = &listed(&grace)[0];
    assert_eq!((&ended["ended"], &ended["guests"]), (&json!(true), &json!(2)));
    assert_eq!(ended["ends_at"], class["ends_at"]);
    assert_eq!(root.delete(&path_of(&class)).status, 200);
}

/// With a wrong clock nothing is known about the end of a class.
#[test]
fn a_class_from_the_future_lets_nobody_in() {
    let app = App::new();
    let code = code_of(&open(&app.teacher("grace"), 60));
    let db = Connection::open(app.database()).unwrap();
    db.execute("UPDATE classes SET opened_at = opened_at + 600000", []).unwrap();
    assert_eq!(join(&app.anon(), &code, "Zoe").status, 403);
    app.clock.advance(5 * MINUTE);
    assert_eq!(join(&app.anon(), &code, "Zoe").status, 200);
}

/// Nobody joins the class of a teacher who is none any more; its guests stay to its end.
#[rstest]
#[case(&["user", "role", "grace", "user"])]
#[case(&["user", "delete", "grace", "--yes"])]
fn a_class_loses_its_code_with_its_teacher(#[case] change: &[&str]) {
    let app = App::new();
    let root = app.operator("root");
    let class = open(&app.teacher("grace"), 5);
    let zoe = guest(&app, &code_of(&class), "Zoe");
    run_ok(app.folder(), change);
    assert_eq!(join(&app.anon(), &code_of(&class), "Max").status, 403);
    assert_eq!(zoe.get("/api/users/self").status, 200);
    assert_eq!(root.put(&format!("{}/end", path_of(&class)), &json!({})).status, 200);
    assert_eq!(zoe.get("/api/users/self").status, 401);
}

/// A large class is deleted in several changes, and one that is old by itself.
#[rstest]
fn a_class_is_deleted_as_a_whole(#[values(true, false)] by_hand: bool) {
    let app = App::new();
    let grace = app.teacher("grace");
    let class = open(&grace, 5);
    let code = code_of(&class);
    let guests: Vec<Client> = (0..3).map(|n| guest(&app, &code, &format!("pupil {n}"))).collect();
    guests[0].throw(1.0, 1.0);
    let db = Connection::open(app.database()).unwrap();
    db.execute_batch(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 4500)
         INSERT INTO bottles (id, owner_id, formatted_address, latitude, longitude, style, created_at)
         SELECT 1000 + n, 2 + n % 3, '', n % 80, n % 170, 0, 1 FROM n;
         INSERT INTO messages (bottle_id, content) SELECT id, 'text' FROM bottles WHERE id > 1000;",
    )
    .unwrap();
    if by_hand {
        assert_eq!(grace.delete(&path_of(&class)).status, 200);
    } else {
        // Housekeeping begins with the start of the server.
        db.execute("UPDATE classes SET ends_at = 1", []).unwrap();
        let app = App::over(app.stop(), |_| {});
        while count(&app, "SELECT count(*) FROM classes") > 0 {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(count(&app, "SELECT count(*) FROM users WHERE class_id IS NOT NULL"), 0);
        run_ok(app.folder(), &["check"]);
        return;
    }
    assert_eq!(
        count(&app, "SELECT (SELECT count(*) FROM bottles) + (SELECT count(*) FROM classes)"),
        0
    );
    assert_eq!(count(&app, "SELECT count(*) FROM users"), 1);
    run_ok(app.folder(), &["check"]);
}

#[test]
fn the_command_line_opens_lists_ends_and_deletes() {
    let app = App::new();
    let folder = app.folder();
    assert_eq!(run_ok(folder, &["class", "list"]), "there are no classes\n");
    let opened = run_ok(folder, &["class", "open", "--minutes", "5"]);
    let code = opened.lines().find_map(|line| line.strip_prefix("Code: ")).unwrap();
    assert!(opened.contains(&format!("/#class/{code}")), "{opened}");
    let zoe = guest(&app, code, "Zoe");
    zoe.throw(1.0, 1.0);
    let list = run_ok(folder, &["class", "list"]);
    assert!(list.contains("Class 1: open until") && list.contains("1 guests, 1 bottles"), "{list}");
    let json: Value = serde_json::from_str(&run_ok(folder, &["class", "list", "--json"])).unwrap();
    assert_eq!((&json[0]["code"], &json[0]["ended"]), (&json!(code), &json!(false)));
    assert_eq!(run_ok(folder, &["class", "end", "1"]), "class 1 has ended\n");
    assert_eq!(zoe.get("/api/users/self").status, 401);
    assert!(run_ok(folder, &["class", "list"]).contains("Class 1: ended"));
    assert_eq!(run_ok(folder, &["class", "delete", "1", "--yes"]), "class 1 is deleted\n");
    for command in ["end", "delete"] {
        let args = ["class", command, "1", "--yes"];
        let args = if command == "end" { &args[..3] } else { &args[..] };
        run_err(folder, args, "class 1 does not exist");
    }
    run_err(folder, &["class", "open", "--minutes", "0"], "minutes must be a number from 1 to 480");
    assert_eq!(count(&app, "SELECT count(*) FROM bottles"), 0);
}
