//! The library on a target: each built-in spec, and how it stands.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    plan::{Machine, Outcome, SpecPlan},
    spec::Spec,
};

/// The built-in specs, or those of them that were searched for.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "kbfix library, version 1")]
pub struct Library {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_library: u32,
    /// The URI of the target, if the specs were compared with one.
    pub target: Option<String>,
    /// The machine that the target is, or is a copy of.
    pub machine: Machine,
    /// One entry for each spec, sorted by id.
    pub specs: Vec<Entry>,
}

/// A spec of the library.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Entry {
    /// The spec's id.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// Other names of the same issue.
    pub also: Vec<String>,
    /// The products that the article lists.
    pub applies_to: Vec<String>,
    /// The keys that it is about, as the spec names them.
    pub keys: Vec<String>,
    /// How it stands on the target; none without a target.
    pub standing: Option<Standing>,
}

/// How a spec stands on a target.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Standing {
    /// The outcome.
    pub outcome: Outcome,
    /// How many keys and values would change.
    pub changes: usize,
    /// The reasons for an outcome of not applicable, blocked, needs parameter or unknown.
    pub reasons: Vec<String>,
}

impl Library {
    /// Lists specs that are compared with no target.
    pub fn of(specs: &[Spec]) -> Self {
        let specs = specs.iter().map(|spec| Entry::new(spec, None)).collect();
        Self { kbfix_library: 1, target: None, machine: Machine::default(), specs }
    }

    /// Lists specs with how they stand in `plan`, which was made of them.
    pub fn with_plan(specs: &[Spec], plan: &crate::plan::Plan) -> Self {
        let standing = |spec: &Spec| plan.specs.iter().find(|planned| planned.id == spec.id).map(Standing::of);
        let specs = specs.iter().map(|spec| Entry::new(spec, standing(spec))).collect();
        Self { kbfix_library: 1, target: Some(plan.target.clone()), machine: plan.machine.clone(), specs }
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
    /// Returns how a planned spec stands.
    pub fn of(spec: &SpecPlan) -> Self {
        let changes = spec.changes.iter().map(crate::targets::KeyChange::size).sum();
        Self { outcome: spec.whole_outcome(), changes, reasons: spec.reasons.clone() }
    }
}
