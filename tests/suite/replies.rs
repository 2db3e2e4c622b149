//! Conversations of a bottle's owner with its openers, and blocked accounts.

use std::time::Duration;

use bottle_test_support::{App, Client, Response, run_ok};
use rstest::{Context, rstest};
use serde_json::{Value, json};

fn open(client: &Client, bottle: i64) -> Response {
    client.send("POST", &format!("/api/bottles/{bottle}/open"), &[], None)
}

fn reply(client: &Client, bottle: i64, opener: Option<i64>, content: &str) -> Response {
    let mut body = json!({ "content": content });
    if let Some(opener) = opener {
        body["opener_id"] = opener.into();
    }
    client.post(&format!("/api/bottles/{bottle}/replies"), &body)
}

fn replies(client: &Client, bottle: i64, opener: Option<i64>) -> Response {
    let query = opener.map(|opener| format!("?opener_id={opener}")).unwrap_or_default();
    client.get(&format!("/api/bottles/{bottle}/replies{query}"))
}

fn texts(response: &Response) -> Vec<String> {
    assert_eq!(response.status, 200, "{}", response.text);
    let replies = response.data()["replies"].as_array().unwrap().clone();
    replies.iter().map(|reply| reply["content"].as_str().unwrap().to_owned()).collect()
}

fn id(client: &Client) -> i64 {
    client.get("/api/users/self").data()["user_id"].as_i64().unwrap()
}

/// The reason of a 403.
fn rejected(response: &Response) -> String {
    assert_eq!(response.status, 403, "{}", response.text);
    response.data()["reason"].as_str().unwrap().to_owned()
}

/// The owner's only bottle in the list of own ones.
fn created(owner: &Client) -> Value {
    owner.get("/api/bottles/created").data()["bottles"][0].clone()
}

/// A bottle of ada's that bob has opened.
struct Scene {
    app: App,
    ada: Client,
    bob: Client,
    bob_id: i64,
    bottle: i64,
}

fn scene() -> Scene {
    let app = App::with(|settings| settings.reports_to_hide = 1);
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let bottle = ada.throw(1.0, 2.0);
    assert_eq!(open(&bob, bottle).status, 200);
    let bob_id = id(&bob);
    Scene { app, ada, bob, bob_id, bottle }
}

#[test]
fn an_opener_writes_first_and_the_owner_answers() {
    let Scene { app: _app, ada, bob, bob_id, bottle } = scene();
    let first = reply(&ada, bottle, Some(bob_id), "Hello stranger");
    assert_eq!(first.json()["status"], "FORBIDDEN");
    assert_eq!(rejected(&first), "opener_first");
    let written = reply(&bob, bottle, None, "Found it!");
    assert_eq!(written.status, 200, "{}", written.text);
    let data = written.data();
    assert_eq!(data["author"]["username"], "bob");
    assert_eq!((&data["bottle_id"], &data["content"]), (&json!(bottle), &json!("Found it!")));
    assert_eq!(data.as_object().unwrap().len(), 5, "{data}");

    assert_eq!(created(&ada)["replies_count"], 1);
    assert_eq!(created(&ada)["unread_count"], 1);
    let threads = ada.get(&format!("/api/bottles/{bottle}/threads")).data();
    assert_eq!(threads["threads"][0]["opener"]["username"], "bob");
    assert_eq!(threads["threads"][0]["unread_count"], 1);
    assert_eq!(threads["threads"][0]["last_reply_at"], data["created_at"]);

    assert_eq!(reply(&ada, bottle, Some(bob_id), "Well done").status, 200);
    for (client, opener) in [(&bob, None), (&bob, Some(bob_id)), (&ada, Some(bob_id))] {
        assert_eq!(texts(&replies(client, bottle, opener)), ["Found it!", "Well done"]);
    }
    let openers = ada.get(&format!("/api/bottles/{bottle}/openers")).data()["openers"].clone();
    assert_eq!(openers[0]["replies_count"], 2);
    assert_eq!(created(&ada).get("unread_count"), None, "read with the thread");
    assert_eq!(reply(&ada, bottle, None, "To whom?").data()["field"], "opener_id");
}

#[test]
fn counts_appear_only_where_they_are_not_0() {
    let Scene { app: _app, ada, bob, bottle, .. } = scene();
    for field in ["replies_count", "unread_count", "expires_at", "expired", "open_within_m"] {
        assert_eq!(created(&ada).get(field), None, "{field}");
        assert_eq!(bob.get("/api/bottles/opened").data()["bottles"][0].get(field), None, "{field}");
        let openers = ada.get(&format!("/api/bottles/{bottle}/openers")).data()["openers"].clone();
        assert_eq!(openers[0].get(field), None, "{field}");
    }
}

