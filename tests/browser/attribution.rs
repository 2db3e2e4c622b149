//! The credits of the street map come from its file or from the settings. The page shows them as text and safe links.

use std::path::Path;

use bottle_test_support::{Program, bottle, fast_settings_with};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::json;

use super::DESKTOP;
use crate::driver::Browser;

/// The source of the map, whose makers must be credited.
#[derive(Clone, Copy)]
enum Source {
    MapFile,
    Setting,
}

/// Starts a server whose street map carries this attribution.
fn start(folder: &Path, source: Source, attribution: &str) -> Program {
    match source {
        Source::MapFile => {
            let map = folder.join("city.mbtiles");
            write_map(&map, attribution);
            let mut command = bottle(folder, &["serve", "--map"]);
            command.arg(map);
            Program::start(command)
        }
        Source::Setting => {
            let mut command = bottle(folder, &[]);
            // Without a host: to ask another would be an error in the console.
            let map = format!(
                "tile_url=\"tiles/{{z}}/{{x}}/{{y}}\",tile_attribution={}",
                json!(attribution)
            );
            command.env("ROCKET_BOTTLE", fast_settings_with(&map));
            Program::start(command)
        }
    }
}

/// An MBTiles file without a single tile.
fn write_map(path: &Path, attribution: &str) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(
        "CREATE TABLE metadata (name TEXT, value TEXT);
         CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB);
         INSERT INTO metadata VALUES ('format', 'png');",
    )
    .unwrap();
    db.execute("INSERT INTO metadata VALUES ('attribution', ?1)", [attribution]).unwrap();
}

#[rstest]
#[tokio::test]
async fn an_attribution_is_text_and_safe_links(
    #[values(Source::MapFile, Source::Setting)] source: Source,
) {
    let folder = tempfile::tempdir().unwrap();
    let program = start(
        folder.path(),
        source,
        "<meta http-equiv=refresh content='0;url=//elsewhere.example'>\
         <img src=x onerror='document.title=1'><style>#map{display:none}</style>\
         &copy; <b>Map</b> <a href='https://maps.example/about' onclick='x()' style='color:red'>makers</a>, \
         <a href='javascript:alert(1)'>script</a> <a href='//elsewhere.example'>elsewhere</a> \
         <a href='https://'>broken</a> 1 &lt; 2",
    );
    let page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    page.reads("© Map makers, script elsewhere broken 1 < 2").await;
    let credits = page.run(
        "const credits = document.querySelector('.leaflet-control-attribution');
         const attributes = (node) => node.getAttributeNames().map((name) => [name, node.getAttribute(name)]);
         const own = ['https://leafletjs.com', 'https://www.geonames.org'];
         return [...credits.querySelectorAll('*')]
             .filter((node) => !node.matches('[aria-hidden]') && !own.includes(node.getAttribute('href')))
             .map((node) => [node.localName, Object.fromEntries(attributes(node)), node.textContent]);",
    );
    let link = json!({ "href": "https://maps.example/about", "rel": "noopener noreferrer" });
    assert_eq!(credits.await, json!([["a", link, "makers"]]));
    page.check_accessible("credits").await;
    // The browser names the policy even where a document is only parsed; and the setting's tiles do not exist.
    page.close(&["Content Security Policy", "404"]).await;
}
