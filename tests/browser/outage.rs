//! A server that goes away and comes back, while nobody touches the page.

use bottle_test_support::{Program, bottle};
use rstest::rstest;
use tempfile::TempDir;

use super::{DESKTOP, PHONE, bob, register, start};
use crate::driver::Browser;

/// What a browser logs about requests to a server that is gone.
const EXPECTED: &[&str] =
    &["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "INCOMPLETE_CHUNKED"];

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
