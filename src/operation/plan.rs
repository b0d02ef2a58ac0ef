//! Makes a plan from specs, and checks a saved plan against the present state of a target.

use super::{changes, policy};
use crate::{
    diag::{Code, Diagnostic, Hint, text::first_few},
    observe::{Query, observe, observe_again, observe_like},
    plan::{Machine, Outcome, Plan, Planning, Retirement, SpecPlan},
    registry::control_set,
    spec::Spec,
    targets::{Drift, Facts, Target, TargetError},
};

/// The state that an operation must achieve.
#[derive(Debug, Clone)]
pub enum Request {
    /// The state that these specs require.
    Specs(Vec<Spec>),
    /// The changes of this saved plan.
    Plan(Box<Plan>),
}

impl Request {
    /// Makes a plan from the specs, or checks the saved plan against the target.
    pub(super) fn plan(&self, target: &mut dyn Target) -> Result<(Plan, PlanStatus), PlanRefusal> {
        match self {
            Self::Specs(specs) => Ok((make_plan(target, specs)?, PlanStatus::Current)),
            Self::Plan(plan) => check_plan(plan, target).map(|status| ((**plan).clone(), status)),
        }
    }
}

/// Reads the facts that the specs need, and makes the plan.
///
/// # Errors
///
/// Fails if the target as a whole cannot be read.
pub fn make_plan(target: &mut dyn Target, specs: &[Spec]) -> Result<Plan, TargetError> {
    let mut planning = Planning::new(&target.uri(), specs).through_policy(target.through_policy());
    let facts = observe(target, |reader| planning.ask(reader))?;
    Ok(planning.finish(facts))
}

/// Makes a plan like [`make_plan`] for one of many machines. The plan does not contain the identity of the machine, and
/// so only the facts that the specs need.
///
/// `like` contains the facts of such a plan for another machine. The keys and files in `like` are read first, in one
/// batch.
///
/// # Errors
///
/// Fails if the target as a whole cannot be read.
pub(crate) fn make_plan_like(
    like: Option<&Facts>,
    target: &mut dyn Target,
    specs: &[Spec],
) -> Result<Plan, TargetError> {
    let mut planning = Planning::new(&target.uri(), specs).through_policy(target.through_policy()).of_any_machine();
    let nothing = Facts::default();
    let facts = observe_like(like.unwrap_or(&nothing), target, |reader| planning.ask(reader))?;
    Ok(planning.finish(facts))
}

/// Makes a plan from `specs`, which were already planned for this target. The plan contains all facts that are read for
/// `queries` and for the identity of the machine. Its [`Plan::unsettled`] is empty.
///
/// # Errors
///
/// Fails if the target as a whole cannot be read.
pub(crate) fn assemble(specs: Vec<SpecPlan>, queries: &[Query], target: &mut dyn Target) -> Result<Plan, TargetError> {
    let mut machine = Machine::default();
    let facts = observe(target, |reader| {
        machine = crate::plan::machine(reader);
        queries.iter().for_each(|query| reader.ask(query));
    })?;
    let (uri, through_policy) = (target.uri(), target.through_policy());
    Ok(Plan { kbfix_plan: 1, target: uri, through_policy, machine, specs, unsettled: Vec::new(), retires: None, facts })
}

/// The reason why a saved plan is not applied. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PlanRefusal {
    /// The plan was made for a machine with another name, MachineGuid or URI.
    #[error("the plan is for {}, but this target is {}", .wanted, .found)]
    OtherMachine {
        /// The machine for which the plan was made, as text for people.
        wanted: String,
        /// The machine of the target, as text for people.
        found: String,
    },
    /// The plan was made for the registry, but the command changes policy values in the local GPO; or the reverse.
    #[error("{}", other_place("plan", *.through_policy))]
    OtherPlace {
        /// Whether the plan was made for the local GPO (`--through-policy`): values in the policy branches of `HKLM`
        /// are changed there, and all others in the registry.
        through_policy: bool,
    },
    /// Facts on which the plan depends have changed.
    #[error("the plan is stale: {} of its facts changed", .0.len())]
    Stale(Vec<Drift>),
    /// The target could not be read.
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// Returns the message that a plan or journal is for the local GPO but this command changes policy values in the
/// registry, or the reverse. `what` is the word `plan` or `journal`. `through_policy` is true if the plan or journal is
/// for the local GPO.
pub(super) fn other_place(what: &str, through_policy: bool) -> String {
    match through_policy {
        true => format!(
            "the {what} was made for the local GPO of the target, but this command would change policy values in the \
             registry"
        ),
        false => format!(
            "the {what} was made for the target's registry, but this command would change policy values in the local GPO"
        ),
    }
}

