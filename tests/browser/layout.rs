//! What has been painted stays where it is while a page loads.

use bottle_test_support::{Program, bottle, run_ok_with_input};
use rstest::rstest;
use serde_json::json;

use super::{bob, log_in};
use crate::driver::Browser;
use crate::exceptions::is_excepted;

const SMALL_PHONE: (u32, u32) = (360, 640);
/// The score of a good page is below 0.1 (<https://web.dev/articles/cls>).
const MAX_LAYOUT_SHIFT: f64 = 0.02;

/// Fails if the page as it stands has moved what it had painted.
async fn check_still(page: &Browser, state: &str) {
    // Two frames later the last change has been painted.
    let shifts = page
        .run_async(
            "requestAnimationFrame(() => requestAnimationFrame(() => {
                const observer = new PerformanceObserver(() => {});
                observer.observe({ type: 'layout-shift', buffered: true });
                done(observer.takeRecords().filter((shift) => !shift.hadRecentInput).map((shift) =>
                    [shift.value, ...shift.sources.map(({ node }) => node?.id || node?.nodeName)]));
            }));",
        )
        .await;
    let sum: f64 = shifts.as_array().unwrap().iter().map(|shift| shift[0].as_f64().unwrap()).sum();
    assert!(sum < MAX_LAYOUT_SHIFT, "{state}: {sum}: {shifts}");
}

#[rstest]
#[tokio::test]
async fn a_page_does_not_move_while_it_loads(
    #[values("", "docs", "teacher", "admin", "live")] path: &str,
) {
    if is_excepted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &["demo"]);
    command.env("TMPDIR", folder.path());
    let program = Program::start(command);
    let page = Browser::open(program.port, "en", SMALL_PHONE, "join").await;
    page.slow_down();
    page.go(path).await;
    let last = match path {
        "" => "bottles in view",
        "docs" => "/readyz",
        _ => "Log in",
    };
    page.reads(last).await;
    check_still(&page, path).await;
    page.close(&[]).await;
}

/// The same for a teacher with a report, and for the projector with its number of bottles.
#[tokio::test]
async fn a_page_of_a_session_does_not_move_while_it_loads() {
    if is_excepted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &[]));
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    bob(&program);
    let mut grace = program.client();
    grace.log_in("grace", "pass");
    grace.send("POST", "/api/bottles/1/open", &[], None);
    grace.post("/api/bottles/1/report", &json!({ "reason": "unkind" }));
    let page = Browser::open(program.port, "en", SMALL_PHONE, "").await;
    log_in(&page, "en", "grace").await;
    for (path, last) in [("teacher", "unkind"), ("live", "1 bottle")] {
        page.go(path).await;
        page.reads(last).await;
        check_still(&page, path).await;
    }
    page.close(&[]).await;
}
