//! The power goes under the model of the suite, which knows every response of every contract.
//!
//! The server of the model is in the process of the test. The test therefore runs itself under the
//! recorder.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Command, ExitCode};
use std::thread;

use super::run::{Outcome, Run, Snapshot};
use super::steps::{Step, chosen, take};
use super::words::Who;
use super::world::World;
use super::{bottle, music};
use crate::power::{Cut, Cuts, FOLDER, Recorder, number, seed};

/// The cuts of one recorded run.
const CUTS_OF_A_RUN: usize = 50;

/// The steps of one recorded run.
const STEPS: usize = 300;

pub(crate) fn under_the_model(times: usize) -> String {
    let cuts = Cuts::new();
    for run in 0..times.div_ceil(CUTS_OF_A_RUN) {
        let own = tempfile::tempdir().unwrap();
        let recorder = Recorder::new(own.path());
        let count = CUTS_OF_A_RUN.min(times - run * CUTS_OF_A_RUN).to_string();
        let mut command = recorder.under(Command::new(env::current_exe().unwrap()));
        command.env(FOLDER, own.path().canonicalize().unwrap().join("sea"));
        command.env("BOTTLE_CUTS", &count).env("BOTTLE_SEED", (seed() + run).to_string());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for line in recorder.reported().lines() {
            let (count, kind) = line.split_once(" × ").unwrap();
            cuts.count(kind, count.parse().unwrap());
        }
    }
    format!("{}; the contracts' reads as the model says", cuts.kinds())
}

/// A step, and the moment after it.
struct Event {
    began: u64,
    answered: u64,
    requests: usize,
    after: Snapshot,
}

/// Records a run in this process and cuts it. Reports the kinds of changes after which the power went.
pub(crate) fn cut_own_run() -> ExitCode {
    // Nested strategies need more than a thread's stack, unoptimised.
    let run = thread::Builder::new().stack_size(64 << 20).spawn(|| {
        let recorder = Recorder::of_this_process();
        let events = record(&recorder);
        let (journal, cuts) = (recorder.journal(), Cuts::new());
        cuts.of(&journal, 0..number("BOTTLE_CUTS", 40), |cut| check(cut, &events));
        // Rocket prints to standard output.
        recorder.report(&cuts.lines());
    });
    match run.unwrap().join() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => resume_unwind(failure),
    }
}

fn record(recorder: &Recorder) -> Vec<Event> {
    let (parent, name) =
        (recorder.folder().parent().unwrap(), recorder.folder().file_name().unwrap());
    let folder = tempfile::Builder::new().prefix(name).rand_bytes(0).tempdir_in(parent).unwrap();
    let mut steps = chosen(seed(), STEPS);
    // It folds the log into the file, and begins another one.
    steps.insert(STEPS / 2, Step::Restart);
    steps.retain(|step| !matches!(step, Step::CompareLists));
    let mut run = Run::over(folder, World::default(), 1 + (seed() % 2) as u32);
    let now = recorder.position();
    let mut events = vec![Event { began: 0, answered: now, requests: 0, after: run.snapshot() }];
    for step in &steps {
        run.advance(0);
        let (began, before) = (recorder.position(), run.requests());
        take(&mut run, step).unwrap();
        let (answered, requests) = (recorder.position(), run.requests() - before);
        events.push(Event { began, answered, requests, after: run.snapshot() });
    }
    events
}

/// Fails unless the file is as after the last step that was answered, or as after the next one.
fn check(cut: &mut Cut<'_>, events: &[Event]) {
    let last = |position| events.iter().rposition(|event| event.answered <= position);
    let following = |position| last(position).map_or(0, |last| last + 1);
    // Between the requests of one step there is no snapshot.
    let next = events.get(following(cut.position()));
    if let Some(next) = next.filter(|next| next.requests != 1 && next.began < cut.position()) {
        cut.move_to(next.answered);
    }
    let following = following(cut.position());
    let last = following.saturating_sub(1);
    let differences: Vec<String> =
        events[last..].iter().take(2).map_while(|event| compare(cut, event).err()).collect();
    assert!(differences.len() < 2.min(events.len() - last), "{}", differences.join("\n\n"));
}

fn compare(cut: &Cut<'_>, event: &Event) -> Outcome {
    let compared = catch_unwind(AssertUnwindSafe(|| {
        let mut run = Run::resume(cut.folder(), event.after.clone());
        compare_sessions(&mut run)?;
        run.compare_lists()?;
        run.compare_file()
    }));
    compared.unwrap_or_else(|_| Err("the model and the server do not fit".into()))
}

/// The latest sessions of three contracts, live or ended. Bookstore's have no read.
fn compare_sessions(run: &mut Run) -> Outcome {
    for back in 0..16 {
        let who = Who::Recent(back);
        run.bottle(&bottle::Step::See { base: "/api", who })?;
        run.music(&music::Step::See { who })?;
        run.list_holdings(who, 0)?;
    }
    Ok(())
}
