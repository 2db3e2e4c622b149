//! Power cuts. A run of the program is recorded, call by call; then the power goes at moments of it
//! that a seed chooses.
//!
//! Synced data survives, and of the rest any sectors, sizes and names. A server that starts on that
//! must have everything that had been acknowledged.
//!
//! `BOTTLE_CUTS` is the number of cuts (40), `BOTTLE_SEED` where chance begins (1).

mod commands;
mod disk;
mod person;
mod recorder;
mod starts;
mod writers;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bottle_test_support::Random;
use tempfile::TempDir;

pub(crate) use commands::{during_backup, during_import, during_restore};
pub(crate) use recorder::{FOLDER, JOURNAL, Recorder};
use recorder::{Journal, Record};
pub(crate) use starts::{at_first_start, during_migration};
pub(crate) use writers::{on_full_disk, under_writers, without_syncs};

/// The cuts of each fault, of 40 in all. Those of the last, which must lose something, come on top.
const SHARES: [(&str, usize); 9] = [
    ("power cut under the model", 12),
    ("power cut under 16 writers", 9),
    ("power cut on a full disk", 3),
    ("power cut at first start", 3),
    ("power cut during migration", 5),
    ("power cut during backup", 3),
    ("power cut during restore", 3),
    ("power cut during import", 2),
    ("power cut on a disk without syncs", 2),
];

pub(crate) fn number(name: &str, default: usize) -> usize {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Returns how often a fault of this file is done, and `None` for any other.
pub(crate) fn times(fault: &str) -> Option<usize> {
    let (_, share) = SHARES.iter().find(|(name, _)| *name == fault)?;
    Some((number("BOTTLE_CUTS", 40) * share).div_ceil(40))
}

pub(crate) fn seed() -> usize {
    number("BOTTLE_SEED", 1)
}

/// Returns the chance of the `nth` of some things.
fn chance(seed: usize, nth: usize) -> Random {
    let mut random = Random::new((seed as u64) << 32 | nth as u64);
    // Near seeds begin with near numbers.
    for _ in 0..4 {
        random.within(1.0);
    }
    random
}

fn index(random: &mut Random, count: usize) -> usize {
    random.between(0.0, count as f64) as usize
}

/// Chooses the number of changes before a cut: any, or just before or after a change of any kind, few
/// as these may be beside the writes.
fn moment(journal: &Journal, random: &mut Random) -> usize {
    let records = &journal.records;
    if index(random, 2) == 0 {
        return index(random, records.len() + 1);
    }
    let kinds: BTreeSet<&str> = records.iter().map(Record::kind).collect();
    let kind = kinds.iter().nth(index(random, kinds.len()));
    let is_of_kind = |at: &usize| Some(&records[*at].kind()) == kind;
    let places: Vec<usize> = (0..records.len()).filter(is_of_kind).collect();
    places[index(random, places.len())] + index(random, 2)
}

/// The moment at which the power went.
pub(crate) struct Cut<'a> {
    journal: &'a Journal,
    /// The number of changes before it.
    changes: usize,
    seed: usize,
    nth: usize,
}

impl Cut<'_> {
    /// Returns the length of the journal at the cut. What was acknowledged at this length or a
    /// smaller one must be there.
    pub(crate) fn position(&self) -> u64 {
        self.changes.checked_sub(1).map_or(0, |last| self.journal.records[last].end)
    }

    /// Moves the cut to the end of the change that ends at `position`.
    pub(crate) fn move_to(&mut self, position: u64) {
        self.changes = self.journal.records.partition_point(|record| record.end <= position);
    }

    /// Returns a folder with what is left, the same each time.
    pub(crate) fn folder(&self) -> TempDir {
        let (folder, mut random) =
            (tempfile::tempdir().unwrap(), chance(self.seed ^ 0x5EED, self.nth));
        self.journal.disk_after(self.changes).write_survivors(&mut random, folder.path());
        folder
    }
}

/// The outcome of some cuts.
pub(crate) struct Cuts {
    kinds: Mutex<BTreeMap<String, usize>>,
    failures: Mutex<Vec<String>>,
}

impl Cuts {
    /// Prints the seed of all cuts.
    pub(crate) fn new() -> Self {
        println!("  BOTTLE_SEED={}", seed());
        Self { kinds: Mutex::default(), failures: Mutex::default() }
    }

    /// Does cuts of a journal, two at a time, each after any of its changes, and passes each to `check`.
    pub(crate) fn of(
        &self,
        journal: &Journal,
        cuts: Range<usize>,
        check: impl Fn(&mut Cut<'_>) + Sync,
    ) {
        let next = AtomicUsize::new(cuts.start);
        let work = || loop {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            if nth >= cuts.end {
                return;
            }
            let seed = seed();
            let changes = moment(journal, &mut chance(seed, nth));
            let mut cut = Cut { journal, changes, seed, nth };
            let outcome = catch_unwind(AssertUnwindSafe(|| check(&mut cut)));
            let kind = cut.changes.checked_sub(1).map(|last| journal.records[last].kind());
            let kind = kind.unwrap_or("nothing");
            self.count(kind, 1);
            if outcome.is_err() {
                let at = format!("cut {nth} after {} of {}", cut.changes, journal.records.len());
                self.failures.lock().unwrap().push(format!("{at} ({kind}), BOTTLE_SEED={seed}"));
            }
        };
        thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
    }

    /// Counts cuts after a kind of change.
    pub(crate) fn count(&self, kind: &str, cuts: usize) {
        *self.kinds.lock().unwrap().entry(kind.to_owned()).or_default() += cuts;
    }

    /// Returns the number of cuts after which something was lost.
    pub(crate) fn failed(&self) -> usize {
        self.failures.lock().unwrap().len()
    }

    /// Returns the last changes before the cuts, a kind a line. Panics if something was lost.
    pub(crate) fn lines(self) -> String {
        let failures = self.failures.into_inner().unwrap();
        assert!(failures.is_empty(), "{}", failures.join("; "));
        let kinds = self.kinds.into_inner().unwrap().into_iter();
        kinds.map(|(kind, count)| format!("{count} × {kind}\n")).collect()
    }

    /// The same, for the table.
    pub(crate) fn kinds(self) -> String {
        format!("after {}", self.lines().trim_end().replace('\n', ", "))
    }
}
