//! The accounts of a class, from a CSV file.

use std::thread;

use bottle_test_support::{App, Client};
use rstest::rstest;
use serde_json::{Value, json};

use crate::people::listed;

#[track_caller]
fn import(root: &Client, csv: &str, dry_run: bool) -> Vec<Value> {
    let body = json!({ "csv": csv, "dry_run": dry_run });
    let response = root.post("/api/admin/people/import", &body);
    assert_eq!(response.status, 200, "{}", response.text);
    response.data()["lines"].as_array().unwrap().clone()
}

#[test]
fn a_class_is_previewed_and_imported() {
    let app = App::new();
    let root = app.operator("root");
    app.user("Taken");
    let class = "\u{feff}Nickname,USERNAME,group\r\nAda L., ada ,1\r\n\r\n,小明,1\r\n\
                 \"O'Neil, \"\"B.\"\"\nJr.\",bob,2\r\nx,TAKEN,2\r\nno name,,2\r\n,ADA,3\r\n\
                 short,row\r\n,,\r\n";
    let expected = [
        (2, "ada", "new"),
        (4, "小明", "new"),
        (5, "bob", "invalid"),
        (7, "TAKEN", "exists"),
        (8, "", "invalid"),
        (9, "ADA", "repeated"),
        (10, "", "invalid"),
    ];
    let lines = import(&root, class, true);
    let seen: Vec<(u64, &str, &str)> = lines
        .iter()
        .map(|line| {
            let text = |field: &str| line[field].as_str().unwrap();
            (line["line"].as_u64().unwrap(), text("username"), text("result"))
        })
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(lines[5]["first_line"], 2);
    let fields: Vec<&Value> = [2, 4, 6].iter().map(|n| &lines[*n]["field"]).collect();
    assert_eq!(fields, ["nickname", "username", "csv"]);
    assert_eq!(listed(&root, "", "username").len(), 2, "nothing was made");

    let lines = import(&root, class, false);
    let results: Vec<&Value> = lines.iter().map(|line| &line["result"]).collect();
    assert_eq!(
        results,
        ["created", "created", "invalid", "exists", "invalid", "repeated", "invalid"]
    );
    for line in &lines[..2] {
        let (name, password) = (line["username"].as_str(), line["one_time_password"].as_str());
        let mut student = app.anon();
        student.log_in(name.unwrap(), password.unwrap());
        assert_eq!(student.get("/api/users/self").data()["password_is_one_time"], true);
    }
    assert!(import(&root, class, false).iter().all(|line| line["result"] != "created"));
}

#[rstest]
#[case::semicolons("username;nickname\nada;Ada, Countess\n", &["new"])]
#[case::only_a_header("username\n", &[])]
#[case::no_line_end("username\nada", &["new"])]
#[case::quoted_names("\"username\"\n\"ada\"\n", &["new"])]
#[case::a_nul("username\nada\0\n", &["invalid"])]
#[case::a_formula("username\n=1+1\n", &["new"])]
#[case::an_open_quote("username\n\"ada\nbob\n", &["invalid"])]
#[case::unicode_case("username\nZoe\u{308}\nZo\u{eb}\n", &["new", "repeated"])]
#[case::too_long("username\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", &["invalid"])]
fn a_file_may_be_strange(#[case] csv: &str, #[case] results: &[&str]) {
    let app = App::new();
    let lines = import(&app.operator("root"), csv, true);
    assert_eq!(lines.iter().map(|line| &line["result"]).collect::<Vec<_>>(), results, "{lines:?}");
}

#[rstest]
#[case::empty("")]
#[case::no_column("name\nada\n")]
#[case::binary("\0\u{1}\u{2}")]
#[case::too_many_lines(&format!("username\n{}", (0..10_000).map(|n| format!("pupil{n}\n")).collect::<String>()))]
fn a_file_is_refused(#[case] csv: &str) {
    let app = App::new();
    let root = app.operator("root");
    for dry_run in [true, false] {
        let body = json!({ "csv": csv, "dry_run": dry_run });
        let response = root.post("/api/admin/people/import", &body);
        assert_eq!((response.status, &response.data()["field"]), (422, &json!("csv")));
    }
    assert_eq!(listed(&root, "", "username"), ["root"]);
}

/// Two imports of the same class at once make each account once.
#[test]
fn a_class_is_imported_once() {
    let app = App::new();
    let root = app.operator("root");
    let class: String = (0..20).map(|n| format!("pupil{n}\n")).collect();
    let class = &format!("username\n{class}");
    let created = thread::scope(|scope| {
        let root = &root;
        let one = || scope.spawn(move || import(root, class, false));
        [one(), one()].map(|t| t.join().unwrap()).concat()
    });
    let created = created.iter().filter(|line| line["result"] == "created");
    assert_eq!(created.count(), 20);
    assert_eq!(listed(&root, "", "username").len(), 21);
}