#[rstest]
#[case("", 422)]
#[case(&"r".repeat(501), 422)]
#[case(&"瓶".repeat(500), 200)]
fn a_reply_has_1_to_500_characters(#[case] content: &str, #[case] status: u16) {
    let Scene { app: _app, bob, bottle, .. } = scene();
    let response = reply(&bob, bottle, None, content);
    assert_eq!(response.status, status, "{}", response.text);
}

#[test]
fn a_thread_is_listed_in_pages() {
    let Scene { app: _app, bob, bottle, .. } = scene();
    let all: Vec<String> = (0..7).map(|n| format!("reply {n}")).collect();
    all.iter().for_each(|text| drop(reply(&bob, bottle, None, text)));
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = bob.get(&format!("/api/bottles/{bottle}/replies?limit=3{after}"));
        found.extend(texts(&page));
        match page.data()["next"].as_i64() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(found, all);
}

/// The statuses of writing and reading: rows are states of the bottle, columns roles.
#[rstest]
#[case::write(true, [[401, 422, 200, 200, 403, 403], [401, 422, 404, 404, 404, 404], [401, 404, 404, 404, 404, 404]])]
#[case::read(false, [[401, 422, 200, 200, 403, 422], [401, 422, 404, 404, 404, 422], [401, 404, 404, 404, 404, 404]])]
#[case::owner_writes(true, [[401, 200, 200, 403, 403, 403], [401, 403, 404, 404, 404, 404], [401, 404, 404, 404, 404, 404]])]
#[case::owner_reads(false, [[401, 200, 200, 403, 403, 200], [401, 200, 404, 404, 404, 200], [401, 404, 404, 404, 404, 404]])]
fn only_the_two_and_a_teacher_take_part(
    #[case] writes: bool,
    #[case] expected: [[u16; 6]; 3],
    #[context] context: Context,
) {
    let names_opener = context.description.is_some_and(|case| case.starts_with("owner"));
    let roles = ["anyone", "owner", "opener", "another opener", "stranger", "teacher"];
    for (state, expected) in ["on the sea", "hidden", "deleted"].into_iter().zip(expected) {
        let Scene { app, ada, bob, bob_id, bottle } = scene();
        let (eve, mallory, grace) = (app.user("eve"), app.user("mallory"), app.teacher("grace"));
        assert_eq!(reply(&bob, bottle, None, "A secret of bob's").status, 200);
        open(&eve, bottle);
        match state {
            "hidden" => {
                let hidden = json!({ "hidden": true });
                grace.put(&format!("/api/teacher/bottles/{bottle}"), &hidden);
            }
            "deleted" => drop(ada.delete(&format!("/api/bottles/{bottle}"))),
            _ => {}
        }
        let clients = [&app.anon(), &ada, &bob, &eve, &mallory, &grace];
        for ((role, client), expected) in roles.into_iter().zip(clients).zip(expected) {
            let opener = names_opener.then_some(bob_id);
            let response = match writes {
                true => reply(client, bottle, opener, "x"),
                false => replies(client, bottle, opener),
            };
            assert_eq!(response.status, expected, "{state}, {role}: {}", response.text);
            let may_read = response.status == 200 && role != "another opener";
            assert!(may_read || !response.text.contains("A secret"), "{state}, {role}");
        }
    }
}

/// Every route that could show a word of a thread, asked by an account that takes no part.
#[test]
fn nobody_else_gets_a_word() {
    let Scene { app, ada, bob, bob_id, bottle } = scene();
    let eve = app.user("eve");
    open(&eve, bottle);
    let written = reply(&bob, bottle, None, "for ada's eyes").data()["reply_id"].as_i64().unwrap();
    reply(&ada, bottle, Some(bob_id), "for bob's eyes");
    let paths = [
        format!("/api/bottles/{bottle}/replies"),
        format!("/api/bottles/{bottle}/replies?opener_id={bob_id}"),
        format!("/api/bottles/{bottle}/threads"),
        format!("/api/bottles/{bottle}/openers"),
        "/api/bottles/opened".to_owned(),
        "/api/bottles/created".to_owned(),
        "/api/inbox".to_owned(),
        "/api/users/self/export".to_owned(),
        "/api/teacher/bottles".to_owned(),
        "/api/teacher/log".to_owned(),
    ];
    for path in paths {
        let response = eve.get(&path);
        assert!(!response.text.contains("eyes"), "{path}: {}", response.text);
        assert!(!response.text.contains("replies_count"), "{path}: {}", response.text);
    }
    for (method, path, body) in [
        ("DELETE", format!("/api/replies/{written}"), json!({})),
        ("POST", format!("/api/replies/{written}/report"), json!({ "reason": "mine?" })),
    ] {
        let there = eve.json(method, &path, &body);
        let missing = eve.json(method, &path.replace(&written.to_string(), "4711"), &body);
        assert_eq!((there.status, missing.status), (404, 404));
        assert_eq!(there.text.replace(&written.to_string(), "4711"), missing.text);
    }
    // Each of the two has their own in their export, and not the other's.
    let export = bob.get("/api/users/self/export").text;
    assert!(export.contains("for ada's eyes") && !export.contains("for bob's eyes"), "{export}");
}

