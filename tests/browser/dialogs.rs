//! Dialogs: notices inside them, and the errors of their fields.

use rstest::rstest;
use serde_json::json;

use super::{DESKTOP, PHONE, end_sessions, register, start, words};
use crate::driver::Browser;

/// A modal dialog makes everything behind it inert, so its notices are in a live region of its own.
#[tokio::test]
async fn a_confirmation_is_in_the_open_dialog() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    register(&page, "en", "ada").await;
    page.click("Account: ada").await;
    page.fill("Nickname", "Countess").await;
    page.click("Save").await;
    page.reads("Saved.").await;
    let texts = page
        .run("return [...document.querySelectorAll('dialog [role=status] .toast')].map((node) => node.textContent)")
        .await;
    assert!(texts.to_string().contains("Saved."), "in the dialog: {texts}");
    page.check_accessible("a confirmation").await;

    // A closed dialog leaves its notices to the page.
    page.click("Close").await;
    page.reads("Saved.").await;
    page.close(&[]).await;
}

/// An error disappears when its field is corrected, by hand or by a click on the map.
#[tokio::test]
async fn a_corrected_field_has_no_error() {
    const ERRORS: &str = "return [...document.querySelectorAll('.error')]
        .map((node) => node.textContent).filter((text) => text !== '')";
    const INVALID: &str = "return document.querySelectorAll('[aria-invalid]').length";
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    page.click("Throw a bottle").await;
    page.click("Throw").await;
    page.reads("Please fill this in.").await;
    assert_eq!(page.run(ERRORS).await.as_array().unwrap().len(), 3);
    page.find("field", "Message").await.send_keys("Now filled in.").await.unwrap();
    assert_eq!(page.run(ERRORS).await.as_array().unwrap().len(), 2);
    page.click("Centre of the map").await;
    assert_eq!(page.run(ERRORS).await, json!([]));
    assert_eq!(page.run(INVALID).await, 0);
    page.close(&[]).await;
}

/// The error of one form of the account dialog disappears when another one is saved.
#[tokio::test]
async fn an_error_disappears_with_the_save_of_another_form() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    register(&page, "en", "ada").await;
    page.click("Account: ada").await;
    page.click("Change password").await;
    page.fill("Current password", "guess").await;
    page.fill("New password", "newer").await;
    page.click("Set new password").await;
    page.reads("That is not your password.").await;
    page.fill("Nickname", "Countess").await;
    page.click("Save").await;
    page.reads("Saved.").await;
    assert!(!page.text().await.contains("That is not your password."));
    page.close(&["403"]).await;
}

/// The login dialog does not repeat the banner that has led to it. The banner is back if the reader closes the dialog.
#[tokio::test]
async fn the_login_has_no_banner_of_the_ended_session() {
    const BANNERS: &str = "return document.querySelectorAll('dialog[open] .banner').length";
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    register(&page, "en", "ada").await;
    end_sessions(&program, "ada");
    page.click("Account: ada").await;
    page.find("field", "Username").await;
    page.wait_for("return document.querySelector('.banner') && true").await;
    assert_eq!(page.run(BANNERS).await, 0, "the end is noticed by the request");
    page.click("Close").await;
    page.click("Log in again").await;
    page.find("field", "Username").await;
    assert_eq!(page.run(BANNERS).await, 0, "the banner was there before");
    page.check_accessible("a login after a session").await;
    page.close(&["401"]).await;
}

