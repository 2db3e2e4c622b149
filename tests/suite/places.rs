//! The built-in map: its data as files, and the search for a place.

use bottle_test_support::App;
use rstest::rstest;
use serde_json::{Value, json};

/// The pieces of places, the index of them and the water are sent as they are in the program, under addresses that
/// browsers keep.
#[test]
fn the_data_of_the_map_is_delivered_compressed_and_once() {
    let app = App::new();
    let client = app.anon();
    let index = client.get("/data/places/index.json").json();
    let pieces = index.as_object().unwrap();
    assert!(pieces.len() > 100);
    for (key, version) in pieces.iter().step_by(40) {
        let version = version.as_str().unwrap();
        let path = format!("/data/places/{key}.bin?v={version}");
        let packed = client.send("HEAD", &path, &[("Accept-Encoding", "gzip")], None);
        assert_eq!((packed.status, packed.header("content-encoding")), (200, "gzip"), "{path}");
        assert_eq!(packed.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(packed.header("content-type"), "application/octet-stream");
        assert!(packed.header("content-length").parse::<usize>().unwrap() <= 20_500);
        let plain = client.send("HEAD", &path, &[("Accept-Encoding", "identity")], None);
        assert_eq!((plain.status, plain.header("content-encoding")), (200, ""));

        let etag = packed.header("etag");
        assert!(etag.starts_with(&format!("\"{version}")));
        assert_eq!(client.send("GET", &path, &[("If-None-Match", etag)], None).status, 304);
    }
    let water = client.send("HEAD", "/data/water.bin", &[("Accept-Encoding", "gzip")], None);
    assert_eq!((water.status, water.header("content-encoding")), (200, "gzip"));
}

fn search(app: &App, query: &str) -> Value {
    let response = app.anon().get(&format!("/places?{query}"));
    assert_eq!((response.status, response.header("content-type")), (200, "application/json"));
    response.json()["places"].clone()
}

#[rstest]
#[case::english("q=beij", "Beijing")]
#[case::english_of_its_country("q=beij&language=en", "Beijing")]
#[case::chinese("q=beij&language=zh", "北京")]
#[case::by_its_chinese_name("q=%E5%8C%97%E4%BA%AC", "Beijing")]
#[case::unknown_language("q=BEIJ&language=fr", "Beijing")]
fn a_place_is_found_in_the_language_of_the_reader(#[case] query: &str, #[case] name: &str) {
    let app = App::new();
    let found = search(&app, query)[0].clone();
    let latitude = found["latitude"].as_f64().unwrap();
    assert_eq!((&found["name"], &found["country"]), (&json!(name), &json!("CN")));
    assert!((latitude - 39.9).abs() < 0.1, "{found}");
    assert_eq!(found.get("local").is_some(), name == "Beijing", "{found}");
}

#[test]
fn a_search_returns_few_places_and_survives_any_text() {
    let app = App::new();
    assert_eq!(search(&app, "q=san").as_array().unwrap().len(), 8);
    let springfields = search(&app, "q=springfield");
    let springfields = springfields.as_array().unwrap();
    assert!(springfields.len() > 3 && springfields.iter().all(|place| place["country"] == "US"));
    let long = "a".repeat(5000);
    for text in ["", "%20", "%0A", "%1F", "%F0%9F%8D%BE", "zzzzzz", &long] {
        assert_eq!(search(&app, &format!("q={text}")), json!([]), "{text}");
    }
    assert_eq!(app.anon().get("/places").status, 404);
}
