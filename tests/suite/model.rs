//! Random requests through all contracts against a model in plain maps: what it says of each status
//! and each body is what must come back.
//!
//! `BOTTLE_STEPS` is how many requests are made (2,000), `BOTTLE_SEED` where chance begins. What
//! fails is cut down to the requests that it takes, and printed with its seed.

mod bookstore;
mod bottle;
mod compare;
mod damage;
mod inbox;
mod ledger;
mod map;
mod music;
mod opening;
mod reports;
mod run;
mod sea;
mod talk;
mod teacher;
mod thread_rules;
mod threads;
mod words;
mod world;

use std::env;
use std::panic::resume_unwind;
use std::thread;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use run::{Outcome, Run};

/// So many requests are made of one server before the next begins anew.
const STEPS_A_RUN: usize = 2000;

#[derive(Clone, Debug)]
enum Step {
    Bottle(bottle::Step),
    Sea(sea::Step),
    Opening(opening::Step),
    Talk(talk::Step),
    Inbox(inbox::Step),
    Reports(reports::Step),
    Teacher(teacher::Step),
    Map(map::Step),
    Ledger(ledger::Step),
    Music(music::Step),
    Bookstore(bookstore::Step),
    /// So many seconds go by.
    Wait(i64),
    Restart,
    CompareLists,
}

fn step() -> impl Strategy<Value = Step> {
    let wait =
        prop_oneof![20 => Just(60), 6 => Just(1800), 3 => Just(86_400), 1 => Just(40 * 86_400)];
    prop_oneof![
        150 => bottle::step().prop_map(Step::Bottle),
        160 => sea::step().prop_map(Step::Sea),
        120 => opening::step().prop_map(Step::Opening),
        240 => talk::step().prop_map(Step::Talk),
        120 => inbox::step().prop_map(Step::Inbox),
        20 => reports::step().prop_map(Step::Reports),
        50 => teacher::step().prop_map(Step::Teacher),
        80 => map::step().prop_map(Step::Map),
        120 => ledger::step().prop_map(Step::Ledger),
        120 => music::step().prop_map(Step::Music),
        120 => bookstore::step().prop_map(Step::Bookstore),
        30 => wait.prop_map(Step::Wait),
        1 => Just(Step::Restart),
        2 => Just(Step::CompareLists),
    ]
}

/// Does all steps, and says which of them failed, and how.
fn run(steps: &[Step], reports_to_hide: u32) -> Result<(), (usize, String)> {
    let mut run = Run::new(reports_to_hide);
    for (at, step) in steps.iter().enumerate() {
        run.advance(0);
        take(&mut run, step).map_err(|failure| (at, failure))?;
    }
    run.advance(0);
    run.settle();
    run.compare_lists()
        .and_then(|()| run.compare_file())
        .and_then(|()| run.compare_damage())
        .map_err(|failure| (steps.len(), failure))
}

fn take(run: &mut Run, step: &Step) -> Outcome {
    match step {
        Step::Bottle(step) => run.bottle(step),
        Step::Sea(step) => run.sea(step),
        Step::Opening(step) => run.opening(step),
        Step::Talk(step) => run.talk(step),
        Step::Inbox(step) => run.inbox(step),
        Step::Reports(step) => run.reports(step),
        Step::Teacher(step) => run.teacher(step),
        Step::Map(step) => run.map(step),
        Step::Ledger(step) => run.ledger(step),
        Step::Music(step) => run.music(step),
        Step::Bookstore(step) => run.bookstore(step),
        Step::Wait(seconds) => {
            run.advance(seconds * 1000);
            Ok(())
        }
        Step::Restart => {
            run.restart();
            Ok(())
        }
        Step::CompareLists => run.compare_lists(),
    }
}

/// Leaves out what the failure does not need, in ever smaller pieces, for a minute at most.
fn shrink(mut steps: Vec<Step>, mut failure: String, reports_to_hide: u32) -> (Vec<Step>, String) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < steps.len() && Instant::now() < deadline {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            match run(&fewer, reports_to_hide) {
                Err((last, history)) => {
                    fewer.truncate(last + 1);
                    (steps, failure) = (fewer, history);
                }
                Ok(()) => at += size,
            }
        }
        size /= 2;
    }
    (steps, failure)
}

fn number(name: &str, default: usize) -> usize {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn every_answer_is_what_the_model_says() {
    // Nested strategies need more than a test's stack, unoptimised.
    let model = thread::Builder::new().stack_size(64 << 20).spawn(compare_with_model);
    if let Err(failure) = model.unwrap().join() {
        resume_unwind(failure);
    }
}

fn compare_with_model() {
    let seed = number("BOTTLE_SEED", 1);
    let runs = number("BOTTLE_STEPS", STEPS_A_RUN).div_ceil(STEPS_A_RUN);
    for seed in seed..seed + runs {
        println!("BOTTLE_SEED={seed}");
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(Config::default(), random);
        let mut steps = vec(step(), STEPS_A_RUN).new_tree(&mut runner).unwrap().current();
        // In every other run a single report hides.
        let reports_to_hide = 1 + (seed % 2) as u32;
        if let Err((last, failure)) = run(&steps, reports_to_hide) {
            steps.truncate(last + 1);
            let (steps, failure) = shrink(steps, failure, reports_to_hide);
            let history: Vec<String> = steps.iter().map(|step| format!("{step:?}")).collect();
            panic!("{}\n{failure}\nBOTTLE_SEED={seed}", history.join("\n"));
        }
    }
}
