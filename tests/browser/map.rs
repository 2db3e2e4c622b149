//! The map: the mark of an arrival, the zoom, and piles of bottles.

use rstest::rstest;
use serde_json::json;

use super::projector::KEEP_MAP;
use super::{DESKTOP, PHONE, bob, log_in, register, start, words};
use crate::driver::Browser;
use crate::exceptions::is_excepted;

/// The ring around a new bottle stays around its place while it grows.
#[tokio::test]
async fn an_arrival_is_marked_at_its_place() {
    let (_folder, program) = start();
    let bob = bob(&program);
    let page = Browser::open_animated(program.port, DESKTOP, "").await;
    register(&page, "en", "ada").await;
    page.go("live").await;
    page.reads("1 bottle").await;
    bob.throw(0.0, -30.0);
    page.wait_for("return document.querySelector('.leaflet-marker-icon') && true").await;
    // Leaflet's own position of the marker, and the middle of what grows, in each of 30 frames.
    let distances = page.run_async(
        "const marker = document.querySelector('.leaflet-marker-icon');
         const ring = marker.firstElementChild ?? marker;
         const distances = [];
         const measure = () => {
             // The map flies to the new bottle meanwhile.
             const { _leaflet_pos: pane } = document.querySelector('.leaflet-map-pane');
             const { x, y } = marker._leaflet_pos;
             const box = ring.getBoundingClientRect();
             const middle = [box.x + box.width / 2, box.y + box.height / 2];
             distances.push(Math.hypot(middle[0] - x - pane.x, middle[1] - y - pane.y));
             if (distances.length < 30) requestAnimationFrame(measure);
             else done([Math.max(...distances), ring.getAnimations().length]);
         };
         measure();",
    );
    let distances = distances.await;
    assert!(distances[0].as_f64().unwrap() < 5.0 && distances[1] == 1, "{distances}");
    page.close(&[]).await;
}

/// "Show on the map" moves the map but never zooms out.
#[tokio::test]
async fn a_bottle_is_shown_without_zooming_out() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#12/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.follow("#bottle/1").await;
    page.click("Open").await;
    page.reads("A message from Bob.").await;
    page.click("Show on the map").await;
    page.click("Close").await;
    let zoom = page.wait_for("return /^#(\\d+)\\//.exec(location.hash)?.[1] ?? null").await;
    assert_eq!(zoom, "12");
    page.close(&[]).await;
}

/// Records which calls draw on the canvases from now on.
const RECORD_DRAWING: &str = "
    window.drawn = [];
    const context = CanvasRenderingContext2D.prototype;
    for (const name of ['arc', 'drawImage']) {
        const draw = context[name];
        context[name] = function (...args) {
            window.drawn.push(name);
            return draw.apply(this, args);
        };
    }";

/// Presses a key at the focused element.
async fn press(page: &Browser, key: &str) {
    page.run(&format!(
        "document.activeElement.dispatchEvent(
            new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true, cancelable: true }}))"
    ))
    .await;
}

/// A bubble beyond the antimeridian is near: a tap flies to it, not around the world, and the list names its longitude.
#[tokio::test]
async fn a_bubble_beyond_the_antimeridian_is_near() {
    let (_folder, program) = start();
    let bob = bob(&program);
    for longitude in [179.5, 179.6, -179.5, -179.0, -178.5] {
        bob.throw(10.0, longitude);
    }
    let mut page = Browser::open(program.port, "en", DESKTOP, "join").await;
    page.run_in_new_documents(KEEP_MAP).await;
    page.go("#4/10/179.9").await;
    page.reads("5 bottles in view").await;
    page.click("5 bottles in view").await;
    page.reads("179.").await;
    let text = page.text().await;
    assert!(text.contains("° W") && !text.contains("18"), "{text}");
    page.click("Close").await;
    page.touch_map().await;
    let longitude = page
        .wait_for("return window.theMap.getZoom() === 6 && window.theMap.getCenter().lng")
        .await;
    assert!((179.0..182.0).contains(&longitude.as_f64().unwrap()), "{longitude}");
    page.close(&[]).await;
}

