//! The panel of a bottle: links to it, its openers, and the focus.

use bottle_test_support::Program;
use serde_json::json;

use super::{DESKTOP, bob, log_in, start};
use crate::driver::Browser;

/// A link to the bottle that is shown shows it again.
#[tokio::test]
async fn the_same_link_shows_the_bottle_again() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    page.wait_for("return document.querySelector('.welcome') && true").await;
    page.follow("#bottle/1").await;
    page.reads("Bottle 1").await;
    page.go("#bottle/1").await;
    page.find("button", "Open").await;
    assert_eq!(page.run("return document.querySelector('#panel').hidden").await, json!(false));
    page.close(&[]).await;
}

/// The number of openers changes while its owner looks at it, and so do their names.
#[tokio::test]
async fn an_owner_sees_who_opens_a_bottle_now() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    log_in(&page, "en", "bob").await;
    page.click("My bottles").await;
    page.reads("Not opened yet").await;
    open(&program, "eve");
    page.click("Opened by 1 person").await;
    page.reads("eve").await;

    open(&program, "ada");
    page.reads("Opened by 2 people").await;
    page.reads("ada").await;
    page.close(&[]).await;
}

/// Opens Bob's bottle as a new account.
fn open(program: &Program, username: &str) {
    let mut opener = program.client();
    opener.post("/api/users", &json!({ "username": username, "password": "pass" }));
    opener.log_in(username, "pass");
    assert_eq!(opener.send("POST", "/api/bottles/1/open", &[], None).status, 200);
}

/// The focus stays on the button of an action that failed.
#[tokio::test]
async fn a_failed_action_keeps_the_focus() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    log_in(&page, "en", "bob").await;
    page.follow("#bottle/10000").await;
    page.find("button", "Open").await;
    drop(program);
    page.click("Open").await;
    page.reads("The server cannot be reached. Try again.").await;
    page.wait_for("return document.activeElement.textContent === 'Open'").await;
    page.close(&["ERR_", "INCOMPLETE_CHUNKED"]).await;
}

/// A bottle that is not on the sea has no button to open it, once that is known.
#[tokio::test]
async fn a_missing_bottle_cannot_be_opened_again() {
    const OPEN: &str = "return [...document.querySelectorAll('#panel button')]
        .filter((node) => node.textContent === 'Open').length";
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    log_in(&page, "en", "bob").await;
    page.follow("#bottle/10000").await;
    page.click("Open").await;
    page.reads("This bottle is no longer on the sea.").await;
    page.wait_for("return document.activeElement.id === 'panel-title'").await;
    assert_eq!(page.run(OPEN).await, 0);
    page.check_accessible("a missing bottle").await;
    page.close(&["404"]).await;
}
