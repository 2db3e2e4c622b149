//! Has glibc return large blocks of memory to the system as soon as they are freed.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The size in bytes from which a freed block is returned at once.
const LARGE: &str = "1048576";

/// The variable that marks the second start.
const MARK: &str = "BOTTLE_STARTED_ANEW";

/// Executes the program again, in the same process, with `MALLOC_MMAP_THRESHOLD_` set.
///
/// A password hash takes 19 MiB for a moment. Once glibc has freed a block of that size, it serves the
/// next ones from its heaps, where small blocks keep them from being returned: 190 MiB above idle
/// after 500 logins, also with a fixed set of threads. Only a variable that is set before the start
/// changes that, or a call that is not safe Rust.
pub(crate) fn give_back_large_blocks() {
    if env::var_os(MARK).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut args = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = args.next() {
        command.arg0(name);
    }
    // It returns only if it fails. Then more memory is kept, and nothing else differs.
    let _ = command.args(args).env(MARK, "1").env("MALLOC_MMAP_THRESHOLD_", LARGE).exec();
}
