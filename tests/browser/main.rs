//! The page in a real browser, against the real program: `cargo test --test browser`. `BOTTLE_ENGINE` names
//! another browser than Chromium: `firefox` or `webkit`.

#![allow(clippy::unwrap_used)] // in a test, to panic is to fail

mod access;
mod accessibility;
mod admin;
mod admin_sections;
mod admin_server;
mod admin_webhook;
mod attribution;
mod bottle_panel;
mod class;
mod dialogs;
mod docs;
mod drafts;
mod driver;
mod engine;
mod exceptions;
mod failures;
mod first_day;
mod ground;
mod inbox;
mod late;
mod layout;
mod links;
mod map;
mod offline;
mod outage;
mod panels;
mod place;
mod preload;
mod projector;
mod setup;
mod standby;
mod streets;
mod tabs;
mod talk;
mod teacher;
mod window;

use bottle::server::lan;
use bottle_test_support::{Client, Program, bottle, fast_settings_with, run_ok_with_input};
use driver::Browser;
use engine::Engine;
use exceptions::is_excepted;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

const DESKTOP: (u32, u32) = (1280, 800);
const PHONE: (u32, u32) = (360, 740);

/// Returns the text in a language.
fn words<'a>(language: &str, en: &'a str, zh: &'a str) -> &'a str {
    if language == "zh" { zh } else { en }
}

fn start() -> (TempDir, Program) {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &[]));
    (folder, program)
}

/// Registers another account, which throws a bottle by the API.
fn bob(program: &Program) -> Client {
    let mut bob = program.client();
    bob.post("/api/users", &json!({ "username": "bob", "password": "pass", "nickname": "Bob" }));
    bob.log_in("bob", "pass");
    bob.post(
        "/api/bottles",
        &json!({
            "content": "A message from Bob.", "style": 2,
            "location": { "formatted_address": "Pazhou", "latitude": 23.09, "longitude": 113.36 }
        }),
    );
    bob
}

async fn register(page: &Browser, language: &str, name: &str) {
    let w = |en, zh| words(language, en, zh);
    page.click(w("Register", "注册")).await;
    page.fill(w("Username", "用户名"), name).await;
    page.fill(w("Password", "密码"), "pass").await;
    page.click(w("Register", "注册")).await;
    page.find("button", w("My bottles", "我的瓶子")).await;
}

/// Logs in by the dialog.
async fn log_in(page: &Browser, language: &str, username: &str) {
    let w = |en, zh| words(language, en, zh);
    page.click(w("Log in", "登录")).await;
    give_credentials(page, language, username).await;
    page.find("button", w("My bottles", "我的瓶子")).await;
}

/// Fills in and submits the login dialog.
async fn give_credentials(page: &Browser, language: &str, username: &str) {
    let w = |en, zh| words(language, en, zh);
    page.fill(w("Username", "用户名"), username).await;
    page.fill(w("Password", "密码"), "pass").await;
    page.click(w("Log in", "登录")).await;
}

#[rstest]
#[tokio::test]
async fn throw_open_and_see_who_opened(
    #[values("en", "zh")] language: &str,
    #[values(DESKTOP, PHONE)] size: (u32, u32),
) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start();
    let bob = bob(&program);
    let page = Browser::open(program.port, language, size, "#9/23.09/113.36").await;
    page.reads(w("1 bottle in view", "1 个")).await;
    page.check_accessible("a visitor").await;
    register(&page, language, "ada").await;

    page.click(w("Throw a bottle", "扔漂流瓶")).await;
    page.fill(w("Message", "留言"), "Hello from the page.").await;
    page.fill(w("Latitude", "纬度"), "23.1").await;
    page.fill(w("Longitude", "经度"), "113.3").await;
    page.fill(w("Address", "地址"), "By the river").await;
    page.check_accessible("throwing").await;
    page.click(w("Throw", "扔出")).await;
    page.reads(w("Your bottle is on the sea.", "你的漂流瓶")).await;

    page.follow("#bottle/1").await;
    page.click(w("Open", "打开")).await;
    page.reads("A message from Bob.").await;
    page.check_accessible("reading").await;
    page.click(w("Opened", "打开过的")).await;
    page.reads("A message from Bob.").await;
    page.check_accessible("the opened").await;

    bob.send("POST", "/api/bottles/2/open", &[], None);
    page.click(w("My bottles", "我的瓶子")).await;
    page.reads("Hello from the page.").await;
    page.click(w("Opened by 1 person", "1 人打开过")).await;
    page.reads("Bob").await;
    page.check_accessible("my bottles").await;
    page.close(&[]).await;
}