/// A token is shown once, works for a program, is listed with its last use, and is ended.
#[rstest]
#[tokio::test]
async fn an_access_token_is_made_and_ended(#[values("en", "zh")] language: &str) {
    let (_folder, program) = start();
    let page = Browser::open(program.port, language, PHONE, "").await;
    register(&page, language, "ada").await;
    let click = async |en, zh| page.click(words(language, en, zh)).await;
    click("Account: ada", "账号：ada").await;
    click("Access tokens", "访问令牌").await;
    click("New token", "新建令牌").await;
    page.reads(words(language, "Please fill this in.", "请填写此项。")).await;
    page.fill(words(language, "Name of the token", "令牌名称"), "weather station").await;
    click("New token", "新建令牌").await;
    page.reads(words(language, "It is not shown again.", "之后不会再显示。")).await;
    let token = page.value(words(language, "Your new token", "新令牌")).await;
    assert!(token.starts_with("bottle_"), "{token}");
    page.check_accessible("a new access token").await;

    let mut client = program.client();
    client.headers.push(("Authorization".into(), format!("Bearer {token}")));
    assert_eq!(client.get("/api/users/self").data()["username"], "ada");

    click("Close", "关闭").await;
    click("Account: ada", "账号：ada").await;
    click("Access tokens", "访问令牌").await;
    page.reads(words(language, "last used", "上次使用")).await;
    let text = page.run("return document.querySelector('dialog').innerHTML").await.to_string();
    assert!(!text.contains(&token));
    click("Revoke weather station", "撤销 weather station").await;
    page.check_accessible("the question before an access token ends").await;
    click("Revoke token", "撤销令牌").await;
    page.reads(words(language, "The token has been revoked.", "令牌已撤销。")).await;
    assert_eq!(client.get("/api/users/self").status, 401);
    page.close(&[]).await;
}

/// A link closes a dialog whose style is still loading, instead of opening a second one over it.
#[tokio::test]
async fn a_link_closes_a_dialog_that_is_not_shown_yet() {
    const FOLLOW_ONCE_MADE: &str = "
        new MutationObserver((_, observer) => {
            if (!document.querySelector('dialog')) return;
            observer.disconnect();
            history.pushState(null, '', '#invite/0000');
            window.dispatchEvent(new PopStateEvent('popstate'));
        }).observe(document.body, { childList: true });";
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    page.wait_for("return history.state?.depth === 0").await;
    page.run(FOLLOW_ONCE_MADE).await;
    page.click("Log in").await;
    page.wait_for("return document.querySelector('dialog[open] h2')?.textContent === 'Register'")
        .await;
    assert_eq!(page.run("return document.querySelectorAll('dialog').length").await, 1);
    page.close(&[]).await;
}

/// The links of a feed are made, shown once and ended in the account dialog.
#[rstest]
#[tokio::test]
async fn the_links_of_a_feed_are_made_and_ended(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start();
    let page = Browser::open(program.port, language, PHONE, "#9/23.09/113.36").await;
    register(&page, language, "ada").await;
    page.click(w("Account: ada", "账号：ada")).await;
    page.click(w("Feeds", "订阅链接")).await;
    page.reads(w("You have no links.", "你还没有链接。")).await;
    page.check_accessible("no feed").await;
    page.click(w("Make links", "创建链接")).await;
    let inbox = page.filled(w("Inbox (Atom)", "消息（Atom）")).await;
    let nearby = page.filled(w("Bottles in view (GeoJSON)", "当前视野内的漂流瓶（GeoJSON）")).await;
    page.reads(w("They are not shown again.", "之后不会再显示。")).await;
    page.check_accessible("the links of a feed").await;
    page.check_width().await;
    let get = |link: &str| {
        program.client().get(link.strip_prefix(page.origin.trim_end_matches('/')).unwrap())
    };
    assert_eq!(get(&inbox).status, 200);
    assert_eq!(get(&nearby).json()["type"], "FeatureCollection");

    page.click(w("Revoke the links", "撤销链接")).await;
    page.click(w("Revoke them", "撤销")).await;
    page.reads(w("The links have been revoked.", "链接已撤销。")).await;
    page.reads(w("You have no links.", "你还没有链接。")).await;
    assert_eq!(get(&inbox).status, 404);
    page.close(&[]).await;
}

/// The same toast does not pile up.
#[tokio::test]
async fn a_toast_is_shown_once() {
    const TOASTS: &str = "return document.querySelectorAll('.toast').length";
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    page.click("No bottles here").await;
    for _ in 0..2 {
        page.click("Go to the nearest bottles").await;
        page.reads("There are no bottles on the sea yet.").await;
    }
    page.run_async("requestAnimationFrame(() => requestAnimationFrame(done))").await;
    assert_eq!(page.run(TOASTS).await, 1);
    page.close(&[]).await;
}
