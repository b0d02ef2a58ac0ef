//! The two streams: results on standard output, everything else on standard error.

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

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people, with colours where the terminal shows them.
    Human,
    /// A versioned document; `kbfix schema report` prints its schema.
    Json,
    /// For a change ticket or a pull request.
    Markdown,
}

/// Writes results and messages.
pub(super) struct Output {
    /// Why standard output could not be written.
    broken: Option<io::Error>,
    /// The last report said that the target was changed, with this journal.
    changed: Option<Option<String>>,
    /// The warnings about the specs of the run.
    of_specs: Vec<Diagnostic>,
    /// Whether findings are lines of JSON, as DSC reads them.
    traces: bool,
}

impl Output {
    pub(super) fn new() -> Self {
        Self { broken: None, changed: None, of_specs: Vec::new(), traces: false }
    }

    /// Writes a result. A pipe that the reader closed is no error; any other failure becomes the exit code.
    pub(super) fn result(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes a result that is not text.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let mut stdout = io::stdout().lock();
        if let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush())
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.broken = self.broken.take().or(Some(error));
        }
    }

    /// The colours of standard output.
    pub(super) fn paint(&self) -> Paint {
        Paint { colour: colour(&io::stdout()) }
    }

    /// Writes a message for people on standard error.
    pub(super) fn note(&mut self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// From here on, findings are lines of JSON, as DSC reads them.
    pub(super) fn as_traces(&mut self) {
        self.traces = true;
    }

    /// Writes findings on standard error.
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

    /// Writes warnings about specs on standard error, and keeps them for a report that holds diagnostics.
    pub(super) fn of_specs<'a>(&mut self, warnings: impl IntoIterator<Item = &'a Diagnostic>) {
        let warnings: Vec<Diagnostic> = warnings.into_iter().cloned().collect();
        self.diagnostics(&warnings);
        self.of_specs.extend(warnings);
    }

    /// Writes a report, its diagnostics to standard error unless the format holds them.
    pub(super) fn report(&mut self, report: &Report, format: Format) {
        self.changed = report.changed.then(|| report.journal.clone());
        match format {
            Format::Json => {
                let diagnostics = [std::mem::take(&mut self.of_specs), report.diagnostics.clone()].concat();
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

    /// Writes the report of a command, or why it has none. Returns the exit code.
    pub(super) fn finish(&mut self, command: Command, result: Result<Report, CommandError>, format: Format) -> Exit {
        match result {
            Ok(report) => {
                self.report(&report, format);
                report.exit_code
            }
            Err(stop) => self.stopped(Report::new(command), stop, format),
        }
    }

    /// Writes the report of a command that stopped: as a document where one was asked for, else on standard error.
    pub(super) fn stopped(&mut self, mut report: Report, stop: CommandError, format: Format) -> Exit {
        report.exit_code = stop.exit;
        report.diagnostics.extend(stop.diagnostics);
        report.moved = stop.moved;
        match format {
            Format::Json => self.result(&render::report_json(&report)),
            _ => self.diagnostics(&report.diagnostics),
        }
        stop.exit
    }

    /// Returns the exit code: that of the command, unless its result could not be written. Then it prints that, and whether
    /// the target was changed.
    pub(super) fn exit(&mut self, exit: Exit) -> Exit {
        let Some(error) = self.broken.take() else { return exit };
        let (hint, least) = match &self.changed {
            Some(Some(journal)) => (format!("the target was changed; the journal is {journal}"), Exit::ReportLost),
            Some(None) => ("the target was changed".to_owned(), Exit::ReportLost),
            None => ("nothing was changed on the target".to_owned(), Exit::Refused),
        };
        self.diagnostics(&CommandError::file("standard output", &error).with_hint(&hint).diagnostics);
        // Codes that say more than that of success, and nothing untrue, stay.
        if exit > Exit::Refused { exit } else { least }
    }
}

impl Progress for Output {
    /// Shows how far long work is, where standard error is a terminal; the next call writes over it.
    fn show(&mut self, text: &str) {
        if io::stderr().is_terminal() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K{}", one_line(text));
        }
    }

    /// Takes the progress away.
    fn end(&mut self) {
        if io::stderr().is_terminal() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }

    /// Does long work, and shows what it is and for how long it has gone on, once that is a second.
    fn during<T>(&mut self, what: &str, work: impl FnOnce() -> T) -> T {
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
            // Dropped when the work is over, also where it panics; that ends the thread.
            let _working = working;
            work()
        })
    }

    fn warn(&mut self, warning: &Diagnostic) {
        self.diagnostics([warning]);
    }
}

/// Whether a stream shows colours: a terminal, and neither NO_COLOR nor TERM=dumb against it.
fn colour<S: anstream::stream::RawStream>(stream: &S) -> bool {
    anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never
}
