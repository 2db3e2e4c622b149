//! The inbox: what happened to an account's bottles and threads.

use std::io::{BufRead, BufReader};

use bottle_test_support::{App, Client};
use rstest::rstest;
use serde_json::{Value, json};

fn open(client: &Client, bottle: i64) {
    assert_eq!(client.send("POST", &format!("/api/bottles/{bottle}/open"), &[], None).status, 200);
}

fn reply(client: &Client, bottle: i64, body: &Value) -> i64 {
    let written = client.post(&format!("/api/bottles/{bottle}/replies"), body);
    assert_eq!(written.status, 200, "{}", written.text);
    written.data()["reply_id"].as_i64().unwrap()
}

/// The number of unread items, and the kinds of all, the latest first.
fn inbox(client: &Client) -> (i64, Vec<String>) {
    let data = client.get("/api/inbox").data();
    let items = data["items"].as_array().unwrap().clone();
    let kinds = items.iter().map(|item| item["kind"].as_str().unwrap().to_owned());
    (data["unread"].as_i64().unwrap(), kinds.collect())
}

fn read(client: &Client, through: i64) -> i64 {
    let response = client.put("/api/inbox", &json!({ "read_through": through }));
    assert_eq!(response.status, 200, "{}", response.text);
    response.data()["unread"].as_i64().unwrap()
}

fn newest(client: &Client) -> Value {
    client.get("/api/inbox").data()["items"][0].clone()
}

#[test]
fn openings_become_one_item_while_it_is_unread() {
    let app = App::new();
    let ada = app.user("ada");
    let bottle = ada.throw(1.0, 2.0);
    assert_eq!(inbox(&ada), (0, vec![]));
    open(&ada, bottle);
    assert_eq!(inbox(&ada), (0, vec![]), "an own opening is no news");

    open(&app.user("bob"), bottle);
    let first = newest(&ada);
    assert_eq!((&first["actor"]["username"], first.get("count")), (&json!("bob"), None));
    assert_eq!((&first["bottle_id"], &first["read"]), (&json!(bottle), &json!(false)));
    open(&app.user("eve"), bottle);
    let second = newest(&ada);
    assert_eq!((&second["actor"]["username"], &second["count"]), (&json!("eve"), &json!(2)));
    assert_eq!(inbox(&ada), (1, vec!["opened".to_owned()]));

    assert_eq!(read(&ada, second["item_id"].as_i64().unwrap()), 0);
    open(&app.user("joe"), bottle);
    assert_eq!(inbox(&ada), (1, vec!["opened".to_owned(), "opened".to_owned()]));
    assert_eq!(newest(&ada).get("count"), None);
}

#[test]
fn every_kind_reaches_whom_it_concerns() {
    let app = App::new();
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    let bottle = ada.throw(1.0, 2.0);
    open(&bob, bottle);
    reply(&bob, bottle, &json!({ "content": "found" }));
    let opener = bob.get("/api/users/self").data()["user_id"].clone();
    reply(&ada, bottle, &json!({ "content": "good", "opener_id": opener }));
    assert_eq!(inbox(&bob), (1, vec!["replied".to_owned()]));
    assert_eq!(newest(&bob)["actor"]["username"], "ada");
    for hidden in [true, false] {
        let path = format!("/api/teacher/bottles/{bottle}");
        assert_eq!(grace.put(&path, &json!({ "hidden": hidden })).status, 200);
    }
    assert_eq!(newest(&ada).get("actor"), None, "a teacher stays unnamed");
    let (unread, kinds) = inbox(&ada);
    assert_eq!((unread, kinds.join(" ").as_str()), (4, "shown hidden replied opened"));
    assert_eq!(inbox(&bob), (0, vec![]), "the bottle was hidden");
    assert_eq!(inbox(&grace), (0, vec![]));
}

#[rstest]
#[case(0, 3)]
#[case(-1, 3)]
#[case(i64::MAX, 0)]
fn items_are_read_up_to_one(#[case] through: i64, #[case] unread: i64) {
    let app = App::new();
    let ada = app.user("ada");
    let bob = app.user("bob");
    for _ in 0..3 {
        open(&bob, ada.throw(1.0, 2.0));
    }
    assert_eq!(read(&ada, through), unread);
    assert_eq!(read(&ada, 0), unread, "what was read stays read");
    open(&bob, ada.throw(1.0, 2.0));
    assert_eq!(inbox(&ada).0, unread + 1, "a later item is unread whatever was marked");
}

