//! The cache of what the map shows: a server with it answers like one without.

use std::fs;
use std::thread;
use std::time::Instant;

use bottle::store::map_cache::CacheStats;
use bottle_test_support::{App, Client, Response, TIMEOUT, run_ok};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::json;

/// Positions that recur, so that bottles share a position, a cell, or a part of their key.
const POSITIONS: [(f64, f64); 7] = [
    (0.0, 0.0),
    (-1e-9, 0.0),
    (48.85, 2.29),
    (48.850_001, 2.29),
    (-17.0, 180.0),
    (-17.0, -180.0),
    (90.0, 10.0),
];

const AUTHORS: [&str; 3] = ["ada", "bob", "eve"];
const TEACHER: usize = AUTHORS.len();
const ADDRESSES: [&str; 3] =
    ["", "Paris", "a longer address, 巴黎, so that entries differ in size"];

/// A change of the sea. An [`Index`] chooses among the bottles that exist then.
#[derive(Clone, Debug)]
enum Change {
    Throw { author: usize, position: usize, address: usize, style: u8 },
    Hide { bottle: Index, hidden: bool },
    Delete { bottle: Index },
    DeleteAccount { author: usize },
    Import { bottles: Vec<(usize, usize)> },
}

fn change() -> impl Strategy<Value = Change> {
    let (author, position) = (|| 0..AUTHORS.len(), || 0..POSITIONS.len());
    let throw = (author(), position(), 0..ADDRESSES.len(), 0..3_u8);
    let bottle = any::<Index>;
    prop_oneof![
        20 => throw.prop_map(|(author, position, address, style)| {
            Change::Throw { author, position, address, style }
        }),
        6 => (bottle(), any::<bool>()).prop_map(|(bottle, hidden)| Change::Hide { bottle, hidden }),
        5 => bottle().prop_map(|bottle| Change::Delete { bottle }),
        1 => author().prop_map(|author| Change::DeleteAccount { author }),
        1 => vec((author(), position()), 1..20).prop_map(|bottles| Change::Import { bottles }),
    ]
}

/// A search by one of the authors or the teacher.
#[derive(Clone, Debug)]
struct Search {
    viewer: usize,
    center: (f64, f64),
    spans: (f64, f64),
    limit: Option<usize>,
    /// The cursor: the id of a bottle that exists, or the start of the list.
    after: Option<Option<Index>>,
}

fn search() -> impl Strategy<Value = Search> {
    let center = prop_oneof![select(&POSITIONS[..]), (-90.0..=90.0, -180.0..=180.0)];
    let spans = select(vec![
        (0.0, 0.0),
        (1e-6, 1e-6),
        (1.0, 1.0),
        (20.0, 20.0),
        (90.0, 180.0),
        (90.0, 0.5),
    ]);
    let cursor = option::of(option::of(any::<Index>()));
    (0..=TEACHER, center, spans, option::of(1..8_usize), cursor).prop_map(
        |(viewer, center, spans, limit, after)| Search { viewer, center, spans, limit, after },
    )
}

/// Two servers of one file, with a cache and without.
struct World {
    cached: App,
    uncached: App,
    /// Clients of the server with the cache: each author, then the teacher.
    clients: Vec<Client>,
    /// A client of the other server, which borrows their sessions.
    reader: Client,
    file: Connection,
}

impl World {
    fn new(cache_bytes: u64) -> Self {
        let cached = App::with_map_cache(cache_bytes);
        let uncached = cached.beside_without_map_cache();
        let mut clients: Vec<Client> = AUTHORS.iter().map(|name| cached.user(name)).collect();
        clients.push(cached.teacher("grace"));
        let file = Connection::open(cached.database()).unwrap();
        let reader = uncached.anon();
        Self { cached, uncached, clients, reader, file }
    }

    /// Returns the id and the author of a bottle, if there is one.
    fn bottle(&self, index: &Index) -> Option<(i64, String)> {
        let sql = "SELECT bottles.id, username FROM bottles JOIN users ON users.id = owner_id
             ORDER BY bottles.id";
        let mut statement = self.file.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let mut bottles: Vec<(i64, String)> = rows.map(Result::unwrap).collect();
        (!bottles.is_empty()).then(|| bottles.swap_remove(index.index(bottles.len())))
    }

    fn apply(&mut self, change: &Change) {
        let response = match change {
            Change::Throw { author, position, address, style } => {
                let (latitude, longitude) = POSITIONS[*position];
                let location = json!({ "formatted_address": ADDRESSES[*address],
                    "latitude": latitude, "longitude": longitude });
                let new = json!({ "content": "c", "style": style, "location": location });
                self.clients[*author].post("/api/bottles", &new)
            }
            Change::Hide { bottle, hidden } => {
                let Some((id, _)) = self.bottle(bottle) else { return };
                let path = format!("/api/teacher/bottles/{id}");
                self.clients[TEACHER].put(&path, &json!({ "hidden": hidden }))
            }
            Change::Delete { bottle } => {
                let Some((id, author)) = self.bottle(bottle) else { return };
                let author = AUTHORS.iter().position(|name| *name == author).unwrap();
                self.clients[author].delete(&format!("/api/bottles/{id}"))
            }
            Change::DeleteAccount { author } => {
                let password = json!({ "password": "pass" });
                let deleted = self.clients[*author].json("DELETE", "/api/users/self", &password);
                self.clients[*author] = self.cached.user(AUTHORS[*author]);
                deleted
            }
            Change::Import { bottles } => return self.import(bottles),
        };
        assert_eq!(response.status, 200, "{change:?}: {}", response.text);
    }

