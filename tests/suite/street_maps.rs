//! Street maps: files of tiles, their routes, and files that are refused.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use bottle::store::street_maps::{StreetMap, StreetMaps};
use bottle_test_support::{App, Client, Program, Random, bottle, fast_settings_with, run_err};
use flate2::Compression;
use flate2::write::GzEncoder;
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A few blocks of Helsinki: see `tests/fixtures/maps/README.md`.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/maps").join(name)
}

/// Writes an MBTiles file with the tiles 2/1/0 and 3/1/7.
fn mbtiles(path: &Path, format: &str, attribution: &str) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(
        "CREATE TABLE metadata (name TEXT, value TEXT);
         CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB);
         INSERT INTO tiles VALUES (2, 1, 3, CAST('north' AS BLOB)), (3, 1, 0, CAST('south' AS BLOB));",
    )
    .unwrap();
    let rows = [("format", format), ("attribution", attribution)];
    for (name, value) in rows {
        db.execute("INSERT INTO metadata VALUES (?1, ?2)", [name, value]).unwrap();
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A PMTiles file of pictures, to be changed before it is written.
struct Pmtiles {
    header: Vec<u8>,
    root: Vec<u8>,
    metadata: Vec<u8>,
    leaves: Vec<u8>,
    tiles: Vec<u8>,
}

impl Pmtiles {
    /// The tile 0/0/0 is `world`. A directory below the root has the western tiles of zoom 1, 1/0/0 and 1/0/1, which
    /// are both `west`, and 1/1/0, which is `north`: ids 1, 2 and 4.
    fn new() -> Self {
        let mut header = vec![0; 127];
        header[..8].copy_from_slice(b"PMTiles\x03");
        // Clustered; directories with gzip, tiles without compression, in PNG; zooms 0 and 1.
        header[96..102].copy_from_slice(&[1, 2, 1, 2, 0, 1]);
        // Columns: steps between ids, runs, lengths, offsets plus one (0: after the entry before).
        let leaves = gzip(&[2, 1, 3, 2, 1, 4, 5, 6, 0]);
        let root = gzip(&[2, 0, 1, 1, 0, 5, leaves.len() as u8, 1, 1]);
        let metadata = gzip(br#"{"attribution":"Makers"}"#);
        Self { header, root, metadata, leaves, tiles: b"worldwestnorth".to_vec() }
    }

    fn write(self, path: &Path) {
        let Self { mut header, root, metadata, leaves, tiles } = self;
        let mut offset = header.len();
        for (at, section) in [(8, &root), (24, &metadata), (40, &leaves), (56, &tiles)] {
            header[at..at + 8].copy_from_slice(&offset.to_le_bytes());
            header[at + 8..at + 16].copy_from_slice(&section.len().to_le_bytes());
            offset += section.len();
        }
        fs::write(path, [header, root, metadata, leaves, tiles].concat()).unwrap();
    }
}

/// Starts a server with these maps.
fn serve(folder: &TempDir, maps: &[PathBuf]) -> (Program, Client) {
    let mut command = bottle(folder.path(), &["serve"]);
    for map in maps {
        command.arg("--map").arg(map);
    }
    let program = Program::start(command);
    let client = program.client();
    (program, client)
}

#[test]
fn pictures_are_served_from_mbtiles() {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("city.mbtiles");
    mbtiles(&map, "png", "Map makers");
    let (_program, client) = serve(&folder, &[map]);
    let north = client.get("/tiles/2/1/0");
    assert_eq!((north.status, north.text.as_str()), (200, "north"));
    assert_eq!(north.header("content-type"), "image/png");
    assert_eq!(client.get("/tiles/3/1/7").text, "south");
    for hole in ["/tiles/2/1/1", "/tiles/2/1/9", "/tiles/40/1/1", "/tiles/0/0/4294967295"] {
        assert_eq!(client.get(hole).status, 204, "{hole}");
    }
    for missing in ["/tiles/x/y/z", "/tiles/2/1/0.mvt", "/tiles/2/1/0.png", "/tiles/2/1/-0"] {
        assert_eq!(client.get(missing).status, 404, "{missing}");
    }
    assert_eq!(App::new().anon().get("/tiles/2/1/0").status, 404);
    let data = client.get("/api/settings").data();
    let about = json!({ "min_zoom": 2, "max_zoom": 3, "attribution": "Map makers" });
    assert_eq!(data["mbtiles"], about);
    assert_eq!(data["maps"][0]["kind"], "raster");
    assert_eq!(data["maps"].as_array().unwrap().len(), 1);
}

#[test]
fn pictures_are_served_from_pmtiles() {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("city.pmtiles");
    Pmtiles::new().write(&map);
    let (_program, client) = serve(&folder, &[map]);
    for (path, text) in
        [("0/0/0", "world"), ("1/0/0", "west"), ("1/0/1", "west"), ("1/1/0", "north")]
    {
        let tile = client.get(&format!("/tiles/{path}"));
        assert_eq!((tile.status, tile.text.as_str()), (200, text), "{path}");
        assert_eq!(
            (tile.header("content-type"), tile.header("content-encoding")),
            ("image/png", "")
        );
        let etag = tile.header("etag");
        let again = client.send("GET", &format!("/tiles/{path}"), &[("If-None-Match", etag)], None);
        assert_eq!((again.status, again.text.as_str()), (304, ""));
        assert_eq!(again.header("cache-control"), "max-age=86400");
    }
    for hole in ["1/1/1", "2/0/0", "0/1/0", "31/5/5", "99/0/0"] {
        assert_eq!(client.get(&format!("/tiles/{hole}")).status, 204, "{hole}");
    }
    let map = &client.get("/api/settings").data()["maps"][0];
    assert_eq!((&map["attribution"], &map["max_zoom"]), (&json!("Makers"), &json!(1)));
    // Its header has no bounds, so they follow from its tiles.
    assert_eq!((&map["bounds"][0], &map["bounds"][2]), (&json!(-180.0), &json!(180.0)));
}

/// Vectors that are compressed in the file are sent as they are.
#[rstest]
#[case::mbtiles("openmaptiles.mbtiles", "openmaptiles")]
#[case::pmtiles("protomaps.pmtiles", "protomaps")]
fn vectors_are_served_from_both_formats(#[case] name: &str, #[case] kind: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (_program, mut client) = serve(&folder, &[fixture(name)]);
    let data = client.get("/api/settings").data();
    let map = &data["maps"][0];
    assert_eq!((&map["kind"], &map["max_zoom"]), (&json!(kind), &json!(14)));
    assert_eq!(data["mbtiles"], Value::Null);
    assert!(map["attribution"].as_str().unwrap().contains("openstreetmap.org"), "{map}");
    let bounds: Vec<f64> = serde_json::from_value(map["bounds"].clone()).unwrap();
    assert!(bounds[0] > 24.9 && bounds[1] > 60.1 && bounds[2] < 25.0 && bounds[3] < 60.2, "{map}");

    const TILE: &str = "/tiles/14/9327/4742.mvt";
    client.headers = vec![("Accept-Encoding".into(), "gzip".into())];
    let (headers, packed) = client.download(TILE);
    assert_eq!(headers["content-encoding"], "gzip");
    assert_eq!(headers["vary"], "Accept-Encoding");
    assert_eq!(headers["content-type"], "application/vnd.mapbox-vector-tile");
    assert_eq!(packed[..2], [0x1f, 0x8b]);
    let etag = headers["etag"].to_str().unwrap();
    assert_eq!(client.send("GET", TILE, &[("If-None-Match", etag)], None).status, 304);
    client.headers = vec![("Accept-Encoding".into(), "identity".into())];
    let (headers, plain) = client.download(TILE);
    assert!(!headers.contains_key("content-encoding"));
    // A layer, and somewhere its name.
    assert!(plain[0] == 0x1a && plain.len() > packed.len());
    assert!(plain.windows(5).any(|window| window == b"water" || window == b"roads"));
    assert_eq!(client.get("/tiles/14/0/0.mvt").status, 204);
    assert_eq!(client.get("/tiles/14/9327/4742").status, 404);
}

/// Of several files, the first that has a tile answers, among those of its kind.
#[test]
fn the_first_file_with_a_tile_answers() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two, three] = ["one", "two", "three"].map(|name| folder.path().join(name));
    mbtiles(&one, "png", "One");
    Connection::open(&one)
        .unwrap()
        .execute_batch("UPDATE tiles SET tile_data = CAST('first' AS BLOB), tile_column = 2 WHERE zoom_level = 3")
        .unwrap();
    mbtiles(&two, "jpg", "Two");
    Pmtiles::new().write(&three);
    let maps = [fixture("protomaps.pmtiles"), one, two, three];
    let (_program, client) = serve(&folder, &maps);
    let (north, south) = (client.get("/tiles/2/1/0"), client.get("/tiles/3/1/7"));
    assert_eq!((north.text.as_str(), north.header("content-type")), ("north", "image/png"));
    assert_eq!((south.text.as_str(), south.header("content-type")), ("south", "image/jpeg"));
    assert_eq!(client.get("/tiles/3/2/7").text, "first");
    assert_eq!(client.get("/tiles/1/1/0").text, "north");
    assert_eq!(client.get("/tiles/3/3/3").status, 204);
    assert_eq!(client.download("/tiles/14/9327/4742.mvt").0["etag"].len(), 26);
    let data = client.get("/api/settings").data();
    let kinds: Vec<_> = data["maps"].as_array().unwrap().iter().map(|map| &map["kind"]).collect();
    assert_eq!(kinds, ["protomaps", "raster", "raster", "raster"]);
    assert_eq!(data["mbtiles"]["attribution"], "One");
}