#[test]
fn the_newest_1000_are_kept_and_listed_in_pages() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let db = rusqlite::Connection::open(app.database()).unwrap();
    let bottle = ada.throw(1.0, 2.0);
    open(&bob, bottle);
    db.execute_batch(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
         INSERT INTO inbox_items (user_id, kind, bottle_id, created_at)
         SELECT 1, 'shown', {bottle}, i FROM n"
    ))
    .unwrap();
    let (mut count, mut after, mut last) = (0, String::new(), i64::MAX);
    loop {
        let data = ada.get(&format!("/api/inbox?limit=300{after}")).data();
        assert_eq!(data["unread"], 1000);
        for item in data["items"].as_array().unwrap() {
            let id = item["item_id"].as_i64().unwrap();
            assert!(id < last);
            (count, last) = (count + 1, id);
        }
        match data["next"].as_i64() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(count, 1000);
}

#[test]
fn an_account_silences_kinds() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    assert_eq!(ada.get("/api/users/self").data().get("inbox"), None);
    let silence = |kinds: Value| ada.put("/api/users/self", &json!({ "inbox": kinds })).data();
    assert_eq!(silence(json!({ "opened": false }))["inbox"], json!({ "opened": false }));
    let bottle = ada.throw(1.0, 2.0);
    open(&bob, bottle);
    reply(&bob, bottle, &json!({ "content": "found" }));
    assert_eq!(inbox(&ada), (1, vec!["replied".to_owned()]));
    assert_eq!(ada.get("/api/users/self").data()["inbox"], json!({ "opened": false }));
    assert_eq!(silence(json!({ "opened": true, "hidden": null })).get("inbox"), None);
    open(&bob, ada.throw(1.0, 2.0));
    assert_eq!(inbox(&ada).0, 2);
}

#[test]
fn an_item_outlives_that_its_kind_is_silenced() {
    let app = App::new();
    let ada = app.user("ada");
    let bottle = ada.throw(1.0, 2.0);
    open(&app.user("bob"), bottle);
    ada.put("/api/users/self", &json!({ "inbox": { "opened": false } }));
    open(&app.user("eve"), bottle);
    assert_eq!(inbox(&ada), (1, vec!["opened".to_owned()]));
    assert_eq!(newest(&ada)["actor"]["username"], "bob");
}

/// The events of a stream of the inbox, as name, id and data.
fn events(client: &Client, last: Option<&str>) -> impl Iterator<Item = (String, String, Value)> {
    let headers: Vec<_> = last.iter().map(|id| ("Last-Event-ID", *id)).collect();
    let mut lines = BufReader::new(client.stream("/api/inbox/live", &headers)).lines();
    std::iter::from_fn(move || {
        let (mut name, mut id, mut data) = (String::new(), String::new(), Value::Null);
        loop {
            let line = lines.next()?.ok()?;
            match line.split_once(':') {
                Some(("event", text)) => name = text.to_owned(),
                Some(("id", text)) => id = text.to_owned(),
                Some(("data", text)) => data = serde_json::from_str(text).ok()?,
                None if line.is_empty() && !name.is_empty() => return Some((name, id, data)),
                _ => {}
            }
        }
    })
}

