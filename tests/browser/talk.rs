//! Conversations, the inbox and its bell, a bottle that is caught, and bottles with limits.

use bottle_test_support::{Client, Program, run_ok_with_input};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{DESKTOP, PHONE, bob, log_in, start, words};
use crate::driver::Browser;
use crate::exceptions::is_excepted;

const VIEW: &str = "#9/23.09/113.36";

/// Registers Ada, and returns her session.
fn ada(program: &Program) -> Client {
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass", "nickname": "Ada" }));
    ada.log_in("ada", "pass");
    ada
}

/// Opens the page as an account.
async fn page_of(program: &Program, language: &str, size: (u32, u32), username: &str) -> Browser {
    let page = Browser::open(program.port, language, size, VIEW).await;
    log_in(&page, language, username).await;
    page
}

/// Writes a reply to Bob's bottle as its opener.
fn reply(client: &Client, content: &str) -> i64 {
    client.send("POST", "/api/bottles/1/open", &[], None);
    let reply = client.post("/api/bottles/1/replies", &json!({ "content": content }));
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.data()["reply_id"].as_i64().unwrap()
}

async fn has_title(page: &Browser, title: &str) {
    page.wait_for(&format!("return document.title === '{title}'")).await;
}

/// Returns the text of the focused control.
async fn focused(page: &Browser) -> Value {
    page.run("return document.activeElement.ariaLabel ?? document.activeElement.textContent").await
}

/// Two people write to each other, and each sees at once what the other does. A teacher hides a reply, which
/// disappears from both.
#[rstest]
#[tokio::test]
async fn two_people_write_to_each_other(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (folder, program) = start();
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    ada(&program);
    let bobs = bob(&program);
    let bob = page_of(&program, language, DESKTOP, "bob").await;
    let ada = page_of(&program, language, DESKTOP, "ada").await;
    ada.click(w("Catch one", "捞一个")).await;
    ada.reads("A message from Bob.").await;
    bob.reads(w("Ada opened your bottle", "Ada 打开了你的漂流瓶")).await;
    has_title(&bob, w("(1) Bottle", "(1) 漂流瓶")).await;
    ada.fill(w("Reply", "回复"), "Caught it by chance!").await;
    ada.click(w("Send", "发送")).await;
    ada.reads("Caught it by chance!").await;

    bob.reads(w("Ada replied to you", "Ada 回复了你")).await;
    bob.click(w("Inbox: 2 unread", "消息：2 条未读")).await;
    bob.click(w("Ada replied to you", "Ada 回复了你")).await;
    bob.reads("Caught it by chance!").await;
    has_title(&bob, w("Bottle", "漂流瓶")).await;
    bob.fill(w("Reply", "回复"), "Where are you?").await;
    bob.click(w("Send", "发送")).await;
    ada.reads("Where are you?").await;
    // What arrives in the conversation that she looks at is read.
    has_title(&ada, w("Bottle", "漂流瓶")).await;

    let mut grace = program.client();
    grace.log_in("grace", "pass");
    let replies = bobs.get("/api/bottles/1/threads").data();
    assert_eq!(replies["threads"][0]["replies_count"], 2);
    assert_eq!(grace.put("/api/teacher/replies/1", &json!({ "hidden": true })).status, 200);
    ada.reads_no_more("Caught it by chance!").await;
    bob.reads_no_more("Caught it by chance!").await;
    ada.reads("Where are you?").await;
    for page in [ada, bob] {
        page.close(&[]).await;
    }
}

/// The draft of a reply survives the panel and a reload, and belongs to its account.
#[tokio::test]
async fn a_draft_of_a_reply_is_kept() {
    let (_folder, program) = start();
    bob(&program);
    ada(&program).send("POST", "/api/bottles/1/open", &[], None);
    let page = page_of(&program, "en", DESKTOP, "ada").await;
    page.follow("#bottle/1").await;
    page.fill("Reply", "Half a thought").await;
    page.click("Close").await;
    page.reload().await;
    page.follow("#bottle/1").await;
    assert_eq!(page.filled("Reply").await, "Half a thought");
    page.click("Send").await;
    page.wait_for("return document.querySelector('.reply') && true").await;
    assert_eq!(page.value("Reply").await, "");
    page.wait_for("return document.activeElement.name === 'content'").await;
    page.reload().await;
    page.reads("Half a thought").await;
    assert_eq!(page.value("Reply").await, "");

    page.fill("Reply", &"x".repeat(501)).await;
    page.reads("501 of 500 characters").await;
    page.click("Send").await;
    page.reads("Write 1 to 500 characters.").await;
    page.click("Account: Ada").await;
    page.click("Delete my account").await;
    page.fill("Password", "pass").await;
    page.click("Delete permanently").await;
    page.reads("Your account has been deleted.").await;
    let drafts = "return Object.keys(localStorage).filter((key) => key.startsWith('bottle.reply'))";
    assert_eq!(page.run(drafts).await, json!([]));
    page.close(&[]).await;
}

