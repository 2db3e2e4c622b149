//! The inbox, its bell, and what it says about bottles and replies.

use bottle_test_support::{Client, Program, run_ok_with_input};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use super::{DESKTOP, PHONE, bob, log_in, start, words};
use crate::driver::Browser;

/// Starts a server on which Ada has opened Bob's bottle and written to him. Returns her session, and that of the
/// teacher Grace.
fn start_talk() -> (TempDir, Program, Client, Client) {
    let (folder, program) = start();
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    bob(&program);
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass", "nickname": "Ada" }));
    ada.log_in("ada", "pass");
    ada.send("POST", "/api/bottles/1/open", &[], None);
    reply(&ada, "Hello, Bob.");
    let mut grace = program.client();
    grace.log_in("grace", "pass");
    (folder, program, ada, grace)
}

fn reply(client: &Client, content: &str) {
    let reply = client.post("/api/bottles/1/replies", &json!({ "content": content }));
    assert_eq!(reply.status, 200, "{}", reply.text);
}

async fn page_of(program: &Program, language: &str, size: (u32, u32), username: &str) -> Browser {
    let page = Browser::open(program.port, language, size, "#9/23.09/113.36").await;
    log_in(&page, language, username).await;
    page
}

async fn has_title(page: &Browser, title: &str) {
    page.wait_for(&format!("return document.title === '{title}'")).await;
}

/// Each item says which bottle it is about.
#[rstest]
#[tokio::test]
async fn an_item_names_its_bottle(#[values("en", "zh")] language: &str) {
    const NAMES: &str = "return [...document.querySelectorAll('.inbox-item')].map((node) =>
            document.getElementById(node.getAttribute('aria-describedby')).textContent).join()
            === 'A message from Bob.,A message from Bob.'";
    let (_folder, program, ada, _grace) = start_talk();
    let page = page_of(&program, language, PHONE, "bob").await;
    page.click(words(language, "Inbox: 2 unread", "消息：2 条未读")).await;
    page.wait_for(NAMES).await;
    page.check_accessible("the inbox").await;
    // An item that arrives meanwhile keeps the names of the others.
    reply(&ada, "Are you there?");
    page.wait_for("return document.querySelectorAll('.inbox-item').length === 3").await;
    page.wait_for(
        "return [...document.querySelectorAll('.about')].every((node) => node.textContent)",
    )
    .await;
    page.close(&[]).await;
}

/// A reply that is read in the lists rings no bell any more.
#[tokio::test]
async fn the_lists_silence_the_bell() {
    let (_folder, program, ..) = start_talk();
    let page = page_of(&program, "en", DESKTOP, "bob").await;
    has_title(&page, "(2) Bottle").await;
    page.click("My bottles").await;
    page.click("A message from Bob.").await;
    // Ada's opening is seen here, her reply not yet.
    has_title(&page, "(1) Bottle").await;
    page.click("Ada").await;
    page.reads("Hello, Bob.").await;
    has_title(&page, "Bottle").await;
    page.close(&[]).await;
}

/// The author of a reply learns that a teacher hid it, and that it is shown again.
#[rstest]
#[tokio::test]
async fn the_author_of_a_hidden_reply_is_told(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program, _ada, grace) = start_talk();
    let page = page_of(&program, language, PHONE, "ada").await;
    page.find("button", w("Inbox", "消息")).await;
    grace.put("/api/teacher/replies/1", &json!({ "hidden": true }));
    page.reads(w("A teacher hid your reply", "老师隐藏了你的回复")).await;
    page.click(w("Inbox: 1 unread", "消息：1 条未读")).await;
    grace.put("/api/teacher/replies/1", &json!({ "hidden": false }));
    page.click(w("Your reply is shown again", "你的回复已恢复显示")).await;
    page.reads("Hello, Bob.").await;
    page.close(&[]).await;
}

