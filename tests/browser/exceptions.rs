//! The stories that an engine cannot run, in whole or in part.

use std::io::{Write, stderr};
use std::thread;

use crate::engine::Engine::{self, Firefox, WebKit};

const NO_LAYOUT_SHIFTS: &str = "the engine does not report layout shifts";
const UNTRUSTED: &str = "it trusts no service worker behind the server's own certificate";
const FIXED_SCHEME: &str = "its colour scheme cannot change while it runs";

/// Each is an engine, the story, and the reason. `layout` stands for all stories of that module.
const EXCEPTIONS: &[(Engine, &str, &str)] = &[
    (Firefox, "layout", NO_LAYOUT_SHIFTS),
    (WebKit, "layout", NO_LAYOUT_SHIFTS),
    (Firefox, "offline::a_logout_deletes_what_the_account_saw", UNTRUSTED),
    (Firefox, "offline::the_page_shows_the_last_seen_sea", UNTRUSTED),
    (WebKit, "offline::a_logout_deletes_what_the_account_saw", UNTRUSTED),
    (WebKit, "offline::the_page_shows_the_last_seen_sea", UNTRUSTED),
    (WebKit, "admin_server::damage_is_a_warning", FIXED_SCHEME),
    (WebKit, "ground::a_place_is_found_by_its_name", FIXED_SCHEME),
    (WebKit, "map::a_pile_shows_its_number", FIXED_SCHEME),
    (WebKit, "streets::vectors_are_drawn", FIXED_SCHEME),
    (WebKit, "talk::the_lists_mark_unread_replies", FIXED_SCHEME),
    // 127.0.0.1, which it uses instead, is a secure context over plain HTTP too.
    (WebKit, "a_phone_may_give_its_position", "no name can be mapped to this machine"),
];

/// Tells whether the engine cannot run what follows in the current story, and prints that past the test harness,
/// which hides the output of a test that passes.
pub(crate) fn is_excepted() -> bool {
    let engine = Engine::chosen();
    let thread = thread::current();
    // The harness names the thread of a test after the test.
    let story = thread.name().unwrap_or_default();
    let found = EXCEPTIONS.iter().find(|(exception, name, _)| {
        *exception == engine && (story == *name || story.starts_with(&format!("{name}::")))
    });
    let Some((_, _, reason)) = found else { return false };
    let line = format!("not tested in {engine:?}: {story}: {reason}\n");
    stderr().write_all(line.as_bytes()).unwrap();
    true
}
