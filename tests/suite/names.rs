//! Names that can be given: none that looks like another because of invisible characters.

use bottle_test_support::{App, Client, Response, run_ok_with_input};
use rstest::rstest;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

type Register = fn(&Client, &str) -> Response;

fn at_bottle(client: &Client, name: &str) -> Response {
    client.post("/api/users", &json!({ "username": name, "password": "pass" }))
}

fn at_the_draft(client: &Client, name: &str) -> Response {
    client.post("/users", &json!({ "username": name, "password": "pass" }))
}

fn at_ledger(client: &Client, name: &str) -> Response {
    client.post("/user/register", &json!({ "name": name, "password": "pass" }))
}

fn at_music(client: &Client, name: &str) -> Response {
    let account = json!({ "nickname": name, "email": "eve@example.org", "password": "pass" });
    client.post("/api/user/register", &account)
}

fn at_bookstore(client: &Client, name: &str) -> Response {
    client.post("/auth/register", &json!({ "user_id": name, "password": "pass" }))
}

const CHINESE: &str = "不能包含不可见字符或格式字符";
const ENGLISH: &str = "must not contain invisible or format characters";

#[rstest]
#[case::bottle(at_bottle, 422, json!({
    "status": "UNPROCESSABLE_ENTITY", "msg": format!("字段username{CHINESE}"),
    "data": { "field": "username" }
}))]
#[case::draft(at_the_draft, 422, json!({
    "status": "UNPROCESSABLE_ENTITY", "msg": format!("字段username{CHINESE}"),
    "data": { "field": "username" }
}))]
#[case::ledger(at_ledger, 422, json!({ "code": 422, "message": format!("name {ENGLISH}") }))]
#[case::music(at_music, 400, json!({ "code": 40000, "message": format!("字段nickname{CHINESE}") }))]
#[case::bookstore(at_bookstore, 422, json!({
    "message": format!("The field user_id {ENGLISH}."), "token": ""
}))]
fn a_name_that_resembles_another_is_refused(
    #[case] register: Register,
    #[case] status: u16,
    #[case] body: Value,
) {
    let app = App::new();
    let response = register(&app.anon(), "ad\u{200b}a");
    assert_eq!((response.status, response.json()), (status, body));
    assert!(register(&app.anon(), "ada").status < 300);
}

#[test]
fn a_nickname_that_resembles_another_is_refused() {
    let name = "\u{202e}ada";
    let app = App::new();
    let ada = app.user("ada");
    let account = json!({ "username": "bob", "password": "pass", "nickname": name });
    let refused = [
        app.anon().post("/api/users", &account),
        ada.put("/api/users/self", &json!({ "nickname": name })),
    ];
    for response in refused {
        assert_eq!(response.status, 422, "{}", response.text);
        assert_eq!(response.data(), json!({ "field": "nickname" }));
    }
    let music = by_token(&app, "ada", "pass");
    let shown = music.put("/api/user/update", &json!({ "nickname": name }));
    let named = json!({ "new_nickname": name, "password": "pass" });
    let named = music.put("/api/user/update/username", &named);
    for (response, field) in [(shown, "nickname"), (named, "new_nickname")] {
        assert_eq!(response.status, 400, "{}", response.text);
        let body = json!({ "code": 40000, "message": format!("字段{field}{CHINESE}") });
        assert_eq!(response.json(), body);
    }
}

/// Someone logged in by the Music contract.
fn by_token(app: &App, name: &str, password: &str) -> Client {
    let mut client = app.anon();
    let login = client.post("/api/user/login", &json!({ "email": name, "password": password }));
    let token = login.data()["token"].as_str().unwrap().to_owned();
    client.headers.push(("Authorization".into(), format!("Bearer {token}")));
    client
}

/// Names of any script, and emoji, as people have them.
#[rstest]
fn ordinary_names_are_taken(
    #[values("爱因斯坦·阿尔伯特", "می\u{200c}خواهم")] name: &str
) {
    let app = App::new();
    for register in [at_bottle as Register, at_music] {
        let app = App::new();
        let response = register(&app.anon(), name);
        assert_eq!(response.status, 200, "{}", response.text);
    }
    let ada = app.user("ada");
    let response = ada.put("/api/users/self", &json!({ "nickname": name }));
    assert_eq!((response.status, &response.data()["nickname"]), (200, &json!(name)));
}

#[test]
fn emoji_of_several_characters_are_nicknames() {
    let name = "👩🏽\u{200d}🚀";
    let app = App::new();
    let ada = app.user("ada");
    let response = ada.put("/api/users/self", &json!({ "nickname": name }));
    assert_eq!((response.status, &response.data()["nickname"]), (200, &json!(name)));
}

/// Accounts made before the rule: they log in and change what they like, their whole profile sent along.
#[test]
fn accounts_keep_the_names_they_have() {
    const NAME: &str = "\u{202e}a\u{200b}da";
    let app = App::new();
    app.user("ada");
    Connection::open(app.database())
        .unwrap()
        .execute("UPDATE users SET username = ?1, nickname = ?1", params![NAME])
        .unwrap();

    let mut ada = app.anon();
    ada.log_in(NAME, "pass");
    let whole = json!({ "username": NAME, "nickname": NAME, "gender": "female" });
    let response = ada.put("/api/users/self", &whole);
    assert_eq!(
        (response.status, &response.data()["nickname"]),
        (200, &json!(NAME)),
        "{}",
        response.text
    );
    assert_eq!(response.data()["gender"], "female");

    let music = by_token(&app, NAME, "pass");
    let shown = json!({ "nickname": NAME, "avatar_url": "https://example.org/a.png" });
    assert_eq!(music.put("/api/user/update", &shown).status, 200);
    let named = json!({ "new_nickname": NAME, "password": "pass" });
    assert_eq!(music.put("/api/user/update/username", &named).status, 200);
    assert_eq!(music.get("/api/user/profile").data()["nickname"], NAME);

    let ledger = json!({ "name": NAME, "password": "pass" });
    assert_eq!(app.anon().post("/user/login", &ledger).status, 200);
    let bookstore = json!({ "user_id": NAME, "oldPassword": "pass", "newPassword": "newer" });
    assert_eq!(app.anon().post("/auth/password", &bookstore).status, 200);
    run_ok_with_input(app.folder(), &["user", "passwd", NAME], "again\n");
    app.anon().log_in(NAME, "again");
}
