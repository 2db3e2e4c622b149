//! Dialogs: notices inside them, and the errors of their fields.

use super::{DESKTOP, register, start};
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