/// The setting is a path, or a list of paths.
#[rstest]
#[case::one("map_file='one'", 1)]
#[case::several("map_file=['one','two']", 2)]
#[case::none("map_file=''", 0)]
#[case::empty_list("map_file=[]", 0)]
fn the_setting_is_one_file_or_several(#[case] setting: &str, #[case] count: usize) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        mbtiles(&folder.path().join(name), "png", name);
    }
    let mut command = bottle(folder.path(), &["serve"]);
    command.env("ROCKET_BOTTLE", fast_settings_with(&setting.replace('\'', "\"")));
    let data = Program::start(command).client().get("/api/settings").data();
    assert_eq!(data.get("maps").map_or(0, |maps| maps.as_array().unwrap().len()), count);
}

/// A tile that is not a blob, as a broken map has it, is not found.
#[rstest]
#[case::text("'a text'")]
#[case::number("7")]
#[case::fraction("0.5")]
#[case::null("NULL")]
fn a_tile_that_is_no_blob_is_not_found(#[case] value: &str) {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("city.mbtiles");
    mbtiles(&map, "png", "");
    let db = Connection::open(&map).unwrap();
    db.execute_batch(&format!("INSERT INTO tiles VALUES (3, 2, 0, {value})")).unwrap();
    drop(db);
    let (_program, client) = serve(&folder, &[map]);
    assert_eq!(client.get("/tiles/3/2/7").status, 404);
    assert_eq!(client.get("/tiles/3/1/7").text, "south");
}

