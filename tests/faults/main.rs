//! Faults, and what is left after each: nothing acknowledged is lost, no one got in who should not,
//! and the server goes on.
//!
//! `cargo test --test faults` does each a few times; `BOTTLE_KILLS=1000 BOTTLE_FAULTS=20` sets how
//! often it kills the program under writers, and does each of the others; `BOTTLE_CUTS=1000` is how often
//! the power goes, and `BOTTLE_ROUNDS=50` how often a standby is promoted. Words after `--` choose faults
//! whose names hold them. The table at the end says what was reached.

#![allow(clippy::unwrap_used)] // in a test, to panic is to fail

mod clock;
mod crowds;
mod endings;
mod files;
mod follower;
#[path = "../suite/geometry.rs"]
mod geometry;
mod input_output;
mod kills;
mod lies;
mod long_reads;
mod lying_log;
mod memory;
#[path = "../suite/model"]
mod model {
    mod bookstore;
    mod bottle;
    mod compare;
    #[path = "../../faults/power/model.rs"]
    pub(crate) mod cuts;
    mod inbox;
    mod ledger;
    mod map;
    mod music;
    mod opening;
    mod reports;
    mod run;
    mod sea;
    mod steps;
    mod talk;
    mod teacher;
    mod thread_rules;
    mod threads;
    mod words;
    mod world;
}
mod others;
mod power;
mod proxy;
mod restores;
mod sea;
mod shim;
mod standby;
mod upgrades;

use std::env;
use std::mem;
use std::panic::{self, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Does a fault so many times; what else there is to tell, for the table.
type Fault = fn(usize) -> String;

const FAULTS: &[(&str, Fault)] = &[
    ("kill -9 under 16 writers", kills::under_writers),
    ("kill -9 at first start", kills::at_first_start),
    ("kill -9 during migration", kills::during_migration),
    ("kill -9 while messages are moved", upgrades::killed),
    ("kill -9 during backup", kills::during_backup),
    ("kill -9 during restore", restores::killed),
    ("a server starts under check, backup", restores::server_starts_under_commands),
    ("disk full", input_output::disk_full),
    ("disk full for a backup", input_output::backup_on_full_disk),
    ("I/O error at the n-th call", input_output::error_at_nth_call),
    ("read-only disk", input_output::read_only_disk),
    ("write lock held elsewhere", input_output::lock_held_elsewhere),
    ("a reader that stays", input_output::reader_stays),
    ("damaged, foreign, torn, newer file", files::unsound),
    ("second process on the file", files::second_process),
    ("a damaged page under the server", lies::damaged_page),
    ("a flipped bit in any page", lies::flipped_bits),
    ("a flipped bit in the log", lying_log::flipped),
    ("another checkpoints in a loop", others::checkpoints),
    ("shells lock, read and VACUUM", others::shells),
    ("the file or its log is replaced", others::replaced),
    ("the folder turns read-only", others::read_only_folder),
    ("a file system without locks", others::no_locks),
    ("SQLite's n-th allocation fails", memory::nth_allocation),
    ("clock an hour off, 1970, 2038", clock::jumps),
    ("64 descriptors, 200 connections", crowds::few_descriptors),
    ("4,600 half-sent bodies", crowds::half_sent_bodies),
    ("1,000 slow clients", crowds::slow_clients),
    ("500 logins at once", crowds::logins),
    ("52 clients that do not read", long_reads::unread),
    ("900 long reads at once", long_reads::crowd),
    ("promotion of a standby", standby::promoted),
    ("kill -9 of a follower", follower::killed),
    ("two standbys behind a proxy", proxy::reads_what_it_wrote),
    ("SIGTERM under load", endings::terminated),
    ("a handler that panics", endings::handler_panics),
    ("power cut under the model", model::cuts::under_the_model),
    ("power cut under 16 writers", power::under_writers),
    ("power cut on a full disk", power::on_full_disk),
    ("power cut at first start", power::at_first_start),
    ("power cut during migration", power::during_migration),
    ("power cut during backup", power::during_backup),
    ("power cut during restore", power::during_restore),
    ("power cut during import", power::during_import),
    ("power cut on a disk without syncs", power::without_syncs),
];

/// How often the program is killed under writers, and how often each other fault is done.
fn times(name: &str) -> usize {
    if let Some(cuts) = power::times(name) {
        return cuts;
    }
    let (variable, few) = match name {
        name if name.ends_with("writers") => ("BOTTLE_KILLS", 12),
        name if name.starts_with("promotion") => ("BOTTLE_ROUNDS", 2),
        // They take longest.
        "kill -9 while messages are moved" | "kill -9 during restore" => ("BOTTLE_FAULTS", 1),
        _ => ("BOTTLE_FAULTS", 2),
    };
    env::var(variable).map_or(few, |times| times.parse().unwrap())
}

/// The panics of the current fault. They are printed only if the fault fails: a panic may be the fault
/// itself, and its backtrace would hide the failure.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn panics() -> MutexGuard<'static, Vec<String>> {
    PANICS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn main() -> ExitCode {
    if env::var_os(power::JOURNAL).is_some() {
        return model::cuts::cut_own_run();
    }
    panic::set_hook(Box::new(|panic| panics().push(panic.to_string())));
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let chosen = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word));
    let mut table = String::from("| fault | times | found |\n| --- | ---: | --- |\n");
    let mut failed = 0;
    for (name, fault) in FAULTS.iter().filter(|(name, _)| chosen(name)) {
        let (times, began) = (times(name), Instant::now());
        println!("{name} ...");
        let found = catch_unwind(|| fault(times));
        let panicked = mem::take(&mut *panics());
        let found = found.unwrap_or_else(|_| {
            failed += 1;
            format!("**failed**: {}", panicked.join("; ").replace('\n', " "))
        });
        println!("  {times} times in {:.0} s: {found}", began.elapsed().as_secs_f64());
        table += &format!("| {name} | {times} | {found} |\n");
    }
    println!("\n{table}");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
