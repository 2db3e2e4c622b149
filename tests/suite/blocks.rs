//! What a blocked account and a blocked teacher can do, and what the blocker sees of them.

use bottle_test_support::{App, Client, run_ok};
use serde_json::{Value, json};

fn open(client: &Client, bottle: i64) -> u16 {
    client.send("POST", &format!("/api/bottles/{bottle}/open"), &[], None).status
}

fn reply(client: &Client, bottle: i64, opener: Option<i64>) -> u16 {
    let body = json!({ "content": "a reply", "opener_id": opener });
    client.post(&format!("/api/bottles/{bottle}/replies"), &body).status
}

fn id(client: &Client) -> i64 {
    client.get("/api/users/self").data()["user_id"].as_i64().unwrap()
}

fn block(client: &Client, other: i64, blocked: bool) {
    let path = format!("/api/users/{other}/block");
    assert_eq!(client.put(&path, &json!({ "blocked": blocked })).status, 200);
}

/// The first bottle of a list.
fn first(client: &Client, list: &str) -> Value {
    client.get(&format!("/api/bottles/{list}")).data()["bottles"][0].clone()
}

#[test]
fn each_route_of_a_bottle_returns_404_to_a_blocked_account() {
    let app = App::new();
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    let bottle = ada.throw(1.0, 2.0);
    assert_eq!(open(&bob, bottle), 200);
    let statuses = |client: &Client| {
        [
            client.get(&format!("/api/bottles/{bottle}/openers")),
            client.get(&format!("/api/bottles/{bottle}/threads")),
            client.delete(&format!("/api/bottles/{bottle}")),
            client.post(&format!("/api/bottles/{bottle}/report"), &json!({ "reason": "unkind" })),
        ]
        .map(|response| response.status)
    };
    assert_eq!(statuses(&bob), [403, 403, 403, 200]);
    block(&ada, id(&bob), true);
    block(&ada, id(&grace), true);
    assert_eq!(statuses(&bob), [404, 404, 404, 404]);
    assert_eq!(statuses(&grace), [403, 403, 403, 200], "a teacher is never blocked");
}

#[test]
fn a_blocked_teacher_writes_but_the_blocker_sees_nothing_of_it() {
    let app = App::new();
    let (ada, grace) = (app.user("ada"), app.teacher("grace"));
    let bottle = ada.throw(1.0, 2.0);
    block(&ada, id(&grace), true);
    assert_eq!(open(&grace, bottle), 200);
    assert_eq!(reply(&grace, bottle, None), 200);

    assert_eq!(first(&grace, "opened")["bottle_id"], bottle);
    let created = first(&ada, "created");
    assert_eq!((created.get("replies_count"), created.get("unread_count")), (None, None));
    let threads = ada.get(&format!("/api/bottles/{bottle}/threads")).data();
    assert_eq!(threads["threads"], json!([]));
    assert_eq!(ada.get("/api/inbox").data()["items"], json!([]));
    run_ok(app.folder(), &["check"]);
    block(&ada, id(&grace), false);
    assert_eq!(first(&ada, "created")["replies_count"], 1);
}

/// Reading marks only what was listed.
#[test]
fn replies_of_a_blocked_account_stay_unread() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let (bottle, bob_id) = (ada.throw(1.0, 2.0), id(&bob));
    assert_eq!(open(&bob, bottle), 200);
    assert_eq!(reply(&bob, bottle, None), 200);
    assert_eq!(reply(&ada, bottle, Some(bob_id)), 200);
    block(&ada, bob_id, true);
    let listed = ada.get(&format!("/api/bottles/{bottle}/replies?opener_id={bob_id}")).data();
    assert_eq!(listed["replies"].as_array().unwrap().len(), 1);
    block(&ada, bob_id, false);
    assert_eq!(first(&ada, "created")["unread_count"], 1);
}

#[test]
fn an_opener_who_blocks_the_owner_sees_no_count_of_their_thread() {
    let app = App::new();
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    let (bottle, ada_id, bob_id) = (ada.throw(1.0, 2.0), id(&ada), id(&bob));
    assert_eq!(open(&bob, bottle), 200);
    assert_eq!(reply(&bob, bottle, None), 200);
    assert_eq!(reply(&ada, bottle, Some(bob_id)), 200);
    let hide = |hidden: bool| {
        assert_eq!(grace.put("/api/teacher/replies/2", &json!({ "hidden": hidden })).status, 200);
    };
    hide(true);
    block(&bob, ada_id, true);
    hide(false);
    let opened = first(&bob, "opened");
    assert_eq!((opened.get("replies_count"), opened.get("unread_count")), (None, None));
    block(&bob, ada_id, false);
    let opened = first(&bob, "opened");
    assert_eq!((&opened["replies_count"], &opened["unread_count"]), (&json!(2), &json!(1)));
}
