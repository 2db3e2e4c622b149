//! Street maps of vectors: what is drawn, in which colours and languages.

use std::path::{Path, PathBuf};

use bottle_test_support::{Program, bottle};
use rstest::rstest;
use serde_json::Value;

use super::{DESKTOP, PHONE, bob, register, words};
use crate::driver::Browser;
use crate::exceptions::is_excepted;

/// The middle of the maps in `tests/fixtures/maps`.
const PLACE: &str = "60.1695/24.9467";

fn serve(folder: &Path, map: &Path) -> Program {
    let mut command = bottle(folder, &["serve", "--map"]);
    command.arg(map);
    Program::start(command)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/maps").join(name)
}

/// Records the texts that are drawn on the canvases from now on.
const RECORD_TEXTS: &str = "
    window.texts = new Set();
    const context = CanvasRenderingContext2D.prototype;
    const { fillText } = context;
    context.fillText = function (text, ...place) {
        window.texts.add(text);
        return fillText.call(this, text, ...place);
    };";

/// Returns the colours of the streets' tiles, the most frequent first, once there are several.
const COLOURS: &str = "
    const counts = new Map();
    for (const tile of document.querySelectorAll('.leaflet-layer[style*=\"z-index: 150\"] canvas')) {
        if (!tile.width) continue;
        const { data } = tile.getContext('2d').getImageData(0, 0, tile.width, tile.height);
        for (let i = 0; i < data.length; i += 4 * 7) {
            if (data[i + 3] < 255) continue;
            const colour = `${data[i]} ${data[i + 1]} ${data[i + 2]}`;
            counts.set(colour, (counts.get(colour) ?? 0) + 1);
        }
    }
    const colours = [...counts].filter(([, count]) => count > 200).sort((a, b) => b[1] - a[1]);
    return colours.length > 3 ? colours.map(([colour]) => colour) : null;";

#[rstest]
#[case::openmaptiles("openmaptiles.mbtiles", "en", DESKTOP, "Helsinki")]
#[case::protomaps("protomaps.pmtiles", "zh", PHONE, "赫爾辛基")]
#[tokio::test]
async fn vectors_are_drawn(
    #[case] map: &str,
    #[case] language: &str,
    #[case] size: (u32, u32),
    #[case] city: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let program = serve(folder.path(), &fixture(map));
    let page = Browser::open(program.port, language, size, &format!("#14/{PLACE}")).await;
    page.reads("OpenStreetMap").await;
    page.reads(words(language, "Street map", "街道地图")).await;
    page.run(RECORD_TEXTS).await;
    page.follow(&format!("#15/{PLACE}")).await;
    page.wait_for(&format!("return window.texts.has('{city}')")).await;
    page.follow(&format!("#16/{PLACE}")).await;
    page.wait_for("return window.texts.has('Mikonkatu')").await;
    // Ground, houses and streets.
    let light = page.wait_for(COLOURS).await;
    for colour in ["244 239 226", "227 216 195", "255 255 255"] {
        assert!(light.as_array().unwrap().contains(&colour.into()), "{colour} in {light}");
    }
    page.check_accessible("a street map").await;
    if !is_excepted() {
        page.prefer_dark();
        const IS_DARK: &str = "(([colour]) => colour === '29 58 68' || colour === '42 74 84')";
        page.wait_for(&COLOURS.replace(
            "return colours.length > 3 ? colours.map(([colour]) => colour) : null",
            &format!("return colours.some({IS_DARK})"),
        ))
        .await;
        page.check_accessible("a dark street map").await;
    }
    // The built-in ground shows beside the map.
    page.follow("#15/60.1695/24.99").await;
    page.wait_for(
        "return !document.querySelector('.leaflet-layer[style*=\"z-index: 150\"] canvas')",
    )
    .await;

    // The projector flies to new bottles, where it shows the streets.
    register(&page, language, "ada").await;
    let bob = bob(&program);
    page.go("live").await;
    page.reads("OpenStreetMap").await;
    page.reads(words(language, "1 bottle", "1 个瓶子")).await;
    for n in 0..3 {
        bob.throw(60.166 + f64::from(n) * 0.002, 24.94 + f64::from(n) * 0.004);
    }
    page.reads(words(language, "4 bottles", "4 个瓶子")).await;
    // The map is far: few pixels are streets.
    let some = COLOURS
        .replace("count > 200", "count > 20")
        .replace("colours.length > 3", "colours.length > 1");
    page.wait_for(&some).await;
    page.close(&[]).await;
}

/// Prints the duration of frames while a street map is dragged: `cargo test --test browser -- --ignored frames`.
/// `BOTTLE_MAP` names another map than the fixture, `BOTTLE_PLACE` another place than its middle.
#[tokio::test]
#[ignore = "a measurement, which a busy machine spoils"]
async fn frames_while_a_street_map_is_dragged() {
    const DRAG: &str = "
        const map = document.querySelector('#map');
        const send = (type, x, y) => map.dispatchEvent(
            new MouseEvent(type, { bubbles: true, cancelable: true, button: 0, clientX: x, clientY: y, view: window }));
        const frames = [];
        let last = performance.now();
        let step = 0;
        const begun = last;
        // Twelve drags of 60 frames, in each of four directions by turns.
        const move = (now) => {
            frames.push(now - last);
            last = now;
            const [drag, at] = [Math.floor(step / 60), step % 60];
            const [dx, dy] = [[8, 0], [0, 6], [-8, 0], [0, -6]][drag % 4];
            if (at === 0) send('mousedown', 640, 400);
            send('mousemove', 640 + dx * at, 400 + dy * at);
            if (at === 59) send('mouseup', 640 + dx * at, 400 + dy * at);
            step += 1;
            if (step < 60 * 12 && now - begun < 20000) requestAnimationFrame(move);
            else done(frames.slice(5));
        };
        requestAnimationFrame(move);";
    let folder = tempfile::tempdir().unwrap();
    let map = std::env::var_os("BOTTLE_MAP")
        .map_or_else(|| fixture("openmaptiles.mbtiles"), PathBuf::from);
    let place = std::env::var("BOTTLE_PLACE").unwrap_or_else(|_| PLACE.into());
    let program = serve(folder.path(), &map);
    for zoom in [14, 15, 16] {
        let page = Browser::open_animated(program.port, DESKTOP, &format!("#{zoom}/{place}")).await;
        page.wait_for(COLOURS).await;
        let frames: Value = page.run_async(DRAG).await;
        let mut frames: Vec<f64> = serde_json::from_value(frames).unwrap();
        frames.sort_by(f64::total_cmp);
        let at = |share: f64| frames[((frames.len() - 1) as f64 * share) as usize];
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        println!(
            "zoom {zoom}: median {:.0} ms, 95% {:.0} ms, 99% {:.0} ms, longest {:.0} ms; load {load}",
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0),
        );
        page.close(&[]).await;
    }
}
