//! Feeds: a secret link of an account, for the bottles of a rectangle and for the inbox.

use std::time::Duration;

use bottle_test_support::{App, Client, Response};
use roxmltree::{Document, Node};
use rstest::rstest;
use serde_json::{Value, json};

const ATOM: &str = "http://www.w3.org/2005/Atom";
const GEORSS: &str = "http://www.georss.org/georss";
pub(crate) const WORLD: &str = "latitude=0&longitude=0&latitude_span=90&longitude_span=180";

/// The links of a feed, without the server's address.
pub(crate) struct Links {
    pub(crate) nearby: String,
    pub(crate) inbox: String,
}

#[track_caller]
pub(crate) fn make(client: &Client) -> Links {
    let made = client.post("/api/feed", &json!({}));
    assert_eq!(made.status, 200, "{}", made.text);
    let path = |link: &Value| link.as_str().unwrap().split_once("/feeds/").unwrap().1.to_owned();
    Links {
        nearby: format!("/feeds/{}?{WORLD}", path(&made.data()["nearby"])),
        inbox: format!("/feeds/{}", path(&made.data()["inbox"])),
    }
}

fn bottles(client: &Client, path: &str) -> Vec<i64> {
    let found = client.get(path);
    assert_eq!(found.status, 200, "{}", found.text);
    let features = found.json()["features"].clone();
    features.as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
}

/// The texts of the elements of that name in an entry.
fn text<'a>(node: Node<'a, '_>, namespace: &'static str, name: &'static str) -> &'a str {
    let found = node.children().find(|child| child.has_tag_name((namespace, name)));
    found.and_then(|found| found.text()).unwrap_or_default()
}

/// Calls `check` with the entries of a feed.
#[track_caller]
fn entries(response: &Response, check: impl FnOnce(Vec<Node<'_, '_>>)) {
    assert_eq!(response.status, 200, "{}", response.text);
    let document = Document::parse(&response.text).unwrap();
    let root = document.root_element();
    assert!(root.has_tag_name((ATOM, "feed")));
    for required in ["id", "title", "updated"] {
        assert!(!text(root, ATOM, required).is_empty(), "{required}");
    }
    check(root.children().filter(|child| child.has_tag_name((ATOM, "entry"))).collect());
}

#[test]
fn the_bottles_of_a_rectangle_are_points() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let own = ada.throw(23.5, 113.25);
    let location = json!({ "formatted_address": "Pazhou", "latitude": -1.5, "longitude": 179.5 });
    let body = json!({ "content": "c", "style": 2, "open_within_m": 100, "location": location });
    bob.post("/api/bottles", &body);
    let links = make(&ada);
    let found = app.anon().get(&links.nearby);
    assert_eq!(found.header("content-type"), "application/geo+json");
    assert_eq!(
        found.json(),
        json!({
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "id": own,
                    "geometry": { "type": "Point", "coordinates": [113.25, 23.5] },
                    "properties": {
                        "bottle_id": own, "style": 0, "is_owner": true, "formatted_address": ""
                    }
                },
                {
                    "type": "Feature",
                    "id": own + 1,
                    "geometry": { "type": "Point", "coordinates": [179.5, -1.5] },
                    "properties": {
                        "bottle_id": own + 1, "style": 2, "is_owner": false,
                        "formatted_address": "Pazhou", "open_within_m": 100
                    }
                }
            ],
            "total": 2, "truncated": false, "next": null
        })
    );
    let base = links.nearby.split('?').next().unwrap();
    // Across the antimeridian, and page by page.
    bob.throw(0.0, -179.5);
    let around = format!("{base}?latitude=0&longitude=180&latitude_span=5&longitude_span=1");
    assert_eq!(bottles(&app.anon(), &around), [2, 3]);
    let page = app.anon().get(&format!("{}&limit=2&after=0", links.nearby)).json();
    assert_eq!(page["next"], 2);
    assert_eq!(bottles(&app.anon(), &format!("{}&limit=2&after=2", links.nearby)), [3]);
    for wrong in ["", "?latitude=x&longitude=0&latitude_span=1&longitude_span=1"] {
        assert_eq!(app.anon().get(&format!("{base}{wrong}")).status, 422, "{wrong}");
    }
}

