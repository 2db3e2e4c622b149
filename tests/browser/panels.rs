//! Panels and lists: their look, their history, the focus.

use super::{DESKTOP, bob, register, start};
use crate::driver::Browser;

/// The rules of the paper repeat with the line height of the text and start at its first line.
#[tokio::test]
async fn the_rules_of_a_letter_are_below_its_lines() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.follow("#bottle/1").await;
    page.click("Open").await;
    page.reads("A message from Bob.").await;
    let aligned = page
        .run(
            "const style = getComputedStyle(document.querySelector('.letter-text'));
             return style.backgroundSize === `100% ${style.lineHeight}` && style.paddingTop === '0px'",
        )
        .await;
    assert_eq!(aligned, true);
    page.close(&[]).await;
}
