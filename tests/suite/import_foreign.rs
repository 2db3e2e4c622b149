//! `bottle import` of what other programs wrote, and beside people who go on.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};
use std::thread;
use std::time::Instant;

use bottle_test_support::{App, TIMEOUT, bottle, run, run_ok, run_ok_with_input};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

/// A database with the account `ada`, which nobody serves.
fn sea() -> tempfile::TempDir {
    let app = App::new();
    app.user("ada");
    app.stop()
}

/// The output of an import, and whether it succeeded.
struct Imported {
    success: bool,
    out: String,
    err: String,
}

impl From<Output> for Imported {
    fn from(output: Output) -> Self {
        Self {
            success: output.status.success(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Imported {
    #[track_caller]
    fn counts(&self, added: usize, there: usize) {
        let expected = format!("{added} rows were added, {there} were there\n");
        assert_eq!(self.out, expected, "{}", self.err);
    }

    #[track_caller]
    fn says(&self, text: &str) {
        assert!(!self.success);
        assert!(self.err.contains(text), "no {text:?} in {}", self.err);
    }
}

fn import(folder: &Path, text: impl AsRef<[u8]>, args: &[&str]) -> Imported {
    fs::write(folder.join("in.json"), text).unwrap();
    run(folder, &[&["import", "in.json"], args].concat()).into()
}

fn rows(folder: &Path, sql: &str) -> Vec<String> {
    let db = Connection::open(folder.join("bottle.db")).unwrap();
    let mut statement = db.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Waits until the database gives `expected` for `sql`.
#[track_caller]
fn wait_for(folder: &Path, sql: &str, expected: &str) {
    let began = Instant::now();
    while rows(folder, sql) != [expected] {
        assert!(began.elapsed() < TIMEOUT, "{sql} is {:?}", rows(folder, sql));
        thread::yield_now();
    }
}

fn bottle_row(id: usize, owner: &str) -> String {
    format!(
        r#"{{"type":"bottle","bottle_id":{id},"owner":"{owner}","content":"c","style":0,"location":{{"latitude":{},"longitude":1}},"created_at":"2026-01-01T00:00:00Z"}}"#,
        id as f64 / 100.0
    )
}

fn opening_row(bottle: usize, opener: &str) -> String {
    format!(
        r#"{{"type":"opening","bottle_id":{bottle},"opener":"{opener}","open_at":"2026-01-02T00:00:00Z"}}"#
    )
}

const HOW_MANY: &str = "SELECT CAST(count(*) AS TEXT) FROM bottles";

/// Rows of accounts and bottles that are deleted while the file is read are left out; the rest is not.
#[test]
fn deletions_meanwhile_leave_out_their_rows_only() {
    let folder = sea();
    let folder = folder.path();
    run_ok_with_input(folder, &["user", "add", "bob"], "pass\n");
    run_ok_with_input(folder, &["user", "add", "eve"], "pass\n");

    let mut import = bottle(folder, &["import", "/dev/stdin"]);
    let mut import = import.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = import.stdin.take().unwrap();
    let owner = |n| match n {
        998 => "bob",
        999 => "eve",
        _ => "ada",
    };
    // Rows are written a thousand at a time.
    for n in 0..1000 {
        writeln!(stdin, "{}", bottle_row(n, owner(n))).unwrap();
    }
    stdin.flush().unwrap();
    wait_for(folder, HOW_MANY, "1000");
    run_ok(folder, &["user", "delete", "ada", "--yes"]);
    run_ok(folder, &["user", "delete", "eve", "--yes"]);
    run_ok_with_input(folder, &["user", "add", "eve"], "pass\n");
    for row in [
        bottle_row(2000, "ada"),
        bottle_row(2001, "bob"),
        bottle_row(2002, "eve"),
        opening_row(5, "bob"),
        opening_row(998, "ada"),
        opening_row(998, "eve"),
        bottle_row(2003, "ada"),
    ] {
        writeln!(stdin, "{row}").unwrap();
    }
    drop(stdin);

    let imported = Imported::from(import.wait_with_output().unwrap());
    imported.counts(1003, 0);
    imported.says("line 1004: bottle 5 does not exist");
    imported.says("3 lines: the account ada was deleted during the import; the first is line 1001");
    imported.says("4 lines were left out");
    let owners = "SELECT username || ' ' || content || ' ' || openers_count
                  FROM bottles JOIN messages ON bottle_id = bottles.id JOIN users ON users.id = owner_id ORDER BY bottles.id";
    assert_eq!(rows(folder, owners), ["bob c 1", "bob c 0", "eve c 0"]);
    run_ok(folder, &["check"]);
}

/// The owner's own look is not recorded, and does not come in as an opening either.
#[rstest]
fn an_owners_own_opening_is_left_out(#[values("ada", "ADA")] opener: &str) {
    let folder = sea();
    let lines = [bottle_row(1, "ada"), opening_row(1, opener), opening_row(1, "bob")];
    let imported = import(folder.path(), lines.join("\n"), &[]);
    imported.counts(2, 0);
    imported.says("line 2: the opener owns the bottle");
    assert_eq!(rows(folder.path(), "SELECT CAST(openers_count AS TEXT) FROM bottles"), ["1"]);
}

/// Control characters of a file or a command line reach no terminal.
#[test]
fn escape_characters_are_not_repeated_to_the_terminal() {
    let folder = sea();
    let folder = folder.path();
    let file = "\u{1b}[2J.json";
    fs::write(folder.join(file), r#"{"type":"\u001b]0;owned\u0007\u009b31m\u202e"}"#).unwrap();
    fs::write(folder.join("\u{1b}.csv"), "username\n\"\"\n").unwrap();
    for args in [
        &["import", file] as &[&str],
        &["import", "\u{1b}[31m"],
        &["import", file, "--db", "\u{1b}.db"],
        &["import", file, "--owner", "\u{1b}]0;"],
        &["export", file, "--user", "\u{1b}]0;"],
        &["user", "passwd", "\u{1b}[31m\u{9b}", "--one-time"],
        &["user", "delete", "\u{202e}ada", "--yes"],
        &["user", "import", "\u{1b}.csv"],
        &["user", "import", "\u{1b}none.csv"],
        &["backup", "--keep", "2", "\u{1b}.db"],
        &["backup", "\u{1b}[31m/sea.db"],
        &["restore", "\u{1b}.db"],
        &["check", "--db", "\u{1b}.db"],
        &["serve", "--db", "no/\u{1b}/sea.db"],
    ] {
        let output = Imported::from(run(folder, args));
        assert!(!output.success, "{args:?}");
        assert!(!output.err.is_empty(), "{args:?} says nothing");
        let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!output.err.contains(raw) && !output.out.contains(raw), "{args:?}: {output:?}");
    }
    let output = Imported::from(run(folder, &["backup", "\u{1b}.db"]));
    assert!(output.success && output.out.contains("\\u{1b}.db"), "{output:?}");
}

impl std::fmt::Debug for Imported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.out, self.err)
    }
}

#[test]
fn a_line_that_is_no_utf8_is_left_out() {
    let folder = sea();
    let mut spoiled = bottle_row(2, "ada").into_bytes();
    let at = spoiled.windows(4).position(|four| four == br#":"c""#).unwrap();
    spoiled[at + 2] = 0xe9;
    let lines = [bottle_row(1, "ada").into_bytes(), spoiled, bottle_row(3, "ada").into_bytes()];
    let imported = import(folder.path(), lines.join(&b'\n'), &[]);
    imported.counts(2, 0);
    imported.says("line 2: not UTF-8");
    assert_eq!(rows(folder.path(), "SELECT DISTINCT content FROM messages"), ["c"]);
}

fn point(longitude: f64, latitude: f64, properties: &Value) -> Value {
    let geometry = json!({ "type": "Point", "coordinates": [longitude, latitude] });
    json!({ "type": "Feature", "geometry": geometry, "properties": properties })
}

fn collection(features: &[Value]) -> Value {
    json!({ "type": "FeatureCollection", "features": features })
}

/// The collection's own text, where it matters in which order its members come.
fn with_head(head: &str, features: &[Value], tail: &str) -> String {
    format!("{{{head}\"features\":{}{tail}}}", json!(features))
}

#[rstest]
#[case::no_type(format!(r#""name":"{}","#, "x".repeat(20_000)), "")]
#[case::at_once(String::new(), "")]
fn features_are_found_wherever_they_come(
    #[case] head: String,
    #[case] tail: &str,
    #[values(false, true)] laid_out: bool,
) {
    let folder = sea();
    let feature = |n: i32| {
        let ours = json!({ "bottle_id": n, "owner": "ada", "content": "a", "created_at": "2020-02-02T00:00:00Z" });
        point(f64::from(n), 1.0, &ours)
    };
    let features: Vec<Value> = (0..3).map(feature).collect();
    let mut text = with_head(&head, &features, tail);
    if laid_out {
        text = text.replace(',', ",\r\n\t").replace("[{", "[\n{");
    }
    let imported = import(folder.path(), text, &[]);
    imported.counts(3, 0);
    assert!(imported.success, "{}", imported.err);
}

/// As some programs begin a file.
#[test]
fn a_byte_order_mark_is_passed_over() {
    let folder = sea();
    import(folder.path(), format!("\u{feff}{}\n", bottle_row(1, "ada")), &[]).counts(1, 0);
    let map = collection(&[point(1.0, 2.0, &json!({ "name": "a" }))]);
    import(folder.path(), format!("\u{feff}{map}"), &["--owner", "ada"]).counts(1, 0);
}

const BOTTLES: &str =
    "SELECT concat_ws('|', username, content, style, formatted_address, latitude, longitude)
    FROM bottles JOIN messages ON bottle_id = bottles.id JOIN users ON users.id = owner_id ORDER BY bottles.id";

#[test]
fn features_of_other_programs_become_bottles_once() {
    let folder = sea();
    let folder = folder.path();
    let map = collection(&[
        json!({ "type": "Feature", "id": "node/1", "bbox": [1, 2, 1, 2],
                "geometry": { "type": "Point", "coordinates": [1.5, 2.5, 812.25] },
                "properties": { "name": "Well", "description": "deep" } }),
        point(
            3.0,
            4.0,
            &json!({ "name": "", "title": "Bench", "style": null, "created_at": null }),
        ),
        point(5.0, 6.0, &json!({ "name": 7, "description": "Tree", "style": 2 })),
        point(
            7.0,
            8.0,
            &json!({ "content": "Ours", "name": "Theirs",
                                 "formatted_address": "Quay 1", "owner": "bob" }),
        ),
        point(9.0, 10.0, &json!({ "name": "Then", "created_at": "2020-02-02T00:00:00Z" })),
    ]);
    let imported = import(folder, map.to_string(), &["--owner", "Ada"]);
    imported.counts(5, 0);
    assert!(imported.success, "{}", imported.err);
    assert_eq!(
        rows(folder, BOTTLES),
        [
            "ada|Well|0||2.5|1.5",
            "ada|Bench|0||4.0|3.0",
            "ada|Tree|2||6.0|5.0",
            "ada|Ours|0|Quay 1|8.0|7.0",
            "ada|Then|0||10.0|9.0",
        ]
    );
    import(folder, map.to_string(), &["--owner", "ada"]).counts(0, 5);
    // Values that the file gives tell bottles apart, defaults do not.
    let mut map = map;
    map["features"][4]["properties"]["created_at"] = json!("2021-02-02T00:00:00Z");
    map["features"][0]["geometry"]["coordinates"][0] = json!(1.5000001);
    map["features"][1]["properties"]["title"] = json!("Bank");
    import(folder, map.to_string(), &["--owner", "ada"]).counts(3, 2);
    run_ok_with_input(folder, &["user", "add", "bob"], "pass\n");
    import(folder, map.to_string(), &["--owner", "bob"]).counts(5, 0);
}

#[test]
fn an_owner_may_stand_in_the_properties() {
    let folder = sea();
    let map = collection(&[
        point(1.0, 2.0, &json!({ "name": "a", "owner": "ada" })),
        point(1.0, 2.0, &json!({ "name": "a", "owner": "bob" })),
    ]);
    import(folder.path(), map.to_string(), &[]).counts(2, 0);
    import(folder.path(), map.to_string(), &[]).counts(0, 2);
    assert_eq!(rows(folder.path(), BOTTLES), ["ada|a|0||2.0|1.0", "bob|a|0||2.0|1.0"]);
}

#[test]
fn one_reason_is_given_once() {
    let folder = sea();
    let mut features: Vec<Value> =
        (0..8000).map(|n| point(f64::from(n) / 100.0, 1.0, &json!({ "name": "a" }))).collect();
    features.push(point(1.0, 91.0, &json!({ "name": "a", "owner": "ada" })));
    let imported = import(folder.path(), collection(&features).to_string(), &[]);
    imported.counts(0, 0);
    imported.says("in.json, 8,000 features: no owner is named");
    imported.says("--owner NAME");
    imported.says("; the first is feature 1\n");
    imported.says("in.json, feature 8001: latitude");
    imported.says("8,001 features were left out");
    assert_eq!(imported.err.lines().count(), 3, "{}", imported.err);
    features.pop();
    import(folder.path(), collection(&features).to_string(), &["--owner", "ada"]).counts(8000, 0);
}

#[rstest]
#[case::line(json!({ "type": "LineString", "coordinates": [[1, 2], [3, 4]] }), json!({ "name": "a" }), "LineString")]
#[case::far(json!({ "type": "Point", "coordinates": [500000.0, 5000000.0] }), json!({ "name": "a" }), "latitude")]
#[case::too_long(json!({ "type": "Point", "coordinates": [1, 2] }), json!({ "name": "a".repeat(4001) }), "content must have at most 4000 characters")]
#[case::no_text(json!({ "type": "Point", "coordinates": [1, 2] }), json!({ "title": "", "height": 3 }), "content, name, title or description")]
#[case::style(json!({ "type": "Point", "coordinates": [1, 2] }), json!({ "name": "a", "style": 3 }), "style")]
fn features_that_are_no_bottles_are_left_out(
    #[case] geometry: Value,
    #[case] properties: Value,
    #[case] because: &str,
) {
    let folder = sea();
    let feature = json!({ "type": "Feature", "geometry": geometry, "properties": properties });
    let map = collection(&[feature, point(3.0, 4.0, &json!({ "name": "b" }))]);
    let imported = import(folder.path(), map.to_string(), &["--owner", "ada"]);
    imported.counts(1, 0);
    imported.says("feature 1: ");
    imported.says(because);
    imported.says("1 feature was left out");
}

#[test]
fn an_owner_that_nobody_is_is_refused_before_anything_is_read() {
    let folder = sea();
    let map = collection(&[point(1.0, 2.0, &json!({ "name": "a" }))]);
    let imported = import(folder.path(), map.to_string(), &["--owner", "nobody"]);
    imported.says("there is no account nobody");
    assert_eq!(imported.out, "");
    assert_eq!(rows(folder.path(), HOW_MANY), ["0"]);
}
