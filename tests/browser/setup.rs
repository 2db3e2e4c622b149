//! The page of the setup link, and registration by invitation on the map page.

use bottle_test_support::{Client, Program};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use super::{DESKTOP, PHONE, start, words};
use crate::driver::Browser;

/// Returns what follows the address in the link that the program printed.
pub(crate) fn setup_path(program: &Program) -> String {
    let link = program.banner.lines().find(|line| line.contains("/setup#")).unwrap();
    link.split_once("/setup").map(|(_, token)| format!("setup{token}")).unwrap()
}

/// Starts a server that nobody may register at without an invitation, and returns its operator.
fn start_with_operator(mode: &str) -> (TempDir, Program, Client) {
    let (folder, program) = start();
    let path = setup_path(&program);
    let token = path.split_once('#').unwrap().1;
    let mut root = program.client();
    let account = json!({
        "token": token, "username": "root", "password": "pass", "registration": mode
    });
    assert_eq!(root.post("/api/setup", &account).status, 200);
    root.log_in("root", "pass");
    (folder, program, root)
}

fn invite(root: &Client) -> String {
    let made = root.post("/api/admin/invitations", &json!({})).data();
    made["invitation"].as_str().unwrap().to_owned()
}

#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn the_link_makes_an_operator(#[case] language: &str, #[case] size: (u32, u32)) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start();
    let path = setup_path(&program);
    let page = Browser::open(program.port, language, size, &path).await;
    page.reads(w("Create the account of the operator", "创建管理员账号")).await;
    page.check_accessible("the setup").await;
    page.check_width().await;
    page.click(w("Create the account", "创建账号")).await;
    page.reads(w("Please fill this in.", "请填写")).await;
    page.fill(w("Username", "用户名"), "root").await;
    page.fill(w("Password", "密码"), "pass").await;
    page.find("field", w("Who may register?", "谁可以注册？"))
        .await
        .select_by_value("closed")
        .await
        .unwrap();
    page.click(w("Create the account", "创建账号")).await;
    page.find("button", w("My bottles", "我的瓶子")).await;
    let mut root = program.client();
    root.log_in("root", "pass");
    assert_eq!(root.get("/api/admin/registration").data()["registration"], "closed");

    // The link was used.
    page.go(&path).await;
    page.fill(w("Username", "用户名"), "eve").await;
    page.fill(w("Password", "密码"), "pass").await;
    page.click(w("Create the account", "创建账号")).await;
    page.reads(w("This link is wrong or has been used.", "链接有误或已使用。")).await;
    page.check_accessible("a used link").await;
    page.close(&["403"]).await;
}

#[tokio::test]
async fn without_a_link_the_page_says_what_it_needs() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", PHONE, "setup").await;
    page.reads("This page needs the link that the server prints").await;
    page.check_accessible("the setup without a link").await;
    assert_eq!(page.requested_api().await, json!([]));
    page.close(&[]).await;
}

#[rstest]
#[tokio::test]
async fn a_link_fills_in_the_invitation(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program, root) = start_with_operator("invite");
    let code = invite(&root);
    let page = Browser::open(program.port, language, PHONE, &format!("#invite/{code}")).await;
    assert_eq!(page.filled(w("Invitation", "邀请码")).await, code);
    page.check_accessible("registering by invitation").await;
    page.fill(w("Username", "用户名"), "ada").await;
    page.fill(w("Password", "密码"), "pass").await;
    page.click(w("Register", "注册")).await;
    page.find("button", w("My bottles", "我的瓶子")).await;
    let mut ada = program.client();
    ada.log_in("ada", "pass");

    // The page of an account keeps the invitation for the next one.
    page.follow("#invite/0000-0000-0000-0000").await;
    page.reads(w("Log out to use the invitation.", "退出登录后才能使用邀请")).await;
    page.click(w("Account: ada", "账号：ada")).await;
    page.click(w("Log out", "退出登录")).await;
    page.click(w("Register", "注册")).await;
    let kept = page.filled(w("Invitation", "邀请码")).await;
    assert_eq!(kept, "0000-0000-0000-0000");
    page.close(&[]).await;
}

#[tokio::test]
async fn the_form_asks_for_an_invitation() {
    let (_folder, program, root) = start_with_operator("invite");
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    page.reads("A sea of messages").await;
    page.click("Register").await;
    page.fill("Username", "ada").await;
    page.fill("Password", "pass").await;
    page.click("Register").await;
    page.reads("Please fill this in.").await;
    page.fill("Invitation", "0000-0000-0000-0000").await;
    page.click("Register").await;
    page.reads("This invitation is wrong, used up or expired.").await;
    page.fill("Invitation", &invite(&root)).await;
    page.click("Register").await;
    page.find("button", "My bottles").await;
    page.close(&["403"]).await;
}

#[tokio::test]
async fn a_closed_server_has_no_form() {
    let (_folder, program, root) = start_with_operator("closed");
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    page.reads("A sea of messages").await;
    page.click("Register").await;
    page.reads("This server is not taking new accounts.").await;
    page.check_accessible("a closed registration").await;
    page.click("Log in").await;
    page.fill("Username", "root").await;
    page.fill("Password", "pass").await;
    page.click("Log in").await;
    page.find("button", "My bottles").await;
    drop(root);
    page.close(&[]).await;
}