#[tokio::test]
async fn errors_stand_beside_their_field() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    page.click("Register").await;
    page.find("field", "Username").await;
    page.click("Register").await;
    page.reads("Please fill this in.").await;
    page.fill("Username", "bob").await;
    page.fill("Password", "pass").await;
    page.click("Register").await;
    page.reads("This username is taken.").await;
    page.check_accessible("registering").await;
    page.click("Log in").await;
    page.fill("Username", "bob").await;
    page.fill("Password", "guess").await;
    page.click("Log in").await;
    page.reads("Wrong username or password.").await;
    page.close(&["409", "403"]).await;
}

/// After a session has ended elsewhere, the reader logs in again and the action continues, whether an event or a
/// request tells the page about the end.
#[tokio::test]
async fn an_ended_session_goes_on_after_a_login() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.click("Throw a bottle").await;
    page.fill("Message", "Thrown in two sessions.").await;
    page.fill("Latitude", "23.1").await;
    page.fill("Longitude", "113.3").await;
    end_sessions(&program, "ada");
    page.click("Throw").await;
    give_credentials(&page, "en", "ada").await;
    page.reads("Your bottle is on the sea.").await;

    end_sessions(&program, "ada");
    page.reads("Your session has ended.").await;
    page.click("Log in again").await;
    give_credentials(&page, "en", "ada").await;
    page.click("My bottles").await;
    page.reads("Thrown in two sessions.").await;
    page.close(&["401"]).await;
}

/// Ends all sessions of an account with another client.
fn end_sessions(program: &Program, username: &str) {
    let mut elsewhere = program.client();
    elsewhere.log_in(username, "pass");
    assert_eq!(elsewhere.delete("/api/sessions").status, 200);
}

/// A click on the map fills in the place and the nearest city. A visitor's draft is thrown after the login. Then
/// the account logs out everywhere.
#[tokio::test]
async fn a_touched_place_is_thrown_at_after_a_login() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#7/52.5/13.4").await;
    page.reads("No bottles here").await;
    page.click("Throw a bottle").await;
    page.fill("Message", "Thrown by touch.").await;
    page.touch_map().await;
    let latitude: f64 = page.filled("Latitude").await.parse().unwrap();
    let longitude: f64 = page.filled("Longitude").await.parse().unwrap();
    assert!(
        (latitude - 52.5).abs() < 1.0 && (longitude - 13.4).abs() < 1.0,
        "{latitude} {longitude}"
    );
    assert!(!page.filled("Address").await.is_empty());
    page.click("Throw").await;
    give_credentials(&page, "en", "bob").await;
    page.reads("Your bottle is on the sea.").await;

    let mut elsewhere = program.client();
    elsewhere.log_in("bob", "pass");
    let thrown = elsewhere.get("/api/bottles/created").data()["bottles"][1].clone();
    assert_eq!(thrown["content"], "Thrown by touch.");
    page.click("Account: Bob").await;
    page.click("Log out everywhere").await;
    page.find("button", "Register").await;
    assert_eq!(elsewhere.get("/api/users/self").status, 401);
    page.close(&["401"]).await;
}

