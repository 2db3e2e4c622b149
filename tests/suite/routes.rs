//! `docs/contracts.md` lists what is mounted, no more and no less.

use std::collections::BTreeSet;

use bottle::model::clock::Clock;
use bottle::server::config;
use bottle::server::{self, AppState};
use bottle_test_support::{fast_settings, open_store};

/// Every route as `METHOD /path`.
pub(crate) fn mounted() -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let store = open_store(&folder.path().join("bottle.db"));
    let rocket =
        server::build(config::figment(), &fast_settings(), AppState::new(store, Clock::default()));
    rocket
        .routes()
        .filter(|route| route.name.is_some())
        .map(|route| format!("{} {}", route.method, route.uri.path().trim_end_matches('/')))
        .collect()
}

#[test]
fn the_route_table_is_what_is_mounted() {
    let documented: BTreeSet<String> = include_str!("../../docs/contracts.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(mounted(), documented);
}
