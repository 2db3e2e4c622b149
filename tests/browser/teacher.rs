//! The teacher's page and a teacher's controls on the map.

use bottle_test_support::{Client, Program, bottle, fast_settings_with, run_ok_with_input};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use super::{DESKTOP, PHONE, bob, log_in, start, words};
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
    let muted = page.run("return document.querySelector('#muted').textContent").await.to_string();
    assert!(!muted.contains("until in") && !muted.contains("后"), "{muted}");
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
    // Wherever the form is scrolled to.
    const IS_BESIDE_THE_BUTTON: &str = "
        const body = document.querySelector('.panel-body');
        const reason = body.querySelector('.reason');
        return [0, body.scrollHeight].every((top) => {
            body.scrollTop = top;
            const { x, y, width, height } = reason.getBoundingClientRect();
            return document.elementFromPoint(x + width / 2, y + height / 2) === reason;
        })";
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
    assert_eq!(pupil.run(IS_BESIDE_THE_BUTTON).await, true);
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
    const IS_BELOW: &str = "const [toast, button] = ['.toast', '#sea button']
        .map((selector) => document.querySelector(selector).getBoundingClientRect());
        return toast.top >= button.bottom";
    assert_eq!(page.run(IS_BELOW).await, true);
    let keep = w("Keep hidden", "保持隐藏");
    page.wait_for(&format!(
        "return [...document.querySelectorAll('button')].every((node) => node.textContent !== '{keep}')"
    ))
    .await;
    page.find("button", w("Show again", "恢复显示")).await;
    page.check_accessible("a bottle that stays hidden").await;
    page.close(&[]).await;
}

/// A teacher logs out on the teacher's page.
#[rstest]
#[tokio::test]
async fn a_teacher_logs_out(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program, _grace) = start_class();
    let page = Browser::open(program.port, language, PHONE, "").await;
    log_in(&page, language, "grace").await;
    page.go("teacher").await;
    page.reads(w("Reported bottles", "被举报的")).await;
    page.check_accessible("a teacher who can log out").await;
    page.click(w("Log out", "退出登录")).await;
    page.find("button", w("Log in", "登录")).await;
    page.wait_for("return document.activeElement.closest('#problem') && true").await;
    assert_eq!(page.run("return document.querySelector('#log-out').hidden").await, true);
    assert!(!page.text().await.contains(w("Reported bottles", "被举报的")));
    page.go("").await;
    page.find("button", w("Register", "注册")).await;
    page.close(&[]).await;
}

/// The log says when a mute ends.
#[rstest]
#[tokio::test]
async fn the_log_says_until_when(#[values("en", "zh")] language: &str) {
    const ACTIONS: &str = "return [...document.querySelectorAll('#log td:nth-child(3)')].map((node) => node.textContent)";
    let (_folder, program, grace) = start_class();
    let path = format!("/api/teacher/users/{}", bobs_id(&program));
    for minutes in [60, 0] {
        assert_eq!(grace.put(&path, &json!({ "muted_minutes": minutes })).status, 200);
    }
    let page = Browser::open(program.port, language, DESKTOP, "").await;
    log_in(&page, language, "grace").await;
    page.go("teacher").await;
    page.wait_for("return document.querySelectorAll('#log td').length === 8").await;
    let actions = page.run(ACTIONS).await;
    assert_eq!(actions[0], words(language, "unmuted", "解除禁言"));
    let muted = actions[1].as_str().unwrap();
    assert!(muted.starts_with(words(language, "muted until ", "禁言至 20")), "{muted}");
    page.close(&[]).await;
}

/// A nickname and a username have their own directions beside each other.
#[tokio::test]
async fn the_parts_of_a_name_are_isolated() {
    let (_folder, program, grace) = start_class();
    let mut amal = program.client();
    let account = json!({ "username": "amal (1)", "password": "pass", "nickname": "أمل" });
    amal.post("/api/users", &account);
    amal.log_in("amal (1)", "pass");
    amal.send("POST", "/api/bottles/1/open", &[], None);
    amal.post("/api/bottles/1/report", &json!({ "reason": "غير لائق" }));
    let id = amal.get("/api/users/self").data()["user_id"].clone();
    grace.put(&format!("/api/teacher/users/{id}"), &json!({ "muted_minutes": 60 }));
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    log_in(&page, "en", "grace").await;
    page.go("teacher").await;
    page.reads("أمل (amal (1)): غير لائق").await;
    for place in ["#reported", "#muted p", "#muted button"] {
        let parts = page
            .run(&format!(
                "return [...document.querySelectorAll('{place} bdi:not(:has(bdi))')]
                    .map((node) => node.textContent).filter((text) => /أمل|amal/.test(text))"
            ))
            .await;
        assert_eq!(parts, json!(["أمل", "amal (1)"]), "{place}");
    }
    let username = "return document.querySelector('#log bdi').textContent";
    assert_eq!(page.run(username).await, "amal (1)");
    page.close(&[]).await;
}
