//! Guessing passwords tells nothing of whether someone has a name.

use std::collections::BTreeSet;

use bottle::store::users;
use bottle_test_support::{App, Client, Response, open_store};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::json;

/// Spellings of one name: each in another case.
fn spellings(name: &str, count: u32) -> Vec<String> {
    let spelled = |mask: u32| {
        let letters = name.chars().enumerate();
        let cased =
            letters.map(|(n, c)| if mask >> n & 1 == 1 { c.to_ascii_uppercase() } else { c });
        cased.collect()
    };
    (0..count).map(spelled).collect()
}

type LogIn = fn(&Client, &str) -> Response;

fn by_bottle(client: &Client, name: &str) -> Response {
    client.post("/api/sessions", &json!({ "username": name, "password": "wrong" }))
}

fn by_ledger(client: &Client, name: &str) -> Response {
    client.post("/user/login", &json!({ "name": name, "password": "wrong" }))
}

fn by_music(client: &Client, name: &str) -> Response {
    client.post("/api/user/login", &json!({ "email": name, "password": "wrong" }))
}

fn by_bookstore(client: &Client, name: &str) -> Response {
    let body = json!({ "user_id": name, "password": "wrong", "terminal": "t" });
    client.post("/auth/login", &body)
}

fn by_bookstores_password(client: &Client, name: &str) -> Response {
    let body = json!({ "user_id": name, "oldPassword": "wrong", "newPassword": "other" });
    client.post("/auth/password", &body)
}

fn by_bookstores_end(client: &Client, name: &str) -> Response {
    client.post("/auth/unregister", &json!({ "user_id": name, "password": "wrong" }))
}

/// All spellings of a name share one rate limit, for a name that exists and for one that does not.
#[rstest]
#[case::ascii("abcdef", "uvwxyz")]
#[case::composed("bcdefe\u{301}", "vwxyze\u{301}")]
#[case::not_ascii("bcdef\u{e9}", "vwxyz\u{e9}")]
#[case::email("abcdef@example.org", "uvwxyz@example.org")]
fn spellings_of_a_name_are_counted_together(
    #[case] known: &str,
    #[case] unknown: &str,
    #[values(
        by_bottle,
        by_ledger,
        by_music,
        by_bookstore,
        by_bookstores_password,
        by_bookstores_end
    )]
    log_in: LogIn,
) {
    let tries = |name: &str| -> Vec<bool> {
        let app = App::with(|settings| settings.login_attempts_per_minute = 5);
        let account =
            json!({ "nickname": "abcdef", "email": "abcdef@example.org", "password": "pass" });
        assert_eq!(app.anon().post("/api/user/register", &account).status, 200);
        for name in ["bcdef\u{e9}", "abcdef@example.org"] {
            let account = json!({ "username": name, "password": "pass" });
            assert_eq!(app.anon().post("/api/users", &account).status, 200);
        }
        let tries = spellings(name, 7);
        tries.iter().map(|name| log_in(&app.anon(), name).status == 429).collect()
    };
    assert_eq!(tries(known), [false, false, false, false, false, true, true]);
    assert_eq!(tries(unknown), tries(known));
}

/// The account whose hash a name that nobody has is checked against: always one of those there are, the
/// same for the same name, and in time each of them.
#[test]
fn an_unknown_name_costs_what_some_account_does() {
    let app = App::new();
    for n in 0..5 {
        app.user(&format!("user{n}"));
    }
    let folder = app.stop();
    let path = folder.path().join("bottle.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch("UPDATE users SET password_hash = id; DELETE FROM users WHERE id IN (1, 3)")
        .unwrap();

    let store = open_store(&path);
    let chosen = |number| store.read(|db| users::some_password_hash(db, number)).unwrap();
    let numbers = (0..100).chain(u64::MAX - 100..=u64::MAX);
    let hashes: BTreeSet<Option<String>> = numbers.clone().map(chosen).collect();
    assert_eq!(hashes, ["2", "4", "5"].map(|id| Some(id.to_owned())).into());
    assert!(numbers.clone().map(chosen).eq(numbers.map(chosen)));

    db.execute_batch("DELETE FROM users").unwrap();
    assert_eq!(chosen(7), None);
}
