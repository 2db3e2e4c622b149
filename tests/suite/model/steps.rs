//! The steps of a run, chosen by a seed.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::run::{Outcome, Run};
use super::{bookstore, bottle, inbox, ledger, map, music, opening, reports, sea, talk, teacher};

#[derive(Clone, Debug)]
pub(super) enum Step {
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

/// Chooses so many steps. It needs more than a test's stack, unoptimised.
pub(super) fn chosen(seed: usize, count: usize) -> Vec<Step> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    vec(step(), count).new_tree(&mut runner).unwrap().current()
}

/// Does a step.
pub(super) fn take(run: &mut Run, step: &Step) -> Outcome {
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