/// A damaged directory below the root makes its tiles unreadable, and no others.
#[rstest]
#[case::no_gzip(|file: &mut Pmtiles| file.leaves[0] = 0)]
#[case::cut(|file: &mut Pmtiles| { let at = file.leaves.len() - 9; file.leaves[at] ^= 0xff; })]
#[case::tiles_outside(|file: &mut Pmtiles| file.tiles.truncate(8))]
fn a_damaged_part_of_a_map_is_not_found(#[case] damage: fn(&mut Pmtiles)) {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("city.pmtiles");
    let mut file = Pmtiles::new();
    damage(&mut file);
    file.write(&map);
    let (_program, client) = serve(&folder, &[map]);
    assert_eq!(client.get("/tiles/0/0/0").text, "world");
    assert_eq!(client.get("/tiles/1/1/0").status, 404);
}

#[track_caller]
fn refused(path: &Path, reason: &str) {
    let Err(message) = StreetMap::open(path) else { panic!("the file is not refused") };
    assert!(message.contains(&path.display().to_string()) && message.contains(reason), "{message}");
}

#[rstest]
#[case::no_signature(|file: &mut Pmtiles| file.header[0] = b'p', "neither a PMTiles nor an MBTiles file")]
#[case::old_version(|file: &mut Pmtiles| file.header[7] = 2, "version 2")]
#[case::brotli(|file: &mut Pmtiles| file.header[97] = 3, "directories are compressed with brotli")]
#[case::packed_tiles(|file: &mut Pmtiles| file.header[98] = 4, "tiles are compressed with zstd")]
#[case::other_tiles(|file: &mut Pmtiles| file.header[99] = 9, "the format unknown")]
#[case::vectors_of_no_schema(|file: &mut Pmtiles| file.header[99] = 1, "no layers")]
#[case::root(|file: &mut Pmtiles| file.root = gzip(&[200, 1, 1]), "root directory is damaged")]
#[case::metadata(|file: &mut Pmtiles| file.metadata = gzip(b"{"), "metadata is damaged")]
fn a_damaged_or_foreign_pmtiles_file_is_refused(
    #[case] damage: fn(&mut Pmtiles),
    #[case] reason: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("city.pmtiles");
    let mut file = Pmtiles::new();
    damage(&mut file);
    file.write(&map);
    refused(&map, reason);
}

