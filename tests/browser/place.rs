//! The place of a new bottle, chosen on the map.

use rstest::rstest;

use super::{DESKTOP, PHONE, register, start, words};
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
        const panel = document.querySelector('#panel').getBoundingClientRect();
        const actions = document.querySelector('.actions').getBoundingClientRect();
        if (panel.top < actions.bottom && panel.right > actions.left) return 'the panel covers the bar';
        return ['.actions', '#panel header'].filter((selector) => {
            const box = document.querySelector(selector).getBoundingClientRect();
            return toast.top < box.bottom - 1 && toast.bottom > box.top + 1;
        }).join()";
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", size, "#9/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.reads_no_more("Hello, ada!").await;
    page.click("Throw a bottle").await;
    page.click("Choose on the map").await;
    page.wait_for("return document.querySelector('.toast') && true").await;
    assert_eq!(page.run(OVERLAPS).await, "");
    page.close(&[]).await;
}

/// What `parsePosition` reads: each text with the position, or none.
const POSITIONS: &str = r#"[
    ["48.85, 2.29", [48.85, 2.29]], ["48.85;2.29", [48.85, 2.29]], ["48,85 2,29", [48.85, 2.29]],
    ["(48.85, 2.29)", [48.85, 2.29]], ["−33.9，151.2", [-33.9, 151.2]], ["48, 2", [48, 2]],
    ["48.85° N, 2.29° W", [48.85, -2.29]], ["N 48.85 E 2.29", [48.85, 2.29]], ["2.5E 48.85N", [48.85, 2.5]],
    ["48°30'36\"S 2°15'E", [-48.51, 2.25]], ["北纬48.85度，东经2.29度", [48.85, 2.29]],
    ["https://maps.example/place/@48.85,2.29,12z", [48.85, 2.29]], ["geo:48.85,2.29", [48.85, 2.29]],
    ["https://map.example/#map=12/48.85/2.29", [48.85, 2.29]], ["/?mlat=48.85&mlon=2.29", [48.85, 2.29]],
    ["48.85", null], ["Paris", null], ["91, 2", null], ["2, 181", null], ["48 N, 2 N", null], ["-48 S, 2 E", null],
    ["Room 5, 3 b", null], ["1, 2, 3", null]
]"#;

/// Throwing asks for the place first: a target above the sheet shows it, and pasted coordinates fill it in. The form has
/// room on a phone, also on one held sideways.
#[rstest]
#[case("en", (360, 640))]
#[case("zh", (740, 360))]
#[tokio::test]
async fn a_place_is_pasted(#[case] language: &str, #[case] size: (u32, u32)) {
    const TARGET: &str = "
        const { left, right, top, bottom } = document.querySelector('.target').getBoundingClientRect();
        const panel = document.querySelector('#panel').getBoundingClientRect();
        return (bottom <= panel.top || left >= panel.right) && top >= 0 && right <= innerWidth";
    const ROOM: &str = "
        const body = document.querySelector('.panel-body').getBoundingClientRect();
        const end = document.querySelector('.panel .form-end').getBoundingClientRect();
        return Math.round(Math.min(body.bottom, end.top) - body.top)";
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start();
    let page = Browser::open(program.port, language, size, "#9/23.09/113.36").await;
    page.wait_for("return document.querySelector('.leaflet-control-attribution') && true").await;
    page.click(w("Throw a bottle", "扔漂流瓶")).await;
    page.wait_for("return document.activeElement.id === 'panel-title'").await;
    page.wait_for(TARGET).await;
    let first = page.run("return document.querySelector('.panel fieldset').className").await;
    assert_eq!(first, "places");
    let room = page.run(ROOM).await.as_f64().unwrap();
    assert!(room >= 225.0, "{room} px for the form");
    page.check_accessible("choosing a place").await;
    page.click(w("Centre of the map", "地图中心")).await;
    page.filled(w("Latitude", "纬度")).await;

    page.fill(w("Name or coordinates", "地名或坐标"), "48.85, 2.29").await;
    page.wait_for("return document.querySelector('[name=latitude]').value === '48.85'").await;
    page.wait_for("return location.hash.startsWith('#9/48.')").await;
    assert_eq!(page.value(w("Longitude", "经度")).await, "2.29");
    page.wait_for(TARGET).await;
    let paste = "
        document.querySelector('[name=longitude]').dispatchEvent(new InputEvent('beforeinput', {
            inputType: 'insertFromPaste', data: '35° 40′ N 139° 45′ E', bubbles: true, cancelable: true,
        }));";
    page.run(paste).await;
    page.wait_for("return document.querySelector('[name=longitude]').value === '139.75'").await;
    let wrong = format!(
        "import('/js/lib/coordinates.js').then(({{ parsePosition }}) => done({POSITIONS}.filter(([text, expected]) => {{
             const found = parsePosition(text);
             const isNear = (a, b) => Math.abs(a - b) < 1e-9;
             return expected === null ? found !== null
                 : !(found && isNear(found.latitude, expected[0]) && isNear(found.longitude, expected[1]));
         }})))"
    );
    assert_eq!(page.run_async(&wrong).await, serde_json::json!([]));
    page.run("history.back()").await;
    page.wait_for(
        "return document.querySelector('#panel').hidden && !document.querySelector('.target')",
    )
    .await;
    page.close(&[]).await;
}