/// The lists mark what is unread until it is read.
#[rstest]
#[tokio::test]
async fn the_lists_mark_unread_replies(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start();
    let bobs = bob(&program);
    let adas = ada(&program);
    reply(&adas, "Hello, Bob.");
    let bob = page_of(&program, language, PHONE, "bob").await;
    bob.click(w("My bottles", "我的瓶子")).await;
    bob.reads(w("1 new", "1 条新回复")).await;
    bob.check_accessible("a list with an unread reply").await;
    bob.click("A message from Bob.").await;
    bob.click("Ada").await;
    bob.reads("Hello, Bob.").await;
    bob.check_accessible("a conversation").await;
    if !is_excepted() {
        bob.prefer_dark();
        bob.check_accessible("a conversation in the dark").await;
    }
    bob.run("history.back()").await;
    bob.reads_no_more(w("1 new", "1 条新回复")).await;
    bob.find("button", "Ada").await;
    bob.click(w("Close", "关闭")).await;
    bob.click(w("My bottles", "我的瓶子")).await;
    bob.reads(w("1 reply", "1 条回复")).await;
    assert!(!bob.text().await.contains(w("1 new", "1 条新回复")));

    let own_id = adas.get("/api/users/self").data()["user_id"].clone();
    let body = json!({ "content": "Hello, Ada.", "opener_id": own_id });
    assert_eq!(bobs.post("/api/bottles/1/replies", &body).status, 200);
    let ada = page_of(&program, language, PHONE, "ada").await;
    ada.click(w("Opened", "打开过的")).await;
    ada.reads(w("1 new", "1 条新回复")).await;
    ada.click("A message from Bob.").await;
    ada.reads("Hello, Ada.").await;
    ada.click(w("Close", "关闭")).await;
    ada.click(w("Opened", "打开过的")).await;
    ada.reads(w("2 replies", "2 条回复")).await;
    ada.wait_for("return !document.querySelector('#panel .badge')").await;
    for page in [ada, bob] {
        page.close(&[]).await;
    }
}

/// Starts a server on which Ada and Bob have written to each other about his bottle.
fn start_conversation() -> (TempDir, Program, Client) {
    let (folder, program) = start();
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    let bobs = bob(&program);
    let adas = ada(&program);
    reply(&adas, "Something unkind.");
    let own_id = adas.get("/api/users/self").data()["user_id"].clone();
    let body = json!({ "content": "I did not mean it.", "opener_id": own_id });
    assert_eq!(bobs.post("/api/bottles/1/replies", &body).status, 200);
    (folder, program, adas)
}

/// A reply is deleted or reported where it is read. The focus stays in the conversation, and returns to the bell.
#[tokio::test]
async fn a_reply_is_deleted_or_reported() {
    const ESCAPE: &str = "document.activeElement.dispatchEvent(
        new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))";
    let (_folder, program, _adas) = start_conversation();
    let page = page_of(&program, "en", PHONE, "bob").await;
    page.click("Inbox: 2 unread").await;
    page.click("Ada replied to you").await;
    page.click("Delete: I did not mean it.").await;
    assert_eq!(focused(&page).await, "Keep it");
    page.click("Delete reply").await;
    page.reads_no_more("I did not mean it.").await;
    page.wait_for("return document.activeElement.name === 'content'").await;
    page.click("Report: Something unkind.").await;
    page.fill("What is wrong with it?", "It hurts.").await;
    page.check_accessible("a report of a reply").await;
    page.click("Send report").await;
    page.reads("Thank you.").await;
    page.run(ESCAPE).await;
    page.wait_for("return document.querySelector('#panel').hidden").await;
    page.wait_for("return document.activeElement.id === 'inbox'").await;
    page.close(&[]).await;
}

