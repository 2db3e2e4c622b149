//! The sea is kept kind: authors delete, everyone reports, a teacher hides, mutes and freezes.

use std::time::Duration;

use bottle_test_support::{App, Client, Response, run_ok};
use rstest::rstest;
use serde_json::{Value, json};

use crate::live::Stream;

fn hide(teacher: &Client, bottle: i64, hidden: bool) -> Response {
    teacher.put(&format!("/api/teacher/bottles/{bottle}"), &json!({ "hidden": hidden }))
}

fn report(client: &Client, bottle: i64, reason: &str) -> Response {
    client.post(&format!("/api/bottles/{bottle}/report"), &json!({ "reason": reason }))
}

fn throw(client: &Client) -> Response {
    client.post(
        "/api/bottles",
        &json!({ "content": "hello", "location": { "latitude": 1, "longitude": 2 } }),
    )
}

fn ids(client: &Client, path: &str) -> Vec<i64> {
    let bottles = client.get(path).data()["bottles"].clone();
    let bottles = bottles.as_array().unwrap_or_else(|| panic!("no list at {path}")).clone();
    bottles.iter().map(|bottle| bottle["bottle_id"].as_i64().unwrap()).collect()
}

const AROUND: &str = "latitude=1&longitude=2&latitude_span=1&longitude_span=1";

fn nearby(client: &Client) -> Vec<i64> {
    ids(client, &format!("/api/bottles/nearby?{AROUND}"))
}

fn counted(client: &Client) -> Value {
    client.get(&format!("/api/bottles/counts?{AROUND}&zoom=10")).data()["total"].clone()
}

/// The status of each request for a bottle: a row a state of the bottle, a column a role (visitor, author,
/// another account, teacher).
#[rstest]
#[case::open("open", [[401, 200, 200, 200], [401, 200, 404, 404], [401, 404, 404, 404]])]
#[case::openers("openers", [[401, 200, 403, 403], [401, 200, 404, 404], [401, 404, 404, 404]])]
#[case::report("report", [[401, 403, 200, 200], [401, 404, 404, 404], [401, 404, 404, 404]])]
#[case::hide("hide", [[401, 403, 403, 200], [401, 403, 403, 200], [401, 403, 403, 404]])]
#[case::show("show", [[401, 403, 403, 200], [401, 403, 403, 200], [401, 403, 403, 404]])]
#[case::delete("delete", [[401, 200, 403, 403], [401, 200, 404, 404], [401, 404, 404, 404]])]
fn every_role_gets_what_is_its_own(#[case] action: &str, #[case] expected: [[u16; 4]; 3]) {
    for (state, expected) in ["on the sea", "hidden", "deleted"].into_iter().zip(expected) {
        for (role, expected) in ["anyone", "author", "another", "teacher"].into_iter().zip(expected)
        {
            let app = App::new();
            let (author, another, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
            let bottle = author.throw(1.0, 2.0);
            match state {
                "hidden" => assert_eq!(hide(&grace, bottle, true).status, 200),
                "deleted" => {
                    assert_eq!(author.delete(&format!("/api/bottles/{bottle}")).status, 200);
                }
                _ => {}
            }
            let client = match role {
                "anyone" => app.anon(),
                "author" => author,
                "another" => another,
                _ => grace,
            };
            let response = match action {
                "open" => client.post(&format!("/api/bottles/{bottle}/open"), &json!({})),
                "openers" => client.get(&format!("/api/bottles/{bottle}/openers")),
                "report" => report(&client, bottle, "unkind"),
                "hide" => hide(&client, bottle, true),
                "show" => hide(&client, bottle, false),
                _ => client.delete(&format!("/api/bottles/{bottle}")),
            };
            assert_eq!(response.status, expected, "{action}, {state}, {role}: {}", response.text);
        }
    }
}

#[rstest]
#[case("GET", "/api/teacher/bottles", json!({}))]
#[case("GET", "/api/teacher/bottles?state=hidden", json!({}))]
#[case("GET", "/api/teacher/sea", json!({}))]
#[case("GET", "/api/teacher/log", json!({}))]
#[case("GET", "/api/teacher/newest", json!({}))]
#[case("PUT", "/api/teacher/sea", json!({ "frozen": false }))]
#[case("PUT", "/api/teacher/sea", json!({ "shows_messages": true }))]
#[case("PUT", "/api/teacher/users/1", json!({ "muted_minutes": 5 }))]
fn no_student_gets_a_teachers_answer(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: Value,
) {
    let app = App::new();
    let (student, grace) = (app.user("ada"), app.teacher("grace"));
    let ask = |client: &Client| client.json(method, path, &body);
    assert_eq!(ask(&app.anon()).status, 401);
    let refused = ask(&student);
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["msg"], "只有老师可以这样做");
    assert_eq!(ask(&grace).status, 200);
}

