//! The requests of the page: its files, counts, the street map, and the account's deletion.

use std::collections::BTreeSet;
use std::path::Path;

use bottle_test_support::{App, Client, Response};
use rstest::rstest;
use serde_json::{Value, json};

#[test]
fn the_page_is_compressed_cached_and_fenced_in() {
    let app = App::new();
    let plain = app.anon().send("GET", "/", &[("Accept-Encoding", "identity")], None);
    assert_eq!(plain.status, 200);
    assert!(plain.header("content-type").starts_with("text/html"));
    assert!(plain.header("content-security-policy").contains("default-src 'self'"));
    assert!(plain.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(plain.header("x-content-type-options"), "nosniff");

    let etag = plain.header("etag").to_owned();
    let again = app.anon().send("GET", "/", &[("If-None-Match", &etag)], None);
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    let weak = format!("\"other\", W/{etag}");
    assert_eq!(app.anon().send("GET", "/", &[("If-None-Match", &weak)], None).status, 304);
}

#[rstest]
#[case::compressed_when_asked_for("/vendor/leaflet/leaflet.js", "Leaflet")]
#[case::compressed_in_the_program("/vendor/world-atlas/land-10m.json", "Topology")]
fn large_files_are_compressed_for_who_takes_that(#[case] path: &str, #[case] word: &str) {
    let app = App::new();
    let client = app.anon();
    let plain = client.send("GET", path, &[("Accept-Encoding", "identity")], None);
    assert_eq!((plain.status, plain.header("content-encoding")), (200, ""));
    assert!(plain.text.contains(word));
    let packed = client.send("HEAD", path, &[("Accept-Encoding", "br, gzip;q=0.8")], None);
    assert_eq!((packed.status, packed.header("content-encoding")), (200, "gzip"));
    let size = |response: &Response| response.header("content-length").parse::<usize>().unwrap();
    assert!(size(&packed) * 2 < size(&plain));
    assert_eq!(packed.header("content-type"), plain.header("content-type"));
}

/// A browser caches a file of a library for a year if the address names its version.
#[rstest]
#[case::current("/data/cities.json?v=", true, IMMUTABLE)]
#[case::compressed_in_the_program("/vendor/world-atlas/land-10m.json?v=", true, IMMUTABLE)]
#[case::another_version("/data/cities.json?v=0123456789ab", false, "max-age=86400")]
#[case::no_version("/data/cities.json?v=", false, "max-age=86400")]
#[case::no_query("/data/cities.json", false, "max-age=86400")]
#[case::another_parameter("/data/cities.json?version=", true, "max-age=86400")]
#[case::own_file("/css/page.css", false, "no-cache")]
fn a_version_in_the_address_is_cached_for_a_year(
    #[case] path: &str,
    #[case] is_versioned: bool,
    #[case] cache_control: &str,
) {
    let app = App::new();
    let etag = app.anon().get(path).header("etag").to_owned();
    let version = if is_versioned { &etag[1..13] } else { "" };
    let path = format!("{path}{version}");
    assert_eq!(app.anon().get(&path).header("cache-control"), cache_control);
    let again = app.anon().send("GET", &path, &[("If-None-Match", &etag)], None);
    assert_eq!((again.status, again.header("cache-control")), (304, cache_control));
}

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Each reference of the page to a file of a library names the version of that file.
#[test]
fn the_page_names_the_versions_of_libraries() {
    let app = App::new();
    let references: BTreeSet<String> = page_sources()
        .iter()
        .flat_map(|source| source.split(['"', '\'', '`']).map(str::to_owned).collect::<Vec<_>>())
        .filter(|text| ["vendor/", "data/"].iter().any(|folder| text.starts_with(folder)))
        .collect();
    assert_eq!(references.len(), 8, "{references:?}");
    for reference in references {
        let response = app.anon().send("HEAD", &format!("/{reference}"), &[], None);
        let version = response.header("etag").get(1..13).unwrap_or_default().to_owned();
        assert_eq!(
            response.header("cache-control"),
            IMMUTABLE,
            "{reference}: the version is {version}"
        );
    }
}

/// The page preloads what its second stage imports, and nothing else.
#[test]
fn the_page_preloads_its_second_stage() {
    let main = source("js/main.js");
    let list = main.split_once("const SECOND_STAGE = [").unwrap().1.split_once(']').unwrap().0;
    let preloaded: BTreeSet<String> = list
        .split('\'')
        .skip(1)
        .step_by(2)
        .filter(|path| path.ends_with(".js"))
        .map(str::to_owned)
        .collect();

    let first = imported("js/main.js");
    let second = imported("js/map/startup.js");
    assert_eq!(preloaded, second.difference(&first).cloned().collect());
}

/// Returns the modules that the module at `path` imports statically, and those that they import.
fn imported(path: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let folder = path.rsplit_once('/').unwrap().0;
        for line in source(&path).lines().filter(|line| !line.contains("@import")) {
            let Some((_, name)) = line.split_once(" from './").or(line.split_once(" from '../"))
            else {
                continue;
            };
            let folder = if line.contains("'../") { "js" } else { folder };
            let module = format!("{folder}/{}", name.trim_end_matches("';"));
            if found.insert(module.clone()) {
                waiting.push(module);
            }
        }
    }
    found
}

