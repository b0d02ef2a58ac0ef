//! Plans and a target: a plan is made of specs, and a saved one is checked against the target as it is now.

use super::policy;
use crate::{
    diag::{Code, Diagnostic, Hint, number_of},
    observe::{observe, observe_again, observe_like},
    plan::{Machine, Outcome, Plan, Planning, SpecPlan},
    registry::control_set,
    spec::Spec,
    targets::{Drift, Facts, Target, TargetError},
};

/// What an operation is to bring about.
#[derive(Debug, Clone)]
pub enum Request {
    /// What these specs ask for.
    Specs(Vec<Spec>),
    /// What this saved plan says.
    Plan(Box<Plan>),
}

impl Request {
    /// Makes the plan, or checks the saved one.
    pub(super) fn plan(&self, target: &mut dyn Target) -> Result<(Plan, PlanStatus), PlanRefusal> {
        match self {
            Self::Specs(specs) => Ok((make_plan(target, specs)?, PlanStatus::Current)),
            Self::Plan(plan) => check_plan(plan, target).map(|status| ((**plan).clone(), status)),
        }
    }
}

/// Reads what the specs ask for, and makes the plan.
///
/// # Errors
/// When the target as a whole cannot be read.
pub fn make_plan(target: &mut dyn Target, specs: &[Spec]) -> Result<Plan, TargetError> {
    let mut planning = Planning::new(&target.uri(), specs);
    let facts = observe(target, |reader| planning.ask(reader))?;
    Ok(planning.finish(facts))
}

/// Does what [`make_plan`] does for one of many machines, but leaves the machine of the plan open, so that the plan has no
/// facts but those that specs ask for. `like` are the facts of such a plan of another machine, which are asked here as well.
///
/// # Errors
/// When the target as a whole cannot be read.
pub(crate) fn make_plan_like(
    like: Option<&Facts>,
    target: &mut dyn Target,
    specs: &[Spec],
) -> Result<Plan, TargetError> {
    let mut planning = Planning::new(&target.uri(), specs).of_any_machine();
    let nothing = Facts::default();
    let facts = observe_like(like.unwrap_or(&nothing), target, |reader| planning.ask(reader))?;
    Ok(planning.finish(facts))
}

/// Why a saved plan is not carried out. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PlanRefusal {
    /// It was made for another machine.
    #[error("the plan is for {}, but this is {}", .wanted, .found)]
    OtherMachine {
        /// The machine of the plan.
        wanted: String,
        /// The machine of the target.
        found: String,
    },
    /// Something that it rests on is no longer so.
    #[error("the plan is stale: {} that it depends on changed", number_of(.0.len(), "fact"))]
    Stale(Vec<Drift>),
    /// The target could not be read.
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// How a saved plan that may be carried out stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanStatus {
    /// All that it rests on is as it was.
    Current,
    /// Every change of it was made already, and all else that it rests on is as it was.
    AlreadyApplied,
}

/// Holds a saved plan against the target as it is now.
///
/// # Errors
/// [`PlanRefusal`]
pub fn check_plan(plan: &Plan, target: &mut dyn Target) -> Result<PlanStatus, PlanRefusal> {
    let renamed = same_machine(&plan.machine, &plan.target, None, target)?;
    let moved = plan.facts.moved(&observe_again(target, &plan.facts)?);
    if moved.is_empty() {
        return Ok(PlanStatus::Current);
    }
    // Whether a package was installed cannot be seen from the facts alone.
    let registry_only = plan.specs.iter().all(|spec| spec.install.is_none());
    let mut after = plan.facts.clone();
    plan.changes().for_each(|change| after.apply(change));
    // The questions are others: of a key that was absent and is there now, nothing was asked when the plan was made.
    if registry_only && after.moved(&observe_again(target, &after)?).is_empty() {
        return Ok(PlanStatus::AlreadyApplied);
    }
    match renamed {
        // Unless by the plan itself, whoever renamed it may have made another machine of it; a plan is soon made anew.
        Some(Renamed { was, is }) => Err(PlanRefusal::OtherMachine { wanted: was, found: is }),
        None => Err(PlanRefusal::Stale(moved)),
    }
}

/// A machine that has another name than it had, and the same MachineGuid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// Its name in the plan or journal, with the MachineGuid.
    pub was: String,
    /// Its name now, with the MachineGuid.
    pub is: String,
}

/// Reads which machine the target is, as far as its registry says.
///
/// # Errors
/// When the target as a whole cannot be read.
pub fn identify(target: &mut dyn Target) -> Result<Machine, TargetError> {
    let mut found = Machine::default();
    observe(target, |reader| found = crate::plan::machine(reader))?;
    Ok(found)
}

/// Refuses a plan or journal of another machine. Where both are known, the MachineGuid decides: a computer can be renamed, and keeps
/// it. But a disk image that is copied without sysprep takes it along, so the caller is told of another name. Where neither computer
/// name nor MachineGuid is known, the target's URI has to be the same. `set` is the number of the control set with the computer name,
/// where that is not the current one.
///
/// # Errors
/// [`PlanRefusal::OtherMachine`], or that the target cannot be read.
pub fn same_machine(
    wanted: &Machine,
    wanted_uri: &str,
    set: Option<u16>,
    target: &mut dyn Target,
) -> Result<Option<Renamed>, PlanRefusal> {
    let mut found = Machine::default();
    let set = set.map_or_else(|| "CurrentControlSet".to_owned(), control_set::name);
    observe(target, |reader| found = crate::plan::machine_of_set(&set, reader))?;
    compare_machines(wanted, wanted_uri, &found, &target.uri())
}

