//! How far a long command has come, for whoever watches a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error; nothing where that is no terminal.
pub(super) fn bar(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(what);
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {percent} % (another {eta})");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Tells `bar` of things done, and of how many there are.
pub(super) fn tell(bar: &ProgressBar) -> impl Fn(u64, u64) {
    |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    }
}
