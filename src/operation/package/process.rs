//! A package that runs. kbfix runs none on this system but in tests: only Windows has the target `local`.

use std::{
    io,
    process::{Child, Command, ExitStatus},
};

/// A running package.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }

    /// Returns how it ended; none as long as it runs.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// Ends it, and says how far that went.
    pub(super) fn end(mut self) -> &'static str {
        match self.0.kill().and_then(|()| self.0.wait()) {
            Ok(_) => "was ended; programs that it had started may still run",
            Err(_) => "could not be ended",
        }
    }

    /// Lets go of what it started, and says whether there is such a thing.
    pub(super) fn leave(self) -> &'static str {
        ""
    }
}