#[test]
fn a_hidden_bottle_is_gone_but_for_its_author() {
    let app = App::new();
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    let (kept, hidden) = (ada.throw(1.0, 2.0), ada.throw(1.1, 2.1));
    for bottle in [kept, hidden] {
        bob.post(&format!("/api/bottles/{bottle}/open"), &json!({}));
    }
    assert_eq!(hide(&grace, hidden, true).status, 200);
    for client in [&ada, &bob, &grace] {
        assert_eq!(nearby(client), [kept]);
    }
    assert_eq!(counted(&bob), 1);
    assert_eq!(ids(&bob, "/api/bottles/opened"), [kept]);
    let created = ada.get("/api/bottles/created").data()["bottles"].clone();
    assert_eq!((&created[0]["hidden"], &created[1]["hidden"]), (&Value::Null, &json!(true)));

    assert_eq!(hide(&grace, hidden, false).status, 200);
    assert_eq!(nearby(&bob), [kept, hidden]);
    assert_eq!(counted(&bob), 2);
    assert_eq!(ids(&bob, "/api/bottles/opened"), [kept, hidden]);
    assert!(ada.get("/api/bottles/created").data()["bottles"][1].get("hidden").is_none());
}

#[test]
fn a_deleted_bottle_is_gone_for_all() {
    let app = App::new();
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    let (seen, hidden) = (ada.throw(1.0, 2.0), ada.throw(1.1, 2.1));
    bob.post(&format!("/api/bottles/{seen}/open"), &json!({}));
    report(&bob, seen, "unkind");
    hide(&grace, hidden, true);
    for bottle in [seen, hidden] {
        assert_eq!(ada.delete(&format!("/api/bottles/{bottle}")).json()["msg"], "删除漂流瓶成功");
    }
    assert!(nearby(&bob).is_empty() && ids(&ada, "/api/bottles/created").is_empty());
    assert!(ids(&bob, "/api/bottles/opened").is_empty());
    assert!(ids(&grace, "/api/teacher/bottles").is_empty());
    assert_eq!(counted(&bob), 0);
    let database = app.database();
    run_ok(app.folder(), &["check", "--db", database.to_str().unwrap()]);
}

#[test]
fn enough_reports_hide_a_bottle_until_a_teacher_looks() {
    let app = App::with(|settings| settings.reports_to_hide = 2);
    let (ada, grace) = (app.user("ada"), app.teacher("grace"));
    let (bob, eve, zoe) = (app.user("bob"), app.user("eve"), app.user("zoe"));
    let bottle = ada.throw(1.0, 2.0);
    assert_eq!(report(&bob, bottle, "unkind").data(), json!({}));
    for _ in 0..2 {
        assert_eq!(report(&bob, bottle, "unkind").data(), json!({ "repeated": true }));
    }
    assert_eq!(nearby(&zoe), [bottle], "one report, however often");
    report(&eve, bottle, "very unkind");
    assert!(nearby(&zoe).is_empty());

    let cases = grace.get("/api/teacher/bottles").data()["bottles"].clone();
    assert_eq!(cases[0]["hidden"], true);
    assert_eq!(cases[0]["owner"]["username"], "ada");
    let reasons: Vec<&str> = cases[0]["reports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|report| report["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["unkind", "very unkind"]);
    let entry = grace.get("/api/teacher/log").data()["entries"][0].clone();
    assert_eq!((&entry["actor"], &entry["action"]), (&Value::Null, &json!("hide")));

    hide(&grace, bottle, false);
    assert!(ids(&grace, "/api/teacher/bottles").is_empty());
    report(&zoe, bottle, "I think so too");
    assert_eq!(nearby(&bob), [bottle], "what a teacher settled counts no more");
    assert_eq!(report(&bob, bottle, "unkind").data(), json!({ "settled": true }));
    let reports = grace.get("/api/teacher/bottles").data()["bottles"][0]["reports"].clone();
    let open: Vec<bool> =
        reports.as_array().unwrap().iter().map(|each| each.get("settled_at").is_none()).collect();
    assert_eq!(open, [false, false, true]);
}

