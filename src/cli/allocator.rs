//! Has glibc return large blocks of memory to the system as soon as they are freed.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The size in bytes from which a freed block is returned at once.
const MMAP_THRESHOLD_BYTES: &str = "1048576";

/// The environment variable that marks the second execution.
const MARKER: &str = "BOTTLE_STARTED_ANEW";

/// Executes the program again, in the same process, with `MALLOC_MMAP_THRESHOLD_` set.
///
/// A password hash takes 19 MiB for a moment. Once glibc has freed a block of that size, it serves
/// the next ones from its heaps, where small blocks keep them from being returned: 190 MiB above
/// idle after 500 logins, even with a fixed set of threads. The threshold can only be set before
/// the start, or by a call that is not safe Rust.
pub(crate) fn return_large_blocks() {
    if env::var_os(MARKER).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut args = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = args.next() {
        command.arg0(name);
    }
    // `exec` returns only on failure. The program then keeps more memory, and works all the same.
    let _ = command
        .args(args)
        .env(MARKER, "1")
        .env("MALLOC_MMAP_THRESHOLD_", MMAP_THRESHOLD_BYTES)
        .exec();
}
