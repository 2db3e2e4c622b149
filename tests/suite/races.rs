//! Many at once: one wins, and the record stays.

use std::sync::Barrier;
use std::thread;

use rstest::rstest;
use serde_json::json;

use crate::app::{Answer, App};

/// Does `request` on `count` threads at the same moment.
fn at_once(count: usize, request: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
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

#[rstest]
fn one_of_many_registrations_of_a_name_wins() {
    let app = App::new();
    let answers = at_once(16, |n| {
        let name = if n % 2 == 0 { "ada" } else { "ADA" };
        app.anon().post("/api/users", &json!({ "username": name, "password": format!("pass{n}") }))
    });
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((won, answers.iter().filter(|answer| answer.status == 409).count()), (1, 15));
}

#[rstest]
fn one_of_many_first_openings_is_the_record() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let id = ada.throw(1.0, 1.0);
    let answers = at_once(50, |_| bob.send("POST", &format!("/api/bottles/{id}/open"), &[], None));
    let first = answers[0].data()["open_at"].clone();
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.data()["open_at"] == first));
    let openers = ada.get(&format!("/api/bottles/{id}/openers")).data();
    assert_eq!(openers["openers_count"], 1);
    assert_eq!(openers["openers"][0]["open_at"], first);
}

#[rstest]
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
#[rstest]
fn logins_at_once_all_get_in_while_the_hash_is_renewed() {
    let app = App::new();
    drop(app.user("ada"));
    let app = App::over(app.stop(), |settings| settings.argon2_memory_kib = 16);
    let body = json!({ "username": "ada", "password": "pass" });
    let answers = at_once(16, |_| app.anon().post("/api/sessions", &body));
    assert!(answers.iter().all(|answer| answer.status == 200));
}
