//! The effective settings, where they come from, and changing them while the server runs.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use bottle::model::live::LiveSetting;
use bottle_test_support::{
    App, Client, Program, Response, bottle, fast_settings_with, run_ok, run_ok_with_input,
};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

fn list(root: &Client) -> Vec<Value> {
    let listed = root.get("/api/admin/settings");
    assert_eq!(listed.status, 200, "{}", listed.text);
    listed.data()["settings"].as_array().unwrap().clone()
}

#[track_caller]
fn of(settings: &[Value], name: &str) -> Value {
    settings.iter().find(|setting| setting["name"] == name).unwrap().clone()
}

fn set(root: &Client, name: &str, value: &Value) -> Response {
    root.put(&format!("/api/admin/settings/{name}"), &json!({ "value": value }))
}

fn around(client: &Client) -> u16 {
    let query = "latitude=1&longitude=2&latitude_span=1&longitude_span=1&zoom=3";
    client.get(&format!("/api/bottles/counts?{query}")).status
}

#[test]
fn a_change_is_in_force_at_once_and_is_kept() {
    let app = App::new();
    let root = app.operator("root");
    let source = |app: &Client, name: &str| of(&list(app), name)["source"].clone();
    assert_eq!((around(&app.anon()), source(&root, "public_counts")), (200, json!("default")));
    assert_eq!(set(&root, "public_counts", &json!(false)).status, 200);
    assert_eq!((around(&app.anon()), source(&root, "public_counts")), (401, json!("page")));
    assert_eq!(app.anon().get("/api/settings").data()["public_counts"], false);

    let bottle = app.user("ada").throw(1.0, 1.0);
    assert_eq!(set(&root, "reports_to_hide", &json!(1)).status, 200);
    let complaint = json!({ "reason": "unkind" });
    let report = format!("/api/bottles/{bottle}/report");
    assert_eq!(app.user("bob").post(&report, &complaint).status, 200);
    let cases = root.get("/api/teacher/bottles?state=hidden").data();
    assert_eq!(cases["bottles"].as_array().unwrap().len(), 1);

    assert_eq!(set(&root, "registration", &json!("closed")).status, 200);
    assert_eq!(app.anon().get("/api/settings").data()["registration"], "closed");
    let registration = of(&list(&root), "registration");
    assert_eq!(
        (&registration["value"], &registration["default"], &registration["source"]),
        (&json!("closed"), &json!("open"), &json!("page"))
    );

    let app = App::over(app.stop(), |_| {});
    assert_eq!(around(&app.anon()), 401);
    // A value that this version does not allow is as none.
    let db = Connection::open(app.database()).unwrap();
    db.execute("UPDATE meta SET value = '7' WHERE key = 'public_counts'", []).unwrap();
    let app = App::over(app.stop(), |_| {});
    assert_eq!(around(&app.anon()), 200);
}

#[test]
fn rates_change_while_it_runs() {
    let app = App::with(|settings| {
        (settings.throws_per_minute, settings.registrations_per_minute) = (300, 300);
    });
    let (root, ada) = (app.operator("root"), app.user("ada"));
    assert_eq!(set(&root, "throws_per_minute", &json!(1)).status, 200);
    let throw = || {
        let location = json!({ "latitude": 1, "longitude": 1 });
        ada.post("/api/bottles", &json!({ "content": "c", "location": location })).status
    };
    assert_eq!([throw(), throw()], [200, 429]);
    assert_eq!(set(&root, "registrations_per_minute", &json!(1)).status, 200);
    let register = |name: &str| {
        app.anon().post("/api/users", &json!({ "username": name, "password": "pass" })).status
    };
    app.clock.advance(Duration::from_secs(60));
    assert_eq!([register("bob"), register("eve")], [200, 429]);
    assert_eq!(set(&root, "throws_per_minute", &json!(0)).status, 200);
    assert_eq!([throw(), throw()], [200, 200]);
}