/// The other side is blocked in the conversation, and unblocked there.
#[tokio::test]
async fn the_other_side_is_blocked() {
    let (_folder, program, adas) = start_conversation();
    let mut bob = program.client();
    bob.log_in("bob", "pass");
    let page = page_of(&program, "en", PHONE, "bob").await;
    page.click("Inbox: 2 unread").await;
    page.click("Ada replied to you").await;
    page.reads("Something unkind.").await;
    page.click("Block Ada").await;
    assert_eq!(focused(&page).await, "Cancel");
    page.check_accessible("a question before a block").await;
    page.click("Block").await;
    page.reads("You have blocked Ada.").await;
    page.reads_no_more("Something unkind.").await;
    page.wait_for("return document.querySelector('.conversation form').hidden").await;
    assert_eq!(adas.post("/api/bottles/1/replies", &json!({ "content": "?" })).status, 404);

    page.click("Account: Bob").await;
    page.click("Blocked accounts").await;
    page.find("button", "Unblock Ada").await;
    page.check_accessible("the blocked accounts").await;
    page.click("Close").await;
    page.click("Unblock Ada").await;
    page.reads("Something unkind.").await;
    page.wait_for("return document.activeElement.textContent === 'Block Ada'").await;
    // Who is blocked learns it only by trying.
    let bob_id = bob.get("/api/users/self").data()["user_id"].clone();
    adas.put(&format!("/api/users/{bob_id}/block"), &json!({ "blocked": true }));
    page.fill("Reply", "Can you read this?").await;
    page.click("Send").await;
    page.reads("one of you has blocked the other").await;
    page.close(&["403"]).await;
}

/// A teacher sees a reported reply with its reports, hides it and shows it again. The log names it.
#[rstest]
#[tokio::test]
async fn a_teacher_hides_a_reply(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program, _adas) = start_conversation();
    let mut bobs = program.client();
    bobs.log_in("bob", "pass");
    let report = bobs.post("/api/replies/1/report", &json!({ "reason": "It hurts." }));
    assert_eq!(report.status, 200, "{}", report.text);
    let page = page_of(&program, language, PHONE, "grace").await;
    page.go("teacher").await;
    page.reads("Something unkind.").await;
    page.reads(w("Bob (bob): It hurts.", "Bob (bob)：It hurts.")).await;
    page.check_accessible("a reported reply").await;
    page.click(w("Hide this reply", "隐藏这条回复")).await;
    let again = w("Show this reply again", "恢复显示这条回复");
    page.find("button", again).await;
    page.wait_for(&format!("return document.activeElement.textContent === '{again}'")).await;
    page.reads(w("Reply 1", "回复 1")).await;
    page.check_accessible("a hidden reply").await;
    // Who wrote the reply can be muted beside it.
    page.click(w("Mute Ada (ada) for an hour", "禁言 Ada (ada) 1 小时")).await;
    page.find("button", w("Unmute Ada (ada)", "解除 Ada (ada) 的禁言")).await;
    page.click(again).await;
    page.reads(w("showed again", "恢复显示")).await;
    page.close(&[]).await;
}

/// A muted account, and everyone during a freeze, is told why no reply can be sent, and keeps the text.
#[rstest]
#[tokio::test]
async fn a_rejected_reply_says_why(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (folder, program) = start();
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    let mut grace = program.client();
    grace.log_in("grace", "pass");
    bob(&program);
    let adas = ada(&program);
    adas.send("POST", "/api/bottles/1/open", &[], None);
    let page = page_of(&program, language, PHONE, "ada").await;
    page.follow("#bottle/1").await;
    page.fill(w("Reply", "回复"), "Hello?").await;
    grace.put("/api/teacher/sea", &json!({ "frozen": true }));
    page.click(w("Send", "发送")).await;
    page.reads(w("paused throwing and replying", "已暂停扔瓶子和回复")).await;
    grace.put("/api/teacher/sea", &json!({ "frozen": false }));
    let id = adas.get("/api/users/self").data()["user_id"].clone();
    grace.put(&format!("/api/teacher/users/{id}"), &json!({ "muted_minutes": 10 }));
    page.click(w("Send", "发送")).await;
    page.reads(w("A teacher has muted you", "你被老师禁言了")).await;
    assert_eq!(page.value(w("Reply", "回复")).await, "Hello?");
    page.close(&["403"]).await;
}

