//! The cost of the store: a rectangle query compared with an R*-tree in memory, counts of the whole world,
//! and throws that share a commit compared with throws that have one each.
//!
//! `cargo bench --bench store`; the number of bottles is `BOTTLE_BENCH_BOTTLES` (100,000).

#![allow(clippy::expect_used)] // a bench that cannot be set up may panic

use std::path::Path;
use std::sync::Arc;

use bottle::domain::accounts::{Account, Contract, Login};
use bottle::domain::bottles::{Bottles, Grid, NearbyQuery, NewBottle};
use bottle::domain::events::EventBus;
use bottle::model::access::Access;
use bottle::model::clock::{Clock, Timestamp};
use bottle::model::fields::{Address, Content, Gender, Style};
use bottle::model::geo::{Position, Rectangle};
use bottle::model::token::Token;
use bottle::store::sessions::{SessionKey, TokenKind};
use bottle::store::{Options, Store};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Callers that throw at the same time.
const CALLERS: u64 = 64;

/// A sea with 70 % of its bottles in 200 clusters, and its places.
struct AppState {
    bottles: Arc<Bottles>,
    places: Vec<[f64; 2]>,
    _folder: tempfile::TempDir,
}

/// A fixed seed: every run has the same sea.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, least: f64, most: f64) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        least + (self.0 >> 11) as f64 / (1_u64 << 53) as f64 * (most - least)
    }
}

fn places(count: usize) -> Vec<[f64; 2]> {
    let mut dice = Dice(42);
    let clusters: Vec<[f64; 2]> =
        (0..200).map(|_| [dice.throw(-60.0, 70.0), dice.throw(-179.0, 179.0)]).collect();
    (0..count)
        .map(|n| match clusters.get(n % 286) {
            Some([latitude, longitude]) => {
                [latitude + dice.throw(-0.5, 0.5), longitude + dice.throw(-0.5, 0.5)]
            }
            None => [dice.throw(-85.0, 85.0), dice.throw(-180.0, 180.0)],
        })
        .collect()
}

fn session() -> SessionKey {
    SessionKey {
        kind: TokenKind::Session(Contract::Bottle),
        token: Token::presented("ada's").hash(),
    }
}

fn ada() -> Login {
    let account = Account {
        id: 1,
        username: "ada".into(),
        nickname: "Ada".into(),
        gender: Gender::Unknown,
        email: None,
        avatar_url: None,
        created_at: Timestamp::from_millis(0),
        password_is_one_time: false,
        is_teacher: false,
        is_operator: false,
        silenced: 0,
        guest_until: None,
    };
    Login { account, session: session(), access: Access::Full }
}

fn fill(path: &Path, places: &[[f64; 2]]) {
    let mut db = rusqlite::Connection::open(path).expect("the file");
    let write = db.transaction().expect("a transaction");
    write
        .execute_batch(
            "INSERT INTO users (username, password_hash, nickname, gender, created_at)
             VALUES ('ada', '', 'Ada', 'unknown', 0)",
        )
        .expect("an account");
    write
        .execute(
            "INSERT INTO sessions (token_hash, user_id, contract, created_at, expires_at)
             VALUES (?1, 1, 'bottle', 0, ?2)",
            (session().token.0, i64::MAX),
        )
        .expect("a session");
    let mut insert = write
        .prepare(
            "INSERT INTO bottles
                 (owner_id, content, formatted_address, latitude, longitude, style, created_at)
             VALUES (1, 'A message to whoever finds it.', 'By the river', ?1, ?2, 0, 0)",
        )
        .expect("a statement");
    for place in places {
        insert.execute(*place).expect("a bottle");
    }
    drop(insert);
    write.commit().expect("a commit");
}

fn sea() -> AppState {
    let count = std::env::var("BOTTLE_BENCH_BOTTLES").ok().and_then(|count| count.parse().ok());
    let places = places(count.unwrap_or(100_000));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bottle.db");
    let options = Options {
        readers: 2,
        long_readers: 1,
        busy_timeout: std::time::Duration::from_secs(4),
        slow: None,
        map_cache_bytes: 32 << 20,
    };
    drop(Store::open(&path, &options).expect("a new database"));
    fill(&path, &places);
    let store = Arc::new(Store::open(&path, &options).expect("the database"));
    let bottles = Arc::new(Bottles::new(store, Clock::default(), EventBus::new(0)));
    AppState { bottles, places, _folder: folder }
}

/// The columns of a bottle in the response, besides its place.
struct Row {
    id: i64,
    formatted_address: String,
}

/// Enough rectangles to defeat any cache of their results.
const RECTANGLES: usize = 20_000;

