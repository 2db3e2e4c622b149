//! The pages that need a session: what they show and send without it, and the login that they offer.

use bottle_test_support::{Program, run_ok_with_input};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use super::{DESKTOP, PHONE, bob, end_sessions, give_credentials, log_in, start, words};
use crate::driver::Browser;

/// Starts a server with Bob's bottle and the teacher Grace.
fn start_class() -> (TempDir, Program) {
    let (folder, program) = start();
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    bob(&program);
    (folder, program)
}

/// Keeps the running intervals of a page in `window.intervals`.
const COUNT_INTERVALS: &str = "
    const { setInterval: start, clearInterval: stop } = window;
    window.intervals = new Set();
    window.setInterval = (...options) => {
        const id = start(...options);
        window.intervals.add(id);
        return id;
    };
    window.clearInterval = (id) => {
        window.intervals.delete(id);
        stop(id);
    };";

/// A visitor's teacher page sends no request and logs in where it is. The session's end is followed by the same offer.
#[rstest]
#[tokio::test]
async fn a_visitor_logs_in_on_the_teacher_page(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start_class();
    let page = Browser::open(program.port, language, PHONE, "teacher").await;
    page.reads(w("Log in as a teacher to see this page.", "请以老师身份登录后查看此页面。")).await;
    assert_eq!(page.requested_api().await, json!([]));
    page.click(w("Log in", "登录")).await;
    give_credentials(&page, language, "grace").await;
    page.reads(w("Reported bottles", "被举报的瓶子")).await;
    page.check_accessible("the teacher's page after the login").await;

    end_sessions(&program, "grace");
    page.reads(w("Log in as a teacher to see this page.", "请以老师身份登录后查看此页面。")).await;
    page.reads_no_more(w("Reported bottles", "被举报的瓶子")).await;
    page.close(&["401"]).await;
}

/// Only the page of a teacher refreshes itself.
#[rstest]
#[case::visitor(None, &[], "Log in as a teacher")]
#[case::pupil(Some("bob"), &["users/self"], "Only teachers can see this page.")]
#[tokio::test]
async fn only_a_teachers_page_refreshes_itself(
    #[case] username: Option<&str>,
    #[case] requested: &[&str],
    #[case] text: &str,
) {
    let (_folder, program) = start_class();
    let mut page = Browser::open(program.port, "en", DESKTOP, "").await;
    if let Some(username) = username {
        log_in(&page, "en", username).await;
    }
    page.run_in_new_documents(COUNT_INTERVALS).await;
    page.go("teacher").await;
    page.reads(text).await;
    assert_eq!(page.requested_api().await, json!(requested));
    assert_eq!(page.run("return window.intervals.size").await, 0);
    page.close(&[]).await;
}

/// The teacher page follows logins and logouts of the map in another tab.
#[tokio::test]
async fn the_teacher_page_follows_the_session_of_other_tabs() {
    let (_folder, program) = start_class();
    let page = Browser::open(program.port, "en", DESKTOP, "teacher").await;
    page.click("Log in").await;
    page.find("field", "Username").await;
    page.open_tab().await;
    log_in(&page, "en", "grace").await;
    page.switch_tab().await;
    page.reads("Reported bottles").await;
    assert_eq!(page.run("return document.querySelector('dialog')").await, json!(null));

    page.switch_tab().await;
    page.click("Account: grace").await;
    page.click("Log out").await;
    log_in(&page, "en", "bob").await;
    page.switch_tab().await;
    page.reads("Only teachers can see this page.").await;
    page.reads_no_more("Reported bottles").await;
    page.close(&[]).await;
}

/// A visitor logs in on the projector's page, which then shows the sea until the session ends.
#[rstest]
#[tokio::test]
async fn a_visitor_logs_in_on_the_projector(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start_class();
    let page = Browser::open(program.port, language, DESKTOP, "live").await;
    page.reads(w("Log in to see the bottles.", "请登录后查看漂流瓶。")).await;
    assert_eq!(page.requested_api().await, json!(["join", "settings"]));
    page.click(w("Log in", "登录")).await;
    give_credentials(&page, language, "bob").await;
    page.reads(w("1 bottle", "1 个瓶子")).await;
    page.reads_no_more(w("Log in to see the bottles.", "请登录后查看漂流瓶。")).await;

    end_sessions(&program, "bob");
    page.reads(w("Log in to see the bottles.", "请登录后查看漂流瓶。")).await;
    page.reads_no_more(w("1 bottle", "1 个瓶子")).await;
    page.close(&["401"]).await;
}

/// The x-ray offers the login too, and shows the tree after it.
#[tokio::test]
async fn a_visitor_logs_in_on_the_x_ray() {
    let (_folder, program) = start_class();
    let page = Browser::open(program.port, "en", DESKTOP, "xray").await;
    page.click("Log in").await;
    give_credentials(&page, "en", "grace").await;
    page.reads("Leaves:").await;
    page.reads_no_more("Log in as a teacher").await;
    page.close(&["401"]).await;
}
