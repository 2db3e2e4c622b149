//! The number of workers.

use std::fs::File;

use bottle::server::config;
use rocket::config::Config;
use rocket::figment::Figment;
use rocket::figment::providers::{Format, Toml};
use rstest::rstest;

/// More than the memory of any machine. The file takes no space, because nothing is written to it.
const LARGE: u64 = 1 << 43;

#[rstest]
#[case::that_the_memory_holds(1, 1)]
#[case::that_it_does_not_hold(LARGE, 2)]
fn a_file_has_more_workers_by_default(#[case] bytes: u64, #[case] factor: usize) {
    let figment = config::figment();
    let default = Config::try_from(&figment).unwrap().workers;
    assert_eq!(workers(&figment, bytes), factor * default);
}

#[rstest]
#[case::small(1)]
#[case::large(LARGE)]
fn a_setting_in_the_file_holds(#[case] bytes: u64) {
    let settings = Toml::string("[default]\nworkers = 3").nested();
    assert_eq!(workers(&config::figment().merge(settings), bytes), 3);
}

/// The workers for a file of this size.
fn workers(figment: &Figment, bytes: u64) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("bottle.db");
    File::create(&database).unwrap().set_len(bytes).unwrap();
    config::workers(figment, &Config::try_from(figment).unwrap(), &database)
}