/// "Catch one" says kindly that nothing is left, and its animation ends.
#[tokio::test]
async fn nothing_is_left_to_catch() {
    let (_folder, program) = start();
    ada(&program);
    let bobs = bob(&program);
    let page = Browser::open_animated(program.port, DESKTOP, VIEW).await;
    log_in(&page, "en", "ada").await;
    page.click("Catch one").await;
    page.reads("A message from Bob.").await;
    page.wait_for("return !document.querySelector('.catching')").await;
    page.click("Close").await;
    page.wait_for("return document.activeElement.id === 'catch'").await;
    page.click("Catch one").await;
    page.reads("There is no bottle to catch right now.").await;
    page.wait_for("return document.activeElement.id === 'catch'").await;
    bobs.throw(10.0, 20.0);
    page.click("Catch one").await;
    page.find("field", "Reply").await;
    page.close(&["404"]).await;
}

/// The limits of a bottle are part of the draft, reach the server, and are shown to its owner.
#[rstest]
#[tokio::test]
async fn a_bottle_is_thrown_with_limits(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start();
    let adas = ada(&program);
    let page = page_of(&program, language, PHONE, "ada").await;
    page.click(w("Throw a bottle", "扔漂流瓶")).await;
    page.fill(w("Message", "留言"), "Only for neighbours.").await;
    page.fill(w("Latitude", "纬度"), "23.1").await;
    page.fill(w("Longitude", "经度"), "113.3").await;
    page.click(w("More", "更多选项")).await;
    let choose = |name, value| {
        format!(
            "const control = document.querySelector('[name={name}]');
             control.value = '{value}';
             control.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        )
    };
    page.find("field", w("Stays on the sea", "漂流时间")).await;
    page.run(&choose("expires_in_days", "7")).await;
    page.run(&choose("open_within_m", "1000")).await;
    page.check_accessible("a form with limits").await;
    page.click(w("Close", "关闭")).await;
    page.click(w("Throw a bottle", "扔漂流瓶")).await;
    assert_eq!(page.value(w("Stays on the sea", "漂流时间")).await, "7");
    assert_eq!(page.value(w("Can be opened", "打开范围")).await, "1000");
    page.click(w("Throw", "扔出")).await;
    page.reads(w("Your bottle is on the sea.", "你的漂流瓶")).await;

    let thrown = adas.get("/api/bottles/created").data()["bottles"][0].clone();
    assert_eq!(thrown["open_within_m"], 1000);
    assert!(thrown["expires_at"].is_string(), "{thrown}");
    page.click(w("My bottles", "我的瓶子")).await;
    page.reads(w("Ends ", "漂流至 ")).await;
    page.reads(w("Opens within 1 km", "以内可以打开")).await;
    page.click("Only for neighbours.").await;
    page.reads(w("Within 1 km", "以内")).await;
    page.close(&[]).await;
}

/// A bottle that opens only nearby asks for the position, says how far away the reader is, and then opens.
#[rstest]
#[tokio::test]
async fn a_bottle_opens_only_nearby(#[values("en", "zh")] language: &str) {
    const ERROR_IS_SEEN: &str = "
        const error = document.querySelector('#panel .error:not(:empty)');
        const { x, y, height } = error.getBoundingClientRect();
        return [1, height - 1].every((down) => document.elementFromPoint(x + 1, y + down) === error)";
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start();
    ada(&program);
    let bobs = bob(&program);
    let location = json!({ "formatted_address": "", "latitude": 23.2, "longitude": 113.36 });
    let body = json!({ "content": "You are near.", "location": location, "open_within_m": 1000 });
    assert_eq!(bobs.post("/api/bottles", &body).status, 200);
    let page = page_of(&program, language, PHONE, "ada").await;
    page.reads(w("2 bottles in view", "视野内有 2 个漂流瓶")).await;
    page.follow("#bottle/2").await;
    page.reads(w("only within 1 km", "以内才能打开")).await;
    page.check_accessible("a bottle that opens nearby").await;
    page.click(w("Centre of the map", "地图中心")).await;
    page.reads(w("Your position is set.", "位置已选好。")).await;
    page.click(w("Open", "打开")).await;
    page.reads(w(" km away", "你离它还有")).await;
    page.wait_for(ERROR_IS_SEEN).await;

    page.click(w("Close", "关闭")).await;
    page.follow("#13/23.2/113.36").await;
    page.reads(w("1 bottle in view", "视野内有 1 个漂流瓶")).await;
    page.follow("#bottle/2").await;
    page.click(w("I am here", "我在这里")).await;
    page.touch_map().await;
    page.reads(w("Your position is set.", "位置已选好。")).await;
    page.click(w("Open", "打开")).await;
    page.reads("You are near.").await;
    page.close(&["403"]).await;
}