/// Rectangles around bottles, each grown until it holds `wanted` bottles or more.
fn rectangles(
    tree: &RTree<GeomWithData<[f64; 2], Row>>,
    places: &[[f64; 2]],
    wanted: usize,
) -> Vec<[f64; 3]> {
    places
        .iter()
        .step_by((places.len() / RECTANGLES).max(1))
        .map(|[latitude, longitude]| {
            let mut span = 0.001;
            while tree.locate_in_envelope(&envelope([*latitude, *longitude, span])).count() < wanted
            {
                span *= 1.1;
            }
            [*latitude, *longitude, span]
        })
        .collect()
}

fn envelope([latitude, longitude, span]: [f64; 3]) -> AABB<[f64; 2]> {
    AABB::from_corners([latitude - span, longitude - span], [latitude + span, longitude + span])
}

#[expect(clippy::too_many_lines, reason = "one bench after another")]
fn nearby(criterion: &mut Criterion) {
    let sea = sea();
    let rows = sea.places.iter().zip(1..).map(|(place, id)| {
        GeomWithData::new(*place, Row { id, formatted_address: "By the river".into() })
    });
    let tree = RTree::bulk_load(rows.collect());
    let runtime = Runtime::new().expect("a runtime");
    for results in [20, 200] {
        let mut group = criterion.benchmark_group(format!("nearby, about {results} bottles"));
        let rectangles = rectangles(&tree, &sea.places, results);
        let mut turn = rectangles.iter().cycle();
        group.bench_function("SQLite", |bencher| {
            bencher.iter(|| {
                let [latitude, longitude, span] = *turn.next().expect("a rectangle");
                let center = Position::new(latitude, longitude).expect("a place");
                let rectangle = Rectangle::new(center, span, span).expect("a rectangle");
                let all = NearbyQuery { limit: 10_000, after: None };
                let seen = sea.bottles.nearby(&rectangle, all, |sighting| {
                    Ok(((sighting.id, sighting.formatted_address.len()), 0))
                });
                runtime.block_on(seen).expect("an answer").items.len()
            });
        });
        group.bench_function("R*-tree in memory", |bencher| {
            bencher.iter(|| {
                let rectangle = envelope(*turn.next().expect("a rectangle"));
                let found = tree.locate_in_envelope(&rectangle);
                found
                    .map(|bottle| (bottle.data.id, bottle.data.formatted_address.len()))
                    .collect::<Vec<_>>()
            });
        });
        group.finish();
    }

    let mut group = criterion.benchmark_group("the whole world");
    let world = Rectangle::new(Position::new(0.0, 0.0).expect("a place"), 90.0, 180.0);
    let world = world.expect("a rectangle");
    group.bench_function("counts", |bencher| {
        bencher.iter(|| {
            let counts = runtime.block_on(sea.bottles.counts(&world, 2, Grid::Full));
            counts.expect("counts").cells.len()
        });
    });
    group.bench_function("the 20 nearest of all", |bencher| {
        let few = NearbyQuery { limit: 20, after: None };
        bencher.iter(|| {
            let seen = sea.bottles.nearby(&world, few, |sighting| Ok((sighting.id, 0)));
            runtime.block_on(seen).expect("an answer").items
        });
    });
    group.bench_function("the first by id", |bencher| {
        let first = NearbyQuery { limit: 1, after: Some(0) };
        bencher.iter(|| {
            let seen = sea.bottles.nearby(&world, first, |sighting| Ok((sighting.id, 0)));
            runtime.block_on(seen).expect("an answer").items
        });
    });
    group.finish();
}

fn bottle() -> NewBottle {
    NewBottle {
        content: Content::parse("A message.").expect("a message"),
        formatted_address: Address::parse("").expect("an address"),
        position: Position::new(1.0, 2.0).expect("a place"),
        style: Style::default(),
        expires_at: None,
        open_within: None,
    }
}

fn throw(criterion: &mut Criterion) {
    let sea = sea();
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("durable throws");
    group.throughput(Throughput::Elements(CALLERS)).sample_size(20);
    group.bench_function("one after the other", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                for _ in 0..CALLERS {
                    sea.bottles.throw(&ada(), bottle(), None).await.expect("a bottle");
                }
            });
        });
    });
    group.bench_function("64 at one time", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let mut callers = JoinSet::new();
                for _ in 0..CALLERS {
                    let bottles = Arc::clone(&sea.bottles);
                    callers.spawn(async move { bottles.throw(&ada(), bottle(), None).await });
                }
                callers.join_all().await
            });
        });
    });
    group.finish();
}

criterion_group!(benches, nearby, throw);
criterion_main!(benches);
