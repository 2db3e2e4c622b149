//! What the allocator does with memory that is free again.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Blocks of so many bytes and more go back to the system as soon as they are free.
const LARGE: &str = "1048576";

/// Says that this is the second start.
const MARK: &str = "BOTTLE_STARTED_ANEW";

/// Starts the program anew, in the same process, with an allocator that gives large blocks back.
///
/// A password's hash takes 19 MiB for a moment. Once glibc has seen a block of that size go, it keeps such
/// blocks for later, some for each thread: 110 MiB and more after many logins. Only a variable that is set
/// before the start tells it otherwise, or a call that is not safe Rust.
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
    // It returns only where it fails. Then more memory is kept, and nothing else is different.
    let _ = command.args(args).env(MARK, "1").env("MALLOC_MMAP_THRESHOLD_", LARGE).exec();
}
