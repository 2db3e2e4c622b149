//! The place of a new bottle, chosen on the map.

use rstest::rstest;

use super::{DESKTOP, PHONE, start, words};
use crate::driver::Browser;

/// Presses a key at the focused element.
async fn press(page: &Browser, key: &str) {
    let script = format!(
        "document.activeElement.dispatchEvent(
            new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true, cancelable: true }}))"
    );
    page.run(&script).await;
}

async fn has_focus(page: &Browser, text: &str) {
    page.wait_for(&format!("return document.activeElement.textContent.trim() === '{text}'")).await;
}

/// On a phone "Choose on the map" gives the keyboard to the map and takes it back.
#[rstest]
#[tokio::test]
async fn the_keyboard_chooses_a_place(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start();
    let page = Browser::open(program.port, language, PHONE, "#9/23.09/113.36").await;
    page.click(w("Throw a bottle", "扔漂流瓶")).await;
    let choose = w("Choose on the map", "在地图上选择");
    page.click(choose).await;
    page.wait_for("return document.activeElement.id === 'map'").await;
    page.reads(w("press Enter", "再按回车键")).await;
    page.check_accessible("choosing on the map").await;
    press(&page, "Escape").await;
    has_focus(&page, choose).await;

    page.click(choose).await;
    page.wait_for("return document.activeElement.id === 'map'").await;
    press(&page, "Enter").await;
    has_focus(&page, choose).await;
    // The place is chosen, so nothing asks for it any more.
    page.wait_for("return !document.querySelector('.toast')").await;
    page.filled(w("Latitude", "纬度")).await;
    page.close(&[]).await;
}

/// The panel does not cover the chosen place, whichever way it was chosen.
#[rstest]
#[tokio::test]
async fn the_chosen_place_is_beside_the_panel(
    #[values(DESKTOP, PHONE, (640, 360))] size: (u32, u32),
) {
    const IS_FREE: &str = "
        const marker = document.querySelector('.pick-marker')?.getBoundingClientRect();
        const panel = document.querySelector('#panel').getBoundingClientRect();
        return marker && !document.body.classList.contains('is-picking')
            && (marker.bottom <= panel.top || marker.left >= panel.right)
            && marker.top >= 0 && marker.right <= document.documentElement.clientWidth";
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", size, "#9/23.09/113.36").await;
    page.click("Throw a bottle").await;
    page.click("Centre of the map").await;
    page.wait_for(IS_FREE).await;
    let before = page.value("Longitude").await;
    page.click("Centre of the map").await;
    assert_eq!(page.value("Longitude").await, before, "the same centre");
    if size != DESKTOP {
        page.click("Choose on the map").await;
    }
    page.touch_map().await;
    page.wait_for(&format!(
        "return document.querySelector('[name=latitude]').value !== '{before}'"
    ))
    .await;
    page.wait_for(IS_FREE).await;
    page.close(&[]).await;
}

/// A notice covers neither the bar nor the panel, also in a low window and at 200 % zoom.
#[rstest]
#[tokio::test]
async fn a_notice_covers_nothing(#[values((640, 360), (640, 400), (320, 640))] size: (u32, u32)) {
    const OVERLAPS: &str = "
        const toast = document.querySelector('.toast').getBoundingClientRect();
        return ['.actions', '#panel header'].filter((selector) => {
            const box = document.querySelector(selector).getBoundingClientRect();
            return toast.top < box.bottom - 1 && toast.bottom > box.top + 1;
        }).join()";
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", size, "#9/23.09/113.36").await;
    page.click("Throw a bottle").await;
    page.click("Choose on the map").await;
    page.wait_for("return document.querySelector('.toast') && true").await;
    assert_eq!(page.run(OVERLAPS).await, "");
    page.close(&[]).await;
}