/// A draft survives a server that stops and starts again.
#[tokio::test]
async fn a_message_outlives_the_server() {
    let (folder, program) = start();
    let port = program.port;
    let page = Browser::open(port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.click("Throw a bottle").await;
    page.fill("Message", "Do not lose me.").await;
    page.fill("Latitude", "1").await;
    page.fill("Longitude", "2").await;
    drop(program);
    page.click("Throw").await;
    page.reads("The server cannot be reached.").await;
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_PORT", port.to_string());
    let _program = Program::start(command);
    page.reload().await;
    page.click("Throw a bottle").await;
    assert_eq!(page.value("Message").await, "Do not lose me.");
    page.close(&["net::ERR_"]).await;
}

/// The account dialog changes nickname and password, and deletes the account.
#[tokio::test]
async fn an_account_is_changed_and_deleted() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    register(&page, "en", "ada").await;
    page.click("Account: ada").await;
    page.fill("Nickname", "Countess").await;
    page.click("Save").await;
    page.reads("Saved.").await;
    page.click("Change password").await;
    page.fill("Current password", "guess").await;
    page.fill("New password", "newer").await;
    page.click("Set new password").await;
    page.reads("That is not your password.").await;
    page.fill("Current password", "pass").await;
    page.click("Set new password").await;
    page.reads("Your password has been changed.").await;
    page.check_accessible("the account").await;
    program.client().log_in("ada", "newer");

    page.click("Delete my account").await;
    page.reads("This cannot be undone.").await;
    page.fill("Password", "newer").await;
    page.click("Delete permanently").await;
    page.find("button", "Register").await;
    let gone = json!({ "username": "ada", "password": "newer" });
    assert_eq!(program.client().post("/api/sessions", &gone).status, 403);
    page.close(&["403"]).await;
}

/// The reader replaces a one-time password of `bottle user import`.
#[tokio::test]
async fn a_given_password_is_replaced_at_the_first_login() {
    let (folder, program) = start();
    std::fs::write(folder.path().join("class.csv"), "username\nada\n").unwrap();
    let made = bottle(folder.path(), &["user", "import", "--json", "class.csv"]).output().unwrap();
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let given = made[0]["one_time_password"].as_str().unwrap();

    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    page.click("Log in").await;
    page.fill("Username", "ada").await;
    page.fill("Password", given).await;
    page.click("Log in").await;
    page.reads("Choose your own.").await;
    // The reader can type at once, and nothing is loading behind the dialog.
    page.wait_for("return document.activeElement.autocomplete === 'new-password'").await;
    page.wait_for("return getComputedStyle(document.body, '::before').opacity === '0'").await;
    page.check_accessible("one's own password").await;
    page.fill("New password", "lovelace").await;
    page.click("Set password").await;
    page.reads("Hello, ada!").await;
    page.close(&[]).await;
    let old = json!({ "username": "ada", "password": given });
    assert_eq!(program.client().post("/api/sessions", &old).status, 403);
    program.client().log_in("ada", "lovelace");
}

/// A visitor's browser loads at most 12 files and 150 kB, compressed, before the first bottles are on the map.
#[tokio::test]
async fn the_first_view_is_light() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &["demo"]);
    command.env("TMPDIR", folder.path());
    let program = Program::start(command);
    let page = Browser::open(program.port, "en", DESKTOP, "#3/30/10").await;
    page.reads("bottles in view").await;
    let loaded = page.loaded_before("/api/bottles/counts").await;
    let bytes: u64 = loaded.iter().map(|(_, bytes)| bytes).sum();
    assert!(loaded.len() <= 12 && bytes <= 150_000, "{bytes} bytes: {loaded:#?}");
    page.close(&[]).await;
}

/// In the demo one click logs in, and the language can be switched.
#[tokio::test]
async fn the_demo_logs_in_with_one_click() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &["demo"]);
    command.env("TMPDIR", folder.path());
    let program = Program::start(command);
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    page.click("Log in as Ada").await;
    page.click("My bottles").await;
    page.reads("bottles").await;
    page.click("中文").await;
    page.find("button", "我的瓶子").await;
    page.reload().await;
    page.find("button", "我的瓶子").await;
    page.close(&[]).await;
}

