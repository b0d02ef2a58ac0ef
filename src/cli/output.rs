//! The two output streams: results on standard output, everything else on standard error.

use std::{
    io::{self, IsTerminal, Write},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use kbfix::{
    diag::{Diagnostic, Exit},
    operation::{
        Progress,
        report::{Command, Report},
    },
    registry::notation::one_line,
    render::{self, Paint},
};

use super::error::CommandError;

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Text for people, with colours if the terminal shows them.
    Human,
    /// JSON, for programs; `kbfix schema report` prints the schema.
    Json,
    /// Markdown, for a change ticket or a pull request.
    Markdown,
}

/// Writes results and messages to the output streams.
pub(super) struct Output {
    /// The first error of standard output; `None` if there was none. A pipe that the reader closed is not an error.
    broken: Option<io::Error>,
    /// What the last report said about the target; `None` for a command without such a report, which changes no target.
    change: Option<Change>,
    /// The warnings that [`Self::warnings`] has written to standard error. They are kept until [`Self::with_warnings`]
    /// takes them for a JSON document.
    warned: Vec<Diagnostic>,
    /// Whether diagnostics are written as lines of JSON, in the form that DSC reads.
    traces: bool,
}

/// Whether a command changed the target.
enum Change {
    /// The target was changed. The value is the path of the journal, if any.
    Made(Option<String>),
    /// Nothing was changed in the registry of the target.
    Nothing,
}

impl Output {
    pub(super) fn new() -> Self {
        Self { broken: None, change: None, warned: Vec::new(), traces: false }
    }

    /// Writes a result. A pipe that the reader closed is not an error; [`Self::exit`] reports any other failure.
    pub(super) fn result(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes a result that is not text.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.result_by(|to| to.write_all(bytes));
    }

