//! Panels and lists: their look, their history, the focus.

use bottle_test_support::Client;
use rstest::rstest;
use serde_json::json;

use super::{DESKTOP, PHONE, bob, register, start, words};
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
    assert_eq!(
        page.run("return document.querySelectorAll('#panel [aria-expanded]').length").await,
        0
    );
    page.close(&[]).await;
}

const HEADING: &str = "return document.querySelector('#panel:not([hidden]) h2')?.textContent ?? ''";

/// "Back" leads from a bottle to its list, at the same scroll position, and then to the map.
#[tokio::test]
async fn back_closes_the_panel() {
    let (_folder, program) = start();
    let bob = bob(&program);
    for n in 0..30 {
        throw(&bob, &format!("Message {n}."), &format!("Pier {n}"));
    }
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.click("31 bottles in view").await;
    page.reads("Pier 29").await;
    page.run("document.querySelector('.panel-body').scrollTop = 700").await;
    page.run("const item = document.querySelectorAll('.excerpt')[12]; item.focus(); item.click()")
        .await;
    page.reads("There is a message inside.").await;
    page.run("history.back()").await;
    page.reads("Pier 29").await;
    assert_eq!(page.run("return document.querySelector('.panel-body').scrollTop").await, 700);
    assert_eq!(page.run(HEADING).await, "In view");
    let item = "return [...document.querySelectorAll('.excerpt')].indexOf(document.activeElement)";
    assert_eq!(page.run(item).await, 12);

    page.run("history.back()").await;
    page.wait_for("return document.querySelector('#panel').hidden").await;
    assert_eq!(page.run("return location.pathname").await, "/");
    page.run("history.forward()").await;
    page.reads("Pier 29").await;
    page.click("Close").await;
    page.wait_for("return history.state.depth === 0").await;
    assert_eq!(page.run(HEADING).await, "");
    page.close(&[]).await;
}

/// A bottle that arrives while the list is open does not move the focus.
#[tokio::test]
async fn an_arriving_bottle_leaves_the_focus_in_the_list() {
    let (_folder, program) = start();
    let bob = bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.click("1 bottle in view").await;
    page.wait_for("return document.querySelectorAll('.excerpt').length === 1").await;
    page.run("document.querySelector('.excerpt').focus()").await;
    throw(&bob, "Just now.", "Pier");
    page.wait_for("return document.querySelectorAll('.excerpt').length === 2").await;
    let focused = page.run("return document.activeElement.textContent").await;
    assert_eq!(focused, "Yellow bottle");
    page.close(&[]).await;
}

/// The link of an own or an opened bottle shows its message; that of another bottle its colour, once it is in view.
#[tokio::test]
async fn a_link_shows_the_state_of_the_bottle() {
    let (_folder, program) = start();
    let bob = bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    let mut ada = program.client();
    ada.log_in("ada", "pass");
    throw(&ada, "My own words.", "Pier");
    throw(&bob, "Still closed.", "Pier");
    ada.send("POST", "/api/bottles/1/open", &[], None);
    for (path, text) in [
        ("#bottle/1", "A message from Bob."),
        ("#bottle/2", "My own words."),
        ("#bottle/3", "Green bottle"),
    ] {
        page.go(&format!("?{}", &path[1..])).await;
        page.reads("in view").await;
        page.follow(path).await;
        page.reads(text).await;
    }
    page.close(&[]).await;
}

/// The welcome card can be closed, and the bar fits, on small screens and at 200 % zoom.
#[rstest]
#[case::smallest_phone("en", (320, 640))]
#[case::smallest_phone_in_chinese("zh", (320, 640))]
#[case::phone("en", (360, 640))]
#[case::phone_sideways("en", (740, 360))]
#[case::desktop_at_200_percent("en", (640, 400))]
#[tokio::test]
async fn the_first_view_fits(#[case] language: &str, #[case] size: (u32, u32)) {
    const FITS: &str = "return [...document.querySelectorAll('.actions button:not([hidden])')]
        .every((node) => node.getBoundingClientRect().left >= 0
            && node.getBoundingClientRect().right <= document.documentElement.clientWidth)";
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start();
    let page = Browser::open(program.port, language, size, "").await;
    page.find("button", w("Create an account", "注册并开始")).await;
    assert_eq!(page.run(FITS).await, true);
    // WebDriver clicks only a button that nothing covers.
    page.click(w("Close the welcome message", "关闭欢迎信息")).await;
    page.wait_for("return !document.querySelector('.welcome')").await;
    register(&page, language, "penelope").await;
    assert_eq!(page.run(FITS).await, true);
    assert_eq!(page.run("return document.activeElement.id").await, "account");
    page.close(&[]).await;
}

