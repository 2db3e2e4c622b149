//! Several tabs of one browser, which share a session.

use bottle_test_support::{Client, Program, run_ok_with_input};
use rstest::rstest;
use serde_json::json;

use super::{DESKTOP, bob, log_in, start};
use crate::driver::Browser;

/// Registers a second account.
fn eve(program: &Program) -> Client {
    let mut eve = program.client();
    eve.post("/api/users", &json!({ "username": "eve", "password": "pass", "nickname": "Eve" }));
    eve.log_in("eve", "pass");
    eve
}

/// Logs in as Eve with a request of its own, which stores no account.
const LOG_IN_AS_EVE: &str = "
    return fetch('api/sessions', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ username: 'eve', password: 'pass' }),
    }).then((response) => response.status);";

/// A login in one tab changes the account in the other. The lists of the first account close.
#[tokio::test]
async fn tabs_show_the_same_account() {
    let (_folder, program) = start();
    bob(&program);
    eve(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    log_in(&page, "en", "bob").await;
    page.click("My bottles").await;
    page.reads("A message from Bob.").await;

    page.open_tab().await;
    page.click("Account: Bob").await;
    page.click("Log out").await;
    log_in(&page, "en", "eve").await;

    page.switch_tab().await;
    page.find("button", "Account: Eve").await;
    assert!(!page.text().await.contains("A message from Bob."));
    page.close(&[]).await;
}

/// The page does not write in the name of an account that it does not show, and closes the form of the one it did.
#[tokio::test]
async fn nothing_is_thrown_as_another_account() {
    let (_folder, program) = start();
    bob(&program);
    let eve = eve(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    log_in(&page, "en", "bob").await;
    page.click("Throw a bottle").await;
    page.fill("Message", "Thrown as Bob.").await;
    page.fill("Latitude", "23.1").await;
    page.fill("Longitude", "113.3").await;
    assert_eq!(page.run(LOG_IN_AS_EVE).await, 200);
    page.click("Throw").await;
    page.reads("Nothing was sent.").await;
    page.find("button", "Account: Eve").await;
    let created = eve.get("/api/bottles/created");
    assert_eq!(created.data()["bottles"], json!([]));
    page.click("Throw a bottle").await;
    assert_eq!(page.value("Message").await, "");
    page.fill("Message", "Thrown as Eve.").await;
    page.fill("Latitude", "23.1").await;
    page.fill("Longitude", "113.3").await;
    page.click("Throw").await;
    page.reads("Your bottle is on the sea.").await;
    let created = eve.get("/api/bottles/created");
    assert_eq!(created.data()["bottles"][0]["content"], "Thrown as Eve.");
    page.close(&[]).await;
}

/// The projector and the view of the index follow a logout and a login in another tab.
#[rstest]
#[case::projector("live", "1 bottle", "Log in to see the bottles.")]
#[case::index("xray", "Leaves: 1", "Log in as a teacher to see this page.")]
#[tokio::test]
async fn other_pages_follow_the_session(
    #[case] path: &str,
    #[case] shown: &str,
    #[case] message: &str,
) {
    let (folder, program) = start();
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    log_in(&page, "en", "grace").await;
    page.go(path).await;
    page.reads(shown).await;

    page.open_tab().await;
    page.click("Account: grace").await;
    page.click("Log out").await;
    page.find("button", "Register").await;
    page.switch_tab().await;
    page.reads(message).await;
    assert!(!page.text().await.contains(shown));

    page.switch_tab().await;
    log_in(&page, "en", "grace").await;
    page.switch_tab().await;
    page.reads(shown).await;
    page.reads_no_more(message).await;
    page.close(&["401"]).await;
}