/// A feed has what `nearby` has for its account.
#[test]
fn bottles_that_left_the_sea_are_absent() {
    let app = App::new();
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    let links = make(&ada);
    let (hidden, own, kept) = (bob.throw(1.0, 1.0), ada.throw(1.0, 1.0), bob.throw(1.0, 1.0));
    let location = json!({ "latitude": 1, "longitude": 1 });
    let body = json!({ "content": "c", "expires_in_days": 1, "location": location });
    assert_eq!(bob.post("/api/bottles", &body).status, 200);
    for bottle in [hidden, own] {
        grace.put(&format!("/api/teacher/bottles/{bottle}"), &json!({ "hidden": true }));
    }
    app.clock.advance(Duration::from_secs(2 * 24 * 60 * 60));
    assert_eq!(bottles(&app.anon(), &links.nearby), [kept]);
    let nearby = ada.get(&format!("/api/bottles/nearby?{WORLD}")).data();
    assert_eq!(nearby["bottles"].as_array().unwrap().len(), 1);
}

#[test]
fn openings_and_replies_are_entries() {
    let app = App::new();
    let (ada, bob, eve) = (app.user("ada"), app.user("bob"), app.user("eve"));
    let links = make(&ada);
    entries(&app.anon().get(&links.inbox), |entries| assert!(entries.is_empty()));
    let bottle = ada.throw(23.5, -113.25);
    bob.put("/api/users/self", &json!({ "nickname": "<Bob> & \"friends\"" }));
    let open = format!("/api/bottles/{bottle}/open");
    assert_eq!(bob.post(&open, &json!({})).status, 200);
    let nasty = "a\u{1}\u{8}\u{b}\u{1f}]]>\r\n\t<b>&amp;</b>\u{fffe}\u{ffff}\u{7f}雪👩\u{200d}💻";
    let reply = json!({ "content": nasty });
    let replied = bob.post(&format!("/api/bottles/{bottle}/replies"), &reply);
    assert_eq!(replied.status, 200, "{}", replied.text);
    assert_eq!(eve.post(&open, &json!({})).status, 200);

    let feed = app.anon().get(&links.inbox);
    assert_eq!(feed.header("content-type"), "application/atom+xml; charset=utf-8");
    let mut ids = Vec::new();
    entries(&feed, |entries| {
        let titles: Vec<_> = entries.iter().map(|entry| text(*entry, ATOM, "title")).collect();
        assert_eq!(titles, ["eve and one other opened your bottle", "<Bob> & \"friends\" replied"]);
        for entry in &entries {
            assert_eq!(text(*entry, GEORSS, "point"), "23.5 -113.25");
            let updated = text(*entry, ATOM, "updated");
            assert!(updated.len() == 24 && updated.ends_with('Z'), "{updated}");
            let link = entry.children().find(|child| child.has_tag_name((ATOM, "link"))).unwrap();
            let href = link.attribute("href").unwrap();
            assert_eq!(href, format!("{}/#bottle/{bottle}", app.origin()));
            ids.push(text(*entry, ATOM, "id").to_owned());
        }
        let expected = "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}]]>\r\n\t<b>&amp;</b>\u{fffd}\u{fffd}\u{7f}雪👩\u{200d}💻";
        assert_eq!(text(entries[1], ATOM, "content"), expected);
    });
    assert_ne!(ids[0], ids[1]);

    // The ids stay; what the inbox no longer has is gone.
    let id = bob.get("/api/users/self").data()["user_id"].clone();
    assert_eq!(ada.put(&format!("/api/users/{id}/block"), &json!({ "blocked": true })).status, 200);
    entries(&app.anon().get(&links.inbox), |entries| {
        assert_eq!(entries.len(), 1);
        assert_eq!(text(entries[0], ATOM, "id"), ids[0]);
    });
}

#[rstest]
fn a_document_that_is_cached_is_not_sent_again(#[values(true, false)] is_inbox: bool) {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let bottle = ada.throw(1.0, 1.0);
    let links = make(&ada);
    let path = if is_inbox { &links.inbox } else { &links.nearby };
    let whole = app.anon().get(path);
    let etag = whole.header("etag").to_owned();
    assert_eq!(whole.header("cache-control"), "private, no-cache");
    assert_eq!(whole.header("referrer-policy"), "no-referrer");
    assert_eq!(whole.header("set-cookie"), "");
    let again = |etag: &str| app.anon().send("GET", path, &[("If-None-Match", etag)], None);
    for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}")] {
        let cached = again(&known);
        assert_eq!((cached.status, cached.text.as_str()), (304, ""), "{known}");
        assert_eq!(cached.header("etag"), etag);
        assert_eq!(cached.header("cache-control"), "private, no-cache");
        assert_eq!(cached.header("referrer-policy"), "no-referrer");
    }
    bob.throw(2.0, 2.0);
    assert_eq!(bob.post(&format!("/api/bottles/{bottle}/open"), &json!({})).status, 200);
    let changed = again(&etag);
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), etag);
}
