//! A server that goes away and comes back, while nobody touches the page.

use bottle_test_support::{Program, bottle};
use rstest::rstest;
use tempfile::TempDir;

use super::{DESKTOP, bob, register, start};
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
