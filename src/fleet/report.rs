//! The fleet report: how a fleet stands, as one versioned document.

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Case, FleetOutcome, Line, LineSpec, MachineRow, SameMachine, Survey, Waiver, same::same_machines};
use crate::{
    diag::{Diagnostic, Exit},
    spec::Spec,
};

/// How a fleet stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "kbfix fleet report, version 1")]
pub struct FleetReport {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_fleet_report: u32,
    /// The version of kbfix.
    pub kbfix_version: &'static str,
    /// The command.
    pub command: FleetCommand,
    /// The command's exit code.
    #[schemars(with = "u8")]
    pub exit_code: Exit,
    /// How many machines there are, and how many of each worst outcome.
    pub counts: Counts,
    /// One for each spec, in the order given.
    pub specs: Vec<SpecCounts>,
    /// What specs come to, each once: worst outcomes first, then in the order of the specs.
    pub cases: Vec<Case>,
    /// The machines, ordered by name.
    pub machines: Vec<MachineRow>,
    /// Machines that are there more than once.
    pub same_machines: Vec<SameMachine>,
    /// The entries of the folder of snapshots that were not read, since their names are not those of snapshots.
    pub ignored: Vec<String>,
    /// The waivers that count.
    pub waivers: Vec<Waiver>,
    /// The digest of the fleet plan that was written; null where none was.
    pub digest: Option<String>,
    /// What stopped the command, and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// The commands that report on fleets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FleetCommand {
    /// `kbfix fleet diff`
    Diff,
    /// `kbfix fleet plan`
    Plan,
    /// `kbfix fleet impact`
    Impact,
    /// `kbfix fleet drift`
    Drift,
}

/// Counts of machines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// All machines.
    pub machines: usize,
    /// The machines of each worst outcome; outcomes of no machine are missing.
    pub outcomes: BTreeMap<FleetOutcome, usize>,
}

/// One spec, and on how many machines it has which outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SpecCounts {
    /// The spec's id.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// The SHA-256 of the spec's file, in hex digits.
    pub sha256: String,
    /// The machines of each outcome; outcomes of no machine are missing. Machines that could not be read are in none.
    pub outcomes: BTreeMap<FleetOutcome, usize>,
}

impl FleetReport {
    /// Returns a report of nothing yet.
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

    /// Returns the report of a survey with these specs.
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
        let mut counts = Counts { machines: machines.len(), outcomes: BTreeMap::new() };
        for row in &machines {
            *counts.outcomes.entry(row.outcome).or_default() += 1;
        }
        let of_machines = machines.iter().map(|row| row.outcome.exit());
        let exit_code = of_machines.chain(cases.iter().map(Case::exit)).max().unwrap_or(Exit::Done);
        let same_machines = same_machines(&machines);
        let diagnostics = same_machines.iter().map(SameMachine::warning).collect();
        let specs = specs.iter().map(counts_of).collect();
        Self { exit_code, counts, specs, cases, machines, same_machines, diagnostics, ..Self::new(command) }
    }

    /// Returns each machine with all that is known of it, in the order of the report.
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

    /// Returns the cases of one outcome.
    pub fn cases_of(&self, outcome: FleetOutcome) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(move |case| case.outcome == outcome)
    }
}