/// Bottles at one position fan out when they are tapped: those that the reader does not know come first, and the
/// keyboard reaches each. The chosen one is in front, also on the map afterwards.
#[rstest]
#[case("en", DESKTOP)]
#[case("zh", PHONE)]
#[tokio::test]
async fn a_pile_of_bottles_fans_out(#[case] language: &str, #[case] size: (u32, u32)) {
    const LABELS: &str =
        "return [...document.querySelectorAll('.fan button')].map(({ ariaLabel }) => ariaLabel)";
    const FITS: &str = "return [...document.querySelectorAll('.fan button')].every((node) => {
        const { left, right, top, bottom } = node.getBoundingClientRect();
        const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
        return left >= 0 && right <= innerWidth && node.contains(at);
    })";
    // On the canvas of the numbers, the last one.
    const NUMBER_IS_DRAWN: &str = "
        const canvas = [...document.querySelectorAll('.leaflet-overlay-pane canvas')].at(-1);
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value) => value > 0)";
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start();
    let bob = bob(&program);
    let page = Browser::open(program.port, language, size, "#4/10/-30").await;
    register(&page, language, "ada").await;
    let mut ada = program.client();
    ada.log_in("ada", "pass");
    // Its own bottle, one that it has opened, and two that it does not know.
    ada.throw(10.0, -30.0);
    let opened = bob.throw(10.0, -30.0);
    bob.throw(10.0, -30.0);
    bob.throw(10.0, -30.0);
    ada.send("POST", &format!("/api/bottles/{opened}/open"), &[], None);
    page.reload().await;
    page.reads(w("4 bottles in view", "4 个漂流瓶")).await;
    page.wait_for("return document.querySelector('.leaflet-control-attribution') && true").await;
    assert_eq!(page.run(NUMBER_IS_DRAWN).await, true);
    page.touch_map().await;
    page.wait_for("return document.querySelectorAll('.fan button').length === 4").await;
    let all = page.run(LABELS).await;
    let yours = w("Bottle 2 Blue (yours)", "漂流瓶 2 蓝色 （我的）");
    let known = w("Bottle 3 Blue (opened)", "漂流瓶 3 蓝色 （已打开）");
    let unread = [w("Bottle 5 Blue", "漂流瓶 5 蓝色"), w("Bottle 4 Blue", "漂流瓶 4 蓝色")];
    assert_eq!(all, json!([unread[0], unread[1], known, yours]));
    page.wait_for(FITS).await;
    assert_eq!(page.run(NUMBER_IS_DRAWN).await, false);
    page.check_accessible("fanned out").await;
    assert_eq!(page.run("return document.activeElement.ariaLabel").await, unread[0]);
    press(&page, "ArrowLeft").await;
    assert_eq!(page.run("return document.activeElement.ariaLabel").await, yours);
    page.click(unread[1]).await;
    page.wait_for("return location.hash === '#bottle/4'").await;
    let chosen = page.run("return document.querySelector('.fan .is-chosen').ariaLabel").await;
    assert_eq!(chosen, unread[1]);
    page.run("document.querySelector('.fan button').focus()").await;
    page.run(RECORD_DRAWING).await;
    press(&page, "Escape").await;
    page.wait_for("return !document.querySelector('.fan') && document.activeElement.id === 'map'")
        .await;
    let drawn = page.run("return window.drawn.slice(-2)").await;
    assert_eq!(drawn, json!(["arc", "drawImage"]));
    // The browser's Back closes the panel of the chosen one.
    page.run("history.back()").await;
    page.wait_for("return document.querySelector('#panel').hidden").await;
    page.close(&[]).await;
}

/// More bottles than a fan can hold open as a list.
#[tokio::test]
async fn a_large_pile_of_bottles_opens_as_a_list() {
    let (_folder, program) = start();
    let bob = bob(&program);
    for _ in 0..13 {
        bob.throw(10.0, -30.0);
    }
    let page = Browser::open(program.port, "en", DESKTOP, "#4/10/-30").await;
    log_in(&page, "en", "bob").await;
    page.reads("13 bottles in view").await;
    page.touch_map().await;
    page.reads("13 bottles here").await;
    page.wait_for("return document.activeElement.id === 'panel-title'").await;
    page.check_accessible("a pile of bottles").await;
    page.click("Bottle 2 (yours)").await;
    page.wait_for("return location.hash === '#bottle/2'").await;
    page.close(&[]).await;
}

