//! Starts programs, and starts them again where Wine fails.

use std::{
    io,
    process::{Child, Command, Output},
    thread,
    time::Duration,
};

/// Starts a program.
pub(crate) fn start(command: &mut Command) -> Child {
    again(|| command.spawn())
}

/// Runs a program to its end.
#[allow(dead_code, reason = "the tests of the command line write to standard input first")]
pub(crate) fn run(command: &mut Command) -> Output {
    again(|| command.output())
}

/// If many processes start at the same time, Wine sometimes fails with ERROR_INTERNAL_ERROR before the program has run.
/// Then the program is started again.
fn again<T>(mut start: impl FnMut() -> io::Result<T>) -> T {
    const INTERNAL_ERROR: i32 = 1359;
    let mut tries = 0;
    loop {
        match start() {
            Err(error) if cfg!(windows) && error.raw_os_error() == Some(INTERNAL_ERROR) && tries < 5 => tries += 1,
            started => return started.expect("the program starts"),
        }
        thread::sleep(Duration::from_millis(200));
    }
}
