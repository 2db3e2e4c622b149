//! The rectangle against an oracle that looks at every bottle.

use std::net::Ipv4Addr;
use std::sync::{Arc, LazyLock};

use bottle::domain::accounts::{Accounts, Contract, Name, Registration, SessionKind};
use bottle::domain::bottles::{Bottles, NearbyQuery, NewBottle};
use bottle::domain::events::EventBus;
use bottle::domain::password::{Cost, Passwords};
use bottle::domain::rate_limit::{RateLimiter, Rates};
use bottle::model::clock::Clock;
use bottle::model::fields::{Address, Content, Style, Username};
use bottle::model::geo::{Position, Rectangle};
use bottle_test_support::{App, Client, Random, open_store};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;

use crate::geometry::{LEAST, oracle};

const ALL: NearbyQuery = NearbyQuery { limit: 10_000, after: None };

/// Values about as near to 0 as a 32-bit float can tell, and nearer.
fn tiny() -> Vec<f64> {
    let least = f64::from(f32::from_bits(1));
    let tiny = [1e-50, 1e-39, 5.9e-39, 3e-45, least, 1e-40, LEAST, 2.0 * LEAST, 1e-37];
    tiny.into_iter().flat_map(|value| [value, -value]).collect()
}

/// Longitudes and latitudes at which something could go wrong, and what lies next to them.
fn special(limit: f64) -> Vec<f64> {
    let mut values = vec![0.0, -0.0, limit, -limit, limit / 2.0, 23.059375, 0.1 + 0.2, 1e-300];
    values.extend(tiny());
    // The 64-bit floats at which rounding to 32 bits changes to the next value.
    for value in [23.059375, -(0.1 + 0.2), 3.0 * LEAST] {
        let float = value as f32;
        for float in [float.next_down(), float, float.next_up()].map(f64::from) {
            values.extend([float, (float + f64::from((float as f32).next_up())) / 2.0]);
        }
    }
    for value in values.clone() {
        values.extend([
            value.next_up(),
            value.next_down(),
            value + 1e-6,
            value - 1e-6,
            value + 1e-5,
        ]);
    }
    values.retain(|value| value.abs() <= limit);
    values
}

/// Bottles in a real file: everywhere, at the special places, and close together.
struct Sea {
    runtime: tokio::runtime::Runtime,
    bottles: Bottles,
    places: Vec<(f64, f64)>,
    _folder: tempfile::TempDir,
}

static SEA: LazyLock<Sea> = LazyLock::new(|| {
    let mut places = Vec::new();
    let (latitudes, longitudes) = (special(90.0), special(180.0));
    for n in 0..latitudes.len().max(longitudes.len()) * 4 {
        places
            .push((latitudes[n % latitudes.len()], longitudes[(n * 7 + n / 3) % longitudes.len()]));
    }
    let mut random = Random::new(42);
    for _ in 0..250 {
        places.push((random.within(90.0), random.within(180.0)));
        // Less than two metres apart: one 32-bit box.
        places.push((23.059375 + random.within(1e-5), 113.39992 + random.within(1e-5)));
    }
    let folder = tempfile::tempdir().unwrap();
    let store = open_store(&folder.path().join("bottle.db"));
    let bottles = Bottles::new(Arc::clone(&store), Clock::default(), EventBus::new(0));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let cost = Cost { memory_kib: 8, iterations: 1 };
        let clock = Clock::default();
        let rate_limiter = Arc::new(RateLimiter::new(Rates::default(), &clock));
        let (store, passwords) = (Arc::clone(&store), Passwords::new(cost, 1));
        let accounts = Accounts::new(store, passwords, clock, 4, rate_limiter, EventBus::new(0));
        let username = Username::parse("username", "ada").unwrap();
        let password = accounts.new_password("password", "pass").unwrap();
        let new = Registration { username, password, nickname: None, gender: None, email: None };
        accounts.register(new).await.unwrap();
        let kind = SessionKind {
            contract: Contract::Bottle,
            seconds: 3600,
            terminal: None,
            replaces: None,
        };
        let (name, here) = (Name::Username("ada"), Ipv4Addr::LOCALHOST.into());
        let begun = accounts.log_in(name, "pass".into(), kind, here).await.unwrap();
        let ada = accounts.resolve(Contract::Bottle, &begun.token).unwrap();
        for &(latitude, longitude) in &places {
            let new = NewBottle {
                content: Content::parse("here").unwrap(),
                formatted_address: Address::parse("").unwrap(),
                position: Position::new(latitude, longitude).unwrap(),
                style: Style::default(),
                expires_at: None,
                open_within: None,
            };
            bottles.throw(&ada, new, None).await.unwrap();
        }
    });
    Sea { runtime, bottles, places, _folder: folder }
});

