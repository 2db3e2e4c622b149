//! The projector `/live`: arrivals where they are, a view that follows them, and their first words.

use bottle_test_support::run_ok_with_input;
use rstest::rstest;
use serde_json::json;

use super::{DESKTOP, PHONE, bob, log_in, start, words};
use crate::driver::Browser;

/// Keeps the map of the page as `theMap`.
pub(super) const KEEP_MAP: &str = "
    let leaflet;
    Object.defineProperty(window, 'L', {
        get: () => leaflet,
        set(value) {
            leaflet = value;
            value.Map.addInitHook(function () { window.theMap = this; });
        },
    });";

/// Returns a script that returns the middles of the rings around new bottles and the pixels of these places, once a
/// ring is at the last place.
fn measure(places: &[(f64, f64)]) -> String {
    format!(
        "const rings = [...document.querySelectorAll('.arrival > span')].map((ring) => {{
             const {{ x, y, width, height }} = ring.getBoundingClientRect();
             return [x + width / 2, y + height / 2];
         }});
         const points = {}.map((place) => theMap.latLngToContainerPoint(place)).map(({{ x, y }}) => [x, y]);
         const [x, y] = points.at(-1);
         return rings.some((ring) => Math.hypot(ring[0] - x, ring[1] - y) < 5) && [rings, points]",
        json!(places)
    )
}

/// A class of 30 throws in one town within moments: the map comes near, each arrival is marked where it is, none is
/// behind the notes at the sides, and a teacher shows their first words.
#[rstest]
#[case("en", DESKTOP)]
#[case("zh", PHONE)]
#[tokio::test]
async fn a_class_throws_on_the_projector(#[case] language: &str, #[case] size: (u32, u32)) {
    let w = |en, zh| words(language, en, zh);
    let (folder, program) = start();
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    let bob = bob(&program);
    let mut page = Browser::open(program.port, language, size, "").await;
    log_in(&page, language, "grace").await;
    page.run_in_new_documents(KEEP_MAP).await;
    page.go("live").await;
    page.reads(w("1 bottle", "1 个瓶子")).await;
    page.click(w("Show first words", "显示开头几句")).await;
    page.find("button", w("Hide first words", "隐藏开头几句")).await;
    let places: Vec<(f64, f64)> = (0..30_u32)
        .map(|n| (48.84 + f64::from(n % 6) * 0.012, 2.28 + f64::from(n / 6) * 0.02))
        .collect();
    for (latitude, longitude) in &places {
        bob.throw(*latitude, *longitude);
    }
    page.reads(w("31 bottles", "31 个瓶子")).await;
    let zoom = page.wait_for(
        "return !window.theMap._flyToFrame && theMap.getZoom() >= 10 && theMap.getZoom()",
    );
    assert!(zoom.await.as_f64().unwrap() <= 13.0);
    // Most marks may have gone meanwhile.
    let last = (48.87, 2.33);
    bob.throw(last.0, last.1);
    let all = [places.as_slice(), &[last]].concat();
    let [rings, expected]: [Vec<(f64, f64)>; 2] =
        serde_json::from_value(page.wait_for(&measure(&all)).await).unwrap();
    for ring in &rings {
        let is_near = |(x, y): &(f64, f64)| (ring.0 - x).hypot(ring.1 - y) < 5.0;
        assert!(expected.iter().any(is_near), "{ring:?}");
    }
    let all_are_seen = format!(
        "if (window.theMap._flyToFrame) return null;
         const words = document.querySelector('#words').getBoundingClientRect();
         return {}.map((place) => theMap.latLngToContainerPoint(place)).every(({{ x, y }}) =>
             document.elementFromPoint(x, y)?.closest('#map')
             && !(x < words.right && y > words.top && y < words.bottom))",
        json!(places)
    );
    page.wait_for(&all_are_seen).await;
    page.reads("a message").await;
    page.reads(w("— Bob", "——Bob")).await;
    page.check_accessible("the projector with a class").await;
    let mut grace = program.client();
    grace.log_in("grace", "pass");
    grace.put("/api/teacher/bottles/31", &json!({ "hidden": true }));
    page.reads(w("31 bottles", "31 个瓶子")).await;
    page.click(w("Hide first words", "隐藏开头几句")).await;
    page.reads_no_more("a message").await;

    // The reader's own movement wins, until the map shall follow again.
    page.run("document.querySelector('#map').dispatchEvent(new WheelEvent('wheel'))").await;
    page.click(w("Follow new bottles", "跟随新瓶子")).await;
    page.click(w("Back to the map", "返回地图")).await;
    page.find("button", w("Throw a bottle", "扔漂流瓶")).await;
    page.close(&[]).await;
}