/// An account silences a kind of items, which then rings no bell.
#[rstest]
#[tokio::test]
async fn openings_are_silenced(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start();
    bob(&program);
    let adas = ada(&program);
    let page = page_of(&program, language, PHONE, "bob").await;
    page.click(w("Account: Bob", "账号：Bob")).await;
    page.click(w("Notifications", "通知")).await;
    page.check_accessible("the settings of the inbox").await;
    page.find("field", w("someone opens my bottle", "有人打开我的漂流瓶"))
        .await
        .click()
        .await
        .unwrap();
    page.wait_for(
        "return fetch('api/users/self').then((response) => response.json())
            .then(({ data }) => data.inbox?.opened === false)",
    )
    .await;
    page.click(w("Close", "关闭")).await;
    reply(&adas, "Hello, Bob.");
    page.find("button", w("Inbox: 1 unread", "消息：1 条未读")).await;
    page.click(w("Inbox: 1 unread", "消息：1 条未读")).await;
    page.reads(w("Ada replied to you", "Ada 回复了你")).await;
    assert!(!page.text().await.contains(w("opened your bottle", "打开了你的漂流瓶")));
    page.check_accessible("the inbox").await;
    page.close(&[]).await;
}

/// A hidden tab closes the stream of the map and keeps that of the inbox. It opens the former again when it returns.
#[tokio::test]
async fn a_hidden_tab_keeps_one_stream() {
    const RECORD: &str = "
        // In a block: a constant of the document would hide the class that it replaces.
        {
            const { EventSource } = window;
            window.streams = [];
            window.EventSource = class extends EventSource {
                constructor(url) {
                    super(url);
                    window.streams.push(this);
                }
            };
        }";
    const HIDE: &str = "
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => window.isAway });
        window.isAway = true;
        document.dispatchEvent(new Event('visibilitychange'));";
    const SHOW: &str = "
        window.isAway = false;
        document.dispatchEvent(new Event('visibilitychange'));";
    const OPEN: &str =
        "window.streams.filter(({ readyState }) => readyState !== EventSource.CLOSED)
        .map(({ url }) => new URL(url).pathname).sort().join()";
    let both = format!("return {OPEN} === '/api/bottles/live,/api/inbox/live'");
    let (_folder, program) = start();
    bob(&program);
    let adas = ada(&program);
    let mut page = page_of(&program, "en", DESKTOP, "bob").await;
    page.run_in_new_documents(RECORD).await;
    page.reload().await;
    page.wait_for(&both).await;
    page.run(HIDE).await;
    page.wait_for(&format!("return {OPEN} === '/api/inbox/live'")).await;
    adas.send("POST", "/api/bottles/1/open", &[], None);
    has_title(&page, "(1) Bottle").await;
    assert_eq!(page.run("return document.querySelectorAll('.toast').length").await, 0);
    page.run(SHOW).await;
    page.wait_for(&both).await;
    page.close(&[]).await;
}

/// The bar and the dock fit into the smallest phone, with the bell and a number.
#[rstest]
#[tokio::test]
async fn the_bell_fits_into_the_bar(#[values("en", "zh")] language: &str) {
    const FITS: &str = "
        const buttons = [...document.querySelectorAll('.actions button, .dock button')];
        return buttons.map((node) => node.getBoundingClientRect())
            .filter(({ width, left, right }) => width && (left < 0 || right > document.documentElement.clientWidth)).length";
    let (_folder, program) = start();
    bob(&program);
    ada(&program).send("POST", "/api/bottles/1/open", &[], None);
    let page = page_of(&program, language, (320, 640), "bob").await;
    has_title(&page, words(language, "(1) Bottle", "(1) 漂流瓶")).await;
    assert_eq!(page.run(FITS).await, 0);
    page.check_accessible("the bell").await;
    page.close(&[]).await;
}
