//! The fleet report: the outcomes of all specs on all machines, as one versioned document.

use std::collections::{BTreeMap, HashMap, HashSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Case, FleetOutcome, Line, LineSpec, MachineRow, SameMachine, Survey, Waiver, same::same_machines};
use crate::{
    diag::{Code, Diagnostic, Exit},
    plan::Machine,
    spec::Spec,
};

/// The outcomes of all specs on all machines of a fleet.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "kbfix fleet report, version 1")]
pub struct FleetReport {
    /// The version of the format of fleet reports: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_fleet_report: u32,
    /// The version of kbfix that made the report.
    pub kbfix_version: &'static str,
    /// The command that made the report.
    pub command: FleetCommand,
    /// The exit code of that command.
    #[schemars(with = "u8")]
    pub exit_code: Exit,
    /// The number of machines, in total and by the worst outcome of each machine.
    pub counts: Counts,
    /// For each spec, the number of machines with each outcome. The specs are in the order in which they were given.
    pub specs: Vec<SpecCounts>,
    /// The cases: worst outcomes first, then in the order of the specs.
    pub cases: Vec<Case>,
    /// The machines, ordered by name.
    pub machines: Vec<MachineRow>,
    /// Sets of machines that seem to be one machine, because their computer name or MachineGuid is the same.
    pub same_machines: Vec<SameMachine>,
    /// The names of the entries in the folder of snapshots that were not read, because they are folders, hidden files
    /// (whose names begin with a dot) or not `.json` files.
    pub ignored: Vec<String>,
    /// The waivers that were given. None of them has expired: an expired waiver is an error.
    pub waivers: Vec<Waiver>,
    /// The digest of the fleet plan that was written; null if none was written.
    pub digest: Option<String>,
    /// The errors that stopped the command, and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// The commands that report on fleets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FleetCommand {
    /// The command `kbfix fleet diff`.
    Diff,
    /// The command `kbfix fleet plan`.
    Plan,
    /// The command `kbfix fleet impact`.
    Impact,
    /// The command `kbfix fleet drift`.
    Drift,
}

/// The numbers of machines in a fleet report: in total, by outcome and by note.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// The number of all machines.
    pub machines: usize,
    /// The number of machines by their worst outcome. Outcomes that no machine has are missing.
    pub outcomes: BTreeMap<FleetOutcome, usize>,
    /// The number of machines with a note, by the code of the note.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<Code, usize>,
}

/// One spec, with the number of machines for each outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SpecCounts {
    /// The spec's id.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// The SHA-256 of the spec's file, in hex digits.
    pub sha256: String,
    /// The number of machines by the outcome of this spec. Outcomes that no machine has are missing, and machines that
    /// could not be read are not counted.
    pub outcomes: BTreeMap<FleetOutcome, usize>,
}

impl FleetReport {
    /// Returns an empty report of this command.
    pub fn new(command: FleetCommand) -> Self {
        Self {
            kbfix_fleet_report: 1,
            kbfix_version: env!("CARGO_PKG_VERSION"),
            command,
            exit_code: Exit::Done,
            counts: Counts::default(),
            specs: Vec::new(),
            cases: Vec::new(),
            machines: Vec::new(),
            same_machines: Vec::new(),
            ignored: Vec::new(),
            waivers: Vec::new(),
            digest: None,
            diagnostics: Vec::new(),
        }
    }

    /// Returns the report of a survey that was made with these specs.
    pub fn of(survey: Survey, specs: &[Spec], command: FleetCommand) -> Self {
        let Survey { machines, cases } = survey;
        let counts_of = |spec: &Spec| {
            let mut outcomes = BTreeMap::new();
            for case in cases.iter().filter(|case| case.spec == spec.id) {
                *outcomes.entry(case.outcome).or_default() += case.machines.len();
            }
            let (id, title, sha256) = (spec.id.clone(), spec.title.clone(), spec.origin.sha256.clone());
            SpecCounts { id, title, sha256, outcomes }
        };
        let mut counts = Counts { machines: machines.len(), notes: noted(&cases), ..Counts::default() };
        for row in &machines {
            *counts.outcomes.entry(row.outcome).or_default() += 1;
        }
        let of_machines = machines.iter().map(|row| row.outcome.exit());
        let exit_code = of_machines.chain(cases.iter().map(Case::exit)).max().unwrap_or(Exit::Done);
        let identity = |row: &MachineRow| {
            let (computer_name, machine_guid) = (row.computer_name.clone(), row.machine_guid.clone());
            (row.name.clone(), Machine { computer_name, machine_guid })
        };
        let same_machines = same_machines(&machines.iter().map(identity).collect::<Vec<_>>());
        let diagnostics = same_machines.iter().map(SameMachine::warning).collect();
        let specs = specs.iter().map(counts_of).collect();
        Self { exit_code, counts, specs, cases, machines, same_machines, diagnostics, ..Self::new(command) }
    }

    /// Raises the exit code to at least 4 if a case has a note with one of these codes, which the user named with
    /// `--fail-on`.
    #[must_use]
    pub fn failing_on(mut self, codes: &[Code]) -> Self {
        if codes.iter().any(|code| self.counts.notes.contains_key(code)) {
            self.exit_code = self.exit_code.max(Exit::Blocked);
        }
        self
    }

    /// Returns one document for each machine, in the order of the report, with the results of the specs on it.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let cases: HashMap<&str, &Case> = self.cases.iter().map(|case| (&*case.id, case)).collect();
        self.machines.iter().map(move |row| Line {
            kbfix_fleet_machine: 1,
            name: &row.name,
            target: &row.target,
            computer_name: row.computer_name.as_deref(),
            machine_guid: row.machine_guid.as_deref(),
            taken: row.taken.as_deref(),
            groups: &row.groups,
            wave: row.wave,
            outcome: row.outcome,
            unreadable: row.unreadable.as_deref(),
            specs: row
                .cases
                .iter()
                .filter_map(|id| cases.get(&**id))
                .map(|case| LineSpec::of(case, &self.waivers))
                .collect(),
        })
    }

    /// Returns the machines that could not be read, each with the reason.
    pub fn unreadable(&self) -> impl Iterator<Item = (&MachineRow, &str)> {
        self.machines.iter().filter_map(|row| row.unreadable.as_deref().map(|why| (row, why)))
    }

    /// Returns the cases with this outcome.
    pub fn cases_of(&self, outcome: FleetOutcome) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(move |case| case.outcome == outcome)
    }
}

/// Returns the number of machines with a note, by the code of the note.
fn noted(cases: &[Case]) -> BTreeMap<Code, usize> {
    let mut machines: BTreeMap<Code, HashSet<&str>> = BTreeMap::new();
    for case in cases {
        for note in &case.notes {
            machines.entry(note.code).or_default().extend(case.machines.iter().map(|name| &**name));
        }
    }
    machines.into_iter().map(|(code, machines)| (code, machines.len())).collect()
}
