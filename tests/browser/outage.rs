//! A server that goes away and comes back, while nobody touches the page.

use bottle_test_support::{Program, bottle, run_ok_with_input};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use super::{DESKTOP, PHONE, bob, log_in, register, start};
use crate::driver::Browser;

/// What a browser logs about requests to a server that is gone.
const EXPECTED: &[&str] = &["net::ERR_"];

/// Returns true once the page has loaded the last panel that it loads in advance. Others it would load when needed.
const HAS_PANELS: &str = "return performance.getEntriesByType('resource')
    .some(({ name, responseEnd }) => responseEnd > 0 && name.endsWith('/panels/catch.js'))";

/// Starts the program again at the same port.
fn restart(folder: &TempDir, port: u16) -> Program {
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_PORT", port.to_string());
    Program::start(command)
}

#[rstest]
#[case::map("#9/23.09/113.36", "2 bottles in view")]
#[case::projector("live", "2 bottles")]
#[tokio::test]
async fn a_broken_event_stream_is_noticed(#[case] path: &str, #[case] count: &str) {
    let (folder, program) = start();
    let port = program.port;
    let bob = bob(&program);
    let page = Browser::open(port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.go(path).await;
    page.reads("1 bottle").await;
    // The page has a stream once a bottle appears without a request of the reader.
    bob.throw(23.1, 113.3);
    page.reads(count).await;
    drop(program);
    page.reads("The server cannot be reached.").await;
    let _program = restart(&folder, port);
    page.reads_no_more("The server cannot be reached.").await;
    bob.throw(23.0, 113.2);
    page.reads("3 bottles").await;
    page.close(EXPECTED).await;
}

/// A map without an event stream notices that the server is gone and that it is back.
#[tokio::test]
async fn a_visitors_map_notices_an_outage() {
    let (folder, program) = start();
    let port = program.port;
    bob(&program);
    let page = Browser::open(port, "en", DESKTOP, "#9/23.09/113.36").await;
    page.reads("1 bottle in view").await;
    page.wait_for("return document.querySelector('.welcome') && true").await;
    drop(program);
    page.reads("The server cannot be reached.").await;
    let _program = restart(&folder, port);
    page.reads_no_more("The server cannot be reached.").await;
    page.close(EXPECTED).await;
}

/// An answer to a request of the reader ends an outage, however long the page would wait until its next attempt.
#[tokio::test]
async fn an_answer_ends_an_outage() {
    const NEVER_RECONNECT: &str = "
        const { setTimeout } = window;
        window.setTimeout = (call, ms) => (ms < 1000 ? setTimeout(call, ms) : 0);";
    let (folder, program) = start();
    let port = program.port;
    bob(&program);
    let page = Browser::open(port, "en", DESKTOP, "#9/23.09/113.36").await;
    page.reads("1 bottle in view").await;
    page.wait_for(HAS_PANELS).await;
    page.run(NEVER_RECONNECT).await;
    drop(program);
    page.reads("The server cannot be reached.").await;
    let _program = restart(&folder, port);
    page.follow("#8/23.09/113.36").await;
    page.reads_no_more("The server cannot be reached.").await;
    page.close(EXPECTED).await;
}

/// Returns whether nothing covers the × of the panel or, without one, of the welcome card.
const CLOSE_IS_FREE: &str = "
    const button = document.querySelector(':is(#panel, .welcome) .close');
    const { x, y, width, height } = button.getBoundingClientRect();
    return document.querySelector('.banner') !== null && [0.1, 0.5, 0.9].every((share) =>
        document.elementFromPoint(x + width * share, y + height / 2) === button);";

/// The banner leaves the × of the panel and of the welcome card free.
#[rstest]
#[case::panel(Some("Throw a bottle"), DESKTOP)]
#[case::panel_on_a_phone(Some("Throw a bottle"), PHONE)]
#[case::panel_in_a_narrow_window(Some("Throw a bottle"), (720, 500))]
#[case::panel_on_a_phone_sideways(Some("Throw a bottle"), (667, 375))]
#[case::card_in_a_low_window(None, (1000, 400))]
#[case::card_on_a_small_phone(None, (320, 480))]
#[tokio::test]
async fn the_banner_covers_no_close_button(#[case] panel: Option<&str>, #[case] size: (u32, u32)) {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", size, "#9/23.09/113.36").await;
    page.wait_for("return document.querySelector('.welcome') && true").await;
    page.wait_for(HAS_PANELS).await;
    if let Some(button) = panel {
        page.click(button).await;
        page.find("field", "Message").await;
    }
    drop(program);
    page.run("document.querySelector('.leaflet-control-zoom-in').click()").await;
    page.reads("The server cannot be reached.").await;
    page.wait_for(CLOSE_IS_FREE).await;
    page.close(EXPECTED).await;
}

/// A list that could not be loaded appears once the server is back, and so do the openers of a bottle.
#[tokio::test]
async fn a_failed_list_appears_when_the_server_is_back() {
    let (folder, program) = start();
    let port = program.port;
    bob(&program);
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    ada.send("POST", "/api/bottles/1/open", &[], None);
    let page = Browser::open(port, "en", DESKTOP, "#9/23.09/113.36").await;
    log_in(&page, "en", "bob").await;
    page.wait_for(HAS_PANELS).await;
    drop(program);
    page.reads("The server cannot be reached.").await;
    page.click("My bottles").await;
    page.reads("The server cannot be reached. Try again.").await;
    let program = restart(&folder, port);
    page.reads("A message from Bob.").await;
    page.reads_no_more("The server cannot be reached.").await;

    drop(program);
    page.reads("The server cannot be reached.").await;
    page.click("Opened by 1 person").await;
    page.reads("The server cannot be reached. Try again.").await;
    // A list that other contents cover is loaded when the reader comes back to it.
    page.click("Opened").await;
    page.reads("The server cannot be reached. Try again.").await;
    page.click("Throw a bottle").await;
    page.find("field", "Message").await;
    let _program = restart(&folder, port);
    page.reads_no_more("The server cannot be reached.").await;
    page.run("history.back()").await;
    page.reads("You have not opened any bottles yet.").await;
    page.run("history.back()").await;
    page.reads("ada").await;
    page.close(EXPECTED).await;
}

/// The x-ray shows the tree again, without its error.
#[tokio::test]
async fn the_x_ray_is_back_with_the_server() {
    let (folder, program) = start();
    let port = program.port;
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    bob(&program);
    let page = Browser::open(port, "en", DESKTOP, "").await;
    log_in(&page, "en", "grace").await;
    page.go("xray").await;
    page.reads("Leaves: 1").await;
    drop(program);
    page.click("Search").await;
    page.reads("The server cannot be reached.").await;
    let _program = restart(&folder, port);
    page.reads_no_more("The server cannot be reached.").await;
    page.reads("Leaves: 1").await;
    page.close(EXPECTED).await;
}

/// The inbox appears once the server is back, and so does an unfolded section of the account.
#[tokio::test]
async fn the_inbox_appears_when_the_server_is_back() {
    let (folder, program) = start();
    let port = program.port;
    let token = json!({ "name": "weather station", "access": "read", "expires_in_days": 1 });
    assert_eq!(bob(&program).post("/api/tokens", &token).status, 200);
    let page = Browser::open(port, "en", DESKTOP, "#9/23.09/113.36").await;
    log_in(&page, "en", "bob").await;
    page.wait_for(HAS_PANELS).await;
    drop(program);
    page.reads("The server cannot be reached.").await;
    page.click("Inbox").await;
    page.reads("The server cannot be reached. Try again.").await;
    let program = restart(&folder, port);
    page.reads("Nothing yet.").await;
    page.reads_no_more("The server cannot be reached.").await;

    page.click("Account: Bob").await;
    page.find("field", "Nickname").await;
    drop(program);
    page.reads("The server cannot be reached.").await;
    page.click("Access tokens").await;
    page.reads("The server cannot be reached. Try again.").await;
    let _program = restart(&folder, port);
    page.reads("weather station").await;
    page.close(EXPECTED).await;
}
