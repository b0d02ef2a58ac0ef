//! Writes a fleet plan.

use std::io::{self, Read as _, Seek, SeekFrom, Write};

use super::{Bundle, BundleMachine, BundleSpec};
use crate::{
    fleet::{MachineRow, Members, Survey},
    plan::{Machine, Plan, file::sha256},
    spec::Spec,
    targets::{ChangeAction, KeyChange},
};

/// The plan of one machine, as the line of text that the fleet plan will contain.
#[derive(Debug)]
pub struct PlanLine {
    text: String,
    machine: Machine,
    target: String,
    digest: String,
    sha256: String,
    changes: usize,
}

impl PlanLine {
    /// Returns the line of text for a plan.
    pub fn of(plan: &Plan) -> Self {
        let (text, digest) = plan.to_line();
        let key = |change: &KeyChange| usize::from(change.action != ChangeAction::Update) + change.values.len();
        Self {
            sha256: sha256(text.as_bytes()),
            text,
            machine: plan.machine.clone(),
            target: plan.target.clone(),
            digest,
            changes: plan.changes().map(key).sum(),
        }
    }
}

/// A fleet plan that is being made. Plans are first written to a temporary file, in the order in which the machines are
/// read.
#[derive(Debug)]
pub struct Draft<F> {
    spool: F,
    end: u64,
    /// One entry for each machine, in the order of the fleet: the plan's line without its text, and the position and
    /// length of this text in the temporary file, in bytes. `None` for a machine without a plan.
    lines: Vec<Option<(PlanLine, u64, usize)>>,
    failed: Option<io::Error>,
}

impl<F: io::Read + Write + Seek> Draft<F> {
    /// Returns an empty draft for a fleet of `machines` machines. `spool` is an empty file that is used as the
    /// temporary file.
    pub fn new(spool: F, machines: usize) -> Self {
        Self { spool, end: 0, lines: (0..machines).map(|_| None).collect(), failed: None }
    }

    /// Adds the plan of the machine with the index `at` in the fleet. If it cannot be written to the temporary file, a
    /// later call of [`Draft::bundle`] returns the error.
    pub fn add(&mut self, at: usize, mut line: PlanLine) {
        if self.failed.is_none() {
            self.failed = self.spool.write_all(line.text.as_bytes()).err();
        }
        let size = line.text.len();
        line.text = String::new();
        self.lines[at] = Some((line, self.end, size));
        self.end += size as u64;
    }

    /// Returns the first line of the fleet plan, made from all plans that were added.
    ///
    /// # Errors
    /// Returns the error of the first plan that could not be written to the temporary file.
    pub fn bundle(&mut self, members: &Members, survey: &Survey, specs: &[Spec]) -> io::Result<Bundle> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut bundle = Bundle {
            kbfix_fleet_plan: 1,
            specs: specs
                .iter()
                .map(|spec| BundleSpec { id: spec.id.clone(), sha256: spec.origin.sha256.clone() })
                .collect(),
            waves: members.waves.clone(),
            machines: Vec::new(),
            unreadable: Vec::new(),
            waived: Vec::new(),
            digest: String::new(),
        };
        let of_waivers: Vec<_> = survey.cases.iter().filter(|case| case.waived.is_some()).collect();
        let waived = |row: &MachineRow| {
            let cases = of_waivers.iter().filter(|case| row.cases.contains(&case.id));
            let mut ids: Vec<String> = cases.map(|case| case.spec.clone()).collect();
            ids.sort();
            ids
        };
        for (row, line) in survey.machines.iter().zip(&self.lines) {
            let Some((line, ..)) = line else {
                let without_plan = if row.unreadable.is_some() { &mut bundle.unreadable } else { &mut bundle.waived };
                without_plan.push(row.name.to_string());
                continue;
            };
            bundle.machines.push(BundleMachine {
                name: row.name.to_string(),
                machine: line.machine.clone(),
                groups: row.groups.clone(),
                wave: row.wave,
                waived: waived(row),
                changes: line.changes,
                plan: line.digest.clone(),
                sha256: line.sha256.clone(),
                target: line.target.clone(),
            });
        }
        bundle.digest = bundle.content_digest();
        Ok(bundle)
    }

    /// Writes the fleet plan: the first line, and the plans in the same order as the machines in it.
    ///
    /// # Errors
    /// Returns the system's error.
    pub fn write(&mut self, bundle: &Bundle, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", bundle.line())?;
        for (_, start, size) in self.lines.iter().flatten() {
            self.spool.seek(SeekFrom::Start(*start))?;
            io::copy(&mut (&mut self.spool).take(*size as u64), out)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}
