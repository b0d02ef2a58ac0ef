//! Lists the built-in specs, with the outcome of each on a target.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    diag::Diagnostic,
    plan::{Machine, Outcome, SpecPlan},
    spec::Spec,
};

/// A list of built-in specs: all of them, or those that a search found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "kbfix library, version 1")]
pub struct Library {
    /// The version of the format of this list: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_library: u32,
    /// The URI of the target; null if the specs were not compared with a target.
    pub target: Option<String>,
    /// The identity of the machine that the target is, or is a copy of.
    pub machine: Machine,
    /// One entry for each spec, sorted by id.
    pub specs: Vec<Entry>,
    /// The errors that stopped the command, and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// A spec of the library.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Entry {
    /// The spec's id.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// Other names of the problem that the article describes, such as CVE numbers.
    pub also: Vec<String>,
    /// The products to which the article applies.
    pub applies_to: Vec<String>,
    /// The keys that the rules of the spec name, as the spec writes them.
    pub keys: Vec<String>,
    /// The outcome of the spec on the target; null if the specs were not compared with a target.
    pub standing: Option<Standing>,
}

/// The outcome of a spec on a target, with its reasons.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Standing {
    /// The outcome of the spec on the target.
    pub outcome: Outcome,
    /// The number of keys and values that the spec would change.
    pub changes: usize,
    /// The reasons for the outcome. If the spec is in desired state or has changes, the list only names users who are
    /// left out.
    pub reasons: Vec<String>,
}

impl Library {
    /// Returns a list of these specs, without their outcomes.
    pub fn of(specs: &[Spec]) -> Self {
        let specs = specs.iter().map(|spec| Entry::new(spec, None)).collect();
        Self { kbfix_library: 1, target: None, machine: Machine::default(), specs, diagnostics: Vec::new() }
    }

    /// Returns a list of these specs with their outcomes in `plan`. The plan must have been made from the same specs.
    pub fn with_plan(specs: &[Spec], plan: &crate::plan::Plan) -> Self {
        let standing = |spec: &Spec| plan.specs.iter().find(|planned| planned.id == spec.id).map(Standing::of);
        let specs = specs.iter().map(|spec| Entry::new(spec, standing(spec))).collect();
        let (target, machine) = (Some(plan.target.clone()), plan.machine.clone());
        Self { target, machine, specs, ..Self::of(&[]) }
    }
}

impl Entry {
    fn new(spec: &Spec, standing: Option<Standing>) -> Self {
        let mut keys: Vec<String> = Vec::new();
        for rule in &spec.document.registry {
            if !keys.contains(&rule.key) {
                keys.push(rule.key.clone());
            }
        }
        let (also, applies_to) = (spec.document.also.clone(), spec.document.applies_to.clone());
        Self { id: spec.id.clone(), title: spec.title.clone(), also, applies_to, keys, standing }
    }
}

impl Standing {
    /// Returns the outcome of a spec from its plan.
    pub fn of(spec: &SpecPlan) -> Self {
        let changes = spec.changes.iter().map(crate::targets::KeyChange::size).sum();
        Self { outcome: spec.whole_outcome(), changes, reasons: spec.reasons.clone() }
    }
}