#[test]
fn reports_alone_hide_nothing_where_the_setting_is_0() {
    let app = App::with(|settings| settings.reports_to_hide = 0);
    let (ada, grace) = (app.user("ada"), app.teacher("grace"));
    let bottle = ada.throw(1.0, 2.0);
    for name in ["bob", "eve", "zoe", "max"] {
        report(&app.user(name), bottle, "unkind");
    }
    assert_eq!(nearby(&ada), [bottle]);
    assert_eq!(ids(&grace, "/api/teacher/bottles"), [bottle]);
}

#[test]
fn a_muted_account_throws_again_when_its_time_is_over() {
    let app = App::new();
    let (ada, grace) = (app.user("ada"), app.teacher("grace"));
    let id = ada.get("/api/users/self").data()["user_id"].clone();
    let mute = |minutes| {
        grace.put(&format!("/api/teacher/users/{id}"), &json!({ "muted_minutes": minutes }))
    };
    assert_eq!(mute(10).status, 200);
    let refused = throw(&ada);
    assert_eq!(refused.status, 403);
    assert!(refused.json()["msg"].as_str().unwrap().starts_with("您被禁言，20"));
    let muted = grace.get("/api/teacher/sea").data()["muted"].clone();
    assert_eq!(muted[0]["username"], "ada");
    app.clock.advance(Duration::from_secs(10 * 60));
    assert_eq!(throw(&ada).status, 200);

    mute(60);
    assert_eq!(throw(&ada).status, 403);
    mute(0);
    assert_eq!(throw(&ada).status, 200);
    assert_eq!(grace.put("/api/teacher/users/99", &json!({ "muted_minutes": 1 })).status, 404);
}

#[test]
fn nobody_throws_into_a_frozen_sea() {
    let app = App::new();
    let (ada, grace) = (app.user("ada"), app.teacher("grace"));
    let freeze = |frozen| grace.put("/api/teacher/sea", &json!({ "frozen": frozen }));
    assert_eq!(freeze(true).status, 200);
    assert_eq!(throw(&ada).json()["msg"], "现在不能扔漂流瓶");
    assert_eq!(throw(&grace).status, 403);
    assert_eq!(grace.get("/api/teacher/sea").data()["frozen"], true);
    assert_eq!(freeze(false).status, 200);
    assert_eq!(throw(&ada).status, 200);
}

/// The page learns of a freeze before anybody throws: from the settings, and from the event stream. Without a freeze
/// the settings do not mention it.
#[test]
fn a_freeze_is_announced() {
    let app = App::new();
    let (ada, grace) = (app.user("ada"), app.teacher("grace"));
    let settings = || app.anon().get("/api/settings");
    let before = settings();
    assert!(!before.text.contains("frozen"), "{}", before.text);
    let stream = Stream::of(&ada, 10.0, 20.0, None);
    for frozen in [true, true, false] {
        grace.put("/api/teacher/sea", &json!({ "frozen": frozen }));
        assert_eq!(settings().data()["frozen"].as_bool().unwrap_or_default(), frozen);
    }
    assert_eq!(settings().text, before.text);
    for frozen in [true, false] {
        let event = stream.next();
        assert_eq!((event.name.as_str(), event.data), ("frozen", json!({ "frozen": frozen })));
    }
}

#[test]
fn the_log_says_who_did_what_and_what_undid_it() {
    let app = App::new();
    let (ada, grace, hedy) = (app.user("ada"), app.teacher("grace"), app.teacher("hedy"));
    let bottle = ada.throw(1.0, 2.0);
    hide(&grace, bottle, true);
    hide(&grace, bottle, true);
    hide(&hedy, bottle, false);
    grace.put("/api/teacher/users/1", &json!({ "muted_minutes": 5 }));
    hedy.put("/api/teacher/users/1", &json!({ "muted_minutes": 0 }));
    grace.put("/api/teacher/sea", &json!({ "frozen": true }));
    hedy.put("/api/teacher/sea", &json!({ "frozen": false }));
    let log = |query: &str| grace.get(&format!("/api/teacher/log{query}")).data();
    let actions: Vec<String> = log("")["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let word = |name: &str| entry[name].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", word("actor"), word("action"), word("username"))
        })
        .collect();
    assert_eq!(
        actions,
        [
            "hedy unfreeze -",
            "grace freeze -",
            "hedy unmute ada",
            "grace mute ada",
            "hedy show ada",
            "grace hide ada",
        ]
    );
    let first = log("?limit=4");
    let second = log(&format!("?limit=4&after={}", first["next"]));
    assert_eq!(second["entries"].as_array().unwrap().len(), 2);
    assert_eq!(second["next"], Value::Null);
}

