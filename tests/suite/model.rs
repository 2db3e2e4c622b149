//! Random requests through all contracts against a model in plain maps: what it says of each status
//! and each body is what must come back.
//!
//! `BOTTLE_STEPS` is how many requests are made (2,000), `BOTTLE_SEED` where chance begins. What
//! fails is cut down to the requests that it takes, and printed with its seed.

mod bookstore;
mod bottle;
mod compare;
mod ledger;
mod map;
mod music;
mod run;
mod sea;
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
        240 => sea::step().prop_map(Step::Sea),
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
fn run(steps: &[Step]) -> Result<(), (usize, String)> {
    let mut run = Run::new();
    for (at, step) in steps.iter().enumerate() {
        run.stay_clear_of_ends();
        take(&mut run, step).map_err(|failure| (at, failure))?;
    }
    run.stay_clear_of_ends();
    run.compare_lists().and_then(|()| run.compare_file()).map_err(|failure| (steps.len(), failure))
}

fn take(run: &mut Run, step: &Step) -> Outcome {
    match step {
        Step::Bottle(step) => run.bottle(step),
        Step::Sea(step) => run.sea(step),
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
fn shrink(mut steps: Vec<Step>, mut failure: String) -> (Vec<Step>, String) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < steps.len() && Instant::now() < deadline {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            match run(&fewer) {
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
        if let Err((last, failure)) = run(&steps) {
            steps.truncate(last + 1);
            let (steps, failure) = shrink(steps, failure);
            let history: Vec<String> = steps.iter().map(|step| format!("{step:?}")).collect();
            panic!("{}\n{failure}\nBOTTLE_SEED={seed}", history.join("\n"));
        }
    }
}