/// Whether the changes of a plan that may be applied still have to be made, or were already made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanStatus {
    /// All facts on which the plan depends are unchanged.
    Current,
    /// All changes of the plan were already made. The other facts on which the plan depends are unchanged.
    AlreadyApplied,
}

/// Checks a saved plan against the present state of the target.
///
/// # Errors
///
/// Returns [`PlanRefusal`] if the plan must not be applied.
pub fn check_plan(plan: &Plan, target: &mut dyn Target) -> Result<PlanStatus, PlanRefusal> {
    if plan.through_policy != target.through_policy() {
        return Err(PlanRefusal::OtherPlace { through_policy: plan.through_policy });
    }
    let renamed = same_machine(&plan.machine, &plan.target, None, target)?;
    let moved = plan.facts.moved(&observe_again(target, &plan.facts)?);
    if moved.is_empty() {
        return Ok(PlanStatus::Current);
    }
    // The facts alone do not show whether a package was installed.
    let registry_only = plan.specs.iter().all(|spec| spec.install.is_none());
    let mut after = plan.facts.clone();
    plan.changes().for_each(|change| after.apply(change));
    // More facts are needed now: for a key that was absent when the plan was made, nothing in it was read.
    if registry_only && after.moved(&observe_again(target, &after)?).is_empty() {
        return Ok(PlanStatus::AlreadyApplied);
    }
    match renamed {
        // The machine was renamed, and not by the plan, so it may be another machine now. A new plan is easy to make.
        Some(Renamed { was, is }) => Err(PlanRefusal::OtherMachine { wanted: was, found: is }),
        None => Err(PlanRefusal::Stale(moved)),
    }
}

/// The two names of a machine whose computer name changed, while its MachineGuid stayed the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// The name and MachineGuid in the plan or journal.
    pub was: String,
    /// The present name and MachineGuid.
    pub is: String,
}

/// Reads the identity of the target's machine, as far as its registry contains it.
///
/// # Errors
///
/// Fails if the target as a whole cannot be read.
pub fn identify(target: &mut dyn Target) -> Result<Machine, TargetError> {
    let mut found = Machine::default();
    observe(target, |reader| found = crate::plan::machine(reader))?;
    Ok(found)
}

/// Checks that a plan or journal belongs to the machine of the target.
///
/// A computer name or MachineGuid that `wanted` contains must be the same on the target; letter case is ignored. If
/// `wanted` contains neither, the URI of the target must be `wanted_uri`. `set` is the number of the control set that
/// contains the computer name, if this is not the current one.
///
/// Returns `None` if everything is the same. If only the computer names differ (both are known), and the MachineGuids
/// are the same, returns both names: a renamed computer keeps its MachineGuid, but a copied disk image also has the
/// MachineGuid of the original (unless sysprep was run).
///
/// # Errors
///
/// Returns [`PlanRefusal::OtherMachine`] if this is another machine, or an error if the target cannot be read.
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

/// Compares machines as [`same_machine`] does, for a target whose machine is already known.
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
        (None, None) => format!("a machine whose name is not known ({uri})"),
    };
    let (wanted_name, found_name) = (name(wanted, wanted_uri), name(found, found_uri));
    if same_guid && wanted.machine_guid.is_some() && found.computer_name.is_some() {
        return Ok(Some(Renamed { was: wanted_name, is: found_name }));
    }
    Err(PlanRefusal::OtherMachine { wanted: wanted_name, found: found_name })
}

/// Returns the diagnostic that a spec would change more than `most` keys and values because of a `*`. `severity` makes
/// this diagnostic an error or a warning.
pub(super) fn too_many_changes(spec: &SpecPlan, most: usize, severity: fn(Code, String) -> Diagnostic) -> Diagnostic {
    let changes = match spec.by_star {
        1 => "1 key or value".to_owned(),
        n => format!("{n} keys and values"),
    };
    let message = format!("{}: {changes} would change because of a `*`, but the limit is {most}", spec.id);
    let hint = Hint::new("review the changes; if all of them are intended, raise the limit")
        .option("max-changes", spec.by_star.to_string());
    severity(Code::TOO_MANY_CHANGES, message).hint(hint)
}

/// Returns the plan of a rollback or, with `retires`, of a retirement. `spec` contains all changes. Returns an error if
/// the plan changes a file that is damaged.
pub(super) fn undo_plan(
    spec: SpecPlan,
    retires: Option<Retirement>,
    machine: Machine,
    facts: Facts,
    target: &mut dyn Target,
) -> Result<Plan, TargetError> {
    let mut plan = Plan {
        kbfix_plan: 1,
        target: target.uri(),
        through_policy: target.through_policy(),
        machine,
        specs: vec![spec],
        unsettled: Vec::new(),
        retires,
        facts,
    };
    refuse_damaged(&mut plan, target)?;
    Ok(plan)
}