/// Does what [`same_machine`] does, for a target whose machine is known.
pub(super) fn compare_machines(
    wanted: &Machine,
    wanted_uri: &str,
    found: &Machine,
    found_uri: &str,
) -> Result<Option<Renamed>, PlanRefusal> {
    let same = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (Some(_), None) => false,
        (None, _) => true,
    };
    let same_guid = same(&wanted.machine_guid, &found.machine_guid);
    let same_name = same(&wanted.computer_name, &found.computer_name);
    let unknown = wanted.computer_name.is_none() && wanted.machine_guid.is_none();
    if same_guid && same_name && (!unknown || wanted_uri == found_uri) {
        return Ok(None);
    }
    let name = |machine: &Machine, uri: &str| match (&machine.computer_name, &machine.machine_guid) {
        (Some(name), Some(guid)) => format!("{name} ({guid})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => format!("a machine without a known name, {uri}"),
    };
    let (wanted_name, found_name) = (name(wanted, wanted_uri), name(found, found_uri));
    if same_guid && wanted.machine_guid.is_some() && found.computer_name.is_some() {
        return Ok(Some(Renamed { was: wanted_name, is: found_name }));
    }
    Err(PlanRefusal::OtherMachine { wanted: wanted_name, found: found_name })
}

/// That a `*` of a spec stands for very many keys.
pub(super) fn too_many_changes(spec: &SpecPlan, most: usize, severity: fn(Code, String) -> Diagnostic) -> Diagnostic {
    let message = format!("{}: {} keys and values change through a `*`, more than {most}", spec.id, spec.by_star);
    let hint = Hint::new("look through them; if all of them are intended, allow that many")
        .option("max-changes", spec.by_star.to_string());
    severity(Code::TOO_MANY_CHANGES, message).hint(hint)
}

/// Refuses a plan with changes in a file that is damaged as a whole.
pub(super) fn refuse_damaged(plan: &Plan, target: &mut dyn Target) -> Result<(), TargetError> {
    target.refuse_damaged(&plan.changes().cloned().collect::<Vec<_>>())
}

/// Returns that the target cannot be written as the plan says, where that is known without writing.
pub(super) fn cannot_apply(
    plan: &Plan,
    target: &mut dyn Target,
    severity: fn(Code, String) -> Diagnostic,
) -> Option<Diagnostic> {
    let changes: Vec<_> = plan.changes().cloned().collect();
    let error = target.rehearse(&changes).err()?;
    let message = format!("kbfix apply could not write this: {error}");
    Some(severity(Code::CANNOT_APPLY, message).hint("correct that first; nothing was changed"))
}

/// Returns what else the operator should know of a plan and its target.
pub(super) fn warnings(plan: &Plan, target: &dyn Target) -> Vec<Diagnostic> {
    let of_target =
        other_target(plan, target).into_iter().chain(missing_drives(plan, target)).chain(missing_file(target));
    of_target.chain(policy::warnings(plan, target)).collect()
}

/// Returns that the target's file does not exist: perhaps its name is wrong.
fn missing_file(target: &dyn Target) -> Option<Diagnostic> {
    let file = target.missing_file()?.display();
    let message = format!("{file} does not exist, so it says nothing about any value; apply creates it");
    let hint = "if there should be such a file, correct its name";
    Some(Diagnostic::warning(Code::POLICY_FILE_MISSING, message).hint(hint))
}

/// Returns that files could not be read because the operator gave no folder for their drives, and a spec is unknown.
fn missing_drives(plan: &Plan, target: &dyn Target) -> Option<Diagnostic> {
    let drives = target.missing_drives();
    if drives.is_empty() || plan.outcome() < Outcome::Unknown {
        return None;
    }
    let is_export = target.uri().starts_with("reg:");
    let named: Vec<_> = drives.iter().map(|drive| format!("{drive}:")).collect();
    let message = format!("files of drive {} were not read: the target does not contain them", named.join(" and "));
    let hint = Hint::new("give the folder that contains them");
    let hint = match is_export {
        true => hint.option("files", "DIR"),
        false => drives.iter().fold(hint, |hint, drive| hint.option("drive", format!("{drive}=DIR"))),
    };
    Some(Diagnostic::warning(Code::FILES_NOT_GIVEN, message).hint(hint))
}

/// That a saved plan was made from another target than this one: a clone has the name, the MachineGuid and the facts of the machine
/// that the plan is for. Snapshots and exports are copies, whose plans are always for another target.
fn other_target(plan: &Plan, target: &dyn Target) -> Option<Diagnostic> {
    let uri = target.uri();
    let is_copy = ["snapshot:", "reg:"].iter().any(|kind| plan.target.starts_with(kind));
    (!is_copy && plan.target != uri).then(|| {
        let message = format!("the plan was made from {}, but this is {uri}", plan.target);
        let hint = "check that it is that machine: a clone has the same name and MachineGuid";
        Diagnostic::warning(Code::PLAN_OTHER_TARGET, message).hint(hint)
    })
}
