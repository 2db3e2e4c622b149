//! Registration that is open, by invitation or closed, in all five contracts.

use bottle::model::registration::RegistrationMode;
use bottle_test_support::{App, Client, Program, Response, bottle, run_ok};
use rstest::rstest;
use serde_json::{Value, json};

pub(crate) fn set(operator: &Client, mode: &str) -> Response {
    operator.put("/api/admin/registration", &json!({ "registration": mode }))
}

#[track_caller]
pub(crate) fn invite(client: &Client, terms: &Value) -> String {
    let made = client.post("/api/admin/invitations", terms);
    assert_eq!(made.status, 200, "{}", made.text);
    made.data()["invitation"].as_str().unwrap().to_owned()
}

pub(crate) fn register(client: &Client, name: &str, code: &str) -> Response {
    let body = json!({ "username": name, "password": "pass", "invitation": code });
    client.post("/api/users", &body)
}

pub(crate) fn status_of(response: &Response) -> (u16, String) {
    (response.status, response.json()["status"].as_str().unwrap_or_default().to_owned())
}

/// The registration of each contract, and its documented refusal.
fn refusals() -> [(&'static str, Value, u16, Value); 5] {
    let bottle = json!({ "status": "REGISTRATION_CLOSED", "msg": "注册已关闭", "data": {} });
    let account = json!({ "username": "eve", "password": "pass" });
    [
        ("/api/users", account.clone(), 403, bottle.clone()),
        ("/users", account, 403, bottle),
        (
            "/user/register",
            json!({ "name": "eve", "password": "pass" }),
            403,
            json!({ "code": 403, "message": "registration is closed" }),
        ),
        (
            "/api/user/register",
            json!({ "nickname": "eve", "email": "eve@example.org", "password": "pass" }),
            400,
            json!({ "code": 40003, "message": "注册请求处理失败，请稍后再试" }),
        ),
        (
            "/auth/register",
            json!({ "user_id": "eve", "password": "pass" }),
            401,
            json!({ "message": "Registration is closed.", "token": "" }),
        ),
    ]
}

#[rstest]
fn every_contract_refuses_registration(#[values("invite", "closed")] mode: &str) {
    let app = App::new();
    let (root, mut ada) = (app.operator("root"), app.user("ada"));
    assert_eq!(set(&root, mode).status, 200);
    for (path, body, status, refusal) in refusals() {
        let response = app.anon().post(path, &body);
        assert_eq!((response.status, response.json()), (status, refusal), "{path}");
        // A name that is taken is not revealed.
        let mut taken = body.clone();
        for field in ["username", "name", "nickname", "user_id"] {
            if taken.get(field).is_some() {
                taken[field] = json!("ada");
            }
        }
        assert_eq!(app.anon().post(path, &taken).status, status, "{path}");
    }
    let listed = run_ok(app.folder(), &["user", "list"]);
    assert_eq!(listed.lines().count(), 3, "{listed}");
    // Sessions and logins go on, and so does the command line.
    assert_eq!(ada.get("/api/users/self").status, 200);
    ada.log_in("ada", "pass");
    let login = json!({ "user_id": "ada", "password": "pass", "terminal": "t" });
    assert_eq!(app.anon().post("/auth/login", &login).status, 200);
    app.teacher("grace");

    assert_eq!(set(&root, "open").status, 200);
    for (path, mut body, ..) in refusals() {
        for field in ["username", "name", "nickname", "user_id"] {
            if body.get(field).is_some() {
                body[field] = json!(path.replace('/', ""));
            }
        }
        assert!(app.anon().post(path, &body).status < 300, "{path}");
    }
}

#[test]
fn the_mode_is_shown_where_it_is_not_open() {
    let app = App::new();
    let root = app.operator("root");
    let settings = || app.anon().get("/api/settings").data();
    let status = || root.get("/api/admin/registration").data();
    assert!(settings().get("registration").is_none());
    assert_eq!(status(), json!({ "registration": "open", "source": "default" }));
    for mode in ["invite", "closed"] {
        assert_eq!(set(&root, mode).data(), json!({ "registration": mode, "source": "page" }));
        assert_eq!(settings()["registration"], mode);
        assert_eq!(status(), json!({ "registration": mode, "source": "page" }));
    }
    set(&root, "open");
    assert!(settings().get("registration").is_none());
    let wrong = set(&root, "ajar");
    assert_eq!((wrong.status, &wrong.data()["field"]), (422, &json!("registration")));

    // It is kept.
    set(&root, "closed");
    let app = App::over(app.stop(), |_| {});
    assert_eq!(app.anon().get("/api/settings").data()["registration"], "closed");
}

#[test]
fn the_settings_override_the_page() {
    let app = App::with(|settings| settings.registration = Some(RegistrationMode::Closed));
    let root = app.operator("root");
    assert_eq!(
        root.get("/api/admin/registration").data(),
        json!({ "registration": "closed", "source": "settings" })
    );
    assert_eq!(status_of(&set(&root, "open")), (409, "SETTING_OVERRIDDEN".to_owned()));
    assert_eq!(status_of(&register(&app.anon(), "eve", "")).1, "REGISTRATION_CLOSED");

    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_BOTTLE", bottle_test_support::fast_settings_with("registration=invite"));
    let program = Program::start(command);
    assert_eq!(program.client().get("/api/settings").data()["registration"], "invite");
}

/// Each role on each route: visitor, user, teacher, operator.
#[rstest]
#[case("GET", "/api/admin/registration", "", [401, 403, 403, 200])]
#[case("PUT", "/api/admin/registration", r#"{"registration":"closed"}"#, [401, 403, 403, 200])]
#[case("POST", "/api/admin/invitations", "{}", [401, 403, 200, 200])]
#[case("POST", "/api/admin/invitations", r#"{"role":"teacher"}"#, [401, 403, 403, 200])]
#[case("GET", "/api/admin/invitations", "", [401, 403, 200, 200])]
#[case("DELETE", "/api/admin/invitations/1", "", [401, 403, 200, 200])]
#[case("DELETE", "/api/admin/invitations/2", "", [401, 403, 404, 200])]
fn every_role_gets_what_is_its_own(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &str,
    #[case] expected: [u16; 4],
) {
    let app = App::new();
    let root = app.operator("root");
    let clients = [app.anon(), app.user("ada"), app.teacher("grace"), root.clone()];
    invite(&root, &json!({}));
    invite(&root, &json!({ "role": "teacher" }));
    for (client, expected) in clients.iter().zip(expected) {
        let headers = [("Content-Type", "application/json")];
        let body = (!body.is_empty()).then_some(body.as_bytes());
        let response = client.send(method, path, &headers, body);
        assert_eq!(response.status, expected, "{method} {path}: {}", response.text);
        if method == "DELETE" && response.status == 200 {
            // The next role finds one of the same kind and id.
            let role = if path.ends_with('1') { "user" } else { "teacher" };
            let db = rusqlite::Connection::open(app.database()).unwrap();
            let sql = "INSERT INTO invitations (id, code_hash, role, uses, created_at, expires_at)
                       VALUES (?1, randomblob(32), ?2, 1, 0, 4102444800000)";
            db.execute(sql, (path.rsplit('/').next().unwrap(), role)).unwrap();
        }
    }
}