fn source(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
    std::fs::read_to_string(folder.join(path)).unwrap()
}

/// Returns the page's own HTML and JavaScript.
fn page_sources() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
    ["", "js", "js/admin", "js/lib", "js/map", "js/pages", "js/panels"]
        .iter()
        .flat_map(|part| std::fs::read_dir(folder.join(part)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "html" || e == "js"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

/// Both languages have the same strings in the same order.
#[rstest]
#[case("lang")]
#[case("lang/admin")]
#[case("lang/classes")]
#[case("lang/feed")]
fn every_string_is_in_both_languages(#[case] folder: &str) {
    let keys = |language: &str| -> Vec<String> {
        let list = source(&format!("{folder}/{language}.js"));
        let keys = list.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(':'));
        keys.map(|(key, _)| key.to_owned()).filter(|key| !key.starts_with(' ')).collect()
    };
    assert!(!keys("en").is_empty());
    assert_eq!(keys("en"), keys("zh"));
}

#[rstest]
#[case("/../Cargo.toml")]
#[case("/%2e%2e/Cargo.toml")]
#[case("/nothing.js")]
#[case("/static/index.html")]
fn only_its_files_are_served(#[case] path: &str) {
    assert_eq!(App::new().anon().get(path).status, 404);
}

#[test]
fn settings_are_told_to_anyone() {
    let app = App::with(|settings| {
        settings.tile_url = "https://tiles.example.org/{z}/{x}/{y}.png".into();
    });
    let data = app.anon().get("/api/settings").data();
    assert_eq!(data["tile_url"], "https://tiles.example.org/{z}/{x}/{y}.png");
    assert_eq!(data["min_password_length"], 4);
    assert_eq!((&data["mbtiles"], &data["demo_accounts"]), (&Value::Null, &json!([])));
    let policy = app.anon().get("/");
    assert!(policy.header("content-security-policy").contains("blob: https://tiles.example.org;"));
}

fn counts(client: &Client, [lat, lon, lat_span, lon_span]: [f64; 4], zoom: u8) -> Value {
    let response = client.get(&format!(
        "/api/bottles/counts?latitude={lat}&longitude={lon}&latitude_span={lat_span}\
         &longitude_span={lon_span}&zoom={zoom}"
    ));
    assert_eq!(response.status, 200, "{}", response.text);
    response.data()
}

const WORLD: [f64; 4] = [0.0, 0.0, 90.0, 180.0];

#[rstest]
fn counts_are_kept_in_step(#[values(0, 2, 5, 9, 12, 22)] zoom: u8) {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let places =
        [(0.0, 0.0), (0.0, 0.0), (90.0, 180.0), (-90.0, -180.0), (52.5, 13.4), (52.5001, 13.4001)];
    for (latitude, longitude) in places {
        ada.throw(latitude, longitude);
        bob.throw(-latitude / 2.0, longitude);
    }
    assert_eq!(counts(&ada, WORLD, zoom)["total"], 12);
    let near = counts(&ada, [52.5, 13.4, 0.01, 0.01], zoom);
    assert!(near["total"].as_i64().unwrap() >= 2, "{near}");
    let cell = &near["cells"][0];
    let half = near["cell"]["latitude"].as_f64().unwrap() / 2.0;
    assert!((cell["latitude"].as_f64().unwrap() - 52.5).abs() <= half + 0.001, "{near}");

    let gone = ada.json("DELETE", "/api/users/self", &json!({ "password": "pass" }));
    assert_eq!(gone.status, 200, "{}", gone.text);
    assert_eq!(counts(&bob, WORLD, zoom)["total"], 6);
}

/// Both sides of the antimeridian, each cell once.
#[test]
fn counts_go_on_over_the_antimeridian() {
    let app = App::new();
    let ada = app.user("ada");
    for longitude in [179.9, 180.0, -180.0, -179.9, 170.0] {
        ada.throw(10.0, longitude);
    }
    assert_eq!(counts(&ada, [10.0, 180.0, 0.5, 0.5], 10)["total"], 4);
    assert_eq!(counts(&ada, [10.0, -179.9, 0.5, 0.5], 10)["total"], 4);
    assert_eq!(counts(&ada, [10.0, 0.0, 0.5, 179.99], 10)["total"], 5);
    assert_eq!(counts(&ada, [10.0, 100.0, 0.5, 179.99], 0)["total"], 5);
}

#[test]
fn visitors_see_coarse_counts_if_the_operator_lets_them() {
    let app = App::new();
    let ada = app.user("ada");
    ada.throw(52.5, 13.4);
    let around = [52.5, 13.4, 0.01, 0.01];
    assert!(counts(&app.anon(), around, 22)["cell"]["latitude"].as_f64().unwrap() > 0.08);
    assert!(counts(&ada, around, 22)["cell"]["latitude"].as_f64().unwrap() < 0.03);

    let app = App::over(app.stop(), |settings| settings.public_counts = false);
    let path = "/api/bottles/counts?latitude=0&longitude=0&latitude_span=1&longitude_span=1&zoom=1";
    assert_eq!(app.anon().get(path).status, 401);
}

/// An answer is never long, however fine the cells that are asked for.
#[test]
fn counts_of_the_world_are_coarse_at_any_zoom() {
    let app = App::new();
    let size = counts(&app.anon(), WORLD, 22)["cell"]["latitude"].as_f64().unwrap();
    assert!(180.0 / size * 360.0 / size <= 4096.0);
}

#[test]
fn log_out_everywhere_is_everywhere() {
    let app = App::new();
    let (ada, mut elsewhere) = (app.user("ada"), app.anon());
    elsewhere.log_in("ada", "pass");
    assert_eq!(ada.delete("/api/sessions").status, 200);
    assert_eq!(
        (ada.get("/api/users/self").status, elsewhere.get("/api/users/self").status),
        (401, 401)
    );
}

#[test]
fn deleting_an_account_asks_its_password() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let id = bob.throw(1.0, 1.0);
    ada.send("POST", &format!("/api/bottles/{id}/open"), &[], None);
    let wrong = ada.json("DELETE", "/api/users/self", &json!({ "password": "guess" }));
    assert_eq!((wrong.status, wrong.json()["msg"].as_str()), (403, Some("密码错误")));
    assert_eq!(ada.json("DELETE", "/api/users/self", &json!({})).status, 422);
    assert_eq!(ada.json("DELETE", "/api/users/self", &json!({ "password": "pass" })).status, 200);
    assert_eq!(ada.get("/api/users/self").status, 401);
    assert_eq!(bob.get(&format!("/api/bottles/{id}/openers")).data()["openers_count"], 0);
}