#[test]
fn its_author_deletes_a_reply_and_the_other_side_reports_it() {
    let Scene { app, ada, bob, bob_id, bottle } = scene();
    let grace = app.teacher("grace");
    let written = reply(&bob, bottle, None, "unkind").data()["reply_id"].as_i64().unwrap();
    let path = format!("/api/replies/{written}");
    let reason = json!({ "reason": "It is unkind." });
    assert_eq!(rejected(&ada.delete(&path)), "not_author");
    assert_eq!(rejected(&bob.post(&format!("{path}/report"), &reason)), "own_reply");
    assert_eq!(ada.post(&format!("{path}/report"), &reason).data(), json!({}));

    // One report hides it here, and a teacher finds it in the queue.
    for (client, opener) in [(&ada, Some(bob_id)), (&bob, None)] {
        assert_eq!(texts(&replies(client, bottle, opener)), Vec::<String>::new());
    }
    assert_eq!(created(&ada).get("replies_count"), None);
    let case = grace.get("/api/teacher/bottles").data()["bottles"][0]["replies"][0].clone();
    assert_eq!((&case["content"], &case["hidden"]), (&json!("unkind"), &json!(true)));
    assert_eq!(case["reports"][0]["reason"], "It is unkind.");
    let teachers_path = format!("/api/teacher/replies/{written}");
    assert_eq!(ada.put(&teachers_path, &json!({ "hidden": false })).status, 403);
    assert_eq!(grace.put(&teachers_path, &json!({ "hidden": false })).status, 200);
    assert_eq!(texts(&replies(&bob, bottle, None)), ["unkind"]);
    let again = ada.post(&format!("{path}/report"), &reason);
    assert_eq!(again.data(), json!({ "settled": true }), "a decision is final for a reporter");
    assert_eq!(grace.get("/api/teacher/bottles").data()["bottles"], json!([]));
    let log = grace.get("/api/teacher/log").data()["entries"].clone();
    let of = |n: usize| (log[n]["action"].clone(), log[n]["reply_id"].clone());
    assert_eq!([of(0), of(1)], [(json!("show"), json!(written)), (json!("hide"), json!(written))]);

    assert_eq!(grace.put(&teachers_path, &json!({ "hidden": true })).status, 200);
    let hidden = grace.get("/api/teacher/bottles?state=hidden").data()["bottles"][0].clone();
    assert_eq!(hidden["replies"][0]["reply_id"], written);
    assert_eq!(bob.delete(&path).status, 404, "a hidden reply is as none");
    assert_eq!(grace.put(&teachers_path, &json!({ "hidden": false })).status, 200);
    assert_eq!(bob.delete(&path).status, 200);
    assert_eq!(texts(&replies(&bob, bottle, None)), Vec::<String>::new());
    assert_eq!(grace.put(&teachers_path, &json!({ "hidden": false })).status, 404);
}

#[test]
fn a_mute_and_a_freeze_stop_replies() {
    let Scene { app, bob, bob_id, bottle, .. } = scene();
    let grace = app.teacher("grace");
    let mute = |minutes: u32| {
        let path = format!("/api/teacher/users/{bob_id}");
        assert_eq!(grace.put(&path, &json!({ "muted_minutes": minutes })).status, 200);
    };
    let freeze = |frozen: bool| {
        assert_eq!(grace.put("/api/teacher/sea", &json!({ "frozen": frozen })).status, 200);
    };
    mute(5);
    assert_eq!(rejected(&reply(&bob, bottle, None, "muted")), "muted");
    mute(0);
    freeze(true);
    assert_eq!(rejected(&reply(&bob, bottle, None, "frozen")), "frozen");
    freeze(false);
    assert_eq!(reply(&bob, bottle, None, "free").status, 200);
}

