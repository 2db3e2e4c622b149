//! Responses that arrive after the reader has gone on: they count, but what the reader looks at stays.

use rstest::rstest;
use serde_json::json;

use super::{DESKTOP, bob, log_in, register, start};
use crate::driver::Browser;

const IS_HIDDEN: &str = "return document.querySelector('#panel').hidden";
const HEADING: &str = "return document.querySelector('#panel:not([hidden]) h2')?.textContent ?? ''";

/// Holds the next response whose address ends with a text until `window.release` is called.
fn hold(end: &str) -> String {
    format!(
        // In a block: a constant of the document would hide the function that it replaces.
        "{{
         // In Firefox the global object of a test's script is another one, on which `fetch` fails.
         const fetch = window.fetch.bind(window);
         window.fetch = async (url, options) => {{
             const response = await fetch(url, options);
             if (!window.release && new URL(url, document.baseURI).pathname.endsWith('{end}')) {{
                 await new Promise((resolve) => {{ window.release = resolve; }});
             }}
             return response;
         }};
         }}"
    )
}

/// Releases the response, and returns thirty frames later, or after five seconds on a slow screen.
async fn release(page: &Browser) {
    let script = "window.release();
        const begun = performance.now();
        let frames = 0;
        const step = () => {
            frames += 1;
            if (frames < 30 && performance.now() - begun < 5000) window.requestAnimationFrame(step);
            else done(frames);
        };
        step();";
    page.run_async(script).await;
}

const IS_HELD: &str = "return window.release && true";

/// The ways of a reader who does not wait for a bottle.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leave {
    Back,
    Close,
    Escape,
    List,
}

/// A bottle whose panel was closed, or covered, before it was opened does not appear.
#[rstest]
#[tokio::test]
async fn an_opened_bottle_does_not_come_back(
    #[values(Leave::Back, Leave::Close, Leave::Escape, Leave::List)] leave: Leave,
) {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.follow("#bottle/1").await;
    page.find("button", "Open").await;
    page.run(&hold("/open")).await;
    page.click("Open").await;
    page.wait_for(IS_HELD).await;
    match leave {
        Leave::Back => page.run("history.back()").await,
        Leave::Escape => {
            page.run("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))")
                .await
        }
        Leave::Close | Leave::List => {
            page.click("Close").await;
            serde_json::Value::Null
        }
    };
    page.wait_for(IS_HIDDEN).await;
    if leave == Leave::List {
        page.click("My bottles").await;
        page.reads("You have not thrown any bottles yet.").await;
    }
    release(&page).await;
    let heading = if leave == Leave::List { "My bottles" } else { "" };
    assert_eq!(page.run(HEADING).await, heading, "{leave:?}");
    let hash = page.run("return location.hash").await;
    assert!(hash.as_str().is_some_and(|hash| hash.starts_with("#9/")), "{leave:?}: {hash}");
    page.click("Opened").await;
    page.reads("A message from Bob.").await;
    page.close(&[]).await;
}

/// A throw that takes its time does not close the list that was opened meanwhile.
#[tokio::test]
async fn a_late_throw_closes_no_other_panel() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.click("Throw a bottle").await;
    page.fill("Message", "On its way.").await;
    page.fill("Latitude", "23.1").await;
    page.fill("Longitude", "113.3").await;
    page.run(&hold("/bottles")).await;
    page.click("Throw").await;
    page.wait_for(IS_HELD).await;
    page.click("Opened").await;
    page.reads("You have not opened any bottles yet.").await;
    // Thirty frames of a slow screen take longer than the toast.
    page.run("window.release()").await;
    page.reads("Your bottle is on the sea.").await;
    assert_eq!(page.run(HEADING).await, "Opened");
    page.run("history.back()").await;
    assert_eq!(page.value("Message").await, "");
    page.close(&[]).await;
}

/// The bottle of a link does not cover a form that was opened while its list was loading.
#[tokio::test]
async fn a_late_link_covers_no_form() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.run(&hold("/created")).await;
    page.follow("#bottle/1").await;
    page.wait_for(IS_HELD).await;
    page.click("Throw a bottle").await;
    page.find("field", "Message").await;
    release(&page).await;
    assert_eq!(page.run(HEADING).await, "Throw a bottle");
    page.close(&[]).await;
}

