//! A fault of ours in Music: each route has its own words for it, and no other are known to its clients.

use bottle::api::music;
use bottle_test_support::{App, Client, Response};
use rocket::config::{Config, LogLevel};
use rocket::get;
use rocket::local::blocking;
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

/// A route of Music, what it is sent, and what it says to "try again later".
struct Route {
    method: &'static str,
    path: &'static str,
    body: Value,
    code: u32,
    message: &'static str,
}

fn routes() -> [Route; 7] {
    let route = |method, path, body, code, message| Route { method, path, body, code, message };
    [
        route(
            "POST",
            "/api/user/register",
            json!({ "nickname": "eve", "email": "eve@example.org", "password": "pass" }),
            40003,
            "注册请求处理失败，请稍后再试",
        ),
        route(
            "POST",
            "/api/user/login",
            json!({ "email": "ada@example.org", "password": "pass" }),
            40004,
            "登录请求处理失败，请稍后再试",
        ),
        route("GET", "/api/user/profile", Value::Null, 40003, "获取用户信息请求失败，请稍后再试"),
        route(
            "PUT",
            "/api/user/update/username",
            json!({ "new_nickname": "eve", "password": "pass" }),
            40003,
            "修改请求处理失败，请稍后再试",
        ),
        route(
            "PUT",
            "/api/user/update",
            json!({ "nickname": "Countess" }),
            40003,
            "更新请求处理失败，请稍后再试",
        ),
        route(
            "PUT",
            "/api/user/update/password",
            json!({ "password": "pass", "new_password": "word" }),
            40003,
            "修改密码请求处理失败，请稍后再试",
        ),
        route(
            "DELETE",
            "/api/user/delete",
            json!({ "password": "pass" }),
            40002,
            "注销请求处理失败，请稍后再试",
        ),
    ]
}

fn ask(client: &Client, route: &Route) -> Response {
    match &route.body {
        Value::Null => client.get(route.path),
        body => client.json(route.method, route.path, body),
    }
}

#[track_caller]
fn assert_later(response: &Response, route: &Route) {
    assert_eq!(response.status, 400, "{} {}", route.path, response.text);
    assert_eq!(response.json(), json!({ "code": route.code, "message": route.message }));
}

/// Ada of Music, logged in.
fn ada(app: &App) -> Client {
    let mut ada = app.anon();
    let account = json!({ "nickname": "ada", "email": "ada@example.org", "password": "pass" });
    assert_eq!(ada.post("/api/user/register", &account).status, 200);
    let login = ada.post("/api/user/login", &account);
    let token = login.data()["token"].as_str().unwrap().to_owned();
    ada.headers.push(("Authorization".into(), format!("Bearer {token}")));
    ada
}

fn sql(app: &App, sql: &str) {
    Connection::open(app.database()).unwrap().execute_batch(sql).unwrap();
}

/// The session's own guard fails already, before any handler.
#[rstest]
#[case::accounts("users", true)]
#[case::sessions("sessions", false)]
fn a_table_that_is_gone_is_later(#[case] table: &str, #[case] registers: bool) {
    let app = App::new();
    let ada = ada(&app);
    sql(&app, &format!("ALTER TABLE {table} RENAME TO elsewhere"));
    for route in routes() {
        // To register takes no session.
        if registers || !route.path.ends_with("register") {
            assert_later(&ask(&ada, &route), &route);
        }
    }
    sql(&app, &format!("ALTER TABLE elsewhere RENAME TO {table}"));
    assert_eq!(ada.get("/api/user/profile").data()["nickname"], "ada");
}

/// The guard is content, and what the handler does fails.
#[rstest]
#[case::writing(
    "CREATE TRIGGER broken BEFORE INSERT ON users BEGIN SELECT RAISE(ABORT, 'broken'); END;
     CREATE TRIGGER broken_too BEFORE UPDATE ON users BEGIN SELECT RAISE(ABORT, 'broken'); END;
     CREATE TRIGGER broken_gone BEFORE DELETE ON users BEGIN SELECT RAISE(ABORT, 'broken'); END",
    &["register", "update/username", "update", "update/password", "delete"]
)]
#[case::passwords(
    "UPDATE users SET password_hash = 'none'",
    &["login", "update/username", "update/password", "delete"]
)]
fn a_fault_in_the_handler_is_later(#[case] damage: &str, #[case] paths: &[&str]) {
    let app = App::new();
    let ada = ada(&app);
    sql(&app, damage);
    let routes = routes()
        .into_iter()
        .filter(|route| paths.iter().any(|path| route.path == format!("/api/user/{path}")));
    let routes: Vec<Route> = routes.collect();
    assert_eq!(routes.len(), paths.len());
    for route in routes {
        assert_later(&ask(&ada, &route), &route);
    }
}

#[get("/profile")]
fn panics() {
    panic!("a bug")
}

/// A bug that ends a handler leaves the answer to the catcher.
#[test]
fn a_panic_is_later() {
    let rocket = rocket::custom(Config { log_level: LogLevel::Off, ..Config::default() })
        .mount("/api/user", rocket::routes![panics])
        .register("/api/user", music::catchers());
    let client = blocking::Client::untracked(rocket).unwrap();
    let response = client.get("/api/user/profile").dispatch();
    assert_eq!(response.status().code, 400);
    let body: Value = serde_json::from_str(&response.into_string().unwrap()).unwrap();
    let profile = routes().into_iter().find(|route| route.path.ends_with("profile")).unwrap();
    assert_eq!(body, json!({ "code": profile.code, "message": profile.message }));
}

/// A rejection is no fault, and stays as it is.
#[test]
fn refusals_stay_what_they_are() {
    let app = App::new();
    sql(&app, "ALTER TABLE users RENAME TO elsewhere");
    let anon = app.anon();
    assert_eq!(anon.get("/api/user/profile").json()["code"], 40301);
    assert_eq!(anon.get("/api/user/nothing").json()["code"], 40400);
    assert_eq!(anon.post("/api/user/profile", &json!({})).json()["code"], 40500);
    assert_eq!(anon.post("/api/user/login", &json!({})).json()["code"], 40000);
}