#[test]
fn a_hidden_bottle_stays_hidden_through_check_export_and_import() {
    let app = App::new();
    let (ada, grace) = (app.user("ada"), app.teacher("grace"));
    let (_kept, hidden) = (ada.throw(1.0, 2.0), ada.throw(1.1, 2.1));
    hide(&grace, hidden, true);
    let folder = app.stop();
    let here = folder.path();
    run_ok(here, &["check"]);
    run_ok(here, &["check", "--rebuild-index"]);
    run_ok(here, &["check"]);
    run_ok(here, &["export", "sea.jsonl"]);
    run_ok(here, &["export", "--geojson", "sea.geojson"]);
    for file in ["sea.jsonl", "sea.geojson"] {
        let other = tempfile::tempdir().unwrap();
        std::fs::copy(here.join(file), other.path().join(file)).unwrap();
        let other = App::over(other, |_| {}).stop();
        for _ in 0..2 {
            run_ok(other.path(), &["import", file]);
        }
        run_ok(other.path(), &["check"]);
        let app = App::over(other, |_| {});
        assert_eq!(nearby(&app.user("someone")).len(), 1, "{file}");
        assert_eq!(ids(&app.teacher("hedy"), "/api/teacher/bottles?state=hidden").len(), 1);
    }
}

/// The words of bottles that were thrown since a teacher has turned that on. What nobody may see, what was
/// reported, and what opens nearby only stay out.
#[test]
fn the_first_words_of_new_bottles_are_for_the_projector() {
    let app = App::new();
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    let words = || -> Vec<String> {
        let newest = grace.get("/api/teacher/newest").data()["bottles"].take();
        let words = newest.as_array().unwrap().iter();
        words.map(|bottle| bottle["words"].as_str().unwrap().to_owned()).collect()
    };
    let throw = |content: &str, more: Value| {
        let mut body = json!({ "content": content, "location": { "latitude": 1, "longitude": 2 } });
        body.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        ada.post("/api/bottles", &body).data()["bottle_id"].as_i64().unwrap()
    };
    let switch = |on: bool| {
        let changed = grace.put("/api/teacher/sea", &json!({ "shows_messages": on }));
        assert_eq!(changed.status, 200, "{}", changed.text);
    };
    let in_settings = || app.anon().get("/api/settings").data()["shows_messages"].clone();
    throw("before", json!({}));
    assert_eq!((words(), in_settings()), (vec![], Value::Null));
    switch(true);
    assert_eq!(grace.get("/api/teacher/sea").data()["shows_messages"], true);
    assert_eq!((words(), in_settings()), (vec![], json!(true)));
    let ids = ["one", "two", "three"].map(|content| throw(content, json!({})));
    throw("near", json!({ "open_within_m": 100 }));
    throw(&"é".repeat(300), json!({}));
    assert_eq!(words(), [&"é".repeat(120), "three", "two", "one"]);
    hide(&grace, ids[0], true);
    bob.post(&format!("/api/bottles/{}/report", ids[1]), &json!({ "reason": "unkind" }));
    assert_eq!(words()[1..], ["three"]);
    hide(&grace, ids[1], false);
    assert_eq!(words()[1..], ["three", "two"], "a teacher has decided");
    // Turning it on again does not begin anew.
    switch(true);
    assert_eq!(words().len(), 3);
    switch(false);
    assert_eq!((words(), in_settings()), (vec![], Value::Null));
    switch(true);
    assert_eq!(words(), [""; 0]);
    let log = grace.get("/api/teacher/log").data();
    let actions: Vec<&str> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["action"].as_str())
        .collect();
    assert_eq!(actions, ["show_messages", "hide_messages", "hide", "show_messages"]);
}