impl Sea {
    /// The ids that the oracle expects. Ids count from 1 in the order of throwing.
    fn expected(&self, rectangle: [f64; 4]) -> Vec<i64> {
        (1..)
            .zip(&self.places)
            .filter(|(_, place)| oracle(rectangle, **place))
            .map(|(id, _)| id)
            .collect()
    }

    fn found(&self, [lat, lon, lat_span, lon_span]: [f64; 4]) -> Vec<i64> {
        let rectangle =
            Rectangle::new(Position::new(lat, lon).unwrap(), lat_span, lon_span).unwrap();
        let seen = self.bottles.nearby(&rectangle, ALL, |sighting| Ok((sighting.id, 0)));
        let seen = self.runtime.block_on(seen).unwrap();
        assert!(!seen.truncated && seen.total == seen.items.len() as i64);
        seen.items
    }
}

fn coordinate(limit: f64) -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => -limit..=limit,
        2 => proptest::sample::select(special(limit)),
    ]
}

fn span(limit: f64) -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => 0.0..=limit,
        3 => 0.0..=0.01,
        1 => Just(0.0),
        1 => proptest::sample::select(tiny()).prop_map(f64::abs),
        1 => proptest::sample::select(vec![1e-6, 0.5, limit, limit.next_down(), limit * 2.0, 1e300]),
    ]
}

/// A rectangle, most often one with an edge exactly at some bottle.
fn rectangle() -> impl Strategy<Value = [f64; 4]> {
    let free = (coordinate(90.0), coordinate(180.0), span(90.0), span(180.0))
        .prop_map(|(lat, lon, lat_span, lon_span)| [lat, lon, lat_span, lon_span]);
    let at_a_bottle = (coordinate(90.0), coordinate(180.0), 0..SEA.places.len(), 0..4).prop_map(
        |(lat, lon, place, nudge)| {
            let (latitude, longitude) = SEA.places[place];
            let around = (lon - longitude).abs();
            let width = around.min(360.0 - around);
            let mut rectangle = [lat, lon, (lat - latitude).abs(), width];
            match nudge {
                0 => rectangle[2] = rectangle[2].next_up(),
                1 => rectangle[3] = rectangle[3].next_down().max(0.0),
                _ => {}
            }
            rectangle
        },
    );
    prop_oneof![free, at_a_bottle]
}

/// 20,000 rectangles, through the domain and a real file.
#[test]
fn the_rectangle_is_what_the_oracle_says() {
    let mut runner =
        TestRunner::new(Config { cases: 20_000, failure_persistence: None, ..Config::default() });
    runner
        .run(&rectangle(), |rectangle| {
            prop_assert_eq!(SEA.found(rectangle), SEA.expected(rectangle));
            Ok(())
        })
        .unwrap();
}

fn nearby(client: &Client, [lat, lon, lat_span, lon_span]: [f64; 4]) -> Vec<i64> {
    let response = client.get(&format!(
        "/api/bottles/nearby?latitude={lat:?}&longitude={lon:?}&latitude_span={lat_span:?}&longitude_span={lon_span:?}"
    ));
    assert_eq!(response.status, 200, "{}", response.text);
    let data = response.data();
    assert_eq!(data["total"], data["bottles"].as_array().unwrap().len());
    data["bottles"].as_array().unwrap().iter().map(|b| b["bottle_id"].as_i64().unwrap()).collect()
}

/// The same sea, thrown and seen by a client, whose numbers go through JSON and a query string.
#[test]
fn the_oracle_says_the_same_over_http() {
    let app = App::new();
    let ada = app.user("ada");
    for &(latitude, longitude) in &SEA.places {
        ada.throw(latitude, longitude);
    }
    let mut runner =
        TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    runner
        .run(&rectangle(), |rectangle| {
            prop_assert_eq!(nearby(&ada, rectangle), SEA.expected(rectangle));
            Ok(())
        })
        .unwrap();
}

/// Bottles at (0, 0), (10, 180), (10, -180), (90, 50), (-90, 0), (1, 179.5), (1, -179.5).
#[rstest]
#[case::edge([1.0, 1.0, 1.0, 1.0], &[1])]
#[case::over_it([1.0, 179.9, 0.0, 0.6], &[6, 7])]
#[case::north_pole([89.0, 50.0, 5.0, 1.0], &[4])]
#[case::more_than_the_world([45.0, -120.0, 1e300, 1e300], &[1, 2, 3, 4, 5, 6, 7])]
fn rectangles_over_http(#[case] rectangle: [f64; 4], #[case] expected: &[i64]) {
    let app = App::new();
    let ada = app.user("ada");
    for (latitude, longitude) in [
        (0.0, 0.0),
        (10.0, 180.0),
        (10.0, -180.0),
        (90.0, 50.0),
        (-90.0, 0.0),
        (1.0, 179.5),
        (1.0, -179.5),
    ] {
        ada.throw(latitude, longitude);
    }
    assert_eq!(nearby(&ada, rectangle), expected);
}
