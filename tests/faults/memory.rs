//! Memory that SQLite does not get.

use std::thread;

use bottle_test_support::{Client, Program, Response, bottle};
use serde_json::json;

use crate::sea::{Sea, a_bottle};
use crate::shim::Shim;

type Ask = fn(&Client, &Client) -> Response;

/// Requests of ada and of nobody.
const ASKED: &[(&str, Ask)] = &[
    ("throw", |ada, _| ada.post("/api/bottles", &a_bottle("c"))),
    ("nearby", |ada, _| {
        ada.get("/api/bottles/nearby?latitude=1&longitude=1&latitude_span=1&longitude_span=1")
    }),
    ("created", |ada, _| ada.get("/api/bottles/created?limit=50")),
    ("self", |ada, _| ada.get("/api/users/self")),
    ("inbox", |ada, _| ada.get("/api/inbox")),
    ("login", |_, anonymous| {
        anonymous.post("/api/sessions", &json!({ "username": "ada", "password": "pass" }))
    }),
    ("nickname", |ada, _| ada.put("/api/users/self", &json!({ "nickname": "Countess" }))),
];

/// The allocations of each request that fail in turn, in one time.
const POINTS: usize = 24;

/// Each allocation of each request fails, alone and with those after it; then many fail under writers.
pub(crate) fn nth_allocation(times: usize) -> String {
    let (sea, shim) = (Sea::new(), Shim::new());
    let mut command = bottle(sea.folder(), &[]);
    shim.under_with_memory(&mut command);
    let program = Program::start(command);
    let (ada, anonymous) = (sea.ada(&program), program.client());
    shim.fail_allocations(0, 1);
    sea.throw(&program);
    assert!(
        shim.mend_memory() == 1,
        "SQLite is out of reach: the program has no symbols. Set CARGO_PROFILE_RELEASE_STRIP=none"
    );
    let (refused, thrown) = fail_in_turn(&shim, times, &ada, &anonymous);
    shim.fail_allocations(200, 400);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..8 {
                    assert!(matches!(sea.throw(&program), 200 | 503));
                }
            });
        }
    });
    let failed = shim.mend_memory();
    assert_eq!(sea.throw(&program), 200);
    let listed = ada.get("/api/bottles/created?limit=10000").data();
    let listed = listed["bottles"].as_array().unwrap().len();
    assert!(listed >= sea.acknowledged() + thrown, "{listed} of {thrown} and more");
    program.signal("KILL");
    drop(program);
    sea.check();
    format!(
        "{failed} allocations failed, {refused} requests refused, each next one was fine; nothing was lost"
    )
}

/// Lets each allocation of each request fail. Returns how many requests were refused and how many bottles thrown.
fn fail_in_turn(shim: &Shim, times: usize, ada: &Client, anonymous: &Client) -> (usize, usize) {
    let (mut refused, mut thrown) = (0, 0);
    for (name, ask) in ASKED {
        let ask = || ask(ada, anonymous);
        for nth in 0..times * POINTS {
            let before = shim.mend_memory();
            shim.fail_allocations(nth as i64, [1, 2, 1000][nth % 3]);
            let response = ask();
            let failed = shim.mend_memory() - before;
            assert!(matches!(response.status, 200 | 503), "{name} {nth}: {response:?}");
            refused += usize::from(response.status == 503);
            let next = ask();
            assert_eq!(next.status, 200, "{name} {nth}: {}", next.text);
            if *name == "throw" {
                thrown += 1 + usize::from(response.status == 200);
            }
            if failed == 0 {
                break;
            }
        }
    }
    (refused, thrown)
}
