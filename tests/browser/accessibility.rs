//! The pages as axe-core judges them, in both languages and both colour schemes, on a phone.

use bottle_test_support::{Program, bottle};
use rstest::rstest;

use super::{PHONE, words};
use crate::driver::Browser;

#[rstest]
#[tokio::test]
async fn every_page_is_accessible(
    #[values("en", "zh")] language: &str,
    #[values("light", "dark")] scheme: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &["demo"]);
    command.env("TMPDIR", folder.path());
    let program = Program::start(command);
    let page = match scheme {
        "light" => Browser::open(program.port, language, PHONE, "").await,
        _ => Browser::open_dark(program.port, language, PHONE, "").await,
    };
    let log_in = words(language, "Log in", "登录");
    for (path, last) in [
        ("", words(language, "A sea of messages", "一片写满留言的海")),
        ("docs", "/readyz"),
        ("teacher", log_in),
        ("admin", log_in),
        ("live", log_in),
        ("setup", words(language, "This page needs the link", "请使用服务器启动时显示的链接")),
        ("xray", words(language, "Leaves", "叶子")),
    ] {
        page.go(path).await;
        page.reads(last).await;
        page.check_accessible(&format!("/{path} {scheme}")).await;
    }
    page.go("teacher").await;
    page.click(log_in).await;
    page.find("field", words(language, "Username", "用户名")).await;
    page.check_accessible(&format!("the login on /teacher, {scheme}")).await;
    page.close(&[]).await;
}
