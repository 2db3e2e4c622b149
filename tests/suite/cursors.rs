//! Lists in pages, while what their cursors name goes away, and rectangles in pages.

use std::time::Duration;

use bottle_test_support::{App, Client, open_store};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::json;

use crate::geometry::oracle;

/// The page of `path` after this id: the ids in it, and its `next`.
fn page(client: &Client, path: &str, id: &str, after: i64) -> (Vec<i64>, Option<i64>) {
    let response = client.get(&format!("{path}after={after}"));
    assert_eq!(response.status, 200, "{}", response.text);
    let data = response.data();
    let list = if id == "user_id" { &data["openers"] } else { &data["bottles"] };
    let ids = list.as_array().unwrap().iter().map(|item| item[id].as_i64().unwrap());
    (ids.collect(), data["next"].as_i64())
}

fn open(app: &App, client: &Client, bottle: i64) {
    assert_eq!(client.post(&format!("/api/bottles/{bottle}/open"), &json!({})).status, 200);
    app.clock.advance(Duration::from_millis(10));
}

/// The bottle that a page ends with goes, by its owner or with its owner: the next page goes on all the same.
#[rstest]
#[case::the_bottle(|owner: &Client, bottle: i64| owner.delete(&format!("/api/bottles/{bottle}")).status)]
#[case::its_owner(|owner: &Client, _| {
    owner.json("DELETE", "/api/users/self", &json!({ "password": "pass" })).status
})]
fn opened_goes_on_after_a_bottle_that_is_gone(#[case] remove: fn(&Client, i64) -> u16) {
    let app = App::new();
    let (ada, bob, eve) = (app.user("ada"), app.user("bob"), app.user("eve"));
    let of_eve = eve.throw(0.0, 0.0);
    let of_ada: Vec<i64> = (0..6).map(|n| ada.throw(f64::from(n), 0.0)).collect();
    // In another order than thrown.
    let order = [of_ada[4], of_ada[1], of_eve, of_ada[3], of_ada[0], of_ada[2]];
    for bottle in order {
        open(&app, &bob, bottle);
    }
    let first = page(&bob, "/api/bottles/opened?limit=3&", "bottle_id", order[0]);
    assert_eq!(first.0, order[1..4]);
    let after = order[2];
    assert_eq!(remove(&eve, after), 200);
    assert_eq!(
        page(&bob, "/api/bottles/opened?limit=2&", "bottle_id", after),
        (order[3..5].to_vec(), Some(order[4]))
    );
}

#[test]
fn openers_go_on_after_an_account_that_is_gone() {
    let app = App::new();
    let ada = app.user("ada");
    let bottle = ada.throw(1.0, 2.0);
    let openers: Vec<Client> = (0..5).map(|n| app.user(&format!("user{n}"))).collect();
    for n in [3, 0, 4, 1, 2] {
        open(&app, &openers[n], bottle);
    }
    let path = format!("/api/bottles/{bottle}/openers?limit=2&");
    // Accounts count from 1, which is ada.
    assert_eq!(page(&ada, &path, "user_id", 5), (vec![2, 6], Some(6)));
    let gone = openers[4].json("DELETE", "/api/users/self", &json!({ "password": "pass" }));
    assert_eq!(gone.status, 200);
    assert_eq!(page(&ada, &path, "user_id", 6), (vec![3, 4], None));
}

