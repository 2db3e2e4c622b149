//! Panels and lists: their look, their history, the focus.

use bottle_test_support::Client;
use serde_json::json;

use super::{DESKTOP, PHONE, bob, register, start};
use crate::driver::Browser;

/// The rules of the paper repeat with the line height of the text and start at its first line.
#[tokio::test]
async fn the_rules_of_a_letter_are_below_its_lines() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.follow("#bottle/1").await;
    page.click("Open").await;
    page.reads("A message from Bob.").await;
    let aligned = page
        .run(
            "const style = getComputedStyle(document.querySelector('.letter-text'));
             return style.backgroundSize === `100% ${style.lineHeight}` && style.paddingTop === '0px'",
        )
        .await;
    assert_eq!(aligned, true);
    page.close(&[]).await;
}

/// Throws a bottle with this message and address.
fn throw(client: &Client, content: &str, address: &str) {
    let location = json!({ "formatted_address": address, "latitude": 23.1, "longitude": 113.3 });
    let body = json!({ "content": content, "style": 1, "location": location });
    assert_eq!(client.post("/api/bottles", &body).status, 200);
}

/// A word that is longer than a line wraps, in the list of bottles, in a closed and in an opened one.
#[tokio::test]
async fn a_long_word_wraps() {
    const FITS: &str = "const body = document.querySelector('.panel-body');
        return body.scrollWidth <= body.clientWidth";
    let (_folder, program) = start();
    let word = "x".repeat(200);
    throw(&bob(&program), &word, &word);
    let page = Browser::open(program.port, "en", PHONE, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.click("2 bottles in view").await;
    page.reads(&word).await;
    assert_eq!(page.run(FITS).await, true);
    page.click("Green bottle").await;
    page.find("button", "Open").await;
    assert_eq!(page.run(FITS).await, true);
    page.click("Open").await;
    page.reads("A message from Bob").await;
    assert_eq!(page.run(FITS).await, true);
    page.close(&[]).await;
}

/// Without the server no list claims to be empty.
#[tokio::test]
async fn a_list_shows_that_the_server_is_away() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.click("Opened").await;
    page.reads("You have not opened any bottles yet.").await;
    page.click("My bottles").await;
    page.reads("You have not thrown any bottles yet.").await;
    page.click("Close").await;
    drop(program);
    page.reads("The server cannot be reached.").await;
    for (button, empty) in [
        ("Opened", "You have not opened any bottles yet."),
        ("My bottles", "You have not thrown any bottles yet."),
        ("No bottles here", "Go to the nearest bottles"),
    ] {
        page.click(button).await;
        page.reads("The server cannot be reached. Try again.").await;
        assert!(!page.text().await.contains(empty), "{button}");
        page.click("Close").await;
    }
    page.close(&["ERR_", "INCOMPLETE_CHUNKED"]).await;
}

/// A bottle without openers has no control that would unfold nothing.
#[tokio::test]
async fn no_openers_need_no_button() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    let mut ada = program.client();
    ada.log_in("ada", "pass");
    throw(&ada, "Not opened.", "");
    page.click("My bottles").await;
    page.reads("Not opened yet").await;
    assert_eq!(page.run("return document.querySelectorAll('[aria-expanded]').length").await, 0);
    page.close(&[]).await;
}
