//! Progress bars for long commands.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows a progress bar on standard error, if that is a terminal.
pub(super) fn bar(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(what);
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {percent} % ({eta} left)");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Returns a function that sets the position and the length of `bar`.
pub(super) fn update(bar: &ProgressBar) -> impl Fn(u64, u64) {
    |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    }
}