/// Of bottles that are gone nothing is kept but where they stood in the lists of those who opened them, for a day.
#[test]
fn past_openings_are_deleted_after_a_day() {
    use bottle::domain::bottles::Bottles;
    use bottle::domain::events::EventBus;
    use bottle::model::clock::Clock;
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let bottles: Vec<i64> = (0..3).map(|n| ada.throw(f64::from(n), 0.0)).collect();
    bottles.iter().for_each(|bottle| open(&app, &bob, *bottle));
    assert_eq!(ada.delete(&format!("/api/bottles/{}", bottles[0])).status, 200);
    let folder = app.stop();

    let path = folder.path().join("bottle.db");
    let (clock, events) = (Clock::default(), EventBus::new(0));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sea = Bottles::new(open_store(&path), clock.clone(), events);
    let left = || {
        runtime.block_on(sea.delete_old_past_openings()).unwrap();
        let db = Connection::open(&path).unwrap();
        db.query_row("SELECT count(*) FROM past_openings", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(left(), 1);
    clock.advance(Duration::from_secs(23 * 60 * 60));
    assert_eq!(left(), 1);
    clock.advance(Duration::from_secs(2 * 60 * 60));
    assert_eq!(left(), 0);
}

/// So many bottles, some of them hidden, in the order of ids; their places.
fn sea(app: &App, count: usize, longitude: &str) -> Vec<(i64, (f64, f64))> {
    let db = Connection::open(app.database()).unwrap();
    db.execute_batch(&format!(
        "INSERT INTO bottles
             (owner_id, formatted_address, latitude, longitude, style, created_at, hidden_at)
         WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < {count})
         SELECT 1, '', n * 37 % 1800 / 10.0 - 90, {longitude}, 0, 0, iif(n % 11, NULL, 1) FROM n"
    ))
    .unwrap();
    let mut rows = db
        .prepare("SELECT id, latitude, longitude FROM bottles WHERE hidden_at IS NULL ORDER BY id")
        .unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Every page of a rectangle by id: what the oracle says, in its order, and never more than asked for.
#[track_caller]
fn all_pages(client: &Client, rectangle: [f64; 4], limit: usize, pages_most: usize) -> Vec<i64> {
    let [lat, lon, high, wide] = rectangle;
    let path = format!(
        "/api/bottles/nearby?latitude={lat}&longitude={lon}&latitude_span={high}&longitude_span={wide}&limit={limit}&"
    );
    let (mut ids, mut after, mut pages) = (Vec::new(), 0, 0);
    loop {
        let (part, next) = page(client, &path, "bottle_id", after);
        assert!(part.len() <= limit);
        ids.extend(part);
        pages += 1;
        assert!(pages <= pages_most, "{pages} pages of {rectangle:?}");
        match next {
            Some(next) => {
                assert!(next > after);
                after = next;
            }
            None => return ids,
        }
    }
}

#[test]
fn pages_by_id_hold_what_the_oracle_says() {
    let app = App::new();
    let mut ada = app.user("ada");
    let places = sea(&app, 3000, "n * 7919 % 3600 / 10.0 - 180");
    ada.log_in("ada", "pass");
    for rectangle in [
        [0.0, 0.0, 90.0, 180.0],
        [0.0, 0.0, 45.0, 180.0],
        [10.0, 179.0, 30.0, 20.0],
        [-20.0, -175.0, 60.0, 30.0],
        [52.0, 13.0, 3.0, 3.0],
        [0.0, 10.0, 90.0, 0.0],
        [5.5, 100.0, 0.0, 90.0],
        [1.23, 4.56, 0.001, 0.001],
        [0.0, 10.0, 90.0, 179.999_999],
    ] {
        let expected: Vec<i64> = places
            .iter()
            .filter(|(_, place)| oracle(rectangle, *place))
            .map(|(id, _)| *id)
            .collect();
        for limit in [7, 1000] {
            // Here no page is shorter than it need be.
            let pages = expected.len().div_ceil(limit).max(1);
            assert_eq!(all_pages(&ada, rectangle, limit, pages), expected, "{rectangle:?} {limit}");
        }
    }
}

/// All of a rectangle lies behind more bottles than a page looks at: pages may be short, but all comes, in order.
#[rstest]
#[case::found_by_the_index(30_000, 1)]
#[case::found_step_by_step(160_000, 8)]
fn pages_by_id_reach_what_lies_far_behind(#[case] count: usize, #[case] pages_most: usize) {
    let app = App::new();
    let ada = app.user("ada");
    // The first quarter lies in the west, the rest in the east.
    let places = sea(&app, count, &format!("iif(n <= {count} / 4, -100, 100) + n % 10"));
    let east = [0.0, 100.0, 90.0, 20.0];
    let expected: Vec<i64> =
        places.iter().filter(|(_, place)| oracle(east, *place)).map(|(id, _)| *id).collect();
    let pages = expected.len().div_ceil(10_000) + pages_most;
    assert_eq!(all_pages(&ada, east, 10_000, pages), expected);
}