/// Texts of people have their own direction, and names do not reorder the text around them.
#[tokio::test]
async fn a_message_from_right_to_left() {
    let (_folder, program) = start();
    throw(&bob(&program), "שלום מהים", "نهر النيل");
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.follow("#bottle/2").await;
    page.click("Open").await;
    page.reads("שלום מהים").await;
    let direction = "return getComputedStyle(document.querySelector('.letter-text')).direction";
    assert_eq!(page.run(direction).await, "rtl");
    page.click("Opened").await;
    page.wait_for("return document.querySelectorAll('.excerpt').length === 1").await;
    let direction = "return getComputedStyle(document.querySelector('.excerpt')).direction";
    assert_eq!(page.run(direction).await, "rtl");
    let isolated =
        "return [...document.querySelectorAll('.bottles bdi')].map((node) => node.textContent)";
    assert_eq!(page.run(isolated).await, json!(["Bob", "نهر النيل"]));
    page.close(&[]).await;
}

/// Another link closes the panel and shows what it names. "Back" leads to the bottle, the form and the map.
#[rstest]
#[case::place("#5/10/20", "#5/10.0000/20.0000", None)]
#[case::far_east("#5/10/380", "#5/10.0000/20.0000", None)]
#[case::no_number("#bottle/abc", "#9/23.0900/113.3600", Some("This link leads nowhere."))]
#[case::no_zoom("#abc/10/20", "#9/23.0900/113.3600", Some("This link leads nowhere."))]
#[tokio::test]
async fn another_link_closes_the_panel(
    #[case] link: &str,
    #[case] view: &str,
    #[case] message: Option<&str>,
) {
    const IS_CLOSED: &str = "return document.querySelector('#panel').hidden";
    let has_view = format!("return location.hash === '{view}'");
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    page.wait_for("return document.querySelector('.welcome') && true").await;
    page.click("Throw a bottle").await;
    // The form is loaded first; it would cover the bottle if it came later.
    page.find("field", "Message").await;
    page.follow("#bottle/1").await;
    page.reads("Bottle 1").await;
    page.follow(link).await;
    page.wait_for(IS_CLOSED).await;
    page.wait_for(&has_view).await;
    if let Some(message) = message {
        page.reads(message).await;
    }
    page.run("history.back()").await;
    page.reads("Bottle 1").await;
    page.run("history.go(-2)").await;
    page.wait_for(IS_CLOSED).await;
    page.wait_for(&has_view).await;
    page.close(&[]).await;
}

/// The page does not know the language of what people write, and does not pass it off as its own.
#[rstest]
#[case::arabic("مرحبا بالعالم", "القاهرة", "rtl", "zh")]
#[case::chinese("你好，世界。", "广州", "ltr", "en")]
#[tokio::test]
async fn a_text_of_people_has_its_own_language(
    #[case] content: &str,
    #[case] address: &str,
    #[case] direction: &str,
    #[case] language: &str,
) {
    let (_folder, program) = start();
    throw(&bob(&program), content, address);
    let page = Browser::open(program.port, language, DESKTOP, "").await;
    register(&page, language, "ada").await;
    let languages = async |texts: &str| {
        page.run(&format!(
            "return [...document.querySelectorAll('{texts}')]
                .map((node) => [node.closest('[lang]').lang, getComputedStyle(node).direction])"
        ))
        .await
    };
    page.follow("#bottle/2").await;
    page.click(words(language, "Open", "打开")).await;
    page.reads(content).await;
    assert_eq!(languages(".letter-text").await, json!([["", direction]]));
    assert_eq!(languages(".facts bdi").await, json!([["", direction]]));
    assert_eq!(languages(".owner bdi, #account-name").await, json!([["", "ltr"], ["", "ltr"]]));
    page.click(words(language, "Opened", "打开过的")).await;
    page.find("button", content).await;
    assert_eq!(languages(".excerpt").await, json!([["", direction]]));
    let own = words(language, "en", "zh-Hans");
    assert_eq!(languages("#panel-title").await, json!([[own, "ltr"]]));
    page.click(words(language, "Throw a bottle", "扔漂流瓶")).await;
    page.find("field", words(language, "Message", "留言")).await;
    assert_eq!(languages("textarea").await[0][0], "");
    page.check_accessible("a text of people").await;
    page.close(&[]).await;
}
