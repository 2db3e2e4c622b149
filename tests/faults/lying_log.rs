//! A write-ahead log in which the disk returns other bits than were written.

use std::fs;

use bottle::store::{backup, check};
use bottle_test_support::{Program, Random, bottle, file_names};

use crate::sea::{self, Sea};

/// A file with a log of one frame or more for each of so many throws.
fn with_log(throws: usize) -> (Sea, Vec<u8>) {
    let sea = Sea::new();
    let mut program = sea.start();
    for _ in 0..throws {
        assert_eq!(sea.throw(&program), 200);
    }
    program.signal("KILL");
    program.status();
    let log = fs::read(sea.folder().join("bottle.db-wal")).unwrap();
    (sea, log)
}

const HEADER: usize = 32;
const FRAME: usize = 24 + 2048;

/// The ends of the changes in a log, in bytes.
fn changes(log: &[u8]) -> Vec<usize> {
    let frames = log[HEADER..].chunks_exact(FRAME).enumerate();
    let ends = frames.filter(|(_, frame)| frame[4..8] != [0; 4] && frame[8..16] == log[16..24]);
    ends.map(|(n, _)| HEADER + (n + 1) * FRAME).collect()
}

/// One bit of the log is wrong after a kill, or its end is torn, as by a power cut.
pub(crate) fn flipped(times: usize) -> String {
    let (sea, log) = with_log(24);
    let ends = changes(&log);
    let mut random = Random::new(7);
    let elsewhere = tempfile::tempdir().unwrap();
    let place = |log: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(sea.path(), folder.path().join("bottle.db")).unwrap();
        fs::write(folder.path().join("bottle.db-wal"), log).unwrap();
        folder
    };
    let told = ends[ends.len() - 4];
    for nth in 0..times * 8 {
        let mut lying = log.clone();
        // The header, then frames.
        let at = if nth == 0 { 18 } else { random.within(told as f64) as usize };
        lying[at] ^= 1 << (nth % 8);
        let folder = place(&lying);
        let path = folder.path().join("bottle.db");
        let before = fs::read(&path).unwrap();
        let output = bottle(folder.path(), &[]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{at}: {stderr}");
        assert!(stderr.contains("of its log is wrong"), "{at}: {stderr}");
        assert_eq!(check::check(&path).unwrap().len(), 1);
        backup::backup(&path, &elsewhere.path().join("copy.db"), |_, _| {}).unwrap_err();
        assert_eq!(file_names(elsewhere.path()), [""; 0]);
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read(folder.path().join("bottle.db-wal")).unwrap(), lying);
    }
    for _ in 0..times {
        // Frames that were not synced are cut off, or other bytes are there.
        let mut torn = log[..*ends.last().unwrap()].to_vec();
        let nth = random.within((ends.len() - 1) as f64) as usize;
        let (from, to) = (ends[nth], ends[nth + 1]);
        torn.truncate(to);
        let at = from + random.within((to - from) as f64) as usize;
        torn[at..].fill(0);
        let folder = place(&torn);
        drop(Program::start(bottle(folder.path(), &[])));
        sea::check(&folder.path().join("bottle.db"), &[]);
    }
    "refused, found by check, not backed up and left as it was; a torn end is no damage".into()
}
