//! Formats a fleet report as JUnit XML, which CI services show as test results. Each spec becomes a test suite, in
//! which each machine is a test.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::wording;
use crate::{
    fleet::{Case, FleetOutcome, FleetReport, MachineRow},
    registry::notation::one_line,
    render::diff,
};

/// Writes the report as JUnit XML, in the form of Jenkins' schema `junit-10.xsd`.
///
/// The outcomes "changes pending", "pending restart" and "blocked" count as failures, "needs parameter", "unknown" and
/// "unreadable" as errors, and "not applicable" and "waived" as skipped tests. Machines that could not be read are in a
/// separate suite.
///
/// # Errors
/// Returns the error of the writer `to`.
pub fn junit(report: &FleetReport, to: &mut dyn Write) -> io::Result<()> {
    let mut out = Xml { writer: Writer::new_with_indent(to, b' ', 2), failed: None };
    out.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let cases: HashMap<&str, &Case> = report.cases.iter().map(|case| (&*case.id, case)).collect();
    let unreadable: Vec<_> = report.unreadable().collect();
    let mut all = Tally::default();
    let of_spec: Vec<Tally> = report.specs.iter().map(|spec| Tally::of(spec.outcomes.iter())).collect();
    of_spec.iter().for_each(|tally| all.add(tally));
    all.add(&Tally { tests: unreadable.len(), errors: unreadable.len(), ..Tally::default() });
    let mut root = BytesStart::new("testsuites");
    root.push_attribute(("name", "kbfix fleet"));
    all.attributes(&mut root, false);
    out.open(root);
    for (at, (spec, tally)) in report.specs.iter().zip(&of_spec).enumerate() {
        let mut suite = BytesStart::new("testsuite");
        suite.push_attribute(("name", &*text(&format!("{}: {}", spec.id, spec.title))));
        tally.attributes(&mut suite, true);
        out.open(suite);
        for row in &report.machines {
            if let Some(case) = row.cases.get(at).and_then(|id| cases.get(&**id)) {
                test(row, case, report, &mut out);
            }
        }
        out.close("testsuite");
    }
    if !unreadable.is_empty() {
        let mut suite = BytesStart::new("testsuite");
        suite.push_attribute(("name", "unreadable"));
        Tally { tests: unreadable.len(), errors: unreadable.len(), ..Tally::default() }.attributes(&mut suite, true);
        out.open(suite);
        for (row, why) in unreadable {
            out.open(start(row, "unreadable"));
            out.result("error", FleetOutcome::Unreadable, why, "");
            out.close("testcase");
        }
        out.close("testsuite");
    }
    out.close("testsuites");
    out.failed.map_or_else(|| writeln!(out.writer.into_inner()), Err)
}

/// The number of tests, and how many of them failed, had an error, or were skipped.
#[derive(Default)]
struct Tally {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Tally {
    fn of<'a>(outcomes: impl Iterator<Item = (&'a FleetOutcome, &'a usize)>) -> Self {
        let mut tally = Self::default();
        for (outcome, count) in outcomes {
            tally.tests += count;
            match element(*outcome) {
                Some("failure") => tally.failures += count,
                Some("error") => tally.errors += count,
                Some(_) => tally.skipped += count,
                None => {}
            }
        }
        tally
    }

    fn add(&mut self, other: &Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }

    fn attributes(&self, element: &mut BytesStart<'_>, is_suite: bool) {
        element.push_attribute(("tests", &*self.tests.to_string()));
        element.push_attribute(("failures", &*self.failures.to_string()));
        element.push_attribute(("errors", &*self.errors.to_string()));
        if is_suite {
            element.push_attribute(("skipped", &*self.skipped.to_string()));
        }
    }
}

/// Returns the name of the XML element that a test with this outcome contains; `None` if the test passed.
fn element(outcome: FleetOutcome) -> Option<&'static str> {
    match outcome {
        FleetOutcome::InDesiredState => None,
        FleetOutcome::NotApplicable | FleetOutcome::Waived => Some("skipped"),
        FleetOutcome::ChangesPending | FleetOutcome::PendingRestart | FleetOutcome::Blocked => Some("failure"),
        FleetOutcome::NeedsParameter | FleetOutcome::Unknown | FleetOutcome::Unreadable => Some("error"),
    }
}

fn start<'a>(row: &MachineRow, class: &str) -> BytesStart<'a> {
    let mut start = BytesStart::new("testcase");
    start.push_attribute(("name", &*text(&row.name)));
    start.push_attribute(("classname", &*text(class)));
    start
}

fn test(row: &MachineRow, case: &Case, report: &FleetReport, out: &mut Xml<'_>) {
    let start = start(row, &case.spec);
    let Some(element) = element(case.outcome) else {
        if case.notes.is_empty() {
            return out.event(Event::Empty(start));
        }
        out.open(start);
        out.notes(case);
        return out.close("testcase");
    };
    out.open(start);
    let message = match (case.outcome, case.changes.is_empty()) {
        (FleetOutcome::Waived, _) => wording::waivers(case, report).join("; "),
        (_, true) => case.reasons.join("; "),
        (_, false) => wording::changes(case),
    };
    // The changes are repeated for each machine, because a viewer shows one test at a time.
    let lines: Vec<String> = case.changes.iter().flat_map(diff::hunk).map(|line| text(&line.to_string())).collect();
    out.result(element, case.outcome, &message, &lines.join("\n"));
    out.notes(case);
    out.close("testcase");
}

/// Returns text on one line, with only the characters that XML 1.0 allows.
fn text(text: &str) -> String {
    one_line(text).replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}

struct Xml<'a> {
    writer: Writer<&'a mut dyn Write>,
    /// The first error of the writer; `None` as long as there is no error. After an error, nothing more is written.
    failed: Option<io::Error>,
}

impl Xml<'_> {
    fn event(&mut self, event: Event<'_>) {
        if self.failed.is_none() {
            self.failed = self.writer.write_event(event).err();
        }
    }

    fn open(&mut self, start: BytesStart<'_>) {
        self.event(Event::Start(start));
    }

    fn close(&mut self, name: &str) {
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// Writes the notes of a case as the output of the test. The notes do not change the result of the test.
    fn notes(&mut self, case: &Case) {
        let lines: Vec<String> = wording::notes(case).map(|note| text(&note)).collect();
        if !lines.is_empty() {
            self.open(BytesStart::new("system-out"));
            self.event(Event::Text(BytesText::new(&lines.join("\n"))));
            self.close("system-out");
        }
    }

    fn result(&mut self, element: &'static str, outcome: FleetOutcome, message: &str, body: &str) {
        let mut start = BytesStart::new(element);
        if element != "skipped" {
            start.push_attribute(("type", outcome.as_str()));
        }
        let message = text(message);
        let words = if message.is_empty() { outcome.words() } else { &message };
        start.push_attribute(("message", words));
        if body.is_empty() || element == "skipped" {
            return self.event(Event::Empty(start));
        }
        self.open(start);
        self.event(Event::Text(BytesText::new(body)));
        self.close(element);
    }
}
