//! The follower of a standby is killed.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use bottle_test_support::run;
use tempfile::TempDir;

use crate::sea;
use crate::standby::{Killed, Pair, WRITERS, database, newest, start_follower, throw_on};

/// Kills a follower while it writes, and promotes its file: that succeeds with all that the file has seen, or
/// is refused because a change is there in part.
pub(crate) fn killed(times: usize) -> String {
    let pair = Pair::start();
    let acknowledged = Mutex::new(BTreeMap::new());
    let files = thread::scope(|scope| {
        let _killed = Killed(&pair.primary);
        for _ in 0..WRITERS {
            scope.spawn(|| throw_on(&pair, &acknowledged));
        }
        (0..times)
            .map(|nth| {
                let folder = tempfile::tempdir().unwrap();
                let follower = start_follower(pair.folders[1].path(), &database(&folder));
                thread::sleep(Duration::from_millis(nth as u64 * 137 % 1000));
                drop(follower);
                folder
            })
            .collect::<Vec<TempDir>>()
    });
    let acknowledged = acknowledged.into_inner().unwrap();
    let sound = files.iter().filter(|folder| promotes_or_refuses(folder, &acknowledged)).count();
    format!("{sound} files were promoted with all that they had seen, {} refused", times - sound)
}

/// Returns true if the file was promoted, and false if it was refused as one that is not sound.
fn promotes_or_refuses(folder: &TempDir, acknowledged: &BTreeMap<i64, Instant>) -> bool {
    let promotion = run(folder.path(), &["promote"]);
    if !promotion.status.success() {
        let error = String::from_utf8(promotion.stderr).unwrap();
        assert!(error.contains("is not sound"), "{error}");
        return false;
    }
    let path = database(folder);
    let seen: Vec<i64> = acknowledged.range(..=newest(&path)).map(|(id, _)| *id).collect();
    sea::check(&path, &seen);
    true
}