    fn import(&self, bottles: &[(usize, usize)]) {
        let row = |(id, (author, position)): (usize, &(usize, usize))| {
            let (latitude, longitude) = POSITIONS[*position];
            json!({ "type": "bottle", "bottle_id": id, "owner": AUTHORS[*author], "content": "i",
                "style": 1, "location": { "latitude": latitude, "longitude": longitude },
                "created_at": "2026-01-01T00:00:00Z" })
            .to_string()
        };
        let rows: Vec<String> = bottles.iter().enumerate().map(row).collect();
        fs::write(self.cached.folder().join("in.jsonl"), rows.join("\n")).unwrap();
        run_ok(self.cached.folder(), &["import", "in.jsonl"]);
    }

    fn compare(&self, search: &Search) -> Result<(), TestCaseError> {
        let Search { viewer, center, spans, limit, after } = search;
        let mut path = format!(
            "/api/bottles/nearby?latitude={:?}&longitude={:?}&latitude_span={:?}&longitude_span={:?}",
            center.0, center.1, spans.0, spans.1
        );
        if let Some(limit) = limit {
            path += &format!("&limit={limit}");
        }
        if let Some(after) = after {
            let bottle = after.as_ref().and_then(|index| self.bottle(index));
            path += &format!("&after={}", bottle.map_or(0, |(id, _)| id));
        }
        let client = &self.clients[*viewer];
        let mut other = self.reader.clone();
        other.headers.clone_from(&client.headers);
        let expected = other.get(&path);
        prop_assert_eq!(expected.status, 200, "{}", expected.text);
        // The first search may fill the cache from which the second is answered.
        for _ in 0..2 {
            prop_assert_eq!(&client.get(&path).text, &expected.text, "{}", path);
        }
        Ok(())
    }
}

#[test]
fn a_server_with_a_cache_answers_like_one_without() {
    // From a cache that holds a few bottles to one that holds all.
    let cache_bytes = select(vec![700_u64, 2 << 10, 1 << 20]);
    let steps = vec((change(), vec(search(), 2)), 1..60);
    let config = Config { cases: 16, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&(cache_bytes, steps), |(cache_bytes, steps)| {
            let mut world = World::new(cache_bytes);
            for (change, searches) in &steps {
                world.apply(change);
                for search in searches {
                    world.compare(search)?;
                }
            }
            prop_assert_eq!(world.uncached.map_cache_stats().hits, 0);
            Ok(())
        })
        .unwrap();
}

const WORLD: &str =
    "/api/bottles/nearby?latitude=0&longitude=0&latitude_span=90&longitude_span=180";

/// A search reads each bottle once, unless the cache has no room for all of them.
#[rstest]
#[case::of_some_bottles(2 << 10, false)]
#[case::of_all_bottles(1 << 20, true)]
fn the_cache_keeps_to_its_size(#[case] bytes: u64, #[case] holds_all: bool) {
    const BOTTLES: u64 = 30;
    let app = App::with_map_cache(bytes);
    let ada = app.user("ada");
    for n in 0..BOTTLES {
        ada.throw(n as f64, 0.0);
    }
    let first = ada.get(WORLD).text;
    assert_eq!(app.map_cache_stats(), CacheStats { hits: 0, misses: BOTTLES });
    assert_eq!(ada.get(WORLD).text, first);
    let CacheStats { hits, misses } = app.map_cache_stats();
    assert_eq!((hits + misses, hits == BOTTLES), (2 * BOTTLES, holds_all), "{hits} hits");
}

/// Changes the address of the only bottle as the `sqlite3` shell does, beside a server whose cache
/// holds the bottle.
fn changed_elsewhere() -> (App, Client) {
    let app = App::new();
    let ada = app.user("ada");
    ada.throw(1.0, 1.0);
    let before = [ada.get(WORLD), ada.get(WORLD)].map(|response| address(&response));
    assert_eq!(before, ["", ""]);
    assert_eq!(app.map_cache_stats().hits, 1);
    let changed = Connection::open(app.database())
        .unwrap()
        .execute("UPDATE bottles SET formatted_address = 'Paris'", []);
    assert_eq!(changed, Ok(1));
    (app, ada)
}

/// Returns the address of the first bottle of a search.
fn address(response: &Response) -> String {
    response.data()["bottles"][0]["location"]["formatted_address"].as_str().unwrap().to_owned()
}

#[test]
fn after_a_change_elsewhere_the_next_write_empties_the_cache() {
    let (_app, ada) = changed_elsewhere();
    ada.throw(2.0, 2.0);
    assert_eq!(address(&ada.get(WORLD)), "Paris");
}

#[test]
fn an_idle_server_notices_a_change_elsewhere() {
    let (_app, ada) = changed_elsewhere();
    let began = Instant::now();
    while address(&ada.get(WORLD)) != "Paris" {
        assert!(began.elapsed() < TIMEOUT, "the old address stays in the cache");
        thread::yield_now();
    }
}
