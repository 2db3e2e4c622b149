//! The operator's page.

use bottle_test_support::{Program, run_ok_with_input};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use super::{DESKTOP, PHONE, end_sessions, give_credentials, log_in, start, words};
use crate::driver::Browser;

/// Starts a server with the operator Root and the teacher Grace.
pub(super) fn start_school() -> (TempDir, Program) {
    let (folder, program) = start();
    run_ok_with_input(folder.path(), &["user", "add", "root", "--operator"], "pass\n");
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    (folder, program)
}

/// A visitor's page sends no request and logs in where it is. The session's end is followed by the same offer.
#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn a_visitor_logs_in_on_the_operators_page(#[case] language: &str, #[case] size: (u32, u32)) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start_school();
    let page = Browser::open(program.port, language, size, "admin#invitations").await;
    page.reads(w("Log in as an operator to see this page.", "请以管理员身份登录后查看此页面。"))
        .await;
    assert_eq!(page.requested_api().await, json!([]));
    page.click(w("Log in", "登录")).await;
    give_credentials(&page, language, "root").await;
    page.reads(w("Who may register?", "谁可以注册？")).await;
    let current = "return document.querySelector('[aria-current]').getAttribute('href')";
    assert_eq!(page.run(current).await, "#invitations");
    page.check_accessible("the operator's page").await;
    page.check_width().await;

    end_sessions(&program, "root");
    page.run("window.dispatchEvent(new HashChangeEvent('hashchange'))").await;
    page.reads(w("Log in as an operator to see this page.", "请以管理员身份登录后查看此页面。"))
        .await;
    page.reads_no_more(w("Who may register?", "谁可以注册？")).await;
    page.close(&["401"]).await;
}

/// The links to the page are there for an operator only, and the page is theirs alone.
#[rstest]
#[tokio::test]
async fn only_an_operator_sees_the_page(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start_school();
    let page = Browser::open(program.port, language, PHONE, "").await;
    log_in(&page, language, "grace").await;
    page.click(w("Account: grace", "账号：grace")).await;
    page.find("button", w("Teacher page", "教师页面")).await;
    let link =
        "return [...document.querySelectorAll('a[href=admin]')].some((a) => a.checkVisibility())";
    assert_eq!(page.run(link).await, false);
    page.go("admin").await;
    page.reads(w("Only operators can see this page.", "只有管理员可以查看此页面。")).await;
    assert_eq!(page.requested_api().await, json!(["users/self"]));
    page.go("teacher").await;
    page.reads(w("Everyone can throw bottles.", "所有人都可以扔瓶子。")).await;
    assert_eq!(page.run(link).await, false);

    page.go("").await;
    page.click(w("Account: grace", "账号：grace")).await;
    page.click(w("Log out", "退出登录")).await;
    log_in(&page, language, "root").await;
    page.click(w("Account: root", "账号：root")).await;
    page.click(w("Operator page", "管理页面")).await;
    page.find("button", w("Invitations", "邀请")).await;
    page.click(w("Teacher page", "教师页面")).await;
    page.click(w("Operator page", "管理页面")).await;
    page.find("button", w("Invitations", "邀请")).await;
    page.close(&[]).await;
}

/// The page follows a login of another account in another tab.
#[tokio::test]
async fn the_operators_page_follows_the_session_of_other_tabs() {
    let (_folder, program) = start_school();
    let page = Browser::open(program.port, "en", DESKTOP, "admin").await;
    page.click("Log in").await;
    page.find("field", "Username").await;
    page.open_tab().await;
    log_in(&page, "en", "root").await;
    page.switch_tab().await;
    page.find("button", "Invitations").await;

    page.switch_tab().await;
    page.click("Account: root").await;
    page.click("Log out").await;
    log_in(&page, "en", "grace").await;
    page.switch_tab().await;
    page.reads("Only operators can see this page.").await;
    page.reads_no_more("Invitations").await;
    page.close(&[]).await;
}