#[rstest]
#[case("public_counts", json!(1), 422)]
#[case("public_counts", json!("true"), 422)]
#[case("reports_to_hide", json!(-1), 422)]
#[case("reports_to_hide", json!(1.5), 422)]
#[case("reports_to_hide", json!(1001), 422)]
#[case("reports_to_hide", json!("3"), 422)]
#[case("backup_hour", json!(24), 422)]
#[case("backup_hour", json!(4_294_967_296_u64), 422)]
#[case("backup_keep", json!(true), 422)]
#[case("backup_keep", Value::Null, 422)]
#[case("registration", json!("ajar"), 422)]
#[case("registration", json!(1), 422)]
#[case("min_password_length", json!(1), 404)]
#[case("login_attempts_per_minute", json!(0), 404)]
#[case("backup_folder", json!("/etc"), 404)]
#[case("database", json!("other.db"), 404)]
#[case("cookie_key", json!("0"), 404)]
#[case("port", json!(1), 404)]
#[case("..%2Fregistration", json!("open"), 404)]
fn what_cannot_be_set_stays(#[case] name: &str, #[case] value: Value, #[case] status: u16) {
    let app = App::new();
    let root = app.operator("root");
    let meta = || -> i64 {
        let db = Connection::open(app.database()).unwrap();
        let sql = "SELECT count(*) + (SELECT count(*) FROM audit_log) FROM meta";
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let before = (list(&root), meta());
    let response = set(&root, name, &value);
    assert_eq!(response.status, status, "{}", response.text);
    assert_eq!((list(&root), meta()), before);
}

#[test]
fn a_change_is_logged() {
    let app = App::new();
    let root = app.operator("root");
    set(&root, "public_counts", &json!(false));
    set(&root, "backup_keep", &json!(7));
    let db = Connection::open(app.database()).unwrap();
    let mut log =
        db.prepare("SELECT actor || ': ' || action || ' ' || detail FROM audit_log WHERE actor IS NOT NULL").unwrap();
    let log: Vec<String> =
        log.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(
        log,
        ["root: set_setting public_counts = false", "root: set_setting backup_keep = 7"]
    );
}

/// Each setting names the place that decides it, and a secret is not shown.
#[test]
fn the_file_the_environment_and_the_command_line_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Rocket.toml");
    fs::write(&file, "[default]\nkeep_alive = 7\n[default.bottle]\nreports_to_hide = 5\n").unwrap();
    let mut command = bottle(folder.path(), &["--db", "sea.db"]);
    command
        .env("ROCKET_BOTTLE", fast_settings_with("public_counts=true"))
        .env("ROCKET_SECRET_KEY", "hPRYyVRiMyxpw5sBB1XeCMN1kFsDCqKvBi2QJxBVHQk=");
    let program = Program::start(command);
    run_ok_with_input(
        folder.path(),
        &["user", "add", "root", "--operator", "--db", "sea.db"],
        "pass\n",
    );
    let mut root = program.client();
    root.log_in("root", "pass");
    let listed = list(&root);
    let place = |name: &str| {
        let setting = of(&listed, name);
        let text = |field: &str| setting[field].as_str().unwrap_or_default().to_owned();
        (text("source"), text("origin"))
    };
    let environment = |name: &str| ("environment".to_owned(), name.to_owned());
    let path = file.canonicalize().unwrap().to_str().unwrap().to_owned();
    assert_eq!(place("reports_to_hide"), ("file".to_owned(), path.clone()));
    assert_eq!(place("keep_alive"), ("file".to_owned(), path));
    assert_eq!(place("public_counts"), environment("ROCKET_BOTTLE"), "although it is the default");
    assert_eq!(place("port"), environment("ROCKET_PORT"));
    assert_eq!(place("database"), ("command_line".to_owned(), String::new()));
    assert_eq!(place("map_cache_mib"), ("default".to_owned(), String::new()));
    assert_eq!(of(&listed, "tls")["value"], false);
    assert_eq!(of(&listed, "public_counts")["can_change"], false);
    assert_eq!(set(&root, "public_counts", &json!(false)).status, 409);
    let text = root.get("/api/admin/settings").text;
    assert!(!text.contains("secret") && !text.contains("hPRYyVRi"), "{text}");
}

/// The documents are the only source of the documentation, and the page's form fits every setting.
#[test]
fn every_setting_is_documented_and_those_that_change_say_so() {
    let app = App::new();
    let listed = list(&app.operator("root"));
    for setting in &listed {
        let about = setting["about"].as_str().unwrap();
        assert!(about.len() > 5 && !setting["unit"].as_str().unwrap().is_empty(), "{setting}");
    }
    let chinese = include_str!("../../static/lang/settings/zh.js");
    let translated: BTreeSet<&str> = chinese
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(": '").map(|(name, _)| name))
        .collect();
    let names = listed.iter().map(|setting| setting["name"].as_str().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), translated);
    let changing: BTreeSet<&str> = listed
        .iter()
        .filter(|setting| setting["can_change"] == true)
        .map(|setting| setting["name"].as_str().unwrap())
        .collect();
    let documented = include_str!("../../docs/settings.md");
    let sentence = documented.split("by `PUT /api/admin/settings/<name>`:").nth(1).unwrap();
    let sentence = sentence.split('.').next().unwrap();
    let named: BTreeSet<&str> = sentence.split('`').skip(1).step_by(2).collect();
    let all: BTreeSet<&str> =
        LiveSetting::all().map(LiveSetting::name).chain(["registration"]).collect();
    assert_eq!(named, all);
    // The fast settings of the tests name the rates.
    assert!(changing.is_subset(&all) && changing.contains("registration"), "{changing:?}");
}

#[test]
fn the_command_line_prints_the_same_table() {
    let app = App::new();
    let root = app.operator("root");
    set(&root, "backup_keep", &json!(7));
    set(&root, "registration", &json!("invite"));
    let printed: Vec<Value> =
        serde_json::from_str(&run_ok(app.folder(), &["settings", "--json"])).unwrap();
    for name in ["backup_keep", "registration", "backup_hour", "map_cache_mib"] {
        let [served, printed] = [of(&list(&root), name), of(&printed, name)];
        for field in ["value", "default", "source", "about", "unit"] {
            assert_eq!(served[field], printed[field], "{name}");
        }
    }
    let text = run_ok(app.folder(), &["settings"]);
    assert!(text.contains("backup_keep = 7    (page)\n"), "{text}");
    assert!(text.contains("throws_per_minute = 0    (ROCKET_BOTTLE)\n"), "{text}");
    let empty = tempfile::tempdir().unwrap();
    assert!(run_ok(empty.path(), &["settings"]).contains("backup_keep = 0    (default)\n"));
}
