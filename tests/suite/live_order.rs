//! Events are published in the order of their commits.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use bottle_test_support::{App, Client, TIMEOUT};
use rusqlite::Connection;
use serde_json::json;

use crate::live::Stream;

/// Events of a bottle by its id, up to the one of `last` that was thrown to end them.
fn until_thrown(stream: &Stream, last: i64) -> HashMap<i64, Vec<(String, Option<i64>)>> {
    let mut events: HashMap<_, Vec<_>> = HashMap::new();
    loop {
        let event = stream.next();
        let bottle = event.data["bottle_id"].as_i64().unwrap();
        if bottle == last {
            return events;
        }
        events.entry(bottle).or_default().push((event.name, event.data["openers_count"].as_i64()));
    }
}

fn throw_many(client: &Client, count: usize) -> Vec<i64> {
    (0..count).map(|_| client.throw(0.1, 0.1)).collect()
}

#[test]
fn openers_counts_only_grow() {
    const OPENERS: i64 = 30;
    let app = App::new();
    let ada = app.user("ada");
    let bottles = throw_many(&ada, 20);
    let openers: Vec<Client> = (0..OPENERS).map(|n| app.user(&format!("opener{n}"))).collect();
    let stream = Stream::of(&ada, 0.0, 0.0, None);
    thread::scope(|scope| {
        for opener in &openers {
            scope.spawn(|| {
                for bottle in &bottles {
                    let path = format!("/api/bottles/{bottle}/open");
                    assert_eq!(opener.send("POST", &path, &[], None).status, 200);
                }
            });
        }
    });
    let events = until_thrown(&stream, ada.throw(0.1, 0.1));
    let expected: Vec<_> = (1..=OPENERS).map(|n| ("opened".to_owned(), Some(n))).collect();
    for bottle in bottles {
        assert_eq!(events[&bottle], expected, "bottle {bottle}");
    }
}

#[test]
fn the_last_that_is_told_of_a_bottle_is_so() {
    let app = App::new();
    let (ada, grace) = (app.user("ada"), app.teacher("grace"));
    let bottles = throw_many(&ada, 10);
    let stream = Stream::of(&ada, 0.0, 0.0, None);
    thread::scope(|scope| {
        for thread in 0..8 {
            let (grace, bottles) = (&grace, &bottles);
            scope.spawn(move || {
                for round in 0..8 {
                    let hidden = json!({ "hidden": (thread + round) % 2 == 0 });
                    for bottle in bottles {
                        let path = format!("/api/teacher/bottles/{bottle}");
                        assert_eq!(grace.put(&path, &hidden).status, 200);
                    }
                }
            });
        }
    });
    let events = until_thrown(&stream, ada.throw(0.1, 0.1));
    let db = Connection::open(app.database()).unwrap();
    for bottle in bottles {
        let names: Vec<&str> = events[&bottle].iter().map(|(name, _)| name.as_str()).collect();
        // An event is published only if the bottle changes, so the two take turns.
        let turns = ["hidden", "thrown"].into_iter().cycle().take(names.len());
        assert_eq!(names, turns.collect::<Vec<_>>(), "bottle {bottle}");
        let is_hidden = "SELECT hidden_at IS NOT NULL FROM bottles WHERE id = ?1";
        let is_hidden: bool = db.query_row(is_hidden, [bottle], |row| row.get(0)).unwrap();
        assert_eq!(names.last() == Some(&"hidden"), is_hidden, "bottle {bottle}");
    }
}

/// Another program changes something between two throws: its event is published between theirs.
#[test]
fn another_programs_change_is_told_in_its_place() {
    let patience = TIMEOUT.as_millis().try_into().unwrap();
    let app = App::with(|settings| settings.busy_timeout_ms = patience);
    let ada = app.user("ada");
    let stream = Stream::of(&ada, 0.0, 0.0, None);
    for n in 0..10 {
        let before = ada.throw(0.1, 0.1);
        let other = Connection::open(app.database()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other.execute("UPDATE users SET nickname = ?1", [n]).unwrap();
        let after = thread::scope(|scope| {
            let thrown = scope.spawn(|| ada.throw(0.1, 0.1));
            while app.blocked_changes() == 0 && !thrown.is_finished() {
                thread::sleep(Duration::from_millis(1));
            }
            other.execute_batch("COMMIT").unwrap();
            thrown.join().unwrap()
        });
        let event = |_| {
            let event = stream.next();
            (event.name, event.data["bottle_id"].as_i64())
        };
        let events: Vec<_> = (0..3).map(event).collect();
        let thrown = |bottle| ("thrown".to_owned(), Some(bottle));
        assert_eq!(events, [thrown(before), ("reset".to_owned(), None), thrown(after)]);
    }
}
