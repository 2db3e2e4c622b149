//! A rectangle that holds more than was asked for: the nearest to its centre come, first to last.

use bottle_test_support::{App, Client, Random};

use crate::geometry::angle;

/// 1,500 bottles: some everywhere, most in three crowds, one of them at the antimeridian.
fn sea(app: &App) -> Vec<(f64, f64)> {
    app.user("ada");
    let mut random = Random::new(7);
    let places: Vec<(f64, f64)> = (0..1500)
        .map(|n| match n % 5 {
            0 => (random.within(90.0), random.within(180.0)),
            1 | 2 => (52.5 + random.within(0.2), 13.4 + random.within(0.2)),
            3 => (random.within(3.0) - 17.0, (random.within(3.0) + 360.0) % 360.0 - 180.0),
            _ => (80.0 + random.within(10.0), random.within(180.0)),
        })
        .collect();
    let mut db = rusqlite::Connection::open(app.database()).unwrap();
    let write = db.transaction().unwrap();
    for (latitude, longitude) in &places {
        write
            .execute(
                "INSERT INTO bottles (owner_id, formatted_address, latitude, longitude, style, created_at)
                 VALUES (1, '', ?1, ?2, 0, 0)",
                [latitude, longitude],
            )
            .unwrap();
    }
    write.commit().unwrap();
    places
}

fn nearest(client: &Client, at: (f64, f64), spans: (f64, f64), limit: usize) -> serde_json::Value {
    let response = client.get(&format!(
        "/api/bottles/nearby?latitude={}&longitude={}&latitude_span={}&longitude_span={}&limit={limit}",
        at.0, at.1, spans.0, spans.1
    ));
    assert_eq!(response.status, 200, "{}", response.text);
    response.data()
}

#[test]
fn the_nearest_to_the_centre_come_first() {
    let app = App::new();
    let places = sea(&app);
    let mut ada = app.anon();
    ada.log_in("ada", "pass");
    let world = (180.0, 180.0);
    let centres = [
        (52.5, 13.4),
        (-17.0, 180.0),
        (-17.0, -179.0),
        (90.0, 0.0),
        (-90.0, 7.0),
        (0.0, 0.0),
        (60.0, -100.0),
    ];
    for (centre, spans) in
        centres.into_iter().flat_map(|centre| [(centre, world), (centre, (8.0, 60.0))])
    {
        for limit in [1, 10, 200] {
            let inside = |place: (f64, f64)| {
                let east = (place.1 - centre.1).abs();
                (place.0 - centre.0).abs() <= spans.0 && east.min(360.0 - east) <= spans.1
            };
            let mut angles: Vec<f64> = places
                .iter()
                .filter(|place| spans == world || inside(**place))
                .map(|place| angle(centre, *place))
                .collect();
            angles.sort_by(f64::total_cmp);
            let data = nearest(&ada, centre, spans, limit);
            let found = data["bottles"].as_array().unwrap();
            assert_eq!(found.len(), limit.min(angles.len()), "{centre:?} {spans:?} {limit}");
            assert_eq!(data["truncated"], angles.len() > limit);
            assert!(data["total"].as_u64().unwrap() as usize >= angles.len());
            if angles.len() > limit {
                for (bottle, expected) in found.iter().zip(&angles) {
                    let place = places[bottle["bottle_id"].as_u64().unwrap() as usize - 1];
                    let off = (angle(centre, place) - expected).abs();
                    assert!(off < 1e-7, "{centre:?} {spans:?} {limit}: {place:?} is off by {off}");
                }
            }
        }
    }
}

/// By id, with `after`, everything comes, part by part.
#[test]
fn all_come_by_id_in_parts() {
    let app = App::new();
    let places = sea(&app);
    let mut ada = app.anon();
    ada.log_in("ada", "pass");
    let (mut ids, mut after) = (Vec::new(), 0);
    loop {
        let data = ada
            .get(&format!(
                "/api/bottles/nearby?latitude=0&longitude=0&latitude_span=90&longitude_span=180&limit=400&after={after}"
            ))
            .data();
        ids.extend(
            data["bottles"].as_array().unwrap().iter().map(|b| b["bottle_id"].as_u64().unwrap()),
        );
        match data["next"].as_i64() {
            Some(next) => after = next,
            None => break,
        }
    }
    assert!(ids.into_iter().eq(1..=places.len() as u64));
}
