//! Exports in GPX, read as another program reads XML.

use bottle_test_support::{App, Client, run, run_ok};
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::json;

/// A waypoint: its attributes, and its children with their texts.
type Waypoint = (Vec<(String, String)>, Vec<(String, String)>);

/// Reads a document of GPX 1.1, and panics if a rule of its schema does not hold.
fn read(text: &str) -> Vec<Waypoint> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let (mut path, mut waypoints) = (Vec::<String>::new(), Vec::<Waypoint>::new());
    loop {
        let event = reader.read_event().unwrap();
        match event {
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                let attributes: Vec<(String, String)> = tag
                    .attributes()
                    .map(|one| {
                        let one = one.unwrap();
                        let key = one.key.as_ref().to_owned();
                        (key, one.value.to_string())
                    })
                    .collect();
                match path.len() {
                    0 => check_root(&name, &attributes),
                    1 => {
                        assert_eq!(name, "wpt");
                        waypoints.push((attributes, Vec::new()));
                    }
                    2 => waypoints.last_mut().unwrap().1.push((name.clone(), String::new())),
                    _ => panic!("{name} in {path:?}"),
                }
                path.push(name);
            }
            Event::Text(text) if path.len() == 3 => append(&mut waypoints, &text),
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().unwrap() {
                    Some(c) => c.to_string(),
                    None => match &*reference {
                        "amp" => "&".to_owned(),
                        "lt" => "<".to_owned(),
                        "gt" => ">".to_owned(),
                        other => panic!("&{other};"),
                    },
                };
                append(&mut waypoints, &resolved);
            }
            Event::Text(text) => assert!(text.trim().is_empty()),
            Event::End(_) => drop(path.pop()),
            Event::Decl(_) => assert!(path.is_empty()),
            Event::Eof => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(path.is_empty());
    waypoints.iter().for_each(check);
    waypoints
}

fn append(waypoints: &mut [Waypoint], text: &str) {
    waypoints.last_mut().unwrap().1.last_mut().unwrap().1.push_str(text);
}

fn check_root(name: &str, attributes: &[(String, String)]) {
    assert_eq!(name, "gpx");
    let value = |key: &str| attributes.iter().find(|(name, _)| name == key).unwrap().1.clone();
    assert_eq!(value("version"), "1.1");
    assert_eq!(value("xmlns"), "http://www.topografix.com/GPX/1/1");
    assert!(value("creator").starts_with("Bottle "));
}

/// The rules of the schema for a waypoint.
fn check((attributes, children): &Waypoint) {
    let names: Vec<&str> = attributes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["lat", "lon"]);
    for ((_, value), max) in attributes.iter().zip([90.0, 180.0]) {
        // A decimal has no exponent.
        assert!(value.chars().all(|c| c.is_ascii_digit() || "-.".contains(c)), "{value}");
        let value: f64 = value.parse().unwrap();
        assert!((-max..=max).contains(&value) && value != 180.0, "{value}");
    }
    let order = ["time", "name", "cmt", "desc", "src"];
    let places: Vec<usize> = children
        .iter()
        .map(|(name, _)| order.iter().position(|known| known == name).unwrap())
        .collect();
    assert!(places.is_sorted(), "{children:?}");
    let time = &children[0].1;
    assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
}

fn child<'a>(waypoint: &'a Waypoint, name: &str) -> Option<&'a str> {
    waypoint.1.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
}

#[track_caller]
fn throw(client: &Client, content: &str, latitude: f64, longitude: f64, address: &str) {
    let location =
        json!({ "latitude": latitude, "longitude": longitude, "formatted_address": address });
    let thrown = client.post("/api/bottles", &json!({ "content": content, "location": location }));
    assert_eq!(thrown.status, 200, "{}", thrown.text);
}

const MARKUP: &str = "<wpt lat='1'> & ]]> \"海\" &amp;\r\nsecond\tline";

#[test]
fn an_export_is_a_document_that_other_programs_read() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("<bob> & co"));
    throw(&ada, MARKUP, 1e-7, 180.0, "A & B <Road>");
    throw(&ada, "no address", -90.0, -0.0, "");
    throw(&bob, "of bob", 12.5, -180.0, "");
    // Text that only another program could have stored.
    let db = rusqlite::Connection::open(app.database()).unwrap();
    let odd = "\u{1}\u{b}\u{1f}|\u{fffe}\u{ffff}|\u{1f40b}";
    db.execute("UPDATE messages SET content = ?1 WHERE bottle_id = 2", [odd]).unwrap();

    let written = run_ok(app.folder(), &["export", "--format", "gpx"]);
    let all = read(&written);
    assert_eq!(all.len(), 3);
    assert_eq!(child(&all[0], "desc"), Some(MARKUP));
    assert_eq!(child(&all[0], "name"), Some("<wpt lat='1'> & ]]> \"海\" &amp;"));
    assert_eq!(child(&all[0], "cmt"), Some("A & B <Road>"));
    assert_eq!(all[0].0[0].1, "0.0000001");
    assert_eq!(all[0].0[1].1, "-180");
    let replaced = "\u{fffd}\u{fffd}\u{fffd}|\u{fffd}\u{fffd}|\u{1f40b}";
    assert_eq!((child(&all[1], "desc"), child(&all[1], "cmt")), (Some(replaced), None));
    assert_eq!(child(&all[2], "src"), Some("<bob> & co"));

    let one = read(&run_ok(app.folder(), &["export", "--format", "gpx", "--user", "ada"]));
    assert_eq!(one, all[..2]);
    let own = bob.get("/api/users/self/export?format=gpx");
    assert_eq!(own.header("content-type"), "application/gpx+xml");
    assert_eq!(read(&own.text), all[2..]);
    assert!(read(&app.user("eve").get("/api/users/self/export?format=gpx").text).is_empty());
}

/// A document that is longer than a chunk is sent in several.
#[test]
fn a_long_document_arrives_whole() {
    let app = App::new();
    let ada = app.user("ada");
    for n in 0..40 {
        throw(&ada, &format!("{n} {}", "海".repeat(3990)), f64::from(n), 1.0, "");
    }
    for format in ["gpx", "geojson"] {
        let sent = ada.get(&format!("/api/users/self/export?format={format}")).text;
        assert_eq!(sent, run_ok(app.folder(), &["export", "--format", format, "--user", "ada"]));
    }
}

#[test]
fn an_unknown_format_is_refused() {
    let app = App::new();
    let ada = app.user("ada");
    let response = ada.get("/api/users/self/export?format=kml");
    assert_eq!((response.status, &response.data()["field"]), (422, &json!("format")));
    let json = ada.get("/api/users/self/export?format=json");
    assert_eq!(json.text, ada.get("/api/users/self/export").text);
    let geojson = ada.get("/api/users/self/export?format=geojson");
    assert_eq!(geojson.header("content-type"), "application/geo+json");
    assert_eq!(geojson.json()["type"], "FeatureCollection");

    let jsonl = run_ok(app.folder(), &["export", "--format", "jsonl"]);
    assert_eq!(jsonl, run_ok(app.folder(), &["export"]));
    let old = run_ok(app.folder(), &["export", "--geojson"]);
    assert_eq!(old, run_ok(app.folder(), &["export", "--format", "geojson"]));
    let unknown = run(app.folder(), &["export", "--format", "kml"]);
    let stderr = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(stderr.contains("the formats are jsonl, geojson and gpx"), "{stderr}");
}