/// The list of visible bottles waits for the names of the cities in its place, and covers nothing later.
#[tokio::test]
async fn the_list_in_view_waits_in_its_place() {
    let (_folder, program) = start();
    bob(&program);
    let mut page = Browser::open(program.port, "en", DESKTOP, "").await;
    log_in(&page, "en", "bob").await;
    page.run_in_new_documents(&hold("/cities.json")).await;
    page.go("?cities#9/23.09/113.36").await;
    page.wait_for(IS_HELD).await;
    page.click("1 bottle in view").await;
    page.wait_for("return document.querySelector('#panel .skeleton') && true").await;
    page.click("Throw a bottle").await;
    page.find("field", "Message").await;
    release(&page).await;
    assert_eq!(page.run(HEADING).await, "Throw a bottle");
    page.run("history.back()").await;
    page.find("button", "Yellow bottle (yours)").await;
    page.close(&[]).await;
}

/// A list of an account that arrives after its logout is not the next account's.
#[tokio::test]
async fn a_late_list_is_not_another_accounts() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    log_in(&page, "en", "bob").await;
    page.run(&hold("/created")).await;
    page.follow("#bottle/1").await;
    page.wait_for(IS_HELD).await;
    page.click("Account: Bob").await;
    page.click("Log out").await;
    register(&page, "en", "ada").await;
    release(&page).await;
    assert_eq!(page.run(HEADING).await, "");
    page.follow("#9/23.09/113.36").await;
    page.follow("#bottle/1").await;
    page.find("button", "Open").await;
    assert!(!page.text().await.contains("A message from Bob."));
    page.close(&[]).await;
}

/// The answer to a throw is lost: the same bottle, thrown again, is on the sea once.
#[tokio::test]
async fn a_throw_without_an_answer_is_thrown_once() {
    let (_folder, program) = start();
    let mut adas = program.client();
    adas.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    adas.log_in("ada", "pass");
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    log_in(&page, "en", "ada").await;
    page.click("Throw a bottle").await;
    page.fill("Message", "Once.").await;
    page.fill("Latitude", "1").await;
    page.fill("Longitude", "2").await;
    page.run(
        "const real = window.fetch.bind(window); let isLost = false;
        window.fetch = async (url, options) => {
          const response = await real(url, options);
          if (isLost || options?.method !== 'POST') return response;
          isLost = true;
          throw new TypeError('lost');
        };",
    )
    .await;
    page.click("Throw").await;
    page.reads("The server cannot be reached.").await;
    page.reads_no_more("The server cannot be reached.").await;
    page.click("Throw").await;
    page.reads("Your bottle is on the sea").await;
    let thrown = adas.get("/api/bottles/created").data()["bottles"].clone();
    assert_eq!(thrown.as_array().unwrap().len(), 1);
    page.close(&[]).await;
}

/// What is written while a reply is on its way stays in the field.
#[tokio::test]
async fn a_reply_leaves_what_is_written_after_it() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.follow("#bottle/1").await;
    page.click("Open").await;
    page.fill("Reply", "First.").await;
    page.run(&hold("/replies")).await;
    page.click("Send").await;
    page.wait_for(IS_HELD).await;
    page.run(
        "const field = document.activeElement.closest('form').elements.content;
         field.value += ' Second.';
         field.dispatchEvent(new Event('input', { bubbles: true }));",
    )
    .await;
    release(&page).await;
    page.reads("First.").await;
    assert_eq!(page.value("Reply").await, "Second.");
    page.reload().await;
    page.find("field", "Reply").await;
    assert_eq!(page.value("Reply").await, "Second.");
    page.close(&[]).await;
}

/// Visible bottles that were requested before a throw, and arrive after its event, do not hide its bottle.
#[tokio::test]
async fn late_bottles_hide_no_thrown_one() {
    let (_folder, program) = start();
    let bob = bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.reads("1 bottle in view").await;
    // The page has an event stream once a bottle appears without a request of the reader.
    bob.throw(23.1, 113.3);
    page.reads("2 bottles in view").await;
    page.run(&hold("/nearby")).await;
    page.follow("#9/23.08/113.36").await;
    page.wait_for(IS_HELD).await;
    bob.throw(23.0, 113.2);
    page.reads("3 bottles in view").await;
    release(&page).await;
    page.reads("3 bottles in view").await;
    page.close(&[]).await;
}
