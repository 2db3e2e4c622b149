//! Links to bottles and places, and the way back from them.

use serde_json::{Value, json};

use super::{DESKTOP, bob, start};
use crate::driver::Browser;

const VIEW: &str = "#9/23.0900/113.3600";
const IS_CLOSED: &str = "return document.querySelector('#panel').hidden";

/// Opens the map at [`VIEW`] and waits until the page follows links.
async fn open_map(port: u16) -> Browser {
    let page = Browser::open(port, "en", DESKTOP, VIEW).await;
    page.wait_for("return document.querySelector('.welcome') && true").await;
    page.wait_for("return history.state?.depth === 0").await;
    page
}

async fn history_length(page: &Browser) -> Value {
    page.run("return history.length").await
}

/// The link to a bottle needs one step back, from the map and from another panel.
#[tokio::test]
async fn a_link_to_a_bottle_is_one_step() {
    let (_folder, program) = start();
    bob(&program).throw(23.1, 113.3);
    let page = open_map(program.port).await;
    let before = history_length(&page).await.as_u64().unwrap();
    page.follow("#bottle/1").await;
    page.reads("Bottle 1").await;
    assert_eq!(history_length(&page).await, before + 1);
    page.follow("#bottle/2").await;
    page.reads("Bottle 2").await;
    assert_eq!(history_length(&page).await, before + 2);
    page.run("history.back()").await;
    page.reads("Bottle 1").await;
    page.run("history.back()").await;
    page.wait_for(IS_CLOSED).await;
    assert_eq!(page.run("return location.hash").await, VIEW);

    page.run("history.go(2)").await;
    page.reads("Bottle 2").await;
    page.click("Close").await;
    page.wait_for("return history.state.depth === 0").await;
    assert_eq!(page.run("return location.hash").await, VIEW);
    page.close(&[]).await;
}

/// "Back" returns from the place of a link to the place before it.
#[tokio::test]
async fn back_returns_to_the_place_before_a_link() {
    let (_folder, program) = start();
    let page = open_map(program.port).await;
    page.follow("#5/10/20").await;
    page.wait_for("return location.hash === '#5/10.0000/20.0000'").await;
    page.run("history.back()").await;
    page.wait_for(&format!("return location.hash === '{VIEW}'")).await;
    page.run("history.forward()").await;
    page.wait_for("return location.hash === '#5/10.0000/20.0000'").await;
    page.close(&[]).await;
}

/// A link that leads nowhere says so and is not left in the address, when the page is loaded and later. It is no step
/// of the way back.
#[tokio::test]
async fn a_link_to_nothing_is_no_step() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "#bottle/abc").await;
    page.reads("This link leads nowhere.").await;
    page.wait_for("return /^#\\d+\\/-?\\d/.test(location.hash)").await;

    let page = open_map(program.port).await;
    // The mark tells this entry from another one of the map.
    page.run("history.pushState({ key: 0, depth: 0, mark: 1 }, '', location.hash)").await;
    for link in ["#bottle/abc", "#abc"] {
        page.follow(link).await;
        page.reads("This link leads nowhere.").await;
        page.wait_for(&format!("return location.hash === '{VIEW}'")).await;
        assert_eq!(
            page.run("return history.state").await,
            json!({ "key": 0, "depth": 0, "mark": 1 })
        );
        page.reads_no_more("This link leads nowhere.").await;
    }
    page.close(&[]).await;
}

/// "Back" closes a dialog, and goes where it would go without it.
#[tokio::test]
async fn back_closes_a_dialog() {
    let (_folder, program) = start();
    bob(&program);
    let page = open_map(program.port).await;
    page.follow("#bottle/1").await;
    page.reads("Bottle 1").await;
    page.click("Log in").await;
    page.find("field", "Username").await;
    page.run("history.back()").await;
    page.wait_for("return !document.querySelector('dialog')").await;
    page.wait_for(IS_CLOSED).await;
    page.close(&[]).await;
}