#[test]
fn a_file_that_is_no_map_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    refused(&path("none"), "No such file");
    refused(folder.path(), "directory");
    for (name, content) in
        [("empty", ""), ("text", "PMTile"), ("html", "<!DOCTYPE html><p>Not found")]
    {
        fs::write(path(name), content).unwrap();
        refused(&path(name), "neither a PMTiles nor an MBTiles file");
    }
    // Both formats, cut short, as after an interrupted copy.
    for (name, reason) in [
        ("protomaps.pmtiles", "was not copied to its end"),
        ("openmaptiles.mbtiles", "not an MBTiles file"),
    ] {
        let whole = fs::read(fixture(name)).unwrap();
        fs::write(path(name), &whole[..whole.len() / 2]).unwrap();
        refused(&path(name), reason);
        fs::write(path(name), &whole[..100]).unwrap();
        assert!(StreetMap::open(&path(name)).is_err());
    }
    let db = path("other.db");
    Connection::open(&db).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    refused(&db, "not an MBTiles file");
    for (format, reason) in [("pbf", "no layers"), ("tiff", "the format tiff")] {
        let map = path(format);
        mbtiles(&map, format, "");
        refused(&map, reason);
    }
    let map = path("text");
    run_err(folder.path(), &["serve", "--map", map.to_str().unwrap()], "cannot use the map");
}

/// A file with changed bytes is refused, or its tiles are read, are holes, or fail: nothing panics.
#[tokio::test]
async fn any_damage_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("small.pmtiles");
    Pmtiles::new().write(&small);
    let damaged = folder.path().join("damaged.pmtiles");
    let mut random = Random::new(21);
    for (path, rounds) in [(small, 600), (fixture("protomaps.pmtiles"), 100)] {
        let whole = fs::read(path).unwrap();
        for _ in 0..rounds {
            let mut bytes = whole.clone();
            for _ in 0..4 {
                // Most of the damage is at the start, where the header and the directories are.
                let is_early = random.within(1.0) < 0.5;
                let end = if is_early { whole.len().min(300) } else { whole.len() };
                bytes[random.between(0.0, end as f64) as usize] = random.between(0.0, 256.0) as u8;
            }
            fs::write(&damaged, &bytes).unwrap();
            let Ok(map) = StreetMap::open(&damaged) else { continue };
            let maps = StreetMaps::new(vec![map]);
            for (zoom, x, y) in [(0, 0, 0), (1, 0, 1), (1, 1, 0), (14, 9327, 4742)] {
                for is_vector in [false, true] {
                    let _ = maps.tile(is_vector, zoom, x, y).await;
                }
            }
        }
    }
}