/// Bubbles are where the bottles are: those of three cities are named by them, and no two overlap.
#[tokio::test]
async fn bubbles_are_named_by_where_their_bottles_are() {
    let (_folder, program) = start();
    let bob = bob(&program);
    for (latitude, longitude) in [(39.9, 116.4), (37.57, 126.98), (39.9, 116.4)] {
        bob.throw(latitude, longitude);
    }
    let page = Browser::open(program.port, "en", DESKTOP, "#5/33/120").await;
    page.click("4 bottles in view").await;
    for named in ["2 bottles near Beijing", "1 bottle near Seoul", "1 bottle near Guangzhou"] {
        page.find("button", named).await;
    }
    let merged = page.run_async(
        "import('/js/map/bottles.js').then(({ mergeBubbles }) => {
             const points = Array.from({ length: 900 }, (_, n) => (
                 { x: (n * 7919) % 4096, y: (n * 104729) % 1021, count: 1 + (n * n) % 50 }));
             const radius = (count) => 13 + Math.min(4, Math.log10(count)) * 5;
             const bubbles = mergeBubbles(points, 4096);
             const overlaps = bubbles.flatMap((a, n) => bubbles.slice(n + 1).filter((b) => {
                 const x = Math.abs(a.x - b.x) % 4096;
                 return Math.hypot(Math.min(x, 4096 - x), a.y - b.y) < radius(a.count) + radius(b.count);
             }));
             const sum = (all) => all.reduce((total, { count }) => total + count, 0);
             const [pair] = mergeBubbles([{ x: 4090, y: 10, count: 1 }, { x: 6, y: 10, count: 3 }], 4096);
             done([overlaps.length, sum(bubbles) === sum(points), bubbles.length < 900, pair.count,
                 ((pair.x % 4096) + 4096) % 4096]);
         })",
    );
    assert_eq!(merged.await, json!([0, true, true, 4, 3]));
    page.close(&[]).await;
}

/// Records the texts that are drawn on the canvases from now on, each with its colour.
const RECORD_TEXTS: &str = "
    window.texts = [];
    const context = CanvasRenderingContext2D.prototype;
    const { fillText } = context;
    context.fillText = function (text, ...place) {
        window.texts.push([text, this.fillStyle]);
        return fillText.call(this, text, ...place);
    };";

/// Bottles at one position are drawn as one. Its number is on the map, in the colours of the page, and in the list.
#[tokio::test]
async fn a_pile_shows_its_number() {
    const LAST: &str = "return window.texts.findLast(([text]) => text === '4') ?? null";
    let (_folder, program) = start();
    let bob = bob(&program);
    for _ in 0..4 {
        bob.throw(10.0, -30.0);
    }
    bob.throw(10.5, -30.5);
    let page = Browser::open(program.port, "en", DESKTOP, "#8/10/-30").await;
    log_in(&page, "en", "bob").await;
    page.reads("5 bottles in view").await;
    page.run(RECORD_TEXTS).await;
    page.follow("#9/10.2/-30.2").await;
    assert_eq!(page.wait_for(LAST).await, json!(["4", "#ffffff"]));
    if !is_excepted() {
        page.run("window.texts = []").await;
        page.prefer_dark();
        assert_eq!(page.wait_for(LAST).await, json!(["4", "#06222e"]));
    }

    page.click("5 bottles in view").await;
    page.find("button", "4 bottles at this place").await;
    page.check_accessible("a list with a pile").await;
    page.click("4 bottles at this place").await;
    page.reads("4 bottles here").await;
    page.find("button", "Bottle 5 (yours)").await;
    page.close(&[]).await;
}

/// Clicks a point of the map.
async fn click_map(page: &Browser, (x, y): (u32, u32)) {
    let point = format!("{{ bubbles: true, clientX: {x}, clientY: {y} }}");
    page.run(&format!(
        "document.querySelector('#map').dispatchEvent(new MouseEvent('click', {point}))"
    ))
    .await;
}

