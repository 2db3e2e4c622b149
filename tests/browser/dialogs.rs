//! Dialogs: notices inside them, and the errors of their fields.

use serde_json::json;

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
