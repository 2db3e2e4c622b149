//! Drafts: the account that a draft belongs to, and the address that follows its place.

use bottle_test_support::Program;
use rstest::rstest;
use serde_json::json;

use super::{DESKTOP, bob, end_sessions, give_credentials, log_in, register, start};
use crate::driver::Browser;

/// Registers two more accounts.
fn mateo_and_noor(program: &Program) {
    for username in ["mateo", "noor"] {
        let account = json!({ "username": username, "password": "pass" });
        assert_eq!(program.client().post("/api/users", &account).status, 200);
    }
}

/// Writes a message in the form and closes it.
async fn write(page: &Browser, message: &str) {
    page.click("Throw a bottle").await;
    page.fill("Message", message).await;
    page.click("Close").await;
}

/// Opens the form, and returns its message.
async fn restored(page: &Browser) -> String {
    page.click("Throw a bottle").await;
    let message = page.value("Message").await;
    page.click("Close").await;
    message
}

async fn log_out(page: &Browser, username: &str) {
    page.click(&format!("Account: {username}")).await;
    page.click("Log out").await;
    page.find("button", "Register").await;
}

/// Neither another account nor a visitor sees the draft of an account, which finds it again after a logout.
#[tokio::test]
async fn a_draft_belongs_to_its_account() {
    const STORED: &str = "return Object.keys(localStorage).filter((key) =>
        localStorage.getItem(key).includes('Mateo'))";
    let (_folder, program) = start();
    mateo_and_noor(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    log_in(&page, "en", "mateo").await;
    write(&page, "Only for Mateo.").await;
    log_out(&page, "mateo").await;
    assert_eq!(restored(&page).await, "", "a visitor");
    log_in(&page, "en", "noor").await;
    assert_eq!(restored(&page).await, "", "another account");
    write(&page, "Only for Noor.").await;
    log_out(&page, "noor").await;

    log_in(&page, "en", "mateo").await;
    assert_eq!(restored(&page).await, "Only for Mateo.");
    page.reload().await;
    assert_eq!(restored(&page).await, "Only for Mateo.", "after a reload");
    page.click("Account: mateo").await;
    page.click("Delete my account").await;
    page.fill("Password", "pass").await;
    page.click("Delete permanently").await;
    page.reads("Your account has been deleted.").await;
    assert_eq!(page.run(STORED).await, json!([]));
    log_in(&page, "en", "noor").await;
    assert_eq!(restored(&page).await, "Only for Noor.");
    page.close(&[]).await;
}

/// The draft of a visitor stays in the tab until an account takes it over.
#[tokio::test]
async fn a_visitors_draft_passes_to_the_account_that_logs_in() {
    let (_folder, program) = start();
    mateo_and_noor(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    page.wait_for("return document.querySelector('.welcome') && true").await;
    write(&page, "Before the login.").await;
    page.reload().await;
    assert_eq!(restored(&page).await, "Before the login.");
    log_in(&page, "en", "mateo").await;
    assert_eq!(restored(&page).await, "Before the login.");
    log_out(&page, "mateo").await;
    assert_eq!(restored(&page).await, "");
    log_in(&page, "en", "noor").await;
    assert_eq!(restored(&page).await, "");
    page.close(&[]).await;
}

/// After the session of an account has ended, another account that logs in neither sees nor throws its message.
#[tokio::test]
async fn another_login_does_not_go_on_with_the_message() {
    let (_folder, program) = start();
    let bob = bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.click("Throw a bottle").await;
    page.fill("Message", "Written by Ada.").await;
    page.fill("Latitude", "23.1").await;
    page.fill("Longitude", "113.3").await;
    end_sessions(&program, "ada");
    page.click("Throw").await;
    give_credentials(&page, "en", "bob").await;
    page.reads("Nothing was sent.").await;
    page.find("button", "Account: Bob").await;
    assert_eq!(page.run("return document.querySelector('#panel').hidden").await, true);
    assert_eq!(bob.get("/api/bottles/created").data()["bottles"].as_array().unwrap().len(), 1);
    assert_eq!(restored(&page).await, "");
    page.close(&["401"]).await;
}

/// After a logout no way forward leads to what the account had seen.
#[tokio::test]
async fn a_logout_ends_the_way_forward() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    log_in(&page, "en", "bob").await;
    page.click("My bottles").await;
    page.reads("A message from Bob.").await;
    page.run("history.back()").await;
    page.wait_for("return document.querySelector('#panel').hidden").await;
    log_out(&page, "Bob").await;
    page.run("history.forward()").await;
    page.wait_for("return history.state.depth === 1").await;
    assert!(!page.text().await.contains("A message from Bob."));
    page.close(&[]).await;
}

/// Closes the form, and waits until the address bar names the map.
async fn close(page: &Browser) {
    page.click("Close").await;
    page.wait_for("return history.state.depth === 0").await;
}

/// Returns once the address in the form has this text.
async fn has_address(page: &Browser, address: &str) {
    let script = "document.querySelector('[name=formatted_address]')?.value";
    page.wait_for(&format!("return {script}?.includes('{address}')")).await;
}

/// An address that the page has found follows the place, also from a restored draft. One that the reader has written
/// stays.
#[rstest]
#[case::visitor(None)]
#[case::account(Some("mateo"))]
#[tokio::test]
async fn a_found_address_follows_the_place(#[case] username: Option<&str>) {
    let (_folder, program) = start();
    mateo_and_noor(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#6/48/2").await;
    if let Some(username) = username {
        log_in(&page, "en", username).await;
    }
    page.click("Throw a bottle").await;
    page.fill("Message", "Where am I?").await;
    page.click("Centre of the map").await;
    has_address(&page, "Orléans").await;
    close(&page).await;
    page.follow("#6/-33/151").await;
    page.click("Throw a bottle").await;
    assert_eq!(page.value("Message").await, "Where am I?");
    page.click("Centre of the map").await;
    has_address(&page, "Central Coast").await;

    page.fill("Address", "My pier").await;
    close(&page).await;
    page.follow("#6/48/2").await;
    page.click("Throw a bottle").await;
    page.click("Centre of the map").await;
    page.wait_for("return document.querySelector('[name=latitude]').value === '48'").await;
    assert_eq!(page.value("Address").await, "My pier");
    page.close(&[]).await;
}