/// Returns an error if the plan changes a file that is damaged.
pub(super) fn refuse_damaged(plan: &mut Plan, target: &mut dyn Target) -> Result<(), TargetError> {
    changes::with(plan, |changes| target.refuse_damaged(changes))
}

/// Returns a diagnostic if kbfix can find out, without writing, that the target cannot be changed as planned.
/// `severity` makes this diagnostic an error or a warning.
pub(super) fn cannot_apply(
    plan: &mut Plan,
    target: &mut dyn Target,
    severity: fn(Code, String) -> Diagnostic,
) -> Option<Diagnostic> {
    let error = changes::with(plan, |changes| target.rehearse(changes)).err()?;
    let message = format!("kbfix could not make these changes: {error}");
    Some(severity(Code::CANNOT_APPLY, message).hint("remove the cause first; nothing was changed"))
}

/// Returns warnings about a plan and its target.
pub(super) fn warnings(plan: &Plan, target: &dyn Target) -> Vec<Diagnostic> {
    let of_target =
        other_target(plan, target).into_iter().chain(missing_drives(plan, target)).chain(missing_file(target));
    of_target.chain(unsettled(plan)).chain(policy::warnings(plan, target)).collect()
}

/// Returns a warning if specs require further changes after the changes of later specs.
fn unsettled(plan: &Plan) -> Option<Diagnostic> {
    let (require, name) = match plan.unsettled.as_slice() {
        [] => return None,
        [_] => ("requires", "this spec"),
        _ => ("require", "these specs"),
    };
    let ids = first_few(plan.unsettled.iter().map(String::as_str));
    let message = format!(
        "after the changes of later specs, {ids} {require} further changes, because a condition (`when` or \
         `applicable`) is then true; this run does not make them"
    );
    let hint = format!("name {name} after the specs whose changes make the condition true, or apply all specs again");
    Some(Diagnostic::warning(Code::SPEC_ORDER, message).hint(hint))
}

/// Returns a warning if the file of the target does not exist, because its name may be wrong.
fn missing_file(target: &dyn Target) -> Option<Diagnostic> {
    let file = target.missing_file()?.display();
    let message = format!("{file} does not exist, so it sets no values; the first change will create it");
    let hint = "if the file should exist, correct its name";
    Some(Diagnostic::warning(Code::POLICY_FILE_MISSING, message).hint(hint))
}

/// Returns a warning if the outcome of the plan is unknown or worse, and kbfix needed files of a drive which the target
/// lacks and for which the operator gave no folder.
fn missing_drives(plan: &Plan, target: &dyn Target) -> Option<Diagnostic> {
    let drives = target.missing_drives();
    if drives.is_empty() || plan.outcome() < Outcome::Unknown {
        return None;
    }
    let is_export = target.uri().starts_with("reg:");
    let named: Vec<_> = drives.iter().map(char::to_string).collect();
    let noun = if named.len() == 1 { "drive" } else { "drives" };
    let message = format!("files of {noun} {} were not read: the target does not contain them", named.join(" and "));
    let hint = Hint::new("give the folder that contains them");
    let hint = match is_export {
        true if drives.iter().eq(&['C']) => hint.option("files", "DIR"),
        // `--files` is only for drive C, and `--drive` is for other kinds of targets.
        true => Hint::new(
            "kbfix reads only files of drive C for an export: name the disk or a hive of the machine instead, or take a \
             snapshot on the machine",
        ),
        false => drives.iter().fold(hint, |hint, drive| hint.option("drive", format!("{drive}=DIR"))),
    };
    Some(Diagnostic::warning(Code::FILES_NOT_GIVEN, message).hint(hint))
}

/// Returns a warning if a saved plan was made from another target. That target may be another machine, because a clone
/// has the same name, MachineGuid and facts. Plans from snapshots and exports get no warning, because they are meant
/// for another target.
fn other_target(plan: &Plan, target: &dyn Target) -> Option<Diagnostic> {
    let uri = target.uri();
    let is_copy = ["snapshot:", "reg:"].iter().any(|kind| plan.target.starts_with(kind));
    (!is_copy && plan.target != uri).then(|| {
        let message = format!("the plan was made from {}, but this target is {uri}", plan.target);
        let hint = "check that it is the same machine: a clone has the same name and MachineGuid";
        Diagnostic::warning(Code::PLAN_OTHER_TARGET, message).hint(hint)
    })
}