    /// Writes a result part by part, so that a large result is never in memory as a whole.
    pub(super) fn result_by(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let mut stdout = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        if let Err(error) = write(&mut stdout).and_then(|()| stdout.flush())
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.broken = self.broken.take().or(Some(error));
        }
    }

    /// Returns whether text on standard output is coloured.
    pub(super) fn paint(&self) -> Paint {
        Paint { colour: colour(&io::stdout()) }
    }

    /// Writes a message for people on standard error.
    pub(super) fn note(&mut self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Switches to writing diagnostics as lines of JSON, in the form that DSC reads.
    pub(super) fn as_traces(&mut self) {
        self.traces = true;
    }

    /// Writes diagnostics to standard error.
    pub(super) fn diagnostics<'a>(&mut self, diagnostics: impl IntoIterator<Item = &'a Diagnostic>) {
        let paint = Paint { colour: colour(&io::stderr()) };
        for diagnostic in diagnostics {
            if self.traces {
                let _ = writeln!(io::stderr().lock(), "{}", render::dsc::trace(diagnostic));
                continue;
            }
            let text = render::diagnostics::human(diagnostic, paint);
            let _ = writeln!(io::stderr().lock(), "{}\n", text.trim_end());
        }
    }

    /// Writes warnings about the input, such as the specs, to standard error. Keeps them for [`Self::with_warnings`].
    pub(super) fn warnings<'a>(&mut self, warnings: impl IntoIterator<Item = &'a Diagnostic>) {
        let warnings: Vec<Diagnostic> = warnings.into_iter().cloned().collect();
        self.diagnostics(&warnings);
        self.warned.extend(warnings);
    }

    /// Returns the diagnostics for a JSON document: the warnings that [`Self::warnings`] has written since the last
    /// call, and then `own`. Use it for each JSON document that can follow such warnings.
    pub(super) fn with_warnings(&mut self, own: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let mut all = std::mem::take(&mut self.warned);
        all.extend(own);
        all
    }

    /// Records whether the command changed the target, for the message if the result cannot be written.
    pub(super) fn record(&mut self, report: &Report) {
        self.change = Some(if report.changed { Change::Made(report.journal.clone()) } else { Change::Nothing });
    }

    /// Writes a report. Also writes its diagnostics to standard error, except if the format is JSON.
    pub(super) fn report(&mut self, report: &Report, format: Format) {
        self.record(report);
        match format {
            Format::Json => {
                let diagnostics = self.with_warnings(report.diagnostics.clone());
                self.result(&render::report_json(&Report { diagnostics, ..report.clone() }));
            }
            Format::Human => {
                self.diagnostics(&report.diagnostics);
                let text = render::human(report, self.paint());
                self.result(&text);
            }
            Format::Markdown => {
                self.diagnostics(&report.diagnostics);
                self.result(&render::markdown(report));
            }
        }
    }

    /// Writes the report of a command, or the error that stopped the command. Returns the exit code.
    pub(super) fn finish(&mut self, command: Command, result: Result<Report, CommandError>, format: Format) -> Exit {
        match result {
            Ok(report) => {
                self.report(&report, format);
                report.exit_code
            }
            Err(stop) => self.stopped(Report::new(command), stop, format),
        }
    }

    /// Writes the report of a command that the error `stop` ended: as JSON if this format was requested, otherwise only
    /// the diagnostics, to standard error. Returns the error's exit code.
    pub(super) fn stopped(&mut self, mut report: Report, stop: CommandError, format: Format) -> Exit {
        report.exit_code = stop.exit;
        report.diagnostics.extend(stop.diagnostics);
        report.moved = stop.moved;
        match format {
            Format::Json => self.report(&report, format),
            _ => self.diagnostics(&report.diagnostics),
        }
        stop.exit
    }

    /// Returns the exit code of the process. Usually, this is `exit`, the code of the command. If the result could not
    /// be written, prints the error, what to do, and whether the target was changed; the codes 0 to 4 then become 8 if
    /// the target was changed, and 2 if it was not. So a script that accepts some of the codes 0 to 4 gets a complete
    /// result.
    pub(super) fn exit(&mut self, exit: Exit) -> Exit {
        let Some(error) = self.broken.take() else { return exit };
        let next = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space on that disk, or send the output to another place"
            }
            _ => "send the output to another place",
        };
        let (hint, lost) = match &self.change {
            Some(Change::Made(Some(journal))) => {
                (format!("the target was changed; the journal is {journal}"), Exit::ReportLost)
            }
            Some(Change::Made(None)) => ("the target was changed".to_owned(), Exit::ReportLost),
            Some(Change::Nothing) => {
                (format!("nothing was changed in the registry of the target; {next}"), Exit::Refused)
            }
            None => (next.to_owned(), Exit::Refused),
        };
        self.diagnostics(&CommandError::file("standard output", &error).with_hint(&hint).diagnostics);
        // The codes 5 to 7 say that the target needs attention, which is more important than the lost result.
        if exit > Exit::Blocked { exit } else { lost }
    }
}

impl Progress for Output {
    /// Shows the progress of long work, if standard error is a terminal. The next call overwrites the line.
    fn show(&mut self, text: &str) {
        if io::stderr().is_terminal() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K{}", one_line(text));
        }
    }

    /// Removes the progress line.
    fn end(&mut self) {
        if io::stderr().is_terminal() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }

    /// Runs long work. After one second, shows the description `what` and the elapsed time, if standard error is a
    /// terminal.
    fn during<T>(&mut self, what: &str, work: impl FnOnce() -> T) -> T {
        if !io::stderr().is_terminal() {
            return work();
        }
        let started = Instant::now();
        let (working, ended) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                while ended.recv_timeout(Duration::from_secs(1)) == Err(mpsc::RecvTimeoutError::Timeout) {
                    self.show(&format!("{what}, {} s", started.elapsed().as_secs()));
                }
                if started.elapsed() >= Duration::from_secs(1) {
                    self.end();
                }
            });
            // Dropped when the work ends, even by a panic; this ends the thread.
            let _working = working;
            work()
        })
    }

    fn warn(&mut self, warning: &Diagnostic) {
        self.warnings([warning]);
    }
}

/// Returns whether text on a stream is coloured: usually, if the stream is a terminal that shows colours. The
/// environment variables NO_COLOR, CLICOLOR and CLICOLOR_FORCE can change this.
fn colour<S: anstream::stream::RawStream>(stream: &S) -> bool {
    anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never
}
