//! Roles: an operator may do what a teacher may, and the last operator stays.

use std::path::Path;
use std::thread;

use bottle_test_support::{App, Client, run_err_with_input, run_ok, run_ok_with_input};
use rstest::rstest;
use serde_json::{Value, json};

#[track_caller]
fn user(folder: &Path, args: &[&str]) -> String {
    run_ok(folder, &[&["user"], args].concat())
}

#[track_caller]
fn user_err(folder: &Path, args: &[&str], message: &str) {
    run_err_with_input(folder, &[&["user"], args].concat(), "pass\n", message);
}

fn profile(client: &Client) -> Value {
    client.get("/api/users/self").data()
}

#[test]
fn a_role_is_given_and_taken_while_it_is_served() {
    let app = App::new();
    let (ada, root) = (app.user("ada"), app.operator("root"));
    assert_eq!(ada.get("/api/teacher/sea").status, 403);
    assert!(profile(&ada).get("is_operator").is_none(), "{}", profile(&ada));
    let root_profile = profile(&root);
    assert_eq!(
        (&root_profile["is_operator"], &root_profile["is_teacher"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(root.get("/api/teacher/sea").status, 200);

    assert_eq!(user(app.folder(), &["role", "ADA", "teacher"]), "ada has the role teacher now\n");
    assert_eq!(ada.get("/api/teacher/sea").status, 200);
    assert!(profile(&ada).get("is_operator").is_none());
    let changed = user(app.folder(), &["role", "ada", "operator", "--json"]);
    let changed: Value = serde_json::from_str(&changed).unwrap();
    assert_eq!(changed, json!({ "username": "ada", "role": "operator" }));
    assert_eq!(profile(&ada)["is_operator"], true);
    assert!(user(app.folder(), &["list"]).contains("ada  (operator)"));
    let listed: Value = serde_json::from_str(&user(app.folder(), &["list", "--json"])).unwrap();
    assert_eq!(listed[0]["is_operator"], true);

    user(app.folder(), &["role", "root", "user"]);
    assert_eq!(root.get("/api/teacher/sea").status, 403);
    assert!(profile(&root).get("is_teacher").is_none());
    user_err(app.folder(), &["role", "nobody", "user"], "there is no account nobody");
    let unknown = bottle_test_support::run(app.folder(), &["user", "role", "ada", "captain"]);
    let stderr = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(stderr.contains("the roles are operator, teacher and user"), "{stderr}");
}

#[test]
fn the_command_line_keeps_the_last_operator_unless_it_says_so() {
    let app = App::new();
    app.operator("root");
    let refusal = "root is the last operator";
    user_err(app.folder(), &["role", "root", "teacher"], refusal);
    user_err(app.folder(), &["role", "root", "user"], refusal);
    user_err(app.folder(), &["delete", "root", "--yes"], refusal);
    user(app.folder(), &["role", "root", "operator"]);
    user(app.folder(), &["role", "root", "teacher", "--last-operator"]);
    user(app.folder(), &["role", "root", "operator"]);
    user(app.folder(), &["delete", "root", "--yes", "--last-operator"]);
    assert_eq!(user(app.folder(), &["list"]).lines().count(), 1);
}

/// Sends the request with which each contract deletes the account.
fn delete(app: &App, client: &Client, contract: &str, name: &str) -> (u16, Value) {
    let password = json!({ "password": "pass" });
    let with = |header: &str, value: String| {
        let mut client = app.anon();
        client.headers.push((header.to_owned(), value));
        client
    };
    let response = match contract {
        "bottle" => client.json("DELETE", "/api/users/self", &password),
        "ledger" => {
            let login =
                app.anon().post("/user/login", &json!({ "name": name, "password": "pass" }));
            let jwt = login.header("set-cookie").split(';').next().unwrap().to_owned();
            with("Cookie", jwt).delete("/user")
        }
        "music" => {
            let body = json!({ "email": name, "password": "pass" });
            let token = app.anon().post("/api/user/login", &body).data()["token"].clone();
            with("Authorization", format!("Bearer {}", token.as_str().unwrap()))
                .delete("/api/user/delete")
        }
        _ => {
            let body = json!({ "user_id": name, "password": "pass" });
            app.anon().post("/auth/unregister", &body)
        }
    };
    (response.status, response.json())
}

#[rstest]
#[case::bottle("bottle", 403, "msg", "这是最后一位管理员，不能禁言、降级或删除")]
#[case::ledger("ledger", 403, "message", "cannot delete user cause it is the last operator")]
#[case::music("music", 400, "message", "您是最后一位管理员，不能注销")]
#[case::bookstore("bookstore", 401, "message", "The last operator cannot be deleted.")]
fn no_contract_deletes_the_last_operator(
    #[case] contract: &str,
    #[case] status: u16,
    #[case] field: &str,
    #[case] message: &str,
) {
    let app = App::new();
    let root = app.operator("root");
    let (answered, body) = delete(&app, &root, contract, "root");
    assert_eq!((answered, &body[field]), (status, &json!(message)), "{body}");
    assert_eq!(root.get("/api/users/self").status, 200);

    app.operator("other");
    assert_eq!(delete(&app, &root, contract, "root").0, 200);
    assert_eq!(root.get("/api/users/self").status, 401);
}

#[test]
fn the_last_operator_is_not_muted() {
    let app = App::new();
    let (root, grace) = (app.operator("root"), app.teacher("grace"));
    let path = format!("/api/teacher/users/{}", profile(&root)["user_id"]);
    for client in [&grace, &root] {
        let muted = client.put(&path, &json!({ "muted_minutes": 5 }));
        assert_eq!((muted.status, &muted.json()["status"]), (403, &json!("LAST_OPERATOR")));
    }
    assert_eq!(grace.put(&path, &json!({ "muted_minutes": 0 })).status, 200);
    root.throw(1.0, 1.0);
    app.operator("other");
    assert_eq!(grace.put(&path, &json!({ "muted_minutes": 5 })).status, 200);
}

/// Two operators delete their accounts at once: one of them stays.
#[test]
fn of_two_operators_who_leave_at_once_one_stays() {
    for _ in 0..5 {
        let app = App::new();
        let both = [app.operator("one"), app.operator("two")];
        let leave = |client: &Client| {
            client.json("DELETE", "/api/users/self", &json!({ "password": "pass" })).status
        };
        let mut statuses = thread::scope(|scope| {
            both.each_ref()
                .map(|client| scope.spawn(move || leave(client)))
                .map(|t| t.join().unwrap())
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403]);
    }
}

#[test]
fn an_operator_is_added_beside_a_missing_database() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["user", "add", "root", "--operator"];
    assert_eq!(run_ok_with_input(folder.path(), &args, "pass\n"), "root was created\n");
    let both = ["user", "add", "x", "--operator", "--teacher"];
    assert!(!bottle_test_support::run(folder.path(), &both).status.success());
}