#[test]
fn replies_count_as_throws() {
    let app = App::with(|settings| settings.throws_per_minute = 2);
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let bottle = ada.throw(1.0, 2.0);
    open(&bob, bottle);
    let statuses = ["one", "two", "three"].map(|text| reply(&bob, bottle, None, text).status);
    assert_eq!(statuses, [200, 200, 429]);
}

#[test]
fn a_blocked_account_neither_opens_nor_replies() {
    let Scene { app, ada, bob, bob_id, bottle } = scene();
    let other = ada.throw(1.0, 2.0);
    reply(&bob, bottle, None, "before");
    let block = |client: &Client, user: i64, blocked: bool| {
        client.put(&format!("/api/users/{user}/block"), &json!({ "blocked": blocked })).status
    };
    assert_eq!(ada.get("/api/users/self/blocks").data(), json!({ "blocked": [], "next": null }));
    assert_eq!(block(&ada, bob_id, true), 200);
    let blocked = ada.get("/api/users/self/blocks").data()["blocked"].clone();
    assert_eq!((blocked.as_array().unwrap().len(), &blocked[0]["username"]), (1, &json!("bob")));
    assert_eq!(bob.get("/api/users/self/blocks").data()["blocked"], json!([]));
    assert_eq!(replies(&ada, bottle, Some(bob_id)).data()["blocked"], true);
    let gone = |bottle: i64| {
        [open(&bob, bottle), reply(&bob, bottle, None, "after"), replies(&bob, bottle, None)]
            .map(|response| response.status)
    };
    assert_eq!(gone(bottle), [404, 404, 404]);
    assert_eq!(open(&bob, other).status, 404);
    assert_eq!(open(&bob, other).text, open(&bob, 4711).text.replace("4711", &other.to_string()));
    assert_eq!(bob.get("/api/bottles/opened").data()["bottles"], json!([]));
    assert_eq!(texts(&replies(&ada, bottle, Some(bob_id))), Vec::<String>::new());
    let threads = ada.get(&format!("/api/bottles/{bottle}/threads")).data();
    assert_eq!(threads["threads"], json!([]));
    let mine = ada.get("/api/bottles/created").data()["bottles"][0].clone();
    assert_eq!(mine.get("replies_count"), None);
    assert_eq!(rejected(&reply(&ada, bottle, Some(bob_id), "to bob")), "blocked");
    assert_eq!(ada.get("/api/inbox").data()["unread"], 0);

    assert_eq!(block(&ada, bob_id, false), 200);
    assert_eq!(reply(&bob, bottle, None, "again").status, 200);
    assert_eq!(texts(&replies(&ada, bottle, Some(bob_id))), ["before", "again"]);
    assert_eq!(replies(&ada, bottle, Some(bob_id)).data().get("blocked"), None);
    assert_eq!(block(&ada, id(&ada), true), 403);
    assert_eq!(block(&ada, 4711, true), 404);
    // An opener who blocks the owner gets no more answers.
    assert_eq!(block(&bob, id(&ada), true), 200);
    assert_eq!(rejected(&reply(&ada, bottle, Some(bob_id), "answer")), "blocked");
    drop(app);
}

#[test]
fn replies_go_with_their_account_and_are_exported() {
    let Scene { app, ada, bob, bob_id, bottle } = scene();
    reply(&bob, bottle, None, "from bob");
    reply(&ada, bottle, Some(bob_id), "from ada");
    ada.put(&format!("/api/users/{bob_id}/block"), &json!({ "blocked": true }));
    app.clock.advance(Duration::from_secs(1));
    let folder = app.stop();
    let exported = run_ok(folder.path(), &["export"]);
    let to = App::new().stop();
    std::fs::write(to.path().join("all.jsonl"), &exported).unwrap();
    for added in ["7 rows were added, 0 were there\n", "0 rows were added, 7 were there\n"] {
        assert_eq!(run_ok(to.path(), &["import", "all.jsonl"]), added);
    }
    assert_eq!(run_ok(to.path(), &["export"]), exported);
    assert!(run_ok(to.path(), &["check"]).contains("nothing is wrong"));

    let app = App::over(folder, |_| {});
    let mut bob = app.anon();
    bob.log_in("bob", "pass");
    assert_eq!(bob.json("DELETE", "/api/users/self", &json!({ "password": "pass" })).status, 200);
    let folder = app.stop();
    assert!(!run_ok(folder.path(), &["export"]).contains("\"reply\""));
    assert!(run_ok(folder.path(), &["check"]).contains("nothing is wrong"));
}