/// The map ends before the poles. A bottle beyond its end is at its edge: it is counted, opens, and is shown there
/// when its reader asks for it. Its letter names the true position.
#[rstest]
#[case::north(90.0, 26, "90.00° N, 30.00° W")]
#[case::south(-88.5, 746, "88.50° S, 30.00° W")]
#[tokio::test]
async fn a_bottle_at_a_pole_is_at_the_edge_of_the_map(
    #[case] latitude: f64,
    #[case] y: u32,
    #[case] position: &str,
) {
    let (_folder, program) = start();
    let bob = bob(&program);
    bob.throw(latitude, -30.0);
    let hash = format!("#4/{}/-30", latitude.signum() * 84.0);
    let page = Browser::open(program.port, "en", DESKTOP, &hash).await;
    page.reads("1 bottle in view").await;
    page.follow("#4/0/0").await;
    page.reads("No bottles here").await;
    register(&page, "en", "ada").await;
    page.follow(&hash).await;
    page.reads("1 bottle in view").await;
    click_map(&page, (640, y)).await;
    page.click("Open").await;
    page.reads("A message from Bob").await;
    page.reads(position).await;
    page.click("Show on the map").await;
    page.click("Close").await;
    page.wait_for("return location.hash.startsWith('#8/')").await;
    page.reads("1 bottle in view").await;
    // The middle of the part of the map that the panel left free.
    click_map(&page, (832, y)).await;
    page.reads("You have already opened this bottle.").await;
    page.close(&[]).await;
}

/// The first view of the projector holds a bottle at the north pole.
#[tokio::test]
async fn the_projector_shows_the_north_pole() {
    let (_folder, program) = start();
    let bob = bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    log_in(&page, "en", "bob").await;
    page.go("live").await;
    page.reads("1 bottle").await;
    bob.throw(90.0, -30.0);
    page.wait_for("return document.querySelector('.arrival')?.getBoundingClientRect().top >= 0")
        .await;
    page.close(&[]).await;
}

/// The title and the controls over the map have a surface of their own, which hides the labels of the map.
#[rstest]
#[case::desktop(DESKTOP)]
#[case::phone(PHONE)]
#[tokio::test]
async fn the_title_hides_the_labels_behind_it(#[case] size: (u32, u32)) {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", size, "").await;
    page.wait_for("return document.querySelector('.leaflet-control-attribution') && true").await;
    let see_through = page.run(
        "return ['.brand', '.actions', '#in-view', '#throw', '.leaflet-control-zoom a', '.leaflet-control-attribution']
             .filter((name) => {
                 for (let node = document.querySelector(name); node?.id !== 'map'; node = node.parentElement) {
                     if (!node) return true;
                     if (/^rgb\\(/.test(getComputedStyle(node).backgroundColor)
                         && node !== document.body) return false;
                 }
                 return true;
             });",
    );
    assert_eq!(see_through.await, json!([]));
    page.close(&[]).await;
}

/// Opens the first bottle of a list, lets an event cause a refresh in each frame of the flight to it, and returns the
/// zooms that the page requests.
const FLY: &str = "
    window.fly = async () => {
        const { server } = await import('/js/lib/core.js');
        const zooms = [];
        const { fetch } = window;
        window.fetch = (url, options) => {
            const { pathname, searchParams } = new URL(url, document.baseURI);
            if (pathname === '/api/bottles/counts') zooms.push(searchParams.get('zoom'));
            return fetch(url, options);
        };
        const { hash } = location;
        document.querySelector('#panel .excerpt').click();
        // The address changes when the flight ends.
        while (location.hash === hash) {
            // A logout elsewhere causes a refresh.
            server.dispatchEvent(new CustomEvent('session', { detail: {} }));
            await new Promise(requestAnimationFrame);
        }
        return zooms;
    };";

/// The zoom of a request is an integer while the map flies, too: a logout or an event may cause a request then.
#[tokio::test]
async fn a_flight_requests_integer_zooms() {
    let (_folder, program) = start();
    bob(&program);
    let mut page = Browser::open_animated(program.port, DESKTOP, "#2/20/100").await;
    page.run_in_new_documents(FLY).await;
    page.reload().await;
    page.reads("1 bottle in view").await;
    page.click("1 bottle in view").await;
    page.reads("1 bottle near").await;
    let zooms = page.run_async("window.fly().then(done)");
    let zooms: Vec<String> = serde_json::from_value(zooms.await).unwrap();
    assert!(!zooms.is_empty());
    for zoom in &zooms {
        assert!(zoom.parse::<u8>().is_ok(), "{zooms:?}");
    }
    page.close(&[]).await;
}