/// A reply that is shown again returns to its place in the conversation.
#[tokio::test]
async fn a_reply_that_is_shown_again_is_in_its_place() {
    const TEXTS: &str =
        "[...document.querySelectorAll('.reply-text')].map((node) => node.textContent).join()";
    let (_folder, program, ada, grace) = start_talk();
    reply(&ada, "The second.");
    reply(&ada, "The third.");
    let page = page_of(&program, "en", DESKTOP, "ada").await;
    page.follow("#bottle/1").await;
    for (hidden, texts) in
        [(true, "Hello, Bob.,The third."), (false, "Hello, Bob.,The second.,The third.")]
    {
        grace.put("/api/teacher/replies/2", &json!({ "hidden": hidden }));
        page.wait_for(&format!("return {TEXTS} === '{texts}'")).await;
    }
    page.close(&[]).await;
}

/// However many open one's bottles within moments, the notices leave the map and the panel of a phone free.
#[tokio::test]
async fn many_events_leave_room_on_a_phone() {
    const TOASTS: &str = "document.querySelectorAll('.toast').length";
    let (_folder, program, _ada, grace) = start_talk();
    let page = page_of(&program, "en", PHONE, "bob").await;
    page.reads_no_more("Hello, Bob!").await;
    for name in ["cy", "dee", "eve"] {
        let mut other = program.client();
        other.post("/api/users", &json!({ "username": name, "password": "pass" }));
        other.log_in(name, "pass");
        other.send("POST", "/api/bottles/1/open", &[], None);
        reply(&other, "Me too.");
    }
    grace.send("POST", "/api/bottles/1/open", &[], None);
    page.reads("grace opened your bottle").await;
    assert_eq!(page.run(&format!("return {TOASTS}")).await, 3);
    page.close(&[]).await;
}

/// The times in an open list follow the clock, and are not read aloud in a conversation.
#[tokio::test]
async fn times_follow_the_clock() {
    // In Firefox the scripts of a test have a `Date` of their own.
    const LATER: &str =
        "const { now } = window.Date; window.Date.now = () => now() + 2 * 3600 * 1000";
    const TIMES: &str =
        "[...document.querySelectorAll('.inbox time')].map((node) => node.textContent)";
    let (_folder, program, ..) = start_talk();
    let page = page_of(&program, "en", DESKTOP, "bob").await;
    page.click("Inbox: 2 unread").await;
    page.wait_for(&format!("return {TIMES}.join() === 'just now,just now'")).await;
    page.run(LATER).await;
    page.wait_for(&format!("return {TIMES}.join() === '2 hours ago,2 hours ago'")).await;
    page.click("Ada replied to you").await;
    page.reads("Hello, Bob.").await;
    assert_eq!(
        page.run("return document.querySelector('[role=log]').ariaRelevant").await,
        "additions"
    );
    page.close(&[]).await;
}

/// A second report of a bottle or a reply is not thanked for as if it were new.
#[rstest]
#[tokio::test]
async fn a_second_report_says_that_it_is_one(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program, ada, _grace) = start_talk();
    let mut bobs = program.client();
    bobs.log_in("bob", "pass");
    let own_id = ada.get("/api/users/self").data()["user_id"].clone();
    let unkind = json!({ "content": "Go away.", "opener_id": own_id });
    assert_eq!(bobs.post("/api/bottles/1/replies", &unkind).status, 200);
    let reason = json!({ "reason": "unkind" });
    for path in ["/api/bottles/1/report", "/api/replies/2/report"] {
        assert_eq!(ada.post(path, &reason).status, 200);
    }
    let page = page_of(&program, language, PHONE, "ada").await;
    for report in [w("Report: Go away.", "举报：Go away."), w("Report", "举报")] {
        page.follow("#bottle/1").await;
        page.reads("Go away.").await;
        page.click(report).await;
        page.fill(w("What is wrong with it?", "举报原因"), "Still unkind.").await;
        page.click(w("Send report", "提交举报")).await;
        page.reads(w("You have reported this before.", "你已经举报过")).await;
        page.click(w("Close", "关闭")).await;
    }
    page.close(&[]).await;
}
