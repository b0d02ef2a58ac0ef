//! Runs a package on systems other than Windows. This is only used in tests, because only Windows has the target
//! `local`.

use std::{
    io,
    process::{Child, Command, ExitStatus},
};

/// A running package.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Starts the package.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }

    /// Returns the exit status, or `None` while the package runs.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// Ends the package. Returns a text for people that says what could be ended.
    pub(super) fn end(mut self) -> &'static str {
        match self.0.kill().and_then(|()| self.0.wait()) {
            Ok(_) => "was ended; programs that it had started may still run",
            Err(_) => "could not be ended",
        }
    }

    /// Lets the programs that the package started continue. Returns a text for people that says that some of them still
    /// run; an empty string if none do, or if this is not known.
    pub(super) fn leave(self) -> &'static str {
        ""
    }
}