/// The card of the demo offers two students and a teacher, who continues on the teacher page.
#[rstest]
#[tokio::test]
async fn the_demo_has_a_teacher(#[values("en", "zh")] language: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &["demo"]);
    command.env("TMPDIR", folder.path());
    let program = Program::start(command);
    let page = Browser::open(program.port, language, PHONE, "").await;
    let name = words(language, "Log in as Hedy (teacher)", "以 Hedy（老师）的身份登录");
    page.find("button", name).await;
    let buttons = page.run("return document.querySelectorAll('.welcome .row button').length").await;
    assert_eq!(buttons, 3);
    page.check_accessible("the welcome card").await;
    page.click(name).await;
    page.reads(words(language, "Everyone can throw bottles.", "所有人都可以扔瓶子。")).await;
    page.close(&[]).await;
}

#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn every_route_can_be_read_and_tried(#[case] language: &str, #[case] size: (u32, u32)) {
    let (_folder, program) = start();
    let page = Browser::open(program.port, language, size, "docs").await;
    let operation =
        format!("POST /api/users Register an account {}", words(language, "anyone", "任何人"));
    page.click(&operation).await;
    let account = r#"{"username": "ada", "password": "pass"}"#;
    page.fill(words(language, "Body", "请求体"), account).await;
    page.click(words(language, "Send", "发送")).await;
    page.reads("用户ada注册成功").await;
    page.check_accessible("the list of routes").await;
    page.close(&[]).await;
}

/// A bottle thrown in one browser appears in the others, and disappears when a teacher hides it.
#[rstest]
#[tokio::test]
async fn a_class_on_one_sea(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (folder, program) = start();
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    bob(&program);
    let ada = Browser::open(program.port, language, DESKTOP, "#9/23.09/113.36").await;
    register(&ada, language, "ada").await;
    ada.reads(w("1 bottle in view", "1 个")).await;
    let grace = Browser::open(program.port, language, DESKTOP, "#9/23.09/113.36").await;
    log_in(&grace, language, "grace").await;
    let sea = Browser::open(program.port, language, DESKTOP, "#9/23.09/113.36").await;
    log_in(&sea, language, "grace").await;
    sea.go("live").await;
    sea.reads(w("1 bottle", "1 个瓶子")).await;
    sea.check_accessible("the projector").await;

    grace.click(w("Throw a bottle", "扔漂流瓶")).await;
    grace.fill(w("Message", "留言"), "You are all wrong.").await;
    grace.fill(w("Latitude", "纬度"), "23.1").await;
    grace.fill(w("Longitude", "经度"), "113.3").await;
    grace.click(w("Throw", "扔出")).await;
    ada.reads(w("2 bottles in view", "2 个")).await;
    sea.reads(w("2 bottles", "2 个瓶子")).await;

    ada.go("#bottle/2").await;
    ada.click(w("Open", "打开")).await;
    ada.click(w("Report", "举报")).await;
    ada.fill(w("What is wrong with it?", "举报原因"), "It is unkind.").await;
    ada.click(w("Send report", "提交举报")).await;
    ada.reads(w("Thank you.", "谢谢")).await;
    ada.check_accessible("a report").await;

    grace.click(w("Account: grace", "账号：grace")).await;
    grace.click(w("Teacher page", "教师页面")).await;
    grace.reads("It is unkind.").await;
    grace.check_accessible("the teacher's page").await;
    grace.click(w("Hide", "隐藏")).await;
    grace.reads(w("Show again", "恢复显示")).await;
    ada.reads(w("1 bottle in view", "1 个")).await;
    sea.reads(w("1 bottle", "1 个瓶子")).await;

    grace.click(w("Show again", "恢复显示")).await;
    ada.reads(w("2 bottles in view", "2 个")).await;
    grace.click(w("Pause throwing", "暂停扔瓶子")).await;
    grace.reads(w("Throwing is paused for everyone.", "已暂停扔瓶子。")).await;
    for page in [ada, grace, sea] {
        page.close(&[]).await;
    }
}