/// A browser that opens a missing page gets a page.
#[rstest]
#[case::address("/no/such/page", "text/html,application/xhtml+xml,*/*;q=0.8")]
#[case::hidden_file("/.env", "text/html")]
#[case::hidden_folder("/.git/config", "text/html")]
#[case::no_file_name("/a%5Cb/%00", "text/html")]
#[case::tile_without_a_map("/tiles/3/2/7", "text/html")]
#[case::no_tile("/tiles/x/y/z", "text/html")]
fn a_missing_page_is_html_for_browsers(#[case] path: &str, #[case] accept: &str) {
    let app = App::new();
    let missing = app.anon().send("GET", path, &[("Accept", accept)], None);
    assert_eq!(missing.status, 404);
    // Also for a client that has cached the file of this page.
    let etag = app.anon().get("/404.html").header("etag").to_owned();
    let headers = [("Accept", accept), ("If-None-Match", etag.as_str())];
    assert_eq!(app.anon().send("GET", path, &headers, None).text, missing.text);
    assert_eq!(missing.header("content-type"), "text/html; charset=utf-8");
    assert!(missing.text.contains("There is no page at this address."), "{}", missing.text);
    assert_eq!(missing.header("vary"), "Accept, Accept-Encoding");
}

/// Other clients, and all clients of a contract, get JSON. A path that no file can have is malformed to them.
#[rstest]
#[case::of_any_type("/no/such/page", "*/*", 404)]
#[case::of_json("/no/such/page", "application/json, text/html;q=0.5", 404)]
#[case::below_a_contract("/api/nothing", "text/html", 404)]
#[case::first_draft("/users/nothing/here", "text/html", 404)]
#[case::another_contract("/auth/nothing", "text/html", 404)]
#[case::picture_of_a_tile("/tiles/3/2/7", "image/avif,image/webp,*/*;q=0.8", 404)]
#[case::hidden_file("/.env", "*/*", 400)]
#[case::hidden_folder("/.git/config", "application/json", 400)]
#[case::hidden_file_of_a_contract("/api/.env", "text/html", 400)]
fn a_missing_page_is_json_for_other_clients(
    #[case] path: &str,
    #[case] accept: &str,
    #[case] status: u16,
) {
    let app = App::new();
    let missing = app.anon().send("GET", path, &[("Accept", accept)], None);
    assert_eq!((missing.status, missing.header("content-type")), (status, "application/json"));
    assert_eq!(missing.text, app.anon().send("GET", path, &[], None).text);
    if status == 400 {
        assert_eq!(missing.text, r#"{"status":"BAD_REQUEST","msg":"请求格式不正确","data":{}}"#);
    }
}

/// Chromium offers to install a page with PNG icons of 192 and 512 pixels.
#[test]
fn the_manifest_names_icons() {
    let app = App::new();
    let client = app.anon();
    let manifest = client.get("/manifest.webmanifest").json();
    let icons = manifest["icons"].as_array().unwrap();
    let pngs = icons.iter().filter(|icon| icon["type"] == "image/png");
    let sizes = pngs.map(|icon| {
        let path = icon["src"].as_str().unwrap();
        let served = client.send("HEAD", &format!("/{path}"), &[], None);
        assert_eq!((served.status, served.header("Content-Type")), (200, "image/png"));
        let file = std::fs::read(Path::new("static").join(path)).unwrap();
        // The signature, a chunk's length and type, then width and height.
        assert!(file.starts_with(b"\x89PNG\r\n\x1a\n"), "{path}");
        let [width, height] =
            [16, 20].map(|at| u32::from_be_bytes(file[at..at + 4].try_into().unwrap()));
        assert_eq!(icon["sizes"], format!("{width}x{height}"), "{path}");
        width
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [192, 512, 512]);
}

#[test]
fn every_page_has_a_title_and_a_description() {
    let pages = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/static")).unwrap();
    let pages = pages.map(|page| page.unwrap().path());
    let pages = pages.filter(|page| page.extension().is_some_and(|extension| extension == "html"));
    for page in pages {
        let html = std::fs::read_to_string(&page).unwrap();
        assert!(html.contains("<title>"), "{}", page.display());
        assert!(html.contains("<meta name=\"description\""), "{}", page.display());
    }
}
