//! The map without a street map: there is something to hold on to everywhere, and any place is found by its name.

use fantoccini::key::Key;

use super::{DESKTOP, PHONE, start};
use crate::driver::Browser;
use crate::exceptions::is_excepted;

/// Ten cities on five continents.
const CITIES: [(&str, f64, f64); 10] = [
    ("Paris", 48.853, 2.349),
    ("Delhi", 28.652, 77.231),
    ("Beijing", 39.907, 116.397),
    ("Nairobi", -1.283, 36.817),
    ("Sao Paulo", -23.547, -46.636),
    ("New York", 40.714, -74.006),
    ("Sydney", -33.868, 151.207),
    ("Lagos", 6.454, 3.395),
    ("Tokyo", 35.69, 139.692),
    ("Roseburg", 43.217, -123.342),
];

/// Records the names that the map has drawn last, with their places on the canvas.
const RECORD_NAMES: &str = "
    window.names = [];
    const context = CanvasRenderingContext2D.prototype;
    const isOfNames = ({ canvas }) => canvas.parentElement?.classList.contains('leaflet-tile-pane');
    const { clearRect, fillText } = context;
    context.clearRect = function (...args) {
        if (isOfNames(this)) window.names = [];
        return clearRect.apply(this, args);
    };
    context.fillText = function (text, x, y) {
        if (isOfNames(this)) window.names.push({ text, x, y, canvas: this.canvas });
        return fillText.call(this, text, x, y);
    };";

/// Returns the names in view and those at its edge, once there are ten, with the degrees of the graticule.
const VISIBLE: &str = "
    const inView = window.names.filter(({ x, y, canvas }) => {
        const box = canvas.getBoundingClientRect();
        return x + box.x > 0 && x + box.x < innerWidth && y + box.y > 0 && y + box.y < innerHeight;
    }).map(({ text }) => text);
    const atEdge = [...document.querySelectorAll('.sign b, .graticule span')].map((node) => node.textContent);
    return inView.length + atEdge.length >= 10 ? [...inView, ...atEdge] : null;";

/// Shows each of the cities at zooms 6, 10 and 13. Each time at least ten names or labelled lines are in view, and one
/// of them is the city.
async fn has_ground_everywhere(page: &Browser, names: [&str; 10]) {
    for ((_, latitude, longitude), name) in CITIES.iter().zip(names) {
        for zoom in [6, 10, 13] {
            page.run("window.names = []; return true").await;
            page.follow(&format!("#{zoom}/{latitude}/{longitude}")).await;
            let visible = page.wait_for(VISIBLE).await;
            let is_named = |text: &serde_json::Value| text.as_str().unwrap().contains(name);
            assert!(
                visible.as_array().unwrap().iter().any(is_named),
                "{name} at zoom {zoom}: {visible}"
            );
        }
    }
}

#[tokio::test]
async fn every_view_of_a_city_has_ground() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "#6/0/0").await;
    page.find("field", "Find a place").await;
    page.run(RECORD_NAMES).await;
    has_ground_everywhere(
        &page,
        CITIES.map(|(name, ..)| if name == "Sao Paulo" { "São Paulo" } else { name }),
    )
    .await;
    page.check_accessible("the map of a city").await;
    page.close(&[]).await;
}

#[tokio::test]
async fn every_view_of_a_city_has_ground_on_a_phone_in_chinese() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "zh", PHONE, "#6/0/0").await;
    page.find("field", "查找地点").await;
    page.run(RECORD_NAMES).await;
    let names =
        ["巴黎", "德里", "北京", "内罗毕", "圣保罗", "纽约", "悉尼", "拉各斯", "东京", "Roseburg"];
    has_ground_everywhere(&page, names).await;
    page.close(&[]).await;
}

/// Marks the tiles of the ground once one is light.
const MARK_GROUND: &str = "
    const tiles = [...document.querySelectorAll('canvas.leaflet-tile-loaded')];
    const isLight = (tile) => tile.getContext('2d').getImageData(128, 128, 1, 1).data[3] === 255;
    tiles.forEach((tile) => { tile.marked = isLight(tile); });
    return tiles.some((tile) => tile.marked)";
const MARKED_GROUND_IS_DARK: &str = "
    const tiles = [...document.querySelectorAll('canvas.leaflet-tile-loaded')].filter((tile) => tile.marked);
    if (!tiles.length) throw new Error('the tiles were removed');
    return tiles.every((tile) => tile.getContext('2d').getImageData(128, 128, 1, 1).data[0] < 128)";

/// A place is found and shown with the keyboard alone.
#[tokio::test]
async fn a_place_is_found_by_its_name() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "#4/0/0").await;
    page.fill("Find a place", "springf").await;
    page.reads("United States, 39.8° N").await;
    page.check_accessible("the places found").await;
    // The ground is drawn again in other colours without a moment in which there is none.
    if !is_excepted() {
        page.wait_for(MARK_GROUND).await;
        page.prefer_dark();
        page.wait_for(MARKED_GROUND_IS_DARK).await;
    }
    page.fill("Find a place", "roseb").await;
    page.reads("Roseburg").await;
    let field = page.find("field", "Find a place").await;
    field.send_keys(&char::from(Key::Down).to_string()).await.unwrap();
    page.wait_for("return document.activeElement.getAttribute('aria-activedescendant')").await;
    field.send_keys(&char::from(Key::Enter).to_string()).await.unwrap();
    page.wait_for("return /^#1[23]\\/43\\.2\\d*\\/-123\\.3/.test(location.hash)").await;
    // Enter before the answer chooses the first place that comes.
    page.fill("Find a place", "reykjav").await;
    let field = page.find("field", "Find a place").await;
    field.send_keys(&char::from(Key::Enter).to_string()).await.unwrap();
    page.wait_for("return /^#1\\d\\/64\\.1\\d*\\/-21\\.9/.test(location.hash)").await;
    let field = page.find("field", "Find a place").await;
    field.send_keys("xx").await.unwrap();
    page.reads("No place has a name that begins like this").await;
    page.close(&[]).await;
}