/// A page whose event stream was rejected, because there were too many, opens one later.
#[tokio::test]
async fn a_rejected_event_stream_is_opened_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_BOTTLE", fast_settings_with("max_event_streams=1"));
    let program = Program::start(command);
    let bob = bob(&program);
    let around = "latitude=0&longitude=0&latitude_span=90&longitude_span=180";
    let taken = bob.stream(&format!("/api/bottles/live?{around}"), &[]);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.go("live").await;
    page.reads("1 bottle").await;
    drop(taken);
    bob.throw(23.0, 113.0);
    page.reads("2 bottles").await;
    page.close(&["503"]).await;
}

#[tokio::test]
async fn an_author_deletes_a_bottle() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", PHONE, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.click("Throw a bottle").await;
    page.fill("Message", "Forget this.").await;
    page.fill("Latitude", "23.09").await;
    page.fill("Longitude", "113.36").await;
    page.click("Throw").await;
    page.reads("1 bottle in view").await;
    page.click("My bottles").await;
    page.click("Forget this.").await;
    page.click("Delete this bottle").await;
    page.check_accessible("a question").await;
    page.click("Delete").await;
    page.reads("No bottles here").await;
    page.close(&[]).await;
}

/// A phone gives its position over HTTPS with a self-signed certificate; over plain HTTP the page does not ask.
#[tokio::test]
async fn a_phone_may_give_its_position() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &["serve", "--tls", "auto"]));
    let engine = Engine::chosen();
    // WebKit has no way to map a name to this machine.
    let name = if engine == Engine::WebKit { "127.0.0.1" } else { lan::NAME };
    let origin = format!("https://{name}:{}/", program.port);
    let phone = Browser::open_at(origin, "en", PHONE, "").await;
    register(&phone, "en", "ada").await;
    phone.is_at(52.52, 13.405).await;
    phone.click("Throw a bottle").await;
    phone.click("My position").await;
    assert_eq!(phone.filled("Latitude").await, "52.52");
    assert_eq!(phone.filled("Longitude").await, "13.405");
    phone.close(&[]).await;

    if is_excepted() {
        return;
    }
    let (_folder, program) = start();
    let origin = format!("http://{}:{}/", lan::NAME, program.port);
    let phone = Browser::open_at(origin, "en", PHONE, "").await;
    phone.click("Throw a bottle").await;
    phone.reads("only available over HTTPS").await;
    assert!(!phone.text().await.contains("My position"));
    // Over plain HTTP a browser ignores some headers and logs that.
    phone.close(&["Cross-Origin-Opener-Policy"]).await;
}

/// The way into a class on its own page, and on the projector, where it leaves the button free that logs in.
#[rstest]
#[case("en", DESKTOP)]
#[case("zh", PHONE)]
#[tokio::test]
async fn the_way_in_is_large(#[case] language: &str, #[case] size: (u32, u32)) {
    const LOGIN_IS_FREE: &str = "
        const button = document.querySelector('#problem button');
        if (!button || document.querySelector('#join').hidden) return null;
        const { x, y, width, height } = button.getBoundingClientRect();
        return document.elementFromPoint(x + width / 2, y + height / 2) === button";
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &["serve", "--lan"]));
    let page = Browser::open(program.port, language, size, "join").await;
    page.reads(words(language, "Type this address", "输入这个地址")).await;
    page.check_accessible("the way in").await;
    page.go("live").await;
    page.wait_for(LOGIN_IS_FREE).await;
    page.close(&[]).await;
}

#[rstest]
#[tokio::test]
async fn the_tree_is_seen_from_inside(#[values("en", "zh")] language: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &["demo"]);
    command.env("TMPDIR", folder.path());
    let program = Program::start(command);
    let page = Browser::open(program.port, language, DESKTOP, "xray").await;
    page.reads(words(language, "inside the R*-tree", "R*树的内部")).await;
    page.reads(words(language, "Leaves: ", "叶子：")).await;
    page.click(words(language, "Search", "查找")).await;
    page.reads("SELECT place FROM bottles_rtree").await;
    page.check_accessible("the tree").await;
    page.close(&[]).await;
}
