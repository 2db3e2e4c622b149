//! The teacher's page and a teacher's controls on the map.

use bottle_test_support::{Client, Program, bottle, fast_settings_with, run_ok_with_input};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use super::{DESKTOP, bob, log_in, start, words};
use crate::driver::Browser;

/// Starts a server with Bob's bottle and the teacher Grace, and returns her session.
fn start_class() -> (TempDir, Program, Client) {
    let (folder, program) = start();
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    bob(&program);
    let mut grace = program.client();
    grace.log_in("grace", "pass");
    (folder, program, grace)
}

/// Returns the id of Bob's account.
fn bobs_id(program: &Program) -> i64 {
    let mut bob = program.client();
    bob.log_in("bob", "pass");
    bob.get("/api/users/self").data()["user_id"].as_i64().unwrap()
}

#[rstest]
#[tokio::test]
async fn a_mute_ends_at_a_date(#[values("en", "zh")] language: &str) {
    let (_folder, program, grace) = start_class();
    let path = format!("/api/teacher/users/{}", bobs_id(&program));
    assert_eq!(grace.json("PUT", &path, &json!({ "muted_minutes": 1440 })).status, 200);
    let page = Browser::open(program.port, language, DESKTOP, "").await;
    log_in(&page, language, "grace").await;
    page.go("teacher").await;
    page.reads(words(language, "muted until ", "禁言至 20")).await;
    let text = page.text().await;
    assert!(!text.contains("until in") && !text.contains("后"), "{text}");
    page.close(&[]).await;
}

/// A teacher hides a bottle where it is read.
#[rstest]
#[tokio::test]
async fn a_bottle_is_hidden_on_the_map(#[values("en", "zh")] language: &str) {
    let (_folder, program, grace) = start_class();
    let page = Browser::open(program.port, language, DESKTOP, "#9/23.09/113.36").await;
    log_in(&page, language, "grace").await;
    page.follow("#bottle/1").await;
    page.click(words(language, "Open", "打开")).await;
    page.click(words(language, "Hide this bottle", "隐藏这个瓶子")).await;
    page.reads(words(language, "The bottle is hidden.", "瓶子已隐藏")).await;
    let hidden = grace.get("/api/teacher/bottles?state=hidden").data();
    assert_eq!(hidden["bottles"][0]["bottle_id"], 1);
    page.close(&[]).await;
}

/// After "Hide" the focus is at the button that shows the bottle again.
#[tokio::test]
async fn the_focus_stays_at_a_hidden_bottle() {
    let (_folder, program, _grace) = start_class();
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    ada.send("POST", "/api/bottles/1/open", &[], None);
    ada.post("/api/bottles/1/report", &json!({ "reason": "unkind" }));
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    log_in(&page, "en", "grace").await;
    page.go("teacher").await;
    page.click("Hide").await;
    page.reads("Show again").await;
    assert_eq!(page.run("return document.activeElement.textContent").await, "Show again");
    page.close(&[]).await;
}

/// The button that throws says that throwing is frozen, to a pupil and to a visitor who are on the page already as to
/// those who load it. The form keeps its message and works once the freeze ends.
#[rstest]
#[tokio::test]
async fn a_freeze_is_seen_before_a_throw(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (throw, frozen) =
        (w("Throw a bottle", "扔漂流瓶"), w("Throwing is paused", "已暂停扔瓶子"));
    let (_folder, program, grace) = start_class();
    let pupil = Browser::open(program.port, language, DESKTOP, "#9/23.09/113.36").await;
    log_in(&pupil, language, "bob").await;
    pupil.click(throw).await;
    pupil.fill(w("Message", "留言"), "Written in time.").await;
    pupil.fill(w("Latitude", "纬度"), "23.1").await;
    pupil.fill(w("Longitude", "经度"), "113.3").await;
    let visitor = Browser::open(program.port, language, DESKTOP, "#9/23.09/113.36").await;
    visitor.find("button", throw).await;

    grace.put("/api/teacher/sea", &json!({ "frozen": true }));
    for page in [&pupil, &visitor] {
        page.find("button", frozen).await;
    }
    pupil.reads(w("A teacher has paused throwing.", "老师已暂停扔瓶子。")).await;
    pupil.check_accessible("a freeze in the form").await;
    visitor.check_accessible("a freeze").await;
    const SUBMIT_IS_DISABLED: &str =
        "return document.querySelector('#panel [type=submit]').disabled";
    assert_eq!(pupil.run(SUBMIT_IS_DISABLED).await, true);
    visitor.reload().await;
    visitor.find("button", frozen).await;

    grace.put("/api/teacher/sea", &json!({ "frozen": false }));
    visitor.find("button", throw).await;
    pupil.click(w("Throw", "扔出")).await;
    pupil.reads(w("Your bottle is on the sea.", "你的漂流瓶")).await;
    for page in [pupil, visitor] {
        page.close(&[]).await;
    }
}

/// The button that freezes throwing says what it does next, and the text beside it the state.
#[rstest]
#[tokio::test]
async fn the_freeze_button_says_what_it_does(#[values("en", "zh")] language: &str) {
    const PRESSED: &str = "return document.querySelectorAll('#sea [aria-pressed]').length";
    let w = |en, zh| words(language, en, zh);
    let (_folder, program, grace) = start_class();
    let page = Browser::open(program.port, language, DESKTOP, "").await;
    log_in(&page, language, "grace").await;
    page.go("teacher").await;
    page.click(w("Pause throwing", "暂停扔瓶子")).await;
    page.reads(w("Throwing is paused for everyone.", "已暂停扔瓶子。")).await;
    page.find("button", w("Let everyone throw again", "恢复扔瓶子")).await;
    assert_eq!(page.run(PRESSED).await, 0);
    page.wait_for("return document.activeElement.closest('#sea') && true").await;
    page.check_accessible("a frozen sea").await;
    page.click(w("Let everyone throw again", "恢复扔瓶子")).await;
    page.reads(w("Everyone can throw bottles.", "所有人都可以扔瓶子。")).await;
    page.find("button", w("Pause throwing", "暂停扔瓶子")).await;
    assert_eq!(grace.get("/api/teacher/sea").data()["frozen"], false);
    page.close(&[]).await;
}

/// "Keep hidden" settles the reports of a hidden bottle and says so. Without an open report it is not there.
#[rstest]
#[tokio::test]
async fn a_bottle_is_kept_hidden(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_BOTTLE", fast_settings_with("reports_to_hide=1"));
    let program = Program::start(command);
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    bob(&program);
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    ada.send("POST", "/api/bottles/1/open", &[], None);
    ada.post("/api/bottles/1/report", &json!({ "reason": "unkind" }));
    let page = Browser::open(program.port, language, DESKTOP, "").await;
    log_in(&page, language, "grace").await;
    page.go("teacher").await;
    page.reads(w("ada: unkind", "ada：unkind")).await;
    page.click(w("Keep hidden", "保持隐藏")).await;
    page.reads(w(
        "The bottle stays hidden. Its reports are settled.",
        "瓶子保持隐藏，举报已处理。",
    ))
    .await;
    let keep = w("Keep hidden", "保持隐藏");
    page.wait_for(&format!(
        "return [...document.querySelectorAll('button')].every((node) => node.textContent !== '{keep}')"
    ))
    .await;
    page.find("button", w("Show again", "恢复显示")).await;
    page.check_accessible("a bottle that stays hidden").await;
    page.close(&[]).await;
}
