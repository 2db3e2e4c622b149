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
mod steps;
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

use run::Run;
use steps::{Step, chosen, take};
use world::World;

/// So many requests are made of one server before the next begins anew.
const STEPS_A_RUN: usize = 2000;

/// Does all steps, and says which of them failed, and how.
fn run(steps: &[Step], reports_to_hide: u32) -> Result<(), (usize, String)> {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::over(folder, World::default(), reports_to_hide);
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
        let mut steps = chosen(seed, STEPS_A_RUN);
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