#[test]
fn a_stream_has_news_and_goes_on_after_the_last_event() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    assert_eq!(app.anon().get("/api/inbox/live").status, 401);
    let mut stream = events(&ada, None);
    assert_eq!(stream.next().unwrap().2, json!({ "unread": 0 }));
    let bottle = ada.throw(1.0, 2.0);
    open(&bob, bottle);
    let (name, last, item) = stream.next().unwrap();
    assert_eq!((name.as_str(), &item["kind"]), ("item", &json!("opened")));
    assert_eq!(stream.next().unwrap().2, json!({ "unread": 1 }));
    drop(stream);

    reply(&bob, bottle, &json!({ "content": "missed" }));
    let mut stream = events(&ada, Some(&last));
    let (name, id, item) = stream.next().unwrap();
    assert_eq!((name.as_str(), &item["kind"]), ("item", &json!("replied")));
    assert_eq!(stream.next().unwrap().2, json!({ "unread": 2 }));
    assert_eq!(read(&ada, id.parse().unwrap()), 0);
    let (name, _, data) = stream.next().unwrap();
    assert_eq!((name.as_str(), data), ("unread", json!({ "unread": 0 })));
    let reply = reply(&bob, bottle, &json!({ "content": "regretted" }));
    assert_eq!(stream.next().unwrap().0, "item");
    assert_eq!(stream.next().unwrap().2, json!({ "unread": 1 }));
    assert_eq!(stream.next().unwrap().0, "threads");
    assert_eq!(bob.delete(&format!("/api/replies/{reply}")).status, 200);
    assert_eq!(stream.next().unwrap().2, json!({ "unread": 0 }));
    assert_eq!(stream.next().unwrap().0, "threads");
}

/// Both sides hear of each change of their thread, also if they silence replies; nobody else does.
#[test]
fn a_stream_says_that_a_thread_has_changed() {
    let app = App::new();
    let (ada, bob, eve) = (app.user("ada"), app.user("bob"), app.user("eve"));
    let grace = app.teacher("grace");
    let bottle = ada.throw(1.0, 2.0);
    open(&bob, bottle);
    open(&eve, bottle);
    ada.put("/api/users/self", &json!({ "inbox": { "opened": false, "replied": false } }));
    bob.put("/api/users/self", &json!({ "inbox": { "hidden": false, "shown": false } }));
    read(&ada, i64::MAX);
    let mut streams = [&ada, &bob, &eve].map(|client| events(client, None));
    for stream in &mut streams {
        assert_eq!(stream.next().unwrap().2, json!({ "unread": 0 }));
    }
    let [adas, bobs, eves] = &mut streams;
    let mut expect_threads = |what: &str| {
        for stream in [&mut *adas, &mut *bobs] {
            let (name, id, data) = stream.next().unwrap();
            assert_eq!((name.as_str(), id.as_str(), data), ("threads", "", json!({})), "{what}");
        }
    };
    let unkind = reply(&bob, bottle, &json!({ "content": "unkind" }));
    expect_threads("written");
    for hidden in [true, false] {
        grace.put(&format!("/api/teacher/replies/{unkind}"), &json!({ "hidden": hidden }));
        expect_threads(if hidden { "hidden" } else { "shown" });
    }
    assert_eq!(bob.delete(&format!("/api/replies/{unkind}")).status, 200);
    expect_threads("deleted");
    open(&ada, eve.throw(1.0, 2.0));
    assert_eq!(eves.next().unwrap().0, "item", "the first event of the one who takes no part");
}

/// The author of a reply learns that it was hidden, by a teacher or by reports, and that it is shown again.
#[test]
fn the_author_of_a_hidden_reply_is_told() {
    let app = App::with(|settings| settings.reports_to_hide = 1);
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    let bottle = ada.throw(1.0, 2.0);
    open(&bob, bottle);
    let written = reply(&bob, bottle, &json!({ "content": "unkind" }));
    let report = format!("/api/replies/{written}/report");
    assert_eq!(ada.post(&report, &json!({ "reason": "unkind" })).data(), json!({}));
    let item = newest(&bob);
    assert_eq!((&item["kind"], &item["bottle_id"]), (&json!("hidden"), &json!(bottle)));
    assert_eq!((&item["reply_id"], item.get("actor")), (&json!(written), None));

    let path = format!("/api/teacher/replies/{written}");
    for hidden in [false, false, true] {
        assert_eq!(grace.put(&path, &json!({ "hidden": hidden })).status, 200);
    }
    // What was said about the reply before is gone with it.
    assert_eq!(inbox(&bob), (1, vec!["hidden".to_owned()]));
    assert_eq!(inbox(&ada), (1, vec!["opened".to_owned()]));
    bob.put("/api/users/self", &json!({ "inbox": { "shown": false } }));
    assert_eq!(grace.put(&path, &json!({ "hidden": false })).status, 200);
    assert_eq!(inbox(&bob), (1, vec!["hidden".to_owned()]), "silenced");
    assert_eq!(newest(&ada).get("reply_id"), None);
}
