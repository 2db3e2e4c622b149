//! Many at once: one wins, and the record stays.

use std::sync::Barrier;
use std::thread;

use bottle_test_support::{App, Response};
use serde_json::{Value, json};

/// Does `request` on `count` threads at the same moment.
fn at_once(count: usize, request: impl Fn(usize) -> Response + Sync) -> Vec<Response> {
    let start = Barrier::new(count);
    thread::scope(|scope| {
        let (start, request) = (&start, &request);
        let threads: Vec<_> = (0..count)
            .map(|n| {
                scope.spawn(move || {
                    start.wait();
                    request(n)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn one_of_many_registrations_of_a_name_wins() {
    let app = App::new();
    let responses = at_once(16, |n| {
        // Each in another ASCII case.
        let name: String = ["ada", "lovelace"]
            .concat()
            .char_indices()
            .map(|(at, c)| if n >> (at % 4) & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        app.anon().post("/api/users", &json!({ "username": name, "password": format!("pass{n}") }))
    });
    let won = responses.iter().filter(|response| response.status == 200).count();
    assert_eq!((won, responses.iter().filter(|response| response.status == 409).count()), (1, 15));
}

#[test]
fn one_of_many_first_openings_is_the_record() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let id = ada.throw(1.0, 1.0);
    let responses =
        at_once(50, |_| bob.send("POST", &format!("/api/bottles/{id}/open"), &[], None));
    let first = responses[0].data()["open_at"].clone();
    assert!(
        responses
            .iter()
            .all(|response| response.status == 200 && response.data()["open_at"] == first)
    );
    let openers = ada.get(&format!("/api/bottles/{id}/openers")).data();
    assert_eq!(openers["openers_count"], 1);
    assert_eq!(openers["openers"][0]["open_at"], first);
}

#[test]
fn everyone_who_opens_at_once_is_counted() {
    let app = App::new();
    let ada = app.user("ada");
    let id = ada.throw(1.0, 1.0);
    let others: Vec<_> = (0..50).map(|n| app.user(&format!("user{n}"))).collect();
    at_once(50, |n| others[n].send("POST", &format!("/api/bottles/{id}/open"), &[], None));
    let openers = ada.get(&format!("/api/bottles/{id}/openers")).data();
    assert_eq!(openers["openers_count"], 50);
    assert_eq!(openers["openers"].as_array().unwrap().len(), 50);
}

/// Sixteen logins of one account while its hash is made stronger: none is turned away.
#[test]
fn logins_at_once_all_get_in_while_the_hash_is_renewed() {
    let app = App::new();
    drop(app.user("ada"));
    let app = App::over(app.stop(), |settings| settings.argon2_memory_kib = 16);
    let body = json!({ "username": "ada", "password": "pass" });
    let responses = at_once(16, |_| app.anon().post("/api/sessions", &body));
    assert!(responses.iter().all(|response| response.status == 200));
}

/// Someone uses an account while its password changes again and again: their own session, which
/// changes it, goes on without a break, and of the others none outlives a change.
#[test]
fn sessions_are_used_while_the_password_changes() {
    let app = App::new();
    let ada = app.user("ada");
    let responses = at_once(16, |n| {
        if n == 0 {
            for round in 0..20 {
                let changed =
                    ada.put("/api/users/self", &json!({ "password": format!("pass{round}") }));
                assert_eq!(changed.status, 200, "{}", changed.text);
            }
            return ada.get("/api/users/self");
        }
        let mut last = ada.get("/api/users/self");
        for _ in 0..20 {
            last = ada.get("/api/users/self");
            assert_eq!(last.status, 200, "{}", last.text);
        }
        last
    });
    assert!(responses.iter().all(|response| response.status == 200));
    app.anon().log_in("ada", "pass19");
}

/// A session that the old password began during the change of the password ends with the change.
#[test]
fn no_login_with_the_old_password_outlives_its_change() {
    let app = App::new();
    let ada = app.user("ada");
    let old = json!({ "username": "ada", "password": "pass" });
    let responses = at_once(16, |n| {
        if n == 8 {
            return ada.put("/api/users/self", &json!({ "password": "newer" }));
        }
        app.anon().post("/api/sessions", &old)
    });
    assert_eq!(responses[8].status, 200);
    for (n, response) in responses.iter().enumerate().filter(|(n, _)| *n != 8) {
        assert!([200, 403].contains(&response.status), "{n}: {}", response.text);
        let cookie = response.header("set-cookie").split(';').next().unwrap();
        let headers = [("Cookie", cookie)];
        assert_eq!(app.anon().send("GET", "/api/users/self", &headers, None).status, 401);
    }
}

/// Of many changes that each prove to know the old password, one can be right.
#[test]
fn one_of_many_changes_from_one_password_wins() {
    let app = App::new();
    let ada = app.user("ada");
    let responses = at_once(8, |n| {
        let change = json!({ "password": format!("newer{n}"), "current_password": "pass" });
        ada.put("/api/users/self", &change)
    });
    let won: Vec<usize> = (0..8).filter(|n| responses[*n].status == 200).collect();
    let [winner] = won[..] else { panic!("{won:?} won") };
    app.anon().log_in("ada", &format!("newer{winner}"));
}

/// Bottles thrown while the account goes: each is refused or goes with it, and none is left behind.
#[test]
fn bottles_thrown_while_the_account_goes_go_with_it() {
    let app = App::new();
    let ada = app.user("ada");
    let bottle = json!({ "content": "c", "location": { "latitude": 1, "longitude": 1 } });
    let responses = at_once(16, |n| match n {
        8 => ada.json("DELETE", "/api/users/self", &json!({ "password": "pass" })),
        _ => ada.post("/api/bottles", &bottle),
    });
    assert_eq!(responses[8].status, 200, "{}", responses[8].text);
    assert!(
        responses.iter().all(|response| [200, 401].contains(&response.status)),
        "{responses:?}"
    );
    let around = "/api/bottles/nearby?latitude=1&longitude=1&latitude_span=1&longitude_span=1";
    assert_eq!(app.user("bob").get(around).data()["bottles"], Value::Array(Vec::new()));
}
