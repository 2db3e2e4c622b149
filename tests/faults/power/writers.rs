//! The power goes under 16 clients that change what they can, of which the server commits some at a time.

use std::sync::Mutex;
use std::thread;

use bottle::store::check::check;
use bottle_test_support::{App, Program, Random};

use super::person::{Act, Event, Person, possible};
use super::{Cut, Cuts, Journal, Recorder, chance, index, seed};
use crate::sea::Sea;

const WRITERS: usize = 16;

/// The requests of each writer in a recorded run.
const ACTS: usize = 40;

/// The cuts of one recorded run.
const CUTS_OF_A_RUN: usize = 100;

/// The bottles that the writers open.
const TARGETS: usize = 12;

/// A recorded run, and what each writer did in it.
struct Recorded {
    journal: Journal,
    writers: Vec<Vec<Event>>,
}

fn name(writer: usize) -> String {
    format!("writer{writer}")
}

/// Chooses what a writer does next.
fn next(person: &Person, random: &mut Random, targets: &[i64], nth: usize) -> Act {
    if person.password.is_none() {
        return Act::Register;
    }
    if person.cookie().is_none() {
        return Act::LogIn;
    }
    let bottle = person.bottle(index(random, 8));
    let text = format!("the {nth}th, {}", "x".repeat(index(random, 400)));
    match (index(random, 40), bottle, person.opened()) {
        (0..3, ..) => Act::LogIn,
        (3..6, ..) => Act::LogOut,
        (6..9, ..) => Act::ChangePassword(format!("password {nth}")),
        (9..12, Some(bottle), _) => Act::Delete(bottle),
        (12..18, ..) => Act::Open(targets[index(random, targets.len())]),
        (18..23, _, Some(opened)) => Act::Reply(opened, text),
        (23, ..) => Act::DeleteAccount,
        _ => Act::Throw(text),
    }
}

/// Does the requests of one writer. Those that fail for want of room leave the state as it was.
fn write(run: &Running<'_>, writer: usize) -> Vec<Event> {
    let Running { recorder, port, targets, .. } = run;
    let mut random = chance(seed() + run.nth, writer);
    let start = Event { began: 0, answered: Some(0), after: Person::default() };
    let mut events = vec![start];
    let mut person = Person::default();
    for nth in 0..ACTS {
        let act = next(&person, &mut random, targets, nth);
        let began = recorder.position();
        let response = person.send(*port, &name(writer), &act);
        let answered = recorder.position();
        assert!(matches!(response.status, 200 | 503 | 507), "{act:?}: {}", response.text);
        if response.status == 200 {
            person.apply(&act, &response);
        }
        let answered = (response.status == 200).then_some(answered);
        events.push(Event { began, answered, after: person.clone() });
        run.count_request();
    }
    events
}

/// A recorded server under its writers.
struct Running<'a> {
    nth: usize,
    recorder: &'a Recorder,
    port: u16,
    targets: Vec<i64>,
    /// The number of requests, where these decide when the disk is full.
    requests: Option<Mutex<usize>>,
}

impl Running<'_> {
    /// Fills the disk for 20 of every 60 requests.
    fn count_request(&self) {
        let Some(requests) = &self.requests else { return };
        let mut requests = requests.lock().unwrap();
        *requests += 1;
        match *requests % 60 {
            40 => self.recorder.fill_disk(true),
            0 => self.recorder.fill_disk(false),
            _ => {}
        }
    }
}

impl Recorded {
    /// Records the `nth` run of all writers, on a disk that is full now and then if `is_full`.
    fn new(nth: usize, is_full: bool) -> Self {
        let sea = Sea::new();
        let program = sea.start();
        sea.throw_many(&program, TARGETS);
        drop(program);
        let (recorder, targets) = (Recorder::new(sea.folder()), sea.ids());
        let program = Program::start(recorder.under(sea.command()));
        let (port, requests) = (program.port, is_full.then(Mutex::default));
        let run = &Running { nth, recorder: &recorder, port, targets, requests };
        let writers = thread::scope(|scope| {
            let writer = |nth| scope.spawn(move || write(run, nth));
            let writers: Vec<_> = (0..WRITERS).map(writer).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        Self { journal: recorder.journal(), writers }
    }

    /// Starts a server on what is left at the cut. Every account must be as it was acknowledged.
    fn check(&self, cut: &Cut<'_>) {
        let app = App::over(cut.folder(), |_| {});
        let port = app.origin().rsplit(':').next().unwrap().parse().unwrap();
        for (writer, events) in self.writers.iter().enumerate() {
            let possible = possible(events, cut.position());
            let is_so = |person: &&Person| person.observed(port, &name(writer)) == **person;
            if !possible.iter().any(is_so) {
                let seen: Vec<_> =
                    possible.iter().map(|it| it.observed(port, &name(writer))).collect();
                panic!("{} is {seen:#?}, and must be one of {possible:#?}", name(writer));
            }
        }
        let findings = check(&app.database()).unwrap();
        assert!(findings.is_empty(), "{findings:?}");
    }
}

/// Cuts as many recorded runs as it takes.
fn cut_runs(times: usize, is_full: bool) -> String {
    let (cuts, mut answered, mut checkpoints) = (Cuts::new(), 0, 0);
    for run in 0..times.div_ceil(CUTS_OF_A_RUN) {
        let recorded = Recorded::new(run, is_full);
        let all = recorded.writers.iter().flatten();
        answered += all.filter(|event| event.answered.is_some()).count();
        checkpoints += recorded.journal.checkpoints();
        let first = run * CUTS_OF_A_RUN;
        let last = times.min(first + CUTS_OF_A_RUN);
        cuts.of(&recorded.journal, first..last, |cut| recorded.check(cut));
    }
    assert!(checkpoints > 0, "the log was never folded into the file");
    format!(
        "{}; {answered} changes acknowledged and {checkpoints} checkpoints in the recorded runs, none lost",
        cuts.kinds()
    )
}

pub(crate) fn under_writers(times: usize) -> String {
    cut_runs(times, false)
}

pub(crate) fn on_full_disk(times: usize) -> String {
    cut_runs(times, true)
}

/// The same on a disk that ignores the syncs of the log: the cuts must find what is lost.
pub(crate) fn without_syncs(times: usize) -> String {
    let recorded = Recorded::new(0, false);
    let Recorded { journal, writers } = recorded;
    let recorded = Recorded { journal: journal.ignoring_syncs_of("-wal"), writers };
    let cuts = Cuts::new();
    cuts.of(&recorded.journal, 0..times, |cut| recorded.check(cut));
    let failed = cuts.failed();
    assert!(failed > 0, "nothing was lost: the cuts find nothing");
    format!("acknowledged changes were lost after {failed} of {times} cuts, as they must be")
}
